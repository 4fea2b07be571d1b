"""E4 多网合一: party, city, security and migrant grids become one grid, each with its one list of members."""

import pytest
from little import STREET

from gridmgr import sheet
from gridmgr.account import queries as accounts
from gridmgr.account.model import NotGranted
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.duty import queries as duty
from gridmgr.one_grid import queries, rules, service
from gridmgr.sheet import BadSheet

pytestmark = pytest.mark.db
FIRST, SECOND = f"{STREET}001001", f"{STREET}001002"
LISTS = {
    "党建网格.csv": f"党建,{FIRST},王芳,13900000001\n党建,{SECOND},李强,13900000002\n",
    "城管网格.csv": f"城管,{FIRST},王芳,13900000001\n城管,{SECOND},赵敏,13900000003\n",
    "综治网格.csv": f"综治,{FIRST},王芳,13900000001\n综治,{SECOND},李强,13900000002\n",
    "流动人口网格.csv": f"流动人口,{FIRST},王芳,13900000001\n",
}


def merged(session, lists=None, by=SYSTEM):
    read = {
        file: sheet.read(f"条线,网格编码,姓名,电话\n{rows}".encode(), file, rules.TABLE)
        for file, rows in (lists or LISTS).items()
    }
    return service.merge(session, by, read)


def test_four_lists_become_one_list_of_each_grid_with_the_lines_kept(district):
    found = merged(district)
    assert (found.rows, len(found.opened), found.ended) == (7, 3, 0)
    first, second = queries.of(district, [FIRST, SECOND]).values()
    assert [(each.name, set(each.lines)) for each in first] == [
        ("王芳", {"党建", "城管", "综治", "流动人口"})
    ]
    assert {each.name: set(each.lines) for each in second} == {"李强": {"党建", "综治"}, "赵敏": {"城管"}}
    member = accounts.by_username(district, "wg13900000001")
    assert [(each.role, each.code) for each in member.grants] == [("grid_member", FIRST)]
    assert member.id in duty.seats(district).at([Role.GRID_MEMBER], FIRST)
    told = {(each.kind, each.code): each.what for each in found.hints}
    assert told == {("uncovered", SECOND): "流动人口", ("several", SECOND): "李强, 赵敏"}


def test_merged_again_nothing_changes_and_what_nobody_serves_any_more_ends(district):
    merged(district)
    again = merged(district)
    assert (again.opened, again.ended) == ((), 0)
    less = dict(LISTS) | {"城管网格.csv": f"城管,{FIRST},王芳,13900000001\n"}
    assert merged(district, less).ended == 1
    assert [each.name for each in queries.of(district, [SECOND])[SECOND]] == ["李强"]
    assert accounts.by_username(district, "wg13900000003").active  # nobody is closed by that


def test_what_the_lists_contradict_each_other_in_is_named_with_its_file(district):
    wrong = {
        "党建.csv": f"党建,{FIRST},王芳,139\n党建,{FIRST},王芳,139\n党建,{STREET}001,李强,138\n",
        "城管.csv": f"城管,{FIRST},王方,139\n城管,{SECOND},无名,\n",
    }
    with pytest.raises(BadSheet) as bad:
        merged(district, wrong)
    told = [(e.details["row"], e.details["column"], type(e.reason).__name__) for e in bad.value.errors]
    assert sorted(told) == sorted(
        [
            (3, "党建.csv · 条线", "LineTwice"), (4, "党建.csv · 网格编码", "NotAMicroGrid"),
            (2, "城管.csv · 姓名", "AnotherName"), (3, "城管.csv · 姓名", "NobodySaid"),
        ]
    )  # fmt: skip
    assert accounts.by_username(district, "wg139") is None
    merged(district, {"党建.csv": f"党建,{FIRST},王芳,139\n"})
    with pytest.raises(BadSheet, match="王芳"):
        merged(district, {"城管.csv": f"城管,{FIRST},王方,139\n"})


def test_only_an_administrator_merges(district, staff):
    with pytest.raises(NotGranted):
        merged(district, by=staff[Role.STREET_LEADER])
    assert list(queries.page(district, SYSTEM, STREET, 10)) == []
