"""Lists without a database: how rows are read, which item answers, what forbids publishing."""

from datetime import date

import pytest
from listing import HEADS, row

from gridmgr.responsibility import rules
from gridmgr.responsibility.model import ListEdition, ListItem, ListKind, ResponsibilityList, facts
from gridmgr.responsibility.rules import Listed

CODES = ["S0101", "S0102", "S0503"]
NAMES = {"S0101": "占道", "S0102": "垃圾", "S0503": "燃气"}
DAY = date(2026, 1, 1)


def listed(kind: ListKind, rows: list[str], code: str = "", n: int = 1, effective: date = DAY) -> Listed:
    read = rules.read_items((HEADS + "\n".join(rows)).encode(), "list.csv", kind, CODES)
    assert not read.errors, [str(each) for each in read.errors]
    items = [ListItem(edition_id=n, **each) for each in read.rows]
    edition = ListEdition(id=n, list_id=n, title=f"清单{n}", effective=effective)
    return Listed(ResponsibilityList(id=n, kind=kind, code=code, name=""), edition, items)


def lead(category: str, unit: str, *lists: Listed) -> str | None:
    found = rules.answer(category, unit, lists, [])
    return found and found[1].lead


def test_the_nearest_area_goes_first_and_then_the_longest_beginning():
    district = listed(
        ListKind.DIVISION, [row("1", "环境", "S01", "城管局"), row("2", "垃圾", "S0102", "环卫所")]
    )
    street = listed(ListKind.TERRITORIAL, [row("1", "市容", "S01", "街道办")], "510106001", 2)
    assert lead("S0102", "510106002001001", district, street) == "环卫所"
    assert lead("S0101", "510106002001001", district, street) == "城管局"
    assert lead("S0102", "510106001001001", district, street) == "街道办"
    assert lead("S0503", "510106001001001", district, street) is None


def test_what_was_handed_down_goes_before_the_division_of_duties_and_powers_own_nothing():
    division = listed(ListKind.DIVISION, [row("1", "垃圾", "S0102", "环卫所")])
    handed = listed(
        ListKind.HANDED_DOWN, [row("9", "垃圾处罚", "S0102", "街道办", handed_from="环卫所")], n=2
    )
    powers = listed(ListKind.POWERS, [row("9", "处罚权", "S0102;S0503", "执法局")], n=3)
    assert lead("S0102", "510106001", division, handed, powers) == "街道办"
    assert lead("S0503", "510106001", division, handed, powers) is None
    assert rules.faults(handed, [division], NAMES) == []


def test_a_later_edition_follows_and_a_retired_one_leaves_nothing():
    first = listed(ListKind.TERRITORIAL, [row("1", "垃圾", "S0102")])
    second = listed(ListKind.TERRITORIAL, [row("1", "垃圾", "S0102")], n=2, effective=date(2026, 3, 1))
    second = Listed(first.list, second.edition, second.items)
    held = [rules.in_force([first, second], day)[0] for day in (DAY, date(2026, 2, 28), date(2026, 3, 1))]
    assert held == [first, first, second]
    second.edition.retired_on = date(2026, 5, 1)
    assert rules.in_force([first, second], date(2026, 4, 30)) == [second]
    assert rules.in_force([first, second], date(2026, 5, 1)) == []
    assert rules.in_force([first, second], date(2025, 1, 1)) == []


def test_a_gap_and_a_double_owner_are_named():
    draft = listed(
        ListKind.DIVISION,
        [row("A1", "垃圾清运", "S0102", "环卫所"), row("A2", "垃圾执法", "S0102、S0101", "城管局")],
    )
    told = {(fault.items, fault.category): str(fault.reason) for fault in rules.faults(draft, [], NAMES)}
    assert set(told) == {(("A1", "A2"), "S0102"), ((), "S0503")}
    assert "A1 垃圾清运 (环卫所) and A2 垃圾执法 (城管局)" in told[("A1", "A2"), "S0102"]
    assert "燃气" in told[(), "S0503"]


def test_two_lists_of_one_area_do_not_name_two_owners():
    division = listed(ListKind.DIVISION, [row("1", "垃圾", "S0102", "环卫所")])
    rival = listed(ListKind.TERRITORIAL, [row("T1", "垃圾", "S0102", "街道办")], n=2)
    (fault,) = rules.faults(rival, [division], NAMES)
    assert fault.items == ("T1", "1")
    same = listed(ListKind.TERRITORIAL, [row("T1", "垃圾", "S0102", "环卫所")], n=2)
    elsewhere = listed(ListKind.TERRITORIAL, [row("T1", "垃圾", "S0102", "街道办")], "510106001", n=2)
    assert rules.faults(same, [division], NAMES) == rules.faults(elsewhere, [division], NAMES) == []
    county = listed(ListKind.TERRITORIAL, [row("T1", "垃圾", "S0102", "街道办")], "510106", n=2)
    assert len(rules.faults(county, [division], NAMES, "51010600")) == 1  # it holds the whole district, too


def test_what_is_handed_down_in_a_circle_is_named():
    first = listed(ListKind.HANDED_DOWN, [row("H1", "市容处罚", "S01", "街道办", handed_from="城管局")])
    back = listed(
        ListKind.HANDED_DOWN,
        [row("H7", "垃圾处罚", "S0102", "执法队", handed_from="街道办"),
         row("H8", "垃圾复查", "S0102", "城管局", handed_from="执法队")],
        "510106001", 2,
    )  # fmt: skip
    (fault,) = [each for each in rules.faults(back, [first], NAMES) if "circle" in str(each.reason)]
    assert set(fault.items) == {"H1", "H7", "H8"}
    assert fault.category == "S0102"
    far = Listed(
        ResponsibilityList(id=3, kind="handed_down", code="999", name=""), first.edition, first.items
    )
    assert not any("circle" in str(each.reason) for each in rules.faults(back, [far], NAMES))


def test_a_power_without_a_matter_is_handed_in_a_circle_by_its_code():
    draft = listed(
        ListKind.HANDED_DOWN,
        [row("H1", "许可", "", "街道办", handed_from="资规局")],
    )
    back = listed(
        ListKind.HANDED_DOWN, [row("H1", "许可", "", "资规局", handed_from="街道办")], "510106001", 2
    )
    (fault,) = rules.faults(back, [draft], NAMES)
    assert fault.items == ("H1", "H1")


def test_a_village_list_has_flows_and_guides():
    draft = listed(
        ListKind.VILLAGE,
        [
            row("V1", "建房审批", lead="村委会"),
            row("V2", "低保", lead="村委会", flow="申请→评议", guide="带户口本"),
        ],
    )
    (fault,) = rules.faults(draft, [], NAMES)
    assert fault.items == ("V1",)


@pytest.mark.parametrize(
    ("kind", "bad", "column"),
    [
        (ListKind.TERRITORIAL, row("", "垃圾"), "code"),
        (ListKind.TERRITORIAL, row("1", ""), "name"),
        (ListKind.TERRITORIAL, row("1", "垃圾", lead=""), "lead"),
        (ListKind.TERRITORIAL, row("1", "垃圾", "Z9"), "categories"),
        (ListKind.TERRITORIAL, row("1", "垃圾", level="省里"), "level"),
        (ListKind.TERRITORIAL, row("1", "垃圾", amount="4"), "unit"),
        (ListKind.TERRITORIAL, row("1", "垃圾", amount="-4", unit="working_hours"), "amount"),
        (ListKind.HANDED_DOWN, row("1", "垃圾"), "handed_from"),
        (ListKind.HANDED_DOWN, row("1", "垃圾", lead="街道", handed_from="街道"), "handed_from"),
        (ListKind.POWERS, row("1", "长" * 201), "name"),
        (ListKind.POWERS, row("0", "两次"), "code"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_row_and_column(kind, bad, column):
    good = row("0", "好的", handed_from="市局")
    read = rules.read_items((HEADS + good + "\n" + bad).encode(), "list.csv", kind, CODES)
    (error,) = read.errors
    assert (error.details["row"], error.details["column"]) == (3, column)


def test_headings_may_be_chinese_and_several_values_stand_in_one_cell():
    heads = "事项编码,事项名称,事项类别,牵头单位,配合单位,责任层级,时限,时限单位,别名,备注"
    content = f"{heads}\nX1,垃圾,S0102；S0101,街道,城管局、社区,社区,2,工作日,脏乱差,无"
    read = rules.read_items(content.encode("gb18030"), "list.csv", ListKind.TERRITORIAL, CODES)
    (item,) = read.rows
    assert item["categories"] == ["S0102", "S0101"]
    assert item["cooperating"] == ["城管局", "社区"]
    assert (item["level"], item["unit"], item["aliases"]) == ("community", "working_days", ["脏乱差"])
    assert read.ignored == ("备注",)


def test_two_editions_are_compared_field_by_field():
    before = listed(ListKind.TERRITORIAL, [row("1", "垃圾", "S0102"), row("2", "占道", "S0101")])
    after = listed(
        ListKind.TERRITORIAL,
        [row("1", "垃圾", "S0102", "街道办", clause="第四条"), row("3", "燃气", "S0503")],
    )
    found = rules.compare(map(facts, before.items), map(facts, after.items))
    assert [(kind, code) for kind, code, _, _ in found] == [
        ("changed", "1"),
        ("removed", "2"),
        ("added", "3"),
    ]
    assert found[0][3] == [("lead", "环卫所", "街道办"), ("clause", "", "第四条")]
