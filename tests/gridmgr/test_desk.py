"""What lies on whose desk, counted in one statement and equal to the lists behind the counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from little import STREET
from sqlalchemy import event, update

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Grant, Role
from gridmgr.calendar import service as calendars
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.model import OtherOrder
from gridmgr.casebook.queries import HEIGHTS, SORTS, Search
from gridmgr.desk import queries
from gridmgr.incident import rules, service
from gridmgr.incident.model import Incident
from gridmgr.intake import service as intake
from gridmgr.life.model import HOLDERS, Action, Source, State

pytestmark = pytest.mark.db
MORNING = datetime(2026, 11, 24, 1, tzinfo=UTC)  # Tuesday, 9:00 in the district
STEPS = (
    (Action.ACCEPT, {"checked": True}),
    (Action.DISPATCH, {"handler": "环卫所"}),
    (Action.HANDLE, {}),
    (Action.FEED_BACK, {"note": "已清理"}),
    (Action.VERIFY, {}),
)


@pytest.fixture
def busy(district, told, staff):
    """A case at each step of the straight way, a public report, a request, and a part for another body."""
    with clock.travel(MORNING):
        cases = [intake.report(district, staff[Role.GRID_MEMBER], told()) for _ in range(6)]
        for done, case in enumerate(cases):
            for action, payload in STEPS[:done]:
                service.move(district, SYSTEM, case.number, action, payload)
        intake.report(district, SYSTEM, told(source=Source.RESIDENT))
        asked = {"way": "extend", "amount": 1, "unit": "working_days", "note": "下雨"}
        service.move(district, SYSTEM, cases[3].number, Action.ASK, asked)
        task = {"body": "环卫所", "note": "清运"}
        service.move(district, SYSTEM, cases[2].number, Action.ASSIGN_TASK, task)
    return district


def counts(session, actor, at=MORNING + timedelta(hours=1)) -> dict[str, int]:
    with clock.travel(at):
        found = queries.piles(session, actor)
        for pile in found:
            assert pile.count == len(casebook.page(session, actor, pile.search, 100)), pile.worklist.name
    return {pile.worklist.name: pile.count for pile in found if pile.count}


def test_each_role_finds_its_own_work(busy, staff):
    assert counts(busy, staff[Role.GRID_MEMBER]) == {"unseen": 1, "check": 1, "mine": 6}
    assert counts(busy, staff[Role.COMMUNITY_CLERK]) == {
        "soon": 5, "accept": 2, "dispatch": 1, "check": 1, "close": 1,
    }  # fmt: skip
    assert counts(busy, staff[Role.STREET_DISPATCHER])["asked"] == 1  # an extension, which a street grants
    assert counts(busy, staff[Role.DEPARTMENT_HANDLER]) == {
        "orders": 1, "work": 1, "tasks": 1, "waiting": 1,
    }  # fmt: skip
    assert counts(busy, staff[Role.PLANNER]) == {}


ASKS = (
    (Action.ASK, {"way": "suspend", "note": "等材料"}),
    (Action.SUSPEND, {"note": "等材料"}),
    (Action.RESUME, {}),
    (Action.ASK, {"way": "suspend", "note": "还在等"}),  # the second time the district's to grant
    (Action.HAND_UP, {"note": "街道办不了", "level": "district"}),
)


def test_a_request_lies_on_the_desks_that_may_grant_it_and_on_no_other(busy, staff):
    (case, *_) = casebook.page(busy, SYSTEM, Search(states=(State.DISPATCHED,)), 9)
    for action, payload in ASKS:
        with clock.travel(MORNING + timedelta(minutes=30)):
            service.move(busy, SYSTEM, case.number, action, payload)
        for role, actor in staff.items():
            asked = casebook.page(busy, actor, Search(asked=True), 99)
            wanted = {each.number for each in asked if rules.may(actor, Action(each.asked["way"]), each)}
            mine = casebook.page(busy, actor, Search(asked=True, ours=True), 99)
            assert {each.number for each in mine} == wanted, (action, role)


def test_a_case_held_above_lies_on_no_desk_below(busy, staff):
    for level in HOLDERS:
        busy.execute(update(Incident).values(level=level))
        busy.expire_all()
        for role, height in HEIGHTS.items():
            seen = casebook.page(busy, staff[role], Search(states=(State.REPORTED,)), 99)
            mine = casebook.page(busy, staff[role], Search(states=(State.REPORTED,), ours=True), 99)
            assert len(mine) == (0 if height < HOLDERS.index(level) else len(seen)), (role, level)


def test_somebody_with_several_grids_finds_the_work_of_each(busy, staff):
    both = replace(
        staff[Role.GRID_MEMBER],
        grants=tuple(Grant(Role.GRID_MEMBER, code) for code in (f"{STREET}001002", f"{STREET}001001")),
    )
    order = {"handler": "本网格", "handler_code": f"{STREET}001001"}
    number = casebook.page(busy, SYSTEM, Search(states=(State.ACCEPTED,)), 1)[0].number
    service.move(busy, SYSTEM, number, Action.DISPATCH, order)
    assert counts(busy, both)["ours"] == 1


def test_time_makes_work_urgent_and_then_late(busy, staff):
    soon = counts(busy, staff[Role.STREET_DISPATCHER], MORNING + timedelta(hours=3))
    late = counts(busy, staff[Role.STREET_DISPATCHER], MORNING + timedelta(hours=9))
    assert (soon["soon"], late["late"]) == (5, 5)
    assert "soon" not in late


def test_what_is_due_on_monday_morning_is_about_to_be_late_on_friday_evening(busy, staff):
    desk = staff[Role.STREET_DISPATCHER]
    friday, monday = MORNING + timedelta(days=3, hours=8), MORNING + timedelta(days=6, hours=1)
    busy.execute(update(Incident).where(Incident.due_at.is_not(None)).values(due_at=monday))
    busy.expire_all()
    assert counts(busy, desk, friday)["soon"] == 5  # 17:00; one working hour today, one on Monday
    calendars.set_hours(busy, STREET, friday.date(), "1234567", "08:00-18:00")
    assert "soon" not in counts(busy, desk, friday)  # here Saturday is worked, and long


def test_a_whole_desk_is_counted_in_one_statement(busy, staff):
    told = []
    listen = event.listens_for(busy.connection(), "before_cursor_execute")
    listen(lambda conn, cursor, statement, *rest: told.append(statement))
    queries.piles(busy, staff[Role.STREET_DISPATCHER], top=0)
    assert [each for each in told if "incident" in each] == told[-1:]  # the others read the calendar


def test_a_street_shows_what_is_late_and_what_the_district_has_taken(busy, staff):
    with clock.travel(MORNING + timedelta(hours=9)):
        number = casebook.page(busy, SYSTEM, Search(sort="oldest"), 1)[0].number
        service.move(busy, SYSTEM, number, Action.HAND_UP, {"note": "需区级统筹", "level": "district"})
        (area,) = queries.areas(busy, staff[Role.COMMAND_CENTRE])
    assert (area.open, area.late, area.soon, area.district) == (7, 5, 0, 1)


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_pages_without_losing_any(busy, sort):
    search = Search(sort=sort)
    whole = [case.id for case in casebook.page(busy, SYSTEM, search, 100)]
    paged, behind = [], None
    while rows := casebook.page(busy, SYSTEM, search, 2, behind):
        paged += [case.id for case in rows]
        behind = casebook.place(search, rows[-1])
    assert paged == whole
    assert len(set(whole)) == 7


def test_a_case_that_moves_while_one_turns_pages_hides_no_other(busy):
    search = Search(sort="due", open=True)
    first, *others = [case.id for case in casebook.page(busy, SYSTEM, search, 100)]
    (seen,) = casebook.page(busy, SYSTEM, search, 1)
    behind = casebook.place(search, seen)
    more = {"amount": 5, "unit": "working_days", "note": "雨天"}
    service.move(busy, SYSTEM, seen.number, Action.EXTEND, more)
    rest = [case.id for case in casebook.page(busy, SYSTEM, search, 100, behind)]
    assert [each for each in rest if each != first] == others


def test_a_place_in_one_order_is_none_in_another(busy):
    (seen,) = casebook.page(busy, SYSTEM, Search(sort="severity"), 1)
    with pytest.raises(OtherOrder):
        casebook.page(busy, SYSTEM, Search(), 5, casebook.place(Search(sort="severity"), seen))


def test_the_time_of_a_suspended_case_stands_still_on_every_list(busy, staff):
    (case, *_) = casebook.page(busy, SYSTEM, Search(states=(State.HANDLING,)), 9)
    with clock.travel(MORNING + timedelta(minutes=30)):
        service.move(busy, SYSTEM, case.number, Action.SUSPEND, {"note": "等材料"})
    late = counts(busy, staff[Role.STREET_DISPATCHER], MORNING + timedelta(days=9))
    assert (late["late"], late["suspended"]) == (4, 1)
    with clock.travel(MORNING + timedelta(days=9)):
        (area,) = queries.areas(busy, staff[Role.COMMAND_CENTRE])
        marked = {number: is_late for number, *_, is_late in casebook.map_points(busy, SYSTEM, Search(), 9)}
    assert (area.late, marked[case.number]) == (4, False)
