"""Verbs of telling: reports and steps, many at once, become notices. They never commit."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.category import queries as matters
from gridmgr.duty import queries as duty
from gridmgr.duty.queries import Seats
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import rules as incident
from gridmgr.incident.model import Filed, Incident, Moved
from gridmgr.life.model import Action
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message
from gridmgr.telling import rules
from gridmgr.telling.rules import Who


def tell_reported(session: Session, filed: Sequence[Filed]) -> None:
    """Tell the desks of the place of new cases; closed ones, taken over from elsewhere, concern nobody."""
    seats = duty.seats(session)
    notice.tell(
        session,
        [
            Message(account, Kind.REPORTED, case.id, _facts(session, case))
            for case in filed
            if case.closed_at is None
            for account in seats.at(rules.first_desk(case.source), case.home) - {case.reporter_id}
        ],
    )


def tell_of(session: Session, steps: Sequence[Moved]) -> None:
    """Tell those whom steps concern; nobody is told of what he did himself."""
    concerned = [step for step in steps if rules.told_of(step)]
    if not concerned:
        return
    cases = _cases(session, {step.incident_id for step in concerned})
    seats, messages = duty.seats(session), []
    for step in concerned:
        case = cases[step.incident_id]
        facts = _facts(session, case) | _told(step)
        for kind, who in rules.told_of(step):
            for account in _people(seats, step, case, who) - {step.actor_id, None}:
                messages.append(Message(account, kind, case.id, facts))
    notice.tell(session, messages)


def tell_mentioned(session: Session, incident_id: int, people: Iterable[int], author: str, said: str) -> None:
    """Tell those who are named in a comment."""
    case = session.get_one(Incident, incident_id)
    facts = _facts(session, case) | {"name": author, "note": said[:200]}
    notice.tell(session, [Message(account, Kind.MENTIONED, case.id, facts) for account in people])


def _people(seats: Seats, step: Moved, case: Incident, who: Who) -> set[int | None]:
    match who:
        case Who.ASKER:
            return {step.payload["asked_by"]}
        case Who.REPORTER:
            return {case.reporter_id}
        case Who.TASK:
            return seats.of(step.payload["body"], case.home)
        case Who.BODY if case.handler_code:
            return seats.at(incident.ON_THE_GROUND, case.handler_code)
        case Who.BODY:
            return seats.of(step.payload.get("handler") or case.handler or "", case.home)
        case Who.GRANTERS:
            return seats.at(rules.granters(Action(step.payload["way"]), case), case.home)
        case Who.HOLDERS:
            return seats.at(rules.sitting(case.level), case.home)


def _cases(session: Session, ids: Iterable[int]) -> dict[int, Incident]:
    found = session.scalars(select(Incident).where(Incident.id.in_(list(ids))))
    return {case.id: case for case in found}


def _facts(session: Session, case: Incident | Filed) -> dict[str, Any]:
    category = matters.by_id(session)[case.category_id]
    return {
        "number": case.number, "category_zh": category.name_zh, "category_en": category.name_en,
        "place": case.address, "due": case.due_at.isoformat() if case.due_at else None,
    }  # fmt: skip


def _told(step: Moved) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": step.actor_name, "note": step.payload.get("note", ""),
        "action": step.payload.get("way") or step.action.value,
    }  # fmt: skip
    if step.payload.get("level"):
        told["level"] = step.payload["level"]
    if step.payload.get("asked_by"):
        told["answer"] = "refused" if step.action is Action.REFUSE else "granted"
    return told


def tell_seats(session: Session, moved: Iterable[tuple[int, str, str]]) -> None:
    """Tell people whose roles or turns have followed a unit: (account, code before, code after)."""
    moved = sorted(set(moved))
    now = clock.today()
    names = hierarchy.names(session, {code for _, *codes in moved for code in codes}, now)
    messages = [
        Message(
            account, Kind.SEAT_MOVED, None,
            {"before": names.get(before, before), "after": names.get(after, after), "page": f"/grids/{after}"},
        )
        for account, before, after in moved
    ]  # fmt: skip
    notice.tell(session, messages)
