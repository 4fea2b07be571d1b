"""Verbs of whistles: propose, blow, answer, report in, rate, end; miss those who stay away. They never commit."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from gridmgr import clock, words
from gridmgr.account.rules import SYSTEM, Actor, require
from gridmgr.calendar.queries import calendar_for
from gridmgr.clock import TimeUnit
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import queries as incidents
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident, Moved
from gridmgr.incident.rules import check_degrees
from gridmgr.life.model import Action
from gridmgr.life.rules import FINAL
from gridmgr.life.rules import OPEN as OPEN_CASES
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message
from gridmgr.whistle import queries, rules
from gridmgr.whistle.model import (
    OPEN,
    BlownAlready,
    Call,
    Called,
    Deed,
    DeedImpossible,
    NoRecord,
    NotBlower,
    Standing,
    Terms,
    UnknownBody,
    UnknownStreet,
    Whistle,
    WhistleDeed,
    WhistleTerms,
    Why,
)

Place = tuple[float, float]  # longitude and latitude in WGS-84


def propose(
    session: Session, actor: Actor, number: str, why: Why, wanted: str, called: Sequence[Called],
    place: Place | None = None,
) -> Whistle:  # fmt: skip
    """Ask for a whistle on a case, or blow it at once where nobody has to approve; all meet at `place`, or there.

    Rule: field.md §4; conditions and limits of command (C3) are `rules.CONDITIONS` and the district's terms.

    Raises
    ------
    UnknownIncident, NotGranted, OutsideGrant, NotBlower, NoteMissing, BlownAlready
    NotAcceptedYet, NotHeldByStreet, NotUrgent, TooManyOpen, CaseFinished
    NobodyCalled, TooManyCalled, CalledTwice, CallsItself, StreetsOnly, OneLead, MinutesBeyond, UnknownBody,
    UnknownStreet, NoPlace
    """
    require(actor, "whistle.blow")
    case = incidents.locked(session, actor, number)
    side = rules.caller_of(actor, case)
    if side is None:
        raise NotBlower
    code = case.street_code if side == "street" else None
    caller = _street(session, code) if code else side
    return _propose(session, actor, case, why, wanted.strip(), called, place, caller, code)


def propose_for(session: Session, incident_id: int) -> Whistle | None:
    """Ask the street's leader for a whistle, since a ladder says so; None where there is nobody to call or ask.

    The department at work is called, or the one whose matter it is.
    """
    (case,) = incidents.locked_many(session, [_number(session, incident_id)]).values()
    department = case.handler if case.handler and not case.handler_code else None
    department = department or incidents.category_of(session, case).department
    if not department or not case.street_code or _open(session, case.id) or case.state not in OPEN_CASES:
        return None
    caller = _street(session, case.street_code)
    called = [Called(department, lead=True)]
    wanted = incidents.category_of(session, case).name_zh
    return _propose(session, SYSTEM, case, Why.CONCERN, wanted, called, None, caller, case.street_code, False)


def _propose(
    session: Session, actor: Actor, case: Incident, why: Why, wanted: str, called: Sequence[Called],
    place: Place | None, caller: str, code: str | None, conditional: bool = True,
) -> Whistle:  # fmt: skip
    terms = queries.terms(session)
    rules.check_note(Deed.PROPOSE, wanted)
    if _open(session, case.id):
        raise BlownAlready(number=case.number)
    open_ones = queries.running(session, caller, code)
    problem = rules.forbidden(case, why, code is not None, caller, open_ones, terms) if conditional else None
    if problem is not None:
        raise problem
    called = _known(session, called, case.home)
    rules.check_called(called, why, code is not None, caller, terms)
    if place is not None:
        check_degrees(*place)
    now = clock.now()
    whistle = Whistle(
        incident_id=case.id, why=why, caller=caller, caller_code=code, wanted=wanted,
        geom=queries.point(*(place or incidents.position(case))), state=Standing.PROPOSED, proposer_id=actor.id,
        proposer_name=actor.name, proposed_at=now, terms=rules.plain(terms),
    )  # fmt: skip
    session.add(whistle)
    session.flush()  # its calls and deeds point to it
    session.add_all(_call(whistle, each, terms) for each in called)
    note_of(session, whistle, actor, Deed.PROPOSE, wanted)
    if rules.needs_approval(actor, why, whistle.upward, terms) or not conditional:
        tell(
            session,
            Kind.WHISTLE_ASKED,
            whistle,
            case,
            queries.approvers(session, whistle, case),
            actor,
            wanted,
        )
        return whistle
    return _blow(session, whistle, case, actor, "")


def decide(session: Session, actor: Actor, whistle_id: int, deed: Deed, note: str = "") -> Whistle:
    """Blow a whistle that was asked for, refuse it, or withdraw it.

    Raises
    ------
    UnknownWhistle, DeedImpossible, NoteMissing, NotGranted, OutsideGrant, OwnProposal, CentreApproves, NotBlower
    """
    if deed not in rules.DECISIONS:
        raise DeedImpossible(state=words.WHISTLES[Standing.PROPOSED], deed=words.WHISTLE_DEEDS[deed])
    whistle, case = taken(session, actor, whistle_id, deed, note)
    if deed is Deed.BLOW:
        return _blow(session, whistle, case, actor, note)
    whistle.state, whistle.ended_at = rules.TRANSITIONS[Standing(whistle.state), deed], clock.now()
    whistle.decider_name = actor.name
    note_of(session, whistle, actor, deed, note)
    tell(session, Kind.WHISTLE_REFUSED, whistle, case, {whistle.proposer_id}, actor, note)
    return whistle


def _blow(session: Session, whistle: Whistle, case: Incident, actor: Actor, note: str) -> Whistle:
    now = clock.now()
    whistle.state, whistle.blown_at, whistle.decider_name = Standing.BLOWN, now, actor.name
    found = queries.calls(session, [whistle.id])[whistle.id]
    _start(session, whistle, case, found, now)
    note_of(session, whistle, actor, Deed.BLOW, note)
    in_history(session, case, actor, Action.WHISTLE, whistle, {"bodies": [each.body for each in found]})
    _call_out(session, whistle, case, actor, found)
    return whistle


def _start(session: Session, whistle: Whistle, case: Incident, found: Iterable[Call], now: datetime) -> None:
    """Start the clock of each call: working minutes on the calendar of the place, or minutes that run."""
    worked = rules.terms_of(whistle.terms).kinds[Why(whistle.why)].worked
    calendar, unit = calendar_for(session, case.home), TimeUnit.WORKING_HOURS if worked else TimeUnit.HOURS
    for each in found:
        each.called_at, each.due_at = now, calendar.due(now, each.minutes / 60, unit)
    session.flush()


def call_more(session: Session, actor: Actor, whistle_id: int, called: Sequence[Called]) -> Whistle:
    """Call further bodies to a whistle that has been blown; each gets a clock of its own.

    Raises
    ------
    UnknownWhistle, DeedImpossible, NotBlower, NobodyCalled, TooManyCalled, CalledTwice, CallsItself, UnknownBody, …
    """
    whistle, case = taken(session, actor, whistle_id, Deed.CALL, "")
    terms = rules.terms_of(whistle.terms)
    before = queries.calls(session, [whistle.id])[whistle.id]
    called = _known(session, [replace(each, lead=False) for each in called], case.home)
    rules.check_called(called, Why(whistle.why), whistle.upward, whistle.caller, terms, before)
    fresh = [_call(whistle, each, terms) for each in called]
    session.add_all(fresh)
    _start(session, whistle, case, fresh, clock.now())
    note_of(session, whistle, actor, Deed.CALL, ", ".join(each.body for each in fresh))
    in_history(session, case, actor, Action.WHISTLE, whistle, {"bodies": [each.body for each in fresh]})
    _call_out(session, whistle, case, actor, fresh)
    return whistle


def record(session: Session, actor: Actor, whistle_id: int, note: str) -> Whistle:
    """Write into the joint record what was found or agreed; whoever was called may, and nothing is ever changed.

    Raises
    ------
    UnknownWhistle, DeedImpossible, NotBlower, NoteMissing
    """
    whistle, case = taken(session, actor, whistle_id, Deed.RECORD, note)
    if not rules.may_record(actor, whistle, case.home, queries.calls(session, [whistle.id])[whistle.id]):
        raise NotBlower
    note_of(session, whistle, actor, Deed.RECORD, note)
    return whistle


def end(session: Session, actor: Actor, whistle_id: int, note: str = "") -> Whistle:
    """End a whistle; whoever came has left a record, and those not due yet need not come any more.

    Raises
    ------
    UnknownWhistle, DeedImpossible, NotBlower, NoRecord, NoteMissing
    """
    whistle, case = taken(session, actor, whistle_id, Deed.END, note)
    found = queries.calls(session, [whistle.id])[whistle.id]
    written = (each.deed == Deed.RECORD for each in queries.deeds(session, [whistle.id])[whistle.id])
    if any(each.arrived_at for each in found) and not any(written):
        raise NoRecord
    return _end(session, whistle, case, found, actor, note)


def _end(
    session: Session, whistle: Whistle, case: Incident, found: Collection[Call], actor: Actor, note: str
) -> Whistle:
    now = clock.now()
    whistle.state, whistle.ended_at = Standing.ENDED, now
    spared = [each for each in found if rules.open_to(Deed.EXCUSE, each) and each.missed_at is None]
    for each in spared:
        each.excused_at = now
    note_of(session, whistle, actor, Deed.END, note)
    tell(session, Kind.WHISTLE_OVER, whistle, case, queries.those_called(session, spared, case), actor, note)
    return whistle


def follow(session: Session, moves: Iterable[Moved]) -> None:
    """End the whistles on cases that are finished: withdraw what was only asked for."""
    finished = {move.incident_id for move in moves if move.after in FINAL}
    asked = select(Whistle).where(Whistle.incident_id.in_(finished), Whistle.state.in_(OPEN))
    for whistle in session.scalars(asked.order_by(Whistle.id).with_for_update()) if finished else ():
        case = session.get_one(Incident, whistle.incident_id)
        if whistle.state == Standing.PROPOSED:
            whistle.state, whistle.ended_at = Standing.WITHDRAWN, clock.now()
            note_of(session, whistle, SYSTEM, Deed.WITHDRAW, "")
        else:
            _end(session, whistle, case, queries.calls(session, [whistle.id])[whistle.id], SYSTEM, "")


def follow_name(session: Session, before: str, after: str) -> None:
    """Let open whistles call, and be blown by, a body by its new name."""
    asked = select(Whistle.id).where(Whistle.state.in_(OPEN))
    session.execute(update(Call).where(Call.body == before, Call.whistle_id.in_(asked)).values(body=after))
    blown = update(Whistle).where(
        Whistle.caller == before, Whistle.caller_code.is_(None), Whistle.state.in_(OPEN)
    )
    session.execute(blown.values(caller=after))


# ---- terms -------------------------------------------------------------------------------------------


def set_terms(session: Session, actor: Actor, effective: date, stored: Mapping[str, Any]) -> WhistleTerms:
    """Set the terms of whistles from a day on; those that are open keep theirs.

    Raises
    ------
    NotGranted, BadTerms
    """
    require(actor, "whistle.manage")
    terms = rules.terms_of(stored)
    row = WhistleTerms(effective=effective, set_at=clock.now(), set_by=actor.name, terms=rules.plain(terms))
    session.add(row)
    session.flush()
    return row


# ---- what the verbs share ----------------------------------------------------------------------------


def taken(session: Session, actor: Actor, whistle_id: int, deed: Deed, note: str) -> tuple[Whistle, Incident]:
    """Return a whistle and its case, both locked, the case first, if the actor may do this now.

    Of what is done about one of the called, the caller decides who may.

    Raises
    ------
    UnknownWhistle, DeedImpossible, NoteMissing, NotBlower, NotGranted, OutsideGrant, OwnProposal, CentreApproves
    """
    _, case = queries.whistle(session, actor, whistle_id)
    (case,) = incidents.locked_many(session, [case.number]).values()
    asked = select(Whistle).where(Whistle.id == whistle_id).with_for_update()
    whistle = session.scalar(asked.execution_options(populate_existing=True))
    if (Standing(whistle.state), deed) not in rules.TRANSITIONS:
        raise DeedImpossible(state=words.WHISTLES[whistle.state], deed=words.WHISTLE_DEEDS[deed])
    if deed not in rules.OF_CALL and (reason := rules.refusal(actor, deed, whistle, case.home)) is not None:
        raise reason
    rules.check_note(deed, note)
    return whistle, case


def _call(whistle: Whistle, each: Called, terms: Terms) -> Call:
    minutes = each.minutes or terms.kinds[Why(whistle.why)].minutes
    return Call(
        whistle_id=whistle.id, body=each.body, unit_code=each.unit_code, lead=each.lead, minutes=minutes
    )


def _known(session: Session, called: Sequence[Called], home: str) -> list[Called]:
    """Return those to be called, departments by their names and streets by code and name, if all are known."""
    departments = (
        set(queries.bodies(session, home)) if any(each.unit_code is None for each in called) else set()
    )
    for each in called:
        if each.unit_code is None and each.body not in departments:
            raise UnknownBody(body=each.body[:100], known=", ".join(sorted(departments)))
    return [
        replace(each, body=_street(session, each.unit_code)) if each.unit_code else each for each in called
    ]


def _street(session: Session, code: str) -> str:
    name = hierarchy.streets(session).get(code)
    if name is None:
        raise UnknownStreet(code=code[:32])
    return name


def _open(session: Session, incident_id: int) -> bool:
    asked = select(Whistle.id).where(Whistle.incident_id == incident_id, Whistle.state.in_(OPEN))
    return session.scalar(asked) is not None


def _number(session: Session, incident_id: int) -> str:
    return session.scalar(select(Incident.number).where(Incident.id == incident_id))


def note_of(
    session: Session, whistle: Whistle, actor: Actor, deed: Deed, note: str, call: Call | None = None
) -> None:
    """Write down what was done about a whistle, or about one of those it calls."""
    session.flush()  # what was done before is counted
    done = select(func.count()).where(WhistleDeed.whistle_id == whistle.id)
    session.add(
        WhistleDeed(
            whistle_id=whistle.id, seq=session.scalar(done) + 1, deed=deed, body=call.body if call else None,
            actor_id=actor.id, actor_name=actor.name, at=clock.now(), note=note,
        )
    )  # fmt: skip
    session.flush()


def in_history(
    session: Session, case: Incident, actor: Actor, action: Action, whistle: Whistle, more: Mapping[str, Any]
) -> None:
    """Write into the history of the case what was done about a whistle on it."""
    payload = {"whistle": whistle.id, "kind": whistle.why} | dict(more)
    incident.by_system(session, actor, action, [(case, payload)])


# ---- who hears of it -----------------------------------------------------------------------------------


def _call_out(
    session: Session, whistle: Whistle, case: Incident, actor: Actor, found: Iterable[Call]
) -> None:
    for call in found:
        people = queries.those_called(session, [call], case)
        tell(session, Kind.WHISTLED, whistle, case, people, actor, whistle.wanted, call)


def tell(
    session: Session, kind: Kind, whistle: Whistle, case: Incident, people: Iterable[int | None],
    actor: Actor, note: str, call: Call | None = None,
) -> None:  # fmt: skip
    """Tell people something about a whistle; nobody is told of what he did himself."""
    category = incidents.category_of(session, case)
    facts = {
        "number": case.number, "category_zh": category.name_zh, "category_en": category.name_en,
        "place": case.address, "name": call.body if call and kind in _OF_BODY else whistle.caller, "note": note[:200],
        "due": call.due_at.isoformat() if call and call.due_at else None, "whistle": whistle.id,
    }  # fmt: skip
    concerned = {each for each in people if each is not None} - {actor.id}
    notice.tell(session, [Message(account, kind, case.id, facts) for account in sorted(concerned)])


_OF_BODY = (
    Kind.WHISTLE_ANSWERED,
    Kind.REPORTED_IN,
    Kind.WHISTLE_MISSED,
)  # these name who was called, the others who calls
