"""The weekly work report: what a person and a street did, from the records, the same for ever."""

from datetime import date, timedelta

import pytest
from climbing import MONDAY, after
from little import STREET
from sqlalchemy import delete, text
from sqlalchemy.exc import DBAPIError

from gridmgr import clock
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM
from gridmgr.claim import service as claims
from gridmgr.claim.model import Cutting, Deed
from gridmgr.duty.model import Leave, Shift
from gridmgr.life.model import Action
from gridmgr.weekly import queries, rules, service
from gridmgr.weekly.model import Away, Turn, Work

GRID = f"{STREET}001001"
WEEK = date(2026, 9, 7)
MEMBER, CLERK = Role.GRID_MEMBER, Role.COMMUNITY_CLERK


def turn(account: int, begin: float, end: float, seat: str = "a", substitute: bool = False) -> Turn:
    return Turn(account, ("grid_member", seat), substitute, after(begin), after(end))


def away(account: int, begin: float, end: float, cover: int | None = None) -> Away:
    return Away(account, cover, after(begin), after(end))


# ---- rules, without a database -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turns", "leaves", "hours"),
    [
        ([turn(1, 0, 8)], [], {1: 8}),
        ([turn(1, -4, 4)], [], {1: 4}),  # what lies before the week does not count
        ([turn(1, 0, 8)], [away(1, 2, 4)], {1: 6}),
        ([turn(1, 0, 8)], [away(1, 2, 99, cover=2)], {1: 2, 2: 6}),
        ([turn(1, 0, 8), turn(2, 0, 10, substitute=True)], [], {1: 8, 2: 2}),
        ([turn(1, 0, 8), turn(2, 0, 8, substitute=True)], [away(1, 6, 9)], {1: 6, 2: 2}),
        ([turn(1, 0, 8), turn(1, 4, 10, seat="b")], [], {1: 10}),  # nobody is counted twice at a time
        ([turn(1, 0, 8), turn(1, 0, 8)], [], {1: 8}),
    ],
)
def test_hours_on_duty(turns, leaves, hours):
    found: dict[int, float] = {}
    for (account, _seat), seconds in rules.on_duty(turns, leaves, MONDAY, after(168)).items():
        found[account] = found.get(account, 0) + seconds / 3600
    assert found == hours


def test_a_week_begins_on_monday_and_shares_are_of_what_ended():
    assert [rules.monday_of(WEEK + timedelta(days=n)) for n in (0, 6, 7)] == [
        WEEK, WEEK, WEEK + timedelta(days=7),
    ]  # fmt: skip
    assert Work().rate is None
    assert Work().idle
    assert (Work(met=3) + Work(missed=1, seconds=5400)).rate == 0.75
    assert Work(seconds=5400).hours == 1.5


# ---- on PostGIS ------------------------------------------------------------------------------------------


@pytest.fixture
def worked(desk, staff, sample):
    """A week in which the member reports and confirms, the clerk accepts in time and late, a piece is done."""
    member, clerk = staff[MEMBER], staff[CLERK]
    case = desk.at(MONDAY, lambda: _report(desk, member))
    late = desk.at(after(1), lambda: _report(desk, member))
    desk.move(case, after(0.2), Action.ACCEPT, clerk)
    desk.move(late, after(30), Action.ACCEPT, clerk)
    wanted = Cutting("清点", after(8), code=GRID)
    piece = desk.at(MONDAY, lambda: claims.cut(desk.session, clerk, wanted))
    desk.at(after(1), lambda: claims.take(desk.session, member, piece.id))
    desk.at(after(2), lambda: claims.do(desk.session, member, piece.id, Deed.REPORT, "好"))
    desk.at(after(3), lambda: claims.do(desk.session, clerk, piece.id, Deed.ACCEPT))
    for day in (0, 1, 7):
        desk.session.add(
            Shift(
                account_id=member.id, role=MEMBER, code=GRID, substitute=False, begins=after(24 * day),
                ends=after(24 * day + 8),
            )
        )  # fmt: skip
    desk.session.add(
        Leave(account_id=member.id, cover_id=clerk.id, begins=after(24), ends=after(28), reason="")
    )
    desk.session.flush()
    return case


def _report(desk, actor):
    from gridmgr.intake import service as intake

    return intake.report(desk.session, actor, desk.told())


def week(desk, actor, monday=WEEK, at=24 * 8, **more) -> dict[str, Work]:
    with clock.travel(after(at)):
        return {each.key: each for each in queries.people(desk.session, actor, monday, **more)}


@pytest.mark.db
def test_a_person_and_a_street_read_their_week(desk, staff, worked):
    member = week(desk, staff[MEMBER])
    assert set(member) == {MEMBER}
    own = member[MEMBER]
    assert (own.reports, own.steps, own.pieces, own.hours) == (2, 0, 1, 12.0)
    clerk = week(desk, staff[CLERK])[CLERK]
    assert (clerk.steps, clerk.met, clerk.missed, clerk.hours) == (2, 1, 1, 4.0)
    with clock.travel(after(24 * 8)):
        (street,) = queries.streets(desk.session, staff[Role.STREET_LEADER], WEEK)
        assert queries.streets(desk.session, staff[MEMBER], WEEK) == []
    assert (street.key, street.reports, street.steps, street.pieces, street.met, street.missed, street.hours) == (
        STREET, 2, 2, 1, 1, 1, 16.0,
    )  # fmt: skip


@pytest.mark.db
def test_leaders_see_their_area_and_others_themselves(desk, staff, worked):
    assert {MEMBER, CLERK} <= set(week(desk, staff[Role.STREET_DISPATCHER]))
    assert set(week(desk, staff[Role.DEPARTMENT_HANDLER])) == {Role.DEPARTMENT_HANDLER}
    assert MEMBER in week(desk, staff[CLERK])
    assert set(week(desk, staff[Role.STREET_DISPATCHER], area=GRID)) == {MEMBER}
    assert week(desk, staff[MEMBER], WEEK - timedelta(days=7))[MEMBER].idle


@pytest.mark.db
def test_a_record_counts_in_the_week_it_was_entered_in(desk, staff, worked):
    """A step that is entered on Tuesday of the next week for last Friday does not change last week's numbers."""
    from gridmgr.incident import service as incident

    before = week(desk, staff[CLERK])[CLERK]
    desk.at(
        after(24 * 8),
        lambda: incident.move(
            desk.session,
            staff[CLERK],
            worked.number,
            Action.DISPATCH,
            {"handler": "环卫所"},
            at=after(24 * 4),
        ),
    )
    assert week(desk, staff[CLERK])[CLERK] == before
    assert week(desk, staff[CLERK], WEEK + timedelta(days=7), at=24 * 9)[CLERK].steps == 1


@pytest.mark.db
def test_kept_hours_do_not_follow_a_roster_that_is_brought_anew(desk, staff, worked):
    kept = [desk.at(after(24 * 8 + n), lambda: service.keep_last(desk.session)) for n in (0, 1)]
    assert kept == [WEEK, None]
    desk.session.execute(delete(Shift))
    assert week(desk, staff[MEMBER])[MEMBER].hours == 12.0
    assert week(desk, staff[MEMBER], WEEK + timedelta(days=7))[MEMBER].hours == 0
    for statement in ("UPDATE week_on_duty SET seconds = 0", "DELETE FROM week_kept"):
        with pytest.raises(DBAPIError), desk.session.begin_nested():
            desk.session.execute(text(statement))


@pytest.mark.db
def test_a_week_under_way_counts_up_to_now(desk, staff, worked):
    assert week(desk, staff[MEMBER], at=4)[MEMBER].hours == 4.0
    assert {each.key for each in queries.people(desk.session, SYSTEM, WEEK)} == {MEMBER, CLERK}
