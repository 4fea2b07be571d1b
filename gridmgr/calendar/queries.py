"""Reads of the calendar: the one of an area, and its days and hours as they are kept."""

from collections.abc import Hashable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import extract, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.calendar import rules
from gridmgr.calendar.model import DayKind, SpecialDay, WorkedHours
from gridmgr.clock import WorkingCalendar


def calendar_for(session: Session, code: str = "") -> WorkingCalendar:
    """Return the working calendar of a unit: the hours of the longest prefix, the days of all its prefixes.

    The tables are read once in a session; units with the same rules share one calendar.
    """
    read: dict[Hashable, Any] = session.info.setdefault("calendars", {})
    if code not in read:
        read[code] = _shared(session, code, read)
    return read[code]


def _shared(session: Session, code: str, read: dict[Hashable, Any]) -> WorkingCalendar:
    if None not in read:
        read[None] = (hours(session), list(session.scalars(select(SpecialDay))))
    spans, days = read[None]
    prefixes = {code[:length] for length in range(len(code) + 1)}
    own = max((each for each in spans if each in prefixes), key=len)
    areas = frozenset(each.code for each in days if each.code in prefixes)
    if (own, areas) not in read:
        read[own, areas] = _calendar(spans[own], [each for each in days if each.code in areas])
    return read[own, areas]


def _calendar(kept: WorkedHours, days: list[SpecialDay]) -> WorkingCalendar:
    """The longer the prefix, the stronger: an area's own day stands against the district's."""
    kinds = {each.day: each.kind for each in sorted(days, key=lambda each: len(each.code))}
    of_kind = {kind: frozenset(day for day, each in kinds.items() if each == kind) for kind in DayKind}
    return WorkingCalendar(
        clock.zone(),
        hours=rules.times(kept.spans),
        weekdays=frozenset(kept.weekdays),
        holidays=of_kind[DayKind.HOLIDAY],
        makeup_days=of_kind[DayKind.MAKEUP],
    )


def hours(session: Session) -> Mapping[str, WorkedHours]:
    """Return the worked hours by area; those of the whole district ('') are always there."""
    found = {each.code: each for each in session.scalars(select(WorkedHours).order_by(WorkedHours.code))}
    usual = WorkedHours(
        code="", weekdays=list(rules.USUAL_WEEK), spans=[list(span) for span in rules.USUAL_SPANS]
    )
    return {"": usual} | found


def days(session: Session, year: int | None = None) -> list[SpecialDay]:
    """Return the special days of a year, or of all years, in order."""
    asked = select(SpecialDay).order_by(SpecialDay.day, SpecialDay.code)
    if year is not None:
        asked = asked.where(extract("year", SpecialDay.day) == year)
    return list(session.scalars(asked))


def kept(session: Session, years: set[int]) -> dict[tuple[date, str], tuple[str, str]]:
    """Return (day, area) → (kind, name) of the special days of some years."""
    asked = select(SpecialDay).where(extract("year", SpecialDay.day).in_(years))
    return {(each.day, each.code): (each.kind, each.name) for each in session.scalars(asked)}
