"""Many steps at once: the same rules and the same history as one by one."""

from datetime import UTC, datetime, timedelta

import pytest

from gridmgr.account.model import OutsideGrant, Role
from gridmgr.account.rules import SYSTEM
from gridmgr.audit import queries as audit
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.incident import queries, service
from gridmgr.incident.model import IncidentMovedMeanwhile, Move, UnknownIncident
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, IllegalMove, MissingField, State

pytestmark = pytest.mark.db
NINE = datetime(2026, 9, 7, 1, tzinfo=UTC)


@pytest.fixture
def numbers(district, told) -> list[str]:
    """Three reports: two in the first micro-grid, one in the last."""
    reports = [told(column, reported_at=NINE) for column in (0.1, 0.2, 3.5)]
    intake.report_many(district, SYSTEM, reports)
    found = casebook.page(district, SYSTEM, Search(), 9)
    return sorted(case.number for case in found)


def steps(actor, number: str) -> list[Move]:
    walk = (
        (Action.ACCEPT, {"checked": True}),
        (Action.DISPATCH, {"handler": "环卫所"}),
        (Action.HANDLE, {}),
        (Action.FEED_BACK, {"note": "已清理"}),
        (Action.REWORK, {"note": "不合格"}),
    )
    return [
        Move(actor, number, action, payload, NINE + timedelta(minutes=n))
        for n, (action, payload) in enumerate(walk, start=1)
    ]


def test_many_steps_write_the_history_that_single_steps_write(district, numbers):
    one, other, _ = numbers
    assert service.move_many(district, steps(SYSTEM, one)) == [None] * 5
    for step in steps(SYSTEM, other):
        service.move(district, SYSTEM, other, step.action, step.payload, at=step.at)
    told = [
        [
            (row.seq, row.action, row.state, row.occurred_at, row.payload)
            for row in queries.history(district, queries.by_number(district, SYSTEM, number).id)
        ][1:]
        for number in (one, other)
    ]
    assert told[0] == told[1]
    assert len(told[0]) == 5
    assert audit.verify(district).broken == []
    assert queries.by_number(district, SYSTEM, one).reworks == 1


def test_a_refused_step_says_why_and_stops_no_other(district, numbers, staff):
    one, other, far = numbers
    clerk = staff[Role.COMMUNITY_CLERK]
    asked = [
        Move(clerk, one, Action.ACCEPT, {"checked": True}, NINE),
        Move(clerk, far, Action.ACCEPT, {"checked": True}, NINE),
        Move(SYSTEM, other, Action.CLOSE, {}, NINE),
        Move(SYSTEM, other, Action.VOID, {}, NINE),
        Move(SYSTEM, "no such number", Action.ACCEPT, {"checked": True}, NINE),
        Move(SYSTEM, one, Action.DISPATCH, {"handler": "环卫所"}, NINE, expected_seq=1),
        Move(SYSTEM, other, Action.ACCEPT, {"checked": True}, NINE),
    ]
    refused = service.move_many(district, asked)
    assert [type(problem) for problem in refused] == [
        type(None),
        OutsideGrant,
        IllegalMove,
        MissingField,
        UnknownIncident,
        IncidentMovedMeanwhile,
        type(None),
    ]
    states = [queries.by_number(district, SYSTEM, number).state for number in numbers]
    assert states == [State.ACCEPTED, State.ACCEPTED, State.REPORTED]
    assert audit.verify(district).broken == []


def test_nothing_asked_is_nothing_done(district):
    assert service.move_many(district, []) == []
