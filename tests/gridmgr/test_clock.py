"""Working time, as the field's handbook counts it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmgr import clock
from gridmgr.clock import TimeUnit, WorkingCalendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
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
    assert any(opens < due.time() <= closes for opens, closes in ORDINARY.hours)


def minutes_worked(calendar: WorkingCalendar, begin: datetime, end: datetime) -> int:
    """Count worked minutes one by one: slow, and plainly right."""
    count, at = 0, begin
    while at < end:
        local = at.astimezone(calendar.zone)
        count += calendar.works_on(local.date()) and any(a <= local.time() < b for a, b in calendar.hours)
        at += timedelta(minutes=1)
    return count


@given(
    st.datetimes(datetime(2026, 12, 20), datetime(2027, 1, 12)),
    st.integers(0, 20_000),
    st.sets(st.dates(date(2026, 12, 20), date(2027, 1, 20)), max_size=6),
    st.sets(st.dates(date(2026, 12, 20), date(2027, 1, 20)), max_size=6),
)
def test_worked_time_is_what_a_patient_clerk_would_count(start, minutes, holidays, makeup):
    calendar = WorkingCalendar(SHANGHAI, holidays=frozenset(holidays), makeup_days=frozenset(makeup))
    start = start.replace(tzinfo=SHANGHAI, second=0, microsecond=0)
    end = start + timedelta(minutes=minutes)
    assert calendar.worked(start, end, TimeUnit.WORKING_HOURS) == timedelta(
        minutes=minutes_worked(calendar, start, end)
    )


def test_a_limit_may_take_years():
    due = ORDINARY.due(FRIDAY, 2000, TimeUnit.WORKING_DAYS)
    assert ORDINARY.worked(FRIDAY, due, TimeUnit.WORKING_DAYS) == 2000 * ORDINARY.day_length
    assert due.year == 2034


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.integers(1, 400_000_000_000),
    st.sampled_from(list(TimeUnit)),
)
def test_what_is_left_after_a_start_is_what_is_worked_until_then(start, microseconds, unit):
    start, left = start.replace(tzinfo=SHANGHAI), timedelta(microseconds=microseconds)
    end = ORDINARY.after(start, left, unit)
    assert ORDINARY.worked(start, end, unit) == left
    assert ORDINARY.worked(end, start, unit) == timedelta()


def test_a_traveller_reads_the_time_he_travelled_to():
    then = datetime(2024, 2, 29, 16, 0, tzinfo=UTC)
    with clock.travel(then):
        assert clock.now() == then
        assert clock.today() == date(2024, 3, 1)  # already tomorrow in the district
    assert clock.now() > then
