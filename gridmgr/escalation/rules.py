"""Which clocks run when, what a step does to them, and when their rungs are due. No session, no time of day."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from itertools import accumulate
from typing import Any

from gridmgr.category.model import Category
from gridmgr.clock import TimeUnit, WorkingCalendar
from gridmgr.escalation.model import Clock, Running
from gridmgr.incident.model import Filed, Moved
from gridmgr.life.model import HOLDERS, Action, State
from gridmgr.life.rules import BY_SYSTEM, OPEN, WORKED_ON
from gridmgr.policy.model import LADDER, Act, Policy, Rung, Stage, When

_UNDER_WAY = OPEN - {State.REPORTED, State.SUSPENDED}

# In which states the clock of each stage runs. A suspended case lets all its clocks stand still.
RUNS_IN: dict[Stage, frozenset[State]] = {
    Stage.ACCEPT: frozenset({State.REPORTED}),
    Stage.DISPATCH: frozenset({State.ACCEPTED}),
    Stage.HANDLE: _UNDER_WAY,
    Stage.VERIFY: frozenset({State.FED_BACK}),
    Stage.SILENCE: frozenset(WORKED_ON),
    Stage.FURTHER: _UNDER_WAY,
}

# The steps each clock waits for; whatever else ends it makes it pointless.
SERVED_BY: dict[Stage, frozenset[Action]] = {
    Stage.ACCEPT: frozenset({Action.ACCEPT, Action.SETTLE, Action.VOID, Action.MERGE}),
    Stage.DISPATCH: frozenset({Action.DISPATCH}),
    Stage.HANDLE: frozenset({Action.CLOSE}),
    Stage.VERIFY: frozenset({Action.VERIFY, Action.REWORK}),
    Stage.SILENCE: frozenset(Action) - {*BY_SYSTEM, Action.VOID, Action.MERGE},
    Stage.FURTHER: frozenset({Action.CLOSE, Action.MEET}),
}
RETIMING = frozenset({Action.EXTEND, Action.RETIME})  # steps that give the case another due time


class Verb(StrEnum):
    """What a step does to a clock."""

    START = "start"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    RETIME = "retime"
    RESTART = "restart"  # something was done, so silence is counted from there


@dataclass(frozen=True)
class Effect:
    """What a step does to the clock of a stage, or of a further limit by its key."""

    verb: Verb
    key: str
    served: bool = False  # of a stop: the step was the one it waited for
    due_at: datetime | None = None  # of a retiming and a resumption: as the case's own history says


def stage_of(key: str) -> Stage:
    """Return the stage a clock belongs to: that of its name, or the further limits."""
    return _STAGES.get(key, Stage.FURTHER)


_STAGES = {stage.value: stage for stage in Stage}
OWN_STAGES = tuple(stage.value for stage in Stage if stage is not Stage.FURTHER)


@cache
def entered(before: State | None, after: State, further: tuple[str, ...]) -> tuple[str, ...]:
    """Return the stages and further limits whose clocks begin to run between two states."""
    keys = (*OWN_STAGES, *further)
    return tuple(
        key for key in keys if after in RUNS_IN[stage_of(key)] and before not in RUNS_IN[stage_of(key)]
    )


def touches(step: Moved) -> bool:
    """Tell whether a step can do anything to any clock."""
    changes = step.before != step.after or step.action in RETIMING or step.action is Action.MEET
    return changes or breaks_silence(step)


def breaks_silence(step: Moved) -> bool:
    """Tell whether a step shows that somebody is at work on a case that waits for work."""
    return step.after in WORKED_ON and step.action in SERVED_BY[Stage.SILENCE]


def first_step(filed: Filed) -> Moved:
    """Return the step by which a case began: where another system had taken it, if it came with its word."""
    word = filed.word.payload if filed.word else {}
    if word.get("state", State.REPORTED) == State.REPORTED:
        return Moved(filed.id, Action.REPORT, None, State.REPORTED, filed.reported_at, 1, None, {})
    accepted = word.get("accepted_at")
    at = datetime.fromisoformat(accepted) if accepted else filed.word.at
    return Moved(filed.id, Action.ADOPT, None, State(word["state"]), at, 2, None, word)


def effects(step: Moved, live: Mapping[str, Running], further: tuple[str, ...]) -> list[Effect]:
    """Return what a step does to the clocks of its case.

    `live` are the clocks that run or stand still, by stage or key; `further` are the keys of the further
    limits of its category. Rule: field.md §3 and §4, by the tables above.
    """
    told = step.payload.get("due_at")
    due_at = datetime.fromisoformat(told) if isinstance(told, str) else told
    if step.after is State.SUSPENDED and step.before is not State.SUSPENDED:
        return [Effect(Verb.PAUSE, key) for key in live]
    found = list(_stops(step, live))
    stopped = {each.key for each in found}
    if step.before is State.SUSPENDED and step.after is not State.SUSPENDED:
        return (
            found
            + [
                Effect(Verb.RESUME, key, due_at=due_at if key == Stage.HANDLE else None)
                for key in live
                if key not in stopped and key != Stage.SILENCE
            ]
            + _heard(step)
        )
    if step.action in RETIMING and Stage.HANDLE in live and due_at:
        found.append(Effect(Verb.RETIME, Stage.HANDLE, due_at=due_at))
    started = [
        Effect(Verb.START, key, due_at=due_at if key == Stage.HANDLE else None)
        for key in entered(step.before, step.after, further)
        if key != Stage.SILENCE
    ]
    return found + started + _heard(step)


def _heard(step: Moved) -> list[Effect]:
    """Return that silence is counted anew, if the step breaks it."""
    return [Effect(Verb.RESTART, Stage.SILENCE.value)] if breaks_silence(step) else []


def _stops(step: Moved, live: Mapping[str, Running]) -> Iterator[Effect]:
    for key in live:
        stage = stage_of(key)
        met = stage is Stage.FURTHER and step.action is Action.MEET and step.payload.get("limit") == key
        over = step.after is not State.SUSPENDED and step.after not in RUNS_IN[stage]
        if met or over:
            yield Effect(Verb.STOP, key, served=step.action in SERVED_BY[stage])


def expected(state: State, further: Iterable[str] = ()) -> list[str]:
    """Return which clocks a case in that state may have, by stage or key."""
    return [key for key in (*OWN_STAGES, *further) if state in RUNS_IN[stage_of(key)]]


# ---- how long ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Limit:
    """How long something may take; another system's limit has no amount. A further limit has names."""

    amount: float | None
    unit: TimeUnit
    names: Mapping[str, str] = field(default_factory=dict)


def limit(
    key: str,
    category: Category,
    policy: Policy | None,
    told: Mapping[str, Any],
    whole: tuple[float, TimeUnit] | None = None,
) -> Limit | None:
    """Return the limit of a stage or of a further limit by its key, None if nothing limits it.

    `told` is the payload of the step that began it: the due time of the case itself was worked out there. `whole`
    is the limit of the whole case, of which silence may last shares if its policy gives no length of its own.
    """
    match stage_of(key):
        case Stage.HANDLE:
            unit = TimeUnit(told.get("limit_unit") or TimeUnit.HOURS)
            return Limit(told.get("limit_amount"), unit) if told.get("due_at") else None
        case Stage.FURTHER:
            given = next(each for each in category.further_limits if each["key"] == key)
            return Limit(given["amount"], TimeUnit(given["unit"]), {"zh": given["zh"], "en": given["en"]})
        case Stage.SILENCE if policy and policy.amount is None:
            return Limit(*whole) if whole else None
        case _:
            return Limit(policy.amount, TimeUnit(policy.unit)) if policy and policy.amount else None


def begun(
    incident_id: int, key: str, at: datetime, limit: Limit, policy: Policy | None, calendar: WorkingCalendar,
    due_at: datetime | None = None, code: str = "", urgent: bool = False,
) -> Clock:  # fmt: skip
    """Return the clock of a limit that begins to run at an instant, with a copy of its policy.

    `code` is the unit whose calendar it is; the case's own due time, if given, is right already.
    """
    due_at = due_at or calendar.due(at, limit.amount, limit.unit)
    allowed = max(calendar.worked(at, due_at, limit.unit), timedelta())
    steps, ladder = policy.climbed[urgent] if policy else _NONE
    frozen = {"policy": policy.id if policy else None, "ladder": ladder} | limit.names
    if any(each.when is When.WORKED or each.every_unit in _WORKED for each in steps):
        frozen["worked"] = True  # a corrected calendar moves its rungs, though running hours are its limit
    clock = Clock(
        None, incident_id, key, at, limit.amount, limit.unit, code, allowed, timedelta(), at, due_at,
        (), 0, None, Running.RUNNING, None, frozen,
    )  # fmt: skip
    return _pointed(_timed(clock, steps, calendar))


_WORKED = (TimeUnit.WORKING_HOURS, TimeUnit.WORKING_DAYS)
_NONE: tuple[tuple[Rung, ...], list] = ((), [])


# ---- when ----------------------------------------------------------------------------------------


def timed(clock: Clock, calendar: WorkingCalendar) -> Clock:
    """Return the clock with all instants that follow from what it allows and has used up."""
    unit, left = TimeUnit(clock.unit), clock.allowed - clock.used
    due_at = calendar.after(clock.since, left, unit) if left > timedelta() else clock.due_at
    return _pointed(replace(_timed(clock, clock.ladder, calendar), due_at=due_at))


def _timed(clock: Clock, ladder: Sequence[Rung], calendar: WorkingCalendar) -> Clock:
    """Return the clock with the instants of its rungs, those to be climbed in the order in which they are due.

    Shares of the limit never fall; what is counted in time from there on, or waits for worked time, may be due
    behind rungs that come after it in the table.
    """
    times = _rung_times(clock, ladder, calendar)
    if not any(each.every or each.when is When.WORKED for each in ladder):
        return replace(clock, rung_times=tuple(accumulate(times, max)))
    climbed = clock.next_rung
    order = [*range(climbed), *sorted(range(climbed, len(times)), key=lambda n: times[n])]
    if order != sorted(order):
        told = [clock.policy["ladder"][n] for n in order]
        clock = replace(clock, policy={**clock.policy, "ladder": told})
    return replace(clock, rung_times=tuple(accumulate((times[n] for n in order), max)))


def _rung_times(clock: Clock, ladder: Sequence[Rung], calendar: WorkingCalendar) -> list[datetime]:
    """Return when each rung is due; one that was due before `since` keeps its time: it is late, not new."""
    times, before, unit = [], clock.rung_times, TimeUnit(clock.unit)
    for number, rung in enumerate(ladder):
        left = clock.allowed * rung.share - clock.used
        if number < len(before) and (number < clock.next_rung or left <= timedelta()):
            at = before[number]
        else:
            at = calendar.after(clock.since, left, unit) if left > timedelta() else clock.started_at
            if rung.every:
                at = calendar.due(at, rung.again * rung.every, TimeUnit(rung.every_unit))
        if rung.when is When.WORKED and number >= clock.next_rung:
            at = calendar.after(at, timedelta(), TimeUnit.WORKING_HOURS)
        times.append(at)
    return times


def _pointed(clock: Clock) -> Clock:
    """Return the clock with the time of its next rung, which it has only while it runs."""
    running = clock.state is Running.RUNNING and clock.next_rung < len(clock.rung_times)
    return replace(clock, next_rung_at=clock.rung_times[clock.next_rung] if running else None)


def stopped(clock: Clock, at: datetime, served: bool) -> Clock:
    """Return the clock ended: met or missed by the step it waited for, cancelled by any other."""
    late = at > clock.due_at if clock.state is Running.RUNNING else clock.used > clock.allowed
    state = Running.CANCELLED if not served else Running.MISSED if late else Running.MET
    return _pointed(replace(clock, state=state, ended_at=at))


def used(clock: Clock, at: datetime, calendar: WorkingCalendar) -> timedelta:
    """Return how much of its time a clock has used up at an instant, or had when it stopped before."""
    if clock.state is Running.PAUSED:
        return clock.used
    return clock.used + calendar.worked(clock.since, clock.ended_at or at, TimeUnit(clock.unit))


def paused(clock: Clock, at: datetime, calendar: WorkingCalendar) -> Clock:
    """Return the clock standing still: what has been worked so far is used up, the rest is left."""
    spent = used(clock, at, calendar)
    return _pointed(replace(clock, state=Running.PAUSED, used=spent, since=at))


def resumed(clock: Clock, at: datetime, calendar: WorkingCalendar) -> Clock:
    """Return the clock running again with what was left of its time, and of the time between repetitions."""
    stood = clock.since
    times = [
        calendar.after(at, calendar.worked(stood, due, TimeUnit(rung.every_unit)), TimeUnit(rung.every_unit))
        if rung.every and number >= clock.next_rung and due > stood
        else due
        for number, (rung, due) in enumerate(zip(clock.ladder, clock.rung_times, strict=True))
    ]
    return timed(replace(clock, state=Running.RUNNING, since=at, rung_times=tuple(times)), calendar)


def retimed(clock: Clock, due_at: datetime, calendar: WorkingCalendar) -> Clock:
    """Return the clock due at another time, with as much more (or less) time to work as lies between."""
    unit = TimeUnit(clock.unit)
    if due_at >= clock.due_at:
        allowed = clock.allowed + calendar.worked(clock.due_at, due_at, unit)
    else:
        allowed = clock.allowed - calendar.worked(due_at, clock.due_at, unit)
    return replace(timed(replace(clock, allowed=allowed), calendar), due_at=due_at)


_ROUNDED = timedelta(milliseconds=1)  # less than parts of a day are rounded by


def corrected(clock: Clock, calendar: WorkingCalendar) -> Clock:
    """Return the clock as a corrected calendar counts it: what is left is left, what was used up stays so.

    A due time that is still right is kept to the second, as somebody has set it.
    """
    unit, left = TimeUnit(clock.unit), max(clock.allowed - clock.used, timedelta())
    right = abs(calendar.worked(clock.since, clock.due_at, unit) - left) < _ROUNDED
    again = timed(clock, calendar)
    return replace(again, due_at=clock.due_at) if right else again


# ---- who -----------------------------------------------------------------------------------------


def weight(act: str, level: str) -> tuple[int, int]:
    """Return how much a rung weighs for whoever is told of several at once: the act first, then the level."""
    return list(Act).index(Act(act)), LADDER.index(level)


def instead(level: str, holder: str) -> tuple[str, ...]:
    """Return the levels told where nobody sits at one, the nearest first.

    Rule: field.md §4, never silently skip. Above a department stands the desk that holds the case.
    """
    first = HOLDERS.index(holder) if level == "department" else HOLDERS.index(level) + 1
    return HOLDERS[first:]
