"""Clocks on real cases: kept as they move, climbed by the sweep, each rung once."""

from datetime import UTC, date, datetime, timedelta

import pytest
from climbing import MONDAY, after, publish
from little import CATEGORIES, STREET
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from gridmgr import clock
from gridmgr.account import service as accounts
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM
from gridmgr.audit import queries as audit
from gridmgr.category import queries as categories
from gridmgr.category import rules as policies
from gridmgr.category import service as matters
from gridmgr.escalation import queries
from gridmgr.escalation.model import NOBODY, RungClimbed
from gridmgr.incident import queries as incidents
from gridmgr.incident import service as incident
from gridmgr.incident.model import Adopted, Incident, Move
from gridmgr.intake import service as intake
from gridmgr.life.model import Action

pytestmark = pytest.mark.db

# ---- clocks follow their cases -------------------------------------------------------------------


def test_each_limit_has_its_clock_while_the_case_is_where_it_runs(desk, sample):
    case = desk.report()
    assert desk.clocks(case) == {"accept": "running"}
    desk.move(case, after(0.25), Action.ACCEPT)
    assert desk.clocks(case) == {"accept": "met", "dispatch": "running", "handle": "running"}
    desk.move(case, after(2), Action.DISPATCH)
    desk.move(case, after(2), Action.HANDLE)
    desk.move(case, after(2.5), Action.FEED_BACK, note="已清理")
    assert desk.clocks(case) == {
        "accept": "met",
        "dispatch": "missed",
        "handle": "running",
        "silence": "met",
        "verify": "running",
    }
    desk.move(case, after(2.6), Action.VERIFY)
    desk.move(case, after(2.7), Action.CLOSE)
    assert set(desk.clocks(case).values()) == {"met", "missed"}
    assert desk.clocks(case)["dispatch"] == "missed"


def test_a_failed_check_and_the_next_feedback_may_come_in_one_go(desk, sample):
    case = desk.handling()
    desk.move(case, after(1), Action.FEED_BACK, note="已清理")
    again = [
        Move(SYSTEM, case.number, Action.REWORK, {"note": "未清净"}, after(2)),
        Move(SYSTEM, case.number, Action.FEED_BACK, {"note": "已再清理"}, after(3)),
    ]
    assert desk.at(after(3), lambda: incident.move_many(desk.session, again)) == [None, None]
    running = [each for each in queries.of_case(desk.session, case.id) if each.stage == "verify"]
    assert [(each.started_at, each.state) for each in running] == [(after(1), "met"), (after(3), "running")]


def test_what_is_voided_needs_no_clock(desk, sample):
    case = desk.report()
    desk.move(case, after(0.1), Action.ACCEPT)
    desk.move(case, after(0.2), Action.VOID, note="不属实")
    assert desk.clocks(case) == {"accept": "met", "dispatch": "cancelled", "handle": "cancelled"}


def test_without_policies_a_case_has_the_clock_of_its_category_alone(desk):
    case = desk.handling()
    assert desk.clocks(case) == {"handle": "running"}
    (one,) = queries.of_case(desk.session, case.id)
    assert (one.due_at, one.ladder, one.next_rung_at) == (case.due_at, (), None)
    assert desk.sweep(after(999)) == 0


def test_the_clock_of_a_case_is_due_when_its_history_says(desk, sample):
    case = desk.handling()
    assert desk.clock(case, "handle").due_at == case.due_at == datetime(2026, 9, 7, 7, tzinfo=UTC)
    desk.move(case, after(1), Action.EXTEND, amount=8, unit="hours", note="雨天")
    assert desk.clock(case, "handle").due_at == case.due_at == datetime(2026, 9, 7, 15, tzinfo=UTC)


def test_a_policy_may_give_the_whole_case_another_limit(desk):
    publish(desk.session, "S01,,handle,2,hours,100%,tell,street\n")
    case = desk.handling()
    assert case.due_at == after(2)
    assert desk.clocks(case) == {"handle": "running"}


def test_a_suspended_case_is_not_climbed_and_goes_on_with_what_was_left(desk, sample, staff):
    case = desk.handling()
    desk.move(case, after(1), Action.SUSPEND, note="等材料")
    assert desk.clocks(case)["handle"] == "paused"
    assert desk.sweep(after(24 * 30)) == 0
    desk.move(case, after(24), Action.RESUME)
    assert (
        desk.clock(case, "handle").due_at == case.due_at == after(27)
    )  # three more working hours from nine on Tuesday
    assert desk.sweep(after(24.9)) == 0  # 50 % are used up at ten
    assert desk.sweep(after(25)) == 1


def test_a_case_that_came_from_another_system_begins_where_it_was(desk, sample):
    due = after(48).isoformat()
    adopted = [
        Adopted({"state": "handling", "due_at": due, "status": "处置中"}, after(1)),
        Adopted({"state": "closed", "status": "已办结"}, after(1)),
        Adopted({"state": "reported", "status": "待受理"}, after(1)),
    ]
    told = [desk.told(reported_at=MONDAY) for _ in adopted]
    ids = desk.at(after(1), lambda: intake.report_many(desk.session, SYSTEM, told, adopted))
    cases = [desk.session.get(Incident, each) for each in ids]
    running = {"handle": "running", "silence": "running"}
    assert [desk.clocks(case) for case in cases] == [running, {}, {"accept": "running"}]
    one = desk.clock(cases[0], "handle")
    assert (one.amount, one.unit, one.due_at, one.allowed) == (None, "hours", after(48), timedelta(hours=47))


def test_reports_and_their_first_steps_may_come_in_one_go(desk, sample):
    def work():
        case = intake.report(desk.session, SYSTEM, desk.told(reported_at=MONDAY))
        incident.move(desk.session, SYSTEM, case.number, Action.ACCEPT, {"checked": True}, at=after(0.1))
        return case

    case = desk.at(after(1), work)
    assert desk.clocks(case) == {"accept": "met", "dispatch": "running", "handle": "running"}


def test_further_limits_run_beside_the_case_until_each_is_met(desk, told, sample):
    limits = "stop_work:停工:Stop work:4 working_hours;fine:处罚:Fine:7 working_days;demolish:拆除::20 working_days"
    head, rubbish, _gas = CATEGORIES
    rows = (f"{head},further_limits", f"{rubbish},{limits}")
    matters.publish(desk.session, "试点二", date(2026, 2, 1), policies.parse(rows))
    friday = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    category = categories.by_code(desk.session, "S0102", date(2026, 11, 20)).id
    case = desk.report(friday, category_id=category)
    for action in (Action.ACCEPT, Action.DISPATCH, Action.HANDLE):
        desk.move(case, friday, action)
    ends = {
        each.stage: clock.local(each.due_at).strftime("%m-%d %H:%M")
        for each in queries.of_case(desk.session, case.id)
        if each.stage in ("stop_work", "fine", "demolish")
    }
    assert ends == {"stop_work": "11-23 11:30", "fine": "12-01 16:30", "demolish": "12-18 16:30"}
    desk.move(case, friday + timedelta(hours=1), Action.MEET, limit="stop_work")
    desk.move(case, datetime(2026, 12, 2, 2, tzinfo=UTC), Action.MEET, limit="fine")
    states = desk.clocks(case)
    assert (states["stop_work"], states["fine"], states["demolish"]) == ("met", "missed", "running")


def test_a_limit_the_category_does_not_have_cannot_be_met(desk, sample):
    case = desk.handling()
    with pytest.raises(incident.BadField):
        desk.move(case, after(1), Action.MEET, limit="handle")


# ---- the ladder ----------------------------------------------------------------------------------


def test_one_case_climbs_from_the_micro_grid_to_the_district(desk, staff, sample):
    case = desk.report()
    desk.sweep(after(0.26))  # half of 30 working minutes
    assert desk.climbs(case, "accept") == [(0, "remind", "micro_grid", 2, "")]
    desk.sweep(after(0.5))
    assert case.level == "community"
    desk.move(case, after(0.6), Action.ACCEPT, staff[Role.COMMUNITY_CLERK])
    desk.move(case, after(0.7), Action.DISPATCH, staff[Role.COMMUNITY_CLERK])
    desk.move(case, after(0.7), Action.HANDLE, staff[Role.DEPARTMENT_HANDLER])
    for hours in range(1, 8):  # accepted at 9:36, due at 15:36
        desk.sweep(after(hours))
    assert desk.climbs(case, "handle") == [
        (0, "remind", "department", 1, ""),
        (1, "tell", "community", 1, ""),
        (2, "tell", "department", 1, ""),
        (3, "take_over", "street", 2, ""),
    ]
    assert case.level == "street"
    desk.sweep(after(9))
    assert case.level == "district"
    assert [kind for kind, _ in desk.told_to(staff[Role.COMMAND_CENTRE])] == ["taken_over"]
    raised = [row for row in incidents.history(desk.session, case.id) if row.action == Action.TAKE_OVER]
    assert [(row.payload["level"], row.payload["clock"]) for row in raised] == [
        ("community", "accept"), ("street", "handle"), ("district", "handle"),
    ]  # fmt: skip
    assert audit.verify(desk.session).broken == []
    desk.sweep(after(24 * 60))
    assert len(audit.unserved(desk.session)) == 0


def test_an_urgent_case_is_before_the_street_and_the_district_at_once(desk, staff, sample):
    case = desk.report(severity=3)
    assert desk.sweep(MONDAY) == 1
    assert [climb[1:3] for climb in desk.climbs(case, "accept")] == [("tell", "street"), ("tell", "district")]


def test_a_level_that_holds_the_case_already_is_told_not_handed_it(desk, staff, sample):
    case = desk.report()
    desk.move(case, after(0.1), Action.HAND_UP, staff[Role.GRID_MEMBER], note="管不了", level="street")
    desk.sweep(after(0.5))
    assert desk.climbs(case, "accept")[1] == (1, "tell", "community", 1, "")
    assert case.level == "street"


def test_a_rung_with_nobody_on_it_says_so_and_tells_the_next_level(desk, staff, sample):
    for role in (Role.COMMUNITY_CLERK, Role.GRID_MEMBER, Role.GRID_LEADER):
        accounts.set_active(desk.session, role, False)
    case = desk.report()
    desk.sweep(after(0.5))
    assert desk.climbs(case, "accept") == [
        (0, "remind", "micro_grid", 0, "street"), (1, "take_over", "community", 0, "street"),
    ]  # fmt: skip
    assert desk.told_to(staff[Role.STREET_DISPATCHER]) == [("taken_over", case.id)]


def test_a_redirected_case_reminds_the_first_receiver_until_the_other_takes_it(desk, staff, sample):
    case = desk.handling()
    desk.move(case, MONDAY, Action.REDIRECT, staff[Role.COMMUNITY_CLERK], handler="无人所", note="改派")
    desk.sweep(after(2))
    assert desk.climbs(case, "handle") == [(0, "remind", "department", 1, "")]
    assert desk.told_to(staff[Role.DEPARTMENT_HANDLER]) == [("remind", case.id)]


def test_a_department_without_people_leaves_it_to_the_desk_that_holds_the_case(desk, staff, sample):
    case = desk.report()
    desk.move(case, MONDAY, Action.ACCEPT, staff[Role.COMMUNITY_CLERK])
    desk.move(case, MONDAY, Action.DISPATCH, staff[Role.COMMUNITY_CLERK], handler="无人所")
    desk.sweep(after(2))
    assert desk.climbs(case, "handle") == [(0, "remind", "department", 0, "community")]


def test_a_unit_whose_own_people_do_the_work_is_its_department(desk, staff, sample):
    case = desk.report()
    desk.move(case, MONDAY, Action.ACCEPT)
    desk.move(case, MONDAY, Action.DISPATCH, handler="甲社区", handler_code=f"{STREET}001")
    desk.sweep(after(2))
    assert desk.climbs(case, "handle") == [
        (0, "remind", "department", 2, "")
    ]  # clerk and leader, not the member


def test_where_nobody_sits_at_all_the_rung_says_so(desk, sample):
    case = desk.report()
    desk.sweep(after(0.5))
    assert [climb[3:] for climb in desk.climbs(case, "accept")] == [(0, NOBODY), (0, NOBODY)]


def test_after_a_long_silence_every_rung_is_climbed_once_and_people_hear_the_highest(desk, staff, sample):
    case = desk.report()
    assert desk.sweep(after(2)) == 1
    assert [climb[:3] for climb in desk.climbs(case, "accept")] == [
        (0, "remind", "micro_grid"), (1, "take_over", "community"), (2, "tell", "street"),
    ]  # fmt: skip
    assert [desk.told_to(staff[role]) for role in (Role.GRID_MEMBER, Role.COMMUNITY_CLERK)] == [
        [("remind", case.id)], [("taken_over", case.id)],
    ]  # fmt: skip
    assert desk.sweep(after(99)) == 0


def test_of_two_rungs_for_one_person_the_weightier_is_told(desk, staff):
    publish(desk.session, ",,accept,1,hours,1,take_over,street\n,,accept,,,2,remind,street\n")
    case = desk.report()
    desk.sweep(after(3))
    assert desk.told_to(staff[Role.STREET_DISPATCHER]) == [("taken_over", case.id)]


def test_two_clocks_hand_one_case_to_a_level_once(desk, staff):
    publish(desk.session, ",,dispatch,1,hours,1,take_over,street\n,,handle,1,hours,1,take_over,street\n")
    case = desk.report()
    desk.move(case, MONDAY, Action.ACCEPT, staff[Role.COMMUNITY_CLERK])
    desk.sweep(after(3))
    acts = sorted(desk.climbs(case, "dispatch") + desk.climbs(case, "handle"))
    assert [climb[1] for climb in acts] == ["take_over", "tell"] or [climb[1] for climb in acts] == [
        "tell",
        "take_over",
    ]
    assert [row.action for row in incidents.history(desk.session, case.id)].count("take_over") == 1


def test_an_edited_policy_does_not_bend_a_case_that_runs(desk, staff, sample):
    old = desk.report()
    publish(desk.session, ",,accept,5,hours,100%,tell,district\n", date(2026, 1, 2))
    new = desk.report()
    desk.sweep(after(0.5))
    assert [climb[2] for climb in desk.climbs(old, "accept")] == ["micro_grid", "community"]
    assert desk.climbs(new, "accept") == []
    desk.sweep(after(5))
    assert [climb[2] for climb in desk.climbs(new, "accept")] == ["district"]


def test_the_ladder_of_a_case_goes_on_from_the_level_that_holds_it(desk, staff, sample):
    case = desk.handling()
    desk.move(case, after(1), Action.HAND_UP, level="district", note="请区里定")
    desk.move(case, after(1), Action.HAND_DOWN, level="community", note="社区先办")
    assert case.level == "community"
    desk.sweep(datetime(2026, 9, 7, 7, tzinfo=UTC))
    assert case.level == "street"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rung_climbed SET reached = 9",
        "DELETE FROM rung_climbed",
        "TRUNCATE rung_climbed",
        "DELETE FROM case_clock",
    ],
)
def test_what_was_climbed_is_written_once(desk, sample, statement):
    desk.report()
    desk.sweep(after(1))
    with pytest.raises(DatabaseError), desk.session.begin_nested():
        desk.session.execute(text(statement))
    assert desk.session.scalar(select(RungClimbed.clock_id)) is not None


def test_what_the_preview_says_is_what_happens(desk, staff, sample):
    category = categories.by_code(desk.session, "S0102", date(2026, 9, 7))
    courses = {
        each.key: each for each in queries.courses(desk.session, category, 1, f"{STREET}001001", MONDAY)
    }
    case = desk.handling()
    desk.session.execute(text("UPDATE incident SET level = 'community'"))
    desk.session.expire_all()
    expected = [
        (n, each.rung.act.value, each.rung.level, 0 if each.instead else len(each.people), each.instead or "")
        for n, each in enumerate(courses["handle"].rungs)
    ]
    for each in courses["handle"].rungs:
        desk.sweep(each.at - timedelta(seconds=1))
        before = len(desk.climbs(case, "handle"))
        desk.sweep(each.at)
        assert len(desk.climbs(case, "handle")) >= before
    assert desk.climbs(case, "handle") == expected
    assert courses["handle"].due_at == case.due_at
