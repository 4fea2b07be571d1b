"""Who may take which step of which case, and what a case must have before it is filed or closed."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gridmgr.account.rules import LEVEL_OF, PERMISSIONS, Actor, Decision, Role, can
from gridmgr.category.model import Category
from gridmgr.errors import Forbidden
from gridmgr.incident.model import (
    ConditionUnmet,
    Exhausted,
    HeldAbove,
    Incident,
    NoPlace,
    NothingAsked,
    NotYourOrder,
    RankTooLow,
    Report,
    TooLate,
)
from gridmgr.life.model import HOLDERS, Action, Source, State
from gridmgr.life.rules import COUNTS, OPEN, TRANSITIONS
from gridmgr.words import HOLDERS as HOLDER_WORDS
from gridmgr.words import NEEDS, ROLES

ON_THE_GROUND = frozenset({Role.GRID_MEMBER, Role.GRID_LEADER, Role.COMMUNITY_CLERK})
_STREET = frozenset({Role.STREET_DISPATCHER, Role.STREET_LEADER, Role.COMMAND_CENTRE})
_DISTRICT = frozenset({Role.COMMAND_CENTRE})

# Steps of the desk that holds the case: whoever sits below it looks on.
DESK = frozenset(
    {
        Action.ACCEPT, Action.DISPATCH, Action.REDIRECT, Action.VOID, Action.MERGE, Action.CLOSE,
        Action.EXTEND, Action.SEND_BACK, Action.SUSPEND, Action.REFUSE,
        Action.HAND_UP, Action.HAND_DOWN, Action.ASSIGN_TASK,
    }
)  # fmt: skip
RAISING = frozenset(
    {Action.ACCEPT, Action.DISPATCH, Action.REDIRECT}
)  # whoever does this holds it from now on
WORK = frozenset({Action.HANDLE, Action.FEED_BACK})  # steps of the body the case was dispatched to
EITHER = frozenset({Action.ASK, Action.MEET, Action.FINISH_TASK, Action.RESUME})  # of the one or the other
MEMBERS = WORK | EITHER | {Action.ATTACH}  # what members of a task force do on its cases, wherever these lie

# Which roles may take a step the first time, the second time …; the last row stands for all later ones.
# A case that is accepted already is voided by the second row.
RANKS: dict[Action, tuple[frozenset[Role], ...]] = {
    Action.EXTEND: (_STREET, _DISTRICT),
    Action.SUSPEND: (_STREET, _DISTRICT),
    Action.SEND_BACK: (PERMISSIONS["incident.send_back"], _STREET),
    Action.VOID: (PERMISSIONS["incident.void"], _STREET),
}
SEALED = frozenset(
    {Action.EXTEND}
)  # from the second time on asked for by the body at work under its seal: a file
MOST = {Action.EXTEND: 2, Action.SUSPEND: 3, Action.REOPEN: 2}  # how often there may be one at all
REOPEN_WINDOW = timedelta(days=15)
PUBLIC = frozenset(
    {Source.RESIDENT, Source.HOTLINE, Source.MEDIA}
)  # whose reports are looked at on site first
CHECKS = frozenset(
    {Action.CONFIRM, Action.VERIFY, Action.REWORK}
)  # whoever is sent to look on site may, from a neighbouring grid too
REPORTERS = frozenset({Action.REOPEN, Action.EVALUATE})  # whoever reported it may, wherever it lies

# The needs and the condition in words that a category names for a step.
GATES = {
    Action.ACCEPT: ("filing_needs", "filing_condition"),
    Action.SETTLE: ("closing_needs", "closing_condition"),
    Action.CLOSE: ("closing_needs", "closing_condition"),
}


OF_PEOPLE = frozenset(
    action for _state, action in TRANSITIONS
)  # all others follow from what is done elsewhere


def may(actor: Actor, action: Action, case: Incident) -> Decision:
    """Decide whether somebody may take a step of a case; the step itself may still be impossible.

    Rule: field.md §3 and §4: the role on the place, the rank for the n-th time, the level that holds the
    case for steps of its desk, the body it was dispatched to for the work.
    """
    reason = _refusal(actor, action, case)
    return Decision(reason is None, reason)


def _refusal(actor: Actor, action: Action, case: Incident) -> Forbidden | None:
    home = case.home
    if action in REPORTERS and actor.id is not None and actor.id == case.reporter_id:
        return None
    if action in MEMBERS and case.handler_code is None and case.handler in actor.also:
        return None
    if action in CHECKS and sent(actor, case):
        return None
    decision = can(actor, f"incident.{action}", home)
    roles = {grant.role for grant in actor.grants if home.startswith(grant.code)}
    if decision.reason or Role.ADMIN in roles:
        return decision.reason
    if action in RANKS and not roles & rank(action, case):
        names = ", ".join(sorted(ROLES[role] for role in rank(action, case)))
        return RankTooLow(number=_times(action, case) + 1, roles=names)
    held = holds(roles & PERMISSIONS[f"incident.{action}"], case)
    if action in DESK and not held:
        return HeldAbove(level=HOLDER_WORDS[case.level])
    at_work = works(actor, case) or (action is Action.FINISH_TASK and actor.body is not None)
    concerned = at_work or held or answers(actor, case)
    if (action in WORK and not at_work) or (action in EITHER and not concerned):
        return NotYourOrder(handler=case.handler or "-", body=actor.body or "-")
    if action is Action.REOPEN and not roles & PERMISSIONS["incident.close"]:
        return can(actor, "incident.close", home).reason
    return None


def sent(actor: Actor, case: Incident) -> bool:
    """Tell whether somebody has been sent to look at a case on site."""
    return actor.id is not None and actor.id == case.checker_id


def rank(action: Action, case: Incident) -> frozenset[Role]:
    """Return the roles that may take a step which needs a rank, this time."""
    rows = RANKS[action]
    return rows[min(_times(action, case), len(rows) - 1)]


def _times(action: Action, case: Incident) -> int:
    if action is Action.VOID:
        return int(case.state != State.REPORTED)
    return getattr(case, COUNTS[action][0])


def holds(roles: frozenset[Role] | set[Role], case: Incident) -> bool:
    """Tell whether one of these roles sits at the level that holds a case, or above it."""
    height = HOLDERS.index(case.level)
    return any(HOLDERS.index(LEVEL_OF[role]) >= height for role in roles if role in LEVEL_OF)


def works(actor: Actor, case: Incident) -> bool:
    """Tell whether a case was dispatched to an actor's department or task force, or to the unit worked for."""
    return _of(actor, case.handler, case.handler_code)


def answers(actor: Actor, case: Incident) -> bool:
    """Tell whether an actor's body, or unit, answers for a case until another takes it in hand (首接负责)."""
    return _of(actor, case.owner, case.owner_code)


def _of(actor: Actor, body: str | None, code: str | None) -> bool:
    if code is None:
        return body is not None and body in actor.bodies
    return any(g.role in ON_THE_GROUND and code.startswith(g.code) for g in actor.grants)


def passed_on(case: Incident) -> bool:
    """Tell whether a case has left whoever answers for it, and nobody else has taken it yet."""
    return case.state in OPEN and case.owner is not None and (case.owner, case.owner_code) != (
        case.handler, case.handler_code,
    )  # fmt: skip


def steps(actor: Actor, case: Incident, category: Category) -> list[Action]:
    """Return the steps somebody may take of a case as it stands, in the order of the table."""
    return [
        action
        for start, action in TRANSITIONS
        if start == case.state and may(actor, action, case) and _fits(action, case, category)
    ]


def _fits(action: Action, case: Incident, category: Category) -> bool:
    """Tell whether a step means anything now, beside what the table says."""
    match action:
        case Action.CONFIRM:
            return case.source in PUBLIC and not case.confirmed
        case Action.SETTLE:
            return category.simple
        case Action.MEET:
            return bool(category.further_limits)
        case Action.REFUSE:
            return case.asked is not None
        case Action.ASK:
            return case.asked is None
        case Action.FINISH_TASK:
            return case.open_tasks > 0
        case Action.HAND_UP:
            return bool(above(case))
        case Action.HAND_DOWN:
            return bool(below(case))
        case Action.EXTEND:
            return case.due_at is not None and case.extensions < MOST[action]
    return True


def above(case: Incident) -> tuple[str, ...]:
    """Return the levels a case can be handed up to, the nearest first."""
    return tuple(level for level in _levels(case) if HOLDERS.index(level) > HOLDERS.index(case.level))


def below(case: Incident) -> tuple[str, ...]:
    """Return the levels a case can be handed down to, the nearest first."""
    return tuple(
        level for level in reversed(_levels(case)) if HOLDERS.index(level) < HOLDERS.index(case.level)
    )


def _levels(case: Incident) -> tuple[str, ...]:
    return tuple(level for level in HOLDERS if level == "district" or getattr(case, f"{level}_code"))


def raised(actor: Actor, case: Incident) -> str:
    """Return the level that holds a case once this person has taken it in hand; it never sinks by that."""
    home = case.micro_grid_code or ""
    own = [LEVEL_OF[g.role] for g in actor.grants if g.role in LEVEL_OF and home.startswith(g.code)]
    return max([case.level, *own], key=HOLDERS.index)


def completed(case: Incident, action: Action, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload of a step with what the waiting request for that very step had given."""
    asked = case.asked or {}
    if asked.get("way") != action:
        return dict(payload)
    given = {name: value for name, value in asked.items() if name in ("amount", "unit", "until", "note")}
    given["asked_by"] = asked.get("by")
    return given | {name: value for name, value in payload.items() if value not in (None, "")}


def unmet(case: Incident, action: Action, payload: Mapping[str, Any], category: Category) -> list[str]:
    """Return the needs, as words of NEEDS, that a step still lacks; an empty list lets it pass.

    Rule: field.md §3, 立案条件 and 结案条件 per category; public reports are looked at on site first; what
    is settled on the spot is shown by a photo; a case is fed back once all bodies have done their part.
    """
    if action is Action.FEED_BACK:
        return ["tasks"] if case.open_tasks else []
    if action in SEALED:
        sealed = (case.asked or {}).get("way") == action and case.asked.get("files")
        body = case.handler is not None and case.handler_code is None
        return ["seal"] if _times(action, case) and body and not sealed else []
    if action not in GATES:
        return []
    needs, condition = (getattr(category, name) for name in GATES[action])
    new = sum(each["media_type"].startswith("image/") for each in payload.get("files") or ())
    filing = action is Action.ACCEPT
    met = {
        "photo": case.photos + new > 0 if filing else case.result_photos + new > 0,
        "on_site": not filing or case.source not in PUBLIC or bool(case.confirmed),
        "description": bool(case.description.strip()),
        "address": bool(case.address.strip()),
        "phone": bool(case.reporter_phone.strip()),
    }
    wanted = ["photo", *needs] if action is Action.SETTLE else needs
    lacking = [need for need in dict.fromkeys(wanted) if not met[need]]
    if condition and not payload.get("checked"):
        lacking.append("condition")
    return ["result_photo" if need == "photo" and not filing else need for need in lacking]


def check_ready(
    case: Incident, action: Action, payload: Mapping[str, Any], category: Category, at: datetime
) -> None:
    """Return if nothing stands in the way of a step that is possible and allowed.

    Raises
    ------
    ConditionUnmet, Exhausted, NothingAsked, TooLate
    """
    if action in MOST and _times(action, case) >= MOST[action]:
        raise Exhausted(action=action.value, most=MOST[action])
    if lacking := unmet(case, action, payload, category):
        raise ConditionUnmet(action=action.value, need=NEEDS[lacking[0]])
    if action is Action.SETTLE and not category.simple:
        raise ConditionUnmet(action=action.value, need=NEEDS["simple"])
    if action is Action.EXTEND and case.due_at is None:
        raise ConditionUnmet(action=action.value, need=NEEDS["due"])
    if action is Action.REFUSE and case.asked is None:
        raise NothingAsked
    if action is Action.REOPEN and at - case.closed_at > REOPEN_WINDOW:
        raise TooLate(days=REOPEN_WINDOW.days)


def check_evidence(actor: Actor, case: Incident, action: Action, payload: Mapping[str, Any]) -> None:
    """Return unless somebody who was sent to look on site brings no photo of it.

    Raises
    ------
    ConditionUnmet
    """
    pictures = (each["media_type"].startswith("image/") for each in payload.get("files") or ())
    if action in CHECKS and sent(actor, case) and not any(pictures):
        raise ConditionUnmet(action=action.value, need=NEEDS["photo"])


def check_place(report: Report) -> None:
    """Return if the report's coordinates can be degrees on earth; 0, 0 is a device without a fix.

    Raises
    ------
    NoPlace
    """
    check_degrees(report.lon, report.lat)


def check_degrees(lon: float, lat: float) -> None:
    """Return if two numbers can be degrees on earth.

    Raises
    ------
    NoPlace
    """
    fits = math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90
    if not fits or (lon == 0 and lat == 0):
        raise NoPlace(lon=lon, lat=lat)
