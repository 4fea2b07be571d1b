"""Verbs of the calendar: take the yearly notice, set an area's hours, take a day back. They never commit."""

from collections.abc import Callable, Iterable

from sqlalchemy import delete, extract, insert
from sqlalchemy.orm import Session

from gridmgr.account.model import NoSuchArea
from gridmgr.calendar import queries, rules
from gridmgr.calendar.model import (
    CalendarCorrected,
    Differences,
    SpecialDay,
    UnknownDay,
    UnknownHours,
    WorkedHours,
)
from gridmgr.events import emit
from gridmgr.sheet import Sheet


def import_days(
    session: Session, sheet: Sheet, areas: Callable[[Iterable[str]], Iterable[str]]
) -> Differences:
    """Make a table the calendar of the years it tells of, all or nothing; returns what that changes.

    `areas` returns those of the code prefixes that no unit's code begins with.

    Raises
    ------
    BadSheet
        With every cell that cannot be used; nothing is written.
    """
    weekdays = {code: each.weekdays for code, each in queries.hours(session).items()}
    lost = set(areas({row["code"] for row in sheet.rows if row["code"]}))
    strange = (row.error("code", NoSuchArea(code=row["code"])) for row in sheet.rows if row["code"] in lost)
    rows = sheet.accepted([*strange, *rules.errors(sheet.rows, weekdays)])
    after = {(day, row["code"]): (row["kind"].value, row["name"]) for row in rows for day in row["days"]}
    years = {day.year for day, _ in after}
    found = rules.differences(queries.kept(session, years), after)
    session.execute(delete(SpecialDay).where(extract("year", SpecialDay.day).in_(years)))
    session.execute(
        insert(SpecialDay),
        [
            {"day": day, "code": code, "kind": kind, "name": name}
            for (day, code), (kind, name) in after.items()
        ],
    )
    for code in sorted({code for _, code, _, _ in found.rows}):
        _corrected(session, code)
    return found


def set_hours(session: Session, code: str, weekdays: Iterable[int], spans: str) -> WorkedHours:
    """Set when an area works; the empty code is the whole district.

    Raises
    ------
    BadHours, NoWeekdays
    """
    kept = session.merge(
        WorkedHours(code=code, weekdays=rules.week_of(weekdays), spans=rules.spans_of(spans))
    )
    session.flush()  # the reads that follow see it
    _corrected(session, code)
    return kept


def drop_hours(session: Session, code: str) -> None:
    """Let an area work as the one around it does.

    Raises
    ------
    UnknownHours
    """
    kept = session.get(WorkedHours, code)
    if kept is None:
        raise UnknownHours(code=code or "∅")
    session.delete(kept)
    session.flush()
    _corrected(session, code)


def drop_day(session: Session, day, code: str) -> None:
    """Let a day be as the week says.

    Raises
    ------
    UnknownDay
    """
    kept = session.get(SpecialDay, (day, code))
    if kept is None:
        raise UnknownDay(day=day, code=code or "∅")
    session.delete(kept)
    session.flush()
    _corrected(session, code)


def _corrected(session: Session, code: str) -> None:
    session.info.pop("calendars", None)
    emit(session, CalendarCorrected(code))
