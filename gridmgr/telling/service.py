"""Verbs of telling: reports and steps, many at once, become notices. They never commit."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr.account import queries as accounts
from gridmgr.account.rules import Role
from gridmgr.incident import queries as incidents
from gridmgr.incident import rules as incident
from gridmgr.incident.model import Incident, Moved
from gridmgr.life.model import Action
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message
from gridmgr.telling import rules
from gridmgr.telling.rules import Who


def tell_reported(session: Session, ids: Sequence[int]) -> None:
    """Tell the desks of the place of new cases; closed ones, taken over from elsewhere, concern nobody."""
    cases = [case for case in _cases(session, ids).values() if case.closed_at is None]
    seats = _Seats(session, (case for case in cases), ())
    notice.tell(
        session,
        [
            Message(account, Kind.REPORTED, case.id, _facts(session, case))
            for case in cases
            for account in seats.at(rules.first_desk(case.source), _home(case)) - {case.reporter_id}
        ],
    )


def tell_of(session: Session, steps: Sequence[Moved]) -> None:
    """Tell those whom steps concern; nobody is told of what he did himself."""
    concerned = [step for step in steps if rules.told_of(step)]
    if not concerned:
        return
    cases = _cases(session, {step.incident_id for step in concerned})
    bodies = {step.payload.get(name) for step in concerned for name in ("handler", "body")}
    bodies |= {case.handler for case in cases.values()}
    seats = _Seats(session, cases.values(), {body for body in bodies if body})
    messages = []
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


def _people(seats: "_Seats", step: Moved, case: Incident, who: Who) -> set[int | None]:
    match who:
        case Who.ASKER:
            return {step.payload["asked_by"]}
        case Who.REPORTER:
            return {case.reporter_id}
        case Who.TASK:
            return seats.of(step.payload["body"], _home(case))
        case Who.BODY if case.handler_code:
            return seats.at(incident.ON_THE_GROUND, case.handler_code)
        case Who.BODY:
            return seats.of(step.payload.get("handler") or case.handler or "", _home(case))
        case Who.GRANTERS:
            return seats.at(rules.granters(Action(step.payload["way"]), case), _home(case))
        case Who.HOLDERS:
            return seats.at(rules.sitting(case.level), _home(case))


class _Seats:
    """Who sits where, read in two statements for many cases."""

    def __init__(self, session: Session, cases: Iterable[Incident], bodies: Iterable[str]):
        homes = {code for case in cases for code in (_home(case), case.handler_code or "")}
        self._seats = accounts.seats(session, homes)
        self._bodies = accounts.of_bodies(session, set(bodies)) if bodies else {}

    def at(self, roles: Iterable[Role], code: str) -> set[int | None]:
        prefixes = [code[:length] for length in range(len(code) + 1)]
        return {
            account
            for role in roles
            for prefix in prefixes
            for account in self._seats.get((role, prefix), ())
        }

    def of(self, body: str, home: str) -> set[int | None]:
        return {account for account, code in self._bodies.get(body, ()) if home.startswith(code)}


def _cases(session: Session, ids: Iterable[int]) -> dict[int, Incident]:
    found = session.scalars(select(Incident).where(Incident.id.in_(list(ids))))
    return {case.id: case for case in found}


def _home(case: Incident) -> str:
    return case.micro_grid_code or case.community_code or case.street_code or ""


def _facts(session: Session, case: Incident) -> dict[str, Any]:
    category = incidents.category_of(session, case)
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
