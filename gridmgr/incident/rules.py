"""The seven-step life as a table, what each step needs, and the hash chain of history."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from gridmgr.incident.model import Action, BadField, IllegalMove, MissingField, NoPlace, Report, State

# The seven steps of field.md §3: report, accept, dispatch, handle, feed back, verify and close, evaluate.
TRANSITIONS: dict[tuple[State | None, Action], State] = {
    (None, Action.REPORT): State.REPORTED,
    (State.REPORTED, Action.ACCEPT): State.ACCEPTED,
    (State.REPORTED, Action.VOID): State.VOIDED,
    (State.REPORTED, Action.MERGE): State.MERGED,
    (State.ACCEPTED, Action.DISPATCH): State.DISPATCHED,
    (State.ACCEPTED, Action.VOID): State.VOIDED,
    (State.ACCEPTED, Action.MERGE): State.MERGED,
    (State.DISPATCHED, Action.HANDLE): State.HANDLING,
    (State.HANDLING, Action.FEED_BACK): State.FED_BACK,
    (State.FED_BACK, Action.VERIFY): State.VERIFIED,
    (State.FED_BACK, Action.REWORK): State.HANDLING,
    (State.VERIFIED, Action.CLOSE): State.CLOSED,
    (State.CLOSED, Action.EVALUATE): State.EVALUATED,
}

# What a step must be given, beside who and when.
REQUIRES: dict[Action, tuple[str, ...]] = {
    Action.DISPATCH: ("handler",),
    Action.FEED_BACK: ("note",),
    Action.REWORK: ("note",),
    Action.VOID: ("note",),
    Action.MERGE: ("into",),
    Action.EVALUATE: ("satisfaction",),
    Action.ADOPT: ("state",),
}

FINAL = frozenset({State.CLOSED, State.EVALUATED, State.VOIDED, State.MERGED})
OPEN = frozenset(State) - FINAL
SATISFACTION = range(1, 6)
NOTE_LIMIT = 2000


@dataclass(frozen=True)
class Standing:
    """All that the history of an incident says about it."""

    state: State | None = None
    handler: str | None = None
    accepted_at: datetime | None = None
    due_at: datetime | None = None
    closed_at: datetime | None = None
    satisfaction: int | None = None
    reworks: int = 0
    street_code: str | None = None
    community_code: str | None = None
    micro_grid_code: str | None = None
    building_code: str | None = None
    edition_id: int | None = None


PLACE = ("street_code", "community_code", "micro_grid_code", "building_code", "edition_id")


def actions_from(state: State) -> list[Action]:
    """Return what can be done next, in the order of the table."""
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
        if payload.get(field) in (None, ""):
            raise MissingField(action=action.value, field=field)
    if action is Action.EVALUATE and payload["satisfaction"] not in SATISFACTION:
        raise BadField(field="satisfaction", value=payload["satisfaction"], expected="1-5")
    if len(str(payload.get("note", ""))) > NOTE_LIMIT:
        raise BadField(field="note", value="…", expected=f"≤ {NOTE_LIMIT}")


def target(state: State | None, action: Action, payload: Mapping[str, Any], number: str = "") -> State:
    """Return the state the action leads to.

    Rule: the transition table; adopting takes the state another system names; rehoming changes none.

    Raises
    ------
    IllegalMove
        The table has no such step from here.
    """
    if action is Action.REHOME and state in OPEN:
        return state
    if action is Action.ADOPT and state is State.REPORTED:
        return State(payload["state"])
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise IllegalMove(number=number, state=state or "-", action=action.value) from None


def apply(standing: Standing, action: Action, payload: Mapping[str, Any], at: datetime) -> Standing:
    """Return the standing after one step.

    Raises
    ------
    IllegalMove
        The table has no such step from here.
    """
    after = replace(standing, state=target(standing.state, action, payload))
    match action:
        case Action.REPORT | Action.REHOME:
            return replace(after, **{name: payload.get(name) for name in PLACE})
        case Action.ACCEPT:
            return replace(after, accepted_at=at, due_at=_instant(payload.get("due_at")))
        case Action.DISPATCH:
            return replace(after, handler=payload["handler"])
        case Action.REWORK:
            return replace(after, reworks=standing.reworks + 1)
        case Action.CLOSE | Action.VOID | Action.MERGE:
            return replace(after, closed_at=at)
        case Action.EVALUATE:
            return replace(after, satisfaction=payload["satisfaction"])
        case Action.ADOPT:
            return _adopted(after, payload, at)
    return after


def _adopted(after: Standing, payload: Mapping[str, Any], at: datetime) -> Standing:
    accepted = None if after.state in (State.REPORTED, State.VOIDED, State.MERGED) else at
    return replace(
        after,
        handler=payload.get("handler"),
        accepted_at=_instant(payload.get("accepted_at")) or accepted,
        due_at=_instant(payload.get("due_at")),
        closed_at=_instant(payload.get("closed_at")) or (at if after.state in FINAL else None),
    )


def _instant(text: str | None) -> datetime | None:
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


def check_place(report: Report) -> None:
    """Return if the report's coordinates can be degrees on earth; 0, 0 is a device without a fix.

    Raises
    ------
    NoPlace
    """
    lon, lat = report.lon, report.lat
    fits = math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90
    if not fits or (lon == 0 and lat == 0):
        raise NoPlace(lon=lon, lat=lat)


def cached(standing: Standing) -> dict[str, Any]:
    """Return the standing as the columns that cache it."""
    return dict(vars(standing))
