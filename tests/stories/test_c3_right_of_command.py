"""C3 统一指挥调度权: under which conditions, and within which limits, a street may command."""

import pytest
from climbing import MONDAY
from little import STREET
from whistling import ENFORCEMENT, MARKET, SANITATION, accepted, blow, call

from gridmgr import clock
from gridmgr.account.model import NotGranted, Role
from gridmgr.account.rules import SYSTEM
from gridmgr.incident.model import NoPlace
from gridmgr.life.model import Action
from gridmgr.whistle import queries, rules, service
from gridmgr.whistle.model import (
    BlownAlready,
    Called,
    CalledTwice,
    CallsItself,
    CaseFinished,
    MinutesBeyond,
    NobodyCalled,
    NotAcceptedYet,
    NotBlower,
    NotHeldByStreet,
    NotUrgent,
    OneLead,
    TooManyCalled,
    TooManyOpen,
    UnknownBody,
    UnknownStreet,
    Why,
)

pytestmark = pytest.mark.db


def test_the_conditions_and_limits_of_command(desk, staff, case, departments):
    """C3 统一指挥调度权: what a street may not command, each with its reason."""
    leader, clerk = staff[Role.STREET_LEADER], staff[Role.COMMUNITY_CLERK]
    fresh, low = desk.report(), desk.report()
    desk.move(low, MONDAY, Action.ACCEPT, clerk)
    two = call(SANITATION, MARKET)
    for found, called, why, problem in (
        (fresh, two, Why.JOINT, NotAcceptedYet),
        (low, two, Why.JOINT, NotHeldByStreet),
        (case, two, Why.EMERGENCY, NotUrgent),
        (case, [], Why.CONCERN, NobodyCalled),
        (case, call(SANITATION), Why.JOINT, NobodyCalled),
        (case, call(SANITATION, SANITATION), Why.JOINT, CalledTwice),
        (case, call("无此局"), Why.CONCERN, UnknownBody),
        (case, [Called(unit_code="999999999", lead=True)], Why.CONCERN, UnknownStreet),
        (case, [Called(unit_code=f"{STREET}001", lead=True)], Why.CONCERN, UnknownStreet),
        (case, [Called(unit_code=STREET, lead=True)], Why.CONCERN, CallsItself),
        (case, [Called(SANITATION), Called(MARKET)], Why.JOINT, OneLead),
        (case, call(SANITATION, MARKET, minutes=1), Why.JOINT, MinutesBeyond),
        (case, call(*(f"{SANITATION}{n}" for n in range(17))), Why.JOINT, UnknownBody),
    ):
        with pytest.raises(problem):
            blow(desk, leader, found, called, why)
    for actor, problem in (
        (clerk, NotGranted), (staff[Role.COMMAND_CENTRE], NotGranted), (departments[MARKET], NotBlower),
    ):  # fmt: skip
        with pytest.raises(problem):
            blow(desk, actor, case, two)
    with pytest.raises(NoPlace):
        blow(desk, leader, case, two, place=(500, 30))
    blow(desk, leader, case, two)
    with pytest.raises(BlownAlready):
        blow(desk, leader, case, two)
    desk.move(case, MONDAY, Action.VOID, SYSTEM, note="误报")
    with pytest.raises(CaseFinished):
        blow(desk, leader, case, two)


def test_a_street_has_only_so_many_whistles_open_and_calls_only_so_many_at_once(desk, staff, departments):
    terms = rules.plain(queries.terms(desk.session)) | {"most_open": 1, "most_called": 2}
    desk.at(MONDAY, lambda: service.set_terms(desk.session, staff[Role.ADMIN], clock.today(), terms))
    leader = staff[Role.STREET_LEADER]
    with pytest.raises(TooManyCalled):
        blow(desk, leader, accepted(desk, staff), call(SANITATION, ENFORCEMENT, MARKET))
    blow(desk, leader, accepted(desk, staff), call(SANITATION, MARKET))
    with pytest.raises(TooManyOpen):
        blow(desk, leader, accepted(desk, staff), call(SANITATION, MARKET))
    urgent = accepted(desk, staff, severity=3)
    assert blow(desk, leader, urgent, call(SANITATION), Why.EMERGENCY).state == "blown"  # counts for nothing
