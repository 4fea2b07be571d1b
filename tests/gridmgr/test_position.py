"""Positions: shared by whoever wants to, seen by whoever leads these people, and soon forgotten."""

from datetime import timedelta

import pytest
from little import SOUTH, STEP, STREET, WEST

from gridmgr import clock
from gridmgr.account import queries as account_queries
from gridmgr.account import service as accounts
from gridmgr.account.model import NotGranted
from gridmgr.account.rules import Actor, Grant, Role
from gridmgr.duty.model import Shift
from gridmgr.position import queries, rules, service
from gridmgr.position.model import NotShared, OffDuty, Position

NOW = clock.midnight(clock.today(), days=-1) + timedelta(hours=10)
HERE = (WEST + 0.1 * STEP, SOUTH + 0.1 * STEP)


def person(session, name: str, *grants: Grant) -> Actor:
    return account_queries.actor_of(
        accounts.open_account(session, name, name, "a long enough password", grants)
    )


def test_only_the_roles_that_lead_see_anybody():
    both = Actor(1, "x", (Grant(Role.STREET_DISPATCHER, "A"), Grant(Role.GRID_MEMBER, "B")))
    assert rules.watching(both).scope == ("A",)
    assert rules.watching(Actor(1, "x", (Grant(Role.GRID_MEMBER, "A"),))).scope == ()


def test_a_position_is_pale_after_half_an_hour():
    assert not rules.is_pale(NOW - timedelta(minutes=30), NOW)
    assert rules.is_pale(NOW - timedelta(minutes=31), NOW)


@pytest.mark.db
def test_it_is_seen_by_its_own_street_and_by_nobody_elses(district, staff):
    member, beside = staff[Role.GRID_MEMBER], Grant(Role.STREET_DISPATCHER, "510106002")
    neighbour = person(district, "neighbour", beside)
    colleague = person(district, "colleague", beside, Grant(Role.GRID_MEMBER, STREET))
    service.share(district, member)
    service.send(district, member, *HERE, "wgs84", 8.0)

    def seen(role: Role) -> list[str]:
        return [each.account.username for each in queries.page(district, staff[role], "", 10)]

    leading = (Role.STREET_DISPATCHER, Role.STREET_LEADER, Role.COMMAND_CENTRE, Role.ADMIN)
    assert [role for role in Role if seen(role)] == [role for role in Role if role in leading]
    for stranger in (neighbour, colleague):
        assert queries.page(district, stranger, "", 10) == []
        assert queries.of(district, stranger, [member.id]) == {}
    leader = staff[Role.STREET_LEADER]
    found = queries.page(district, leader, f"{STREET}001", 10)
    assert [(each.code, each.accuracy_m) for each in found] == [(f"{STREET}001001", 8.0)]
    assert queries.page(district, leader, f"{STREET}002", 10) == []


@pytest.mark.db
def test_it_is_kept_twelve_hours_or_until_it_is_switched_off(district, staff):
    member, leader = staff[Role.GRID_MEMBER], staff[Role.STREET_LEADER]
    with pytest.raises(NotShared):
        service.send(district, member, *HERE, "wgs84")
    with clock.travel(NOW):
        service.share(district, member)
        service.send(district, member, *HERE, "wgs84")
        service.send(district, member, HERE[0] + STEP, HERE[1], "wgs84")
        assert [each.code[-3:] for each in queries.page(district, leader, "", 10)] == [
            "002"
        ]  # the last one alone
    with clock.travel(NOW + timedelta(hours=11)):
        assert service.forget_old(district) == 0
        assert len(queries.page(district, leader, "", 10)) == 1
    with clock.travel(NOW + timedelta(hours=12)):
        assert queries.page(district, leader, "", 10) == []  # even before the worker comes by
        assert service.forget_old(district) == 1
        district.expire_all()
        assert queries.shared(district, member).geom is None
        service.send(district, member, *HERE, "gcj02")
        service.stop(district, member)
        assert district.get(Position, member.id) is None


@pytest.mark.db
def test_nobody_is_seen_off_duty(district, staff):
    member, leader = staff[Role.GRID_MEMBER], staff[Role.STREET_LEADER]
    turn = {"account_id": member.id, "role": Role.GRID_MEMBER, "code": f"{STREET}001001", "substitute": False}
    for day in (0, 1):
        begins = NOW + timedelta(days=day)
        district.add(Shift(**turn, begins=begins, ends=begins + timedelta(hours=8)))
    with clock.travel(NOW + timedelta(hours=7)):
        service.share(district, member)
        service.send(district, member, *HERE, "wgs84")
        assert len(queries.page(district, leader, "", 10)) == 1
    with clock.travel(NOW + timedelta(hours=9)):
        assert queries.page(district, leader, "", 10) == []
        with pytest.raises(OffDuty):
            service.send(district, member, *HERE, "wgs84")
    with pytest.raises(NotGranted):
        service.share(district, staff[Role.PLANNER])
