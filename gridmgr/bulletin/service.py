"""Verbs of papers: write one, want one, plan them, write those that are due. They never commit."""

import logging
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock, jobs
from gridmgr.account import queries as accounts
from gridmgr.account.model import UnknownAccount
from gridmgr.account.rules import Actor, require
from gridmgr.attachment import service as attachment
from gridmgr.bulletin import queries, rules
from gridmgr.bulletin.model import (
    BeingWritten,
    Bulletin,
    BulletinDue,
    BulletinFile,
    BulletinPlan,
    PeriodRunning,
    PlannedAlready,
    Progress,
    TooLongAgo,
    UnknownBulletin,
    UnknownDue,
    WrittenAlready,
)
from gridmgr.digest import queries as digests
from gridmgr.digest.model import Period, Span, Subject, Target
from gridmgr.digest.rules import before, span
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COMMUNITY, STREET
from gridmgr.i18n import say, speaking
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message
from gridmgr.words.reports import BULLETIN_PERIODS, BULLETIN_SUBJECTS

log = logging.getLogger(__name__)
FIRST_LANGUAGE = "zh"  # of the paper of record; others are set when somebody first reads them
BELOW = {Subject.DISTRICT: STREET, Subject.STREET: COMMUNITY}
UNFORESEEN = 200  # characters of what nobody foresaw that are kept


def write(
    session: Session, actor: Actor, of: Target, of_time: Span, why: str = "", *, known_now: bool = False,
    tell: Sequence[str] = (),
) -> Bulletin:  # fmt: skip
    """Write a paper, and keep it for ever; a second issue needs a reason and stands beside the first.

    Rule: field.md §1, A4: 工作周报. Its figures are those at the end of the period, whenever it is written;
    with `known_now` those of now: what was entered late is in it then.

    Raises
    ------
    NotGranted, OutsideGrant
    PeriodRunning, TooLongAgo
    WrittenAlready
    """
    require(actor, "bulletin.write", of.area)
    _check(session, of_time)
    issue = queries.last_issue(session, of, of_time) + 1
    if issue > 1 and not why.strip():
        raise WrittenAlready
    at = clock.now() if known_now else clock.midnight(of_time.last, 1)
    material = digests.gather(session, of, of_time, at)
    made = Bulletin(
        subject=of.subject, key=of.key, area=of.area, name=of.name, period=of_time.period, first=of_time.first,
        last=of_time.last, issue=issue, why=why.strip() if issue > 1 else "", as_of=at, written_at=clock.now(),
        writer_id=actor.id, writer_name=actor.name, last_event=material.content["data"]["last_event"],
        edition_id=material.content["data"]["edition"], content=material.content,
        content_hash=rules.content_hash(material.content),
    )  # fmt: skip
    session.add(made)
    session.flush()
    drawn = rules.drawn(material)
    with speaking(FIRST_LANGUAGE):
        _keep(session, made, {**drawn, **rules.typeset(made.content, _facts(made), drawn)})
    _tell(session, actor, of, made, tell)
    return made


def _check(session: Session, of_time: Span) -> None:
    if clock.midnight(of_time.last, 1) > clock.now():
        raise PeriodRunning(first=of_time.first, last=of_time.last)
    first = queries.first_record(session)
    if _unrecorded(of_time, first):
        raise TooLongAgo(first=clock.local(first).date())


def _unrecorded(of_time: Span, first: datetime | None) -> bool:
    """Say whether a span was over before the first case was reported."""
    return first is not None and clock.midnight(of_time.last, 1) <= first


def _facts(of: Bulletin) -> dict[str, object]:
    writer = of.writer_name if of.writer_id is not None else ""
    return {"issue": of.issue, "why": of.why, "writer": writer, "written_at": of.written_at}


def _keep(session: Session, of: Bulletin, files: rules.Files) -> None:
    """Keep files of a paper; what somebody else has kept meanwhile stays."""
    rows = [
        {"bulletin_id": of.id, "name": name, "sha256": attachment.keep(session, content, media).sha256}
        for name, (media, content) in files.items()
    ]
    session.flush()
    session.execute(insert(BulletinFile).values(rows).on_conflict_do_nothing())


def file(session: Session, actor: Actor, bulletin_id: int, name: str) -> tuple[Bulletin, str, bytes]:
    """Return a paper with the media type and content of one of its files: zh.html, zh.pdf, map.html, a picture.

    In a language nobody has read it in before it is set now, from its content as it was kept, and kept too.

    Raises
    ------
    UnknownBulletin
    """
    of = queries.bulletin(session, actor, bulletin_id)
    known = queries.files(session, of.id)
    if name not in known:
        language = name.partition(".")[0]
        if name not in rules.set_in(language):
            raise UnknownBulletin
        drawn = {each: found for each, found in known.items() if each.endswith(".png")}
        pictures = {each: (found.media_type, queries.content(found)) for each, found in drawn.items()}
        with speaking(language):
            _keep(session, of, rules.typeset(of.content, _facts(of), pictures))
        known = queries.files(session, of.id)
    return of, known[name].media_type, queries.content(known[name])


def _tell(session: Session, actor: Actor, of: Target, made: Bulletin, usernames: Sequence[str]) -> None:
    people = queries.leaders(session, of) | set(queries.named(session, usernames).values())
    seeing = [
        account for account in sorted(people - {actor.id})
        if queries.reads(accounts.actor_by_id(session, account), made)
    ]  # fmt: skip
    facts = {
        "kind": BULLETIN_PERIODS[made.period], "addressee": made.name or BULLETIN_SUBJECTS[made.subject],
        "first": made.first.isoformat(), "last": made.last.isoformat(), "page": f"/bulletins/{made.id}",
    }  # fmt: skip
    notice.tell(session, [Message(account, Kind.BULLETIN, None, facts) for account in seeing])


# ---- plan ----------------------------------------------------------------------------------------------


def plan(
    session: Session, actor: Actor, of: Target, period: Period, since: date | None = None,
    tell: Sequence[str] = (), *, below: bool = False,
) -> list[BulletinPlan]:  # fmt: skip
    """Plan papers of a subject, and, with `below`, of each street or community of it that has none planned.

    They begin with the period of a day; if none is given, with the last one that has ended.

    Raises
    ------
    NotGranted, OutsideGrant
    UnknownAccount
        One of those to be told has no open account.
    PlannedAlready
    """
    require(actor, "bulletin.write", of.area)
    if unknown := set(tell) - set(queries.named(session, tell)):
        raise UnknownAccount(username=min(unknown))
    first = span(period, since) if since else before(span(period, clock.today()))
    wanted = [of, *(_below(session, of) if below else ())]
    running = {(each.subject, each.key, each.period) for each in queries.plans(session)}
    fresh = [each for each in wanted if (each.subject, each.key, period) not in running]
    if not fresh:
        raise PlannedAlready
    made = [
        BulletinPlan(
            subject=each.subject, key=each.key, area=each.area, period=period, since=first.first,
            tell=list(dict.fromkeys(tell)) if each is of else [], set_by=actor.id, set_at=clock.now(), ended_at=None,
        )
        for each in fresh
    ]  # fmt: skip
    session.add_all(made)
    session.flush()
    jobs.defer(session, jobs.WRITE_BULLETINS)
    return made


def _below(session: Session, of: Target) -> list[Target]:
    level = BELOW.get(of.subject)
    if level is None:
        return []
    units = hierarchy.listing(session, digests.writer(of), level, clock.today())
    return [Target(Subject(level), unit.code, unit.code, unit.name) for unit in session.scalars(units)]


def end_plan(session: Session, actor: Actor, plan_id: int) -> BulletinPlan:
    """End a plan: what was written by it stays, what was not is not due any more.

    Raises
    ------
    UnknownPlan
    NotGranted, OutsideGrant
    """
    found = queries.plan(session, actor, plan_id)
    require(actor, "bulletin.write", found.area)
    found.ended_at = clock.now()
    session.flush()
    queries.let_go(session, found)
    return found


# ---- what is due ---------------------------------------------------------------------------------------


def want(
    session: Session, actor: Actor, of: Target, of_time: Span, why: str = "", *, known_now: bool = False
) -> BulletinDue:  # fmt: skip
    """Want a paper: the worker writes it as soon as it can.

    Raises
    ------
    NotGranted, OutsideGrant
    PeriodRunning, TooLongAgo
    WrittenAlready, BeingWritten
    """
    require(actor, "bulletin.write", of.area)
    _check(session, of_time)
    if queries.last_issue(session, of, of_time) and not why.strip():
        raise WrittenAlready
    values = _due(of.subject, of.key, of.area, of_time)
    values |= {"plan_id": None, "wanted_by": actor.id, "why": why.strip(), "known_now": known_now}
    made = session.scalar(insert(BulletinDue).values(values).on_conflict_do_nothing().returning(BulletinDue))
    if made is None:
        raise BeingWritten
    jobs.defer(session, jobs.WRITE_BULLETINS)
    return made


def _due(subject: str, key: str, area: str, of_time: Span) -> dict[str, object]:
    return {
        "subject": subject, "key": key, "area": area, "period": of_time.period, "first": of_time.first,
        "wanted_at": clock.now(), "next_at": clock.now(), "state": Progress.WAITING, "attempts": 0, "problem": "",
        "why": "", "known_now": False, "wanted_by": None,
    }  # fmt: skip


def call_due(session: Session) -> int:
    """Note the papers that plans say are due by now, missed ones too, each once; returns how many were new.

    None is due of a time before the first record.
    """
    noted, first = 0, queries.first_record(session)
    for each in queries.plans(session):
        spans = list(rules.due(Period(each.period), each.since, clock.local(clock.now()), clock.zone()))
        known = queries.written_already(session, each, [one.first for one in spans]) if spans else set()
        fresh = [one for one in spans if one.first not in known and not _unrecorded(one, first)]
        rows = [_due(each.subject, each.key, each.area, one) | {"plan_id": each.id} for one in fresh]
        if rows:
            added = insert(BulletinDue).values(rows).on_conflict_do_nothing().returning(BulletinDue.id)
            noted += len(session.scalars(added).all())
    return noted


def write_next(session: Session) -> bool:
    """Write the paper whose turn it is; returns whether there was one.

    What goes wrong undoes that paper alone, and is noted on it; it is tried again after a while, and in the
    end given up until somebody wants it again.
    """
    due = queries.next_due(session, clock.now())
    if due is None:
        return False
    try:
        with session.begin_nested():
            due.bulletin_id = _written(session, due).id
        due.state, due.problem = Progress.WRITTEN, ""
    except Exception as failed:  # whatever it is, the others are to be written
        session.expire_all()
        log.exception("the report %s %s of %s cannot be written", due.subject, due.key, due.first)
        _failed(due, failed)
    session.flush()
    return True


def _written(session: Session, due: BulletinDue) -> Bulletin:
    """Write a paper that is due; if it was written meanwhile, and is not wanted again, that one is it."""
    of = digests.target(session, Subject(due.subject), due.key)
    of_time = span(Period(due.period), due.first)
    again = due.why or due.known_now
    if queries.last_issue(session, of, of_time) and not again:
        return queries.issues(session, due)[0]  # somebody was quicker
    by = accounts.actor_by_id(session, due.wanted_by)
    planned = session.get(BulletinPlan, due.plan_id) if due.plan_id else None
    more = {"known_now": due.known_now, "tell": planned.tell if planned else ()}
    return write(session, by, of, of_time, due.why, **more)


def _failed(due: BulletinDue, failed: Exception) -> None:
    with speaking(FIRST_LANGUAGE):
        due.problem = (
            say(failed) if isinstance(failed, Problem) else f"{type(failed).__name__}: {failed}"[:UNFORESEEN]
        )
    due.attempts += 1
    again = None if isinstance(failed, WrittenAlready) else rules.next_attempt(due.attempts, clock.now())
    due.state, due.next_at = (Progress.WAITING, again) if again else (Progress.FAILED, due.next_at)


def retry(session: Session, actor: Actor, due_id: int) -> BulletinDue:
    """Let a paper that failed be tried again now.

    Raises
    ------
    UnknownDue
    NotGranted, OutsideGrant
    """
    found = queries.due(session, actor, due_id)
    require(actor, "bulletin.write", found.area)
    if found.state == Progress.WRITTEN:
        raise UnknownDue
    found.state, found.next_at, found.attempts = Progress.WAITING, clock.now(), 0
    session.flush()
    jobs.defer(session, jobs.WRITE_BULLETINS)
    return found
