"""Who is on duty: rosters brought as tables, leave and cover, one question for now and next, and who is told."""

from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from little import STREET

from gridmgr import clock, sheet
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import OutsideGrant, Role, UnknownAccount
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.duty import queries, rules, service
from gridmgr.duty.model import (
    AwayAlready,
    CoverAway,
    CoverElsewhere,
    CoversNobody,
    CoversThen,
    EndsFirst,
    LeaveTooLong,
    Turn,
)
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.sheet import BadSheet

SHANGHAI = ZoneInfo("Asia/Shanghai")
GRID, OTHER, COMMUNITY = f"{STREET}001001", f"{STREET}001002", f"{STREET}001"
HEAD = "用户名,岗位,辖区编码,日期,时段,主副岗\n"
ROSTER = f"""li,网格员,{GRID},2026-12-01~2026-12-07,08:00-20:00,
wang,网格员,{GRID},2026-12-01~2026-12-07,20:00-08:00,主岗
zhao,网格员,{GRID},2026-12-01~2026-12-07,08:00-20:00,副岗
"""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant of December 2026 on the district's clock."""
    return datetime(2026, 12, day, hour, minute, tzinfo=SHANGHAI)


@pytest.fixture
def people(district):
    """Four grid members of one community, and a clerk of it."""
    rows = dict.fromkeys(("li", "wang", "zhao", "sun"), (Role.GRID_MEMBER, COMMUNITY))
    rows["qian"] = (Role.COMMUNITY_CLERK, COMMUNITY)
    opened = {
        name: account_service.open_account(district, name, f"{name}某", "a long password", [Grant(*grant)])
        for name, grant in rows.items()
    }
    return {name: accounts.actor_of(account) for name, account in opened.items()}


@pytest.fixture
def bring(district, people):
    """Take a roster given as the lines of a CSV file."""

    def take(lines: str, by=SYSTEM):
        read = sheet.read((HEAD + lines).encode(), "排班.csv", rules.SHIFTS)
        return service.import_shifts(district, by, read, partial(hierarchy.without_units, district))

    return take


def sitting(session, people, instant: datetime, code: str = GRID) -> set[str]:
    """Return the names of the grid members who sit for a place at an instant."""
    names = {actor.id: name for name, actor in people.items()}
    with clock.travel(instant):
        return {names[each] for each in queries.seats(session).at([Role.GRID_MEMBER], code)}


def faults(bring, lines: str) -> list[tuple[int, str, str]]:
    with pytest.raises(BadSheet) as refused:
        bring(lines)
    return [(e.details["row"], e.details["column"], type(e.reason).__name__) for e in refused.value.errors]


def test_whoever_stands_in_a_roster_sits_by_it_and_all_others_always(district, people, bring):
    assert sitting(district, people, at(1, 9)) == {"li", "wang", "zhao", "sun"}
    found = bring(ROSTER)
    assert (len(found.turns), found.replaced, found.gaps) == (21, 0, ())
    assert sitting(district, people, at(1, 9)) == {"li", "sun"}  # the substitute only while no main does
    assert sitting(district, people, at(1, 23)) == {"wang", "sun"}
    assert sitting(district, people, at(8, 7, 59)) == {"wang", "sun"}
    assert sitting(district, people, at(8, 8)) == {"li", "wang", "zhao", "sun"}  # the roster has run out
    assert sitting(district, people, at(1, 9), OTHER) == {"sun"}  # rostered for another grid


def test_who_is_on_duty_now_and_next_is_one_question(district, people, bring):
    bring(ROSTER)
    found = queries.on_duty(district, GRID, at(1, 19))
    told = [(each.name, each.now, each.substitute) for each in found if each.role == Role.GRID_MEMBER]
    assert told == [
        ("li某", True, False), ("zhao某", True, True), ("sun某", True, False), ("wang某", False, False),
    ]  # fmt: skip
    assert found[-1].begins == at(1, 20)
    assert {(each.name, each.begins) for each in found if each.role == Role.COMMUNITY_CLERK} == {
        ("qian某", None)
    }


def test_a_code_of_any_kind_finds_nobody_or_somebody_and_breaks_nothing(district, people, bring):
    bring(ROSTER)
    for odd in ("x\n'; DROP TABLE shift; --", "%", "\\", f"{GRID}\n", "💥" * 8):
        assert isinstance(queries.on_duty(district, odd, at(1, 19)), list)
    assert "--" not in queries.SITTING  # what a comment says of a parameter must not become one


def test_leave_is_covered_or_taken_over_by_the_substitute(district, people, bring):
    bring(ROSTER)
    covered = service.grant_leave(district, SYSTEM, "li", at(2, 0), at(3, 0), "sun", "年休")
    service.grant_leave(district, SYSTEM, "li", at(3, 0), at(4, 0))
    assert sitting(district, people, at(2, 9)) == {"sun"}
    assert sitting(district, people, at(3, 9)) == {"zhao", "sun"}
    assert sitting(district, people, at(4, 9)) == {"li", "sun"}
    (one,) = [each for each in queries.on_duty(district, GRID, at(2, 9)) if each.name == "li某"]
    assert (one.away, one.cover) == (True, "sun某")
    with clock.travel(at(2, 12)):
        service.end_leave(district, SYSTEM, covered.id)
    assert sitting(district, people, at(2, 13)) == {"li", "sun"}


def test_leave_empties_the_seats_of_whoever_stands_in_no_roster(district, people):
    service.grant_leave(district, SYSTEM, "sun", at(2, 0), at(3, 0))
    assert sitting(district, people, at(2, 9)) == {"li", "wang", "zhao"}
    service.grant_leave(district, SYSTEM, "li", at(2, 0), at(3, 0), "qian")
    assert sitting(district, people, at(2, 9)) == {"wang", "zhao", "qian"}


@pytest.mark.parametrize(
    ("leave", "refusal"),
    [
        (("li", at(2, 9), at(2, 9), ""), EndsFirst),
        (("li", at(2, 9), at(2, 9) + timedelta(days=400), ""), LeaveTooLong),
        (("li", at(2, 9), at(2, 12), "li"), CoversNobody),
        (("li", at(2, 9), at(2, 12), "nobody"), UnknownAccount),
        (("nobody", at(2, 9), at(2, 12), ""), UnknownAccount),
        (("wang", at(2, 9), at(2, 12), ""), AwayAlready),
        (("li", at(2, 9), at(2, 12), "wang"), CoverAway),
    ],
)
def test_leave_that_cannot_be_is_refused(district, people, leave, refusal):
    service.grant_leave(district, SYSTEM, "wang", at(2, 0), at(3, 0))
    with pytest.raises(refusal):
        service.grant_leave(district, SYSTEM, *leave)


def test_whoever_covers_sees_what_is_covered_and_stays(district, people):
    account_service.open_account(
        district, "far", "far", "a long password", [Grant(Role.GRID_MEMBER, f"{STREET}002")]
    )
    with pytest.raises(CoverElsewhere):
        service.grant_leave(district, SYSTEM, "li", at(2, 0), at(3, 0), "far")
    service.grant_leave(district, SYSTEM, "li", at(2, 0), at(3, 0), "sun")
    with pytest.raises(CoversThen):
        service.grant_leave(district, SYSTEM, "sun", at(2, 12), at(4, 0))
    assert service.grant_leave(district, SYSTEM, "sun", at(3, 0), at(4, 0)).id


def test_a_clerk_leads_the_people_of_the_community_alone(district, people, bring):
    clerk = people["qian"]
    bring(ROSTER, by=clerk)
    service.grant_leave(district, clerk, "li", at(2, 0), at(3, 0))
    account_service.open_account(
        district, "far", "far", "a long password", [Grant(Role.GRID_MEMBER, f"{STREET}002")]
    )
    with pytest.raises(OutsideGrant):
        service.grant_leave(district, clerk, "far", at(2, 0), at(3, 0))
    with pytest.raises(BadSheet) as refused:
        bring(f"far,网格员,{STREET}002001,2026-12-01,08:00-20:00,\n", by=clerk)
    assert type(refused.value.errors[0].reason) is OutsideGrant


def test_a_roster_replaces_what_its_seats_had_from_its_first_turn_to_its_last(district, people, bring):
    bring(ROSTER)
    found = bring(f"sun,网格员,{GRID},2026-12-03~2026-12-04,08:00-20:00,\n")
    assert found.replaced == 5  # two of li, two of zhao, and the night between them
    assert [(gap.first.begins, gap.first.ends, gap.regular) for gap in found.gaps] == [
        (at(3, 20), at(4, 8), False)
    ]
    assert sitting(district, people, at(3, 9)) == {"sun"}
    assert (
        sitting(district, people, at(3, 22)) == set()
    )  # the hole at night, and everybody is in the roster now
    assert sitting(district, people, at(5, 9)) == {"li"}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (f"nobody,网格员,{GRID},2026-12-01,08:00-20:00,\n", [(2, "用户名", "NobodyOfThatName")]),
        (f"li,社区坐席,{GRID},2026-12-01,08:00-20:00,\n", [(2, "岗位", "NotTheirSeat")]),
        (
            "li,网格员,999,2026-12-01,08:00-20:00,\n",
            [(2, "辖区编码", "NoSuchArea"), (2, "岗位", "NotTheirSeat")],
        ),
        (f"li,规划员,{GRID},2026-12-01,08:00-20:00,\n", [(2, "岗位", "NoSeatOfRole")]),
        (f"li,网格员,{GRID},2026-02-30,08:00-20:00,\n", [(2, "日期", "NoSuchDay")]),
        (f"li,网格员,{GRID},2026-12-01,8点,\n", [(2, "时段", "BadHours")]),
        (f"li,网格员,{GRID},2026-12-01,08:00-20:00,都行\n", [(2, "主副岗", "NotOneOf")]),
        (
            f"li,网格员,{GRID},2026-12-01,08:00-20:00,\nli,网格员,{GRID},2026-12-01,19:00-21:00,副岗\n",
            [(3, "日期", "TurnTwice")],
        ),
        (
            f"li,网格员,{GRID},2026-12-01,08:00-20:00,\nwang,网格员,{GRID},2026-12-01,19:00-21:00,\n",
            [(3, "日期", "SeatTaken")],
        ),
    ],
)
def test_a_bad_roster_is_listed_row_by_row_and_nothing_is_written(district, people, bring, lines, expected):
    assert faults(bring, lines) == expected
    assert queries.listing(district, SYSTEM, at(1, 0), at(31, 0), "", 10) == []


def test_a_night_that_was_there_before_counts_against_a_new_roster(bring):
    bring(f"wang,网格员,{GRID},2026-12-01,20:00-08:00,\n")
    assert faults(bring, f"li,网格员,{GRID},2026-12-02,07:00-20:00,\n") == [(2, "日期", "SeatTaken")]
    assert len(bring(f"li,网格员,{GRID},2026-12-02,08:00-20:00,\n").turns) == 1


def test_nights_that_are_never_held_are_one_gap_and_a_missing_day_another(bring):
    found = bring(
        f"li,网格员,{GRID},2026-12-01~2026-12-04,08:00-20:00,\nli,网格员,{GRID},2026-12-07~2026-12-10,08:00-20:00,\n"
    )
    told = [(gap.first.begins, gap.first.ends, len(gap.holes), gap.regular) for gap in found.gaps]
    assert told == [(at(4, 20), at(7, 8), 1, False), (at(1, 20), at(2, 8), 6, True)]


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 20)), min_size=1, max_size=12))
def test_turns_and_holes_together_fill_the_time_from_first_to_last(spans):
    start = at(1, 0)
    turns = [
        Turn("li", "grid_member", GRID, False, start + timedelta(hours=b), start + timedelta(hours=b + n))
        for b, n in spans
    ]
    manned = {start + timedelta(hours=b + k) for b, n in spans for k in range(n)}
    empty = {
        hole.begins + timedelta(hours=k)
        for hole in rules.holes(turns)
        for k in range(int((hole.ends - hole.begins).total_seconds() // 3600))
    }
    first, last = min(turn.begins for turn in turns), max(turn.ends for turn in turns)
    hours = int((last - first).total_seconds() // 3600)
    assert manned | empty == {first + timedelta(hours=k) for k in range(hours)}
    assert not manned & empty


def test_those_on_duty_are_told_of_what_happens_and_the_others_are_not(district, people, bring, told):
    from climbing import Desk
    from sqlalchemy import select

    from gridmgr.life.model import Source
    from gridmgr.notice.model import Notice

    bring(ROSTER)
    case = Desk(district, told).report(at(1, 23), source=Source.RESIDENT)
    heard = district.scalars(select(Notice.account_id).where(Notice.incident_id == case.id)).all()
    names = {actor.id: name for name, actor in people.items()}
    assert {names[each] for each in heard} == {"wang", "sun"}
