"""C2 街道呼叫、部门响应: the street calls, departments respond; the small loop and the large one."""

import pytest
from climbing import MONDAY, after
from sqlalchemy import select
from whistling import ENFORCEMENT, MARKET, MINUTE, PLACE, SANITATION, blow, call, standing, sweep, there, told

from gridmgr import clock
from gridmgr.account.model import Role
from gridmgr.attendance import queries as came
from gridmgr.attendance import service as attendance
from gridmgr.notice.model import Notice
from gridmgr.supervision import queries as supervision
from gridmgr.whistle import queries, service
from gridmgr.whistle.model import NoRecord, Presence

pytestmark = pytest.mark.db


def test_three_departments_are_called_one_comes_in_time_one_late_one_stays_away(
    desk, staff, case, departments, photo
):
    """C2 街道呼叫、部门响应: three clocks, one supervision order, ratings kept, the figures right."""
    leader, centre = staff[Role.STREET_LEADER], staff[Role.COMMAND_CENTRE]
    whistle = blow(desk, leader, case, call(SANITATION, ENFORCEMENT, MARKET))
    assert (whistle.state, case.whistles, case.large_loop) == ("blown", 1, True)
    clocks = queries.calls(desk.session, [whistle.id])[whistle.id]
    assert [(each.body, each.lead, each.minutes) for each in clocks] == [
        (SANITATION, True, 60), (ENFORCEMENT, False, 60), (MARKET, False, 60),
    ]  # fmt: skip
    assert {each.due_at for each in clocks} == {after(1)}
    assert all(told(desk, each) == ["whistled"] for each in departments.values())

    first = there(desk, departments[SANITATION], whistle, SANITATION, photo, after(0.5))
    assert (first.far, first.distance_m < 1, first.arrived_name) == (False, True, "department_handler")
    assert sweep(desk, after(1) + MINUTE) == 2  # two have not come, and everybody hears of it
    assert sweep(desk, after(1) + 2 * MINUTE) == 0  # once
    assert told(desk, centre) == ["whistle_missed", "whistle_missed"]
    late = there(desk, departments[ENFORCEMENT], whistle, ENFORCEMENT, photo, after(1.5), PLACE[0] + 0.0208)
    assert (late.far, 1990 < late.distance_m < 2010) == (
        True,
        True,
    )  # two kilometres away: taken, and flagged
    assert standing(desk, whistle, after(1.6)) == {
        SANITATION: Presence.IN_TIME, ENFORCEMENT: Presence.LATE, MARKET: Presence.ABSENT,
    }  # fmt: skip

    assert sweep(desk, after(2) - MINUTE) == 0
    assert sweep(desk, after(2) + MINUTE) == 1
    assert sweep(desk, after(2) + 2 * MINUTE) == 0
    (order,) = supervision.of_case(desk.session, case.id)
    assert (order.body, order.apart, order.issuer_name, order.state) == (MARKET, True, "gridmgr", "open")
    kinds = select(Notice.kind).where(Notice.account_id == departments[MARKET].id)
    assert "supervised" in desk.session.scalars(kinds).all()

    for body, stars in ((SANITATION, 5), (ENFORCEMENT, 3), (MARKET, 1)):
        (one,) = [each for each in queries.calls(desk.session, [whistle.id])[whistle.id] if each.body == body]
        desk.at(
            after(3),
            lambda one=one, n=stars: attendance.rate(desk.session, leader, whistle.id, one.id, n, "实评"),
        )
    with pytest.raises(NoRecord):
        desk.at(after(3), lambda: service.end(desk.session, leader, whistle.id))
    desk.at(
        after(3),
        lambda: service.record(desk.session, departments[SANITATION], whistle.id, "清运完毕，立案两起"),
    )
    desk.at(after(4), lambda: service.end(desk.session, leader, whistle.id))
    assert whistle.state == "ended"

    with clock.travel(after(5)):
        found = {each.body: each for each in came.attendance(desk.session, centre, MONDAY, after(24))}
    assert [
        (
            each.called,
            each.in_time,
            each.late,
            each.absent,
            each.far,
            each.orders,
            each.arrival_minutes,
            each.rating,
        )
        for each in (found[SANITATION], found[ENFORCEMENT], found[MARKET])
    ] == [(1, 1, 0, 0, 0, 0, 30, 5), (1, 0, 1, 0, 1, 0, 90, 3), (1, 0, 0, 1, 0, 1, None, 1)]
    assert [found[body].rate for body in (SANITATION, ENFORCEMENT, MARKET)] == [1, 0, 0]
    with clock.travel(after(5)):
        rate = queries.whistle_rate(desk.session, centre, MONDAY, after(24))
    assert (rate.accepted, rate.whistled, rate.rate, rate.verdict) == (1, 1, 1, "high")
