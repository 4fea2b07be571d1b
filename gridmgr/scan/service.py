"""Verbs of scans: scan a day, see that the day before is scanned, look at an alarm. They never commit."""

import logging
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gis.scan import MOST_UNITS
from gridmgr import clock
from gridmgr.account.rules import Actor, can, require
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message
from gridmgr.scan import queries, rules
from gridmgr.scan.model import (
    Cluster,
    ClusterCase,
    ClusterDeed,
    ClusterUnit,
    Deed,
    Found,
    Scan,
    UnknownMatter,
)
from gridmgr.settings import settings

log = logging.getLogger(__name__)


def run(session: Session, day: date, level: str = rules.LEVELS[0], matter: str = rules.EVERYTHING) -> Scan:
    """Scan the days up to `day`, tell of its alarms, and keep what was found; a scan that was done is returned.

    Raises
    ------
    DayNotOver, NotScanned, UnknownMatter, NoEdition
    """
    rules.check(day, level, clock.today())
    if (done := queries.done(session, day, level, matter)) is not None:
        return done
    english = queries.matters(session, day) | {rules.EVERYTHING: ""}
    if matter not in english:
        raise UnknownMatter(matter=matter, day=day)
    edition, known_at = hierarchy.edition_at(session, day), clock.now()
    permutations = settings().scan_permutations
    scan = Scan(
        day=day, level=level, matter=matter, matter_en=english[matter], first_day=rules.first_day(day),
        longest=rules.LONGEST, most_units=MOST_UNITS, permutations=permutations, seed=rules.seed(day),
        edition_id=edition.id, stamp=edition.stamp, known_at=known_at, units=0, cases=0, outside=0,
    )  # fmt: skip
    found = _search(session, scan)
    session.add(scan)
    session.flush()
    for rank, each in enumerate(found, start=1):
        _keep(session, scan, rank, each)
    return scan


def again(session: Session, scan: Scan) -> list[Found]:
    """Do a scan once more, of what was known when it was done: the same numbers, if its map stands as it did."""
    columns = [column.key for column in Scan.__table__.columns if column.key != "id"]
    repeated = Scan(**{name: getattr(scan, name) for name in columns})
    return _search(session, repeated)


def _search(session: Session, scan: Scan) -> list[Found]:
    """Find the clusters of a scan, and write into it how much there was to look at."""
    zones = queries.zones_of(session, hierarchy.edition(session, scan.edition_id), scan.level)
    all_cases = queries.cases(session, scan.day, scan.matter, scan.known_at)
    cases, scan.outside = queries.placed(session, all_cases, scan.level, scan.day)
    scan.units, scan.cases = len(zones.units), len(cases)
    return rules.find(zones, cases, scan.day, scan.permutations)


def _keep(session: Session, scan: Scan, rank: int, found: Found) -> None:
    cluster = Cluster(
        scan_id=scan.id, rank=rank, since=found.since, observed=found.observed, expected=found.expected,
        llr=found.llr, p=found.p, recurrence_days=found.recurrence_days, daily=[list(each) for each in found.daily],
    )  # fmt: skip
    session.add(cluster)
    session.flush()
    for n, (code, observed, cases) in enumerate(found.units, start=1):
        session.add(ClusterUnit(cluster_id=cluster.id, code=code, rank=n, observed=observed, cases=cases))
    session.add_all(ClusterCase(cluster_id=cluster.id, incident_id=each) for each in found.cases)
    session.flush()
    if cluster.recurrence_days >= settings().alarm_days:
        _tell(session, scan, cluster, [code for code, *_ in found.units])


def _tell(session: Session, scan: Scan, cluster: Cluster, codes: list[str]) -> None:
    """Tell of an alarm of the day before, unless it goes on from one that somebody has looked at."""
    if scan.day < clock.today() - timedelta(days=1) or queries.previous(session, scan, codes):
        return
    name = hierarchy.names(session, codes[:1], scan.day).get(codes[0], codes[0])
    matter = (
        {"category_zh": scan.matter, "category_en": scan.matter_en} if scan.matter else rules.EVERY_MATTER
    )
    facts = matter | {
        "place": name, "count": cluster.observed, "expected": f"{cluster.expected:.1f}",
        "since": str(cluster.since), "days": f"{cluster.recurrence_days:.0f}", "page": f"/alarms/{cluster.id}",
    }  # fmt: skip
    people = queries.concerned(session, rules.streets(codes, hierarchy.streets(session)))
    notice.tell(session, [Message(each, Kind.SCAN_ALARM, None, facts) for each in sorted(people)])


def watch(session: Session) -> bool:
    """Do one scan of the day before that is still to be done; tells whether there was one.

    Rule: from 05:30 on the district's clock; all matters together first, then class by class.
    """
    if not hierarchy.editions(session):
        return False
    day, level = rules.last_day(clock.local(clock.now())), rules.LEVELS[0]
    done = {each.matter for each in queries.scans(session, day, level)}
    for matter in (rules.EVERYTHING, *queries.matters(session, day)):
        if matter not in done:
            scan = run(session, day, level, matter)
            log.info("scan of %s %s: %s cases", day, matter or "all", scan.cases)
            return True
    return False


def run_all(session: Session, day: date, level: str = rules.LEVELS[0]) -> list[Scan]:
    """Do all scans of a day that are still to be done, and return them all.

    Raises
    ------
    DayNotOver, NotScanned, NoEdition
    """
    rules.check(day, level, clock.today())
    return [run(session, day, level, each) for each in (rules.EVERYTHING, *queries.matters(session, day))]


def look(session: Session, actor: Actor, cluster_id: int, note: str) -> ClusterDeed:
    """Say that one has looked at an alarm, and what one has found.

    Raises
    ------
    UnknownAlarm, NotGranted, OutsideGrant, NoteNeeded
    """
    alarm = queries.alarm(session, actor, cluster_id)
    if not any(can(actor, "scan.look", code) for code in alarm.codes):
        require(actor, "scan.look", alarm.codes[0])
    note = note.strip()
    rules.check_note(note)
    session.execute(select(Cluster.id).where(Cluster.id == cluster_id).with_for_update())
    seq = session.scalar(select(func.count()).where(ClusterDeed.cluster_id == cluster_id)) + 1
    deed = ClusterDeed(
        cluster_id=cluster_id, seq=seq, deed=Deed.LOOK, actor_id=actor.id, actor_name=actor.name,
        at=clock.now(), note=note,
    )  # fmt: skip
    session.add(deed)
    session.flush()
    return deed
