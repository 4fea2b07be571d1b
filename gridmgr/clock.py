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


def midnight(day: date, days: int = 0) -> datetime:
    """Return the instant a day begins in the district's own zone, `days` later."""
    return datetime.combine(day + timedelta(days), time.min, zone())


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
_DAY, _HOUR, _SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
_SECONDS = _DAY // _SECOND


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


@dataclass(frozen=True)
class WorkingCalendar:
    """Which hours of which days are worked; holidays and make-up days override the week in force.

    Worked time is counted in hours, or in days: each worked day is then one day, however long it is worked,
    and a part of it is a part of the day, down to the microsecond.
    """

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
            return self.after(start, amount * (_DAY if unit is TimeUnit.WORKING_DAYS else _HOUR), unit)
        except OverflowError:  # of an amount no calendar can hold
            raise BeyondCalendar(most=MOST_YEARS) from None

    def after(self, start: datetime, left: timedelta, unit: TimeUnit) -> datetime:
        """Return the instant at which so much time, counted as the unit is, from `start` on has been used up.

        Raises
        ------
        BeyondCalendar, NoWorkedTime
        """
        if unit is TimeUnit.HOURS:
            return start + left
        start = start.astimezone(UTC)
        spans = _spans(self, unit, start.year)
        wanted = spans.worked_until(start) + left
        something = left > spans.rounded
        if something and wanted <= spans.most:  # as nearly always
            return spans.instant_of(wanted)
        return self._years_after(start, wanted, unit, not something)

    def _years_after(self, start: datetime, wanted: timedelta, unit: TimeUnit, next_worked: bool) -> datetime:
        """Return when so much of the year of `start` and of later ones is worked, or when work begins next."""
        worked = False
        for year in range(start.year, start.year + MOST_YEARS):
            spans = _spans(self, unit, year)
            if next_worked and spans.closes and start < spans.closes[-1]:
                return spans.next_worked(start)
            if not next_worked and wanted <= spans.most:
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
        spans = _spans(self, unit, begin.year)
        if begin.year == end.year:
            return spans.worked_until(end) - spans.worked_until(begin)
        whole = sum((_spans(self, unit, year).total for year in range(begin.year, end.year)), timedelta())
        return whole - spans.worked_until(begin) + _spans(self, unit, end.year).worked_until(end)

    def turns(self, first: datetime, last: datetime) -> list[tuple[datetime, timedelta]]:
        """Return when work begins, ends, begins, … in the years between two instants, in turn.

        Each stands with how much was worked since the first of these years began: from a beginning to the end
        behind it worked time runs on straight, else it stands still.
        """
        found: list[tuple[datetime, timedelta]] = []
        before = timedelta()
        for year in range(first.astimezone(UTC).year, last.astimezone(UTC).year + 1):
            spans = _spans(self, TimeUnit.WORKING_HOURS, year)
            for n, both in enumerate(zip(spans.opens, spans.closes, strict=True)):
                found += [(at, before + spans.before[n + late]) for late, at in enumerate(both)]
            before += spans.total
        return found


class _Spans:
    """The worked spans of a year in order, and how much is worked before each: every question is a search."""

    rounded = timedelta()  # so much more than is worked in a span still ends with it

    def __init__(self, opens: list[datetime], closes: list[datetime], before: list[timedelta]) -> None:
        self.opens, self.closes = opens, closes
        self.before = before  # one more than there are spans
        self.total, self.most = before[-1], before[-1] + self.rounded

    def worked_until(self, at: datetime) -> timedelta:
        """Return how much of the year is worked before an instant."""
        n = bisect_right(self.closes, at)
        if n == len(self.closes) or at <= self.opens[n]:
            return self.before[n]
        return self._before(n, at)

    def _before(self, n: int, at: datetime) -> timedelta:
        """Return how much is worked before an instant inside a span."""
        return self.before[n] + (at - self.opens[n])

    def instant_of(self, worked: timedelta) -> datetime:
        """Return the first instant before which so much is worked."""
        n = bisect_left(self.before, worked) - 1
        return self.opens[n] + (worked - self.before[n])

    def next_worked(self, at: datetime) -> datetime:
        """Return the instant itself if it is worked, else when work begins next."""
        return max(self.opens[bisect_right(self.closes, at)], at)


class _InDays(_Spans):
    """The same spans counted in worked days; `days` are (number of the day, worked before in it, its seconds).

    Parts of a day are rounded; what they add up to must not reach into the next shift.
    """

    rounded = timedelta(microseconds=50)

    def __init__(
        self, opens: list[datetime], closes: list[datetime], days: list[tuple[int, timedelta, int]]
    ) -> None:
        self.days = days
        ends = [self._part(n, each - opens[n]) for n, each in enumerate(closes)]
        self.first = self._part(0, timedelta()) if days else timedelta()  # of a day cut by the border
        super().__init__(opens, closes, [timedelta(), *(each - self.first for each in ends)])

    def _part(self, n: int, into: timedelta) -> timedelta:
        number, done, length = self.days[n]
        return number * _DAY + (done + into) * _SECONDS // length

    def _before(self, n: int, at: datetime) -> timedelta:
        return self._part(n, at - self.opens[n]) - self.first

    def instant_of(self, worked: timedelta) -> datetime:
        """Return the first instant before which so much is worked."""
        n = bisect_left(self.before, worked - self.rounded) - 1
        number, done, length = self.days[n]
        into = -(-(worked + self.first - number * _DAY) * length // _SECONDS)
        return min(self.opens[n] + (into - done), self.closes[n])


@lru_cache(maxsize=256)
def _spans(calendar: WorkingCalendar, unit: TimeUnit, year: int) -> _Spans:
    """Return what is worked in a year of UTC; a span that crosses its border is cut there."""
    if not FIRST_DAY.year <= year < LAST_DAY.year:
        raise BeyondCalendar(most=MOST_YEARS)
    first, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    opens: list[datetime] = []
    closes: list[datetime] = []
    days = []
    for number, spans in enumerate(_worked_days(calendar, first.date() - 3 * _DAY, last.date() + _DAY)):
        length = sum((end - begin) // _SECOND for begin, end in spans)
        done = timedelta()
        for begin, end in spans:
            if begin < last and end > first:
                opens.append(max(begin, first))
                closes.append(min(end, last))
                days.append((number, done + (opens[-1] - begin), length))
            done += end - begin
    if unit is TimeUnit.WORKING_DAYS:
        return _InDays(opens, closes, days)
    lengths = (close - open_ for open_, close in zip(opens, closes, strict=True))
    return _Spans(opens, closes, list(accumulate(lengths, initial=timedelta())))


def _worked_days(
    calendar: WorkingCalendar, day: date, last: date
) -> Iterator[list[tuple[datetime, datetime]]]:
    """Yield the spans of each day that is worked.

    Spans never overlap: a night before a change of hours may reach into the first morning after it, and
    what a change of summer time leaves out is no time at all.
    """
    free = datetime.min.replace(tzinfo=UTC)  # from when on nobody works yet
    while day <= last:
        if calendar.works_on(day):
            midnight = datetime.combine(day, time.min, calendar.zone)
            spans = []
            for minutes in calendar.week_of(day).spans:
                begin, end = ((midnight + timedelta(minutes=each)).astimezone(UTC) for each in minutes)
                if max(begin, free) < end:
                    spans.append((max(begin, free), end))
                    free = end
            if spans:
                yield spans
        day += _DAY


def working_calendar() -> WorkingCalendar:
    """Return the calendar in force: weekdays, 9-12 and 14-18 on the district's wall clock."""
    return WorkingCalendar(zone())
