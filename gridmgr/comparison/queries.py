"""Reads of comparisons: every number comes from the cases as they stood at the end of its period."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.comparison import rules
from gridmgr.comparison.model import Basis, Comparison, Measure, OneEdition, Period, Side
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import Edition, GridUnit, Lineage
from gridmgr.life.rules import CLOSED, OPEN
from gridmgr.past import queries as past
from gridmgr.timeline.queries import lasting


def periods(
    session: Session, actor: Actor, search: Search, first: Period, second: Period, level: str = "community",
    measure: Measure = Measure.REPORTED, basis: Basis = Basis.WAS,
) -> Comparison:  # fmt: skip
    """Compare two periods, each on the units of its last day, or both on those of the later one.

    Rule: field.md §5, figures across a change of borders are given both "as was" and "as now".

    Raises
    ------
    EndsBeforeItBegins, NotYet, NoEdition, UnknownLevel, NotOfThePast
    """
    hierarchy.known_level(level)
    today = clock.today()
    spans = [rules.checked(each, today) for each in (first, second)]
    maps = [hierarchy.edition_at(session, each.until) for each in spans]
    if basis is Basis.NOW:
        maps = [max(maps, key=lambda each: each.effective)] * 2
    sides = [
        _side(session, actor, search, span, at, level, anew=basis is Basis.NOW)
        for span, at in zip(spans, maps, strict=True)
    ]
    return _compared(session, sides, level, measure, basis)


def editions(
    session: Session, actor: Actor, search: Search, period: Period, before: Edition, after: Edition,
    level: str = "micro_grid", measure: Measure = Measure.REPORTED,
) -> Comparison:  # fmt: skip
    """Compare two editions of the grids by the same cases, each located in both by its point; the older one first.

    Raises
    ------
    OneEdition, EndsBeforeItBegins, NotYet, UnknownLevel
    """
    hierarchy.known_level(level)
    if before.id == after.id:
        raise OneEdition(known=before.title)
    period = rules.checked(period, clock.today())
    maps = sorted((before, after), key=lambda each: each.effective)
    sides = [_side(session, actor, search, period, each, level, anew=True) for each in maps]
    rows = _lineage(session, actor, level, *maps)
    named, counted = search.code or "", sides[0].counts.keys() | sides[1].counts.keys()
    fates = rules.fates(row[:3] for row in rows).items()
    changed = {code: fate for code, fate in fates if code.startswith(named) or code in counted}
    return _compared(session, sides, level, measure, Basis.NOW, changed, rules.origins(rows))


def _side(
    session: Session, actor: Actor, search: Search, period: Period, at: Edition, level: str, *, anew: bool
) -> Side:
    """Count a period on the units its cases had then, or `anew` on those of a map, each case by its point."""
    cases = past.cases(session, actor, lasting(search), past.moment(period.until)).c
    counted = _counted(cases, period)
    concerned = or_(*counted.values())
    if not anew:
        code = cases[f"{level}_code"]
        numbers = [func.count().filter(each) for each in counted.values()]
        rows = session.execute(select(code, *numbers).where(concerned).group_by(code))
        found = {row[0]: dict(zip(Measure, map(int, row[1:]), strict=True)) for row in rows}
    else:
        flags = [func.coalesce(each, False) for each in counted.values()]
        rows = session.execute(select(ST_X(cases.geom), ST_Y(cases.geom), *flags).where(concerned)).all()
        found = _located(session, rows, at, level)
    return Side(period, at, found)


def _counted(cases: Mapping[str, ColumnElement], period: Period) -> dict[Measure, ColumnElement[bool]]:
    begin, end = clock.midnight(period.since), past.moment(period.until)
    going = cases.state.in_(OPEN)
    return {
        Measure.REPORTED: cases.reported_at >= begin,
        Measure.CLOSED: and_(cases.state.in_(CLOSED), cases.closed_at >= begin),
        Measure.OPEN: going,
        Measure.LATE: and_(going, cases.due_at < func.coalesce(cases.suspended_at, end)),
    }


def _located(session: Session, rows: Iterable, at: Edition, level: str) -> dict:
    """Return the counts of (lon, lat, flag for each measure) by the unit of a map that holds each point."""
    if not rows:
        return {}
    table = np.array([tuple(row) for row in rows], dtype=object)
    located = hierarchy.locator_of(session, at).locate(table[:, 0].astype(float), table[:, 1].astype(float))
    flags = pd.DataFrame(table[:, 2:].astype(int), columns=list(Measure))
    codes = [code or "" for code in located.codes(level)]
    return {
        code or None: {measure: int(row[measure]) for measure in Measure}
        for code, row in flags.groupby(codes).sum().to_dict("index").items()
    }


def _lineage(session: Session, actor: Actor, level: str, before: Edition, after: Edition) -> list[tuple]:
    """Return what happened to the visible units of a level from one map to the other, in order of time."""
    asked = (
        select(Lineage.kind, Lineage.old_code, Lineage.new_code, Lineage.area_share)
        .join(Edition, Edition.id == Lineage.edition_id)
        .where(
            Lineage.level == level,
            hierarchy.NET,
            Edition.effective > before.effective,
            Edition.effective <= after.effective,
        )
        .order_by(Edition.effective, Lineage.id)
    )
    reached = tuple(actor.scope)
    return [
        tuple(row)
        for row in session.execute(asked)
        if any((row.new_code or row.old_code or "").startswith(each) for each in reached)
    ]


def _compared(
    session: Session, sides: list[Side], level: str, measure: Measure, basis: Basis, changed=None,
    ground=None,
) -> Comparison:  # fmt: skip
    there = tuple(_units(session, level, side) for side in sides)
    rows = rules.paired(*sides, measure, there[0] | there[1], there, changed, ground)
    return Comparison(level, measure, basis, *sides, rows)


def _units(session: Session, level: str, side: Side) -> dict[str, str]:
    """Return the names of all units of a side's map by code."""
    asked = select(GridUnit.code, GridUnit.name).where(
        GridUnit.level == level, hierarchy.valid_at(side.edition.effective)
    )
    return dict(tuple(row) for row in session.execute(asked))
