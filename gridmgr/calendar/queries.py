"""Reads of the calendar: the one of an area, when a limit ends by it, its days and hours as they are kept."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, Float, Integer, case, cast, extract, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.model import NoSuchArea
from gridmgr.calendar import rules
from gridmgr.calendar.model import BadAmount, DayKind, SpecialDay, WorkedHours
from gridmgr.clock import FIRST_DAY, LAST_DAY, BeyondCalendar, NoWorkedTime, TimeUnit, WorkingCalendar
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.kept import kept

MOST_AMOUNT = 1000  # of hours or days, in one limit


@dataclass(frozen=True)
class _Rules:
    """All hours and days there are, and the calendars made of them so far: by unit, and by areas around it."""

    hours: list[WorkedHours]
    days: list[SpecialDay]
    of_unit: dict[str, WorkingCalendar]
    of_areas: dict[frozenset[str], WorkingCalendar]


def _read(session: Session) -> _Rules:
    return _Rules(hours(session), days(session), {}, {})


def calendar_for(session: Session, code: str = "") -> WorkingCalendar:
    """Return the working calendar of a unit: hours and days of all its prefixes, the longer the stronger.

    Units with the same rules share one calendar.
    """
    found = kept(session, "calendar", _read)
    if code not in found.of_unit:
        found.of_unit[code] = _shared(found, code)
    return found.of_unit[code]


def _shared(found: _Rules, code: str) -> WorkingCalendar:
    areas = frozenset(each.code for each in (*found.hours, *found.days) if code.startswith(each.code))
    if areas not in found.of_areas:
        own = [each for each in found.days if each.code in areas]
        found.of_areas[areas] = _calendar(code, found.hours, own)
    return found.of_areas[areas]


def _calendar(code: str, kept: Sequence[WorkedHours], days: list[SpecialDay]) -> WorkingCalendar:
    """An area's own day stands against the district's."""
    kinds = {each.day: each.kind for each in sorted(days, key=lambda each: len(each.code))}
    of_kind = {kind: frozenset(day for day, each in kinds.items() if each == kind) for kind in DayKind}
    found = WorkingCalendar(
        clock.zone(),
        weeks=rules.weeks(kept, code),
        holidays=of_kind[DayKind.HOLIDAY],
        makeup_days=of_kind[DayKind.MAKEUP],
    )
    return _same(found)


@lru_cache(maxsize=64)
def _same(calendar: WorkingCalendar) -> WorkingCalendar:
    """Return the first of equal calendars: what has been counted by it is found again at once."""
    return calendar


def due(session: Session, code: str, amount: float, unit: TimeUnit, since: datetime) -> datetime:
    """Return when a limit ends that begins at an instant in an area; the empty code is the whole district.

    Raises
    ------
    NoSuchArea, BadAmount, BeyondCalendar, NoWorkedTime
    """
    known(session, code)
    if not 0 < amount <= MOST_AMOUNT:
        raise BadAmount(value=f"{amount:.12g}", most=MOST_AMOUNT)
    if not FIRST_DAY.year < since.year < LAST_DAY.year:
        raise BeyondCalendar(most=clock.MOST_YEARS)
    return calendar_for(session, code).due(since, amount, unit)


def horizons(session: Session, amount: float, unit: TimeUnit) -> dict[str, datetime]:
    """Return by area when a limit that begins now ends: for the whole district, and each with rules of its own.

    Of an area for which no such limit ends, nothing is told.
    """
    ends = {}
    found = kept(session, "calendar", _read)
    for code in {"", *(each.code for each in (*found.hours, *found.days))}:
        with suppress(BeyondCalendar, NoWorkedTime):
            ends[code] = calendar_for(session, code).due(clock.now(), amount, unit)
    return ends


def worked_between(
    session: Session, home: ColumnElement[str], begin: ColumnElement, end: ColumnElement, first: datetime
) -> ColumnElement[float]:
    """Return as SQL how many seconds were worked between two instants of a row, by the calendar of its own area.

    `home` is the code of the area; nothing in the rows is earlier than the year of `first`, or later than now.
    Each calendar goes along as two arrays, in which PostgreSQL searches for the last turn before an instant.
    """
    found = kept(session, "calendar", _read)
    codes = {each.code for each in (*found.hours, *found.days)} - {""}
    usual = _worked(calendar_for(session), begin, end, first)
    own = [
        (home.startswith(code, autoescape=True), _worked(calendar_for(session, code), begin, end, first))
        for code in sorted(codes, key=len, reverse=True)
    ]
    return case(*own, else_=usual) if own else usual


def _worked(
    calendar: WorkingCalendar, begin: ColumnElement, end: ColumnElement, first: datetime
) -> ColumnElement[float]:
    turns = calendar.turns(first, clock.now())
    arrays = select(
        cast([at.timestamp() for at, _worked in turns], ARRAY(Float)).label("at"),
        cast([worked.total_seconds() for _at, worked in turns], ARRAY(Float)).label("worked"),
    ).cte()
    instants, worked = (select(arrays.c[name]).scalar_subquery() for name in ("at", "worked"))

    def until(instant: ColumnElement) -> ColumnElement[float]:
        seconds = extract("epoch", instant).cast(Float)
        turn = func.width_bucket(seconds, instants, type_=Integer)
        return func.coalesce(worked[turn] + (turn % 2) * (seconds - instants[turn]), 0.0)

    return until(end) - until(begin)


def known(session: Session, code: str) -> None:
    """Refuse an area that no unit's code begins with.

    Raises
    ------
    NoSuchArea
    """
    if code and hierarchy.without_units(session, [code]):
        raise NoSuchArea(code=code)


def hours(session: Session) -> list[WorkedHours]:
    """Return the worked hours by area and first day; the usual ones of the whole district come first."""
    found = list(session.scalars(select(WorkedHours).order_by(WorkedHours.code, WorkedHours.first_day)))
    if any((each.code, each.first_day) == ("", FIRST_DAY) for each in found):
        return found
    spans = [list(span) for span in rules.USUAL_SPANS]
    return [WorkedHours(code="", first_day=FIRST_DAY, weekdays=list(rules.USUAL_WEEK), spans=spans), *found]


def days(session: Session, year: int | None = None) -> list[SpecialDay]:
    """Return the special days of a year, or of all years, in order."""
    asked = select(SpecialDay).order_by(SpecialDay.day, SpecialDay.code)
    if year is not None:
        asked = asked.where(extract("year", SpecialDay.day) == year)
    return list(session.scalars(asked))


def by_day(session: Session, years: Iterable[int]) -> dict[tuple[date, str], tuple[str, str]]:
    """Return (day, area) → (kind, name) of the special days of some years."""
    asked = select(SpecialDay).where(extract("year", SpecialDay.day).in_(set(years)))
    return {(each.day, each.code): (each.kind, each.name) for each in session.scalars(asked)}
