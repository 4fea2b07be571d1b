"""Reads of the situation: points and figures of a map, what has changed of them, and how far that was read."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import case, select, text, union
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.calendar import queries as calendars
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import LONG, SOON, Search, lateness, supervised
from gridmgr.clock import TimeUnit
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.incident.queries import SCOPED, visible
from gridmgr.life.model import State
from gridmgr.life.rules import OPEN
from gridmgr.situation.rules import Look, Mark, sees_all
from gridmgr.statistics import queries as statistics
from gridmgr.supervision.model import SupervisionDeed, SupervisionOrder

CHANNEL = "situation"  # what the triggers of the records call
MOST = 2000  # changed cases told one by one; of more the whole is read anew
COUNTED = ("reported", "overdue", "due", "closed_on_time")  # of the figures, and what the rate is formed of
WHISTLED, SUPERVISED = 1, 2  # bits of a point's last value

LOOK = text("""
    SELECT coalesce((SELECT max(id) FROM incident_event), 0), coalesce((SELECT max(id) FROM supervision_deed), 0),
        CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint),
        CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)
""")


@dataclass(frozen=True)
class Changes:
    """What has become of changed cases: the points there are now, and the ids of those that are none any more."""

    put: list[tuple]
    gone: list[int]


@dataclass(frozen=True)
class Figures:
    """The numbers above a map, by the definitions of the page of figures."""

    all: int
    open: int
    overdue: int
    rate: float | None
    states: dict[str, int]


def points(
    session: Session, actor: Actor, search: Search, limit: int, ids: Collection[int] | None = None
) -> list[tuple]:
    """Return (id, number, lon, lat, state, category id, source, severity, lateness, bits) of the newest cases found.

    Places are WGS-84 degrees to 6 decimals; lateness counts from 1 along `casebook.LATENESS`, 0 is none of it;
    the bits are WHISTLED and SUPERVISED. With `ids`, of these cases alone.
    """
    bits = case((Incident.whistles > 0, WHISTLED), else_=0) + case((supervised(), SUPERVISED), else_=0)
    asked = casebook.listing(session, actor, search).with_only_columns(
        Incident.id, Incident.number, ST_X(Incident.geom), ST_Y(Incident.geom), Incident.state,
        Incident.category_id, Incident.source, Incident.severity, lateness(session), bits,
    )  # fmt: skip
    if ids is not None:
        asked = asked.where(Incident.id.in_(ids))
    rows = session.execute(asked.limit(limit))
    return [(id, number, round(lon, 6), round(lat, 6), *rest) for id, number, lon, lat, *rest in rows]


def figures(session: Session, actor: Actor, search: Search) -> Figures:
    """Return the numbers above a map; by state they are counted whatever states the search names."""
    whole = statistics.total(session, actor, search, counts=COUNTED)
    by_state = casebook.count_by_state(session, actor, replace(search, states=()))
    chosen = set(search.states or State) & set(OPEN)
    unfinished = 0 if search.open is False else sum(by_state[state] for state in chosen)
    states = {state.value: number for state, number in by_state.items()}
    return Figures(
        whole.counts["reported"], unfinished, whole.counts["overdue"], whole.rates["on_time_rate"], states
    )


def look(session: Session) -> Look:
    """Return how far the records go now."""
    steps, deeds, oldest, following = session.execute(LOOK).one()
    return Look(Mark(steps, deeds), oldest, following)


def written(
    session: Session, mark: Mark, most: int = 10 * MOST
) -> tuple[dict[int, int], dict[int, int]] | None:
    """Return which case each row behind a mark tells of: of steps, and of deeds on orders; None if too many."""
    steps = select(IncidentEvent.id, IncidentEvent.incident_id).where(IncidentEvent.id > mark.steps)
    deeds = (
        select(SupervisionDeed.id, SupervisionOrder.incident_id)
        .join(SupervisionOrder, SupervisionOrder.id == SupervisionDeed.order_id)
        .where(SupervisionDeed.id > mark.deeds)
    )
    found = tuple(dict(map(tuple, session.execute(asked.limit(most + 1)))) for asked in (steps, deeds))
    return None if max(map(len, found)) > most else found


def changed(session: Session, mark: Mark) -> set[int] | None:
    """Return the cases something was written of behind a mark; None if they are more than are told one by one."""
    found = written(session, mark)
    ids = None if found is None else {*found[0].values(), *found[1].values()}
    return None if ids is None or len(ids) > MOST else ids


def horizons(session: Session, now: datetime) -> list[datetime]:
    """Return the instants at which open cases change how late they are, if they are due just then."""
    return [now - LONG, now, *calendars.horizons(session, SOON, TimeUnit.WORKING_HOURS).values()]


def passed(session: Session, before: list[datetime], now: list[datetime]) -> set[int]:
    """Return the open cases whose lateness has changed by time alone, from the horizons before to those now."""
    spans = [*zip(before[:2], now[:2], strict=True)]
    if before[2:] and now[2:]:
        spans.append((min(before[2:]), max(now[2:])))
    asked = union(
        *(
            select(Incident.id).where(
                Incident.due_at > first, Incident.due_at <= last, Incident.closed_at.is_(None)
            )
            for first, last in spans
        )
    )
    return set(session.scalars(asked))


def changes(session: Session, actor: Actor, search: Search, ids: Collection[int]) -> Changes:
    """Return what has become of changed cases for somebody's map; of cases out of sight nothing is told."""
    ids = list(ids)
    put = points(session, actor, search, len(ids), ids) if ids else []
    shown = {row[0] for row in put}
    others = [each for each in ids if each not in shown]
    seen = visible(actor).with_only_columns(Incident.id).where(Incident.id.in_(others))
    return Changes(put, sorted(session.scalars(seen)) if others else [])


def of_their_own(session: Session, actors: Collection[Actor], ids: Collection[int] | None = None) -> set[Any]:
    """Return the ids of those people who see a case (of `ids`) for themselves alone, outside their area."""
    people = {each.id: each for each in actors if each.id is not None and not sees_all(each)}
    if not people or ids == set():
        return set()
    asked = select(Incident.reporter_id, Incident.checker_id, *SCOPED).where(
        Incident.reporter_id.in_(people) | Incident.checker_id.in_(people)
    )
    if ids is not None:
        asked = asked.where(Incident.id.in_(ids))
    found = set()
    for reporter, checker, *codes in session.execute(asked.distinct()):
        for each in {reporter, checker} & people.keys():
            inside = any(code and code.startswith(prefix) for code in codes for prefix in people[each].scope)
            if not inside:
                found.add(each)
    return found
