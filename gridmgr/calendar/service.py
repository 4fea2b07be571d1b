"""Verbs of the calendar: take a notice or a single day, set an area's hours from a day on. They never commit."""

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import delete, func, insert, inspect, select, tuple_
from sqlalchemy.dialects.postgresql import insert as insert_or_leave
from sqlalchemy.orm import Session

from gridmgr.account.model import NoSuchArea
from gridmgr.calendar import queries, rules
from gridmgr.calendar.model import (
    CalendarCorrected,
    DayKind,
    Differences,
    NothingAround,
    SpecialDay,
    UnknownDay,
    UnknownHours,
    WorkedAlready,
    WorkedHours,
)
from gridmgr.clock import LAST_DAY
from gridmgr.events import emit
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import UnitsSucceeded
from gridmgr.sheet import Sheet

DISTRICT = "∅"  # how the empty code is told


def import_days(session: Session, sheet: Sheet) -> Differences:
    """Take a table of days, all or nothing: of each area it names it replaces the years it names.

    Returns what that changes.

    Raises
    ------
    BadSheet
        With every cell that cannot be used; nothing is written.
    """
    _one_by_one(session)
    told = rules.told(sheet.rows)
    before = queries.by_day(session, {day.year for day, _ in told})
    after = rules.replaced(before, told)
    lost = hierarchy.without_units(session, {row["code"] for row in sheet.rows if row["code"]})
    strange = (row.error("code", NoSuchArea(code=row["code"])) for row in sheet.rows if row["code"] in lost)
    sheet.accepted([*strange, *rules.errors(sheet.rows, queries.hours(session), after)])
    found = rules.differences(before, after)
    _write(session, found)
    return found


def set_day(session: Session, day: date, code: str, kind: DayKind, name: str = "") -> Differences:
    """Make one day of an area a holiday or a make-up workday; all others stay.

    Raises
    ------
    NoSuchArea, WorkedAlready
    """
    _one_by_one(session)
    queries.known(session, code)
    before = queries.by_day(session, {day.year})
    if kind is DayKind.MAKEUP and rules.worked_anyway(day, code, queries.hours(session), before):
        raise WorkedAlready
    found = rules.differences(before, before | {(day, code): (kind.value, name)})
    _write(session, found)
    return found


def drop_day(session: Session, day: date, code: str) -> None:
    """Let a day of an area be as the week and the areas around it say.

    Raises
    ------
    UnknownDay
    """
    _one_by_one(session)
    before = queries.by_day(session, {day.year})
    if (day, code) not in before:
        raise UnknownDay(day=day, code=code or DISTRICT)
    _write(
        session, rules.differences(before, {key: each for key, each in before.items() if key != (day, code)})
    )


def _write(session: Session, found: Differences) -> None:
    gone = [(each.day, each.code) for each in found.rows if each.before]
    new = [
        {"day": each.day, "code": each.code, "kind": each.after[0], "name": each.after[1]}
        for each in found.rows
        if each.after
    ]
    if gone:
        session.execute(delete(SpecialDay).where(tuple_(SpecialDay.day, SpecialDay.code).in_(gone)))
    if new:
        session.execute(insert(SpecialDay), new)
    for code in sorted({each.code for each in found.rows}):
        days = [each.day for each in found.rows if each.code == code]
        _corrected(session, code, days[0], days[-1])


def set_hours(
    session: Session, code: str, first_day: date, weekdays: Iterable[str], spans: str
) -> WorkedHours:
    """Set when an area works from a day on, until its next hours begin; the empty code is the whole district.

    Raises
    ------
    NoSuchArea, BadHours, SpansOverlap, BadWeekdays
    """
    return _set(session, code, first_day, rules.week_of(weekdays), rules.spans_of(spans))


def follow_around(session: Session, code: str, first_day: date) -> WorkedHours:
    """Let an area work as the one around it does, from a day on; its own hours stay those of the past.

    Raises
    ------
    NoSuchArea, NothingAround
    """
    if not code:
        raise NothingAround
    return _set(session, code, first_day, [], [])


def _set(
    session: Session, code: str, first_day: date, weekdays: list[int], spans: list[list[str]]
) -> WorkedHours:
    _one_by_one(session)
    queries.known(session, code)
    kept = session.merge(WorkedHours(code=code, first_day=first_day, weekdays=weekdays, spans=spans))
    session.flush()  # the reads that follow see it
    _corrected(session, code, first_day, _last_day(session, code, first_day))
    return kept


def drop_hours(session: Session, code: str, first_day: date) -> None:
    """Take back hours of an area, as if they had never begun: those before them go on.

    Raises
    ------
    UnknownHours
    """
    _one_by_one(session)
    kept = session.get(WorkedHours, (code, first_day))
    if kept is None:
        raise UnknownHours(code=code or DISTRICT, day=first_day)
    session.delete(kept)
    session.flush()
    _corrected(session, code, first_day, _last_day(session, code, first_day))


def follow_units(session: Session, event: UnitsSucceeded) -> None:
    """Let what is new have the hours and days of the unit it is in the place of; who was there keeps its own.

    Past ones too: cases that lie there now were counted by them.
    """
    news: dict[str, list[str]] = {}
    for new, old in event.models.items():
        news.setdefault(old, []).append(new)
    if news:
        _one_by_one(session)
    for table in (WorkedHours, SpecialDay):
        found = session.scalars(select(table).where(table.code.in_(list(news)))).all() if news else []
        rows = [
            {each.key: getattr(row, each.key) for each in inspect(table).columns} | {"code": new}
            for row in found
            for new in news[row.code]
        ]
        if rows:
            session.execute(insert_or_leave(table).on_conflict_do_nothing(), rows)
        for code in sorted({row["code"] for row in rows}):
            _corrected(session, code, event.effective, LAST_DAY)


def _last_day(session: Session, code: str, first_day: date) -> date:
    """Return the last day of hours: the one before the next of the same area begin."""
    later = select(func.min(WorkedHours.first_day)).where(
        WorkedHours.code == code, WorkedHours.first_day > first_day
    )
    following = session.scalar(later)
    return following - timedelta(days=1) if following else LAST_DAY


def _one_by_one(session: Session) -> None:
    """Let whoever else changes the calendar wait until this transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("gridmgr.calendar"))))


def _corrected(session: Session, code: str, first_day: date, last_day: date) -> None:
    emit(session, CalendarCorrected(code, first_day, last_day))
