"""A2 专班: for leases, elections, petitions and road works at once, across modules, raised and disbanded freely."""

from datetime import date, timedelta
from functools import partial

import pytest
from climbing import MONDAY, after
from little import STREET

from gridmgr.account import queries as accounts
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import queries as incidents
from gridmgr.life.model import Action
from gridmgr.module import queries as modules
from gridmgr.module import service as regrouping
from gridmgr.task_force import queries, rules, service
from gridmgr.task_force.model import NoMembers, OwnerNeeded, Raised, Standing

pytestmark = pytest.mark.db
LAST = date(2026, 9, 7) + timedelta(days=60)
PEOPLE = ("grid_leader", "department_handler", "community_clerk")  # of three modules


@pytest.fixture
def street(desk, staff):
    areas = partial(hierarchy.without_units, desk.session)
    regrouping.regroup(desk.session, SYSTEM, STREET, "six", [], areas)
    ids = [each.id for each in modules.own(desk.session, STREET).modules]
    for seats, username in zip(modules.seats(desk.session, ids).values(), PEOPLE, strict=False):
        regrouping.appoint(desk.session, SYSTEM, seats[0].post.id, username)
    return desk


def raised(desk, actor, name: str, *members: str):
    told = Raised(name, f"{name}的任务", STREET, LAST, members, members[0] if members else "")
    areas = partial(hierarchy.without_units, desk.session)
    return desk.at(MONDAY, lambda: service.raise_force(desk.session, actor, told, areas))


def test_several_task_forces_work_at_once_and_each_hands_its_cases_over_when_it_is_done(street, staff):
    session, leader = street.session, staff[Role.STREET_LEADER]
    forces = [
        raised(street, leader, name, *PEOPLE[n % 3 :], *PEOPLE[: n % 3])
        for n, name in enumerate(("房屋出租专班", "换届选举专班", "信访化解专班", "道路改造专班"))
    ]
    assert set(accounts.actor(session, "grid_leader").also) == {
        "房屋出租专班", "换届选举专班", "信访化解专班", "道路改造专班",
    }  # fmt: skip
    cases = [street.report(column=n * 0.9) for n in range(4)]
    for case in cases:
        street.move(case, MONDAY, Action.ACCEPT)
    numbers = [case.number for case in cases]
    answers = street.at(MONDAY, lambda: service.put(session, leader, forces[3].id, numbers))
    assert [problem for _, problem in answers] == [None] * 4
    street.move(cases[0], after(1), Action.HANDLE, accounts.actor(session, "grid_leader"))
    with pytest.raises(OwnerNeeded, match="4"):
        service.disband(session, leader, forces[3].id)
    street.at(after(2), lambda: service.disband(session, leader, forces[3].id, unit=STREET, note="道路通车"))
    assert {case.handler_code for case in cases} == {STREET}
    assert all(incidents.history(session, case.id)[-1].action == "hand_over" for case in cases)
    assert queries.open_cases(session, ["道路改造专班"]) == {}
    assert len(accounts.actor(session, "grid_leader").also) == 3  # the others go on
    assert queries.counts(session, SYSTEM)[Standing.DISBANDED] == 1
    assert queries.deeds(session, forces[3].id)[-1].note == "道路通车"


def test_a_task_force_without_members_is_refused_and_one_for_each_usual_occasion_is_at_hand(street, staff):
    with pytest.raises(NoMembers):
        raised(street, staff[Role.STREET_LEADER], "空专班")
    assert {"leases", "elections", "petitions", "roads"} <= set(rules.OCCASIONS)
