"""The working calendar as data: the yearly notice, hours of areas, and what they do to due times."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmgr import sheet
from gridmgr.calendar import queries, rules, service
from gridmgr.calendar.model import BadHours, CalendarCorrected, NoWeekdays, UnknownDay, UnknownHours
from gridmgr.clock import TimeUnit, WorkingCalendar
from gridmgr.sheet import BadSheet

NOTICE = Path(__file__).parents[2] / "sample_maps" / "holidays_2026.csv"
HOURS = TimeUnit.WORKING_HOURS
SHANGHAI = ZoneInfo("Asia/Shanghai")


def take(session, text: str, lost=frozenset()):
    read = sheet.read(text.encode("gb18030"), "通知.csv", rules.DAYS)
    return service.import_days(session, read, lambda codes: set(codes) & lost)


def local(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=SHANGHAI)


@pytest.mark.db
def test_the_notice_of_a_year_moves_due_times(session):
    friday = local(2026, 9, 18, 16, 30)
    assert queries.calendar_for(session).due(friday, 4, HOURS) == local(2026, 9, 21, 11, 30)
    found = take(session, NOTICE.read_text("utf-8"))
    assert (found.added, found.changed, found.removed) == (39, 0, 0)
    # Sunday the 20th is a make-up workday: 1.5 hours on Friday, 2.5 on Sunday morning
    assert queries.calendar_for(session).due(friday, 4, HOURS) == local(2026, 9, 20, 11, 30)
    eve = local(2026, 9, 30, 17, 0)
    assert queries.calendar_for(session).due(eve, 2, HOURS) == local(2026, 10, 8, 10, 0)
    assert take(session, NOTICE.read_text("utf-8")).rows == ()


@pytest.mark.db
def test_the_example_of_the_handbook_holds(session):
    friday = local(2026, 11, 20, 16, 30)
    assert queries.calendar_for(session).due(friday, 4, HOURS) == local(2026, 11, 23, 11, 30)
    take(session, "日期,类型\n2026年11月21日,调休上班\n")
    assert queries.calendar_for(session).due(friday, 4, HOURS) == local(2026, 11, 21, 11, 30)


@pytest.mark.db
def test_an_area_has_hours_and_days_of_its_own(session):
    service.set_hours(session, "510106001", range(7), "08:00-20:00")
    take(session, "date,kind,name,area\n2026-11-21,holiday,街道活动日,510106001\n")
    evening = local(2026, 11, 20, 19, 0)
    assert queries.calendar_for(session, "510106001001").due(evening, 2, HOURS) == local(2026, 11, 22, 9, 0)
    assert queries.calendar_for(session, "510106002").due(evening, 2, HOURS) == local(2026, 11, 23, 11, 0)
    assert queries.calendar_for(session, "510106001001") is queries.calendar_for(session, "510106001002")
    service.drop_hours(session, "510106001")
    with pytest.raises(UnknownHours):
        service.drop_hours(session, "510106001")
    service.drop_day(session, date(2026, 11, 21), "510106001")
    with pytest.raises(UnknownDay):
        service.drop_day(session, date(2026, 11, 21), "510106001")
    told = [event for event in session.info["events"] if isinstance(event, CalendarCorrected)]
    assert [event.code for event in told] == ["510106001"] * 4


@pytest.mark.db
def test_every_bad_row_of_a_notice_is_named_and_nothing_is_written(session):
    with pytest.raises(BadSheet) as refused:
        take(
            session,
            "日期,类型,名称,辖区\n2026-02-30,放假,春节,\n2026-02-20~2026-02-16,放假,春节,\n2026-02-17,过节,春节,\n"
            "2026-02-18,调休上班,,\n2026-01-01~2026-03-01,放假,,\n2026-02-19,放假,,999\n",
            frozenset({"999"}),
        )
    told = [(error.details["row"], type(error.reason).__name__) for error in refused.value.errors]
    assert told == [
        (2, "NoSuchDay"), (3, "EndsBeforeItBegins"), (4, "NotAKind"), (5, "WorkedAlready"), (6, "RangeTooLong"),
        (7, "NoSuchArea"),
    ]  # fmt: skip
    assert queries.days(session) == []


@pytest.mark.db
def test_a_day_stands_once_and_a_new_notice_replaces_its_year_only(session):
    with pytest.raises(BadSheet, match="another kind"):
        take(session, "日期,类型\n2026-02-21,放假\n2026-02-21,调休上班\n")
    take(session, "日期,类型\n2025-10-01,放假\n2026-02-16,放假\n2026-02-17,放假\n")
    found = take(session, "日期,类型\n2026-02-16,放假\n2026-02-21,调休上班\n")
    assert (found.added, found.changed, found.removed) == (1, 0, 1)
    assert [each.day.year for each in queries.days(session)] == [2025, 2026, 2026]


@pytest.mark.parametrize(
    "text", ["", "9-12", "12:00-09:00", "09:00-25:00", "09:00-13:00,12:00-18:00", "09:00-09:00"]
)
def test_hours_that_are_none_are_refused(text):
    with pytest.raises(BadHours):
        rules.spans_of(text)


def test_hours_are_read_as_people_write_them():
    assert rules.spans_of("9：00-12：00，14:00-24:00") == [["09:00", "12:00"], ["14:00", "24:00"]]
    with pytest.raises(NoWeekdays):
        rules.week_of([])


CALENDARS = st.sampled_from(
    [
        WorkingCalendar(SHANGHAI),
        WorkingCalendar(ZoneInfo("Europe/Berlin"), holidays=frozenset({date(2026, 3, 30)})),
        WorkingCalendar(
            SHANGHAI, hours=rules.times([["00:00", "06:00"], ["22:00", "23:00"]]), weekdays=frozenset({6})
        ),
    ]
)
MOMENTS = st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 30)).map(lambda at: at.replace(tzinfo=UTC))
AMOUNTS = st.timedeltas(timedelta(minutes=1), timedelta(hours=80))


@given(CALENDARS, MOMENTS, AMOUNTS)
def test_what_is_used_up_is_what_was_worked(calendar, start, amount):
    end = calendar.after(start, amount, HOURS)
    assert calendar.worked(start, end, HOURS) == amount


@given(CALENDARS, MOMENTS, AMOUNTS, AMOUNTS)
def test_time_adds_up_and_never_runs_back(calendar, start, first, second):
    middle = calendar.after(start, first, HOURS)
    end = calendar.after(middle, second, HOURS)
    assert start < middle < end
    assert end == calendar.after(start, first + second, HOURS)
    assert calendar.worked(start, end, HOURS) == calendar.worked(start, middle, HOURS) + second


def test_an_hour_is_an_hour_over_a_change_of_summer_time():
    calendar = WorkingCalendar(
        ZoneInfo("Europe/Berlin"), hours=rules.times([["00:00", "24:00"]]), weekdays=frozenset(range(7))
    )
    night = datetime(2026, 3, 29, 0, tzinfo=UTC)  # one hour later the clocks go forward
    assert calendar.due(night, 3, HOURS) == night + timedelta(hours=3)
