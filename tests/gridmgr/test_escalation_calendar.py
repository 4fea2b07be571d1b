"""A corrected calendar: the due times that follow, in clocks, in histories, and in people's inboxes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from climbing import MONDAY, Desk, after, publish
from little import CATEGORIES, STREET, little_district
from sqlalchemy import select

from gridmgr import clock, db, sheet
from gridmgr.account.model import Role
from gridmgr.audit import queries as audit
from gridmgr.calendar import service as calendar
from gridmgr.calendar.rules import DAYS
from gridmgr.escalation import queries, service
from gridmgr.events import drain
from gridmgr.hierarchy import service as hierarchy
from gridmgr.incident import queries as incidents
from gridmgr.life.model import Action
from gridmgr.notice.model import Kind, Notice
from gridmgr.reactions import REACTIONS
from gridmgr.responsibility import queries as categories
from gridmgr.responsibility import rules
from gridmgr.responsibility import service as responsibility
from gridmgr.settings import settings

pytestmark = pytest.mark.db
FRIDAY = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)  # 16:30 in the district
MAKEUP = "日期,类型,名称\n2026-11-21,调休上班,补班\n"


def correct(session, rows: str, code: str = "") -> None:
    """Take a notice into the calendar, and count all clocks by it as the worker does."""
    calendar.import_days(session, sheet.read(rows.encode(), "days.csv", DAYS), lambda codes: ())
    session.info["events"] = []
    follow(session, code)


def follow(session, code: str = "", batch: int = 3) -> None:
    behind = 0
    while behind is not None:
        behind = service.recount(session, code, behind, batch)
    drain(session, REACTIONS)


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
    follow(desk.session)
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
    assert queries.counted_by(desk.session, "999", 0, 9) == []
    assert queries.counted_by(desk.session, STREET, 0, 9) != []


def test_a_suspended_case_keeps_what_was_left_of_its_time(desk, sample):
    case = handled(desk, FRIDAY)
    desk.move(case, FRIDAY + timedelta(hours=1), Action.SUSPEND, note="等材料")
    correct(desk.session, MAKEUP)
    (one,) = [each for each in queries.of_case(desk.session, case.id) if each.state == "paused"]
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
    follow(desk.session)
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
    assert [climb[0] for climb in desk.climbs(case, "handle")] == [0, 1, 2, 3, 4]


def test_the_worker_counts_anew_what_an_administrator_corrects(
    own_database, told, work_off, tmp_path, monkeypatch
):
    monkeypatch.setattr(settings(), "home", tmp_path)
    engine = db.engine(own_database)
    with clock.travel(FRIDAY), db.transaction(engine, REACTIONS) as session:
        hierarchy.load(session, little_district(), date(2026, 1, 1), "首版")
        responsibility.publish(session, "试点", date(2026, 1, 1), rules.parse(CATEGORIES))
    with clock.travel(FRIDAY), db.transaction(engine, REACTIONS) as session:
        category = categories.by_code(session, "S0102", date(2026, 11, 20)).id
        desk = Desk(session, lambda **changes: told(category_id=category, **changes))
        case = handled(desk, FRIDAY)
        number = case.number
    with db.transaction(engine, REACTIONS) as session:
        calendar.import_days(session, sheet.read(MAKEUP.encode(), "days.csv", DAYS), lambda codes: ())
    work_off(own_database)
    with db.transaction(engine) as session:
        due = incidents.locked_many(session, [number])[number].due_at
        assert due == datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
    engine.dispose()
