"""Reads of grades: as they stand, as they were kept, and the terms they are formed by.

What is read are open cases, those of the days looked at and the reports of patrols, by their indexes, counted by
micro-grid in the database: a few short statements, however many cases there are.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import SYSTEM, Actor
from gridmgr.grading import rules
from gridmgr.grading.model import Grade, Graded, GradedWeek, GridGrade, Reason, Signs
from gridmgr.hierarchy.model import BUILDING, COMMUNITY, MICRO_GRID, GridUnit
from gridmgr.hierarchy.queries import valid_at
from gridmgr.incident.model import Incident
from gridmgr.incident.queries import visible
from gridmgr.life.model import Source
from gridmgr.life.rules import OUT
from gridmgr.terms import queries as dated


def terms(session: Session, at: date | None = None) -> dict[str, float]:
    """Return the terms of grading in force on a day (today)."""
    return dated.in_force(session, rules.MATTER, rules.TERMS, at)


def graded(session: Session, actor: Actor, area: str = "") -> list[Graded]:
    """Return the grades of the micro-grids an actor sees as they stand now, those of an area, the worst first.

    A grade is the same for whoever reads it: it is formed from all cases of the grid, beside all grids.
    """
    now, day = clock.now(), clock.today()
    by, before = terms(session, day), last_kept(session, rules.monday_of(day))
    known = signs(session, now, by)
    middle = rules.middle_rate(known.values(), by)
    asked = select(GridUnit.code).where(
        GridUnit.level == MICRO_GRID, valid_at(day), visible_to(actor, GridUnit.code),
        GridUnit.code.startswith(area, autoescape=True),
    )  # fmt: skip
    found = (rules.grade(known[code], middle, by, before.get(code)) for code in session.scalars(asked))
    return sorted(found, key=lambda each: (-each.points, each.code))


def worst(session: Session, actor: Actor, level: str) -> dict[str, Grade]:
    """Return the worst grade inside each unit of a level that an actor sees; of micro-grids it is their own."""
    found = {each.code: each.grade for each in graded(session, actor)}
    for lower in (MICRO_GRID, COMMUNITY):
        if level in (lower, BUILDING):
            break
        asked = select(GridUnit.code, GridUnit.parent_code).where(
            GridUnit.level == lower, valid_at(clock.today())
        )
        above = dict(tuple(row) for row in session.execute(asked))
        raised: dict[str, Grade] = {}
        for code, grade in found.items():
            if unit := above.get(code):
                raised[unit] = max(grade, raised.get(unit, Grade.GREEN), key=_WORSE.index)
        found = raised
    return found


_WORSE = (Grade.GREEN, Grade.YELLOW, Grade.RED)


def signs(session: Session, at: datetime, by: Mapping[str, float]) -> dict[str, Signs]:
    """Return what is known of every micro-grid at an instant."""
    day = clock.local(at).date()
    asked = select(GridUnit.code, GridUnit.households).where(GridUnit.level == MICRO_GRID, valid_at(day))
    found = {code: Signs(code, households=households) for code, households in session.execute(asked)}
    for counted in (_open(at), _reports(at, by), _repeats(at, by)):
        for code, *numbers in session.execute(counted):
            if code in found:
                names = [column.name for column in counted.selected_columns][1:]
                found[code] = replace(found[code], **dict(zip(names, numbers, strict=True)))
    return _silent(session, at, found)


def _known(at: datetime) -> Select:
    """Return the cases known at an instant, of all there are: grades are not scoped, who reads them is."""
    return visible(SYSTEM).where(
        Incident.reported_at <= at, Incident.state.not_in(OUT), Incident.micro_grid_code.is_not(None)
    )


def _open(at: datetime) -> Select:
    grid, late = Incident.micro_grid_code, Incident.due_at < func.coalesce(Incident.suspended_at, at)
    return (
        _known(at)
        .where(or_(Incident.closed_at.is_(None), Incident.closed_at > at))
        .with_only_columns(
            grid,
            func.count().filter(late).label("overdue"),
            func.count().filter(Incident.severity == 3).label("hazards"),
            func.count().filter(Incident.severity == 2).label("serious"),
        )
        .group_by(grid)
    )


def _recent(at: datetime, days: float) -> Select:
    return _known(at).where(Incident.reported_at > at - timedelta(days=days))


def _reports(at: datetime, by: Mapping[str, float]) -> Select:
    grid = Incident.micro_grid_code
    return _recent(at, by["days"]).with_only_columns(grid, func.count().label("reports")).group_by(grid)


def _repeats(at: datetime, by: Mapping[str, float]) -> Select:
    grid = Incident.micro_grid_code
    places = (
        _recent(at, by["days"])
        .where(Incident.building_code.is_not(None))
        .with_only_columns(grid.label("code"))
        .group_by(grid, Incident.building_code, Incident.category_id)
        .having(func.count() >= by["repeat_least"])
        .subquery()
    )
    return select(places.c.code, func.count().label("repeats")).group_by(places.c.code)


def _silent(session: Session, at: datetime, found: dict[str, Signs]) -> dict[str, Signs]:
    """Return the signs with the days without a report of a patrol, counted from the first report of all."""
    first = session.scalar(select(func.min(Incident.reported_at)))
    if first is None:
        return found
    grid = Incident.micro_grid_code
    asked = _recent(at, rules.LOOK_BACK).where(Incident.source == Source.PATROL)
    last = dict(
        tuple(row)
        for row in session.execute(
            asked.with_only_columns(grid, func.max(Incident.reported_at)).group_by(grid)
        )
    )
    begun = max(first, at - timedelta(days=rules.LOOK_BACK))
    return {
        code: replace(each, silent_days=max(0, (at - last.get(code, begun)).days))
        for code, each in found.items()
    }


# ---- kept weeks --------------------------------------------------------------------------------------


def weeks(session: Session) -> list[GradedWeek]:
    """Return the weeks whose grades were kept, the latest first."""
    return list(session.scalars(select(GradedWeek).order_by(GradedWeek.monday.desc())))


def last_kept(session: Session, before: date) -> dict[str, Grade]:
    """Return the grades of the last week kept before a Monday, by code."""
    monday = session.scalar(select(func.max(GradedWeek.monday)).where(GradedWeek.monday < before))
    rows = session.execute(select(GridGrade.code, GridGrade.grade).where(GridGrade.monday == monday))
    return {code: Grade(grade) for code, grade in rows}


def _seen(actor: Actor, area: str) -> ColumnElement[bool]:
    """Return the condition that a grade kept is of an area, and that an actor sees it."""
    return visible_to(actor, GridGrade.code) & GridGrade.code.startswith(area, autoescape=True)


def weeks_counted(
    session: Session, actor: Actor, area: str = "", most: int = 12
) -> dict[date, dict[Grade, int]]:
    """Return how many micro-grids of an area that an actor sees had each grade in the last weeks kept, by Monday."""
    last = select(GradedWeek.monday).order_by(GradedWeek.monday.desc()).limit(most)
    asked = select(GridGrade.monday, GridGrade.grade, func.count()).where(
        GridGrade.monday.in_(last), _seen(actor, area)
    )
    rows = session.execute(
        asked.group_by(GridGrade.monday, GridGrade.grade).order_by(GridGrade.monday.desc())
    )
    counts: dict[date, dict[Grade, int]] = {}
    for monday, grade, number in rows:
        counts.setdefault(monday, dict.fromkeys(Grade, 0))[Grade(grade)] = number
    return counts


def kept(
    session: Session, actor: Actor, area: str = "", monday: date | None = None, *, size: int,
    after: tuple[date, float, str] | None = None,
) -> list[GridGrade]:  # fmt: skip
    """Return one page of the grades kept of an area that an actor sees, of one week or of all.

    The latest week stands first, in it the worst grade; the page goes on after a grade's Monday, points and code.
    """
    week, points, code = GridGrade.monday, GridGrade.points, GridGrade.code
    asked = select(GridGrade).where(_seen(actor, area))
    if monday is not None:
        asked = asked.where(week == monday)
    if after is not None:
        begun, least, last = after
        behind = or_(points < least, and_(points == least, code > last))
        asked = asked.where(week <= begun, or_(week < begun, behind))
    return list(session.scalars(asked.order_by(week.desc(), points.desc(), code).limit(size)))


def reasons(row: GridGrade) -> list[Reason]:
    """Return the reasons of a grade that was kept."""
    return [Reason(*each) for each in row.reasons]
