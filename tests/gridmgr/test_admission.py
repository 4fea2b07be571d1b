"""A department asks that a matter be admitted to a street's list; the street argues; the command centre decides."""

from datetime import date

import pytest
from climbing import MONDAY, after
from listing import publish, row
from little import STREET
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from gridmgr import clock
from gridmgr.account.model import NoSuchArea, NotGranted, OutsideGrant, Role
from gridmgr.account.rules import SYSTEM, Actor, Grant
from gridmgr.admission import queries, rules, service
from gridmgr.admission.model import (
    AskedAlready,
    BadSpan,
    Deed,
    DeedImpossible,
    MatterMissing,
    NotHeard,
    NotTheAsker,
    OnTheListAlready,
    OwnRequest,
    ReasonMissing,
    UnknownAdmission,
    WholeDistrict,
)
from gridmgr.category import queries as matters
from gridmgr.life.model import Action
from gridmgr.notice.model import Notice
from gridmgr.responsibility import queries as lists
from gridmgr.responsibility.model import DayPassed, ListKind, NotOnTheList

pytestmark = pytest.mark.db
GRID = f"{STREET}001001"
TODAY = date(2026, 9, 7)


@pytest.fixture(autouse=True)
def today(district):
    publish(district, ListKind.TERRITORIAL, STREET, [row("T1", "门前垃圾", "S0102", "荷花池街道办")])
    with clock.travel(MONDAY):
        yield


@pytest.fixture
def asked(district, staff):
    return service.ask(district, staff[Role.DEPARTMENT_HANDLER], STREET, "S0503", "街道离得近，先期处置快")


def do(session, actor, request, deed: Deed, note: str = "理由", **more):
    return service.do(session, actor, request.id, deed, note, **more)


def test_asked_argued_granted_and_then_like_an_item_of_the_list(desk, district, staff, asked):
    centre, street = staff[Role.COMMAND_CENTRE], staff[Role.STREET_DISPATCHER]
    assert (asked.state, asked.body, asked.lead) == ("asked", "环卫所", "荷花池街道")
    case = desk.report(category_id=matters.by_code(district, "S0503").id)
    desk.move(case, MONDAY, Action.ACCEPT)
    with pytest.raises(NotOnTheList):
        desk.move(case, MONDAY, Action.DISPATCH, handler="甲社区", handler_code=f"{STREET}001")
    with pytest.raises(NotHeard):
        do(district, centre, asked, Deed.GRANT, begins=TODAY)
    do(district, street, asked, Deed.ARGUE, "要先配两名专业人员")
    do(district, centre, asked, Deed.GRANT, "同意，经费随事走", begins=TODAY, ends=date(2026, 12, 31))
    desk.move(case, MONDAY, Action.DISPATCH, handler="甲社区", handler_code=f"{STREET}001")
    found = lists.owner_of(district, "S0503", GRID)
    assert (found.lead, found.cooperating, found.territorial) == ("荷花池街道", ("环卫所",), True)
    assert lists.owner_of(district, "S0503", GRID, date(2027, 1, 1)).lead == "燃气公司"
    said = queries.deeds(district, [asked.id])[asked.id]
    assert [(each.deed, each.note) for each in said][1:] == [
        ("argue", "要先配两名专业人员"), ("grant", "同意，经费随事走"),
    ]  # fmt: skip
    later = desk.report(category_id=matters.by_code(district, "S0503").id)
    desk.move(later, MONDAY, Action.ACCEPT)
    assert lists.of_case(district, later.id).admission.id == asked.id


def test_the_street_hears_what_is_asked_of_it_and_who_asked_what_came_of_it(district, staff, asked):
    def told(role: Role) -> int:
        found = select(func.count()).where(Notice.account_id == staff[role].id, Notice.kind == "admission")
        return district.scalar(found)

    roles = (Role.STREET_DISPATCHER, Role.DEPARTMENT_HANDLER, Role.COMMAND_CENTRE, Role.GRID_MEMBER)
    assert [told(role) for role in roles] == [1, 0, 0, 0]
    assert queries.waiting(district, staff[Role.STREET_DISPATCHER]) == (1, 0)
    assert queries.waiting(district, staff[Role.COMMAND_CENTRE]) == (0, 0)
    do(district, staff[Role.STREET_DISPATCHER], asked, Deed.ARGUE, "要配人")
    assert [told(role) for role in roles] == [1, 1, 1, 0]
    assert queries.waiting(district, staff[Role.STREET_DISPATCHER]) == (0, 0)
    assert queries.waiting(district, staff[Role.COMMAND_CENTRE]) == (0, 1)
    do(district, staff[Role.COMMAND_CENTRE], asked, Deed.REFUSE, "不宜")
    assert [told(role) for role in roles] == [2, 2, 1, 0]
    notice = district.scalars(select(Notice).order_by(Notice.id.desc())).first()
    assert notice.details["category_zh"] == "燃气管道破裂"


def test_nobody_decides_their_own_request_and_each_part_has_its_people(district, staff, asked):
    centre = staff[Role.COMMAND_CENTRE]
    own = service.ask(district, centre, f"{STREET}001", "S0503", "指挥中心自己提的")
    do(district, centre, own, Deed.ARGUE)
    with pytest.raises(NotHeard):  # its own opinion is not the street's
        do(district, staff[Role.ADMIN], own, Deed.GRANT, begins=TODAY)
    for deed in (Deed.GRANT, Deed.REFUSE):
        with pytest.raises(OwnRequest):
            do(district, centre, own, deed, begins=TODAY)
    with pytest.raises(NotGranted):
        do(district, staff[Role.STREET_DISPATCHER], asked, Deed.GRANT, begins=TODAY)
    with pytest.raises(NotGranted):
        do(district, staff[Role.DEPARTMENT_HANDLER], asked, Deed.ARGUE)
    with pytest.raises(NotTheAsker):
        do(district, centre, asked, Deed.WITHDRAW)
    assert rules.deeds(centre, asked) == [Deed.ARGUE, Deed.GRANT, Deed.REFUSE]
    do(district, staff[Role.DEPARTMENT_HANDLER], asked, Deed.WITHDRAW, "")
    with pytest.raises(DeedImpossible):
        do(district, centre, asked, Deed.REFUSE)


@pytest.mark.parametrize(
    ("code", "category", "reason", "refusal"),
    [
        ("", "S0503", "理由", OutsideGrant),
        (f"{STREET}009", "S0503", "理由", NoSuchArea),
        ("999", "S0503", "理由", OutsideGrant),
        (STREET, "", "理由", MatterMissing),
        (STREET, "X", "理由", MatterMissing),
        (STREET, "S0503", "  ", ReasonMissing),
        (STREET, "S0503", "长" * 2001, ReasonMissing),
        (STREET, "S0102", "理由", OnTheListAlready),
    ],
)
def test_a_request_says_what_where_and_why(district, staff, code, category, reason, refusal):
    with pytest.raises(refusal):
        service.ask(district, staff[Role.DEPARTMENT_HANDLER], code, category, reason)


def test_the_same_is_asked_once_and_never_for_the_whole_district(district, staff, asked):
    with pytest.raises(AskedAlready, match=str(asked.id)):
        service.ask(district, staff[Role.COMMAND_CENTRE], STREET, "S0503", "再提一次")
    with pytest.raises(WholeDistrict):
        service.ask(district, SYSTEM, "", "S0503", "全区")


def test_a_grant_has_a_first_day_that_has_not_passed_and_can_be_ended(district, staff, asked):
    centre = staff[Role.COMMAND_CENTRE]
    do(district, staff[Role.STREET_DISPATCHER], asked, Deed.ARGUE)
    for span, refusal in (
        ({}, BadSpan), ({"begins": date(2026, 9, 6)}, DayPassed),
        ({"begins": date(2026, 10, 2), "ends": date(2026, 10, 1)}, BadSpan),
    ):  # fmt: skip
        with pytest.raises(refusal):
            do(district, centre, asked, Deed.GRANT, **span)
    do(district, centre, asked, Deed.GRANT, begins=TODAY)
    with pytest.raises(DayPassed):
        do(district, centre, asked, Deed.END, ends=date(2026, 9, 1))
    with clock.travel(after(0, days=30)):
        do(district, centre, asked, Deed.END, "职责回收")
    assert asked.ends == date(2026, 10, 7)
    assert lists.owner_of(district, "S0503", GRID, date(2026, 10, 8)).lead == "燃气公司"


def test_what_was_said_and_decided_is_never_changed(district, staff, asked):
    do(district, staff[Role.COMMAND_CENTRE], asked, Deed.REFUSE, "不属于街道职责")
    for statement in (
        "UPDATE admission SET state = 'granted', begins = '2026-01-01'", "DELETE FROM admission",
        "UPDATE admission SET reason = ''", "UPDATE admission_deed SET note = ''", "DELETE FROM admission_deed",
    ):  # fmt: skip
        with pytest.raises(DBAPIError), district.begin_nested():
            district.execute(text(statement))
    assert lists.owner_of(district, "S0503", GRID).lead == "燃气公司"


def test_a_request_is_seen_where_it_touches(district, staff, asked):
    for role in (Role.GRID_MEMBER, Role.COMMUNITY_CLERK, Role.PLANNER):
        assert queries.page(district, staff[role]) == [asked]
    stranger = Actor(None, "far", (Grant(Role.COMMAND_CENTRE, "999"),))
    assert queries.page(district, stranger) == []
    assert queries.counts(district, stranger) == {}
    with pytest.raises(UnknownAdmission):
        do(district, stranger, asked, Deed.REFUSE)
