"""A corrected calendar: the due times that follow, in clocks, in histories, and in people's inboxes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from climbing import MONDAY, Desk, after, publish
from little import STREET
from sqlalchemy import select

from gridmgr import clock, db, sheet
from gridmgr.account.model import Role
from gridmgr.audit import queries as audit
from gridmgr.calendar import service as calendar
from gridmgr.calendar.model import CalendarCorrected
from gridmgr.calendar.rules import DAYS
from gridmgr.category import queries as categories
from gridmgr.clock import FIRST_DAY, LAST_DAY
from gridmgr.escalation import queries, service
from gridmgr.events import drain
from gridmgr.incident import queries as incidents
from gridmgr.life.model import Action
from gridmgr.notice.model import Kind, Notice
from gridmgr.reactions import REACTIONS

pytestmark = pytest.mark.db
FRIDAY = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)  # 16:30 in the district
MAKEUP = "日期,类型,名称\n2026-11-21,调休上班,补班\n"


def correct(session, rows: str) -> None:
    """Take a notice into the calendar, and count clocks by it as the worker does."""
    calendar.import_days(session, sheet.read(rows.encode(), "days.csv", DAYS))
    follow(session)


def follow(session, *more: CalendarCorrected, batch: int = 3) -> None:
    """Count clocks anew by what has been corrected."""
    events = session.info.get("events", [])
    session.info["events"] = [each for each in events if not isinstance(each, CalendarCorrected)]
    for what in (*(each for each in events if isinstance(each, CalendarCorrected)), *more):
        behind = 0
        while behind is not None:
            behind = service.recount(session, what, behind, batch)
    drain(session, REACTIONS)


def everything(code: str = "") -> CalendarCorrected:
    return CalendarCorrected(code, FIRST_DAY, LAST_DAY)


def counted(session, what: CalendarCorrected) -> set[int]:
    """Return the cases a correction makes the worker look at."""
    return {case for _, case in queries.counted_by(session, what.code, what.first_day, what.last_day, 0, 99)}


def handled(desk: Desk, at: datetime):
    case = desk.report(at)
    for action in (Action.ACCEPT, Action.DISPATCH, Action.HANDLE):
        desk.move(case, at, action)
    return case


def test_a_make_up_saturday_brings_the_due_time_forward_and_the_history_says_so(desk, staff, sample):
    case = handled(desk, FRIDAY)
    assert case.due_at == datetime(2026, 11, 23, 3, 30, tzinfo=UTC)  # Monday 11:30
    correct(desk.session, MAKEUP)
    saturday = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
    assert case.due_at == saturday
    (one,) = [each for each in queries.of_case(desk.session, case.id) if each.stage == "handle"]
    assert (one.due_at, one.rung_times[0]) == (saturday, datetime(2026, 11, 21, 1, 30, tzinfo=UTC))
    step = incidents.history(desk.session, case.id)[-1]
    assert (step.action, step.actor_name) == (Action.RETIME, "gridmgr")
    assert [datetime.fromisoformat(step.payload[name]) for name in ("was_due_at", "due_at")] == [
        datetime(2026, 11, 23, 3, 30, tzinfo=UTC), saturday,
    ]  # fmt: skip
    told = set(desk.session.scalars(select(Notice.account_id).where(Notice.kind == Kind.RETIMED)))
    # whoever holds the case, and whoever works on it
    assert told == {staff[role].id for role in (Role.GRID_MEMBER, Role.GRID_LEADER, Role.DEPARTMENT_HANDLER)}
    assert audit.verify(desk.session).broken == []


def test_a_second_correction_that_changes_nothing_says_nothing(desk, staff, sample):
    case = handled(desk, FRIDAY)
    correct(desk.session, MAKEUP)
    length = len(incidents.history(desk.session, case.id))
    follow(desk.session, everything())
    assert len(incidents.history(desk.session, case.id)) == length


def test_running_hours_and_other_areas_are_not_touched(desk, sample):
    rows = ",,handle,4,hours,1,tell,street\n,,accept,1,working_hours,1,tell,street\n"
    publish(desk.session, rows, date(2026, 1, 2))
    desk.report(FRIDAY)
    urgent = handled(desk, FRIDAY)
    before = queries.of_case(desk.session, urgent.id)
    correct(desk.session, MAKEUP)
    assert [each for each in queries.of_case(desk.session, urgent.id) if each.unit == "hours"] == [
        each for each in before if each.unit == "hours"
    ]
    assert urgent.due_at == FRIDAY + timedelta(hours=4)
    assert counted(desk.session, everything("999")) == set()
    assert counted(desk.session, everything(STREET)) != set()


def test_a_suspended_case_keeps_what_was_left_of_its_time(desk, sample):
    case = handled(desk, FRIDAY)
    desk.move(case, FRIDAY + timedelta(hours=1), Action.SUSPEND, note="等材料")
    correct(desk.session, MAKEUP)
    (one,) = [each for each in queries.of_case(desk.session, case.id) if each.stage == "handle"]
    assert one.state == "paused"
    assert one.allowed - one.used == timedelta(hours=3)
    monday = datetime(2026, 11, 23, 1, tzinfo=UTC)
    desk.move(case, monday, Action.RESUME)
    assert case.due_at == monday + timedelta(hours=3)
    (one,) = [each for each in queries.of_case(desk.session, case.id) if each.stage == "handle"]
    assert one.due_at == case.due_at


def test_an_extension_to_an_hour_of_the_night_is_not_mistaken_for_an_error(desk, sample):
    case = handled(desk, FRIDAY)
    desk.move(case, FRIDAY, Action.EXTEND, amount=11, unit="hours", note="连夜抢修")
    due = case.due_at
    assert due == datetime(2026, 11, 23, 14, 30, tzinfo=UTC)  # Monday 22:30
    follow(desk.session, everything())
    assert case.due_at == due


def test_new_hours_move_what_is_still_to_be_worked_and_nothing_else(desk, sample):
    monday, tuesday = date(2026, 11, 23), date(2026, 11, 24)
    friday = handled(desk, FRIDAY)
    early = handled(desk, datetime(2026, 11, 20, 1, tzinfo=UTC))  # from nine, due at two on the same Friday
    assert early.due_at == datetime(2026, 11, 20, 7, tzinfo=UTC)
    calendar.set_hours(desk.session, STREET, tuesday, "12345", "10:00-16:00")
    follow(desk.session)
    assert friday.due_at == datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
    calendar.set_hours(desk.session, STREET, monday, "12345", "10:00-16:00")
    follow(desk.session)
    assert friday.due_at == datetime(2026, 11, 23, 4, 30, tzinfo=UTC)  # 1.5 hours on Friday, 2.5 from ten
    assert early.due_at == datetime(2026, 11, 20, 7, tzinfo=UTC)
    steps = [step.action for step in incidents.history(desk.session, friday.id)]
    assert steps.count(Action.RETIME) == 1
    assert Action.RETIME not in [step.action for step in incidents.history(desk.session, early.id)]
    calendar.drop_hours(desk.session, STREET, monday)
    follow(desk.session)
    assert friday.due_at == datetime(2026, 11, 23, 3, 30, tzinfo=UTC)


def test_days_stay_days_when_their_hours_change(desk, sample):
    publish(desk.session, ",,handle,5,working_days,1,tell,street\n", date(2026, 1, 2))
    case = handled(desk, datetime(2026, 11, 20, 1, tzinfo=UTC))  # from nine on Friday
    assert case.due_at == datetime(2026, 11, 26, 10, tzinfo=UTC)  # Thursday at six
    calendar.set_hours(desk.session, STREET, date(2026, 11, 23), "12345", "09:00-12:00, 14:00-19:00")
    follow(desk.session)
    assert case.due_at == datetime(2026, 11, 26, 11, tzinfo=UTC)  # Thursday at seven, no day earlier
    desk.move(case, datetime(2026, 11, 23, 11, tzinfo=UTC), Action.SUSPEND, note="等材料")
    desk.move(case, datetime(2026, 11, 30, 1, tzinfo=UTC), Action.RESUME)
    assert case.due_at == datetime(2026, 12, 2, 11, tzinfo=UTC)  # three days were left


def test_only_cases_whose_time_lies_over_the_corrected_days_are_looked_at(desk, sample):
    case = handled(desk, FRIDAY)  # to Monday; its last rung is due on Tuesday
    over = {
        day: counted(desk.session, CalendarCorrected(STREET, date(2026, 11, day), date(2026, 11, day)))
        for day in (17, 20, 23, 27)
    }
    assert over == {17: set(), 20: {case.id}, 23: {case.id}, 27: set()}
    assert counted(desk.session, CalendarCorrected("", date(2026, 11, 27), LAST_DAY)) == set()


def test_a_case_that_no_longer_can_end_keeps_its_due_time(desk, sample, monkeypatch):
    case = handled(desk, FRIDAY)
    due = case.due_at
    monkeypatch.setattr(clock, "MOST_YEARS", 1)
    rows = [f"{date(2026, month, 1)}~{date(2026, month, 28)},放假\n" for month in (11, 12)]
    correct(
        desk.session,
        "日期,类型\n" + "".join(rows) + "2026-11-29~2026-11-30,放假\n2026-12-29~2026-12-31,放假\n",
    )
    assert case.due_at == due


def test_rungs_climbed_before_the_correction_stay_climbed(desk, staff, sample):
    case = handled(desk, MONDAY)
    desk.sweep(after(2))
    correct(desk.session, "日期,类型,名称\n2026-09-07,放假,临时放假\n")
    assert case.due_at == after(24 + 6)  # four working hours from nine on Tuesday
    assert len(desk.climbs(case, "handle")) == 1
    desk.sweep(after(9))
    assert len(desk.climbs(case, "handle")) == 1
    desk.sweep(after(24 * 3))
    assert [climb[0] for climb in desk.climbs(case, "handle")] == list(
        range(7)
    )  # the last repetitions are not due yet


def test_the_worker_counts_anew_what_an_administrator_corrects(own_district, told, work_off):
    with clock.travel(FRIDAY), db.transaction(own_district, REACTIONS) as session:
        category = categories.by_code(session, "S0102", date(2026, 11, 20)).id
        desk = Desk(session, lambda **changes: told(category_id=category, **changes))
        case = handled(desk, FRIDAY)
        number = case.number
    with db.transaction(own_district, REACTIONS) as session:
        calendar.import_days(session, sheet.read(MAKEUP.encode(), "days.csv", DAYS))
    work_off(own_district.url.render_as_string(hide_password=False))
    with db.transaction(own_district) as session:
        due = incidents.locked_many(session, [number])[number].due_at
        assert due == datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
