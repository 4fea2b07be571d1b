"""Wall time and working time. Nothing else in the product reads the time of day.

`now()` is the present instant, or the instant a simulation or a test has travelled to.
A `WorkingCalendar` turns "4 working hours" into a due time (field: 工作时, 工作日, 调休).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from gridmgr.errors import BadInput
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


MOST_YEARS = 100  # within which a limit ends; a longer one is a slip of the pen
_DAY = timedelta(days=1)


class BeyondCalendar(BadInput):
    """This time limit ends more than {most} years later, or in years the calendar does not know."""


class NoWorkedTime(BadInput):
    """The calendar has no worked time for {most} years, so no time limit can end."""


@dataclass(frozen=True)
class Week:
    """How ordinary weeks are worked from a day on: the days (0 is Monday), and spans in minutes of the day.

    A span that ends behind 24:00 is a night's, and belongs to the day it begins on.
    """

    first_day: date = FIRST_DAY
    weekdays: frozenset[int] = frozenset(range(5))
    spans: tuple[tuple[int, int], ...] = ((9 * 60, 12 * 60), (14 * 60, 18 * 60))

    @cached_property
    def day_length(self) -> timedelta:
        """The worked time of one full day."""
        return timedelta(minutes=sum(end - begin for begin, end in self.spans))


@dataclass(frozen=True)
class WorkingCalendar:
    """Which hours of which days are worked; holidays and make-up days override the week in force."""

    zone: ZoneInfo
    weeks: tuple[Week, ...] = (Week(),)  # by their first days; the first holds for all time before, too
    holidays: frozenset[date] = field(default_factory=frozenset)
    makeup_days: frozenset[date] = field(default_factory=frozenset)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.zone, self.weeks, self.holidays, self.makeup_days))  # asked for at every question

    def week_of(self, day: date) -> Week:
        """Return the week in force on a day."""
        return self.weeks[max(bisect_right(self.weeks, day, key=lambda week: week.first_day) - 1, 0)]

    def works_on(self, day: date) -> bool:
        """Tell whether `day` is worked: make-up days first, then holidays, then the week."""
        if day in self.makeup_days:
            return True
        return day not in self.holidays and day.weekday() in self.week_of(day).weekdays

    def due(self, start: datetime, amount: float, unit: TimeUnit) -> datetime:
        """Return the instant at which `amount` of `unit` that begins at `start` has been used up.

        Rule: field handbook, working time; 4 working hours from Friday 16:30 with 9-12 and 14-18
        end Monday 11:30, or Saturday 11:30 when that Saturday is a make-up workday.

        Raises
        ------
        BeyondCalendar, NoWorkedTime
        """
        try:
            if unit is TimeUnit.WORKING_DAYS:
                return self._after_days(start, amount)
            return self.after(start, amount * _HOUR, unit)
        except OverflowError:  # of an amount no calendar can hold
            raise BeyondCalendar(most=MOST_YEARS) from None

    def _after_days(self, start: datetime, days: float) -> datetime:
        """Return when so many working days have been used up, each as long as the week it lies in says."""
        now, *changes = self.weeks
        if changes:
            now = self.week_of(start.astimezone(self.zone).date())
            changes = self.weeks[self.weeks.index(now) + 1 :]
        for later in changes:
            change = datetime.combine(later.first_day, time.min, self.zone)
            done = self.worked(start, change, TimeUnit.WORKING_DAYS) / now.day_length
            if done >= days:
                break
            start, days, now = change, days - done, later
        return self.after(start, days * now.day_length, TimeUnit.WORKING_DAYS)

    def after(self, start: datetime, left: timedelta, unit: TimeUnit) -> datetime:
        """Return the instant at which so much time, counted as the unit is, from `start` on has been used up.

        Raises
        ------
        BeyondCalendar, NoWorkedTime
        """
        if unit is TimeUnit.HOURS:
            return start + left
        start = start.astimezone(UTC)
        spans = _spans(self, start.year)
        wanted = spans.worked_until(start) + left
        if left and wanted <= spans.total:  # as nearly always
            return spans.instant_of(wanted)
        return self._years_after(start, wanted, not left)

    def _years_after(self, start: datetime, wanted: timedelta, next_worked: bool) -> datetime:
        """Return when so much of the year of `start` and of later ones is worked, or when work begins next."""
        worked = False
        for year in range(start.year, start.year + MOST_YEARS):
            spans = _spans(self, year)
            if next_worked and spans.closes and start < spans.closes[-1]:
                return spans.next_worked(start)
            if not next_worked and wanted <= spans.total:
                return spans.instant_of(wanted)
            wanted -= spans.total
            worked = worked or bool(spans.closes)
        raise (BeyondCalendar if worked else NoWorkedTime)(most=MOST_YEARS)

    def worked(self, begin: datetime, end: datetime, unit: TimeUnit) -> timedelta:
        """Return how much time was worked between two instants, none if the end is not behind the beginning.

        Raises
        ------
        BeyondCalendar
        """
        if end <= begin:
            return timedelta()
        if unit is TimeUnit.HOURS:
            return end - begin
        begin, end = begin.astimezone(UTC), end.astimezone(UTC)
        spans = _spans(self, begin.year)
        if begin.year == end.year:
            return spans.worked_until(end) - spans.worked_until(begin)
        whole = sum((_spans(self, year).total for year in range(begin.year, end.year)), timedelta())
        return whole - spans.worked_until(begin) + _spans(self, end.year).worked_until(end)


_HOUR = timedelta(hours=1)


class _Spans:
    """The worked spans of a year in order, and how much is worked before each: every question is a search."""

    def __init__(self, opens: list[datetime], closes: list[datetime]) -> None:
        self.opens, self.closes = opens, closes
        lengths = (close - open_ for open_, close in zip(opens, closes, strict=True))
        self.before = list(accumulate(lengths, initial=timedelta()))  # one more than there are spans
        self.total = self.before[-1]

    def worked_until(self, at: datetime) -> timedelta:
        """Return how much of the year is worked before an instant."""
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


@lru_cache(maxsize=256)
def _spans(calendar: WorkingCalendar, year: int) -> _Spans:
    """Return what is worked in a year of UTC; a span that crosses its border is cut there.

    Spans never overlap: a night before a change of hours may reach into the first morning after it, and
    what a change of summer time leaves out is no time at all.
    """
    if not FIRST_DAY.year <= year < LAST_DAY.year:
        raise BeyondCalendar(most=MOST_YEARS)
    first, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    opens: list[datetime] = []
    closes: list[datetime] = []
    day = first.date() - 3 * _DAY  # for the nights, and the zones of the world
    while day <= last.date():
        if calendar.works_on(day):
            midnight = datetime.combine(day, time.min, calendar.zone)
            for minutes in calendar.week_of(day).spans:
                begin, end = ((midnight + timedelta(minutes=each)).astimezone(UTC) for each in minutes)
                begin, end = max(begin, closes[-1] if closes else first), min(end, last)
                if begin < end:
                    opens.append(begin)
                    closes.append(end)
        day += _DAY
    return _Spans(opens, closes)


def working_calendar() -> WorkingCalendar:
    """Return the calendar in force: weekdays, 9-12 and 14-18 on the district's wall clock."""
    return WorkingCalendar(zone())
