"""The life of an incident as tables: where each step leads, what it needs, who may take it, what it changes."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from gridmgr.clock import TimeUnit
from gridmgr.life.model import (
    HOLDERS,
    Action,
    BadField,
    IllegalMove,
    MissingField,
    State,
)

WORKED_ON = (State.DISPATCHED, State.HANDLING)
RUNNING = (State.ACCEPTED, *WORKED_ON)
CLOSED = (State.CLOSED, State.EVALUATED)
OUT = (State.VOIDED, State.MERGED)  # no matter of ours, or counted with its twin
FINAL = frozenset({*CLOSED, *OUT})
OPEN = frozenset(State) - FINAL


def _from(states: Iterable[State], action: Action, to: State | None = None) -> dict:
    """Return the rows of the table for one action; without `to` the state stays what it is."""
    return {(state, action): to or state for state in states}


# The seven steps of field.md §3 and the side ways beside them. Resuming goes back to where it came from.
TRANSITIONS: dict[tuple[State | None, Action], State] = {
    (None, Action.REPORT): State.REPORTED,
    (State.REPORTED, Action.CONFIRM): State.REPORTED,
    (State.REPORTED, Action.ACCEPT): State.ACCEPTED,
    (State.REPORTED, Action.SETTLE): State.CLOSED,
    (State.ACCEPTED, Action.DISPATCH): State.DISPATCHED,
    (State.DISPATCHED, Action.HANDLE): State.HANDLING,
    (State.HANDLING, Action.FEED_BACK): State.FED_BACK,
    (State.FED_BACK, Action.VERIFY): State.VERIFIED,
    (State.FED_BACK, Action.REWORK): State.HANDLING,
    (State.VERIFIED, Action.CLOSE): State.CLOSED,
    (State.CLOSED, Action.EVALUATE): State.EVALUATED,
    **_from(WORKED_ON, Action.REDIRECT, State.DISPATCHED),
    **_from(WORKED_ON, Action.SEND_BACK, State.ACCEPTED),
    **_from(RUNNING, Action.EXTEND),
    **_from(RUNNING, Action.SUSPEND, State.SUSPENDED),
    **_from((State.SUSPENDED,), Action.RESUME, State.HANDLING),
    **_from((State.REPORTED, *RUNNING), Action.MERGE, State.MERGED),
    **_from((State.REPORTED, *RUNNING), Action.VOID, State.VOIDED),
    **_from(CLOSED, Action.REOPEN, State.ACCEPTED),
    **_from(RUNNING, Action.ASK),
    **_from(RUNNING, Action.REFUSE),
    **_from((State.REPORTED, *RUNNING), Action.HAND_UP),
    **_from((State.REPORTED, *RUNNING), Action.HAND_DOWN),
    **_from(RUNNING, Action.ASSIGN_TASK),
    **_from(RUNNING, Action.FINISH_TASK),
    **_from((*RUNNING, State.FED_BACK, State.VERIFIED), Action.MEET),
    **_from(sorted(OPEN), Action.ATTACH),
}
# On every open case; nobody asks for them as a step: they follow from what is done elsewhere.
BY_SYSTEM = (
    Action.TAKE_OVER, Action.RETIME, Action.REHOME, Action.HAND_OVER, Action.WHISTLE, Action.REPORT_IN,
)  # fmt: skip

# What a step must be given, beside who and when. What a request gave need not be given again.
REQUIRES: dict[Action, tuple[str, ...]] = {
    Action.CONFIRM: ("found",),
    Action.SETTLE: ("note",),
    Action.DISPATCH: ("handler",),
    Action.FEED_BACK: ("note",),
    Action.REWORK: ("note",),
    Action.EVALUATE: ("satisfaction",),
    Action.ASK: ("way", "note"),
    Action.REFUSE: ("note",),
    Action.EXTEND: ("amount", "unit", "note"),
    Action.SEND_BACK: ("note",),
    Action.SUSPEND: ("note",),
    Action.REDIRECT: ("handler", "note"),
    Action.VOID: ("note",),
    Action.MERGE: ("into",),
    Action.REOPEN: ("note",),
    Action.HAND_UP: ("note",),
    Action.HAND_DOWN: ("note",),
    Action.TAKE_OVER: ("level",),
    Action.ASSIGN_TASK: ("body", "note"),
    Action.FINISH_TASK: ("task", "note"),
    Action.MEET: ("limit",),
    Action.ATTACH: ("files",),
    Action.RETIME: ("due_at",),
    Action.HAND_OVER: ("handler",),
    Action.ADOPT: ("state",),
}

SATISFACTION = range(1, 6)
NOTE_LIMIT = 2000
FILES_LIMIT = 20
EXTENSION_LIMIT = {TimeUnit.WORKING_HOURS: 80, TimeUnit.WORKING_DAYS: 60, TimeUnit.HOURS: 720}
ASKED = (Action.EXTEND, Action.SEND_BACK, Action.SUSPEND, Action.VOID)  # what one can ask for
RESULT = (Action.FEED_BACK, Action.SETTLE, Action.VERIFY)  # steps whose photos show what was done


@dataclass(frozen=True)
class Standing:
    """All that the history of an incident says about it."""

    state: State | None = None
    level: str = HOLDERS[0]
    handler: str | None = None
    handler_code: str | None = None
    owner: str | None = None
    owner_code: str | None = None
    accepted_at: datetime | None = None
    due_at: datetime | None = None
    limit_unit: str | None = None
    closed_at: datetime | None = None
    satisfaction: int | None = None
    confirmed: bool | None = None
    photos: int = 0
    result_photos: int = 0
    asked: Mapping[str, Any] | None = None
    reworks: int = 0
    extensions: int = 0
    send_backs: int = 0
    suspensions: int = 0
    redirects: int = 0
    reopens: int = 0
    tasks: int = 0
    open_tasks: int = 0
    whistles: int = 0
    suspended_from: State | None = None
    suspended_at: datetime | None = None
    street_code: str | None = None
    community_code: str | None = None
    micro_grid_code: str | None = None
    building_code: str | None = None
    edition_id: int | None = None


PLACE = ("street_code", "community_code", "micro_grid_code", "building_code", "edition_id")

# Which number a step adds one to.
COUNTS: dict[Action, tuple[str, ...]] = {
    Action.REWORK: ("reworks",),
    Action.EXTEND: ("extensions",),
    Action.SEND_BACK: ("send_backs",),
    Action.SUSPEND: ("suspensions",),
    Action.REDIRECT: ("redirects",),
    Action.REOPEN: ("reopens",),
    Action.ASSIGN_TASK: ("tasks", "open_tasks"),
    Action.WHISTLE: ("whistles",),
}


def actions_from(state: State) -> list[Action]:
    """Return what people can do next, in the order of the table."""
    return [action for start, action in TRANSITIONS if start == state]


def check_fields(action: Action, payload: Mapping[str, Any]) -> None:
    """Return if the payload has what the step needs.

    Raises
    ------
    MissingField
        A required field is absent or empty.
    BadField
        A field is there but cannot be used.
    """
    for field in REQUIRES.get(action, ()):
        if payload.get(field) in (None, "", [], ()):
            raise MissingField(action=action.value, field=field)
    for field, (fits, expected) in _FIELDS.items():
        if field in payload and not fits(payload[field]):
            raise BadField(field=field, value=str(payload[field])[:40], expected=expected)
    if action is Action.ASK and payload["way"] == Action.EXTEND:
        check_fields(Action.EXTEND, payload)
    if action is Action.EXTEND and payload["amount"] > EXTENSION_LIMIT[TimeUnit(payload["unit"])]:
        most = EXTENSION_LIMIT[TimeUnit(payload["unit"])]
        raise BadField(field="amount", value=payload["amount"], expected=f"≤ {most}")


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


_FIELDS = {
    "satisfaction": (lambda value: value in SATISFACTION, "1-5"),
    "note": (lambda value: len(str(value)) <= NOTE_LIMIT, f"≤ {NOTE_LIMIT}"),
    "way": (lambda value: value in ASKED, ", ".join(ASKED)),
    "amount": (lambda value: _is_number(value, 0.25, 1000), "0.25-1000"),
    "unit": (lambda value: value in set(TimeUnit), ", ".join(TimeUnit)),
    "found": (lambda value: isinstance(value, bool), "true, false"),
    "level": (lambda value: value in HOLDERS, ", ".join(HOLDERS)),
    "files": (lambda value: len(value) <= FILES_LIMIT, f"≤ {FILES_LIMIT}"),
    "task": (lambda value: _is_number(value, 1, 32767), "1, 2, …"),
}


def target(
    state: State | None,
    action: Action,
    payload: Mapping[str, Any],
    number: str = "",
    back: State | None = None,
) -> State:
    """Return the state the action leads to; `back` is where a suspended case came from.

    Rule: the transition table; adopting takes the state another system names; the system's own steps
    change none.

    Raises
    ------
    IllegalMove
        The table has no such step from here.
    """
    if action in BY_SYSTEM and state in OPEN:
        return state
    if action is Action.ADOPT and state is State.REPORTED:
        return State(payload["state"])
    if (state, action) not in TRANSITIONS:
        raise IllegalMove(number=number, state=state or "-", action=action.value)
    return State(back) if action is Action.RESUME and back else TRANSITIONS[state, action]


def apply(standing: Standing, action: Action, payload: Mapping[str, Any], at: datetime) -> Standing:
    """Return the standing after one step.

    Raises
    ------
    IllegalMove
        The table has no such step from here.
    """
    state = target(standing.state, action, payload, back=standing.suspended_from)
    changes: dict[str, Any] = {"state": state, "level": payload.get("level") or standing.level}
    changes |= {name: getattr(standing, name) + 1 for name in COUNTS.get(action, ())}
    if state != standing.state or action == (standing.asked or {}).get("way"):
        changes["asked"] = None  # what was asked for is answered, or has been overtaken
    changes |= _photos(standing, action, payload)
    if action in _EFFECTS:
        changes |= _EFFECTS[action](standing, payload, at)
    return replace(standing, **changes)


def _photos(standing: Standing, action: Action, payload: Mapping[str, Any]) -> dict[str, int]:
    count = sum(each["media_type"].startswith("image/") for each in payload.get("files") or ())
    result = 0 if action in (Action.REWORK, Action.REOPEN) else standing.result_photos
    return {"photos": standing.photos + count, "result_photos": result + count * (action in RESULT)}


def _place(standing: Standing, payload: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {name: payload.get(name) for name in PLACE}


def _clock(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"due_at": instant(payload.get("due_at")), "limit_unit": payload.get("limit_unit")}


def _dispatched(standing: Standing, payload: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """首接负责: the first receiver answers for it; a second one only once it has taken it in hand."""
    given = {"handler": payload["handler"], "handler_code": payload.get("handler_code")}
    if standing.owner is not None:
        return given
    return given | {"owner": given["handler"], "owner_code": given["handler_code"]}


def _handed_over(standing: Standing, payload: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """A body that is no more, or has a new name, is followed in all it had to do."""
    after, found = (payload["handler"], payload.get("handler_code")), {}
    before = (payload.get("before", standing.handler), payload.get("before_code"))
    if (standing.handler, standing.handler_code) == before:
        found |= {"handler": after[0], "handler_code": after[1]}
    if (standing.owner, standing.owner_code) == before:
        found |= {"owner": after[0], "owner_code": after[1]}
    return found


def _ended(standing: Standing, payload: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {"closed_at": at}


def _adopted(standing: Standing, payload: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    state = State(payload["state"])
    accepted = None if state in (State.REPORTED, *OUT) else at
    return {
        "handler": payload.get("handler"),
        "owner": payload.get("handler"),
        "accepted_at": instant(payload.get("accepted_at")) or accepted,
        "due_at": instant(payload.get("due_at")),
        "closed_at": instant(payload.get("closed_at")) or (at if state in FINAL else None),
    }


# What else a step changes, from (standing before, payload, when) to the fields of the standing after.
_EFFECTS = {
    Action.REPORT: _place,
    Action.REHOME: _place,
    Action.CONFIRM: lambda standing, payload, at: {"confirmed": payload["found"]},
    Action.ACCEPT: lambda standing, payload, at: {"accepted_at": at} | _clock(payload),
    Action.SETTLE: lambda standing, payload, at: {"accepted_at": at, "closed_at": at, "confirmed": True},
    Action.DISPATCH: _dispatched,
    Action.REDIRECT: _dispatched,
    Action.HAND_OVER: _handed_over,
    Action.HANDLE: lambda standing, payload, at: {
        "owner": standing.handler, "owner_code": standing.handler_code,
    },
    Action.SEND_BACK: lambda standing, payload, at: {"handler": None, "handler_code": None},
    Action.CLOSE: _ended,
    Action.VOID: _ended,
    Action.MERGE: _ended,
    Action.EVALUATE: lambda standing, payload, at: {"satisfaction": payload["satisfaction"]},
    Action.ASK: lambda standing, payload, at: {
        "asked": dict(payload) | {"at": at.astimezone(UTC).isoformat()},
    },
    Action.REFUSE: lambda standing, payload, at: {"asked": None},
    Action.EXTEND: lambda standing, payload, at: {"due_at": instant(payload.get("due_at"))},
    Action.RETIME: lambda standing, payload, at: {"due_at": instant(payload["due_at"])},
    Action.SUSPEND: lambda standing, payload, at: {"suspended_from": standing.state, "suspended_at": at},
    Action.RESUME: lambda standing, payload, at: {
        "suspended_from": None, "suspended_at": None, "due_at": instant(payload.get("due_at")),
    },
    Action.REOPEN: lambda standing, payload, at: {
        "closed_at": None, "satisfaction": None, "handler": None, "handler_code": None,
    } | _clock(payload),
    Action.FINISH_TASK: lambda standing, payload, at: {"open_tasks": standing.open_tasks - 1},
    Action.ADOPT: _adopted,
}  # fmt: skip


def instant(text: str | None) -> datetime | None:
    """Return the instant a payload tells as text."""
    return datetime.fromisoformat(text) if text else None


def fold(steps: Iterable[tuple[Action, Mapping[str, Any], datetime]]) -> Standing:
    """Return where an incident stands from its whole history.

    Raises
    ------
    IllegalMove
        The history holds a step the table does not have.
    """
    standing = Standing()
    for action, payload, at in steps:
        standing = apply(standing, action, payload, at)
    return standing


def chain(
    before: bytes, number: str, seq: int, action: str, actor: str, at: datetime, payload: Mapping[str, Any]
) -> bytes:
    """Return the hash of a row of history over its words and the hash before it."""
    words = [number, seq, action, actor, at.astimezone(UTC).isoformat(), payload]
    text = json.dumps(words, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(before + text.encode()).digest()


def cached(standing: Standing) -> dict[str, Any]:
    """Return the standing as the columns that cache it."""
    return dict(vars(standing))
