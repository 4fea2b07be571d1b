"""C1 四级网格: street, community, compound (the micro-grid) and building sense, handle and give feedback."""

import pytest
from climbing import MONDAY, after
from little import STREET

from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM
from gridmgr.incident import queries, rules
from gridmgr.life.model import Action, Source

pytestmark = pytest.mark.db
BUILDING = (0.5, 0.5)  # in the first house


def done_by(desk, case, actor, code: str) -> None:
    """Let the people of a unit handle a case and give feedback, and its clerk check and close it."""
    desk.move(case, MONDAY, Action.DISPATCH, handler="本级", handler_code=code)
    assert rules.works(actor, case)
    desk.move(case, after(1), Action.HANDLE, actor)
    desk.move(case, after(2), Action.FEED_BACK, actor, note="处理完毕，已回访")


def test_what_is_sensed_in_a_building_is_known_at_all_four_levels(desk):
    case = desk.report(column=BUILDING[0], row=BUILDING[1])
    codes = (case.street_code, case.community_code, case.micro_grid_code, case.building_code)
    assert codes == (STREET, f"{STREET}001", f"{STREET}001001", f"{STREET}00100001")


def test_the_compound_handles_its_own_and_gives_feedback(desk, staff):
    case = desk.report(column=BUILDING[0], row=BUILDING[1], source=Source.RESIDENT)
    desk.move(case, MONDAY, Action.CONFIRM, staff[Role.GRID_MEMBER], found=True)  # sensed on site
    desk.move(case, MONDAY, Action.ACCEPT, staff[Role.COMMUNITY_CLERK])
    done_by(desk, case, staff[Role.GRID_MEMBER], case.micro_grid_code)
    desk.move(case, after(3), Action.VERIFY, staff[Role.GRID_MEMBER])
    desk.move(case, after(3), Action.CLOSE, staff[Role.COMMUNITY_CLERK])
    assert (case.state, case.level) == ("closed", "community")


def test_the_community_handles_what_the_compound_hands_up_and_the_street_what_the_community_does(desk, staff):
    case = desk.report()
    desk.move(case, MONDAY, Action.HAND_UP, staff[Role.GRID_MEMBER], note="超出微网格能力")
    assert case.level == "community"
    desk.move(case, MONDAY, Action.ACCEPT, staff[Role.COMMUNITY_CLERK])
    done_by(desk, case, staff[Role.COMMUNITY_CLERK], case.community_code)
    assert case.state == "fed_back"
    big = desk.report(column=1.2)
    for level in ("community", "street"):
        desk.move(big, MONDAY, Action.HAND_UP, SYSTEM, note="需上级协调", level=level)
    desk.move(big, MONDAY, Action.ACCEPT, staff[Role.STREET_DISPATCHER])
    desk.move(big, MONDAY, Action.DISPATCH, staff[Role.STREET_DISPATCHER], handler="环卫所")
    desk.move(big, after(1), Action.HANDLE, staff[Role.DEPARTMENT_HANDLER])
    desk.move(big, after(2), Action.FEED_BACK, staff[Role.DEPARTMENT_HANDLER], note="办好了")
    assert (big.state, big.level) == ("fed_back", "street")
    assert [step.action for step in queries.history(desk.session, big.id)][-1] == "feed_back"
