"""A rung that nobody is on duty for waits for the next turn and says so; it is never skipped, and never for long."""

from datetime import datetime, timedelta

import pytest
from climbing import MONDAY, after, publish
from little import STREET

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.audit import queries as audit
from gridmgr.category import queries as categories
from gridmgr.duty import service as duty
from gridmgr.duty.model import Shift
from gridmgr.escalation import queries

pytestmark = pytest.mark.db
COMMUNITY = f"{STREET}001"


@pytest.fixture
def clerk(district):
    """A clerk of the community who works from eight to six, from Monday the 7th on: the limit begins at nine."""
    opened = account_service.open_account(
        district, "clerk", "陈静", "a long password", [Grant(Role.COMMUNITY_CLERK, COMMUNITY)]
    )
    dispatcher = account_service.open_account(
        district, "street", "周涛", "a long password", [Grant(Role.STREET_DISPATCHER, STREET)]
    )
    for day in range(5):
        begins = after(-1, days=day)
        district.add(
            Shift(
                account_id=opened.id, role=Role.COMMUNITY_CLERK, code=COMMUNITY, substitute=False, begins=begins,
                ends=begins + timedelta(hours=10),
            )
        )  # fmt: skip
    district.flush()
    return accounts.actor_of(opened), accounts.actor_of(dispatcher)


def waiting(desk, case) -> datetime | None:
    (one,) = queries.of_case(desk.session, case.id)
    return one.waits_until


def test_it_waits_for_the_turn_that_begins_next_and_is_climbed_then(desk, clerk):
    publish(desk.session, ",,accept,20,hours,50%,remind,community\n")
    case = desk.report()  # due at nine, reminded at seven in the evening, when the clerk has gone home
    assert desk.sweep(after(10, minutes=1)) == 1
    assert (desk.climbs(case, "accept"), waiting(desk, case)) == ([], after(23))
    assert desk.sweep(after(22)) == 0
    assert desk.sweep(after(23)) == 1
    assert desk.climbs(case, "accept") == [(0, "remind", "community", 1, "waited")]
    assert desk.told_to(clerk[0]) == [("remind", case.id)]
    assert waiting(desk, case) is None
    with clock.travel(after(24)):
        assert audit.uneven(desk.session) == [] == audit.overdue(desk.session)


def test_it_waits_no_longer_than_until_the_rung_after_it_and_then_goes_up(desk, clerk):
    publish(desk.session, ",,accept,20,hours,50%,remind,community\n,,accept,,,60%,tell,street\n")
    case = desk.report()
    desk.sweep(after(10))
    assert waiting(desk, case) == after(12)
    desk.sweep(after(12))
    assert desk.climbs(case, "accept") == [
        (0, "remind", "community", 0, "street"), (1, "tell", "street", 1, ""),
    ]  # fmt: skip
    assert desk.told_to(clerk[1]) == [("told", case.id)]


def test_an_urgent_case_waits_for_nobody(desk, clerk):
    publish(desk.session, ",,accept,20,hours,50%,remind,community\n")
    case = desk.report(severity=3)
    desk.sweep(after(10))
    assert desk.climbs(case, "accept") == [(0, "remind", "community", 0, "street")]


def test_whoever_is_away_is_not_waited_for_unless_covered(desk, clerk):
    publish(desk.session, ",,accept,20,hours,50%,remind,community\n")
    leave = duty.grant_leave(desk.session, SYSTEM, "clerk", after(14), after(38))
    case = desk.report()
    desk.sweep(after(10))
    assert waiting(desk, case) == after(47)  # the turn of Wednesday
    leave.cover_id = clerk[1].id
    other = desk.report()
    desk.sweep(after(11))
    assert waiting(desk, other) == after(23)
    desk.sweep(after(23))
    assert desk.told_to(clerk[1]) == [("remind", other.id)]


def test_nobody_is_waited_for_longer_than_three_days(desk, clerk):
    publish(desk.session, ",,accept,20,hours,50%,remind,community\n")
    friday = MONDAY + timedelta(days=4)
    desk.session.add(
        Shift(
            account_id=clerk[0].id, role=Role.COMMUNITY_CLERK, code=COMMUNITY, substitute=False,
            begins=friday + timedelta(days=5), ends=friday + timedelta(days=5, hours=8),
        )
    )  # fmt: skip
    desk.session.flush()
    case = desk.report(friday)
    desk.sweep(friday + timedelta(hours=10))
    assert desk.climbs(case, "accept") == [(0, "remind", "community", 0, "street")]


def test_what_is_previewed_is_what_happens_by_the_roster(desk, clerk):
    publish(desk.session, ",,accept,20,hours,20%,remind,community\n,,accept,,,50%,remind,community\n")
    case = desk.report()
    category = categories.by_id(desk.session)[case.category_id]
    (course,) = [
        each for each in queries.courses(desk.session, category, 1, COMMUNITY, MONDAY) if each.key == "accept"
    ]
    assert [each.people for each in course.rungs] == [["陈静"], ["陈静"]]
    assert [each.waits_until for each in course.rungs] == [None, after(23)]
