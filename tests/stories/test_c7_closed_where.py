"""C7 小事不出社区、大事不出街道: the share of cases closed at each level."""

import pytest
from climbing import MONDAY, after

from gridmgr import clock
from gridmgr.account.model import Role
from gridmgr.casebook.queries import Search, page
from gridmgr.life.model import Action
from gridmgr.statistics import queries

pytestmark = pytest.mark.db


def through(desk, case, dispatcher, *, by_unit: bool) -> None:
    """Let a case be dispatched, handled, fed back, checked and closed."""
    unit = {"handler": "一网格", "handler_code": case.micro_grid_code}
    desk.move(case, MONDAY, Action.DISPATCH, dispatcher, **(unit if by_unit else {"handler": "环卫所"}))
    for hours, action, more in (
        (1, Action.HANDLE, {}), (2, Action.FEED_BACK, {"note": "办好了"}), (3, Action.VERIFY, {"note": "查过了"}),
        (4, Action.CLOSE, {"checked": True}),
    ):  # fmt: skip
        desk.move(case, after(hours), action, **more)


def test_cases_closed_in_the_community_in_the_street_and_with_departments_are_told_apart(desk, staff):
    clerk, street = staff[Role.COMMUNITY_CLERK], staff[Role.STREET_DISPATCHER]
    cases = {}
    for name, actor, by_unit in (
        ("community", clerk, True), ("street", street, True), ("department", street, False), ("open", clerk, None),
    ):  # fmt: skip
        cases[name] = desk.report()
        desk.move(cases[name], MONDAY, Action.ACCEPT, actor)
        if by_unit is not None:
            through(desk, cases[name], actor, by_unit=by_unit)
    assert {name: case.large_loop for name, case in cases.items()} == {
        "community": False, "street": False, "department": True, "open": False,
    }  # fmt: skip
    with clock.travel(after(5)):
        total = queries.total(desk.session, staff[Role.COMMAND_CENTRE], Search())
        found = {
            level: {each.number for each in page(desk.session, staff[Role.ADMIN], Search(closed_in=level), 9)}
            for level in ("community", "street")
        }
    assert [total.counts[name] for name in ("accepted", "finished", "in_community", "in_street", "whistled")] == [
        4, 3, 1, 2, 0,
    ]  # fmt: skip
    assert (total.rates["community_rate"], total.rates["street_rate"]) == (1 / 3, 2 / 3)
    assert found == {
        "community": {cases["community"].number}, "street": {cases["community"].number, cases["street"].number},
    }  # fmt: skip
