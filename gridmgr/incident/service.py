"""Verbs of incidents: take a step (one or many), follow a redrawn map, take new times. They never commit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, any_, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.attachment import queries as attachment
from gridmgr.calendar.queries import calendar_for
from gridmgr.clock import TimeUnit, WorkingCalendar
from gridmgr.db import copy_rows
from gridmgr.events import emit
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import queries, rules
from gridmgr.incident.model import (
    Incident,
    IncidentEvent,
    IncidentFile,
    IncidentMovedMeanwhile,
    IncidentsMoved,
    IncidentTask,
    Move,
    Moved,
    UnknownIncident,
)
from gridmgr.life import rules as life
from gridmgr.life.model import HOLDERS, Action, BadField, IllegalMove, State
from gridmgr.life.rules import OPEN, OUT
from gridmgr.organisation import queries as organisation
from gridmgr.organisation.model import BodyKind
from gridmgr.policy import queries as policies
from gridmgr.responsibility import queries as lists


def move(
    session: Session,
    actor: Actor,
    number: str,
    action: Action,
    payload: Mapping[str, Any] | None = None,
    *,
    expected_seq: int | None = None,
    at: datetime | None = None,
) -> Incident:
    """Take an incident one step along its life and append the step to its history.

    Rule: the table `life.rules.TRANSITIONS`; who may is `incident.rules.may`; what it needs first is
    `incident.rules.check_ready`. Accepting works the due time out once and keeps it with the step.

    Raises
    ------
    UnknownIncident
        There is none of that number in the actor's scope.
    IncidentMovedMeanwhile
        `expected_seq` was given and somebody was faster.
    IllegalMove, MissingField, BadField, ConditionUnmet, Exhausted, NothingAsked, TooLate, NotOnTheList
        The step is not possible, or lacks what it needs.
    NotGranted, OutsideGrant, HeldAbove, NotYourOrder, RankTooLow
        The actor may not take this step here.
    """
    incident = queries.locked(session, actor, number)
    asked = Move(actor, number, action, payload or {}, at, expected_seq)
    row, moved = _step(session, incident, asked)
    session.add(IncidentEvent(**row))
    session.flush()  # two steps in one transaction must find each other
    emit(session, IncidentsMoved((moved,)))
    return incident


def move_many(session: Session, asked: Sequence[Move]) -> list[Problem | None]:
    """Take many steps in the order given; returns for each why it was not taken, or None.

    Rule: the same as `move`, step by step; a step refused writes nothing and stops no other one. A case
    outside its actor's scope is refused as outside the grant, not as unknown: not for answers to people.
    """
    found = queries.locked_many(session, {one.number for one in asked})
    refused: list[Problem | None] = []
    rows, moves = [], []
    with session.no_autoflush:  # one update of each incident, however many steps it takes
        for one in asked:
            try:
                if one.number not in found:
                    raise UnknownIncident(number=one.number)
                row, moved = _step(session, found[one.number], one)
            except Problem as problem:
                refused.append(problem)
            else:
                rows.append(row)
                moves.append(moved)
                refused.append(None)
    session.flush()  # the rows of history follow what they tell about
    _append(session, rows)
    if moves:
        emit(session, IncidentsMoved(tuple(moves)))
    return refused


def _append(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        copy_rows(session, IncidentEvent, list(rows[0]), map(stored, rows))


def _step(session: Session, incident: Incident, asked: Move) -> tuple[dict[str, Any], Moved]:
    """Check one step of a locked incident and bring its standing up to it.

    Returns its row of history and the word of it for others.
    """
    actor, action, at = asked.actor, asked.action, asked.at or clock.now()
    if asked.expected_seq is not None and incident.last_seq != asked.expected_seq:
        raise IncidentMovedMeanwhile(number=incident.number, state=incident.state)
    if action not in rules.OF_PEOPLE:
        raise IllegalMove(number=incident.number, state=incident.state, action=action.value)
    if reason := rules.may(actor, action, incident).reason:
        raise reason
    payload = rules.completed(incident, action, asked.payload)
    before = State(incident.state)
    life.target(before, action, payload, incident.number)
    life.check_fields(action, payload)
    if payload.get("files"):
        (payload["files"],) = described(session, [payload["files"]])
    category = queries.category_of(session, incident)
    rules.check_ready(incident, action, payload, category, at)
    rules.check_evidence(actor, incident, action, payload)
    if payload.pop("checked", False) and action in rules.GATES:
        payload["checked"] = getattr(category, rules.GATES[action][1])
    if action in rules.RAISING:
        payload["level"] = rules.raised(actor, incident)
    if action in _PREPARE:
        payload |= _PREPARE[action](session, actor, incident, payload, at)
    row = _appended(actor, incident, action, payload, at)
    attach(session, [(incident.id, incident.last_seq, payload.get("files") or ())])
    moved = Moved(
        incident.id,
        action,
        before,
        State(incident.state),
        at,
        incident.last_seq,
        actor.id,
        payload,
        actor.name,
    )
    return row, moved


def _appended(
    actor: Actor, incident: Incident, action: Action, payload: dict[str, Any], at: datetime
) -> dict[str, Any]:
    """Bring a locked incident's cached standing up to one more step; returns the step's row of history."""
    standing = life.apply(queries.standing(incident), action, payload, at)
    seq = incident.last_seq + 1
    digest = life.chain(incident.last_hash, incident.number, seq, action, actor.name, at, payload)
    for column, value in life.cached(standing).items():
        setattr(incident, column, value)
    incident.last_seq, incident.last_hash = seq, digest
    return event_row(incident.id, seq, action, standing.state, actor, at, clock.now(), payload, digest)


# What a step works out beside what it was given: (session, actor, incident, payload, at) → more payload.


def _start_clock(session: Session, actor: Actor, incident: Incident, payload, at: datetime) -> dict[str, Any]:
    """The limit is the policy's, if there is one for the case, else that of its category."""
    category, day = queries.category_of(session, incident), clock.local(at).date()
    limit = policies.limit_of(session, category, incident.severity, day, incident.level)
    if limit is None:
        return {}
    amount, unit = limit
    due = _calendar(session, incident).due(at, amount, unit)
    return {"limit_amount": amount, "limit_unit": unit, "due_at": due.isoformat()}


def _accept(session: Session, actor: Actor, incident: Incident, payload, at: datetime) -> dict[str, Any]:
    """The clock starts, and the item of the list that covers the case today stays with it."""
    category, day = queries.category_of(session, incident), clock.local(at).date()
    owner = lists.answer(session, category.policy_code, incident.home, day)
    covered = {}
    if owner is not None:
        covered = {"admission": owner.admission.id} if owner.admission else {"item": owner.row.id}
    return _start_clock(session, actor, incident, payload, at) | covered


def _longer(session: Session, actor: Actor, incident: Incident, payload, at: datetime) -> dict[str, Any]:
    """An extension goes on from the due time, even from one that has passed."""
    due = _calendar(session, incident).due(incident.due_at, payload["amount"], TimeUnit(payload["unit"]))
    return {"due_at": due.isoformat()}


def _go_on(session: Session, actor: Actor, incident: Incident, payload, at: datetime) -> dict[str, Any]:
    """What was left of the time when the clock was stopped is left now; what had passed, has passed."""
    if incident.due_at is None or incident.due_at <= incident.suspended_at:
        return {"due_at": incident.due_at.isoformat() if incident.due_at else None}
    calendar, unit = _calendar(session, incident), TimeUnit(incident.limit_unit or TimeUnit.HOURS)
    left = calendar.worked(incident.suspended_at, incident.due_at, unit)
    return {"due_at": calendar.after(at, left, unit).isoformat()}


def _calendar(session: Session, incident: Incident) -> WorkingCalendar:
    return calendar_for(session, incident.home)


def _check_twin(session: Session, actor: Actor, incident: Incident, payload, at) -> dict[str, Any]:
    twin = queries.by_number(session, actor, payload["into"])
    if twin.id == incident.id or twin.state in OUT:
        raise BadField(field="into", value=payload["into"], expected="another live incident")
    return {}


def _sign(session: Session, actor: Actor, incident: Incident, payload, at) -> dict[str, Any]:
    return {"by": actor.id, "by_name": actor.name}


def _answer(session: Session, actor: Actor, incident: Incident, payload, at) -> dict[str, Any]:
    return {"asked_by": incident.asked["by"], "way": incident.asked["way"]}


def _hand_up(session: Session, actor: Actor, incident: Incident, payload, at) -> dict[str, Any]:
    return {"level": _one_of(payload.get("level"), rules.above(incident))}


def _hand_down(session: Session, actor: Actor, incident: Incident, payload, at) -> dict[str, Any]:
    """What the district hands to a territory must be on its list."""
    level = _one_of(payload.get("level"), rules.below(incident))
    if incident.level == HOLDERS[-1]:
        _check_given(session, incident, getattr(incident, f"{level}_code"), at)
    return {"level": level}


def _check_given(session: Session, incident: Incident, unit: str, at: datetime) -> None:
    lists.check_given(session, queries.category_of(session, incident), unit, clock.local(at).date())


def _meet(session: Session, actor: Actor, incident: Incident, payload, at) -> dict[str, Any]:
    keys = [each["key"] for each in queries.category_of(session, incident).further_limits]
    if payload["limit"] not in keys:
        raise BadField(field="limit", value=payload["limit"], expected=", ".join(keys) or "∅")
    return {}


def _one_of(level: str | None, levels: Sequence[str]) -> str:
    if not levels or (level and level not in levels):
        raise BadField(field="level", value=level or "∅", expected=", ".join(levels) or "∅")
    return level or levels[0]


def _addressed(session: Session, actor: Actor, incident: Incident, payload, at) -> dict[str, Any]:
    """A body is called by its present name; what a unit or its command room is to handle must be on its list."""
    if payload.get("handler_code"):
        _check_given(session, incident, payload["handler_code"], at)
        return {}
    body = organisation.named(session, payload["handler"])
    if body is not None and body.kind == BodyKind.COMMAND_ROOM and body.territory:
        _check_given(session, incident, body.territory, at)
    return {"handler": organisation.addressed(session, payload["handler"])}


def _assign(session: Session, actor: Actor, incident: Incident, payload, at) -> dict[str, Any]:
    no, body = incident.tasks + 1, organisation.addressed(session, payload["body"])
    session.add(
        IncidentTask(incident_id=incident.id, no=no, body=body, what=payload["note"], asked_at=at, note="")
    )
    return {"task": no, "body": body}


def _finish(session: Session, actor: Actor, incident: Incident, payload, at) -> dict[str, Any]:
    task = queries.open_task(session, incident, payload["task"])
    desk = rules.may(actor, Action.ASSIGN_TASK, incident)
    if not desk and task.body not in actor.bodies:
        raise rules.NotYourOrder(handler=task.body, body=actor.body or "-")
    task.done_at, task.note = at, payload["note"]
    return {"body": task.body}


_Prepare = Callable[[Session, Actor, Incident, Mapping[str, Any], datetime], dict[str, Any]]
_PREPARE: dict[Action, _Prepare] = {
    Action.ACCEPT: _accept,
    Action.DISPATCH: _addressed,
    Action.REDIRECT: _addressed,
    Action.REOPEN: _start_clock,
    Action.EXTEND: _longer,
    Action.RESUME: _go_on,
    Action.MERGE: _check_twin,
    Action.ASK: _sign,
    Action.MEET: _meet,
    Action.REFUSE: _answer,
    Action.HAND_UP: _hand_up,
    Action.HAND_DOWN: _hand_down,
    Action.ASSIGN_TASK: _assign,
    Action.FINISH_TASK: _finish,
}


def by_system(
    session: Session, actor: Actor, action: Action, changes: Sequence[tuple[Incident, dict[str, Any]]]
) -> None:
    """Take a step of the system's own on locked incidents: raise them to a level, or retime them.

    Each gets a row in its history. Closed ones are passed over: somebody was faster.
    """
    rows, moves, at = [], [], clock.now()
    for incident, payload in changes:
        if incident.state not in OPEN:
            continue
        before = State(incident.state)
        rows.append(_appended(actor, incident, action, payload, at))
        moves.append(Moved(incident.id, action, before, before, at, incident.last_seq, actor.id, payload))
    session.flush()  # the rows of history follow what they tell about
    _append(session, rows)
    if moves:
        emit(session, IncidentsMoved(tuple(moves)))


def hand_over(
    session: Session, actor: Actor, before: str, after: str, code: str | None = None, **told: Any
) -> list[Incident]:
    """Give all open work of a body to another one, or to the people of a unit; returns the cases.

    Each case stays in its state and gets a row in its history; parts of others' cases go along.
    """
    found = session.scalars(
        select(Incident)
        .where(
            or_(
                (Incident.handler == before) & Incident.handler_code.is_(None),
                (Incident.owner == before) & Incident.owner_code.is_(None),
            ),
            Incident.state.in_(OPEN),
        )
        .order_by(Incident.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    payload = {"handler": after, "handler_code": code, "before": before} | told
    by_system(session, actor, Action.HAND_OVER, [(each, dict(payload)) for each in found])
    parts = update(IncidentTask).where(IncidentTask.body == before, IncidentTask.done_at.is_(None))
    session.execute(parts.values(body=after))
    return list(found)


def rehome_open(session: Session, actor: Actor) -> int:
    """Give open cases that lie in other units on the map now in force its codes, each with a row in its history.

    Those whose units hold them as before stay untouched. Closed cases keep the place they had: a redraw never
    rewrites history. Returns how many moved.
    """
    edition = hierarchy.edition_at(session, clock.today())
    going = (State.REPORTED, State.ACCEPTED) if edition.keep_in_hand else tuple(OPEN)
    places = queries.strayed(session, edition, going)
    if not places:
        return 0
    behind = session.scalars(
        select(Incident)
        .where(Incident.id == any_(literal(list(places), ARRAY(BigInteger))), Incident.state.in_(going))
        .order_by(Incident.id)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    by_system(session, actor, Action.REHOME, [(each, places[each.id]) for each in behind])
    for each in behind:
        each.located, each.distance_m = places[each.id]["located"], places[each.id]["distance_m"]
    return len(behind)


def event_row(incident_id, seq, action, state, actor, when, recorded, payload, digest) -> dict[str, Any]:
    """Return one row of history."""
    return {
        "incident_id": incident_id, "seq": seq, "action": action, "state": state, "actor_id": actor.id,
        "actor_name": actor.name, "occurred_at": when, "recorded_at": recorded, "payload": payload,
        "hash": digest,
    }  # fmt: skip


def stored(row: Mapping[str, Any]) -> list[Any]:
    """Return a row of history as it is copied into its table."""
    return [queries.as_json(value) if isinstance(value, dict) else value for value in row.values()]


def described(session: Session, given: Sequence[Sequence[Mapping[str, str]]]) -> list[list[dict[str, str]]]:
    """Return lists of files (sha256 and name) with the media type found when each was stored.

    Raises
    ------
    BadField
        A file is not in the store.
    """
    hashes = {each["sha256"] for files in given for each in files}
    known = attachment.known(session, hashes) if hashes else {}
    for sha256 in sorted(hashes):
        if sha256 not in known:
            raise BadField(field="files", value=sha256[:12], expected="a file sent before")
    return [
        [
            {"sha256": f["sha256"], "name": f.get("name", ""), "media_type": known[f["sha256"]].media_type}
            for f in files
        ]
        for files in given
    ]


def attach(session: Session, steps: Iterable[tuple[int, int, Sequence[Mapping[str, str]]]]) -> None:
    """Tie files to their cases: (incident id, seq of the step, files); one brought twice is tied once."""
    rows = [{"incident_id": each, "seq": seq, **file} for each, seq, files in steps for file in files]
    if rows:
        session.execute(insert(IncidentFile).on_conflict_do_nothing(), rows)
