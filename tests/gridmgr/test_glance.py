"""One unit at a glance: its levels add up, a period counts what it closed, a building keeps its record."""

from datetime import timedelta

import pytest
from little import STREET

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.casebook.queries import Search
from gridmgr.glance import queries
from gridmgr.hierarchy.model import UnknownUnit
from gridmgr.incident import service as incident
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, State

pytestmark = pytest.mark.db
HOUSE = f"{STREET}00100001"


@pytest.fixture
def cases(district, told):
    """Three cases: two of a kind in a house, long ago and now; one in a grid of the other community, in no house."""
    with clock.travel(clock.now() - timedelta(days=40)):
        old = intake.report(district, SYSTEM, told(0.5, 0.5))
    new = intake.report(district, SYSTEM, told(0.5, 0.5))
    apart = intake.report(district, SYSTEM, told(2.1, 0.1))
    incident.move(district, SYSTEM, old.number, Action.VOID, {"note": "重复上报"})
    incident.move(district, SYSTEM, new.number, Action.ACCEPT, {"checked": True})
    return old, new, apart


def test_the_levels_add_up_and_the_rest_is_said(district, cases):
    whole = queries.glance(district, SYSTEM, Search())
    assert (whole.cases.total, whole.cases.open) == (3, 2)
    assert whole.units == {"street": 1, "community": 2, "micro_grid": 4, "building": 4}
    assert [(each.code, each.cases.total) for each in whole.below] == [(STREET, 3)]
    assert whole.households == 100
    street = queries.glance(district, SYSTEM, Search(code=STREET))
    assert [(each.code[-3:], each.cases.total, each.cases.open) for each in street.below] == [
        ("001", 2, 1),
        ("002", 1, 1),
    ]
    grid = queries.glance(district, SYSTEM, Search(code=f"{STREET}002001"))
    assert (grid.cases.total, [each.cases.total for each in grid.below], grid.apart) == (1, [0], 1)
    assert grid.path[0].name == "荷花池街道"
    assert {state: n for state, n in whole.by_state.items() if n} == {
        State.REPORTED: 1,
        State.ACCEPTED: 1,
        State.VOIDED: 1,
    }


def test_filters_narrow_the_look_and_a_building_keeps_its_record(district, cases):
    today = Search(code=HOUSE, since=clock.today(), until=clock.today())
    look = queries.glance(district, SYSTEM, today)
    assert (look.cases.total, look.record.total) == (1, 2)
    assert [number for _category, number in look.record.repeated] == [2]
    assert (look.level, look.below, look.home) == (None, [], f"{STREET}001001")
    assert queries.glance(district, SYSTEM, Search(states=(State.ACCEPTED,))).cases.total == 1


def test_a_member_sees_the_way_down_to_the_own_grid_alone(district, staff, cases):
    member = staff[Role.GRID_MEMBER]
    whole = queries.glance(district, member, Search())
    assert [each.cases.total for each in whole.below] == [2]
    assert [each.code for each in queries.glance(district, member, Search(code=STREET)).below] == [
        f"{STREET}001"
    ]
    with pytest.raises(UnknownUnit):
        queries.glance(district, member, Search(code=f"{STREET}002"))
    assert queries.glance(district, member, Search(code=STREET)).duty == ()  # the seats of all the street
