"""Who is told of what, and nobody of what he did himself."""

import pytest
from sqlalchemy import event, select

from gridmgr.account.rules import SYSTEM, Role
from gridmgr.events import drain
from gridmgr.incident import service
from gridmgr.incident.model import Move
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source
from gridmgr.notice.model import Notice
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
        (Role.COMMUNITY_CLERK, "reported")
    }


def test_many_steps_are_told_in_few_statements(district, told, heard):
    numbers = [case.number for case in intake.report_batch(district, SYSTEM, [told() for _ in range(40)])]
    heard()
    steps = [(Action.ACCEPT, {"checked": True}), (Action.DISPATCH, {"handler": "环卫所"})]
    service.move_many(district, [Move(SYSTEM, number, *step) for step in steps for number in numbers])
    statements = []
    listen = event.listens_for(district.connection(), "before_cursor_execute")
    listen(lambda conn, cursor, statement, *rest: statements.append(statement))
    assert heard() == {(Role.DEPARTMENT_HANDLER, "assigned")}
    assert len(statements) < 25
