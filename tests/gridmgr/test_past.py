"""Cases as they stood: one statement says of any history and any instant what folding its beginning says."""

from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from little import STREET
from sqlalchemy import select
from wandering import HOUR, NINE, walk

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.casebook.queries import Search
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.intake import service as intake
from gridmgr.life import rules as life
from gridmgr.life.model import Action, State
from gridmgr.past import queries
from gridmgr.past.model import NotOfThePast

pytestmark = pytest.mark.db


@pytest.fixture
def cases(district, told) -> list[Incident]:
    with clock.travel(NINE):
        ids = intake.report_many(district, SYSTEM, [told(n % 4, 0.1, reported_at=NINE) for n in range(20)])
    return list(district.scalars(select(Incident).where(Incident.id.in_(ids)).order_by(Incident.id)))


def truncated(steps: list[IncidentEvent], at: datetime, by: str) -> life.Standing:
    """The standing after the steps before the first one past the instant."""
    before = takewhile(lambda row: getattr(row, f"{by}_at") <= at, steps)
    return life.fold((Action(row.action), row.payload, row.occurred_at) for row in before)


EVERYTHING = Search()


def said(session, at: datetime, by: str = "recorded", search: Search = EVERYTHING) -> dict:
    past = queries.cases(session, SYSTEM, search, at, by)
    return {row["id"]: row for row in session.execute(select(past)).mappings()}


def of(whatever) -> dict:
    return {name: getattr(whatever, name) for name in queries.MOVING}


@given(seed=st.integers(0, 2**32), by=st.sampled_from(("recorded", "occurred")))
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_any_history_and_instant_it_says_what_folding_its_beginning_says(district, cases, seed, by):
    chance = Random(seed)
    with district.begin_nested() as example:
        for case in cases:
            walk(district, chance, case)
        district.flush()
        histories = {case.id: incidents.history(district, case.id) for case in cases}
        for hours in (-1, 0, 5, 15, 30, 400):
            at = NINE + hours * HOUR
            rows = said(district, at, by)
            assert set(rows) == (set() if hours < 0 else set(histories))
            for each, row in rows.items():
                assert {name: row[name] for name in queries.MOVING} == of(truncated(histories[each], at, by))
        now = said(district, NINE + 400 * HOUR)
        assert all(
            now[case.id][name] == getattr(case, name)
            for case in cases
            for name in (*queries.MOVING, "home", "large_loop")
        )
        example.rollback()
    district.expire_all()


def test_a_search_is_answered_as_it_would_have_been_then(district, desk, staff):
    clerk = staff[Role.STREET_DISPATCHER]
    case = desk.report(NINE)
    desk.move(case, NINE + HOUR, Action.ACCEPT, clerk)
    desk.move(case, NINE + 2 * HOUR, Action.DISPATCH, clerk, handler="环卫所")
    desk.move(case, NINE + 3 * HOUR, Action.VOID, clerk, note="不是我们的")
    due = case.due_at

    def found(hours: float, **narrowed) -> int:
        return len(said(district, NINE + hours * HOUR, search=Search(**narrowed)))

    assert [found(hours, open=True) for hours in (0.5, 2.5, 3.5)] == [1, 1, 0]
    assert [found(hours, states=(State.DISPATCHED,)) for hours in (0.5, 2.5, 3.5)] == [0, 1, 0]
    assert [found(hours, handler="环卫所") for hours in (1.5, 2.5)] == [0, 1]
    assert found(2.5, overdue=True) == 0 and due > NINE + 3 * HOUR
    assert found(2.5, since=NINE.date(), until=NINE.date(), words="垃圾", code=STREET) == 1
    assert found(2.5, words="没有这样的") == 0
    for narrowed in ({"task": "环卫所"}, {"asked": True}, {"answers": "环卫所"}, {"checker": 1}):
        with pytest.raises(NotOfThePast):
            found(2.5, **narrowed)


def test_a_day_of_the_past_stands_as_at_its_last_instant_and_today_as_now():
    with clock.travel(NINE):
        assert queries.moment(NINE.date()) == NINE
        last = queries.moment(date(2026, 9, 6))
        assert last + timedelta.resolution == datetime(2026, 9, 6, 16, tzinfo=UTC)
    with clock.travel(last):
        assert clock.today() == date(2026, 9, 6)
