"""The numbers of trends, and the cases behind each, of what the actor may see.

Every statement reads the cases of its period alone, by the indexes of reported_at, closed_at, the open ones
(closed_at IS NULL) and occurred_at, and is aggregated by the database: what comes back has as many rows as a
picture has bars. A million cases of ten years cost what the month that is looked at costs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Select,
    String,
    Subquery,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.sql.elements import Grouping

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.calendar import queries as calendars
from gridmgr.casebook.queries import Search, matching
from gridmgr.category import queries as matters
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.life.rules import CLOSED, OUT
from gridmgr.trend import rules
from gridmgr.trend.model import Cell, Kind, NoSuchNumber, Period, Place, Spread, Trend

LATER = "9999-12-31"  # the step of all that happened behind a period
HOUR, DAY = 3600, 86400  # seconds


@dataclass(frozen=True)
class Cut:
    """Cases, and how they are cut: along the axis, and into parts."""

    asked: Select
    at: ColumnElement[str]
    part: ColumnElement[str]


def trend(session: Session, actor: Actor, kind: Kind, search: Search, step: str = "") -> Trend:
    """Return a trend of what the filters find; their first and last day are its period.

    Raises
    ------
    PeriodBackward
    """
    period = rules.period(search.since, search.until, step, clock.today())
    if kind is Kind.ACTIVITY:
        return Trend(kind, period, tuple(_activity(session, actor, search, period)))
    if kind is Kind.FLOW:
        return Trend(kind, period, tuple(_flow(session, actor, search, period)))
    cells = tuple(
        cell
        for series in rules.SERIES[kind]
        for cell in _counted(session, series, _cut(session, actor, kind, series, search, period))
    )
    spreads = tuple(_spreads(session, actor, search, period)) if kind is Kind.HANDLING else ()
    return Trend(kind, period, cells, spreads)


def cases(
    session: Session, actor: Actor, kind: Kind, search: Search, place: Place, size: int, step: str = "",
    behind: int | None = None,
) -> list[Incident]:  # fmt: skip
    """Return one page of the cases behind a number, the last filed first, going on behind an id.

    Raises
    ------
    NoSuchNumber, PeriodBackward
    """
    period = rules.period(search.since, search.until, step, clock.today())
    if place.series not in rules.SERIES[kind]:
        raise NoSuchNumber(kind=kind, series=place.series)
    if kind in (Kind.ACTIVITY, Kind.LOOPS, Kind.LEVELS) and place.at not in _steps(period):
        raise NoSuchNumber(kind=kind, series=place.at)
    asked = _behind(session, actor, kind, search, period, place).order_by(Incident.id.desc()).limit(size)
    return list(session.scalars(asked if behind is None else asked.where(Incident.id < behind)))


def _steps(period: Period) -> set[str | None]:
    return {None, *(day.isoformat() for day in rules.steps(period))}


def _behind(
    session: Session, actor: Actor, kind: Kind, search: Search, period: Period, place: Place
) -> Select:
    if kind is Kind.FLOW:
        moves = _moves(period)
        wanted = select(moves.c.incident_id).where(
            *_same(moves.c.at, place.at), *_same(moves.c.part, place.part)
        )
        return _narrowed(session, actor, search).where(Incident.id.in_(wanted))
    cut = _cut(session, actor, kind, place.series, search, period, place.at)
    at = () if place.series == "open" else _same(cut.at, place.at)
    return cut.asked.where(*at, *_same(cut.part, place.part))


def _same(column: ColumnElement[str], value: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if value is None else (column == value,)


def _narrowed(session: Session, actor: Actor, search: Search) -> Select:
    """Return the cases found whenever they were reported: a trend's period has its own meaning."""
    return matching(session, actor, replace(search, since=None, until=None))


def _counted(session: Session, series: str, cut: Cut) -> Iterable[Cell]:
    table = cut.asked.with_only_columns(
        cut.at.label("at"), cut.part.label("part"), maintain_column_froms=True
    )
    cells = table.subquery()
    asked = select(cells.c.at, cells.c.part, func.count()).group_by(cells.c.at, cells.c.part)
    for at, part, number in session.execute(asked.order_by(cells.c.at, cells.c.part)):
        yield Cell(Place(series, at, part), number)


def _cut(
    session: Session,
    actor: Actor,
    kind: Kind,
    series: str,
    search: Search,
    period: Period,
    at: str | None = None,
) -> Cut:
    """Return how the cases of a series are cut; `at` says at the end of which step open ones are counted."""
    ours = _narrowed(session, actor, search).where(Incident.state.not_in(OUT))
    if kind is Kind.ACTIVITY:
        return _active(session, ours, series, period, at)
    if kind is Kind.AGEING:
        return _aged(ours, series)
    closed = ours.where(*_within(Incident.closed_at, period), Incident.state.in_(CLOSED))
    if kind is Kind.HANDLING:
        taken = closed.where(Incident.accepted_at.is_not(None))
        return Cut(taken, _bar(_hours(session, series, taken), rules.HOURS[series]), _kept())
    part = case((Incident.large_loop, "large"), else_="small")
    if kind is Kind.LEVELS:
        part = case((Incident.large_loop, "departments"), else_=Incident.level)
    return Cut(closed, _step(Incident.closed_at, period), part)


# ---- over time ---------------------------------------------------------------------------------------


def _step(column: InstrumentedAttribute, period: Period) -> ColumnElement[str]:
    """Return the first day of the step an instant lies in, by the district's clock, as text."""
    local = func.timezone(clock.zone().key, column)
    return func.to_char(func.date_trunc(period.step.value, local), "YYYY-MM-DD")


def _within(column: InstrumentedAttribute, period: Period) -> tuple[ColumnElement[bool], ...]:
    return column >= clock.midnight(period.since), column < clock.midnight(period.until, days=1)


def _groups(session: Session) -> ColumnElement[str]:
    """Return the class of a case's category; tables of other years may call the same codes otherwise."""
    ids: dict[str, list[int]] = {}
    for each in matters.by_id(session).values():
        ids.setdefault(each.group_zh, []).append(each.id)
    whens = [(Incident.category_id.in_(sorted(members)), literal(group)) for group, members in ids.items()]
    return case(*whens, else_="") if whens else literal("")


def _active(session: Session, ours: Select, series: str, period: Period, at: str | None) -> Cut:
    group = _groups(session)
    if series == "open":
        end = clock.midnight(rules.bounds(period, at)[1], days=1)
        open_then = ours.where(
            Incident.reported_at < end, or_(Incident.closed_at.is_(None), Incident.closed_at >= end)
        )
        return Cut(open_then, literal(""), group)
    column = Incident.reported_at if series == "reported" else Incident.closed_at
    return Cut(ours.where(*_within(column, period)), _step(column, period), group)


def _activity(session: Session, actor: Actor, search: Search, period: Period) -> Iterable[Cell]:
    """Yield what was reported and closed in each step, and from these what stood open at its end."""
    ours = _narrowed(session, actor, search).where(Incident.state.not_in(OUT))
    end, group = clock.midnight(period.until, days=1), _groups(session)
    numbers: dict[str, dict[tuple[str, str], int]] = {}
    for series, column in (("reported", Incident.reported_at), ("closed", Incident.closed_at)):
        later = case((column >= end, LATER), else_=_step(column, period))
        cut = Cut(ours.where(column >= clock.midnight(period.since)), later, group)
        cells = list(_counted(session, series, cut))
        numbers[series] = {(cell.place.at, cell.place.part): cell.count for cell in cells}
        yield from (cell for cell in cells if cell.place.at != LATER)
    now = {
        cell.place.part: cell.count
        for cell in _counted(
            session, "open", Cut(ours.where(Incident.closed_at.is_(None)), literal(""), group)
        )
    }
    days = [day.isoformat() for day in rules.steps(period)]
    yield from rules.standing_open(now, numbers["reported"], numbers["closed"], days)


# ---- how long ----------------------------------------------------------------------------------------


def _bar(value: ColumnElement[float], ends: Iterable[float]) -> ColumnElement[str]:
    """Return the number of the bar a value falls into, as text; the twin of `rules.bar`."""
    edges = [float(each) for each in ends]
    return cast(func.width_bucket(cast(value, Double), _array(edges)), String)


def _kept() -> ColumnElement[str]:
    return case(
        (Incident.due_at.is_(None), "free"), (Incident.closed_at <= Incident.due_at, "in_time"), else_="late"
    )


def _hours(session: Session, unit: str, taken: Select) -> ColumnElement[float]:
    """Return the hours from acceptance to closing, all of them or those worked in the case's own area."""
    if unit == "running":
        return func.extract("epoch", Incident.closed_at - Incident.accepted_at) / HOUR
    first = session.scalar(taken.with_only_columns(func.min(Incident.accepted_at)))
    if first is None:
        return cast(null(), Double)
    worked = calendars.worked_between(session, Incident.home, Incident.accepted_at, Incident.closed_at, first)
    return worked / HOUR


def _array(numbers: Sequence[float]) -> ColumnElement[Any]:
    """Return numbers as an array of the database, in parentheses, so that it can be asked for one of them."""
    return Grouping(cast(literal(list(numbers), ARRAY(Double)), ARRAY(Double)))


def _spreads(session: Session, actor: Actor, search: Search, period: Period) -> Iterable[Spread]:
    for unit in rules.HOURS:
        cut = _cut(session, actor, Kind.HANDLING, unit, search, period)
        hours = _hours(session, unit, cut.asked)
        table = cut.asked.with_only_columns(
            cast(hours, Double).label("hours"), cut.part.label("part"), maintain_column_froms=True
        ).subquery()
        middle, most = (func.percentile_cont(share).within_group(table.c.hours) for share in (0.5, 0.9))
        limited = func.count().filter(table.c.part != "free")
        within = func.count().filter(table.c.part == "in_time")
        numbers = session.execute(select(func.count(), middle, most, limited, within)).one()
        yield Spread(unit, *numbers)


def _aged(ours: Select, series: str) -> Cut:
    what, part = series.split("_")
    open_ones = ours.where(Incident.closed_at.is_(None))
    by = Incident.level if part == "level" else func.coalesce(Incident.handler, "")
    now = clock.now()
    if what == "age":
        return Cut(open_ones, _bar(_days(now - Incident.reported_at), rules.AGES), by)
    late = Incident.due_at < func.coalesce(Incident.suspended_at, now)
    past = _days(func.coalesce(Incident.suspended_at, now) - Incident.due_at)
    at = case((Incident.due_at.is_(None), "free"), (late, _bar(past, rules.LATENESS)), else_="in_time")
    return Cut(open_ones, at, by)


def _days(length: ColumnElement) -> ColumnElement[float]:
    return func.extract("epoch", length) / DAY


# ---- from state to state -----------------------------------------------------------------------------


def _moves(period: Period) -> Subquery:
    """Return the steps of a period that led to another state: of which case, from where, to where.

    The state before is that of the row before, seen in the same pass; only a case's first row inside the
    period is looked up by its number.
    """
    event, earlier = IncidentEvent, aliased(IncidentEvent)
    row = {"partition_by": event.incident_id, "order_by": event.seq}
    seen = (
        select(
            event.incident_id, event.seq, event.state,
            func.lag(event.seq).over(**row).label("last_seq"), func.lag(event.state).over(**row).label("last"),
        )
        .where(*_within(event.occurred_at, period))
        .subquery()
    )  # fmt: skip
    looked_up = (
        select(earlier.state)
        .where(earlier.incident_id == seen.c.incident_id, earlier.seq == seen.c.seq - 1)
        .scalar_subquery()
    )
    before = case((seen.c.last_seq == seen.c.seq - 1, seen.c.last), else_=looked_up)
    steps = (
        select(seen.c.incident_id, before.label("at"), seen.c.state.label("part"))
        .where(seen.c.seq > 1)
        .subquery()
    )
    return select(steps).where(steps.c.at != steps.c.part).subquery()


def _flow(session: Session, actor: Actor, search: Search, period: Period) -> Iterable[Cell]:
    moves = _moves(period)
    asked = select(moves.c.at, moves.c.part, func.count(), func.count(moves.c.incident_id.distinct()))
    if "" not in actor.scope or replace(search, since=None, until=None).given():
        found = _narrowed(session, actor, search).with_only_columns(Incident.id)
        asked = asked.where(moves.c.incident_id.in_(found))
    for before, after, steps, numbers in session.execute(asked.group_by(moves.c.at, moves.c.part)):
        yield Cell(Place("cases", before, after), numbers)
        yield Cell(Place("moves", before, after), steps)


def group_names(session: Session, language: str) -> dict[str, str]:
    """Return what the classes of categories are called in a language, by their keys in trends."""
    return {each.group_zh: each.group(language) for each in matters.by_id(session).values()}
