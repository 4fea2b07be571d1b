"""Who holds a unit follows it when an edition is in force: roles, turns, lines, settings, open work."""

from datetime import UTC, date, datetime, timedelta

import pytest
from little import STREET, little_district, square
from sqlalchemy import select

from gridmgr import clock, worker
from gridmgr.account import service as accounts
from gridmgr.account.model import RoleGrant
from gridmgr.account.rules import SYSTEM, Grant, Role
from gridmgr.dispatch.model import DispatchSetting, Mode
from gridmgr.duty.model import Shift
from gridmgr.events import drain
from gridmgr.hierarchy import rules
from gridmgr.hierarchy import service as maps
from gridmgr.hierarchy.model import Edition, Lineage, UnitsSucceeded
from gridmgr.intake import service as intake
from gridmgr.notice.model import Notice
from gridmgr.one_grid.model import MemberLine
from gridmgr.reactions import REACTIONS

C1 = f"{STREET}001"
WEST, EAST, NEW = f"{C1}001", f"{C1}002", f"{C1}003"
NOON = datetime(2026, 7, 2, 4, tzinfo=UTC)


def lineage(kind, old=None, new=None, households=None, area=None):
    return Lineage(kind=kind, old_code=old, new_code=new, household_share=households, area_share=area)


def test_the_heir_is_where_most_households_went_and_new_units_follow_what_they_were_cut_from():
    rows = [
        lineage("retired", "a"), lineage("passed", "a", "b", 0.4, 0.9), lineage("passed", "a", "c", 0.6, 0.1),
        lineage("new", new="d"), lineage("passed", "b", "d", 0.2, 0.3), lineage("reshaped", "b", "b"),
    ]  # fmt: skip
    assert rules.succession(rows) == ({"a": "c"}, {"d": "b"}, {"d"})


def test_of_one_that_is_no_more_the_parts_that_are_not_its_heir_are_founded_from_it():
    rows = [
        lineage("retired", "a"), lineage("new", new="b"), lineage("new", new="c"),
        lineage("passed", "a", "b", 0.4, 0.5), lineage("passed", "a", "c", 0.6, 0.5),
    ]  # fmt: skip
    heirs, founded, fresh = rules.succession(rows)
    assert (heirs, founded) == ({"a": "c"}, {"b": "a"})
    assert UnitsSucceeded(date(2026, 7, 2), heirs, founded, fresh).models == {"b": "a", "c": "a"}


@pytest.fixture
def after(district):
    """The little district with its second micro-grid merged away into the first, and the first cut in three."""
    with clock.travel(NOON):
        person = accounts.open_account(
            district, "li", "李", "a long enough password", [Grant(Role.GRID_MEMBER, EAST)]
        )
        other = accounts.open_account(
            district, "wu", "吴", "a long enough password", [Grant(Role.GRID_LEADER, WEST)]
        )
        shift = {"begins": NOON + timedelta(hours=1), "ends": NOON + timedelta(hours=9), "substitute": False}
        district.add_all(
            [
                Shift(account_id=person.id, role=Role.GRID_MEMBER, code=EAST, **shift),
                Shift(account_id=other.id, role=Role.GRID_MEMBER, code=WEST, **shift),
                MemberLine(account_id=person.id, code=EAST, line="综治", since=NOON),
                DispatchSetting(
                    code=WEST, effective=date(2026, 2, 1), mode=Mode.AUTOMATIC, severities=[1],
                    check_minutes=None, set_by="x", set_at=NOON,
                ),
            ]
        )  # fmt: skip
        district.flush()
        frame = little_district()["micro_grid"]
        frame.loc[0, "geometry"] = square(0.2, 0, 1.8)
        frame.loc[1, ["code", "name"]] = [NEW, "新微网格"]
        frame.loc[1, "geometry"] = square(0, 0, 0.2)
        maps.load(district, {"micro_grid": frame}, date(2026, 7, 2))
        drain(district, REACTIONS)
        yield person, other


def held(session, table, *columns):
    return sorted(tuple(row) for row in session.execute(select(*(getattr(table, name) for name in columns))))


def test_people_follow_their_units(district, after):
    person, other = after
    assert held(district, RoleGrant, "account_id", "code") == [
        (person.id, WEST),
        (other.id, WEST),
        (other.id, NEW),
    ]
    turns = held(district, Shift, "account_id", "code", "substitute")
    assert turns == [(person.id, WEST, True), (other.id, WEST, False), (other.id, NEW, False)]
    lines = {(each.code, each.until is None) for each in district.scalars(select(MemberLine))}
    assert lines == {(EAST, False), (WEST, True)}
    assert held(district, DispatchSetting, "code", "effective") == [
        (WEST, date(2026, 2, 1)), (NEW, date(2026, 7, 2)),
    ]  # fmt: skip
    told = {(row.account_id, row.kind) for row in district.scalars(select(Notice))}
    assert told == {(person.id, "seat_moved"), (other.id, "seat_moved")}
    assert maps.follow(district) == 0  # each state of an edition is followed once


def test_an_edition_to_come_is_followed_on_its_day(district, staff):
    with clock.travel(NOON):
        frame = little_district()["micro_grid"]
        frame.loc[0, "geometry"] = square(0, 0, 2)
        maps.load(district, {"micro_grid": frame.drop(index=1)}, date(2026, 7, 3))
        drain(district, REACTIONS)
        assert district.scalars(select(Edition).where(Edition.followed.is_(None))).one().effective.day == 3
    with clock.travel(NOON + timedelta(days=1)):
        worker._follow(district, "", 0)
        drain(district, REACTIONS)
    codes = {row.code for row in district.scalars(select(RoleGrant)) if row.role == Role.GRID_MEMBER}
    assert codes == {WEST}


def test_open_work_of_a_units_people_goes_to_those_of_its_heir(district, told):
    case = intake.report(district, SYSTEM, told(1.5))
    case.handler, case.handler_code, case.owner, case.owner_code = "第2微网格", EAST, "第2微网格", EAST
    with clock.travel(NOON):
        frame = little_district()["micro_grid"]
        frame.loc[0, "geometry"] = square(0, 0, 2)
        maps.load(district, {"micro_grid": frame.drop(index=1)}, date(2026, 7, 2))
        drain(district, REACTIONS)
    assert (case.handler_code, case.owner_code, case.micro_grid_code) == (WEST, WEST, WEST)


def test_cases_in_hand_stay_where_they_were_if_the_edition_says_so(district, told):
    waiting, held = (intake.report(district, SYSTEM, told(1.5)) for _ in range(2))
    held.state = "handling"
    with clock.travel(NOON):
        frame = little_district()["micro_grid"]
        frame.loc[0, "geometry"] = square(0, 0, 2)
        maps.load(district, {"micro_grid": frame.drop(index=1)}, date(2026, 7, 2), keep_in_hand=True)
        drain(district, REACTIONS)
    assert (waiting.micro_grid_code, held.micro_grid_code) == (WEST, EAST)
