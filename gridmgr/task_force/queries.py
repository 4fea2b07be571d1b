"""Reads of task forces: those the actor may see, their members, their record, their cases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.model import Account
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.life.rules import OPEN
from gridmgr.organisation.model import Body
from gridmgr.task_force.model import Standing, TaskForce, TaskForceDeed, TaskForceMember, UnknownForce


@dataclass(frozen=True)
class Search:
    """What a list of task forces is narrowed to; every field may be absent."""

    standing: Standing | None = None
    area: str = ""


def _visible(actor: Actor) -> Select:
    """Return the statement of the task forces the actor may see, with their bodies.

    They are those inside the actor's areas, those of areas around these, and those the actor is a member of.
    """
    around = {code[:length] for code in actor.scope for length in range(len(code) + 1)}
    mine = select(TaskForceMember.force_id).where(TaskForceMember.account_id == (actor.id or 0))
    seen = or_(visible_to(actor, TaskForce.area), TaskForce.area.in_(around), TaskForce.id.in_(mine))
    return select(TaskForce, Body).join(Body, Body.id == TaskForce.body_id).where(seen)


def stands(standing: Standing) -> ColumnElement[bool]:
    """Return the SQL condition that a task force stands in a way today: the twin of `rules.standing`."""
    if standing is Standing.DISBANDED:
        return TaskForce.disbanded_at.is_not(None)
    past = TaskForce.ends_on < clock.today()
    return TaskForce.disbanded_at.is_(None) & (past if standing is Standing.ENDED else ~past)


def page(
    session: Session, actor: Actor, search: Search, size: int, before: int | None = None
) -> list[tuple[TaskForce, Body]]:
    """Return one page of task forces, the newest first, going on after the one `before`."""
    asked = _visible(actor)
    if search.standing:
        asked = asked.where(stands(search.standing))
    if search.area:
        asked = asked.where(TaskForce.area.startswith(search.area, autoescape=True))
    if before is not None:
        asked = asked.where(TaskForce.id < before)
    return [tuple(row) for row in session.execute(asked.order_by(TaskForce.id.desc()).limit(size))]


def counts(session: Session, actor: Actor) -> dict[Standing, int]:
    """Return how many visible task forces stand in each way."""
    numbers = [func.count().filter(stands(each)) for each in Standing]
    row = session.execute(_visible(actor).with_only_columns(*numbers)).one()
    return dict(zip(Standing, row, strict=True))


def force(session: Session, actor: Actor, force_id: int, *, lock: bool = False) -> tuple[TaskForce, Body]:
    """Return a task force with its body; with `lock`, nobody else changes it until the transaction ends.

    Raises
    ------
    UnknownForce
    """
    asked = _visible(actor).where(TaskForce.id == force_id)
    if lock:
        asked = asked.with_for_update(of=TaskForce).execution_options(populate_existing=True)
    row = session.execute(asked).first()
    if row is None:
        raise UnknownForce(id=force_id)
    return tuple(row)


def members(session: Session, ids: Iterable[int], *, past: bool = False) -> dict[int, list]:
    """Return (member, account) of task forces, the lead first; `past` adds those who are members no longer."""
    found: dict[int, list] = {each: [] for each in ids}
    asked = (
        select(TaskForceMember, Account)
        .join(Account, Account.id == TaskForceMember.account_id)
        .where(TaskForceMember.force_id.in_(found))
        .order_by(TaskForceMember.until.is_not(None), TaskForceMember.lead.desc(), TaskForceMember.id)
    )
    if not past:
        asked = asked.where(TaskForceMember.until.is_(None))
    for member, account in session.execute(asked):
        found[member.force_id].append((member, account))
    return found


def lead_id(session: Session, force_id: int) -> int | None:
    """Return the account id of whoever leads a task force now."""
    asked = select(TaskForceMember.account_id).where(
        TaskForceMember.force_id == force_id, TaskForceMember.until.is_(None), TaskForceMember.lead
    )
    return session.scalar(asked)


def deeds(session: Session, force_id: int) -> list[TaskForceDeed]:
    """Return what was done to a task force, in order."""
    asked = select(TaskForceDeed).where(TaskForceDeed.force_id == force_id)
    return list(session.scalars(asked.order_by(TaskForceDeed.seq)))


def open_cases(session: Session, names: Sequence[str]) -> dict[str, int]:
    """Return how many open cases each task force works on, by its name; nobody's scope narrows it."""
    asked = select(Incident.handler, func.count()).where(
        Incident.handler.in_(names), Incident.handler_code.is_(None), Incident.state.in_(OPEN)
    )
    return dict(tuple(row) for row in session.execute(asked.group_by(Incident.handler)))


def cases(session: Session, actor: Actor, name: str, size: int) -> list[Incident]:
    """Return the open cases of a task force that the actor may see, the first due first."""
    asked = incidents.visible(actor).where(
        Incident.handler == name, Incident.handler_code.is_(None), Incident.state.in_(OPEN)
    )
    return list(session.scalars(asked.order_by(Incident.due_at.nulls_last(), Incident.id).limit(size)))


def finished(session: Session, name: str) -> int:
    """Return how many cases were finished while a task force was at work on them."""
    asked = select(func.count()).where(Incident.handler == name, Incident.state.not_in(OPEN))
    return session.scalar(asked)
