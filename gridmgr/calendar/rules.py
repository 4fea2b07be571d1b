"""Reading the yearly notice and worked hours; what a table of days changes."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from gridmgr.calendar.model import (
    BadHours,
    BadWeekdays,
    Change,
    DayKind,
    DayTwice,
    Differences,
    EndsBeforeItBegins,
    NoSuchMoment,
    NotAKind,
    RangeTooLong,
    SpansOverlap,
    WorkedAlready,
    WorkedHours,
)
from gridmgr.clock import Week
from gridmgr.sheet import Column, Row, SheetError, text
from gridmgr.sheet import day as read_day

KINDS = {
    "holiday": DayKind.HOLIDAY, "放假": DayKind.HOLIDAY, "休": DayKind.HOLIDAY, "节假日": DayKind.HOLIDAY,
    "makeup": DayKind.MAKEUP, "上班": DayKind.MAKEUP, "班": DayKind.MAKEUP, "调休上班": DayKind.MAKEUP,
    "调休": DayKind.MAKEUP, "补班": DayKind.MAKEUP,
}  # fmt: skip
MOST_DAYS = 31  # of one range
USUAL_WEEK = (0, 1, 2, 3, 4)
USUAL_SPANS = (("09:00", "12:00"), ("14:00", "18:00"))


def days_of(cell: str) -> tuple[date, ...]:
    """Read a day, or a range of days: 2026-02-15, 2026年2月15日~2026年2月23日, 2026-02-15 至 2026-02-23.

    Raises
    ------
    NoSuchDay, EndsBeforeItBegins, RangeTooLong
    """
    parts = re.split(r"\s*(?:~|～|至|到|—|–|\.\.)\s*", cell.strip(), maxsplit=1)
    first, *last = map(read_day, parts)
    end = last[0] if last else first
    if end < first:
        raise EndsBeforeItBegins
    if (end - first).days >= MOST_DAYS:
        raise RangeTooLong(most=MOST_DAYS)
    return tuple(first + timedelta(days=n) for n in range((end - first).days + 1))


def kind_of(cell: str) -> DayKind:
    """Read the kind of a day.

    Raises
    ------
    NotAKind
    """
    found = KINDS.get(cell.strip().casefold())
    if found is None:
        raise NotAKind(kind=cell.strip(), known=", ".join(KINDS))
    return found


DAYS = {
    "days": Column(("日期", "date", "day"), days_of),
    "kind": Column(("类型", "类别", "安排", "kind"), kind_of),
    "name": Column(("名称", "节日", "name"), text(64), default=""),
    "code": Column(("辖区编码", "辖区", "area", "code"), text(32), default=""),
}
"""The columns of a notice of holidays."""


Days = Mapping[tuple[date, str], tuple[str, str]]  # (day, area) → (kind, name)


def told(rows: Iterable[Row]) -> dict[tuple[date, str], tuple[str, str]]:
    """Return the special days a table tells of."""
    return {(day, row["code"]): (row["kind"].value, row["name"]) for row in rows for day in row["days"]}


def replaced(before: Days, told: Days) -> Days:
    """Return what stands after a table has been taken: of each area it names, it replaces the years it names.

    A notice that begins with the last days of December is that of the next year and leaves the rest of the
    old one alone (field: the notice of 2023 begins on 31 December 2022).
    """
    named = {(code, day.year) for day, code in told}
    whole = {
        (code, year)
        for code, year in named
        if (code, year + 1) not in named
        or any(each == code and day.year == year and day.month < 12 for day, each in told)
    }
    kept = {key: value for key, value in before.items() if (key[1], key[0].year) not in whole}
    return kept | dict(told)


def errors(rows: Iterable[Row], hours: Sequence[WorkedHours], days: Days) -> Iterator[SheetError]:
    """Yield what only other rows, or the calendar the table leads to (`days`), show to be wrong."""
    seen: dict[tuple[date, str], DayKind] = {}
    for row in rows:
        for day in row["days"]:
            known = seen.setdefault((day, row["code"]), row["kind"])
            if known is not row["kind"]:
                yield row.error("days", DayTwice())
                break
            if row["kind"] is DayKind.MAKEUP and worked_anyway(day, row["code"], hours, days):
                yield row.error("days", WorkedAlready())
                break


def worked_anyway(day: date, code: str, hours: Sequence[WorkedHours], days: Days) -> bool:
    """Tell whether an area's week works on a day that no area around it keeps as a holiday."""
    around = (days.get((day, code[:length])) for length in reversed(range(len(code))))
    kind = next((each[0] for each in around if each), None)
    return kind != DayKind.HOLIDAY and day.weekday() in in_force(hours, code, day).weekdays


def differences(before: Days, after: Days) -> Differences:
    """Return what changes from one calendar to another."""
    keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    return Differences(
        tuple(Change(day, code, before.get((day, code)), after.get((day, code))) for day, code in keys)
    )


def in_force(hours: Iterable[WorkedHours], code: str, day: date) -> WorkedHours:
    """Return the hours a unit works by on a day: of each of its areas the last begun, of these the narrowest.

    Those of the whole district have always begun.
    """
    begun = (each for each in hours if each.first_day <= day and code.startswith(each.code))
    last = {each.code: each for each in sorted(begun, key=lambda each: each.first_day)}
    return max((each for each in last.values() if each.spans), key=lambda each: len(each.code))


def weeks(hours: Sequence[WorkedHours], code: str) -> tuple[Week, ...]:
    """Return the weeks a unit works by, one after the other."""
    days = sorted({each.first_day for each in hours if code.startswith(each.code)})
    found = ((day, in_force(hours, code, day)) for day in days)
    return tuple(Week(day, frozenset(each.weekdays), minutes(each.spans)) for day, each in found)


_SPAN = re.compile(r"(\d{1,2}):([0-5]\d)\s*[-~–—至到]\s*(\d{1,2}):([0-5]\d)")
_WHOLE_DAY, LONGEST_NIGHT = 24 * 60, 16 * 60  # minutes; a longer span past midnight has its ends swapped


def spans_of(text: str) -> list[list[str]]:
    """Read worked hours: 09:00-12:00, 14:00-18:00; 22:00-06:00 ends on the next day.

    Raises
    ------
    BadHours
        A time is none, or a span is nothing or longer than a night; or there is none.
    SpansOverlap
        Also with those of the next day.
    """
    spans = []
    for part in filter(None, re.split(r"\s*[,、;]\s*", unicodedata.normalize("NFKC", text).strip())):
        match = _SPAN.fullmatch(part)
        if not match:
            raise BadHours(text=text)
        numbers = [int(each) for each in match.groups()]
        begin, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
        if begin >= _WHOLE_DAY or end > _WHOLE_DAY or begin == end:
            raise BadHours(text=text)
        if end < begin:
            end += _WHOLE_DAY
            if end - begin > LONGEST_NIGHT:
                raise BadHours(text=text)
        spans.append((begin, end))
    if not spans:
        raise BadHours(text=text)
    spans.sort()
    tomorrow = (spans[0][0] + _WHOLE_DAY, spans[0][1] + _WHOLE_DAY)
    for one, next_one in pairwise([*spans, tomorrow]):
        if one[1] > next_one[0]:
            raise SpansOverlap(first=_said(one), second=_said(next_one))
    return [_said(each).split("-") for each in spans]


def _said(span: tuple[int, int]) -> str:
    """Return a span as it is written; midnight is the end of its day, and the beginning of the next."""
    begin, end = span[0] % _WHOLE_DAY, (span[1] - 1) % _WHOLE_DAY + 1
    return f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


def minutes(spans: Iterable[Sequence[str]]) -> tuple[tuple[int, int], ...]:
    """Return stored spans in minutes of the day they begin on."""
    read = (
        [int(hour) * 60 + int(minute) for hour, minute in (at.split(":") for at in span)] for span in spans
    )
    return tuple((begin, end if end > begin else end + _WHOLE_DAY) for begin, end in read)


def instant(typed: str, zone: ZoneInfo) -> datetime:
    """Read a day and a time of the district's clock: 2026-02-15 16:30.

    Raises
    ------
    NoSuchMoment
    """
    try:
        found = datetime.fromisoformat(unicodedata.normalize("NFKC", typed).strip())
    except ValueError:
        raise NoSuchMoment(value=typed) from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def week_of(days: Iterable[str]) -> list[int]:
    """Read days of the week as people count them, 1 for Monday; returns them as Python does, 0 for Monday.

    Raises
    ------
    BadWeekdays
    """
    given = [each.strip() for each in days]
    if not given or not all(each in ("1", "2", "3", "4", "5", "6", "7") for each in given):
        raise BadWeekdays(text=", ".join(given))
    return sorted({int(each) - 1 for each in given})
