"""A7 属地管理事项责任清单: a town publishes what it answers for, the first 102 items; all else is its departments'."""

from datetime import date

import pytest
from climbing import MONDAY
from listing import HEADS, publish, row
from little import STREET

from gridmgr import clock, sheet
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as categories
from gridmgr.category import service as matters
from gridmgr.life.model import Action
from gridmgr.responsibility import queries, rules, service
from gridmgr.responsibility.model import ListKind, NotOnTheList, facts
from gridmgr.simulation.samples import category_rows

pytestmark = pytest.mark.db
TOWN = "荷花池街道"
GRID = f"{STREET}001001"
OWN = [each["code"] for each in category_rows() if each["code"].startswith(("S04", "P01", "P04"))]


def items(clause: str = "第一批") -> list[str]:
    """102 items: those that cover a matter of the table, and duties that cover none."""
    named = {each["code"]: each["name_zh"] for each in category_rows()}
    found = [row(f"SD{n:03}", named[code], code, TOWN, clause=clause) for n, code in enumerate(OWN, start=1)]
    rest = (row(f"SD{n:03}", f"属地管理事项{n}", "", TOWN, clause=clause) for n in range(len(OWN) + 1, 103))
    return [*found, *rest]


@pytest.fixture
def town(district):
    matters.publish(district, "事项表", date(2026, 1, 1), category_rows())
    with clock.travel(MONDAY):
        yield district


def test_the_first_102_items_come_from_a_spreadsheet_and_everybody_can_read_them(town, staff):
    table = [line.split(",") for line in items()]
    content = b"".join(sheet.stream(sheet.Format.XLSX, HEADS.strip().split(","), table))
    read = rules.read_items(content, "属地清单.xlsx", ListKind.TERRITORIAL, OWN)
    kept = service.draft(
        town, staff[Role.ADMIN], ListKind.TERRITORIAL, STREET, "属地管理事项责任清单（第一批）", read
    )
    service.publish(town, staff[Role.ADMIN], kept.id, date(2026, 3, 1))
    shown = queries.edition(town, staff[Role.GRID_MEMBER], kept.id)
    assert (len(shown.items), shown.edition.published_by) == (102, "admin")
    ours = [
        each["code"] for each in category_rows() if queries.owner_of(town, each["code"], GRID).territorial
    ]
    assert sorted(ours) == sorted(OWN)
    assert queries.owner_of(town, "S0102", GRID).lead == "环卫所"


def test_a_department_can_push_down_what_is_on_the_list_and_nothing_else(desk, town):
    publish(town, ListKind.TERRITORIAL, STREET, items())
    told = {each.code: each.id for each in categories.in_force(town)}
    for code, allowed in (("P0101", True), ("S0503", False)):
        case = desk.report(category_id=told[code])
        desk.move(case, MONDAY, Action.CONFIRM, found=True)
        desk.move(case, MONDAY, Action.ACCEPT)
        desk.move(case, MONDAY, Action.HAND_UP, level="district", note="报区里")
        if allowed:
            desk.move(case, MONDAY, Action.HAND_DOWN, level="street", note="清单内")
        else:
            with pytest.raises(NotOnTheList):
                desk.move(case, MONDAY, Action.HAND_DOWN, level="street", note="属地管理")
        assert case.level == ("street" if allowed else "district")


def test_the_next_edition_says_what_it_changes_and_an_old_case_keeps_the_one_it_had(desk, town):
    first = publish(town, ListKind.TERRITORIAL, STREET, items())
    code = {each.code: each.id for each in categories.in_force(town)}["P0101"]
    case = desk.report(category_id=code)
    desk.move(case, MONDAY, Action.CONFIRM, found=True)
    desk.move(case, MONDAY, Action.ACCEPT)
    changed = [*items()[1:], row("SD103", "新增事项", "", TOWN)]
    changed[-2] = changed[-2].replace("第一批", "第二批")
    second = publish(town, ListKind.TERRITORIAL, STREET, changed, MONDAY.date())
    before, after = (map(facts, queries.edition(town, SYSTEM, each.id).items) for each in (first, second))
    kinds = [each[0] for each in rules.compare(before, after)]
    assert sorted(kinds) == ["added", "changed", "removed"]
    assert queries.of_case(town, case.id).edition_id == first.id
    assert queries.owner_of(town, "P0101", GRID).edition == second.title
