"""Reading the yearly notice and worked hours; what a table of days changes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time, timedelta

from gridmgr.calendar.model import (
    BadHours,
    DayKind,
    DayTwice,
    Differences,
    EndsBeforeItBegins,
    NotAKind,
    NoWeekdays,
    RangeTooLong,
    WorkedAlready,
)
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


def errors(rows: Iterable[Row], weekdays: Mapping[str, Iterable[int]]) -> Iterator[SheetError]:
    """Yield what only other rows, or the week of the area, show to be wrong."""
    seen: dict[tuple[date, str], DayKind] = {}
    for row in rows:
        week = set(weekdays.get(row["code"], weekdays[""]))
        for each in row["days"]:
            known = seen.setdefault((each, row["code"]), row["kind"])
            if known is not row["kind"]:
                yield row.error("days", DayTwice())
                break
            if row["kind"] is DayKind.MAKEUP and each.weekday() in week:
                yield row.error("days", WorkedAlready())
                break


def differences(
    before: Mapping[tuple[date, str], tuple[str, str]], after: Mapping[tuple[date, str], tuple[str, str]]
) -> Differences:
    """Return what changes from one calendar to another, each (day, area) → (kind, name)."""
    rows = tuple(
        (day, code, before.get((day, code), (None,))[0], after.get((day, code), (None,))[0])
        for day, code in sorted({*before, *after})
        if before.get((day, code)) != after.get((day, code))
    )
    return Differences(
        added=sum(old is None for _, _, old, _ in rows),
        changed=sum(old is not None and new is not None for _, _, old, new in rows),
        removed=sum(new is None for _, _, _, new in rows),
        rows=rows,
    )


def spans_of(text: str) -> list[list[str]]:
    """Read worked hours: 09:00-12:00, 14:00-18:00. A shift past midnight is written as two spans.

    Raises
    ------
    BadHours
        A time is none, a span ends before it begins, or spans overlap; or there is none.
    """
    plain = text.replace("：", ":").replace("，", ",").replace("、", ",").replace("－", "-").replace("~", "-")
    spans = []
    for part in filter(None, (each.strip() for each in plain.split(","))):
        match = re.fullmatch(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)", part)
        if not match:
            raise BadHours(text=text)
        begin, end = (int(match[1]), int(match[2])), (int(match[3]), int(match[4]))
        if begin >= end or end > (24, 0) or begin[1] > 59 or end[1] > 59:
            raise BadHours(text=text)
        if spans and spans[-1][1] > f"{begin[0]:02}:{begin[1]:02}":
            raise BadHours(text=text)
        spans.append([f"{begin[0]:02}:{begin[1]:02}", f"{end[0]:02}:{end[1]:02}"])
    if not spans:
        raise BadHours(text=text)
    return spans


def week_of(days: Iterable[int]) -> list[int]:
    """Return days of the week in order, 0 for Monday.

    Raises
    ------
    NoWeekdays
    """
    found = sorted({int(day) for day in days if 0 <= int(day) <= 6})
    if not found:
        raise NoWeekdays
    return found


def times(spans: Sequence[Sequence[str]]) -> tuple[tuple[time, time], ...]:
    """Return stored spans as times of the day; 24:00 is the last moment of it."""
    return tuple((_time(begin), _time(end)) for begin, end in spans)


def _time(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)
