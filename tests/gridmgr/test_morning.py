"""A leader's morning: since when, what is unusual, and numbers that are their lists."""

from datetime import date, datetime, timedelta

import pytest
from climbing import MONDAY, after
from little import STREET

from gridmgr import clock
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM
from gridmgr.clock import WorkingCalendar
from gridmgr.life.model import Action
from gridmgr.morning import queries, rules
from gridmgr.morning.rules import UnknownItem
from gridmgr.supervision import service as supervision

CALENDAR = WorkingCalendar(clock.zone(), holidays=frozenset({date(2026, 9, 4)}))


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 9, day, hour, tzinfo=clock.zone())


@pytest.mark.parametrize(
    ("now", "closed"),
    [
        (at(8, 8), at(7, 18)),
        (at(8, 23), at(7, 18)),  # today's close does not count
        (at(7, 8), at(3, 18)),  # on a Monday after a free Friday: Thursday's
    ],
)
def test_the_page_looks_back_to_the_last_close_of_work_before_today(now, closed):
    assert rules.closed_at(CALENDAR, now) == closed


def test_where_nobody_ever_works_it_looks_back_a_whole_day():
    idle = WorkingCalendar(
        clock.zone(), holidays=frozenset(date(2026, 9, 1) + timedelta(n) for n in range(-40, 20))
    )
    assert rules.closed_at(idle, at(8, 8)) == at(7, 0)


@pytest.mark.parametrize(
    ("now", "seated"), [(at(8, 7), at(8, 9)), (at(8, 11), at(8, 11)), (at(5, 7), at(5, 7))]
)
def test_seats_are_looked_at_when_work_opens(now, seated):
    assert rules.seated_at(CALENDAR, now) == seated


def test_a_day_is_compared_with_the_same_weekday():
    days = rules.compared(date(2026, 9, 8))
    assert (len(days), {each.weekday() for each in days}) == (4, {1})


@pytest.mark.parametrize(
    ("count", "before", "told"),
    [
        (3, [1, 0, 1, 0], True),
        (2, [0, 0, 0, 0], False),
        (16, [10, 10, 10, 10], False),
        (17, [10, 10, 10, 10], True),
        (9, [], False),  # nothing is known of other weeks
    ],
)
def test_what_is_unusual_stands_out_of_its_own_weekdays(count, before, told):
    found = rules.unusual({"a": count}, [{"a": each, "b": 1} for each in before])
    assert bool(found) is told


def test_the_most_unusual_comes_first_and_days_without_anything_do_not_count():
    found = rules.unusual({"a": 5, "b": 9}, [{"a": 1, "b": 1}, {}])
    assert [(each.key, each.average) for each in found] == [("b", 1), ("a", 1)]


@pytest.fixture
def busy(desk, staff, sample):
    """A case that grew late overnight, one with an order, one that is due this morning."""
    dispatcher = staff[Role.STREET_DISPATCHER]
    cases = [desk.report() for _ in range(3)]
    for case, hours in zip(cases, (6, 6, 25), strict=True):
        desk.move(case, after(hours), Action.ACCEPT, dispatcher)
    desk.at(
        after(26),
        lambda: supervision.issue(desk.session, dispatcher, cases[1].number, "今天办结", 4, "hours"),
    )
    return cases


def test_every_number_is_the_length_of_its_list(desk, staff, busy):
    leader = staff[Role.STREET_LEADER]
    with clock.travel(after(26.5)):
        found = queries.morning(desk.session, leader)
        of = queries.stretch(desk.session)
        lists = {item: queries.page(desk.session, leader, of, item, 99) for item in rules.ITEMS}
        assert {item: len(cases) for item, cases in lists.items()} == found.counts
        assert busy[1].number in [each.number for each in lists["ordered"]]
        assert found.present["open"] == 3
        assert found.then["open"] >= 2
        first, second = queries.page(desk.session, leader, of, "ordered", 1), lists["ordered"][1:]
        rest = queries.page(desk.session, leader, of, "ordered", 99, first[0].id) if first else []
        assert [each.id for each in rest] == [each.id for each in second]
        elsewhere = queries.morning(desk.session, leader, "999")
        assert set(elsewhere.counts.values()) == {0}
        with pytest.raises(UnknownItem):
            queries.page(desk.session, leader, of, "<img>", 9)


def test_what_was_open_and_late_when_work_closed_is_told_of_that_instant(desk, staff):
    """Two cases of Monday morning, due that day; one is closed in the night. A third comes in the night."""
    left, done = desk.report(), desk.report()
    for case in (left, done):
        desk.move(case, MONDAY, Action.ACCEPT)
    for action in (Action.DISPATCH, Action.HANDLE, Action.FEED_BACK, Action.VERIFY, Action.CLOSE):
        desk.move(done, after(12), action, note="已办")
    desk.report(after(13))
    with clock.travel(after(24)):
        found = queries.morning(desk.session, staff[Role.STREET_LEADER])
        elsewhere = queries.morning(desk.session, staff[Role.STREET_LEADER], "999")
    assert (found.then, found.present) == ({"open": 2, "late": 2}, {"open": 2, "late": 1})
    assert elsewhere.then == {"open": 0, "late": 0}


def test_seats_tell_who_is_there_and_which_are_empty(desk, staff):
    with clock.travel(MONDAY):
        leader, desk_seat, clerk, grid = queries.morning(desk.session, staff[Role.STREET_LEADER]).seats
    assert (leader.filled, leader.units, leader.people) == (1, 1, ("street_leader",))
    assert (clerk.filled, clerk.units) == (1, 2)
    assert [code for code, _name in clerk.empty] == [f"{STREET}002"]
    assert (grid.level, grid.units, grid.people) == ("micro_grid", 4, ())
    assert desk_seat.filled == 1


def test_an_empty_district_has_a_morning_too(session):
    found = queries.morning(session, SYSTEM)
    assert (set(found.counts.values()), found.scanned, found.alarms) == ({0}, None, ())
    assert [each.units for each in found.seats] == [0, 0, 0, 0]
