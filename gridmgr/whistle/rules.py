"""Who may blow, approve, answer and rate; under which conditions; how the called stand. No session, no time of day."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from gridmgr.account.model import Role
from gridmgr.account.rules import Actor, can
from gridmgr.errors import Problem
from gridmgr.incident.model import Incident
from gridmgr.life.model import HOLDERS, State
from gridmgr.life.rules import OPEN as OPEN_CASES
from gridmgr.organisation.model import Body, BodyKind
from gridmgr.whistle.model import (
    BadTerms,
    Call,
    Called,
    CalledTwice,
    CallsItself,
    CaseFinished,
    CentreApproves,
    Deed,
    MinutesBeyond,
    NobodyCalled,
    NotAcceptedYet,
    NotBlower,
    NotCalled,
    NoteMissing,
    NotHeldByStreet,
    NotUrgent,
    OneLead,
    OwnProposal,
    Presence,
    Rule,
    Standing,
    StreetsOnly,
    Terms,
    TooManyCalled,
    TooManyOpen,
    Whistle,
    Why,
)

TRANSITIONS: dict[tuple[Standing, Deed], Standing] = {
    (Standing.PROPOSED, Deed.BLOW): Standing.BLOWN,
    (Standing.PROPOSED, Deed.REFUSE): Standing.REFUSED,
    (Standing.PROPOSED, Deed.WITHDRAW): Standing.WITHDRAWN,
    **{
        (Standing.BLOWN, deed): Standing.BLOWN
        for deed in (Deed.CALL, Deed.ANSWER, Deed.REPORT_IN, Deed.EXCUSE, Deed.RECORD, Deed.RATE, Deed.MISS)
    },
    (Standing.BLOWN, Deed.END): Standing.ENDED,
    (Standing.ENDED, Deed.RATE): Standing.ENDED,
}
OF_WHISTLE = (Deed.BLOW, Deed.REFUSE, Deed.WITHDRAW, Deed.CALL, Deed.RECORD, Deed.END)
DECISIONS = (Deed.BLOW, Deed.REFUSE, Deed.WITHDRAW)
OF_CALL = (Deed.ANSWER, Deed.REPORT_IN, Deed.EXCUSE, Deed.RATE)
NEEDS_NOTE = frozenset({Deed.PROPOSE, Deed.REFUSE, Deed.EXCUSE, Deed.RECORD})
LONGEST_NOTE = {Deed.RECORD: 2000}
USUAL_NOTE = 500
MINUTES = (5, 24 * 60)
STARS = range(1, 6)
STREET = frozenset({Role.STREET_DISPATCHER, Role.STREET_LEADER})
URGENT = 3


def check_note(deed: Deed, note: str) -> None:
    """Refuse a note that is missing where one is needed, or too long.

    Raises
    ------
    NoteMissing
    """
    most = LONGEST_NOTE.get(deed, USUAL_NOTE)
    if len(note) > most or (deed in NEEDS_NOTE and not note):
        raise NoteMissing(most=most)


def check_stars(stars: int) -> None:
    """Refuse a rating that is none of the five.

    Raises
    ------
    BadTerms
    """
    if isinstance(stars, bool) or stars not in STARS:
        raise BadTerms(field="stars", value=str(stars)[:20], expected="1-5")


# ---- who -------------------------------------------------------------------------------------------


def caller_of(actor: Actor, case: Incident) -> str | None:
    """Return as what somebody may blow the whistle on a case: "street", or as the department at work; None: not.

    Rule: field.md §4: only a street, or the other way round a department that needs a town.
    """
    if any(grant.role in STREET and case.home.startswith(grant.code) for grant in actor.grants):
        return "street"
    at_work = actor.body is not None and case.handler_code is None and actor.body == case.handler
    return actor.body if at_work and can(actor, "whistle.blow", case.home) else None


def can_be_called(body: Body, home: str) -> bool:
    """Tell whether a body can be called to a place: a department anywhere, a station or a team in its territory."""
    if body.kind == BodyKind.DEPARTMENT:
        return True
    return body.kind in (BodyKind.STATION, BodyKind.TEAM) and home.startswith(body.territory)


def needs_approval(actor: Actor, why: Why, upward: bool, terms: Terms) -> bool:
    """Tell whether somebody of higher rank has to approve; a street's leader blows on his own word."""
    leads = upward and any(grant.role is Role.STREET_LEADER for grant in actor.grants)
    return terms.kinds[why].approved and not leads


def refusal(
    actor: Actor, deed: Deed, whistle: Whistle, home: str, call: Call | None = None
) -> Problem | None:
    """Return why an actor may not do this about a whistle on a case at `home`; None if it is allowed.

    A street's proposal is approved by its leader or the command centre, a department's by the command centre
    alone, never by whoever proposed it. Those called answer and report in; both sides keep the record; the
    caller excuses, rates and ends.
    """
    if deed in (Deed.BLOW, Deed.REFUSE):
        if (reason := can(actor, "whistle.approve", home).reason) is not None:
            return reason
        if not whistle.upward and not _has(actor, home, {Role.COMMAND_CENTRE, Role.ADMIN}):
            return CentreApproves()
        own = actor.id is not None and actor.id == whistle.proposer_id
        return OwnProposal() if own else None
    if call is not None and deed in (Deed.ANSWER, Deed.REPORT_IN):
        return None if answers(actor, call) else NotCalled(body=call.body)
    if deed is Deed.RECORD:
        return None  # whoever sees a whistle is one of those it concerns; see may_record
    return None if _calls(actor, whistle, home) else NotBlower()


def answers(actor: Actor, call: Call) -> bool:
    """Tell whether somebody belongs to those a call is for."""
    if call.unit_code is None:
        return actor.body == call.body
    return any(grant.role in STREET and call.unit_code.startswith(grant.code) for grant in actor.grants)


def may_record(actor: Actor, whistle: Whistle, home: str, calls: Collection[Call]) -> bool:
    """Tell whether somebody keeps the joint record: the caller, those called, the command centre."""
    above = _has(actor, home, {Role.COMMAND_CENTRE, Role.ADMIN})
    return above or _calls(actor, whistle, home) or any(answers(actor, call) for call in calls)


def _calls(actor: Actor, whistle: Whistle, home: str) -> bool:
    if whistle.caller_code is not None:
        return _has(actor, home, STREET | {Role.ADMIN})
    return actor.body == whistle.caller or _has(actor, home, {Role.ADMIN})


def _has(actor: Actor, home: str, roles: Collection[Role]) -> bool:
    return any(grant.role in roles and home.startswith(grant.code) for grant in actor.grants)


def deeds(actor: Actor, whistle: Whistle, home: str, calls: Collection[Call]) -> list[Deed]:
    """Return what an actor may do now about a whistle as a whole."""
    possible = [deed for deed in OF_WHISTLE if (Standing(whistle.state), deed) in TRANSITIONS]
    return [
        deed
        for deed in possible
        if refusal(actor, deed, whistle, home) is None
        and (deed is not Deed.RECORD or may_record(actor, whistle, home, calls))
    ]


def call_deeds(actor: Actor, whistle: Whistle, home: str, call: Call) -> list[Deed]:
    """Return what an actor may do now about one of the called."""
    state = Standing(whistle.state)
    return [
        deed
        for deed in OF_CALL
        if (state, deed) in TRANSITIONS
        and open_to(deed, call)
        and refusal(actor, deed, whistle, home, call) is None
    ]


def open_to(deed: Deed, call: Call) -> bool:
    """Tell whether something can still be done about a call."""
    waits = call.arrived_at is None and call.excused_at is None
    match deed:
        case Deed.ANSWER:
            return waits and call.answered_at is None
        case Deed.RATE:
            return (
                call.rated_at is None
                and call.excused_at is None
                and (not waits or call.missed_at is not None)
            )
    return waits


# ---- conditions and limits of command (C3) ----------------------------------------------------------


def _finished(case: Incident, why: Why, **_: Any) -> Problem | None:
    return CaseFinished(number=case.number) if case.state not in OPEN_CASES else None


def _unaccepted(case: Incident, why: Why, **_: Any) -> Problem | None:
    early = case.state == State.REPORTED and why is not Why.EMERGENCY
    return NotAcceptedYet(number=case.number) if early else None


def _below_street(case: Incident, why: Why, upward: bool, **_: Any) -> Problem | None:
    below = HOLDERS.index(case.level) < HOLDERS.index("street")
    return NotHeldByStreet(number=case.number) if below and upward and why is not Why.EMERGENCY else None


def _not_urgent(case: Incident, why: Why, **_: Any) -> Problem | None:
    return NotUrgent(number=case.number) if why is Why.EMERGENCY and case.severity < URGENT else None


def _too_many(case: Incident, why: Why, caller: str, running: int, terms: Terms, **_: Any) -> Problem | None:
    over = running >= terms.most_open and why is not Why.EMERGENCY
    return TooManyOpen(caller=caller, most=terms.most_open) if over else None


CONDITIONS: tuple[Callable[..., Problem | None], ...] = (
    _finished, _unaccepted, _below_street, _not_urgent, _too_many,
)  # fmt: skip
"""Under which conditions a whistle may be blown on a case at all, asked in this order."""


def forbidden(
    case: Incident, why: Why, upward: bool, caller: str, running: int, terms: Terms
) -> Problem | None:
    """Return the first condition that a whistle does not meet; `running` are the caller's open ones."""
    given = {"upward": upward, "caller": caller, "running": running, "terms": terms}
    return next(filter(None, (each(case, why, **given) for each in CONDITIONS)), None)


def check_called(
    called: Sequence[Called], why: Why, upward: bool, caller: str, terms: Terms, before: Sequence[Call] = ()
) -> None:
    """Refuse a list of those to be called that cannot stand; `before` are those called already.

    Raises
    ------
    NobodyCalled, TooManyCalled, CalledTwice, CallsItself, StreetsOnly, OneLead, MinutesBeyond
    """
    least = 2 if why is Why.JOINT and not before else 1
    if len(called) + len(before) < least or not called:
        raise NobodyCalled(least=least)
    if len(called) + len(before) > terms.most_called:
        raise TooManyCalled(most=terms.most_called)
    seen = {each.body for each in before}
    for each in called:
        if each.body in seen:
            raise CalledTwice(body=each.body)
        if each.body == caller:
            raise CallsItself(body=caller)
        if not upward and each.unit_code is None:
            raise StreetsOnly
        if each.minutes is not None and not MINUTES[0] <= each.minutes <= MINUTES[1]:
            raise MinutesBeyond(least=MINUTES[0], most=MINUTES[1])
        seen.add(each.body)
    if sum(each.lead for each in (*called, *before)) != 1:
        raise OneLead


# ---- how the called stand ----------------------------------------------------------------------------


def presence(call: Call, now: datetime) -> Presence:
    """Return how one of the called stands at an instant: reporting in counts, an answer alone does not."""
    if call.excused_at is not None:
        return Presence.EXCUSED
    if call.arrived_at is not None:
        return Presence.IN_TIME if call.arrived_at <= call.due_at else Presence.LATE
    if call.due_at is not None and call.due_at < now:
        return Presence.ABSENT
    return Presence.ANSWERED if call.answered_at is not None else Presence.WAITING


def sign(whistle: Whistle, calls: Collection[Call], now: datetime) -> str:
    """Return how a whistle is marked on a map: by the worst of those it calls, and who is there."""
    if whistle.state == Standing.PROPOSED:
        return "proposed"
    found = [presence(call, now) for call in calls]
    there = [each in (Presence.IN_TIME, Presence.LATE, Presence.EXCUSED) for each in found]
    if Presence.ABSENT in found:
        return "missed"
    return "complete" if all(there) else "partly" if any(there) else "awaited"


def is_far(distance_m: float, same_grid: bool, terms: Terms) -> bool:
    """Tell whether somebody reported in from elsewhere: neither in the micro-grid of the case nor near the place."""
    return not same_grid and distance_m > terms.radius_m


def order_at(call: Call, terms: Terms) -> datetime:
    """Return when a body that has not come gets a supervision order."""
    return call.due_at + timedelta(minutes=call.minutes * terms.grace)


# ---- terms -------------------------------------------------------------------------------------------

_LIMITS: dict[str, tuple[float, float]] = {
    "most_called": (1, 100), "most_open": (1, 1000), "radius_m": (10, 5000), "grace": (0, 10), "rating_days": (1, 365),
    "band_low": (0, 1), "band_high": (0, 1),
}  # fmt: skip


def plain(terms: Terms) -> dict[str, Any]:
    """Return terms as they are stored."""
    return asdict(terms) | {"kinds": {str(why): asdict(rule) for why, rule in terms.kinds.items()}}


def terms_of(stored: Mapping[str, Any]) -> Terms:
    """Return terms from what is stored, or was typed as such.

    Raises
    ------
    BadTerms
        A value is missing, or beyond its limits.
    """
    usual = plain(Terms())
    for name, (low, high) in _LIMITS.items():
        _within(name, stored.get(name, usual[name]), low, high)
    kinds = {}
    for why in Why:
        given = usual["kinds"][why] | dict(stored.get("kinds", {}).get(why, {}))
        _within(f"{why}.minutes", given["minutes"], *MINUTES)
        kinds[why] = Rule(int(given["minutes"]), bool(given["worked"]), bool(given["approved"]))
    numbers = {name: stored.get(name, usual[name]) for name in _LIMITS}
    if numbers["band_low"] > numbers["band_high"]:
        raise BadTerms(field="band_low", value=numbers["band_low"], expected=f"≤ {numbers['band_high']}")
    whole = {name: int(value) for name, value in numbers.items() if name in ("most_called", "most_open")}
    whole |= {name: int(numbers[name]) for name in ("radius_m", "rating_days")}
    return Terms(kinds=kinds, **numbers | whole)


def _within(name: str, value: object, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise BadTerms(field=name, value=str(value)[:20], expected=f"{low:g}-{high:g}")
