"""Tables of categories: read with every bad cell named, compared with what is in force, published whole."""

from datetime import date

import pytest
from little import CATEGORIES

from gridmgr import sheet
from gridmgr.category import queries, rules, service
from gridmgr.category.model import NoCategories, TitleTaken
from gridmgr.sheet import Format

CHINESE = (
    "编码,类型,名称,紧急程度,时限,时限单位,立案要件,简易,其他时限\n"
    "S0102,事件,暴露垃圾,1,4,工作时,照片、地址,是,fine:处罚::7 working_days；stop：停工：Stop：4 hours\n"
)


def read(table: str, name: str = "事项.csv") -> rules.CategoriesRead:
    return rules.read_categories(table.encode(), name)


def test_a_table_may_be_headed_and_filled_in_chinese():
    (row,) = read(CHINESE).rows
    assert (row["kind"], row["limit_unit"], row["simple"]) == ("event", "working_hours", True)
    assert (row["filing_needs"], row["closing_needs"], row["name_en"]) == (
        ["photo", "address"],
        [],
        "暴露垃圾",
    )
    assert [(each["key"], each["en"], each["amount"], each["unit"]) for each in row["further_limits"]] == [
        ("fine", "处罚", 7, "working_days"), ("stop", "Stop", 4, "hours"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("code", ""), ("code", "长" * 33), ("kind", "吃饭"), ("name_zh", ""), ("severity", "4"), ("severity", "1.5"),
        ("limit_amount", "-1"), ("limit_amount", "nan"), ("limit_unit", "weeks"), ("limit_unit", ""),
    ],
)  # fmt: skip
def test_every_cell_that_cannot_be_used_is_named(column, cell):
    head, good, bad = CATEGORIES
    cells = dict(zip(head.split(","), bad.split(","), strict=True)) | {column: cell}
    (error,) = read("\n".join((head, good, ",".join(cells.values())))).errors
    assert (error.details["row"], error.details["column"]) == (3, column)


@pytest.mark.parametrize(
    "limits", ["fine", "fine:处罚:Fine:7", "handle:处置::1 hours", "a:甲::1 hours;a:乙::1 hours"]
)
def test_further_limits_that_cannot_be_read_are_refused(limits):
    head, good, _other = CATEGORIES
    (error,) = read(f"{head},further_limits\n{good},{limits}\n").errors
    assert error.details["column"] == "further_limits"


def test_a_code_stands_once():
    head, good, _other = CATEGORIES
    (error,) = read("\n".join((head, good, good))).errors
    assert (error.details["row"], error.details["column"]) == (3, "code")


def test_what_is_taken_away_comes_back_the_same():
    rows = read(CHINESE).rows
    cells = [list(rules.category_cells(row).values()) for row in rows]
    for kind in Format:
        heads = [each.headings[1] for each in rules.category_columns().values()]
        content = b"".join(sheet.stream(kind, heads, cells))
        assert rules.read_categories(content, f"a.{kind}") == rules.CategoriesRead(rows, ())


@pytest.mark.db
def test_a_new_table_is_compared_with_the_one_in_force_on_its_first_day(district):
    head, rubbish, gas = CATEGORIES
    table = read("\n".join((head, rubbish.replace("环卫所", "城管局"), gas.replace("S0503", "S0504"))))
    changes = rules.category_changes(queries.in_force(district), table.rows)
    assert [(each.kind, (each.after or each.before)["code"]) for each in changes] == [
        ("changed", "S0102"), ("removed", "S0503"), ("added", "S0504"),
    ]  # fmt: skip
    service.publish(district, "二版", date(2026, 3, 1), table.rows)
    assert queries.by_code(district, "S0102", date(2026, 2, 28)).department == "环卫所"
    assert queries.by_code(district, "S0102", date(2026, 3, 1)).department == "城管局"
    with pytest.raises(TitleTaken):
        service.publish(district, "二版", date(2026, 3, 1), table.rows)
    with pytest.raises(NoCategories):
        service.publish(district, "三版", date(2026, 3, 1), [])
