"""Verbs of supervision: issue an order, answer, confirm, return, withdraw it; tell of late ones. They never commit."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select, true, update
from sqlalchemy.orm import Session

from gridmgr import clock, i18n, words
from gridmgr.account.model import Role
from gridmgr.account.rules import LEVEL_OF, SYSTEM, Actor
from gridmgr.calendar.queries import calendar_for
from gridmgr.category import queries as matters
from gridmgr.clock import TimeUnit
from gridmgr.duty import queries as duty
from gridmgr.escalation import queries as clocks
from gridmgr.escalation.model import LadderCalled
from gridmgr.incident import queries as incidents
from gridmgr.incident import rules as incident
from gridmgr.incident.model import Incident, Moved
from gridmgr.life.model import State
from gridmgr.life.rules import FINAL, OPEN
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message
from gridmgr.settings import settings
from gridmgr.supervision import queries, rules
from gridmgr.supervision.model import (
    RUNNING,
    Deed,
    DeedImpossible,
    DuePast,
    NothingToSupervise,
    Standing,
    SupervisedAlready,
    SupervisionDeed,
    SupervisionOrder,
)

log = logging.getLogger(__name__)


def issue(
    session: Session, actor: Actor, number: str, wanted: str, amount: float, unit: TimeUnit,
    body: str | None = None, unit_code: str | None = None,
) -> SupervisionOrder:  # fmt: skip
    """Order that something be done on a case within a time of its own, counted on the calendar of its place.

    Rule: field.md §4, 督办. Whoever is at work is told, and the desk of the level that holds the case; or another
    `body` (with a code: a street), which owes something on the case beside it. One order at a time runs for each.

    Raises
    ------
    UnknownIncident, NotGranted, OutsideGrant, NoteMissing, DuePast, NothingToSupervise, SupervisedAlready
    """
    case = incidents.locked(session, actor, number)
    if (reason := rules.refusal(actor, Deed.ISSUE, case)) is not None:
        raise reason
    wanted = wanted.strip()
    rules.check_note(Deed.ISSUE, wanted)
    if case.state not in OPEN:
        raise NothingToSupervise(number=number)
    if running := _running(session, case.id, body):
        raise SupervisedAlready(number=number, due=f"{clock.local(running.due_at):%Y-%m-%d %H:%M}")
    if amount <= 0:
        raise DuePast
    return _issued(session, actor, case, wanted, amount, unit, body, unit_code)


def _issued(
    session: Session, actor: Actor, case: Incident, wanted: str, amount: float, unit: TimeUnit,
    body: str | None = None, unit_code: str | None = None,
) -> SupervisionOrder:  # fmt: skip
    now = clock.now()
    due_at = calendar_for(session, case.home).due(now, amount, unit)
    order = SupervisionOrder(
        incident_id=case.id, issuer_id=actor.id, issuer_name=actor.name, issued_at=now, wanted=wanted,
        body=body or case.handler or case.owner, apart=body is not None, unit_code=unit_code,
        level=case.level, due_at=due_at, state=Standing.OPEN, returns=0,
    )  # fmt: skip
    session.add(order)
    session.flush()  # its deeds point to it
    _note(session, order, actor, Deed.ISSUE, wanted, now)
    _tell(session, Kind.SUPERVISED, order, case, _addressed(session, case, order), actor, wanted)
    return order


def issue_by_ladder(session: Session, called: LadderCalled) -> SupervisionOrder | None:
    """Issue the order that a ladder calls for; the sweep holds the lock of its case.

    Where one runs already that one is urged: its record says so, and those it is for are told again. A case that
    is finished by now is left alone.
    """
    case = clocks.locked(session, [called.incident_id])[called.incident_id]
    if case.state not in OPEN:
        log.info("no order on %s, it is finished", case.number)
        return None
    with i18n.speaking(settings().language), clock.travel(called.at):
        ladder = replace(SYSTEM, name=i18n._("The escalation ladder"))
        told = i18n._("{share} of the time limit has been used.", share=f"{called.share:.0%}")
        running = _running(session, case.id, None)
        if running is None:
            wanted = told + i18n._("Finish the case and report what was done.")
            return _issued(session, ladder, case, wanted, called.answer_amount, TimeUnit(called.answer_unit))
        _note(session, running, ladder, Deed.URGE, told, called.at)
        _tell(session, Kind.SUPERVISED, running, case, _addressed(session, case, running), ladder, told)
    return running


def do(session: Session, actor: Actor, order_id: int, deed: Deed, note: str = "") -> SupervisionOrder:
    """Answer, confirm, return or withdraw an order; whoever waits for it is told.

    Raises
    ------
    UnknownOrder, DeedImpossible, NoteMissing, NotGranted, OutsideGrant, NotAddressed
    """
    _, case = queries.order(session, actor, order_id)
    incidents.locked_many(session, [case.number])
    order = session.get_one(SupervisionOrder, order_id, populate_existing=True)
    note = note.strip()
    after = rules.TRANSITIONS.get((Standing(order.state), deed))
    if after is None:
        raise DeedImpossible(state=words.ORDERS[order.state], deed=words.DEEDS[deed])
    if (reason := rules.refusal(actor, deed, case, order)) is not None:
        raise reason
    rules.check_note(deed, note)
    now = clock.now()
    order.state = after
    if deed is Deed.ANSWER:
        order.answered_at = now
    elif deed is Deed.RETURN:
        order.returns, order.answered_at = order.returns + 1, None
    if after not in RUNNING:
        order.ended_at = now
    _note(session, order, actor, deed, note, now)
    if deed is Deed.ANSWER:
        _tell(session, Kind.ORDER_ANSWERED, order, case, {order.issuer_id}, actor, note)
    elif deed is Deed.RETURN:
        _tell(session, Kind.ORDER_RETURNED, order, case, _addressed(session, case, order), actor, note)
    return order


def follow(session: Session, moves: Iterable[Moved]) -> None:
    """Let orders end with their cases: whoever closes a case has answered them; what was void needed none.

    An order for a body apart goes on: what that body owes is not done by others closing the case.
    """
    finished = {move.incident_id: move for move in moves if move.after in FINAL}
    asked = select(SupervisionOrder).where(
        SupervisionOrder.incident_id.in_(finished),
        SupervisionOrder.state.in_(RUNNING),
        ~SupervisionOrder.apart,
    )
    for order in session.scalars(asked.order_by(SupervisionOrder.id).with_for_update()) if finished else ():
        move = finished[order.incident_id]
        closed = move.after is State.CLOSED
        who = replace(SYSTEM, id=move.actor_id, name=move.actor_name or SYSTEM.name)
        if closed and order.state == Standing.OPEN:
            order.answered_at = move.at
            _note(session, order, who, Deed.ANSWER, "", move.at)
        order.state, order.ended_at = Standing.DONE if closed else Standing.WITHDRAWN, move.at
        _note(session, order, SYSTEM, Deed.CONFIRM if closed else Deed.WITHDRAW, "", move.at)
        case = session.get_one(Incident, order.incident_id)
        _tell(
            session, Kind.ORDER_ANSWERED, order, case, {order.issuer_id}, None, move.payload.get("note") or ""
        )


def follow_name(session: Session, before: str, after: str) -> None:
    """Let running orders for a body apart be for it by its new name; all others follow the case itself."""
    running = update(SupervisionOrder).where(
        SupervisionOrder.body == before, SupervisionOrder.apart, SupervisionOrder.state.in_(RUNNING)
    )
    session.execute(running.values(body=after))


def tell_late(session: Session, batch: int = 500) -> int:
    """Tell those concerned of open orders whose time has passed, of each once; returns how many orders."""
    now = clock.now()
    late = session.scalars(
        select(SupervisionOrder)
        .where(
            SupervisionOrder.state == Standing.OPEN, SupervisionOrder.due_at < now,
            SupervisionOrder.late_told_at.is_(None),
        )
        .order_by(SupervisionOrder.due_at, SupervisionOrder.id)
        .limit(batch)
        .with_for_update(skip_locked=True)
    ).all()  # fmt: skip
    cases = (
        {each.id: each for each in session.scalars(_cases(each.incident_id for each in late))} if late else {}
    )
    for order in late:
        case = cases[order.incident_id]
        above = duty.seats(session).at([Role.COMMAND_CENTRE], case.home)
        people = {order.issuer_id} | above | _addressed(session, case, order)
        _tell(session, Kind.ORDER_LATE, order, case, people, None, order.wanted)
        order.late_told_at = now
    session.flush()
    return len(late)


def _cases(ids: Iterable[int]):
    return select(Incident).where(Incident.id.in_(set(ids)))


def _running(session: Session, incident_id: int, body: str | None) -> SupervisionOrder | None:
    asked = select(SupervisionOrder).where(
        SupervisionOrder.incident_id == incident_id, SupervisionOrder.state.in_(RUNNING),
        SupervisionOrder.apart == (body is not None), (SupervisionOrder.body == body) if body else true(),
    )  # fmt: skip
    return session.scalar(asked)


def _note(
    session: Session, order: SupervisionOrder, actor: Actor, deed: Deed, note: str, at: datetime
) -> None:
    done = select(func.count()).where(SupervisionDeed.order_id == order.id)
    session.add(
        SupervisionDeed(
            order_id=order.id, seq=session.scalar(done) + 1, deed=deed, actor_id=actor.id, actor_name=actor.name,
            at=at, note=note,
        )
    )  # fmt: skip
    session.flush()  # the next one counts it


def _addressed(session: Session, case: Incident, order: SupervisionOrder) -> set[int | None]:
    """Return whom an order is for: the body at work, whoever answers for its case, and its desk; or another body."""
    seats = duty.seats(session)
    if order.unit_code:
        return seats.at([role for role, level in LEVEL_OF.items() if level == "street"], order.unit_code)
    if order.apart:
        return seats.of(order.body, case.home) or {
            account for account, _ in seats.by_body.get(order.body, ())
        }
    desk = seats.at([role for role, level in LEVEL_OF.items() if level == case.level], case.home)
    for body, code in {(case.handler, case.handler_code), (case.owner, case.owner_code)}:
        if code:
            desk |= seats.at(incident.ON_THE_GROUND, code)
        elif body:
            desk |= seats.of(body, case.home)
    return desk


def _tell(
    session: Session, kind: Kind, order: SupervisionOrder, case: Incident, people: Iterable[int | None],
    actor: Actor | None, note: str,
) -> None:  # fmt: skip
    category = matters.by_id(session)[case.category_id]
    facts = {
        "number": case.number, "category_zh": category.name_zh, "category_en": category.name_en,
        "place": case.address, "due": order.due_at.isoformat(), "name": actor.name if actor else "",
        "note": note[:200],
    }  # fmt: skip
    concerned = {each for each in people if each is not None} - {actor.id if actor else None}
    notice.tell(session, [Message(account, kind, case.id, facts) for account in sorted(concerned)])
