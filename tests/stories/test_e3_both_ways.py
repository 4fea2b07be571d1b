"""E3 吹哨呼叫、响应报到: both ways, towns call departments and departments call towns."""

import pytest
from climbing import MONDAY, after
from little import STREET
from whistling import MARKET, SANITATION, blow, call, standing, told

from gridmgr.account.model import Role
from gridmgr.account.rules import Actor, Grant
from gridmgr.attendance import service as attendance
from gridmgr.life.model import Action
from gridmgr.supervision import queries as orders
from gridmgr.supervision import service as ordering
from gridmgr.supervision.model import Deed as Answer
from gridmgr.supervision.model import NotAddressed, UnknownOrder
from gridmgr.whistle import queries, service
from gridmgr.whistle.model import Called, CentreApproves, Deed, NotBlower, Presence, StreetsOnly, Why

pytestmark = pytest.mark.db


def test_a_department_calls_the_street_and_the_centre_approves(desk, staff, departments, case):
    """E3: the whistle goes both ways: departments call towns too."""
    handler, centre = departments[SANITATION], staff[Role.COMMAND_CENTRE]
    with pytest.raises(NotBlower):
        blow(desk, handler, case, [Called(unit_code=STREET, lead=True)], Why.CONCERN)
    desk.move(case, MONDAY, Action.DISPATCH, staff[Role.STREET_DISPATCHER])
    with pytest.raises(StreetsOnly):
        blow(desk, handler, case, call(MARKET), Why.CONCERN)
    whistle = blow(desk, handler, case, [Called(unit_code=STREET, lead=True)], Why.CONCERN)
    assert (whistle.state, whistle.caller, whistle.caller_code) == ("proposed", SANITATION, None)
    with pytest.raises(CentreApproves):
        desk.at(
            MONDAY, lambda: service.decide(desk.session, staff[Role.STREET_LEADER], whistle.id, Deed.BLOW)
        )
    desk.at(MONDAY, lambda: service.decide(desk.session, centre, whistle.id, Deed.BLOW))
    assert told(desk, staff[Role.STREET_DISPATCHER]) == ["whistled"]
    (one,) = queries.calls(desk.session, [whistle.id])[whistle.id]
    desk.at(
        MONDAY, lambda: attendance.answer(desk.session, staff[Role.STREET_DISPATCHER], whistle.id, one.id)
    )
    assert (one.unit_code, standing(desk, whistle, MONDAY)) == (STREET, {one.body: Presence.ANSWERED})
    assert told(desk, handler) == ["whistle_answered"]


def test_a_street_that_stays_away_answers_for_it_at_its_own_desk(desk, staff, departments, case):
    """A department's call goes by the street's desk; so does the order for not coming."""
    desk.move(case, MONDAY, Action.DISPATCH, staff[Role.STREET_DISPATCHER])
    street = [Called(unit_code=STREET, lead=True)]
    whistle = blow(desk, departments[SANITATION], case, street, Why.CONCERN)
    desk.at(MONDAY, lambda: service.decide(desk.session, staff[Role.COMMAND_CENTRE], whistle.id, Deed.BLOW))
    for hours in (2.1, 5):  # due at eleven; after lunch two worked hours more have gone
        desk.at(after(hours), lambda: attendance.miss(desk.session))
    (order,) = orders.of_case(desk.session, case.id)
    assert (order.apart, order.unit_code) == (True, STREET)
    far = Actor(None, "far", (Grant(Role.STREET_LEADER, "999"),))
    over = Actor(None, "leader", (Grant(Role.STREET_LEADER, STREET),))
    with pytest.raises(UnknownOrder):
        desk.at(after(6), lambda: ordering.do(desk.session, far, order.id, Answer.ANSWER, "已到"))
    with pytest.raises(NotAddressed):
        desk.at(
            after(6), lambda: ordering.do(desk.session, departments[MARKET], order.id, Answer.ANSWER, "已到")
        )
    desk.at(after(6), lambda: ordering.do(desk.session, over, order.id, Answer.ANSWER, "已到"))
    assert order.state == "answered"
