"""E7 清单制: six lists for villages and grids with flow charts and guides; 照单履职、依单追责."""

import pytest
from climbing import MONDAY
from listing import draft, publish, row
from little import STREET

from gridmgr import clock
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM
from gridmgr.life.model import Action
from gridmgr.responsibility import queries, rules, service
from gridmgr.responsibility.model import ListKind, NotOnTheList, NotPublishable

pytestmark = pytest.mark.db
VILLAGE, NEXT = f"{STREET}001", f"{STREET}002"
LISTS = ("党建引领", "基层治理", "村级权力", "便民服务", "安全防范", "负面行为")


@pytest.fixture
def villages(district):
    for n, name in enumerate(LISTS, start=1):
        rows = [
            row(f"C{n}{m:02}", f"{name}事项{m}", "S0102" if (n, m) == (2, 1) else "", "村民委员会",
                flow="申请→受理→公示→办结", guide=f"{name}办事指南{m}", aliases="门前三包" if (n, m) == (2, 1) else "")
            for m in range(1, 11)
        ]  # fmt: skip
        publish(district, ListKind.VILLAGE, VILLAGE, rows, name=f"{name}清单")
    with clock.travel(MONDAY):
        yield district


def test_a_village_has_six_lists_each_item_with_its_flow_and_guide(villages, staff):
    found = queries.summaries(villages, staff[Role.GRID_MEMBER], "village", VILLAGE)
    assert sorted(each.list.name for each in found) == sorted(f"{name}清单" for name in LISTS)
    assert [each.items for each in found] == [10] * 6
    for each in found:
        for item in queries.edition(villages, staff[Role.GRID_MEMBER], each.edition.id).items:
            assert rules.steps(item.flow) == ["申请", "受理", "公示", "办结"]
            assert item.guide
            assert item.territorial


def test_an_item_without_flow_or_guide_is_not_published(villages):
    bare = draft(villages, ListKind.VILLAGE, NEXT, [row("C1", "建房", lead="村委会", flow="申请→办结")])
    with pytest.raises(NotPublishable) as refused:
        service.publish(villages, SYSTEM, bare.id, MONDAY.date())
    assert [fault.items for fault in refused.value.faults] == [("C1",)]


def test_who_types_what_villagers_say_finds_the_item_and_how_it_is_done(villages):
    found = queries.whose(villages, "门前三包", f"{VILLAGE}001")
    alone = next(each for each in found if each.category is None)
    assert (alone.owner.item, alone.owner.lead, alone.owner.row.guide) == (
        "C201 基层治理事项1", "村民委员会", "基层治理办事指南1",
    )  # fmt: skip
    assert all(each.category for each in queries.whose(villages, "门前三包", f"{NEXT}001"))


def test_a_village_works_by_its_list_and_by_nothing_else(desk, villages):
    publish(villages, ListKind.TERRITORIAL, STREET, [row("T1", "燃气", "S0503", "荷花池街道")])
    case = desk.report()
    desk.move(case, MONDAY, Action.ACCEPT)
    with pytest.raises(NotOnTheList):  # the next village has no such list
        desk.move(case, MONDAY, Action.DISPATCH, handler="乙村", handler_code=NEXT)
    desk.move(case, MONDAY, Action.DISPATCH, handler="甲村", handler_code=VILLAGE)
    assert case.handler_code == VILLAGE
