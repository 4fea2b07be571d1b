"""The command room of a street: every number is the length of the list it leads to; staff tables know the bodies."""

from functools import partial

import pytest
from climbing import MONDAY, after
from little import STREET

from gridmgr import clock, sheet
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.rules import PEOPLE, SYSTEM, Grant, Role
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.category import queries as matters
from gridmgr.command_room import queries
from gridmgr.desk import rules as desks
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.life.model import Action
from gridmgr.module import queries as modules
from gridmgr.module import service as module_service
from gridmgr.organisation import queries as organisation
from gridmgr.organisation import service as bodies
from gridmgr.organisation.model import BodyKind, Described


@pytest.fixture
def street(desk, staff):
    session, areas = desk.session, partial(hierarchy.without_units, desk.session)
    for told in (
        Described("环卫所", BodyKind.DEPARTMENT, aliases=("环卫",)),
        Described("荷花池环卫站", BodyKind.STATION, home="环卫", territory=STREET),
        Described("荷花池执法队", BodyKind.TEAM, territory=STREET, lines=("环卫所",)),
        Described("荷花池指挥室", BodyKind.COMMAND_ROOM, territory=STREET),
        Described("别处的站", BodyKind.STATION, home="环卫所", territory="510106"),
    ):
        bodies.found(session, SYSTEM, told, areas)
    with clock.travel(MONDAY):
        module_service.regroup(session, SYSTEM, STREET, "six", [], areas)
    grants = [Grant(Role.DEPARTMENT_HANDLER, STREET)]
    account_service.open_account(session, "zhan", "站里人", "a long password", grants, body="荷花池环卫站")
    return desk


def test_each_number_is_the_length_of_the_list_it_leads_to(street, staff, told):
    session, gas = street.session, matters.by_code(street.session, "S0503").id
    for changes, handler in (
        ({}, "荷花池环卫站"), ({}, "环卫所"), ({"column": 2.5}, "荷花池执法队"), ({"category_id": gas}, "燃气公司"),
    ):  # fmt: skip
        case = street.report(**changes)
        street.move(case, MONDAY, Action.ACCEPT)
        street.move(case, MONDAY, Action.DISPATCH, handler=handler)
    street.report()
    with clock.travel(after(30)):
        room = queries.room(session, SYSTEM, STREET)
        piles = [each.pile for each in (*room.lines, *room.posts, *room.others)] + [room.whole, room.waiting]
        for pile in piles:
            found = casebook.page(session, SYSTEM, pile.search, 100)
            late = casebook.counted(session, SYSTEM, {"n": Search(**vars(pile.search) | {"overdue": True})})[
                "n"
            ]
            assert (pile.open, pile.late) == (len(found), late), pile
    assert (room.whole.open, room.waiting.open, room.whole.late) == (5, 1, 4)
    assert {each.module.code: each.pile.open for each in room.lines if each.pile.open} == {
        "zhili": 4, "xietiao": 1,
    }  # fmt: skip
    assert {each.name: each.pile.open for each in room.posts} == {
        "荷花池环卫站": 1, "荷花池执法队": 1, "荷花池指挥室": 0, "别处的站": 0,
    }  # fmt: skip
    assert [(each.name, each.body is not None) for each in room.others] == [
        ("燃气公司", False),
        ("环卫所", True),
    ]


def test_who_is_there_of_each_body_is_told_by_name(street):
    room = queries.room(street.session, SYSTEM, STREET)
    (station,) = [each for each in room.posts if each.name == "荷花池环卫站"]
    assert station.present == ("站里人",)


def test_modules_show_their_leads_and_a_member_of_a_grid_counts_the_own_cases_only(street, staff):
    session, clerk = street.session, staff[Role.COMMUNITY_CLERK]
    street.report(), street.report(column=2.5)
    seats = modules.seats(session, [each.id for each in modules.own(session, STREET).modules])
    for found in seats.values():
        module_service.appoint(session, SYSTEM, found[0].post.id, clerk.username)
    room = queries.room(session, SYSTEM, STREET)
    assert {each.lead for each in room.lines} == {clerk.name}
    assert (room.whole.open, queries.room(session, staff[Role.GRID_MEMBER], STREET).whole.open) == (2, 1)


def test_a_module_that_is_no_more_finds_nothing(street):
    street.report()
    assert casebook.page(street.session, SYSTEM, Search(module=10**6), 5) == []


def test_the_desk_of_a_member_shows_the_task_forces_cases(street, staff):
    session = street.session
    accounts.by_username(session, Role.GRID_MEMBER).also = ["某专班"]
    session.flush()
    member = accounts.actor(session, Role.GRID_MEMBER)
    ((_, lists),) = desks.desks(member)
    assert lists[-1].search(member).forces == ("某专班",)
    assert "forces" not in {each.name for _, found in desks.desks(staff[Role.GRID_MEMBER]) for each in found}


def test_a_table_of_staff_names_bodies_that_are_there_and_stationed_people_stay_in_their_place(street):
    session = street.session

    def brought(rows: str):
        read = sheet.read(f"用户名,姓名,角色,单位\n{rows}".encode(), "people.csv", PEOPLE)
        areas = partial(hierarchy.without_units, session)
        return account_service.import_people(session, SYSTEM, read, areas, organisation.workplaces(session))

    with pytest.raises(sheet.BadSheet) as bad:
        brought(
            f"a,甲,部门处置员:{STREET},无此局\nb,乙,部门处置员:,荷花池环卫站\nc,丙,部门处置员:{STREET},环卫所\n"
        )
    assert [(each.details["row"], type(each.reason).__name__) for each in bad.value.errors] == [
        (2, "UnknownWorkplace"), (3, "BeyondStation"),
    ]  # fmt: skip
    fates = brought(f"b,乙,部门处置员:{STREET}001,荷花池环卫站\nc,丙,部门处置员:,环卫\n")
    assert [each.fate for each in fates] == ["added", "added"]
    assert accounts.by_username(session, "c").body == "环卫所"  # by its short name
    assert [each.fate for each in brought("c,丙,部门处置员:,环卫\n")] == ["unchanged"]
