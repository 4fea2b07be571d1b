"""Lists in the database: drafted, published, retired; whose a matter is; what may be pushed down; what cases keep."""

from datetime import date

import pytest
from climbing import MONDAY, after
from listing import draft, publish, row
from little import STREET
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from gridmgr import clock
from gridmgr.account.model import NoSuchArea, NotGranted, Role
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as matters
from gridmgr.category.model import UnknownCategory
from gridmgr.category.service import publish as publish_matters
from gridmgr.incident import queries as incidents
from gridmgr.incident import service as incident
from gridmgr.incident.model import Move
from gridmgr.life.model import Action, State
from gridmgr.organisation import service as bodies
from gridmgr.organisation.model import BodyKind, Described
from gridmgr.responsibility import queries, service
from gridmgr.responsibility.model import (
    BeforeTheLast,
    DayPassed,
    ListKind,
    NoItems,
    NoOwner,
    NotInForce,
    NotOnTheList,
    NotPublishable,
    PublishedAlready,
    UnknownEdition,
)
from gridmgr.sheet import BadSheet
from gridmgr.simulation.samples import category_rows

pytestmark = pytest.mark.db
GRID = f"{STREET}001001"
ALL = [
    row(
        "D1", "生活垃圾清运", "S0102", "环卫所", cooperating="城管局；街道办", clause="条例第七条",
        flow="受理→清运→核查", guide="拨打环卫热线", aliases="垃圾没人收；脏乱差",
    ),
    row("D2", "燃气安全", "S0503", "住建局"),
]  # fmt: skip


@pytest.fixture
def division(district):
    return publish(district, ListKind.DIVISION, "510106", ALL)


@pytest.fixture
def territorial(district):
    return publish(district, ListKind.TERRITORIAL, STREET, [row("T1", "门前垃圾", "S0102", "荷花池街道办")])


@pytest.fixture
def today(district):
    with clock.travel(MONDAY):
        yield


def test_without_lists_the_category_names_the_owner(district, today):
    found = queries.owner_of(district, "S0102", GRID)
    assert (found.lead, found.item, found.clause, found.edition, found.territorial) == (
        "环卫所",
        "",
        "",
        "",
        False,
    )
    with pytest.raises(UnknownCategory):
        queries.owner_of(district, "nonsense", GRID)


def test_one_owner_with_lead_cooperating_bodies_item_and_clause(district, division, today):
    found = queries.owner_of(district, "S0102", GRID)
    assert (found.lead, found.cooperating, found.item) == ("环卫所", ("城管局", "街道办"), "D1 生活垃圾清运")
    assert (found.clause, found.edition, found.territorial) == ("条例第七条", division.title, False)
    publish_matters(district, "旧表", date(2025, 1, 1), category_rows())
    assert queries.owner_of(district, "S0102", GRID, date(2025, 12, 31)).item == ""


def test_the_streets_own_list_goes_before_the_districts(district, division, territorial, today):
    found = queries.owner_of(district, "S0102", GRID)
    assert (found.lead, found.territorial) == ("荷花池街道办", True)
    assert queries.owner_of(district, "S0503", GRID).lead == "住建局"


def test_a_matter_a_whole_division_has_forgotten_belongs_to_nobody(district, division, today):
    publish_matters(district, "新表", date(2026, 5, 1), category_rows())
    with pytest.raises(NoOwner):
        queries.owner_of(district, "B0101", GRID)


def test_an_edition_with_a_gap_and_a_double_owner_is_refused_at_publication(district, today):
    rows = [row("D1", "垃圾清运", "S0102", "环卫所"), row("D2", "垃圾执法", "S0102", "城管局")]
    bad = draft(district, ListKind.DIVISION, "", rows)
    with pytest.raises(NotPublishable, match="2 faults") as refused:
        service.publish(district, SYSTEM, bad.id, clock.today())
    told = [(each.items, each.category) for each in refused.value.faults]
    assert told == [(("D1", "D2"), "S0102"), ((), "S0503")]
    assert bad.published_at is None
    assert queries.owner_of(district, "S0102", GRID).item == ""


def test_a_rival_list_that_begins_later_is_found_too(district, division, today):
    service.retire(district, SYSTEM, division.id, date(2026, 11, 1), "改版")
    publish(
        district, ListKind.TERRITORIAL, "510106", [row("T1", "垃圾", "S0102", "街道办")], date(2026, 12, 1)
    )
    again = draft(district, ListKind.DIVISION, "510106", ALL)
    with pytest.raises(NotPublishable) as refused:
        service.publish(district, SYSTEM, again.id, date(2026, 11, 1))
    assert refused.value.faults[0].items == ("D1", "T1")


def test_a_published_edition_is_never_changed(district, division):
    for statement in (
        "UPDATE list_item SET lead = '别人'",
        "DELETE FROM list_item",
        "INSERT INTO list_item SELECT 99999, edition_id, 9, 'new', name, categories, lead, cooperating, level,"
        " handed_from, clause, flow, guide, filing_condition, closing_condition, amount, unit, evidence, aliases"
        " FROM list_item LIMIT 1",
        "UPDATE list_edition SET title = '别的'",
        "UPDATE list_edition SET effective = '2020-01-01'",
        "DELETE FROM list_edition",
        "TRUNCATE list_item CASCADE",
    ):
        with pytest.raises(DBAPIError), district.begin_nested():
            district.execute(text(statement))
    with pytest.raises(PublishedAlready):
        service.discard(district, SYSTEM, division.id)
    with pytest.raises(PublishedAlready):
        service.publish(district, SYSTEM, division.id, date(2026, 3, 1))


def test_a_draft_can_be_thrown_away_and_only_managers_see_it(district, staff):
    kept = draft(district, ListKind.POWERS, "", [row("P1", "处罚权")])
    with pytest.raises(UnknownEdition):
        queries.edition(district, staff[Role.DEPARTMENT_HANDLER], kept.id)
    with pytest.raises(UnknownEdition):  # its command centre has the street only
        service.publish(district, staff[Role.COMMAND_CENTRE], kept.id, date(2026, 1, 1))
    service.discard(district, SYSTEM, kept.id)
    with pytest.raises(UnknownEdition):
        queries.edition(district, SYSTEM, kept.id)


def test_a_list_that_cannot_be_used_is_not_kept(district, staff):
    for kind, rows, refusal in (
        (ListKind.POWERS, [], NoItems), (ListKind.TERRITORIAL, [row("T1", "怪事", "Z9")], BadSheet),
    ):  # fmt: skip
        with pytest.raises(refusal):
            draft(district, kind, STREET, rows)
    with pytest.raises(NoSuchArea):
        draft(district, ListKind.POWERS, "999", [row("P1", "处罚权")])
    with pytest.raises(NotGranted):
        draft(district, ListKind.POWERS, STREET, [row("P1", "处罚权")], actor=staff[Role.STREET_DISPATCHER])
    assert queries.summaries(district, SYSTEM) == []


def test_a_later_edition_follows_and_retiring_leaves_none(district, territorial, today):
    with pytest.raises(BeforeTheLast):
        publish(district, ListKind.TERRITORIAL, STREET, [row("T1", "垃圾", "S0102")], date(2025, 1, 1))
    second = publish(district, ListKind.TERRITORIAL, STREET, [row("T1", "燃气", "S0503")], date(2026, 10, 1))
    assert [each.edition.id for each in queries.in_force(district)] == [territorial.id]
    assert [each.edition.id for each in queries.in_force(district, date(2026, 10, 1))] == [second.id]
    with pytest.raises(DayPassed):
        service.retire(district, SYSTEM, territorial.id, date(2026, 1, 5), "")
    with pytest.raises(NotInForce):
        service.retire(district, SYSTEM, territorial.id, date(2026, 10, 2), "")
    service.retire(district, SYSTEM, second.id, date(2026, 12, 1), "机构改革")
    with pytest.raises(NotInForce):
        service.retire(district, SYSTEM, second.id, date(2026, 12, 1), "")
    assert queries.in_force(district, date(2026, 12, 1)) == []


def move(desk, case, action: Action, actor, **payload) -> None:
    desk.at(after(1), lambda: incident.move(desk.session, actor, case.number, action, payload))


def gas(desk) -> int:
    return matters.by_code(desk.session, "S0503", date(2026, 9, 7)).id


def test_nothing_outside_the_list_is_pushed_down(desk, staff, territorial):
    centre = SYSTEM
    case = desk.report(category_id=gas(desk))
    desk.move(case, MONDAY, Action.ACCEPT, centre)
    move(desk, case, Action.HAND_UP, centre, level="district", note="街道办不了")
    seq = case.last_seq
    for level in ("street", "community", "micro_grid"):
        with pytest.raises(NotOnTheList, match=r"S0503 燃气管道破裂.*territorial清单.*admission"):
            move(desk, case, Action.HAND_DOWN, centre, level=level, note="属地负责")
    with pytest.raises(NotOnTheList):
        move(desk, case, Action.DISPATCH, centre, handler="甲社区", handler_code=f"{STREET}001")
    assert (case.last_seq, case.level, case.state) == (seq, "district", State.ACCEPTED)
    move(desk, case, Action.DISPATCH, centre, handler="燃气公司")
    with pytest.raises(NotOnTheList):
        move(desk, case, Action.REDIRECT, centre, handler="甲社区", handler_code=f"{STREET}001", note="改派")
    refused = incident.move_many(
        desk.session,
        [Move(centre, case.number, Action.HAND_DOWN, {"level": "street", "note": "属地"}, after(2))],
    )
    assert isinstance(refused[0], NotOnTheList)


def test_a_streets_command_room_is_the_street(desk, territorial):
    room = Described("荷花池指挥室", BodyKind.COMMAND_ROOM, aliases=("指挥室",), territory=STREET)
    bodies.found(desk.session, SYSTEM, room, lambda codes: ())
    case = desk.report(category_id=gas(desk))
    desk.move(case, MONDAY, Action.ACCEPT)
    with pytest.raises(NotOnTheList):
        desk.move(case, MONDAY, Action.DISPATCH, handler="指挥室")
    other = desk.report()
    desk.move(other, MONDAY, Action.ACCEPT)
    desk.move(other, MONDAY, Action.DISPATCH, handler="指挥室")
    assert other.handler == "荷花池指挥室"


def test_what_is_on_the_list_goes_down_and_a_district_without_lists_works_as_before(desk, staff, district):
    without = desk.report(category_id=gas(desk))
    desk.move(without, MONDAY, Action.ACCEPT)
    desk.move(without, MONDAY, Action.DISPATCH, handler="甲社区", handler_code=f"{STREET}001")
    publish(district, ListKind.TERRITORIAL, "510106", [row("T1", "垃圾", "S0102", "街道办")])
    on_it = desk.report()
    desk.move(on_it, MONDAY, Action.ACCEPT)
    desk.move(on_it, MONDAY, Action.HAND_UP, level="district", note="上报")
    desk.move(on_it, MONDAY, Action.HAND_DOWN, level="street", note="在清单内")
    desk.move(on_it, MONDAY, Action.DISPATCH, handler="甲社区", handler_code=f"{STREET}001")
    assert (on_it.level, on_it.handler_code) == ("street", f"{STREET}001")


def test_grid_services_are_given_to_the_grid(desk, district, territorial):
    publish(district, ListKind.GRID_SERVICES, STREET, [row("G1", "燃气入户提醒", "S0503", "网格")])
    case = desk.report(category_id=gas(desk))
    desk.move(case, MONDAY, Action.ACCEPT)
    desk.move(case, MONDAY, Action.DISPATCH, handler="第1微网格", handler_code=GRID)
    assert case.handler_code == GRID


def test_an_accepted_case_keeps_its_item_whatever_becomes_of_the_list(desk, district, division):
    case = desk.report()
    desk.move(case, MONDAY, Action.ACCEPT)
    with clock.travel(after(2)):
        changed = [ALL[0].replace("条例第七条", "条例第九条"), ALL[1]]
        publish(district, ListKind.DIVISION, "510106", changed, date(2026, 9, 7))
        assert queries.owner_of(district, "S0102", GRID).clause == "条例第九条"
    found = queries.of_case(district, case.id)
    assert (found.clause, found.edition_id) == ("条例第七条", division.id)
    assert incidents.history(district, case.id)[1].payload["item"] == found.row.id
    with pytest.raises(DBAPIError), district.begin_nested():
        district.execute(text("UPDATE case_item SET item_id = item_id + 1"))
    desk.move(case, after(3), Action.DISPATCH)
    desk.move(case, after(3), Action.SEND_BACK, note="不是我们的")
    assert queries.of_case(district, case.id).edition_id == division.id
    assert queries.of_case(district, desk.report().id) is None


def test_moving_asks_the_database_no_more_than_without_lists(desk, district, division, territorial):
    def moving() -> list[str]:
        case = desk.report()
        asked = []
        connection = district.connection()

        def listen(_connection, _cursor, statement, *_more) -> None:
            asked.append(statement)

        event.listen(connection, "before_cursor_execute", listen)
        desk.move(case, MONDAY, Action.ACCEPT)
        desk.move(case, MONDAY, Action.HAND_UP, level="district", note="上报")
        desk.move(case, MONDAY, Action.HAND_DOWN, level="street", note="在清单内")
        event.remove(connection, "before_cursor_execute", listen)
        return [
            each for each in asked if "list_item" in each or "list_edition" in each or "admission" in each
        ]

    moving()
    assert [each.split()[0] for each in moving()] == []


def test_whose_is_found_by_what_people_call_it(district, division, territorial, today):
    publish(
        district,
        ListKind.POWERS,
        "510106",
        [row("P1", "占用城市道路许可", lead="执法局", aliases="占道摆摊许可")],
    )
    first = queries.whose(district, "脏乱差")[0]
    assert (first.category.code, first.owner.lead) == ("S0102", "荷花池街道办")
    assert [each.guide for each in first.items] == ["拨打环卫热线", ""]
    power = queries.whose(district, "占道摆摊")[0]
    assert (power.category, power.owner.row.code, power.owner.lead) == (None, "P1", "执法局")
    assert queries.whose(district, "垃圾", STREET)[0].owner.lead == "荷花池街道办"
    assert queries.whose(district, "燃气", GRID)[0].owner.lead == "住建局"
    assert queries.whose(district, "？") == []
