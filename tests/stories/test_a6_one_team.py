"""A6 一支队伍管执法: a matter of any line goes to the street's one team, the competent station beside it."""

import pytest
from climbing import MONDAY
from little import STREET

from gridmgr.account.rules import SYSTEM
from gridmgr.dispatch import queries as dispatch
from gridmgr.dispatch.model import Basis
from gridmgr.life.model import Action
from gridmgr.organisation import queries, service
from gridmgr.organisation.model import BodyKind, Described, LineTaken

pytestmark = pytest.mark.db
LINES = (
    "环卫所",
    "市场监管局",
    "住建局",
    "生态环境局",
    "应急管理局",
    "消防救援大队",
    "交警大队",
)  # seven departments
TEAM = "荷花池街道综合执法队"


@pytest.fixture
def team(desk):
    for name in LINES:
        service.found(desk.session, SYSTEM, Described(name, BodyKind.DEPARTMENT), lambda codes: ())
        told = Described(f"荷花池{name}站", BodyKind.STATION, home=name, territory=STREET)
        service.found(desk.session, SYSTEM, told, lambda codes: ())
    told = Described(TEAM, BodyKind.TEAM, territory=STREET, lines=LINES)
    service.found(desk.session, SYSTEM, told, lambda codes: ())
    return desk


def test_seven_departments_have_one_team_in_the_street_and_their_own_station_beside_it(team):
    for name in LINES:
        assert queries.enforcement(team.session, name, f"{STREET}001001") == (TEAM, f"荷花池{name}站")
    second = Described("荷花池第二执法队", BodyKind.TEAM, territory=STREET, lines=("住建局",))
    with pytest.raises(LineTaken, match=TEAM):
        service.found(team.session, SYSTEM, second, lambda codes: ())


def test_a_case_of_any_line_is_suggested_to_the_team_first(team):
    case = team.report()
    team.move(case, MONDAY, Action.ACCEPT)
    (found,) = dispatch.suggestions(team.session, [case])
    first, *others = found.candidates
    assert (first.body, first.basis) == (TEAM, Basis.TEAM)
    assert "荷花池环卫所站" in [each.body for each in others]
