"""Figures by area and hotspots by unit, from what the actor may see."""

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import ColumnElement, Select, and_, func, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from gis.adjacency import matrix
from gis.hotspot import getis_ord, method
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search, closed_in, matching
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COVERAGES
from gridmgr.incident.model import Incident
from gridmgr.life.model import State
from gridmgr.statistics.rules import COUNTS, RATES, rate

LEVEL_COLUMN: dict[str, InstrumentedAttribute] = {
    "street": Incident.street_code,
    "community": Incident.community_code,
    "micro_grid": Incident.micro_grid_code,
    "building": Incident.building_code,
}
CLOSED = (State.CLOSED, State.EVALUATED)
OUT = (State.VOIDED, State.MERGED)  # no matter of ours, or counted with its twin


@dataclass(frozen=True)
class Figures:
    """The counts and rates of one area (code None: of all the actor sees) and period."""

    code: str | None
    name: str | None
    counts: dict[str, int]
    rates: dict[str, float | None]


def figures(session: Session, actor: Actor, level: str, search: Search) -> list[Figures]:
    """Return the figures of every unit of a level in which something was reported, by code.

    Rule: field.md §5; the formulas are `rules.RATES`. The areas are those stored when it was reported.
    """
    column = LEVEL_COLUMN[hierarchy.known_level(level)]
    rows = session.execute(_counted(session, actor, search, column).group_by(column).order_by(column)).all()
    names = hierarchy.names(session, [row[0] for row in rows], search.until or clock.today())
    return [_figures(row[0], names.get(row[0]), row[1:]) for row in rows]


def total(session: Session, actor: Actor, search: Search) -> Figures:
    """Return the figures of all the actor sees."""
    return _figures(None, None, session.execute(_counted(session, actor, search)).one())


def _counted(session: Session, actor: Actor, search: Search, *by: InstrumentedAttribute) -> Select:
    def number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(and_(true(), *conditions))

    ours = Incident.state.not_in(OUT)
    closed = Incident.state.in_(CLOSED)
    past = Incident.due_at <= clock.now()
    due = and_(ours, Incident.accepted_at.is_not(None), Incident.due_at.is_not(None), past | closed)
    return matching(session, actor, search).with_only_columns(
        *by,
        number(),
        number(Incident.accepted_at.is_not(None)),
        number(due),
        number(due, closed),
        number(due, closed, Incident.closed_at <= Incident.due_at),
        number(due, ~closed, past),
        number(closed),
        number(closed_in("community")),
        number(closed_in("street")),
        number(Incident.accepted_at.is_not(None), Incident.whistles > 0),
        maintain_column_froms=True,
    )


def _figures(code: str | None, name: str | None, row: tuple) -> Figures:
    counts = dict(zip(COUNTS, map(int, row), strict=True))
    return Figures(code, name, counts, {each: rate(each, counts) for each in RATES})


@dataclass(frozen=True)
class Hotspots:
    """The class of every unit, and the card that says how it was found."""

    units: pd.DataFrame  # by code: count, z, p, q, klass (-3 … 3)
    card: dict[str, object]


def hotspots(session: Session, actor: Actor, level: str, search: Search) -> Hotspots:
    """Return the Getis-Ord Gi* class of every visible unit of a level, on the period's last map."""
    column = LEVEL_COLUMN[level if level in COVERAGES else "micro_grid"]
    at = search.until or clock.today()
    frame = hierarchy.frame(session, level, at, actor).set_index("code")
    rows = session.execute(
        matching(session, actor, search)
        .where(Incident.state.not_in(OUT))
        .with_only_columns(column, func.count())
        .group_by(column)
    )
    counts = pd.Series(dict(tuple(row) for row in rows), dtype=float).reindex(frame.index, fill_value=0.0)
    if len(frame) < 3:
        return Hotspots(pd.DataFrame(columns=["count", "z", "p", "q", "klass"]), {})
    weights = matrix(frame, "queen")
    found = getis_ord(counts, weights)
    card = method(weights) | {
        "level": level, "since": search.since, "until": search.until, 
        "incidents": int(counts.sum()), "hot": int((found["klass"] > 0).sum()),
        "cold": int((found["klass"] < 0).sum()), "as_of": at,
    }  # fmt: skip
    return Hotspots(found.assign(count=counts.astype(int)), card)


def unit_counts(session: Session, actor: Actor, level: str, search: Search) -> dict[str, int]:
    """Return how many of the incidents found lie in each unit of a level, for colouring it."""
    column = LEVEL_COLUMN[hierarchy.known_level(level)]
    rows = session.execute(
        matching(session, actor, search)
        .with_only_columns(column, func.count())
        .where(column.is_not(None))
        .group_by(column)
    )
    return dict(tuple(row) for row in rows)
