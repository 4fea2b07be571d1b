"""E2 1+3+N 模块与专班: 大党建; 大管理 大安全 大服务; N such as 大执法; ten task forces at once in one town."""

from datetime import date, timedelta

import pytest
from climbing import MONDAY, after
from little import STREET

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM
from gridmgr.incident import rules as incident
from gridmgr.life.model import Action
from gridmgr.module import queries, service
from gridmgr.task_force import queries as forces
from gridmgr.task_force import service as raising
from gridmgr.task_force.model import Raised, Standing

pytestmark = pytest.mark.db
NAMES = (
    "大搬迁", "无违建", "治水", "平安护航", "重点项目", "防汛防台", "环境整治", "森林防火", "信访积案", "旅游节庆",
)  # fmt: skip


def chosen(session, *picks: str) -> list[str]:
    service.regroup(session, SYSTEM, STREET, "one_three_n", picks, lambda codes: (), agreed=True)
    return [each.name_zh for each in queries.own(session, STREET).modules]


def test_one_and_three_stand_fast_and_n_is_as_the_town_wants(district):
    assert chosen(district) == ["大党建", "大管理", "大安全", "大服务"]
    assert chosen(district, "zhifa", "banqian") == [
        "大党建",
        "大管理",
        "大安全",
        "大服务",
        "大执法",
        "大搬迁",
    ]
    assert queries.module_for(district, "P0201", f"{STREET}001").name_zh == "大执法"
    assert chosen(district, "banqian")[-1] == "大搬迁"
    assert queries.module_for(district, "P0201", f"{STREET}001").name_zh == "大服务"


def test_ten_task_forces_work_in_one_town_and_each_has_its_own_cases(desk, staff):
    session, leader = desk.session, staff[Role.STREET_LEADER]
    people = [role for role in Role if role not in (Role.ADMIN, Role.COMMAND_CENTRE)]
    raised = []
    for n, name in enumerate(NAMES):
        members = tuple(people[(n + k) % len(people)] for k in range(3))
        last = date(2026, 9, 7) + timedelta(days=7 * (n + 1))
        told = Raised(f"{name}专班", name, STREET, last, members, members[0])
        raised.append(
            desk.at(MONDAY, lambda told=told: raising.raise_force(session, leader, told, lambda codes: ()))
        )
    with clock.travel(MONDAY):
        assert forces.counts(session, leader)[Standing.RUNNING] == 10
    cases = {}
    for force, name in zip(raised, NAMES, strict=True):
        cases[name] = desk.report()
        desk.move(cases[name], MONDAY, Action.ACCEPT)
        number = cases[name].number
        desk.at(MONDAY, lambda force=force, number=number: raising.put(session, leader, force.id, [number]))
    assert forces.open_cases(session, [f"{name}专班" for name in NAMES]) == {
        f"{name}专班": 1 for name in NAMES
    }
    for force, name in zip(raised, NAMES, strict=True):
        members = {account.id for _, account in forces.members(session, [force.id])[force.id]}
        for role in people:
            actor = accounts.actor(session, role)
            assert incident.works(actor, cases[name]) == (actor.id in members), (name, role)
    desk.at(after(24 * 8), lambda: raising.tell_ended(session))
    assert [force.told_at is not None for force in raised] == [True] + [False] * 9
