"""The later steps of a fictional case: the straight way, and the detours that some take."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from gridmgr.clock import TimeUnit, WorkingCalendar
from gridmgr.incident.rules import PUBLIC
from gridmgr.life.model import Action, Source
from gridmgr.simulation.model import Act, Matter

WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
LIFE = WORDS["life"]
NOTES = WORDS["notes"]

LONGEST_ACCEPT = timedelta(hours=4)
ACCEPT_MINUTES = {Source.PATROL: 9.0, Source.SENSOR: 4.0}  # the median; others are checked on site first
CHECK_MINUTES = 35.0
STUCK_AFTER = (0, 1, 2, 2, 2, 3)  # steps of the straight way a case that is never closed has behind it

# How much of the time a case takes in all has passed when each step is done.
Pace = Sequence[tuple[Action, float, Mapping[str, Any]]]
STRAIGHT: Pace = (
    (Action.DISPATCH, 0.08, {}),
    (Action.HANDLE, 0.30, {}),
    (Action.FEED_BACK, 0.80, {}),
    (Action.VERIFY, 0.96, {}),
    (Action.CLOSE, 1.0, {}),
)
# A detour replaces nothing: its steps stand between those of the straight way, by their time.
DETOURS: dict[str, Pace] = {
    "rework": ((Action.REWORK, 0.84, {}), (Action.FEED_BACK, 0.94, {})),
    "longer": (
        (Action.ASK, 0.55, {"way": "extend", "amount": 1, "unit": "working_days"}),
        (Action.EXTEND, 0.62, {}),
    ),
    "not_longer": (
        (Action.ASK, 0.60, {"way": "extend", "amount": 2, "unit": "working_days"}),
        (Action.REFUSE, 0.66, {}),
    ),
    "wrong_body": (
        (Action.ASK, 0.14, {"way": "send_back"}),
        (Action.SEND_BACK, 0.20, {}),
        (Action.DISPATCH, 0.24, {}),
    ),
    "waiting": (
        (Action.ASK, 0.40, {"way": "suspend"}),
        (Action.SUSPEND, 0.45, {}),
        (Action.RESUME, 0.60, {}),
    ),
    "joint": ((Action.ASSIGN_TASK, 0.20, {}), (Action.FINISH_TASK, 0.70, {"task": 1})),
}
PHOTOGRAPHED = frozenset({Action.FEED_BACK, Action.SETTLE})  # steps whose result is shown by a photo


def life(chance: Random, report: Act, matters: Mapping[str, Matter], calendar: WorkingCalendar) -> list[Act]:
    """Return the later steps of a case: delays are shares of its limit, counted as the limit is."""
    matter, source = matters[report.category], report.report.source
    wait = timedelta(minutes=ACCEPT_MINUTES.get(source, CHECK_MINUTES) * chance.lognormvariate(0, 0.7))
    wait = max(min(wait, LONGEST_ACCEPT), timedelta(seconds=30))
    if matter.simple and source is Source.PATROL and chance.random() < LIFE["settle"]:
        return [_act(report, Action.SETTLE, report.at + wait, matter, {})]
    voided = chance.random() < LIFE["void"]
    steps = _before(chance, report, matter, wait, found=not voided)
    accepted = _second(report.at + wait)
    if voided:
        return [*steps, Act(accepted, report.key, Action.VOID, {"note": chance.choice(NOTES["void"])})]
    steps.append(Act(accepted, report.key, Action.ACCEPT, {"checked": True}))
    steps += _work(chance, report, matter, matters, calendar, accepted)
    if steps[-1].action is Action.CLOSE:
        steps += _afterwards(chance, report, matter, matters, calendar, steps[-1].at)
    return steps


def _before(chance: Random, report: Act, matter: Matter, wait: timedelta, found: bool) -> list[Act]:
    """What happens before the desk decides: a look on site for public reports, or a hand-up."""
    if report.report.source in PUBLIC:
        return [_act(report, Action.CONFIRM, report.at + 0.6 * wait, matter, {"found": found})]
    if chance.random() < LIFE["hand_up"]:
        return [_act(report, Action.HAND_UP, report.at + 0.3 * wait, matter, {})]
    return []


def _work(
    chance: Random, report: Act, matter: Matter, matters: Mapping[str, Matter], calendar: WorkingCalendar,
    accepted: datetime,
) -> list[Act]:  # fmt: skip
    share, pace, detour = _pace(chance)
    other = chance.choice(
        sorted({each.department for each in matters.values()} - {matter.department}) or [""]
    )
    steps = []
    for action, part, more in pace:
        at = _second(calendar.due(accepted, matter.amount * share * part, matter.unit))
        step = _act(report, action, at, matter, more)
        astray = detour == "wrong_body" and part < 0.20 and action in (Action.DISPATCH, Action.ASK)
        if astray and other:
            step = _elsewhere(step, other)
        if action is Action.ASSIGN_TASK:
            step = replace(step, payload=step.payload | {"body": other or matter.department})
        if action is Action.FINISH_TASK:
            step = replace(step, department=other or matter.department)
        steps.append(step)
    return steps


def _elsewhere(step: Act, body: str) -> Act:
    """Return a step of the body that got the order by mistake."""
    payload = step.payload | ({"handler": body} if step.action is Action.DISPATCH else {})
    return replace(step, payload=payload, department=body)


def _pace(chance: Random) -> tuple[float, Pace, str | None]:
    """Draw how much of the limit a case takes, its steps in order of time, and the detour it takes, if any."""
    detour = next(iter(chance.choices([*DETOURS, None], _SHARES)))
    drawn = chance.random()
    if drawn >= LIFE["on_time"] + LIFE["late"]:
        return chance.uniform(0.3, 2.0), STRAIGHT[: chance.choice(STUCK_AFTER)], None
    pace = sorted((*STRAIGHT, *DETOURS.get(detour, ())), key=lambda step: step[1])
    if drawn < LIFE["on_time"]:
        return 0.12 + 0.86 * chance.betavariate(2.2, 1.6), pace, detour
    return 1.02 + chance.expovariate(2.5), pace, detour


_SHARES = [*(LIFE["detours"][name] for name in DETOURS), 1 - sum(LIFE["detours"].values())]


def _afterwards(
    chance: Random, report: Act, matter: Matter, matters: Mapping[str, Matter], calendar: WorkingCalendar,
    closed: datetime,
) -> list[Act]:  # fmt: skip
    """How it was liked; whoever did not like it may have it opened again, and then it is done properly."""
    if chance.random() >= LIFE["evaluate"]:
        return []
    at = _second(calendar.due(closed, chance.uniform(0.5, 12), TimeUnit.WORKING_HOURS))
    (stars,) = chance.choices(range(1, 6), LIFE["satisfaction"])
    steps = [Act(at, report.key, Action.EVALUATE, {"satisfaction": stars})]
    if stars <= 2 and chance.random() < LIFE["reopen"]:
        again = _second(at + timedelta(minutes=chance.uniform(20, 600)))
        steps.append(_act(report, Action.REOPEN, again, matter, {}))
        for action, part, more in STRAIGHT:
            due = calendar.due(again, 0.7 * matter.amount * part, matter.unit)
            steps.append(_act(report, action, _second(due), matter, more))
    return steps


def _act(report: Act, action: Action, at: datetime, matter: Matter, more: Mapping[str, Any]) -> Act:
    note = NOTES.get(action, "").format(closing=matter.closing)
    payload = ({"note": note} if note else {}) | dict(more)
    if action is Action.DISPATCH:
        payload["handler"] = matter.department
    if action in (Action.CLOSE, Action.SETTLE):
        payload["checked"] = True
    return Act(_second(at), report.key, action, payload, matter.code, matter.department)


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
