"""B2 五步闭环: found, accepted, carried out, supervised, assessed; no step is left out, and no case is lost."""

from collections import Counter
from datetime import timedelta

import pytest
from climbing import MONDAY, after, publish

from gridmgr.account.model import Role
from gridmgr.audit import queries as audit
from gridmgr.casebook.queries import Search
from gridmgr.category import queries as matters
from gridmgr.clock import travel
from gridmgr.incident import queries as incidents
from gridmgr.life.model import Action, State
from gridmgr.statistics import queries as statistics
from gridmgr.supervision import queries as supervision
from gridmgr.supervision import service as orders
from gridmgr.supervision.model import Deed

pytestmark = pytest.mark.db
CASES, SLOW = 14, 4  # of 5,600 in the quarter; four of them lie longer than they may

LADDER = (
    ",,accept,1,hours,100%,tell,community,,,,\n"
    ",,handle,,,50%,remind,department,25%,2,,\n,,handle,,,100%,supervise,street,,,,2 working_hours\n"
    ",,handle,,,150%,take_over,district,,,,\n"
    ",,silence,3,working_hours,100%,tell,street,,,,\n"
)


@pytest.fixture
def ladder(district):
    publish(district, LADDER)


def test_every_case_goes_through_all_five_steps_and_the_late_ones_are_supervised(desk, staff, ladder):
    """B2 发现、受理、执行、督办、考核: the ladder supervises what is late, the answer closes the loop."""
    clerk, handler = staff[Role.COMMUNITY_CLERK], staff[Role.DEPARTMENT_HANDLER]
    centre = staff[Role.COMMAND_CENTRE]

    found = [desk.report(MONDAY + timedelta(minutes=n)) for n in range(CASES)]  # 发现
    for case in found:  # 受理, and 执行 begins
        desk.move(case, after(0.5), Action.ACCEPT, clerk)
        desk.move(case, after(0.6), Action.DISPATCH, clerk)
        desk.move(case, after(0.7), Action.HANDLE, handler)
    quick, slow = found[SLOW:], found[:SLOW]
    for case in quick:  # 执行
        desk.move(case, after(3), Action.FEED_BACK, handler, note="已清理")
        desk.move(case, after(3.2), Action.VERIFY)
        desk.move(case, after(3.4), Action.CLOSE)
    for quarter in range(1, 32):  # somebody sweeps all day long
        desk.sweep(after(quarter / 4))

    for case in slow:  # 督办: by the ladder, once, in the name of the ladder
        assert [climb[1] for climb in desk.climbs(case, "handle")] == ["remind", "remind", "supervise"]
        assert desk.climbs(case, "silence") == [(0, "tell", "street", 2, "")]  # taken, and then nothing
        (order,) = supervision.of_case(desk.session, case.id)
        assert (order.issuer_name, order.body, order.issued_at.astimezone(MONDAY.tzinfo)) == (
            "升级阶梯", "环卫所", after(6.5),
        )  # fmt: skip
    for case in quick:
        assert supervision.of_case(desk.session, case.id) == []

    answered, silent = slow[:-1], slow[-1]
    for case in answered:
        (order,) = supervision.of_case(desk.session, case.id)
        desk.move(case, after(8), Action.FEED_BACK, handler, note="已清理，延误因车辆故障")
        desk.at(
            after(8), lambda n=order.id: orders.do(desk.session, handler, n, Deed.ANSWER, "已清理，照片已附")
        )
        desk.move(case, after(8.2), Action.VERIFY)
        desk.move(case, after(8.4), Action.CLOSE)
        assert order.state == "done"  # an order ends with its case
    desk.sweep(after(24 + 3))  # 150 %: the district answers for the last one from now on
    assert silent.level == "district"

    with travel(after(24 * 3)):  # 考核: whoever reads the figures finds every case again
        figures = statistics.total(desk.session, centre, Search())
        (answering,) = supervision.answering(desk.session, centre, MONDAY, after(24 * 3))
    assert figures.counts["reported"] == figures.counts["accepted"] == figures.counts["due"] == CASES
    assert (figures.counts["closed"], figures.counts["closed_on_time"]) == (CASES - 1, CASES - SLOW)
    assert figures.rates["closing_rate"] == pytest.approx((CASES - 1) / CASES)
    assert (answering.body, answering.orders, answering.in_time, answering.late) == (
        "环卫所",
        SLOW,
        SLOW - 1,
        1,
    )

    steps = Counter(row.action for case in found for row in incidents.history(desk.session, case.id))
    for step in (Action.REPORT, Action.ACCEPT, Action.DISPATCH, Action.HANDLE):
        assert steps[step] == CASES
    assert steps[Action.CLOSE] == CASES - 1
    assert {case.state for case in found} == {State.CLOSED, State.HANDLING}
    assert audit.verify(desk.session).broken == []
    assert len(audit.uneven(desk.session)) == 0
    assert matters.by_code(desk.session, "S0102").department == "环卫所"
