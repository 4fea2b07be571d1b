"""A1 六大模块: a street regroups its work; a matter nobody owns goes to a module, not to a quarrel."""

from datetime import date
from functools import partial

import pytest
from climbing import MONDAY
from little import CATEGORIES, STREET

from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as categories
from gridmgr.category import service as matters
from gridmgr.category.rules import parse
from gridmgr.dispatch import queries as dispatch
from gridmgr.dispatch.model import Basis
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.life.model import Action
from gridmgr.module import queries, service
from gridmgr.organisation import service as bodies
from gridmgr.organisation.model import BodyKind, Described

pytestmark = pytest.mark.db
OTHER = "510106002"  # the second pilot street


@pytest.fixture
def pilot(desk, staff):
    """Two pilot streets with six modules; each module of the first has somebody who leads it."""
    anywhere = partial(hierarchy.without_units, desk.session)
    service.regroup(desk.session, SYSTEM, STREET, "six", [], anywhere)
    service.regroup(desk.session, SYSTEM, OTHER, "six", [], lambda codes: ())
    leader = staff[Role.STREET_LEADER]
    ids = [each.id for each in queries.own(desk.session, STREET).modules]
    for seats in queries.seats(desk.session, ids).values():
        service.appoint(desk.session, leader, seats[0].post.id, leader.username)
    return desk


def test_two_pilot_streets_have_six_modules_each(pilot):
    for street in (STREET, OTHER):
        names = [each.name_zh for each in queries.own(pilot.session, street).modules]
        assert names == ["大党建", "大协调", "大治理", "大城建", "大经济", "大服务"]


def test_every_matter_has_one_module_and_somebody_who_leads_it(pilot, staff):
    for code in ("P0101", "B0101", "P0202", "P0401", "S0503", "没有见过的事"):
        module = queries.module_for(pilot.session, code, f"{STREET}001001")
        assert queries.lead(pilot.session, module.id).name == staff[Role.STREET_LEADER].name
    assert queries.module_for(pilot.session, "没有见过的事", f"{STREET}001001").name_zh == "大协调"


def test_a_matter_nobody_owns_goes_to_its_module_and_what_somebody_owns_does_not(pilot):
    session, areas = pilot.session, partial(hierarchy.without_units, pilot.session)
    unowned = "\n".join(
        [
            CATEGORIES[0],
            CATEGORIES[1],
            "S0199,event,市容环境,City appearance,楼道杂物,Clutter,,1,4,working_hours,,",
        ]
    )
    matters.publish(session, "补充", date(2026, 2, 1), parse(unowned.splitlines()))
    bodies.found(session, SYSTEM, Described("荷花池巡防队", BodyKind.TEAM, territory=STREET), areas)
    module = queries.module_for(session, "S0199", STREET)
    service.join(session, SYSTEM, module.id, "荷花池巡防队")
    codes = {code: categories.by_code(session, code, MONDAY.date()).id for code in ("S0102", "S0199")}
    owned, nobodys = (pilot.report(category_id=codes[code]) for code in codes)
    for case in (owned, nobodys):
        pilot.move(case, MONDAY, Action.ACCEPT)
    first, second = dispatch.suggestions(session, [owned, nobodys])
    assert first.candidates[0].body == "环卫所"  # the table of matters names an owner
    assert [(each.body, each.basis) for each in second.candidates] == [("荷花池巡防队", Basis.MODULE)]
    service.leave(session, SYSTEM, module.id, "荷花池巡防队")
    (reason,) = dispatch.suggestions(session, [nobodys])[0].why_not
    assert (reason.cause.value, reason.values["module"]) == ("module", "大治理")
