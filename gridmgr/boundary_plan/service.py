"""Verbs of plans: open, claim, lock, branch, discard one. They never commit."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.boundary_plan import queries, rules
from gridmgr.boundary_plan.model import (
    BaseRedrawn,
    BoundaryPlan,
    Claimed,
    NotAnArea,
    PlanClosed,
    PlanMoved,
    Status,
)
from gridmgr.boundary_plan.rules import MATTER, TERMS
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COMMUNITY, STREET, NoEdition
from gridmgr.terms import service as dated

LEASE = timedelta(minutes=10)  # of a claim, renewed by the open page


def create(session: Session, actor: Actor, name: str, area_code: str = "") -> BoundaryPlan:
    """Open a plan on the newest edition, for a street, a community, or the whole district.

    Raises
    ------
    NotGranted, OutsideGrant
    NoEdition, UnknownUnit, NotAnArea, PlanUnnamed
    """
    require(actor, "plan.draw", area_code)
    editions = hierarchy.editions(session)
    if not editions:
        raise NoEdition
    newest = editions[0]
    if area_code:
        unit = hierarchy.unit(session, actor, area_code, newest.effective)
        if unit.level not in (STREET, COMMUNITY):
            raise NotAnArea(code=area_code)
    plan = BoundaryPlan(
        name=rules.named(name), area_code=area_code, base=newest.stamp, base_day=newest.effective, locked=[],
        base_mark=queries.mark(session), status=Status.DRAFT, created_by=actor.id, created_at=clock.now(),
        created_name=actor.name,
    )  # fmt: skip
    session.add(plan)
    session.flush()
    return plan


def taken(
    session: Session, actor: Actor, plan_id: int, on_tip: int | None, *, over: bool = False
) -> BoundaryPlan:
    """Hold a plan's row, if the actor may draw on it as it was seen."""
    plan = queries.by_id(session, actor, plan_id, locked=True)
    _may_draw(session, actor, plan)
    _claimed(plan, actor, over)
    _at_tip(session, plan, on_tip)
    return plan


def seen(session: Session, actor: Actor, plan_id: int, on_tip: int | None) -> BoundaryPlan:
    """Return a plan the actor may draw on, where it was seen; nobody is held off it."""
    plan = queries.by_id(session, actor, plan_id)
    _may_draw(session, actor, plan)
    _at_tip(session, plan, on_tip)
    return plan


def _may_draw(session: Session, actor: Actor, plan: BoundaryPlan) -> None:
    require(actor, "plan.draw", plan.area_code)
    if plan.status != Status.DRAFT:
        raise PlanClosed(name=plan.name)
    if queries.edition(session, plan).stamp != plan.base:
        raise BaseRedrawn(day=plan.base_day)


def _at_tip(session: Session, plan: BoundaryPlan, on_tip: int | None) -> None:
    if plan.tip_id != on_tip:
        last = queries.edit(session, plan.tip_id)
        raise PlanMoved(
            by=last.account_name if last else plan.claim_name or plan.created_name,
            at=f"{clock.local(last.at if last else plan.created_at):%Y-%m-%d %H:%M:%S}",
        )


def _claimed(plan: BoundaryPlan, actor: Actor, over: bool) -> None:
    """Take or renew the claim of whoever draws.

    Raises
    ------
    Claimed
        Somebody else has it, and it is not taken over.
    """
    now = clock.now()
    mine = (plan.claim_id, plan.claim_name) == (actor.id, actor.name)
    if plan.claim_until and plan.claim_until > now and not mine and not over:
        raise Claimed(by=plan.claim_name, until=f"{clock.local(plan.claim_until):%H:%M}")
    plan.claim_id, plan.claim_name, plan.claim_until = actor.id, actor.name, now + LEASE


def claim(session: Session, actor: Actor, plan_id: int, *, take_over: bool = False) -> BoundaryPlan:
    """Claim a plan for ten minutes more, so that nobody else draws on it meanwhile.

    Raises
    ------
    Claimed
        By somebody else, and it is not to be taken over.
    """
    plan = queries.by_id(session, actor, plan_id, locked=True)
    _may_draw(session, actor, plan)
    _claimed(plan, actor, take_over)
    return plan


def lock(session: Session, actor: Actor, plan_id: int, staying: Collection[str]) -> BoundaryPlan:
    """Let exactly these units stay as they are, whatever is drawn beside them.

    Raises
    ------
    UnknownGrid, Claimed
    """
    plan = queries.by_id(session, actor, plan_id, locked=True)
    _may_draw(session, actor, plan)
    _claimed(plan, actor, over=False)
    known = queries.state(session, plan, plan.tip_id).numbers.index
    rules.known(known, staying)
    plan.locked = sorted(set(staying))
    return plan


def branch(session: Session, actor: Actor, plan_id: int, name: str) -> BoundaryPlan:
    """Open a further plan where a plan stands; both go on by themselves.

    Raises
    ------
    PlanUnnamed, NotGranted, OutsideGrant
    """
    plan = queries.by_id(session, actor, plan_id)
    require(actor, "plan.draw", plan.area_code)
    made = BoundaryPlan(
        name=rules.named(name), area_code=plan.area_code, base=plan.base, base_day=plan.base_day, tip_id=plan.tip_id,
        base_mark=plan.base_mark, top_id=plan.tip_id, locked=list(plan.locked), status=Status.DRAFT,
        created_by=actor.id, created_name=actor.name, created_at=clock.now(), origin_id=plan.id,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def discard(session: Session, actor: Actor, plan_id: int) -> BoundaryPlan:
    """Put a draft away; its edits stay readable.

    Raises
    ------
    PlanClosed, Claimed
    """
    plan = queries.by_id(session, actor, plan_id, locked=True)
    require(actor, "plan.draw", plan.area_code)
    if plan.status != Status.DRAFT:
        raise PlanClosed(name=plan.name)
    _claimed(plan, actor, over=False)
    plan.status = Status.DISCARDED
    return plan


def set_terms(session: Session, actor: Actor, effective, given: Mapping[str, object]) -> dict[str, float]:
    """Set the terms of plans from a day on; returns them whole.

    Raises
    ------
    TermOutside, TermUnknown
    """
    return dated.put(session, actor, MATTER, TERMS, effective, given)
