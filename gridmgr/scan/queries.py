"""Reads of scans: the cases of a day's scan, its zones, and the alarms an actor may see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from gis.adjacency import matrix
from gis.scan import Zones, zones
from gridmgr import clock
from gridmgr.account.model import Account, Role, RoleGrant
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import SYSTEM, Actor
from gridmgr.casebook import queries as casebook
from gridmgr.category import queries as categories
from gridmgr.db import fingerprint
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import Edition, GridUnit
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.life.rules import OUT
from gridmgr.past import queries as past
from gridmgr.scan import rules
from gridmgr.scan.model import Cluster, ClusterCase, ClusterDeed, ClusterUnit, Scan, UnknownAlarm
from gridmgr.settings import settings

_TOLD = (Role.STREET_LEADER, Role.STREET_DISPATCHER)
NEAR, MOST_AROUND = 0.004, 800  # degrees around a cluster that its map shows, and units it draws
_zones: dict[tuple[str, str, str], Zones] = {}  # of the edition scanned last


@dataclass(frozen=True)
class Search:
    """What a list of alarms is narrowed to; every field may be absent."""

    day: date | None = None
    matter: str | None = None
    level: str | None = None
    open: bool = False  # nobody has looked at it yet
    weak: bool = False  # clusters too weak for an alarm, too


@dataclass(frozen=True)
class Alarm:
    """A cluster with its scan, the codes of its units from the centre on, and who has looked at it."""

    cluster: Cluster
    scan: Scan
    codes: tuple[str, ...]
    looks: tuple[ClusterDeed, ...]

    @property
    def loud(self) -> bool:
        """Whether it is rare enough to be told."""
        return self.cluster.recurrence_days >= settings().alarm_days


def matters(session: Session, day: date) -> dict[str, str]:
    """Return the classes of which there were cases in the days of a scan, as Chinese → English name."""
    used = select(Incident.category_id).where(
        Incident.reported_at >= clock.midnight(rules.first_day(day)),
        Incident.reported_at < clock.midnight(day, 1),
    )
    known = categories.by_id(session)
    found = {known[each].group_zh: known[each].group_en for each in session.scalars(used.distinct())}
    return dict(sorted(found.items()))


def cases(session: Session, day: date, matter: str, known_at: datetime) -> pd.DataFrame:
    """Return the cases a scan looks at (id, lon, lat, period), as they were known at an instant."""
    begins = rules.first_day(day)
    then = past.cases(session, SYSTEM, casebook.Search(since=begins, until=day), known_at)
    asked = select(then.c.id, ST_X(then.c.geom), ST_Y(then.c.geom), then.c.reported_at)
    asked = asked.where(then.c.state.not_in(OUT))
    if matter != rules.EVERYTHING:
        known = categories.by_id(session).values()
        asked = asked.where(then.c.category_id.in_([each.id for each in known if each.group_zh == matter]))
    rows = session.execute(asked.order_by(then.c.reported_at, then.c.id)).all()
    found = pd.DataFrame(rows, columns=["id", "lon", "lat", "reported_at"])
    return found.assign(period=[(clock.local(at).date() - begins).days for at in found.pop("reported_at")])


def placed(session: Session, found: pd.DataFrame, level: str, day: date) -> tuple[pd.DataFrame, int]:
    """Return the cases with the unit of a level that holds each by the map of a day, and how many none holds.

    Places are looked up anew: the map of the day is one map, whatever was redrawn meanwhile.
    """
    lon, lat = (found[name].to_numpy(dtype=float) for name in ("lon", "lat"))
    codes = hierarchy.locator(session, day).locate(lon, lat, settings().nearest_limit_m).codes(level)
    held = np.array([bool(code) for code in codes], dtype=bool)
    kept = found.assign(unit=codes)[held].reset_index(drop=True)
    return kept[["id", "unit", "period"]], int((~held).sum())


def zones_of(session: Session, edition: Edition, level: str) -> Zones:
    """Return the zones of a level in an edition; the process keeps those it has grown last."""
    key = (fingerprint(session), edition.stamp, level)
    if key not in _zones:
        units = hierarchy.frame(session, level, edition.effective).set_index("code")
        grown = zones(units[["geometry"]], matrix(units, "rook"))
        for other in [each for each in _zones if each[:2] != key[:2]]:
            _zones.pop(other)
        _zones[key] = grown
    return _zones[key]


def done(session: Session, day: date, level: str, matter: str) -> Scan | None:
    """Return the scan of a day, level and class, None if it was not done; nobody else does it until we are done."""
    name = f"scan\n{day}\n{level}\n{matter}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    return session.scalar(select(Scan).where(Scan.day == day, Scan.level == level, Scan.matter == matter))


def scans(session: Session, day: date, level: str) -> list[Scan]:
    """Return the scans of a day and level, that of everything first."""
    return list(
        session.scalars(select(Scan).where(Scan.day == day, Scan.level == level).order_by(Scan.matter))
    )


def last_day(session: Session, level: str = rules.LEVELS[0], until: date | None = None) -> date | None:
    """Return the latest day of which a level was scanned, up to a day; None if none was."""
    found = select(func.max(Scan.day)).where(Scan.level == level)
    return session.scalar(found.where(Scan.day <= until) if until else found)


def _visible(actor: Actor) -> Select:
    inside = exists().where(ClusterUnit.cluster_id == Cluster.id, visible_to(actor, ClusterUnit.code))
    return select(Cluster, Scan).join(Scan, Scan.id == Cluster.scan_id).where(inside)


def _narrowed(search: Search) -> Iterable[ColumnElement[bool]]:
    if search.day:
        yield Scan.day == search.day
    if search.matter is not None:
        yield Scan.matter == search.matter
    if search.level:
        yield Scan.level == search.level
    if search.open:
        yield ~exists().where(ClusterDeed.cluster_id == Cluster.id)
    if not search.weak:
        yield Cluster.recurrence_days >= settings().alarm_days


def page(session: Session, actor: Actor, search: Search, size: int, before: int | None = None) -> list[Alarm]:
    """Return one page of the alarms an actor may see, the newest day first, going on behind the alarm `before`."""
    order = (Scan.day, Cluster.recurrence_days, Cluster.llr, Cluster.id)
    asked = _visible(actor).where(*_narrowed(search))
    if before is not None:
        there = select(*order).join(Scan, Scan.id == Cluster.scan_id).where(Cluster.id == before)
        asked = asked.where(func.row(*order) < there.scalar_subquery())
    rows = session.execute(asked.order_by(*(each.desc() for each in order)).limit(size)).all()
    return _alarms(session, rows)


def alarm(session: Session, actor: Actor, cluster_id: int) -> Alarm:
    """Return one cluster, loud or not.

    Raises
    ------
    UnknownAlarm
    """
    row = session.execute(_visible(actor).where(Cluster.id == cluster_id)).first()
    if row is None:
        raise UnknownAlarm(id=cluster_id)
    return _alarms(session, [row])[0]


def _alarms(session: Session, rows: Sequence) -> list[Alarm]:
    ids = [cluster.id for cluster, _ in rows]
    codes: dict[int, list[str]] = {each: [] for each in ids}
    looks: dict[int, list[ClusterDeed]] = {each: [] for each in ids}
    asked = select(ClusterUnit.cluster_id, ClusterUnit.code).where(ClusterUnit.cluster_id.in_(ids))
    for cluster, code in session.execute(asked.order_by(ClusterUnit.rank)):
        codes[cluster].append(code)
    done = select(ClusterDeed).where(ClusterDeed.cluster_id.in_(ids)).order_by(ClusterDeed.seq)
    for each in session.scalars(done):
        looks[each.cluster_id].append(each)
    return [
        Alarm(cluster, scan, tuple(codes[cluster.id]), tuple(looks[cluster.id])) for cluster, scan in rows
    ]


def units(session: Session, actor: Actor, cluster_id: int) -> list[ClusterUnit]:
    """Return the units of a cluster that lie in the actor's area with their counts, the centre first.

    Where the whole cluster lies is for everybody it reaches, what happened in each unit is not.
    """
    asked = select(ClusterUnit).where(
        ClusterUnit.cluster_id == cluster_id, visible_to(actor, ClusterUnit.code)
    )
    return list(session.scalars(asked.order_by(ClusterUnit.rank)))


def cases_of(session: Session, actor: Actor, cluster_id: int, most: int) -> list[Incident]:
    """Return the cases of a cluster that the actor may see, the newest first."""
    inside = select(ClusterCase.incident_id).where(ClusterCase.cluster_id == cluster_id)
    asked = incidents.visible(actor).where(Incident.id.in_(inside))
    return list(session.scalars(asked.order_by(Incident.reported_at.desc(), Incident.id.desc()).limit(most)))


def around(session: Session, actor: Actor, alarm: Alarm) -> gpd.GeoDataFrame:
    """Return the outlines (code, name) of an alarm's units as its day's map drew them, and of those near them."""
    on = hierarchy.edition(session, alarm.scan.edition_id).effective
    level = (GridUnit.level == alarm.scan.level) & hierarchy.valid_at(max(on, alarm.scan.day))
    own = (
        select(func.ST_Collect(GridUnit.geom)).where(level, GridUnit.code.in_(alarm.codes)).scalar_subquery()
    )
    box = func.ST_Expand(own, func.greatest(NEAR, func.ST_XMax(own) - func.ST_XMin(own)))
    seen = GridUnit.code.in_(alarm.codes) | hierarchy.visible_units(actor)
    asked = select(GridUnit.code, GridUnit.name, func.ST_AsBinary(GridUnit.geom)).where(
        level, func.ST_Intersects(GridUnit.geom, box), seen
    )
    rows = session.execute(asked.order_by(GridUnit.code).limit(MOST_AROUND)).all()
    shapes = shapely.from_wkb([bytes(row[-1]) for row in rows])
    return gpd.GeoDataFrame(
        {"code": [row[0] for row in rows], "name": [row[1] for row in rows]}, geometry=shapes, crs=4326
    )


def concerned(session: Session, streets: Iterable[str]) -> set[int]:
    """Return who is told of an alarm, on duty or not: the command centre, and leaders and desks of the streets."""
    centre = RoleGrant.role == Role.COMMAND_CENTRE
    own = RoleGrant.role.in_(_TOLD) & RoleGrant.code.in_(list(streets))
    asked = select(RoleGrant.account_id).join(Account, Account.id == RoleGrant.account_id)
    return set(session.scalars(asked.where(Account.active, centre | own)))


def previous(session: Session, scan: Scan, codes: Iterable[str]) -> bool:
    """Tell whether the day before the same class had an alarm in one of these units that somebody has looked at."""
    asked = (
        select(Cluster.id)
        .join(Scan, Scan.id == Cluster.scan_id)
        .join(ClusterUnit, ClusterUnit.cluster_id == Cluster.id)
        .join(ClusterDeed, ClusterDeed.cluster_id == Cluster.id)
        .where(
            Scan.day == scan.day - timedelta(days=1), Scan.level == scan.level, Scan.matter == scan.matter,
            Cluster.recurrence_days >= settings().alarm_days, ClusterUnit.code.in_(list(codes)),
        )
    )  # fmt: skip
    return session.scalar(asked.limit(1)) is not None
