"""Reads of applications, opinions and kinds; every read of applications starts from those an actor may see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.coapproval import rules
from gridmgr.coapproval.model import (
    Approval,
    ApprovalDeed,
    Deed,
    Figures,
    Opinion,
    PermitKind,
    Said,
    Saying,
    Standing,
    UnknownApproval,
    UnknownPermitKind,
)
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.life.rules import OUT
from gridmgr.organisation import queries as organisation
from gridmgr.responsibility import queries as lists
from gridmgr.responsibility.model import NoOwner

SHOWN_CASES = 20
SOON = timedelta(days=30)  # a case so soon after a permit puts what was permitted in question


@dataclass(frozen=True)
class Search:
    """What a list of applications is narrowed to; every field may be absent."""

    state: Standing | None = None
    body: str = ""  # asked, and has not answered yet
    own: str = ""  # the body that asked
    area: str = ""


def kinds(session: Session) -> list[PermitKind]:
    """Return the kinds of permits one can ask for, by name."""
    return list(session.scalars(select(PermitKind).where(PermitKind.active).order_by(PermitKind.name)))


def kind(session: Session, name: str) -> PermitKind:
    """Return one kind of permit that can be asked for.

    Raises
    ------
    UnknownPermitKind
    """
    found = session.scalar(select(PermitKind).where(PermitKind.name == name.strip(), PermitKind.active))
    if found is None:
        raise UnknownPermitKind(name=name)
    return found


def touching(session: Session, prefixes: Sequence[str], code: str, asker: str | None) -> dict[str, list[str]]:
    """Return whom to ask about a place, each body with the codes of its matters that the permit touches."""

    def owners(matter: Category) -> Iterable[str]:
        try:
            owner = lists.owner_of(session, matter.code, code)
        except NoOwner:  # the lists leave it open; its own department knows best
            return [organisation.present_name(session, matter.department)]
        return [owner.lead, *owner.cooperating]

    return rules.bodies_of(matters.in_force(session), prefixes, owners, asker)


def visible(actor: Actor) -> Select:
    """Return the statement of the applications at places in the actor's scope, and of the actor's own."""
    mine = visible_to(actor, Approval.code)
    if actor.id is not None:
        mine = or_(mine, Approval.asker_id == actor.id)
    return select(Approval).where(mine)


def page(
    session: Session, actor: Actor, search: Search, size: int, before: int | None = None
) -> list[Approval]:
    """Return one page of applications, the newest first, going on after the application `before`."""
    asked = visible(actor)
    if search.state:
        asked = asked.where(Approval.state == search.state)
    if search.body:
        asked = asked.where(Approval.state == Standing.OPEN, _unanswered(search.body))
    if search.own:
        asked = asked.where(Approval.body == search.own)
    if search.area:
        asked = asked.where(Approval.code.startswith(search.area, autoescape=True))
    if before is not None:
        asked = asked.where(Approval.id < before)
    return list(session.scalars(asked.order_by(Approval.id.desc()).limit(size)))


def _unanswered(body: str) -> ColumnElement[bool]:
    silent = or_(Opinion.said.is_(None), Opinion.said == Said.SILENT)
    return Approval.id.in_(select(Opinion.approval_id).where(Opinion.body == body, silent))


def approval(session: Session, actor: Actor, approval_id: int, lock: bool = False) -> Approval:
    """Return one application; with `lock`, locked until the transaction ends: words and decision come one by one.

    Raises
    ------
    UnknownApproval
    """
    asked = visible(actor).where(Approval.id == approval_id)
    if lock:
        asked = asked.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = session.scalar(asked)
    if found is None:
        raise UnknownApproval(id=approval_id)
    return found


def opinions(session: Session, approvals: Iterable[int]) -> dict[int, list[Opinion]]:
    """Return who was asked about applications and what each says, by name."""
    asked = select(Opinion).where(Opinion.approval_id.in_(list(approvals))).order_by(Opinion.body)
    found: dict[int, list[Opinion]] = {}
    for each in session.scalars(asked.execution_options(populate_existing=True)):
        found.setdefault(each.approval_id, []).append(each)
    return found


def deeds(session: Session, approval_id: int) -> list[ApprovalDeed]:
    """Return what was said and done to an application, in order."""
    asked = select(ApprovalDeed).where(ApprovalDeed.approval_id == approval_id)
    return list(session.scalars(asked.order_by(ApprovalDeed.seq)))


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """Return how many visible applications stand in each way, and how many wait for the actor's body."""
    asked = visible(actor).with_only_columns(Approval.state, func.count()).group_by(Approval.state)
    found: dict[str, int] = dict(session.execute(asked).all())
    if actor.body:
        waits = visible(actor).where(Approval.state == Standing.OPEN, _unanswered(actor.body))
        found["ours"] = session.scalar(waits.with_only_columns(func.count()))
    return found


def cases_there(session: Session, actor: Actor, found: Approval, size: int = SHOWN_CASES) -> list[Incident]:
    """Return the visible cases at the place of an application: the open ones first, then the latest finished ones."""
    if found.building_code:
        there = Incident.building_code == found.building_code
    else:
        there = (Incident.home == found.code) & Incident.building_code.is_(None)
    asked = incidents.visible(actor).where(there, Incident.state.not_in(OUT))
    order = (Incident.closed_at.is_not(None), Incident.reported_at.desc(), Incident.id)
    return list(session.scalars(asked.order_by(*order).limit(size)))


def permits_for(session: Session, actor: Actor, case: Incident) -> list[Approval]:
    """Return the permits an actor may see at the place of a case, for matters of its kind, that hold on its day.

    Enforcement against something permitted has to know of it: no permit today and stop order tomorrow.
    """
    if case.building_code:
        there = Approval.building_code == case.building_code
    else:
        there = (Approval.code == case.home) & Approval.building_code.is_(None)
    day = clock.local(case.reported_at).date()
    valid = Approval.valid_until.is_(None) | (Approval.valid_until >= day)
    asked = visible(actor).where(there, valid, Approval.state == Standing.GRANTED)
    code = incidents.category_of(session, case).policy_code
    found = session.scalars(asked.order_by(Approval.decided_at.desc(), Approval.id))
    return [each for each in found if code and rules.touched(code, each.prefixes)]


def at_building(session: Session, actor: Actor, code: str, size: int) -> list[Approval]:
    """Return the visible applications for one building, the newest first."""
    asked = visible(actor).where(Approval.building_code == code)
    return list(session.scalars(asked.order_by(Approval.id.desc()).limit(size)))


def figures(session: Session, actor: Actor, since: datetime, until: datetime) -> Figures:
    """Return how the visible applications that were asked between two instants were settled.

    Settled together = granted or refused after at least one other body was asked; the mean time is that from
    asking to deciding, of those. Questioned = granted, and a case of touched matters was reported at that place
    within 30 days after.
    """
    asked_of = select(Opinion.id).where(Opinion.approval_id == Approval.id).exists()
    settled = Approval.state.in_((Standing.GRANTED, Standing.REFUSED)) & asked_of
    took = func.extract("epoch", Approval.decided_at - Approval.asked_at) / 3600
    later = Incident.reported_at.between(Approval.decided_at, Approval.decided_at + SOON)
    prefixes = func.jsonb_array_elements_text(Approval.prefixes).table_valued("value").alias("prefix")
    same = select(prefixes.c.value).where(func.starts_with(Category.code, prefixes.c.value)).exists()
    case = (
        select(Incident.id)
        .join(Category, Category.id == Incident.category_id)
        .where(later, Incident.building_code == Approval.building_code, same)
        .correlate(Approval)
        .exists()
    )
    number = func.count()
    granted = Approval.state == Standing.GRANTED
    row = session.execute(
        visible(actor)
        .where(Approval.asked_at >= since, Approval.asked_at < until)
        .with_only_columns(
            number, number.filter(settled), number.filter(granted), func.avg(took).filter(settled),
            number.filter(granted & case),
        )
    ).one()  # fmt: skip
    asked, done, given, hours, questioned = row
    return Figures(asked, done, given, float(hours) if hours is not None else None, questioned)


def sayings(session: Session, actor: Actor, since: datetime, until: datetime) -> list[Saying]:
    """Return how each body answers the visible applications asked between two instants, who objects most first."""
    ever = (
        select(ApprovalDeed.id)
        .where(
            ApprovalDeed.approval_id == Opinion.approval_id, ApprovalDeed.body == Opinion.body,
            ApprovalDeed.deed == Deed.OBJECT,
        )
        .exists()
    )  # fmt: skip
    number = func.count()
    inside = visible(actor).where(Approval.asked_at >= since, Approval.asked_at < until)
    rows = session.execute(
        select(
            Opinion.body, number, *(number.filter(Opinion.said == each) for each in Said),
            number.filter(Opinion.said.is_(None)), number.filter(ever),
        )
        .where(Opinion.approval_id.in_(inside.with_only_columns(Approval.id)))
        .group_by(Opinion.body)
    )  # fmt: skip
    found = [Saying(*row) for row in rows]
    return sorted(found, key=lambda each: (-each.objected, -each.asked, each.body))


def day_of(found: Approval) -> date | None:
    """Return the day an application was decided on."""
    return clock.local(found.decided_at).date() if found.decided_at else None
