"""E3 吹哨呼叫、响应报到: both ways, towns call departments and departments call towns."""

import pytest
from climbing import MONDAY
from little import STREET
from whistling import MARKET, SANITATION, blow, call, standing, told

from gridmgr.account.model import Role
from gridmgr.attendance import service as attendance
from gridmgr.life.model import Action
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
