"""Reads of those whistles call: who came from where, and how each body comes when it is called."""

from collections.abc import Collection, Sequence
from datetime import datetime

from geoalchemy2 import Geography
from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import ColumnElement, cast, func, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident.model import Incident
from gridmgr.whistle.model import Attendance, Call, UnknownCall, Whistle
from gridmgr.whistle.queries import visible


def call(session: Session, whistle_id: int, call_id: int) -> Call:
    """Return one of those a whistle calls, locked.

    Raises
    ------
    UnknownCall
    """
    asked = select(Call).where(Call.whistle_id == whistle_id, Call.id == call_id).with_for_update()
    found = session.scalar(asked.execution_options(populate_existing=True))
    if found is None:
        raise UnknownCall(id=call_id)
    return found


def arrivals(session: Session, whistles: Collection[int]) -> list[tuple[Call, float, float]]:
    """Return the calls of whistles that somebody reported in to, with longitude and latitude in WGS-84."""
    asked = select(Call, ST_X(Call.arrived_geom), ST_Y(Call.arrived_geom))
    asked = asked.where(Call.whistle_id.in_(whistles), Call.arrived_geom.is_not(None))
    return [tuple(row) for row in session.execute(asked.order_by(Call.id))]


def distance(session: Session, whistle_id: int, lon: float, lat: float) -> float:
    """Return how far a place is from where a whistle calls to, in metres over the ellipsoid."""
    here = cast(func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326), Geography)
    asked = select(func.ST_Distance(cast(Whistle.geom, Geography), here)).where(Whistle.id == whistle_id)
    return float(session.scalar(asked))


def grid_of(session: Session, lon: float, lat: float) -> str | None:
    """Return the code of the micro-grid that holds a place today, None outside all."""
    located = hierarchy.locator(session).locate([lon], [lat])
    return located.codes("micro_grid")[0] if float(located.distance_m[0]) == 0 else None


def attendance(
    session: Session, actor: Actor, since: datetime, until: datetime, area: str = ""
) -> list[Attendance]:
    """Return how each body, or street, came to the visible whistles blown between two instants, the worst first.

    In time is whoever reported in by the due time of its call, late whoever did later, absent whoever has not
    and is past it, waiting whoever is not; the excused are left out. Times are minutes since the call.
    """
    now = clock.now()
    came, due = Call.arrived_at.is_not(None), Call.due_at < now
    in_time = Call.arrived_at <= Call.due_at
    parts = visible(actor).with_only_columns(
        Call.body, func.count(), func.count(Call.answered_at), func.count().filter(in_time),
        func.count().filter(came & ~in_time), func.count().filter(~came & due), func.count().filter(~came & ~due),
        func.count().filter(Call.far), func.count(Call.order_id), _minutes(Call.answered_at),
        _minutes(Call.arrived_at), func.avg(Call.rating), func.count(Call.rating),
    )  # fmt: skip
    asked = parts.join(Call, Call.whistle_id == Whistle.id).where(
        Whistle.blown_at >= since,
        Whistle.blown_at < until,
        Call.excused_at.is_(None),
        Call.due_at.is_not(None),
    )
    if area:
        asked = asked.where(Incident.home.startswith(area, autoescape=True))
    found = [Attendance(*_plain(row)) for row in session.execute(asked.group_by(Call.body))]
    return sorted(
        found, key=lambda each: (each.rate if each.rate is not None else 2, -each.called, each.body)
    )


def _minutes(until: ColumnElement) -> ColumnElement[float]:
    return func.avg(func.extract("epoch", until - Call.called_at) / 60)


def _plain(row: Sequence) -> list:
    return [float(each) if each is not None and n in (9, 10, 11) else each for n, each in enumerate(row)]
