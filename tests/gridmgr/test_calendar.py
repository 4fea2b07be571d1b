"""The working calendar as data: notices, single days, hours of areas, and what they do to due times."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from little import STREET

from gridmgr import sheet
from gridmgr.account.model import NoSuchArea
from gridmgr.calendar import queries, rules, service
from gridmgr.calendar.model import (
    BadAmount,
    BadHours,
    BadWeekdays,
    CalendarCorrected,
    DayKind,
    NothingAround,
    SpansOverlap,
    UnknownDay,
    UnknownHours,
    WorkedAlready,
)
from gridmgr.clock import LAST_DAY, BeyondCalendar, TimeUnit, Week, WorkingCalendar
from gridmgr.sheet import BadSheet

NOTICE = Path(__file__).parents[2] / "sample_maps" / "holidays_2026.csv"
HOURS = TimeUnit.WORKING_HOURS
SHANGHAI = ZoneInfo("Asia/Shanghai")
COMMUNITY, WEEKDAYS, ALL_WEEK = f"{STREET}001", "12345", "1234567"
SPRING, SATURDAY = date(2026, 2, 16), date(2026, 11, 21)


def take(session, text: str):
    return service.import_days(session, sheet.read(text.encode("gb18030"), "通知.csv", rules.DAYS))


def days(session) -> dict[tuple[str, str], str]:
    return {(f"{each.day}", each.code): each.kind for each in queries.days(session)}


def local(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=SHANGHAI)


def due(session, code: str, start: datetime, amount: float) -> datetime:
    return queries.due(session, code, amount, HOURS, start)


@pytest.mark.db
def test_the_notice_of_a_year_moves_due_times(session):
    friday = local(2026, 9, 18, 16, 30)
    assert due(session, "", friday, 4) == local(2026, 9, 21, 11, 30)
    found = take(session, NOTICE.read_text("utf-8"))
    assert found.counts == {"added": 39, "changed": 0, "removed": 0}
    # Sunday the 20th is a make-up workday: 1.5 hours on Friday, 2.5 on Sunday morning
    assert due(session, "", friday, 4) == local(2026, 9, 20, 11, 30)
    assert due(session, "", local(2026, 9, 30, 17, 0), 2) == local(2026, 10, 8, 10, 0)
    assert take(session, NOTICE.read_text("utf-8")).rows == ()


@pytest.mark.db
def test_the_example_of_the_handbook_holds(session):
    friday = local(2026, 11, 20, 16, 30)
    assert due(session, "", friday, 4) == local(2026, 11, 23, 11, 30)
    service.set_day(session, SATURDAY, "", DayKind.MAKEUP)
    assert due(session, "", friday, 4) == local(2026, 11, 21, 11, 30)


@pytest.mark.db
def test_a_notice_leaves_the_days_of_other_areas_and_other_years_alone(district):
    take(district, f"日期,类型,名称,辖区\n2026-11-20,放假,街道活动日,{STREET}\n2025-10-01,放假,国庆节,\n")
    take(district, "日期,类型,名称\n2026-02-16,放假,春节\n2026-02-17,放假,春节\n")
    found = take(district, "日期,类型,名称\n2026-02-16,放假,除夕\n2026-02-21,调休上班,\n")
    assert found.counts == {"added": 1, "changed": 1, "removed": 1}
    assert [(f"{each.day:%m-%d}", each.fate, each.before, each.after) for each in found.rows] == [
        ("02-16", "changed", ("holiday", "春节"), ("holiday", "除夕")),
        ("02-17", "removed", ("holiday", "春节"), None),
        ("02-21", "added", None, ("makeup", "")),
    ]
    found = take(district, f"日期,类型,辖区\n2026-03-02,放假,{STREET}\n")
    assert found.counts == {"added": 1, "changed": 0, "removed": 1}
    assert days(district) == {
        ("2025-10-01", ""): "holiday", ("2026-02-16", ""): "holiday", ("2026-02-21", ""): "makeup",
        ("2026-03-02", STREET): "holiday",
    }  # fmt: skip


@pytest.mark.db
def test_a_notice_that_begins_in_december_is_that_of_the_next_year(session):
    take(session, "日期,类型\n2026-02-16,放假\n2026-12-31,放假\n")
    found = take(session, "日期,类型\n2026-12-27,调休上班\n2026-12-31~2027-01-02,放假\n")
    assert found.counts == {"added": 3, "changed": 0, "removed": 0}
    assert ("2026-02-16", "") in days(session)


@pytest.mark.db
def test_a_single_day_comes_and_goes_without_a_table(district):
    take(district, "日期,类型\n2026-02-16,放假\n2026-02-17,放假\n")
    assert service.set_day(district, SATURDAY, "", DayKind.MAKEUP, "补班").counts["added"] == 1
    assert service.set_day(district, SATURDAY, "", DayKind.HOLIDAY, "运动会").counts["changed"] == 1
    assert service.set_day(district, SATURDAY, "", DayKind.HOLIDAY, "运动会").rows == ()
    assert len(days(district)) == 3
    service.drop_day(district, SATURDAY, "")
    with pytest.raises(UnknownDay):
        service.drop_day(district, SATURDAY, "")
    with pytest.raises(UnknownDay):
        service.drop_day(district, SPRING, STREET)
    assert set(days(district).values()) == {"holiday"}


@pytest.mark.db
def test_a_street_works_on_a_holiday_of_the_district_and_rests_on_its_make_up_day(district):
    take(
        district,
        "日期,类型,名称,辖区\n2026-02-16~2026-02-20,放假,春节,\n2026-02-28,调休上班,春节,\n"
        f"2026-02-17,上班,春运值守,{STREET}\n2026-02-28,放假,补休,{STREET}\n",
    )
    eve = local(2026, 2, 13, 17)  # a Friday
    assert due(district, COMMUNITY, eve, 2) == local(2026, 2, 17, 10)
    assert due(district, "", eve, 2) == local(2026, 2, 23, 10)
    friday = local(2026, 2, 27, 17)
    assert due(district, COMMUNITY, friday, 2) == local(2026, 3, 2, 10)
    assert due(district, "", friday, 2) == local(2026, 2, 28, 10)
    service.set_day(district, date(2026, 2, 18), COMMUNITY, DayKind.MAKEUP)  # the nearest word counts
    assert due(district, COMMUNITY, local(2026, 2, 17, 17), 2) == local(2026, 2, 18, 10)


@pytest.mark.db
def test_a_make_up_day_must_be_one_that_is_not_worked_anyway(district):
    with pytest.raises(WorkedAlready):
        service.set_day(district, date(2026, 2, 17), STREET, DayKind.MAKEUP)
    take(district, "日期,类型\n2026-02-17,放假\n")
    service.set_day(district, date(2026, 2, 17), STREET, DayKind.MAKEUP)
    with pytest.raises(WorkedAlready):  # the street works on it: nothing is left to make up in its community
        service.set_day(district, date(2026, 2, 17), COMMUNITY, DayKind.MAKEUP)
    with pytest.raises(WorkedAlready):  # nor can the district's own holiday excuse its own make-up day
        service.set_day(district, date(2026, 2, 17), "", DayKind.MAKEUP)
    service.set_hours(district, STREET, SATURDAY, "6", "09:00-12:00")
    with pytest.raises(WorkedAlready):
        service.set_day(district, SATURDAY, STREET, DayKind.MAKEUP)
    service.set_day(district, SATURDAY, "", DayKind.MAKEUP)
    service.set_day(district, date(2026, 11, 14), STREET, DayKind.MAKEUP)  # before those hours began


@pytest.mark.db
def test_every_bad_row_of_a_notice_is_named_and_nothing_is_written(district):
    with pytest.raises(BadSheet) as refused:
        take(
            district,
            "日期,类型,名称,辖区\n2026-02-30,放假,春节,\n2026-02-20~2026-02-16,放假,春节,\n2026-02-17,过节,春节,\n"
            "2026-02-18,调休上班,,\n2026-01-01~2026-03-01,放假,,\n2026-02-19,放假,,999\n"
            f"2026-02-18,调休上班,,{STREET}\n",
        )
    told = [(error.details["row"], type(error.reason).__name__) for error in refused.value.errors]
    assert told == [
        (2, "NoSuchDay"), (3, "EndsBeforeItBegins"), (4, "NotAKind"), (5, "WorkedAlready"), (6, "RangeTooLong"),
        (7, "NoSuchArea"), (8, "WorkedAlready"),
    ]  # fmt: skip
    with pytest.raises(BadSheet, match="another kind"):
        take(district, "日期,类型\n2026-02-21,放假\n2026-02-21,调休上班\n")
    assert queries.days(district) == []


@pytest.mark.db
def test_an_area_has_hours_of_its_own_from_a_day_on_and_the_past_stays(district):
    monday = date(2026, 11, 23)
    service.set_hours(district, STREET, monday, ALL_WEEK, "08:00-20:00")
    friday, saturday = local(2026, 11, 20, 17), local(2026, 11, 28, 19)
    assert due(district, COMMUNITY, friday, 3) == local(
        2026, 11, 23, 10
    )  # one hour as ever, two as from Monday
    assert due(district, COMMUNITY, saturday, 2) == local(2026, 11, 29, 9)
    assert due(district, "", saturday, 2) == local(2026, 11, 30, 11)
    one, other = (queries.calendar_for(district, f"{COMMUNITY}00{n}") for n in (1, 2))
    assert one is other
    service.set_hours(district, STREET, date(2026, 11, 30), WEEKDAYS, "10:00-12:00")
    assert due(district, COMMUNITY, saturday, 14) == local(2026, 11, 30, 11)  # 1 + 12 + 1
    service.follow_around(district, STREET, date(2026, 12, 1))
    assert due(district, COMMUNITY, local(2026, 11, 30, 11), 2) == local(2026, 12, 1, 10)
    service.drop_hours(district, STREET, date(2026, 11, 30))
    assert due(district, COMMUNITY, saturday, 14) == local(2026, 11, 30, 9)
    with pytest.raises(UnknownHours):
        service.drop_hours(district, STREET, date(2026, 11, 30))


@pytest.mark.db
def test_the_narrowest_area_that_has_hours_on_a_day_decides(district):
    service.set_hours(district, "", date(2026, 12, 1), WEEKDAYS, "08:00-16:00")
    service.set_hours(district, COMMUNITY, date(2026, 12, 8), WEEKDAYS, "12:00-20:00")
    service.set_hours(district, STREET, date(2026, 12, 15), WEEKDAYS, "22:00-06:00")
    opens = [
        queries.calendar_for(district, f"{COMMUNITY}001").week_of(date(2026, 12, day)).spans[0][0] // 60
        for day in (1, 7, 8, 16)
    ]
    assert opens == [8, 8, 12, 12]
    assert queries.calendar_for(district, f"{STREET}002").week_of(date(2026, 12, 16)).spans == ((1320, 1800),)
    assert queries.calendar_for(district, "").week_of(date(2026, 11, 30)) == Week()


@pytest.mark.db
def test_hours_are_refused_for_no_area_and_for_no_hours(district):
    monday = date(2026, 11, 23)
    for code, weekdays, spans, problem in [
        ("999", WEEKDAYS, "9:00-12:00", NoSuchArea), (STREET, "", "9:00-12:00", BadWeekdays),
        (STREET, "18", "9:00-12:00", BadWeekdays), (STREET, WEEKDAYS, "", BadHours),
    ]:  # fmt: skip
        with pytest.raises(problem):
            service.set_hours(district, code, monday, weekdays, spans)
    with pytest.raises(NothingAround):
        service.follow_around(district, "", monday)
    with pytest.raises(NoSuchArea):
        service.set_day(district, SATURDAY, "999", DayKind.MAKEUP)
    assert len(queries.hours(district)) == 1


@pytest.mark.db
def test_every_correction_says_over_which_days_it_reaches(district):
    service.set_hours(district, STREET, date(2026, 12, 1), WEEKDAYS, "08:00-16:00")
    service.set_hours(district, STREET, date(2026, 11, 1), WEEKDAYS, "08:00-17:00")
    service.drop_hours(district, STREET, date(2026, 12, 1))
    take(district, "日期,类型\n2026-02-16~2026-02-20,放假\n2026-10-01,放假\n")
    service.drop_day(district, date(2026, 10, 1), "")
    told = [event for event in district.info["events"] if isinstance(event, CalendarCorrected)]
    assert told == [
        CalendarCorrected(STREET, date(2026, 12, 1), LAST_DAY),
        CalendarCorrected(STREET, date(2026, 11, 1), date(2026, 11, 30)),
        CalendarCorrected(STREET, date(2026, 12, 1), LAST_DAY),
        CalendarCorrected("", SPRING, date(2026, 10, 1)),
        CalendarCorrected("", date(2026, 10, 1), date(2026, 10, 1)),
    ]


@pytest.mark.db
def test_a_limit_nobody_can_mean_is_refused(district):
    friday = local(2026, 11, 20, 16, 30)
    for code, amount, since, problem in [
        ("999", 4, friday, NoSuchArea), ("", 0, friday, BadAmount), ("", float("nan"), friday, BadAmount),
        ("", 1001, friday, BadAmount), ("", 4, local(1, 1, 1), BeyondCalendar),
        ("", 4, local(9999, 12, 31), BeyondCalendar), ("", 900, local(2998, 12, 1), BeyondCalendar),
    ]:  # fmt: skip
        with pytest.raises(problem):
            due(district, code, since, amount)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", BadHours), ("9-12", BadHours), ("12:00-09:00", BadHours), ("09:00-25:00", BadHours),
        ("24:00-06:00", BadHours), ("09:00-09:00", BadHours), ("09:00-12:60", BadHours),
        ("09:00-13:00,12:00-18:00", SpansOverlap), ("22:00-06:00,05:30-12:00", SpansOverlap),
        ("20:00-24:00,23:00-02:00", SpansOverlap),
    ],
)  # fmt: skip
def test_hours_that_are_none_are_refused(text, problem):
    with pytest.raises(problem):
        rules.spans_of(text)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("9：00-12：00，14：00～24：00", [["09:00", "12:00"], ["14:00", "24:00"]]),
        ("14:00–18:00、9:00至12:00", [["09:00", "12:00"], ["14:00", "18:00"]]),
        ("22:00-06:00", [["22:00", "06:00"]]),
        ("22:00-06:00,06:00-14:00", [["06:00", "14:00"], ["22:00", "06:00"]]),
        ("18:00-00:00", [["18:00", "24:00"]]),
        ("00:00-24:00", [["00:00", "24:00"]]),
    ],
)
def test_hours_are_read_as_people_write_them(text, spans):
    assert rules.spans_of(text) == spans
    assert rules.spans_of(", ".join("-".join(each) for each in spans)) == spans


CALENDARS = st.sampled_from(
    [
        WorkingCalendar(SHANGHAI),
        WorkingCalendar(ZoneInfo("Europe/Berlin"), holidays=frozenset({date(2026, 3, 30)})),
        WorkingCalendar(
            ZoneInfo("Europe/Berlin"),
            (Week(weekdays=frozenset({6}), spans=rules.minutes([["02:30", "06:00"], ["22:00", "02:15"]])),),
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
    always = Week(weekdays=frozenset(range(7)), spans=rules.minutes([["00:00", "24:00"]]))
    calendar = WorkingCalendar(ZoneInfo("Europe/Berlin"), (always,))
    night = datetime(2026, 3, 29, 0, tzinfo=UTC)  # one hour later the clocks go forward
    assert calendar.due(night, 3, HOURS) == night + timedelta(hours=3)
