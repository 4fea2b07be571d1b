"""Working time, as the field's handbook counts it."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmgr import clock
from gridmgr.clock import BeyondCalendar, NoWorkedTime, TimeUnit, Week, WorkingCalendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEK = Week()
ORDINARY = WorkingCalendar(SHANGHAI)
FRIDAY = datetime(2026, 11, 20, 16, 30, tzinfo=SHANGHAI)
SATURDAY = date(2026, 11, 21)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


def test_four_working_hours_from_friday_half_past_four_end_on_monday():
    assert ORDINARY.due(FRIDAY, 4, TimeUnit.WORKING_HOURS) == at(23, 11, 30)


def test_a_make_up_saturday_is_worked():
    calendar = WorkingCalendar(SHANGHAI, makeup_days=frozenset({SATURDAY}))
    assert calendar.due(FRIDAY, 4, TimeUnit.WORKING_HOURS) == at(21, 11, 30)


def test_a_holiday_monday_is_not():
    calendar = WorkingCalendar(SHANGHAI, holidays=frozenset({date(2026, 11, 23)}))
    assert calendar.due(FRIDAY, 4, TimeUnit.WORKING_HOURS) == at(24, 11, 30)


@pytest.mark.parametrize(
    ("start", "amount", "unit", "due"),
    [
        (at(23, 12, 30), 1, TimeUnit.WORKING_HOURS, at(23, 15)),  # lunch does not count
        (at(23, 17), 2, TimeUnit.WORKING_HOURS, at(24, 10)),  # nor does the night
        (at(23, 10), 2, TimeUnit.WORKING_DAYS, at(25, 10)),
        (at(22, 3), 1, TimeUnit.WORKING_DAYS, at(23, 18)),  # a Sunday report has all of Monday
        (at(21, 23), 4, TimeUnit.HOURS, at(22, 3)),  # emergencies run through
    ],
)
def test_limits(start, amount, unit, due):
    assert ORDINARY.due(start, amount, unit) == due


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.floats(0.1, 60),
    st.floats(0.1, 60),
)
def test_time_used_in_two_parts_is_the_same_time(start, first, second):
    start = start.replace(tzinfo=SHANGHAI)
    whole = ORDINARY.due(start, first + second, TimeUnit.WORKING_HOURS)
    parts = ORDINARY.due(ORDINARY.due(start, first, TimeUnit.WORKING_HOURS), second, TimeUnit.WORKING_HOURS)
    assert abs(whole - parts) < timedelta(milliseconds=1)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.floats(0.1, 200))
def test_a_due_time_is_always_worked(start, hours):
    due = ORDINARY.due(start.replace(tzinfo=SHANGHAI), hours, TimeUnit.WORKING_HOURS).astimezone(SHANGHAI)
    assert ORDINARY.works_on(due.date())
    at = (due - due.replace(hour=0, minute=0, second=0, microsecond=0)) / timedelta(minutes=1)
    assert any(opens < at <= closes for opens, closes in WEEK.spans)


# A part of a day ends on a microsecond of the clock, of which a day has more than it has of work.
ROUNDED = {unit: timedelta() for unit in TimeUnit} | {TimeUnit.WORKING_DAYS: timedelta(microseconds=60)}
NIGHT = ((22 * 60, 30 * 60),)  # 22:00 to 6:00 of the next day


def minutes_worked(calendar: WorkingCalendar, begin: datetime, end: datetime) -> int:
    """Count worked minutes one by one: slow, and plainly right."""
    count, at = 0, begin
    while at < end:
        local = at.astimezone(calendar.zone)
        today, minute = local.date(), local.hour * 60 + local.minute
        count += any(
            calendar.works_on(day) and any(a <= into < b for a, b in calendar.week_of(day).spans)
            for day, into in ((today, minute), (today - timedelta(days=1), minute + 24 * 60))
        )
        at += timedelta(minutes=1)
    return count


DAYS = st.sets(st.dates(date(2026, 12, 20), date(2027, 1, 20)), max_size=6)
WEEKDAYS = st.frozensets(st.integers(0, 6), min_size=1)
SPANS = st.sampled_from([WEEK.spans, NIGHT, ((0, 24 * 60),), ((60, 120), (480, 720), (23 * 60, 24 * 60)),
                         ((6 * 60, 12 * 60), (20 * 60, 29 * 60 + 30))])  # fmt: skip


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    """Return a calendar whose hours may change once or twice around the end of 2026."""
    firsts = sorted(draw(DAYS.map(lambda days: list(days)[:2])))
    weeks = [Week(day, draw(WEEKDAYS), draw(SPANS)) for day in (date(1900, 1, 1), *firsts)]
    return WorkingCalendar(SHANGHAI, tuple(weeks), frozenset(draw(DAYS)), frozenset(draw(DAYS)))


@given(calendars(), st.datetimes(datetime(2026, 12, 20), datetime(2027, 1, 12)), st.integers(0, 20_000))
def test_worked_time_is_what_a_patient_clerk_would_count(calendar, start, minutes):
    start = start.replace(tzinfo=SHANGHAI, second=0, microsecond=0)
    end = start + timedelta(minutes=minutes)
    assert calendar.worked(start, end, TimeUnit.WORKING_HOURS) == timedelta(
        minutes=minutes_worked(calendar, start, end)
    )


MOMENTS = st.datetimes(datetime(2026, 12, 18), datetime(2027, 1, 12)).map(
    lambda at: at.replace(tzinfo=SHANGHAI)
)
AMOUNTS = st.integers(1, 100 * 60).map(lambda minutes: minutes / 60)


@given(calendars(), MOMENTS, AMOUNTS)
def test_what_a_limit_allows_is_what_is_worked_until_it_ends(calendar, start, amount):
    due = calendar.due(start, amount, TimeUnit.WORKING_HOURS)
    assert calendar.worked(start, due, TimeUnit.WORKING_HOURS) == amount * timedelta(hours=1)
    moment = timedelta(microseconds=1)
    assert calendar.worked(start, due - moment, TimeUnit.WORKING_HOURS) < amount * timedelta(hours=1)


@given(calendars(), MOMENTS, st.integers(1, 40).map(lambda halves: halves / 2))
def test_days_are_used_up_one_by_one_whatever_the_hours_become(calendar, start, days):
    due = calendar.due(start, days, TimeUnit.WORKING_DAYS)
    worked = calendar.worked(start, due, TimeUnit.WORKING_DAYS)
    assert abs(worked - timedelta(days=days)) <= ROUNDED[TimeUnit.WORKING_DAYS]


@given(calendars(), st.dates(date(2026, 12, 18), date(2027, 1, 12)), st.integers(1, 20))
def test_days_that_begin_at_midnight_end_with_a_worked_day(calendar, first, days):
    by_day = replace(
        calendar,
        weeks=tuple(replace(week, spans=WEEK.spans[: n % 2 + 1]) for n, week in enumerate(calendar.weeks)),
    )
    due = by_day.due(datetime.combine(first, time.min, SHANGHAI), days, TimeUnit.WORKING_DAYS)
    ahead = (first + timedelta(days=n) for n in range(400))
    worked = [day for day in ahead if by_day.works_on(day)][days - 1]
    assert due.astimezone(SHANGHAI) == datetime.combine(worked, time(0), SHANGHAI) + timedelta(
        minutes=by_day.week_of(worked).spans[-1][1]
    )


@given(calendars(), MOMENTS, MOMENTS, AMOUNTS, AMOUNTS, st.sampled_from(list(TimeUnit)))
def test_who_begins_later_or_has_more_time_is_not_due_before(calendar, one, other, amount, more, unit):
    first, second = sorted((one, other))
    assert calendar.due(first, amount, unit) <= calendar.due(second, amount, unit) + timedelta(microseconds=9)
    assert calendar.due(first, amount, unit) < calendar.due(first, amount + more, unit)


def test_a_night_belongs_to_the_day_it_begins_on():
    nights = WorkingCalendar(SHANGHAI, (Week(spans=NIGHT),))
    assert nights.due(FRIDAY, 4, TimeUnit.WORKING_HOURS) == at(21, 2)  # in the night to Saturday
    assert nights.due(FRIDAY, 9, TimeUnit.WORKING_HOURS) == at(23, 23)  # the next begins on Monday
    resting = WorkingCalendar(SHANGHAI, (Week(spans=NIGHT),), holidays=frozenset({date(2026, 11, 20)}))
    assert resting.due(FRIDAY, 4, TimeUnit.WORKING_HOURS) == at(24, 2)


def test_a_day_until_midnight_has_all_its_time():
    always = WorkingCalendar(SHANGHAI, (Week(weekdays=frozenset(range(7)), spans=((0, 24 * 60),)),))
    assert always.worked(at(1, 0), at(3, 0), TimeUnit.WORKING_HOURS) == timedelta(days=2)
    assert always.due(at(1, 0), 2, TimeUnit.WORKING_DAYS) == at(3, 0)


SHORT = WorkingCalendar(SHANGHAI, (WEEK, Week(date(2026, 11, 23), spans=((9 * 60, 12 * 60),))))


def test_new_hours_count_from_their_first_day_and_leave_the_past_alone():
    assert SHORT.due(at(19, 16), 3, TimeUnit.WORKING_HOURS) == at(20, 10)
    assert SHORT.due(FRIDAY, 4, TimeUnit.WORKING_HOURS) == at(23, 11, 30)
    assert SHORT.due(at(20, 17), 5, TimeUnit.WORKING_HOURS) == at(24, 10)
    assert SHORT.worked(at(20, 9), at(24, 18), TimeUnit.WORKING_HOURS) == timedelta(hours=7 + 3 + 3)


def test_a_working_day_is_a_day_however_long_it_is():
    assert SHORT.due(at(20, 9), 3, TimeUnit.WORKING_DAYS) == at(24, 12)
    # three sevenths of Friday were over at noon, so are they of the short Tuesday: 77 minutes
    assert (
        timedelta() < SHORT.due(at(20, 14), 2, TimeUnit.WORKING_DAYS) - at(24, 10, 17) < timedelta(minutes=1)
    )
    assert SHORT.due(at(24, 9), 2, TimeUnit.WORKING_DAYS) == at(25, 12)
    assert SHORT.worked(at(20, 9), at(24, 12), TimeUnit.WORKING_DAYS) == timedelta(days=3)


def test_parts_of_days_add_up_to_the_end_of_a_shift_and_not_to_the_next_one():
    left = timedelta(days=1) - ORDINARY.worked(at(23, 9), at(23, 15), TimeUnit.WORKING_DAYS)
    assert ORDINARY.after(at(24, 9), left, TimeUnit.WORKING_DAYS) == at(24, 12)  # three sevenths are left
    nothing = timedelta(microseconds=1)
    assert ORDINARY.after(at(24, 9), nothing, TimeUnit.WORKING_DAYS) == at(24, 9)


def test_a_night_that_reaches_into_new_hours_counts_once():
    calendar = WorkingCalendar(
        SHANGHAI,
        (Week(weekdays=frozenset(range(7)), spans=NIGHT), Week(date(2026, 11, 23), spans=((0, 720),))),
    )
    assert calendar.worked(at(22, 22), at(23, 12), TimeUnit.WORKING_HOURS) == timedelta(hours=14)


ALL_DAYS = frozenset(
    date.fromordinal(n) for n in range(date(2026, 1, 1).toordinal(), date(2127, 12, 31).toordinal())
)


@pytest.mark.parametrize(
    ("calendar", "start", "amount", "unit", "problem"),
    [
        (WorkingCalendar(SHANGHAI, holidays=ALL_DAYS), FRIDAY, 1, TimeUnit.WORKING_HOURS, NoWorkedTime),
        (WorkingCalendar(SHANGHAI, holidays=ALL_DAYS), FRIDAY, 1, TimeUnit.WORKING_DAYS, NoWorkedTime),
        (
            WorkingCalendar(SHANGHAI, holidays=ALL_DAYS, makeup_days=frozenset({SATURDAY})),
            FRIDAY, 8, TimeUnit.WORKING_HOURS, BeyondCalendar,
        ),
        (ORDINARY, FRIDAY, 300_000, TimeUnit.WORKING_HOURS, BeyondCalendar),
        (ORDINARY, FRIDAY, 1e300, TimeUnit.WORKING_DAYS, BeyondCalendar),
        (ORDINARY, FRIDAY, 1e8, TimeUnit.HOURS, BeyondCalendar),
        (ORDINARY, datetime(2999, 12, 30, tzinfo=UTC), 40, TimeUnit.WORKING_HOURS, BeyondCalendar),
        (ORDINARY, datetime(9999, 12, 31, tzinfo=UTC), 1, TimeUnit.WORKING_HOURS, BeyondCalendar),
        (ORDINARY, datetime(1, 1, 1, tzinfo=SHANGHAI), 1, TimeUnit.WORKING_DAYS, BeyondCalendar),
    ],
)  # fmt: skip
def test_a_limit_that_never_ends_says_so(calendar, start, amount, unit, problem):
    with pytest.raises(problem):
        calendar.due(start, amount, unit)


def test_a_calendar_without_work_still_counts_what_was_worked():
    idle = WorkingCalendar(SHANGHAI, holidays=ALL_DAYS)
    assert idle.worked(FRIDAY, at(27, 9), TimeUnit.WORKING_HOURS) == timedelta()
    with pytest.raises(NoWorkedTime):
        idle.after(FRIDAY, timedelta(), TimeUnit.WORKING_HOURS)


def test_a_limit_may_take_years():
    due = ORDINARY.due(FRIDAY, 2000, TimeUnit.WORKING_DAYS)
    assert ORDINARY.worked(FRIDAY, due, TimeUnit.WORKING_DAYS) == timedelta(days=2000)
    assert due.year == 2034


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.integers(1, 400_000_000_000),
    st.sampled_from(list(TimeUnit)),
)
def test_what_is_left_after_a_start_is_what_is_worked_until_then(start, microseconds, unit):
    start, left = start.replace(tzinfo=SHANGHAI), timedelta(microseconds=microseconds)
    end = ORDINARY.after(start, left, unit)
    assert abs(ORDINARY.worked(start, end, unit) - left) <= ROUNDED[unit]
    assert ORDINARY.worked(end, start, unit) == timedelta()


def test_a_traveller_reads_the_time_he_travelled_to():
    then = datetime(2024, 2, 29, 16, 0, tzinfo=UTC)
    with clock.travel(then):
        assert clock.now() == then
        assert clock.today() == date(2024, 3, 1)  # already tomorrow in the district
    assert clock.now() > then
