"""Which clocks run, and when their rungs are due: by examples of the field, and by random histories."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmgr.clock import TimeUnit, WorkingCalendar
from gridmgr.escalation import rules
from gridmgr.escalation.model import CaseClock, Clock, Running
from gridmgr.escalation.rules import Limit, Verb
from gridmgr.incident.model import Moved
from gridmgr.life import rules as life
from gridmgr.life.model import Action, IllegalMove, State
from gridmgr.policy.model import Act, Policy, Stage

CALENDAR = WorkingCalendar(ZoneInfo("Asia/Shanghai"))
FRIDAY = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)  # 16:30 in the district
LADDER = [{"share": share, "act": Act.TELL.value, "level": "street"} for share in (0, 0.5, 0.8, 1, 1.5)]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CALENDAR.zone)


def running(amount: float, unit: TimeUnit, at: datetime = FRIDAY, ladder: Iterable = LADDER) -> Clock:
    policy = Policy(id=7, ladder=list(ladder))
    return rules.begun(1, "handle", at, Limit(amount, unit), policy, CALENDAR)


def step(action: Action, before: State | None, after: State, at: datetime = FRIDAY, **payload) -> Moved:
    return Moved(1, action, before, after, at, 1, None, payload)


def test_a_clock_is_a_row_of_its_table():
    assert list(Clock.__dataclass_fields__) == [column.name for column in CaseClock.__table__.columns]


def test_four_working_hours_from_friday_afternoon_climb_over_the_weekend():
    clock = running(4, TimeUnit.WORKING_HOURS)
    assert clock.due_at == local("2026-11-23 11:30")
    assert list(clock.rung_times) == [
        local(text)
        for text in (
            "2026-11-20 16:30", "2026-11-23 09:30", "2026-11-23 10:42", "2026-11-23 11:30", "2026-11-23 15:30",
        )
    ]  # fmt: skip


def test_running_hours_do_not_stop_at_night():
    clock = running(2, TimeUnit.HOURS, local("2026-11-20 23:00"))
    assert list(clock.rung_times[-2:]) == [local("2026-11-21 01:00"), local("2026-11-21 02:00")]


def test_three_limits_of_one_case_end_each_in_its_own_time():
    ends = [
        running(amount, unit).due_at.astimezone(CALENDAR.zone).isoformat(" ", "minutes")[:16]
        for amount, unit in (
            (4, TimeUnit.WORKING_HOURS),
            (7, TimeUnit.WORKING_DAYS),
            (20, TimeUnit.WORKING_DAYS),
        )
    ]
    assert ends == ["2026-11-23 11:30", "2026-12-01 16:30", "2026-12-18 16:30"]


def test_what_was_left_when_it_stood_still_is_left_when_it_goes_on():
    clock = rules.paused(running(4, TimeUnit.WORKING_HOURS), local("2026-11-20 17:30"), CALENDAR)
    assert (clock.state, clock.next_rung_at, clock.used) == (Running.PAUSED, None, timedelta(hours=1))
    again = rules.resumed(clock, local("2026-12-01 10:00"), CALENDAR)
    assert again.due_at == local("2026-12-01 15:00")
    assert again.rung_times[1] == local("2026-12-01 11:00")  # one more of the first two hours


def test_a_rung_that_was_late_before_the_pause_is_late_after_it():
    clock = rules.paused(running(4, TimeUnit.WORKING_HOURS), local("2026-11-23 10:00"), CALENDAR)
    again = rules.resumed(clock, local("2026-12-01 10:00"), CALENDAR)
    assert list(again.rung_times[:2]) == [FRIDAY, local("2026-11-23 09:30")]
    assert again.next_rung_at == FRIDAY


def test_an_extension_moves_the_rungs_still_to_come():
    clock = running(4, TimeUnit.WORKING_HOURS)
    longer = rules.retimed(clock, CALENDAR.due(clock.due_at, 4, TimeUnit.WORKING_HOURS), CALENDAR)
    assert (longer.allowed, longer.due_at) == (timedelta(hours=8), local("2026-11-23 17:30"))
    assert longer.rung_times[1] == local("2026-11-23 11:30")


def test_a_shorter_time_brings_the_rungs_forward():
    clock = running(4, TimeUnit.WORKING_HOURS)
    assert rules.retimed(clock, local("2026-11-23 09:30"), CALENDAR).allowed == timedelta(hours=2)


@pytest.mark.parametrize(
    ("action", "before", "after", "expected"),
    [
        (Action.REPORT, None, State.REPORTED, {("start", "accept")}),
        (
            Action.ACCEPT, State.REPORTED, State.ACCEPTED,
            {("stop", "accept"), ("start", "dispatch"), ("start", "handle"), ("start", "stop_work")},
        ),
        (Action.SETTLE, State.REPORTED, State.CLOSED, {("stop", "accept")}),
        (Action.DISPATCH, State.ACCEPTED, State.DISPATCHED, {("stop", "dispatch"), ("restart", "silence")}),
        (Action.REDIRECT, State.HANDLING, State.DISPATCHED, {("restart", "silence")}),
        (Action.SEND_BACK, State.HANDLING, State.ACCEPTED, {("start", "dispatch"), ("stop", "silence")}),
        (Action.FEED_BACK, State.HANDLING, State.FED_BACK, {("start", "verify"), ("stop", "silence")}),
        (Action.REWORK, State.FED_BACK, State.HANDLING, {("stop", "verify"), ("restart", "silence")}),
        (Action.CLOSE, State.VERIFIED, State.CLOSED, {("stop", "handle"), ("stop", "stop_work")}),
        (
            Action.REOPEN, State.CLOSED, State.ACCEPTED,
            {("start", "dispatch"), ("start", "handle"), ("start", "stop_work")},
        ),
        (Action.HAND_UP, State.HANDLING, State.HANDLING, {("restart", "silence")}),
        (Action.TAKE_OVER, State.HANDLING, State.HANDLING, set()),
        (
            Action.SUSPEND, State.HANDLING, State.SUSPENDED,
            {("pause", "handle"), ("pause", "stop_work"), ("pause", "silence")},
        ),
        (
            Action.RESUME, State.SUSPENDED, State.HANDLING,
            {("resume", "handle"), ("resume", "stop_work"), ("restart", "silence")},
        ),
        (
            Action.ADOPT, None, State.HANDLING,
            {("start", "handle"), ("start", "stop_work"), ("restart", "silence")},
        ),
        (Action.ADOPT, None, State.CLOSED, set()),
    ],
)  # fmt: skip
def test_what_each_step_does_to_the_clocks(action, before, after, expected):
    there = State.HANDLING if before is State.SUSPENDED else before
    live = dict.fromkeys(rules.expected(there, ("stop_work",)) if there else (), Running.RUNNING)
    found = rules.effects(step(action, before, after), live, ("stop_work",))
    assert {(each.verb.value, each.key) for each in found} == expected


def test_meeting_a_further_limit_ends_its_clock_alone():
    live = dict.fromkeys(("handle", "stop_work", "fine"), Running.RUNNING)
    for limit, ended in (("stop_work", {"stop_work"}), ("handle", set()), ("no such", set())):
        met = step(Action.MEET, State.HANDLING, State.HANDLING, limit=limit)
        found = rules.effects(met, live, ("stop_work", "fine"))
        assert {each.key for each in found if each.verb is Verb.STOP and each.served} == ended


def test_a_step_in_time_meets_a_limit_and_a_late_one_misses_it():
    clock = running(1, TimeUnit.HOURS)
    assert rules.stopped(clock, clock.due_at, served=True).state is Running.MET
    assert rules.stopped(clock, clock.due_at + timedelta(seconds=1), served=True).state is Running.MISSED
    assert rules.stopped(clock, clock.due_at, served=False).state is Running.CANCELLED


# ---- random histories ------------------------------------------------------------------------------

ACTIONS = [action for action in Action if action not in (Action.REPORT, Action.ADOPT)]
FIELDS = {
    "handler": "环卫所",
    "level": "street",
    "satisfaction": 5,
    "found": True,
    "limit": "stop_work",
    "way": "extend",
}


def histories():
    """Steps as drawn; those the table does not have are left out when they are taken."""
    return st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 3000)), max_size=40)


def walk(drawn) -> list[Moved]:
    standing = life.apply(life.Standing(), Action.REPORT, {}, FRIDAY)
    steps, at = [step(Action.REPORT, None, State.REPORTED)], FRIDAY
    for action, minutes in drawn:
        later, payload = at + timedelta(minutes=minutes), dict(FIELDS)
        if action in (Action.ACCEPT, Action.REOPEN):
            payload |= {
                "due_at": CALENDAR.due(later, 4, TimeUnit.WORKING_HOURS).isoformat(),
                "limit_unit": "working_hours",
            }
        if action in (Action.EXTEND, Action.RETIME):
            payload["due_at"] = (
                (standing.due_at + timedelta(hours=5)).isoformat() if standing.due_at else None
            )
        try:
            after = life.apply(standing, action, payload, later)
        except (IllegalMove, KeyError, TypeError):
            continue
        steps.append(step(action, standing.state, after.state, later, **payload))
        standing, at = after, later
    return steps


def play(steps: list[Moved]) -> tuple[dict[str, Clock], list[Clock]]:
    """Keep the clocks of one case by the rules alone, as the service does; returns the live and the ended."""
    live: dict[str, Clock] = {}
    ended = []
    policy = Policy(id=1, amount=1, unit="working_hours", ladder=LADDER)
    for each in steps:
        for effect in rules.effects(each, {key: clock.state for key, clock in live.items()}, ("stop_work",)):
            match effect.verb:
                case Verb.STOP:
                    ended.append(rules.stopped(live.pop(effect.key), each.at, effect.served))
                case Verb.START | Verb.RESTART:
                    assert effect.key not in live or effect.verb is Verb.RESTART
                    limit = Limit(4, TimeUnit.WORKING_HOURS)
                    live[effect.key] = rules.begun(
                        1, effect.key, each.at, limit, policy, CALENDAR, effect.due_at
                    )
                case Verb.PAUSE:
                    live[effect.key] = rules.paused(live[effect.key], each.at, CALENDAR)
                case Verb.RESUME:
                    live[effect.key] = rules.resumed(live[effect.key], each.at, CALENDAR)
                case Verb.RETIME:
                    live[effect.key] = rules.retimed(live[effect.key], effect.due_at, CALENDAR)
    return live, ended


@given(histories())
def test_after_any_history_those_clocks_run_that_the_table_names(drawn):
    steps = walk(drawn)
    live, _ = play(steps)
    state, met = steps[-1].after, False
    for each in steps:
        if each.before not in rules.RUNS_IN[Stage.FURTHER] and each.before is not State.SUSPENDED:
            met = False  # it started anew
        met |= each.action is Action.MEET
    if state is State.SUSPENDED:
        assert {clock.state for clock in live.values()} == {Running.PAUSED}
        return
    expected = set(rules.expected(state, ("stop_work",))) - ({"stop_work"} if met else set())
    assert {key for key, clock in live.items() if clock.state is Running.RUNNING} == set(live) == expected


@given(histories())
def test_rungs_are_due_in_order_and_never_before_their_clock_started(drawn):
    live, ended = play(walk(drawn))
    for clock in [*live.values(), *ended]:
        assert list(clock.rung_times) == sorted(clock.rung_times)
        assert all(at >= clock.started_at for at in clock.rung_times)
        assert len(clock.rung_times) == len(clock.ladder)
        assert (clock.next_rung_at is None) == (clock.state is not Running.RUNNING)


spans = st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 50_000)), max_size=6)


@given(spans, st.sampled_from(list(TimeUnit)))
def test_however_often_it_stands_still_the_worked_time_is_the_same(stops, unit):
    clock = running(40, unit)
    at, worked = FRIDAY, timedelta()
    for run, pause in stops:
        stop = at + timedelta(minutes=run)
        worked += CALENDAR.worked(at, stop, unit)
        clock = rules.paused(clock, stop, CALENDAR)
        assert clock.used == worked
        at = stop + timedelta(minutes=pause)
        clock = rules.resumed(clock, at, CALENDAR)
    left = clock.allowed - worked
    if left > timedelta():
        assert abs(CALENDAR.worked(at, clock.due_at, unit) - left) < timedelta(milliseconds=1)
    assert clock.allowed == running(40, unit).allowed
