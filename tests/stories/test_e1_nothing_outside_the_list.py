"""E1 五化抓统: 82 items of 17 departments, 140 powers, 448 handed-down items; nothing outside is pushed to a town."""

from datetime import date

import pytest
from climbing import MONDAY
from listing import draft, publish, row
from little import STREET

from gridmgr import clock
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as categories
from gridmgr.category import service as matters
from gridmgr.life.model import Action
from gridmgr.responsibility import queries, service
from gridmgr.responsibility.model import ListKind, NotOnTheList, NotPublishable
from gridmgr.simulation.samples import category_rows

pytestmark = pytest.mark.db
TOWN, GRID = "罗阳镇", f"{STREET}001001"
DEPARTMENTS = [f"县级部门{n:02}" for n in range(1, 18)]
CODES = [each["code"] for each in category_rows()]
ON_IT, OFF_IT = CODES[:60], CODES[60:]
SERVED = OFF_IT[-1]  # grid members do it, though it is no territorial item


@pytest.fixture
def town(district):
    matters.publish(district, "事项表", date(2026, 1, 1), category_rows())
    territorial = [
        row(
            f"SD{n:03}",
            f"属地事项{n}",
            CODES[n - 1] if n <= 60 else "",
            TOWN,
            cooperating=DEPARTMENTS[n % 17],
        )
        for n in range(1, 83)
    ]
    handed = [
        row(f"XF{n:03}", f"下放事项{n}", "", TOWN, handed_from=DEPARTMENTS[n % 17]) for n in range(1, 449)
    ]
    powers = [row(f"QL{n:03}", f"权力{n}", "", DEPARTMENTS[n % 17]) for n in range(1, 141)]
    services = [row(f"FW{n:03}", f"服务{n}", SERVED if n == 1 else "", "网格") for n in range(1, 262)]
    for kind, rows in (
        (ListKind.TERRITORIAL, territorial), (ListKind.HANDED_DOWN, handed), (ListKind.POWERS, powers),
        (ListKind.GRID_SERVICES, services),
    ):  # fmt: skip
        publish(district, kind, "510106", rows)
    with clock.travel(MONDAY):
        yield district


def test_all_lists_are_in_force_beside_each_other(town):
    counts = {each.list.kind: each.items for each in queries.summaries(town, SYSTEM)}
    assert counts == {"territorial": 82, "handed_down": 448, "powers": 140, "grid_services": 261}
    items = next(each.items for each in queries.in_force(town) if each.list.kind == "territorial")
    assert {body for item in items for body in item.cooperating} == set(DEPARTMENTS)


def test_nothing_outside_the_list_is_pushed_down_to_the_town(desk, town):
    for code in (*ON_IT[::12], *OFF_IT[::4], SERVED):
        case = desk.report(category_id=categories.by_code(town, code).id)
        desk.move(case, MONDAY, Action.CONFIRM, found=True)
        desk.move(case, MONDAY, Action.ACCEPT)
        desk.move(case, MONDAY, Action.HAND_UP, level="district", note="报县里")
        before = case.last_seq
        if code in ON_IT or code == SERVED:
            desk.move(case, MONDAY, Action.HAND_DOWN, level="street", note="在清单内")
            assert case.level == "street"
            continue
        for action, told in (
            (Action.HAND_DOWN, {"level": "street", "note": "属地管理"}),
            (Action.HAND_DOWN, {"level": "micro_grid", "note": "属地管理"}),
            (Action.DISPATCH, {"handler": "甲社区", "handler_code": f"{STREET}001"}),
        ):
            with pytest.raises(NotOnTheList, match=code):
                desk.move(case, MONDAY, action, **told)
        assert (case.level, case.last_seq) == ("district", before)
        desk.move(case, MONDAY, Action.DISPATCH, handler="县级部门01")


def test_a_department_cannot_get_back_by_a_list_what_it_handed_down(town):
    back = draft(
        town, ListKind.HANDED_DOWN, STREET,
        [row("XF001", "下放事项1", "", DEPARTMENTS[5], handed_from=TOWN),
         row("XF002", "下放事项2", "", DEPARTMENTS[2], handed_from=TOWN),
         row("XF900", "新的事项", "", "村委会", handed_from=TOWN)],
    )  # fmt: skip
    with pytest.raises(NotPublishable, match="1 faults") as refused:
        service.publish(town, SYSTEM, back.id, MONDAY.date())
    (fault,) = refused.value.faults
    assert fault.items == ("XF002", "XF002")
    assert f"{TOWN} → {DEPARTMENTS[2]} → {TOWN}" in str(fault.reason)


def test_when_the_list_is_retired_the_town_is_as_it_was(desk, town):
    held = next(each for each in queries.in_force(town) if each.list.kind == "territorial")
    service.retire(town, SYSTEM, held.edition.id, MONDAY.date(), "清单修订")
    case = desk.report(category_id=categories.by_code(town, OFF_IT[0]).id)
    desk.move(case, MONDAY, Action.CONFIRM, found=True)
    desk.move(case, MONDAY, Action.ACCEPT)
    desk.move(case, MONDAY, Action.DISPATCH, handler="甲社区", handler_code=f"{STREET}001")
    assert case.handler_code == f"{STREET}001"
    assert queries.owner_of(town, OFF_IT[0], GRID).lead == categories.by_code(town, OFF_IT[0]).department
