"""The time line: at each instant it says what the past says, and of too many cases the same numbers."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from little import STREET
from sqlalchemy import func, select
from test_past import HOUR, NINE, walk

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Actor, Grant, Role
from gridmgr.casebook.queries import Search
from gridmgr.incident.model import Incident
from gridmgr.intake import service as intake
from gridmgr.life.model import State
from gridmgr.life.rules import OPEN
from gridmgr.past import queries as past
from gridmgr.timeline import queries, rules
from gridmgr.timeline.model import BackwardPeriod, Change, Passage, Played, Step, TooManySteps


def test_days_begin_at_the_same_time_of_day_and_hours_are_as_long_as_hours() -> None:
    begin = datetime(2026, 3, 28, 12, tzinfo=clock.ZoneInfo("Europe/Vienna"))  # a night of 23 hours
    days = rules.instants(begin, begin + timedelta(days=2), Step.DAY)
    assert [at.hour for at in days] == [12, 12, 12]
    hours = rules.instants(begin, begin + timedelta(days=1), Step.HOUR)
    assert {(b.astimezone(UTC) - a.astimezone(UTC)) for a, b in pairwise(hours)} == {HOUR}


def test_a_period_that_cannot_be_played_is_refused() -> None:
    with pytest.raises(BackwardPeriod):
        rules.instants(NINE, NINE, Step.DAY)
    with pytest.raises(TooManySteps):
        rules.instants(NINE, NINE + timedelta(days=400), Step.HOUR)


def test_a_case_turns_late_between_its_steps_and_stays_as_it_was_when_its_time_stopped() -> None:
    history = [
        Passage(0.5, State.REPORTED, None, None, "a"),
        Passage(1, State.ACCEPTED, 3, None, "a"),
        Passage(4.5, State.SUSPENDED, 3, 4.5, "a"),
        Passage(6, State.HANDLING, 9, None, "b"),
        Passage(8, State.CLOSED, 9, 8, "b"),
    ]
    assert list(rules.changes(range(1, 11), history)) == [
        Change(0, State.ACCEPTED, False, "a"),
        Change(3, State.ACCEPTED, True, "a"),  # due at three: late at four
        Change(4, State.SUSPENDED, True, "a"),
        Change(5, State.HANDLING, False, "b"),
        Change(7, State.CLOSED, False, "b"),
    ]


def as_seen(case: Played, step: int) -> Change | None:
    """Return how a case stood at one instant, None if it is not to be seen: not known, or over and not new."""
    now = next((change for change in reversed(case.changes) if change.step <= step), None)
    return now if now and (now.state in OPEN or case.reported == step) else None


@pytest.fixture
def walked(district, told) -> list[Incident]:
    with clock.travel(NINE):
        ids = intake.report_many(district, SYSTEM, [told(n % 4, 0.1, reported_at=NINE) for n in range(24)])
    cases = list(district.scalars(select(Incident).where(Incident.id.in_(ids)).order_by(Incident.id)))
    chance = Random(5)
    for case in cases:
        walk(district, chance, case)
    district.flush()
    return cases


@pytest.mark.db
@pytest.mark.parametrize("by", ["recorded", "occurred"])
def test_at_each_instant_it_says_what_the_past_says(district, walked, by) -> None:
    with clock.travel(NINE + 200 * HOUR):
        asked = (SYSTEM, Search(), NINE - HOUR, NINE + 90 * HOUR, Step.HOUR, "community", by)
        played = queries.play(district, *asked)
        numbers = queries.play(district, *asked, most=3)
        totals = rules.totals(played)
        assert numbers.cases is None
        assert [(t.reported, t.open) for t in rules.totals(numbers)] == [(t.reported, t.open) for t in totals]
    assert totals[0].open == 0
    assert totals[1].reported == len(walked)
    for step, at in list(enumerate(played.instants))[::7]:
        rows = past.cases(district, SYSTEM, Search(), at, by).c
        late = func.coalesce(rows.due_at < func.coalesce(rows.closed_at, rows.suspended_at, at), False)
        then = {
            row[0]: row[1:]
            for row in district.execute(select(rows.number, rows.state, late, rows.community_code))
        }
        seen = {each.number: as_seen(each, step) for each in played.cases}
        shown = {
            number: (change.state, change.late, change.place) for number, change in seen.items() if change
        }
        assert shown.items() <= then.items()
        going = {number for number, (state, *_rest) in then.items() if state in OPEN}
        assert going <= set(shown)
        assert totals[step].open == len(going)
        assert totals[step].states == Counter(then[number][0] for number in going)
        assert totals[step].late == sum(then[number][1] for number in going)


@pytest.mark.db
def test_nobody_looks_back_over_the_border_of_an_area(district, walked) -> None:
    west = Actor(None, "", (Grant(Role.COMMUNITY_CLERK, f"{STREET}001"),))
    with clock.travel(NINE + 50 * HOUR):
        for most in (1000, 1):
            played = queries.play(district, west, Search(), NINE - HOUR, NINE + HOUR, Step.HOUR, most=most)
            mine = sum(case.community_code == f"{STREET}001" for case in walked)
            assert rules.totals(played)[1].reported == mine
            assert played.numbers is None or all(code.startswith(f"{STREET}001") for code in played.numbers)
