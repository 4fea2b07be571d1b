"""Who is told of what, and nobody of what he did himself."""

from datetime import timedelta

import pytest
from little import STREET
from sqlalchemy import event, func, select

from gridmgr import clock
from gridmgr.account import service as accounts
from gridmgr.account.rules import SYSTEM, Grant, Role
from gridmgr.events import drain
from gridmgr.incident import service
from gridmgr.incident.model import Move
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source
from gridmgr.notice import service as notice
from gridmgr.notice.model import Delivery, Notice
from gridmgr.reactions import REACTIONS

pytestmark = pytest.mark.db
ASK = {"way": "extend", "amount": 1, "unit": "working_days", "note": "下雨"}


@pytest.fixture
def heard(district, staff):
    """Do something, let the reactions run, and return (role, kind) of the notices it made."""
    roles = {actor.id: role for role, actor in staff.items()}
    seen: set[int] = set()

    def hear(work=lambda: None) -> set[tuple[Role, str]]:
        work()
        drain(district, REACTIONS)
        fresh = [each for each in district.scalars(select(Notice)) if each.id not in seen]
        seen.update(each.id for each in fresh)
        return {(roles[each.account_id], each.kind) for each in fresh}

    return hear


@pytest.fixture
def step(district, staff):
    def take(case, role, action, payload=None):
        return lambda: service.move(district, staff[role], case.number, action, payload or {})

    return take


def test_each_step_is_told_to_those_it_concerns(district, told, staff, heard, step):
    case = intake.report(district, staff[Role.GRID_MEMBER], told())
    assert heard() == {(Role.COMMUNITY_CLERK, "reported")}
    assert heard(step(case, Role.COMMUNITY_CLERK, Action.ACCEPT, {"checked": True})) == set()
    order = {"handler": "环卫所"}
    handler = (Role.DEPARTMENT_HANDLER, "assigned")
    assert heard(step(case, Role.STREET_DISPATCHER, Action.DISPATCH, order)) == {handler}
    assert heard(step(case, Role.DEPARTMENT_HANDLER, Action.HANDLE)) == set()
    assert heard(step(case, Role.DEPARTMENT_HANDLER, Action.ASK, ASK)) == {(Role.STREET_DISPATCHER, "asked")}
    answered = {(Role.DEPARTMENT_HANDLER, "answered")}
    assert heard(step(case, Role.STREET_DISPATCHER, Action.EXTEND)) == answered
    assert heard(step(case, Role.DEPARTMENT_HANDLER, Action.ASK, ASK)) == {(Role.COMMAND_CENTRE, "asked")}
    assert heard(step(case, Role.STREET_DISPATCHER, Action.REFUSE, {"note": "不批"})) == answered
    heard(step(case, Role.DEPARTMENT_HANDLER, Action.FEED_BACK, {"note": "已清理"}))
    rework = step(case, Role.GRID_MEMBER, Action.REWORK, {"note": "还有"})
    assert heard(rework) == {(Role.DEPARTMENT_HANDLER, "rework")}
    heard(step(case, Role.DEPARTMENT_HANDLER, Action.FEED_BACK, {"note": "已清理"}))
    heard(step(case, Role.COMMUNITY_CLERK, Action.VERIFY))
    closed = step(case, Role.STREET_DISPATCHER, Action.CLOSE, {"checked": True})
    assert heard(closed) == {(Role.GRID_MEMBER, "closed")}
    again = step(case, Role.GRID_MEMBER, Action.REOPEN, {"note": "又有"})
    assert heard(again) == {(Role.STREET_DISPATCHER, "reopened")}


def test_the_publics_reports_go_to_the_grid_to_be_looked_at(district, told, heard):
    intake.report(district, SYSTEM, told(source=Source.RESIDENT))
    assert heard() == {(Role.GRID_MEMBER, "reported"), (Role.GRID_LEADER, "reported")}


def test_a_case_handed_up_is_told_to_the_new_desk(district, told, staff, heard, step):
    case = intake.report(district, staff[Role.GRID_MEMBER], told())
    heard()
    assert heard(step(case, Role.GRID_MEMBER, Action.HAND_UP, {"note": "办不了"})) == {
        (Role.COMMUNITY_CLERK, "handed")
    }
    down = step(case, Role.COMMAND_CENTRE, Action.HAND_DOWN, {"note": "先去看看", "level": "micro_grid"})
    assert heard(down) == {(Role.GRID_MEMBER, "handed"), (Role.GRID_LEADER, "handed")}


def test_what_comes_back_from_the_body_is_told_to_the_desk_and_to_who_had_asked(
    district, told, staff, heard, step
):
    case = dispatched(district, told, staff, {"handler": "环卫所"})
    heard()
    ask = step(case, Role.DEPARTMENT_HANDLER, Action.ASK, {"way": "send_back", "note": "不归我们管"})
    assert heard(ask) == {(Role.STREET_DISPATCHER, "asked")}
    assert heard(step(case, Role.COMMAND_CENTRE, Action.SEND_BACK)) == {
        (Role.DEPARTMENT_HANDLER, "answered"),
        (Role.STREET_DISPATCHER, "handed"),
    }


def test_a_units_own_people_are_told_that_the_work_is_theirs(district, told, staff, heard):
    dispatched(district, told, staff, {"handler": "甲社区", "handler_code": f"{STREET}001"})
    assert (Role.COMMUNITY_CLERK, "assigned") in heard()


def test_people_of_the_department_who_do_not_see_the_place_are_not_told(district, told, staff, heard):
    grants = [Grant(Role.DEPARTMENT_HANDLER, f"{STREET}002")]
    accounts.open_account(district, "far", "远处", "a long enough password", grants, body="环卫所")
    dispatched(district, told, staff, {"handler": "环卫所"})
    assert (Role.DEPARTMENT_HANDLER, "assigned") in heard()  # and nobody it does not know


def test_what_a_simulation_lets_happen_in_the_past_stays_in_the_house(district, told, heard):
    notice.add_webhook(district, "http://10.0.0.7/hook")

    def outside() -> int:
        return district.scalar(select(func.count()).select_from(Delivery))

    def unread() -> int:
        return district.scalar(select(func.count()).where(Notice.read_at.is_(None)))

    with clock.travel(clock.now() - timedelta(days=2)):
        intake.report(district, SYSTEM, told())
        assert heard() == {(Role.COMMUNITY_CLERK, "reported")}
    assert (outside(), unread()) == (0, 0)
    intake.report(district, SYSTEM, told())
    heard()
    assert (outside(), unread()) == (1, 1)


def dispatched(district, told, staff, order):
    """Report a case and bring it to the body that is to do the work."""
    case = intake.report(district, SYSTEM, told())
    desk = staff[Role.STREET_DISPATCHER]
    service.move(district, desk, case.number, Action.ACCEPT, {"checked": True})
    return service.move(district, desk, case.number, Action.DISPATCH, order)


def test_many_steps_are_told_in_few_statements(district, told, heard):
    numbers = intake.report_batch(district, SYSTEM, [told() for _ in range(40)])
    heard()
    steps = [(Action.ACCEPT, {"checked": True}), (Action.DISPATCH, {"handler": "环卫所"})]
    service.move_many(district, [Move(SYSTEM, number, *step) for step in steps for number in numbers])
    statements = []
    listen = event.listens_for(district.connection(), "before_cursor_execute")
    listen(lambda conn, cursor, statement, *rest: statements.append(statement))
    assert heard() == {(Role.DEPARTMENT_HANDLER, "assigned")}
    assert len(statements) < 25
