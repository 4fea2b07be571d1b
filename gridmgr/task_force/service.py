"""Verbs of task forces: raise, join, leave, prolong, put cases under, disband. They never commit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.model import Account, NoSuchArea, UnknownAccount
from gridmgr.account.rules import Actor, require
from gridmgr.errors import Problem
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import queries as incidents
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident, Move, UnknownIncident
from gridmgr.life.model import State
from gridmgr.life.rules import OPEN
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message
from gridmgr.organisation import queries as organisation
from gridmgr.organisation import service as bodies
from gridmgr.organisation.model import Body
from gridmgr.task_force import queries, rules
from gridmgr.task_force.model import (
    CasesElsewhere,
    Deed,
    DisbandedAlready,
    LastMember,
    MemberAlready,
    NoMember,
    NotInWork,
    OutsideItsArea,
    OwnerItself,
    OwnerNeeded,
    Raised,
    TaskForce,
    TaskForceDeed,
    TaskForceMember,
)

Areas = Callable[[Iterable[str]], Iterable[str]]
SHOWN = 5


def raise_force(session: Session, actor: Actor, told: Raised, areas: Areas) -> TaskForce:
    """Raise a task force; its members see its cases and work on them, wherever they usually work.

    Rule: field.md §1, A2 and E2: raised freely, across modules, with an end in sight.

    Raises
    ------
    NotGranted, OutsideGrant, NoSuchArea, NameTaken, UnknownAccount, and all that `rules.check` finds
    """
    require(actor, "task_force.manage", told.area)
    told = replace(told, members=tuple(dict.fromkeys(told.members)))
    rules.check(told, clock.today())
    if told.area and set(areas([told.area])):
        raise NoSuchArea(code=told.area)
    people = [_person(session, username) for username in told.members]
    body, now = bodies.raise_body(session, told.name.strip(), told.area), clock.now()
    force = TaskForce(
        body_id=body.id, purpose=told.purpose.strip(), area=told.area, place=told.place.strip(), lon=told.lon,
        lat=told.lat, ends_on=told.ends_on, raised_at=now, raised_by_id=actor.id, raised_by=actor.name,
    )  # fmt: skip
    session.add(force)
    session.flush()  # its members point to it
    _note(session, force, actor, Deed.RAISE, ", ".join(each.name for each in people))
    for person in people:
        _enter(session, force, body, person, lead=person.username == told.lead)
    _tell(session, Kind.FORCE_JOINED, force, body, {each.id for each in people} - {actor.id}, actor)
    return force


def join(session: Session, actor: Actor, force_id: int, username: str) -> None:
    """Let somebody be a member.

    Raises
    ------
    UnknownForce, DisbandedAlready, NotTheirForce, UnknownAccount, MemberAlready
    """
    force, body = _changed(session, actor, force_id)
    person = _person(session, username)
    if person.id in _ids(session, force):
        raise MemberAlready(name=person.name)
    _enter(session, force, body, person, lead=False)
    _note(session, force, actor, Deed.JOIN, person.name)
    _tell(session, Kind.FORCE_JOINED, force, body, {person.id} - {actor.id}, actor)


def leave(session: Session, actor: Actor, force_id: int, username: str) -> None:
    """Let a member leave; the lead only once another one leads.

    Raises
    ------
    UnknownForce, DisbandedAlready, NotTheirForce, NoMember, LastMember
    """
    force, body = _changed(session, actor, force_id)
    member, person = _member(session, force, username)
    if member.lead:
        raise LastMember
    _exit(member, person, body)
    _note(session, force, actor, Deed.LEAVE, person.name)


def set_lead(session: Session, actor: Actor, force_id: int, username: str) -> None:
    """Let another member lead.

    Raises
    ------
    UnknownForce, DisbandedAlready, NotTheirForce, NoMember
    """
    force, _ = _changed(session, actor, force_id)
    chosen, person = _member(session, force, username)
    for member, _ in queries.members(session, [force.id])[force.id]:
        member.lead = member is chosen
    _note(session, force, actor, Deed.LEAD, person.name)


def prolong(session: Session, actor: Actor, force_id: int, ends_on: date) -> None:
    """Give a task force another last day.

    Raises
    ------
    UnknownForce, DisbandedAlready, NotTheirForce, EndPast, EndTooFar
    """
    force, _ = _changed(session, actor, force_id)
    rules.check_end(ends_on, clock.today())
    force.ends_on, force.told_at = ends_on, None
    _note(session, force, actor, Deed.PROLONG, ends_on.isoformat())


def put(
    session: Session, actor: Actor, force_id: int, numbers: Sequence[str], note: str = ""
) -> list[tuple[str, Problem | None]]:
    """Put cases under a task force, each by the step its state allows; returns for each why it was not, or None.

    Raises
    ------
    UnknownForce, DisbandedAlready
    """
    force, body = queries.force(session, actor, force_id, lock=True)
    _check_running(force, body)
    asked = list(dict.fromkeys(filter(None, (each.strip() for each in numbers))))
    seen = incidents.seen(session, actor, asked)
    found = incidents.locked_many(session, seen)
    refused: dict[str, Problem | None] = {}
    moves = []
    for number in asked:
        if number not in found:
            refused[number] = UnknownIncident(number=number)
            continue
        case = found[number]
        action = rules.step_under(State(case.state))
        if not case.home.startswith(force.area):
            refused[number] = OutsideItsArea(number=number, area=force.area)
        elif action is None:
            refused[number] = NotInWork(number=number, state=case.state)
        else:
            moves.append(Move(actor, number, action, {"handler": body.name, "note": note or force.purpose}))
    answers = incident.move_many(session, moves)
    refused |= {move.number: answer for move, answer in zip(moves, answers, strict=True)}
    if done := [number for number in asked if refused[number] is None]:
        _note(session, force, actor, Deed.PUT, ", ".join(done)[:500])
    return [(number, refused[number]) for number in asked]


def disband(
    session: Session, actor: Actor, force_id: int, owner: str = "", unit: str = "", note: str = ""
) -> TaskForce:
    """Disband a task force; every open case of it goes to a named body, or to the people of a unit, at once.

    Rule: field.md §1, A2: the record stays; no case is left without an owner.

    Raises
    ------
    UnknownForce, DisbandedAlready, NotTheirForce, OwnerNeeded, OwnerItself, UnknownBody, BodyClosed, NoSuchArea,
    CasesElsewhere
    """
    force, body = _changed(session, actor, force_id)
    require(actor, "task_force.manage", force.area)  # its lead alone is not enough
    waiting = queries.open_cases(session, [body.name]).get(body.name, 0)
    name, code = _owner(session, body, owner.strip(), unit.strip())
    if waiting and not name:
        raise OwnerNeeded(count=waiting)
    if waiting and code:
        _check_inside(session, body.name, code)
    told = {"note": note} if note else {}
    handed = incident.hand_over(session, actor, body.name, name, code, **told) if waiting else []
    for member, person in queries.members(session, [force.id])[force.id]:
        _exit(member, person, body)
    bodies.close_body(session, body.id)
    force.disbanded_at, force.handed_to, force.handed = clock.now(), name if handed else None, len(handed)
    _note(session, force, actor, Deed.DISBAND, note or (name if handed else ""))
    return force


def _owner(session: Session, body: Body, owner: str, unit: str) -> tuple[str, str | None]:
    if unit:
        names = hierarchy.names(session, [unit], clock.today())
        if unit not in names:
            raise NoSuchArea(code=unit)
        return names[unit], unit
    if not owner:
        return "", None
    found = organisation.body(session, owner)
    if found.id == body.id:
        raise OwnerItself
    return organisation.addressed(session, owner), None


def _check_inside(session: Session, name: str, code: str) -> None:
    """Refuse a unit that does not hold all the open cases: its people could not work on the others."""
    asked = select(Incident.number).where(
        Incident.handler == name, Incident.state.in_(OPEN), ~Incident.home.startswith(code, autoescape=True)
    )
    if outside := list(session.scalars(asked.order_by(Incident.number).limit(SHOWN + 1))):
        shown = ", ".join(outside[:SHOWN]) + (" …" if outside[SHOWN:] else "")
        raise CasesElsewhere(code=code, numbers=shown)


def tell_ended(session: Session, batch: int = 100) -> int:
    """Tell of task forces that are past their last day, of each once; none is disbanded by that. Returns how many."""
    ended = session.scalars(
        select(TaskForce)
        .where(
            TaskForce.disbanded_at.is_(None), TaskForce.told_at.is_(None), TaskForce.ends_on < clock.today()
        )
        .order_by(TaskForce.id)
        .limit(batch)
        .with_for_update(skip_locked=True)
    ).all()
    for force in ended:
        people = {queries.lead_id(session, force.id), force.raised_by_id} - {None}
        _tell(session, Kind.FORCE_ENDED, force, session.get_one(Body, force.body_id), people, None)
        force.told_at = clock.now()
    session.flush()
    return len(ended)


def _changed(session: Session, actor: Actor, force_id: int) -> tuple[TaskForce, Body]:
    """Return a task force that is there, locked, if the actor may change it."""
    force, body = queries.force(session, actor, force_id, lock=True)
    if (reason := rules.refusal(actor, force, queries.lead_id(session, force.id))) is not None:
        raise reason
    _check_running(force, body)
    return force, body


def _check_running(force: TaskForce, body: Body) -> None:
    if force.disbanded_at is not None:
        raise DisbandedAlready(name=body.name, day=clock.local(force.disbanded_at).date().isoformat())


def _person(session: Session, username: str) -> Account:
    found = accounts.by_username(session, username.strip())
    if found is None or not found.active:
        raise UnknownAccount(username=username.strip())
    return found


def _ids(session: Session, force: TaskForce) -> set[int]:
    return {account.id for _, account in queries.members(session, [force.id])[force.id]}


def _member(session: Session, force: TaskForce, username: str) -> tuple[TaskForceMember, Account]:
    for member, account in queries.members(session, [force.id])[force.id]:
        if account.username == username.strip():
            return member, account
    raise NoMember(name=username.strip())


def _enter(session: Session, force: TaskForce, body: Body, person: Account, *, lead: bool) -> None:
    session.add(TaskForceMember(force_id=force.id, account_id=person.id, lead=lead, since=clock.now()))
    person.also = [*person.also, body.name]
    session.flush()


def _exit(member: TaskForceMember, person: Account, body: Body) -> None:
    member.until = clock.now()
    person.also = [each for each in person.also if each != body.name]


def _note(session: Session, force: TaskForce, actor: Actor, deed: Deed, note: str) -> None:
    done = select(func.count()).where(TaskForceDeed.force_id == force.id)
    session.add(
        TaskForceDeed(
            force_id=force.id, seq=session.scalar(done) + 1, deed=deed, actor_id=actor.id,
            actor_name=actor.name, at=clock.now(), note=note[:500],
        )
    )  # fmt: skip
    session.flush()  # the next one counts it


def _tell(
    session: Session, kind: Kind, force: TaskForce, body: Body, people: Iterable[int], actor: Actor | None
) -> None:
    facts = {
        "page": f"/task-forces/{force.id}", "place": body.name, "note": force.purpose[:200],
        "name": actor.name if actor else "",
        "due": clock.midnight(force.ends_on, days=1).isoformat(),
    }  # fmt: skip
    notice.tell(session, [Message(account, kind, None, facts) for account in sorted(people)])
