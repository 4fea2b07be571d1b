"""The side ways of a case: who may, how often, what it needs, and what becomes of its time."""

from datetime import UTC, datetime, timedelta

import pytest
from little import STREET

from gridmgr import clock
from gridmgr.account.model import NotGranted
from gridmgr.account.rules import SYSTEM, Actor, Grant, Role
from gridmgr.attachment import service as attachment
from gridmgr.audit import queries as audit
from gridmgr.incident import queries, rules, service
from gridmgr.incident.model import (
    ConditionUnmet,
    Exhausted,
    HeldAbove,
    NothingAsked,
    NotYourOrder,
    RankTooLow,
    TooLate,
)
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, BadField, IllegalMove, Source, State
from gridmgr.simulation import photos

pytestmark = pytest.mark.db
TUESDAY = datetime(2026, 11, 24, 1, tzinfo=UTC)  # 9:00 in the district
DAY = {"amount": 1, "unit": "working_days", "note": "连续降雨"}


@pytest.fixture
def at_work(district, told, staff):
    """A case that the department is handling since Tuesday morning, due at 14:00."""
    with clock.travel(TUESDAY):
        case = intake.report(district, staff[Role.GRID_MEMBER], told())
        for role, action, payload in (
            (Role.COMMUNITY_CLERK, Action.ACCEPT, {"checked": True}),
            (Role.STREET_DISPATCHER, Action.DISPATCH, {"handler": "环卫所"}),
            (Role.DEPARTMENT_HANDLER, Action.HANDLE, {}),
        ):
            service.move(district, staff[role], case.number, action, payload)
    return case


@pytest.fixture
def take(district, staff):
    """Take one step in somebody's role, at a time after Tuesday nine."""

    def step(case, role, action, payload=None, after=timedelta(hours=1)):
        with clock.travel(TUESDAY + after):
            return service.move(district, staff[role], case.number, action, payload or {})

    return step


def local(instant: datetime) -> str:
    return f"{clock.local(instant):%a %H:%M}"


def test_the_first_extension_is_the_streets_the_second_the_districts_and_there_is_no_third(
    district, at_work, take
):
    with pytest.raises(NotGranted):
        take(at_work, Role.DEPARTMENT_HANDLER, Action.EXTEND, DAY)
    assert local(at_work.due_at) == "Tue 15:00"
    take(at_work, Role.STREET_DISPATCHER, Action.EXTEND, DAY)
    assert local(at_work.due_at) == "Wed 15:00"
    with pytest.raises(RankTooLow, match="Command centre"):
        take(at_work, Role.STREET_DISPATCHER, Action.EXTEND, DAY)
    with pytest.raises(ConditionUnmet, match="sealed letter"):  # 部门盖章 and the centre's leader
        take(at_work, Role.COMMAND_CENTRE, Action.EXTEND, DAY)
    sealed = attachment.store(district, SYSTEM, "延期申请.jpg", photos.photo(1, 1))
    letter = {"files": [{"sha256": sealed.sha256, "name": "延期申请.jpg"}]}
    take(at_work, Role.DEPARTMENT_HANDLER, Action.ASK, {"way": "extend"} | DAY | letter)
    take(at_work, Role.COMMAND_CENTRE, Action.EXTEND)
    assert (local(at_work.due_at), at_work.extensions) == ("Thu 15:00", 2)
    with pytest.raises(Exhausted, match="2 times"):
        take(at_work, Role.COMMAND_CENTRE, Action.EXTEND, DAY)


def test_the_handler_asks_and_the_street_grants_what_was_asked(at_work, take):
    take(at_work, Role.DEPARTMENT_HANDLER, Action.ASK, {"way": "extend"} | DAY)
    assert (at_work.asked["way"], at_work.asked["by_name"]) == ("extend", Role.DEPARTMENT_HANDLER)
    take(at_work, Role.STREET_DISPATCHER, Action.EXTEND)
    assert (local(at_work.due_at), at_work.asked) == ("Wed 15:00", None)


def test_a_refused_request_changes_no_time_and_none_can_be_refused_twice(at_work, take):
    take(at_work, Role.DEPARTMENT_HANDLER, Action.ASK, {"way": "extend"} | DAY)
    take(at_work, Role.STREET_DISPATCHER, Action.REFUSE, {"note": "请按期完成"})
    assert (local(at_work.due_at), at_work.asked) == ("Tue 15:00", None)
    with pytest.raises(NothingAsked):
        take(at_work, Role.STREET_DISPATCHER, Action.REFUSE, {"note": "再驳"})


def test_an_extension_has_bounds(at_work, take):
    with pytest.raises(BadField, match="amount"):
        take(at_work, Role.STREET_DISPATCHER, Action.EXTEND, DAY | {"amount": 61})
    with pytest.raises(BadField, match="amount"):
        take(at_work, Role.STREET_DISPATCHER, Action.EXTEND, DAY | {"amount": "soon"})


def test_a_wrong_order_comes_back_and_goes_to_another_body(at_work, take):
    take(at_work, Role.DEPARTMENT_HANDLER, Action.ASK, {"way": "send_back", "note": "非环卫职责"})
    take(at_work, Role.STREET_DISPATCHER, Action.SEND_BACK)
    assert (at_work.state, at_work.handler, at_work.send_backs) == (State.ACCEPTED, None, 1)
    take(at_work, Role.STREET_DISPATCHER, Action.DISPATCH, {"handler": "市政管理所"})
    with pytest.raises(NotYourOrder, match="市政管理所"):
        take(at_work, Role.DEPARTMENT_HANDLER, Action.HANDLE)
    take(at_work, Role.STREET_DISPATCHER, Action.REDIRECT, {"handler": "环卫所", "note": "协商后仍由环卫"})
    take(at_work, Role.DEPARTMENT_HANDLER, Action.HANDLE)
    assert (at_work.state, at_work.redirects) == (State.HANDLING, 1)


def test_a_suspended_case_has_as_much_time_left_when_it_goes_on(at_work, take):
    take(at_work, Role.STREET_DISPATCHER, Action.SUSPEND, {"note": "待产权单位确认"}, timedelta(hours=2))
    assert at_work.state == State.SUSPENDED
    with pytest.raises(IllegalMove):
        take(at_work, Role.DEPARTMENT_HANDLER, Action.FEED_BACK, {"note": "已清理"}, timedelta(days=1))
    take(at_work, Role.STREET_DISPATCHER, Action.RESUME, {}, timedelta(days=2, hours=1))
    assert (at_work.state, local(at_work.due_at)) == (State.HANDLING, "Thu 12:00")  # two hours were left


def test_the_body_at_work_lets_its_suspended_case_go_on(at_work, take):
    take(at_work, Role.STREET_DISPATCHER, Action.SUSPEND, {"note": "待产权单位确认"}, timedelta(hours=2))
    take(at_work, Role.DEPARTMENT_HANDLER, Action.RESUME, {"note": "已确认"}, timedelta(hours=3))
    assert at_work.state == State.HANDLING


def test_a_case_suspended_after_its_time_stays_late(at_work, take):
    due = at_work.due_at
    take(at_work, Role.STREET_DISPATCHER, Action.SUSPEND, {"note": "待确认"}, timedelta(days=1))
    take(at_work, Role.STREET_DISPATCHER, Action.RESUME, {}, timedelta(days=2))
    assert at_work.due_at == due


def test_an_accepted_case_is_voided_by_the_street_only(at_work, take):
    with pytest.raises(RankTooLow):
        take(at_work, Role.COMMUNITY_CLERK, Action.VOID, {"note": "重复"})
    take(at_work, Role.STREET_DISPATCHER, Action.VOID, {"note": "误报"})
    assert at_work.state == State.VOIDED


def test_whoever_sits_below_the_holder_looks_on_until_it_is_handed_down(district, told, staff, take):
    case = intake.report(district, staff[Role.GRID_MEMBER], told())
    assert case.level == "micro_grid"
    take(case, Role.GRID_MEMBER, Action.HAND_UP, {"note": "超出网格能力"})
    take(case, Role.COMMUNITY_CLERK, Action.HAND_UP, {"note": "需街道统筹"})
    assert case.level == "street"
    with pytest.raises(HeldAbove, match="Street"):
        take(case, Role.COMMUNITY_CLERK, Action.ACCEPT, {"checked": True})
    assert Action.ACCEPT not in rules.steps(
        staff[Role.COMMUNITY_CLERK], case, queries.category_of(district, case)
    )
    take(case, Role.STREET_DISPATCHER, Action.HAND_DOWN, {"note": "社区可办"})
    assert case.level == "community"
    take(case, Role.COMMUNITY_CLERK, Action.ACCEPT, {"checked": True})
    with pytest.raises(BadField, match="level"):
        take(case, Role.COMMUNITY_CLERK, Action.HAND_DOWN, {"note": "再下", "level": "street"})


def test_a_community_handles_small_matters_with_its_own_people(district, told, staff, take):
    case = intake.report(district, SYSTEM, told())
    take(case, Role.COMMUNITY_CLERK, Action.ACCEPT, {"checked": True})
    own = {"handler": "第1微网格", "handler_code": case.micro_grid_code}
    take(case, Role.COMMUNITY_CLERK, Action.DISPATCH, own)
    with pytest.raises(NotYourOrder):
        take(case, Role.DEPARTMENT_HANDLER, Action.HANDLE)
    take(case, Role.GRID_MEMBER, Action.HANDLE)
    take(case, Role.GRID_MEMBER, Action.FEED_BACK, {"note": "已清理"})
    take(case, Role.COMMUNITY_CLERK, Action.VERIFY)
    take(case, Role.COMMUNITY_CLERK, Action.CLOSE, {"checked": True})
    assert (case.state, case.level) == (State.CLOSED, "community")  # 小事不出社区


def test_a_public_report_is_looked_at_on_site_before_it_is_accepted(district, told, staff, take):
    case = intake.report(district, SYSTEM, told(source=Source.RESIDENT))
    queries.category_of(district, case).filing_needs = ["on_site"]
    with pytest.raises(ConditionUnmet, match="look on site"):
        take(case, Role.COMMUNITY_CLERK, Action.ACCEPT, {"checked": True})
    take(case, Role.GRID_MEMBER, Action.CONFIRM, {"found": False, "note": "现场无此情况"})
    with pytest.raises(ConditionUnmet):
        take(case, Role.COMMUNITY_CLERK, Action.ACCEPT, {"checked": True})
    take(case, Role.GRID_MEMBER, Action.CONFIRM, {"found": True, "note": "复查属实"})
    take(case, Role.COMMUNITY_CLERK, Action.ACCEPT, {"checked": True})
    assert case.state == State.ACCEPTED


def test_the_condition_in_words_must_be_ticked_and_stands_in_the_history(district, told, staff, take):
    case = intake.report(district, SYSTEM, told())
    with pytest.raises(ConditionUnmet, match="condition"):
        take(case, Role.COMMUNITY_CLERK, Action.ACCEPT)
    take(case, Role.COMMUNITY_CLERK, Action.ACCEPT, {"checked": True})
    assert queries.history(district, case.id)[-1].payload["checked"] == "垃圾堆积"


def test_a_case_is_fed_back_once_every_body_has_done_its_part(district, at_work, take, staff):
    take(at_work, Role.STREET_DISPATCHER, Action.ASSIGN_TASK, {"body": "市政管理所", "note": "修复路面"})
    take(at_work, Role.STREET_DISPATCHER, Action.ASSIGN_TASK, {"body": "环卫所", "note": "清运"})
    with pytest.raises(ConditionUnmet, match="parts of all other bodies"):
        take(at_work, Role.DEPARTMENT_HANDLER, Action.FEED_BACK, {"note": "已清理"})
    with pytest.raises(NotYourOrder, match="市政管理所"):
        take(at_work, Role.DEPARTMENT_HANDLER, Action.FINISH_TASK, {"task": 1, "note": "代办"})
    take(at_work, Role.DEPARTMENT_HANDLER, Action.FINISH_TASK, {"task": 2, "note": "清运完毕"})
    roads = Actor(None, "市政", (Grant(Role.DEPARTMENT_HANDLER, STREET),), body="市政管理所")
    service.move(district, roads, at_work.number, Action.FINISH_TASK, {"task": 1, "note": "已修复"})
    with pytest.raises(IllegalMove):
        take(at_work, Role.COMMUNITY_CLERK, Action.VERIFY)
    with pytest.raises(BadField, match="open task"):
        service.move(district, roads, at_work.number, Action.FINISH_TASK, {"task": 1, "note": "又修"})
    take(at_work, Role.DEPARTMENT_HANDLER, Action.FEED_BACK, {"note": "已清理"})
    assert (at_work.tasks, at_work.open_tasks) == (2, 0)


def test_the_reporter_opens_a_case_again_within_the_window_only(district, at_work, take, staff):
    for role, action, payload in (
        (Role.DEPARTMENT_HANDLER, Action.FEED_BACK, {"note": "已清理"}),
        (Role.COMMUNITY_CLERK, Action.VERIFY, {}),
        (Role.STREET_DISPATCHER, Action.CLOSE, {"checked": True}),
        (Role.COMMUNITY_CLERK, Action.EVALUATE, {"satisfaction": 2}),
    ):
        take(at_work, role, action, payload)
    with pytest.raises(NotGranted):
        take(at_work, Role.DEPARTMENT_HANDLER, Action.REOPEN, {"note": "再来"})
    with pytest.raises(TooLate, match="15 days"):
        take(at_work, Role.GRID_MEMBER, Action.REOPEN, {"note": "又有垃圾"}, timedelta(days=17))
    take(at_work, Role.GRID_MEMBER, Action.REOPEN, {"note": "又有垃圾"}, timedelta(days=1))
    assert (at_work.state, at_work.closed_at, at_work.satisfaction) == (State.ACCEPTED, None, None)
    assert (at_work.reopens, local(at_work.due_at)) == (1, "Wed 15:00")
    assert audit.verify(district).broken == []


def test_what_is_asked_for_is_forgotten_when_the_case_goes_on(at_work, take):
    take(at_work, Role.DEPARTMENT_HANDLER, Action.ASK, {"way": "extend"} | DAY)
    take(at_work, Role.DEPARTMENT_HANDLER, Action.FEED_BACK, {"note": "已清理"})
    assert at_work.asked is None


def test_only_simple_matters_are_settled_on_the_spot(district, told, staff):
    with pytest.raises(ConditionUnmet, match="a photo of what was done"):
        intake.settle(district, staff[Role.GRID_MEMBER], told(), "已劝离", [])
    with pytest.raises(BadField, match="files"):
        intake.settle(
            district, staff[Role.GRID_MEMBER], told(), "已劝离", [{"sha256": "0" * 64, "name": "a"}]
        )
