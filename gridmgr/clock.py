"""Wall time and working time. Nothing else in the product reads the time of day.

`now()` is the present instant, or the instant a simulation or a test has travelled to.
A `WorkingCalendar` turns "4 working hours" into a due time (field: 工作时, 工作日, 调休).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from gridmgr.settings import settings

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)  # beyond them it is a slip of the pen

_travelled: ContextVar[datetime | None] = ContextVar("travelled", default=None)


def now() -> datetime:
    """Return the present instant in UTC, or the one `travel` has set."""
    return _travelled.get() or datetime.now(UTC)


def travelled() -> datetime | None:
    """Return the instant `travel` has set, None in the present."""
    return _travelled.get()


def replaying() -> bool:
    """Tell whether the clock stands more than a day back: what happens then is history, no news to anybody."""
    instant = _travelled.get()
    return instant is not None and instant < datetime.now(UTC) - timedelta(days=1)


def today() -> date:
    """Return the present day in the district's own zone."""
    return local(now()).date()


def zone() -> ZoneInfo:
    """Return the district's time zone."""
    return ZoneInfo(settings().time_zone)


def local(instant: datetime) -> datetime:
    """Return the instant on the district's wall clock."""
    return instant.astimezone(zone())


@contextmanager
def travel(instant: datetime) -> Iterator[None]:
    """Let `now()` answer `instant` inside the block; for simulations and tests."""
    token = _travelled.set(instant)
    try:
        yield
    finally:
        _travelled.reset(token)


class TimeUnit(StrEnum):
    """How a time limit is counted."""

    WORKING_HOURS = "working_hours"  # 工作时
    WORKING_DAYS = "working_days"  # 工作日
    HOURS = "hours"  # running hours, for emergencies


@dataclass(frozen=True)
class WorkingCalendar:
    """Which hours of which days are worked; holidays and make-up days override the week."""

    zone: ZoneInfo
    hours: tuple[tuple[time, time], ...] = ((time(9), time(12)), (time(14), time(18)))
    weekdays: frozenset[int] = frozenset(range(5))
    holidays: frozenset[date] = field(default_factory=frozenset)
    makeup_days: frozenset[date] = field(default_factory=frozenset)

    def works_on(self, day: date) -> bool:
        """Tell whether `day` is worked: make-up days first, then holidays, then the week."""
        if day in self.makeup_days:
            return True
        return day not in self.holidays and day.weekday() in self.weekdays

    @property
    def day_length(self) -> timedelta:
        """The worked time of one full day."""
        return sum((_span(*hours) for hours in self.hours), timedelta())

    def length(self, amount: float, unit: TimeUnit) -> timedelta:
        """Return how much time an amount of a unit is: of worked time, or of running time for hours."""
        return amount * (self.day_length if unit is TimeUnit.WORKING_DAYS else timedelta(hours=1))

    def due(self, start: datetime, amount: float, unit: TimeUnit) -> datetime:
        """Return the instant at which `amount` of `unit` that begins at `start` has been used up.

        Rule: field handbook, working time; 4 working hours from Friday 16:30 with 9-12 and 14-18
        end Monday 11:30, or Saturday 11:30 when that Saturday is a make-up workday.
        """
        return self.after(start, self.length(amount, unit), unit)

    def after(self, start: datetime, left: timedelta, unit: TimeUnit) -> datetime:
        """Return the instant at which so much time, counted as the unit is, from `start` on has been used up."""
        if unit is TimeUnit.HOURS:
            return start + left
        start, years = start.astimezone(UTC), 1
        while True:
            spans = _spans(self, start.year, start.year + years)
            wanted = spans.worked_until(start) + left
            if wanted < spans.total:
                return spans.instant_of(wanted) if left else spans.next_worked(start)
            years *= 2  # a limit of years

    def worked(self, begin: datetime, end: datetime, unit: TimeUnit) -> timedelta:
        """Return how much time was worked between two instants, none if the end is not behind the beginning."""
        if end <= begin:
            return timedelta()
        if unit is TimeUnit.HOURS:
            return end - begin
        begin, end = begin.astimezone(UTC), end.astimezone(UTC)
        spans = _spans(self, begin.year, max(end.year, begin.year + 1))
        return spans.worked_until(end) - spans.worked_until(begin)


class _Spans:
    """The worked spans of some years in order, and how much is worked before each: every question is a search."""

    def __init__(self, spans: Iterable[tuple[datetime, datetime]]) -> None:
        self.opens, self.closes = (list(each) for each in zip(*spans, strict=True))
        lengths = (closes - opens for opens, closes in zip(self.opens, self.closes, strict=True))
        self.before = list(accumulate(lengths, initial=timedelta()))  # one more than there are spans
        self.total = self.before[-1]

    def worked_until(self, at: datetime) -> timedelta:
        """Return how much is worked before an instant."""
        n = bisect_right(self.closes, at)
        if n == len(self.closes) or at <= self.opens[n]:
            return self.before[n]
        return self.before[n] + (at - self.opens[n])

    def instant_of(self, worked: timedelta) -> datetime:
        """Return the first instant before which so much is worked."""
        n = bisect_left(self.before, worked) - 1
        return self.opens[n] + (worked - self.before[n])

    def next_worked(self, at: datetime) -> datetime:
        """Return the instant itself if it is worked, else when work begins next."""
        return max(self.opens[bisect_right(self.closes, at)], at)


@lru_cache(maxsize=64)
def _spans(calendar: WorkingCalendar, first: int, last: int) -> _Spans:
    """Return the worked spans of the years, with a day on each side for the zones of the world."""
    day, end = date(first, 1, 1) - timedelta(days=1), date(last, 12, 31) + timedelta(days=1)
    found = []
    while day <= end:
        if calendar.works_on(day):
            for opens, closes in calendar.hours:
                moments = (datetime.combine(day, moment, calendar.zone) for moment in (opens, closes))
                found.append(tuple(moment.astimezone(UTC) for moment in moments))
        day += timedelta(days=1)
    return _Spans(found)


def _span(begin: time, end: time) -> timedelta:
    return datetime.combine(date.min, end) - datetime.combine(date.min, begin)


def working_calendar() -> WorkingCalendar:
    """Return the calendar in force: weekdays, 9-12 and 14-18 on the district's wall clock."""
    return WorkingCalendar(zone())
