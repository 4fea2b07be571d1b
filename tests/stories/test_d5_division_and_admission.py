"""D5 职责边界清单 + 准入机制: 1,566 items divide county and town; what is not on the list needs admission."""

import time
from datetime import date

import pytest
from climbing import MONDAY, after
from listing import draft, publish, row
from little import STREET

from gridmgr import clock
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM
from gridmgr.admission import service as admission
from gridmgr.admission.model import Deed, NotHeard, OwnRequest
from gridmgr.category import queries as categories
from gridmgr.category import service as matters
from gridmgr.life.model import Action
from gridmgr.responsibility import queries, service
from gridmgr.responsibility.model import ListKind, NotOnTheList, NotPublishable
from gridmgr.simulation.samples import category_rows

pytestmark = pytest.mark.db
ITEMS, GRID = 1566, f"{STREET}001001"
CODES = [f"N{n:04}" for n in range(1, ITEMS + 1)]
TODAY = MONDAY.date()


def division() -> list[str]:
    """Every matter once: nine in ten a department's, each tenth the town's."""
    return [
        row(f"ZZ{n:04}", f"事项{n}", code, "荷花池街道" if n % 10 == 0 else f"区级部门{n % 17 + 1}",
            level="street" if n % 10 == 0 else "department", cooperating="荷花池街道" if n % 10 else "区级部门1")
        for n, code in enumerate(CODES, start=1)
    ]  # fmt: skip


@pytest.fixture
def county(district):
    usual = category_rows()[0] | {"filing_needs": [], "closing_needs": [], "filing_condition": ""}
    matters.publish(
        district,
        "大表",
        date(2026, 1, 1),
        [usual | {"code": code, "name_zh": f"事项{code}"} for code in CODES],
    )
    with clock.travel(MONDAY):
        yield district


def test_an_edition_with_a_gap_and_with_a_double_owner_is_refused_naming_items(county):
    rows = division()
    rows[4] = row("ZZ0005", "重复", "N0007", "区级部门9")  # N0005 is left out, N0007 has two
    bad = draft(county, ListKind.DIVISION, "", rows)
    with pytest.raises(NotPublishable, match="2 faults") as refused:
        service.publish(county, SYSTEM, bad.id, TODAY)
    told = {(fault.items, fault.category): str(fault.reason) for fault in refused.value.faults}
    assert set(told) == {(("ZZ0005", "ZZ0007"), "N0007"), ((), "N0005")}
    assert "事项N0005" in told[(), "N0005"]
    assert queries.in_force(county) == []


def test_each_of_1566_matters_has_one_owner_and_the_answer_is_quick(county):
    publish(county, ListKind.DIVISION, "", division())
    began = time.perf_counter()
    owners = [queries.owner_of(county, code, GRID) for code in CODES]
    first = time.perf_counter() - began
    began = time.perf_counter()
    again = [queries.owner_of(county, code, f"{STREET}002002") for code in CODES]
    assert owners == again
    assert time.perf_counter() - began < first  # what was asked once is known everywhere in the area
    assert sum(owner.territorial for owner in owners) == 156
    assert len({owner.lead for owner in owners}) == 18


def test_what_is_not_on_the_list_is_admitted_only_by_asking_arguing_and_deciding(desk, county, staff):
    publish(county, ListKind.DIVISION, "", division())
    publish(county, ListKind.TERRITORIAL, STREET, [row("T1", "街面秩序", "N0010", "荷花池街道")])
    department, street = staff[Role.DEPARTMENT_HANDLER], staff[Role.STREET_DISPATCHER]
    centre = staff[Role.COMMAND_CENTRE]
    case = desk.report(category_id=categories.by_code(county, "N0011").id)
    desk.move(case, MONDAY, Action.ACCEPT)
    to_the_community = {"handler": "甲社区", "handler_code": f"{STREET}001"}
    with pytest.raises(NotOnTheList):
        desk.move(case, MONDAY, Action.DISPATCH, **to_the_community)

    asked = admission.ask(county, department, STREET, "N0011", "街道就近处置更快")
    with pytest.raises(NotHeard):
        admission.do(county, centre, asked.id, Deed.GRANT, "同意", TODAY)
    admission.do(county, street, asked.id, Deed.ARGUE, "同意试行半年，人员经费随事下放")
    own = admission.ask(county, centre, STREET, "N0012", "指挥中心的提议")
    admission.do(county, street, own.id, Deed.ARGUE, "不同意")
    with pytest.raises(OwnRequest):
        admission.do(county, centre, own.id, Deed.GRANT, "同意", TODAY)
    admission.do(county, staff[Role.ADMIN], own.id, Deed.REFUSE, "属部门法定职责")
    admission.do(county, centre, asked.id, Deed.GRANT, "试行半年", TODAY, date(2027, 3, 6))

    desk.move(case, after(1), Action.DISPATCH, **to_the_community)
    assert case.handler_code == f"{STREET}001"
    assert queries.owner_of(county, "N0011", GRID).lead == "荷花池街道"
    assert queries.owner_of(county, "N0011", GRID, date(2027, 3, 7)).lead == "区级部门12"
    assert queries.owner_of(county, "N0012", GRID).lead == "区级部门13"
