"""Verbs of plans: open one, draw on it, take back, branch, claim. They never commit."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy.orm import Session

from gis import plan as drawing
from gis.plan import CodeTaken, Plan
from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.boundary_plan import queries, rules
from gridmgr.boundary_plan.model import (
    LONGEST_NAME,
    BaseRedrawn,
    BoundaryPlan,
    Claimed,
    NotAnArea,
    NothingChanged,
    NothingToRedo,
    NothingToUndo,
    PlanChange,
    PlanClosed,
    PlanEdit,
    PlanMoved,
    PlanUnnamed,
    Status,
)
from gridmgr.boundary_plan.rules import MATTER, TERMS, State
from gridmgr.db import copy_frame, ewkb
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COMMUNITY, STREET, NoEdition
from gridmgr.redraw.rules import free_codes
from gridmgr.terms import service as dated

LEASE = timedelta(minutes=10)  # of a claim, renewed by the open page


@dataclass(frozen=True)
class Drawn:
    """What an edit did: the plan where it stands now, and the codes and buildings that differ from before."""

    plan: BoundaryPlan
    tip: int | None
    before: State
    after: State
    changed: list[str]
    gone: list[str]


def create(session: Session, actor: Actor, name: str, area_code: str = "") -> BoundaryPlan:
    """Open a plan on the newest edition, for a street, a community, or the whole district.

    Raises
    ------
    NotGranted, OutsideGrant
    NoEdition, UnknownUnit
    NotAnArea, PlanUnnamed
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
        name=_named(name), area_code=area_code, base=newest.stamp, base_day=newest.effective, locked=[],
        status=Status.DRAFT, created_by=actor.id, created_name=actor.name, created_at=clock.now(),
    )  # fmt: skip
    session.add(plan)
    session.flush()
    return plan


def _named(name: str) -> str:
    kept = " ".join("".join(each for each in name if each.isprintable()).split())
    if not 0 < len(kept) <= LONGEST_NAME:
        raise PlanUnnamed(most=LONGEST_NAME)
    return kept


def draw(
    session: Session, actor: Actor, plan_id: int, on_tip: int | None, kind: str, args: Mapping[str, Any]
) -> Drawn:
    """Make one edit of a plan.

    Raises
    ------
    UnknownPlan, NotGranted, OutsideGrant
    PlanClosed, BaseRedrawn, Claimed, PlanMoved
    EditUnknown, EditIncomplete, NothingChanged, CodeTaken, CodeUnfit, and what `gis.plan` refuses
    """
    plan = _taken(session, actor, plan_id, on_tip)
    before = queries.state(session, plan, plan.tip_id)
    full, after = _drawing(session, plan, before, kind, args)
    return _kept(session, actor, plan, before, after, kind, full)


def preview(
    session: Session, actor: Actor, plan_id: int, on_tip: int | None, kind: str, args: Mapping[str, Any]
) -> Drawn:
    """Return what an edit would do; nothing is kept.

    Raises as `draw` does.
    """
    plan = queries.by_id(session, actor, plan_id)
    _may_draw(session, actor, plan)
    _at_tip(session, plan, on_tip)
    before = queries.state(session, plan, plan.tip_id)
    _, after = _drawing(session, plan, before, kind, args)
    changed, gone, later = _compared(session, plan, before, after)
    return Drawn(plan, plan.tip_id, before, later, changed, gone)


def _taken(
    session: Session, actor: Actor, plan_id: int, on_tip: int | None, *, over: bool = False
) -> BoundaryPlan:
    """Hold a plan's row, if the actor may draw on it as it was seen."""
    plan = queries.by_id(session, actor, plan_id, locked=True)
    _may_draw(session, actor, plan)
    _claimed(plan, actor, over)
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
            at=_instant(last.at if last else plan.created_at),
        )


def _instant(at: datetime) -> str:
    return f"{clock.local(at):%Y-%m-%d %H:%M:%S}"


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


def _drawing(
    session: Session, plan: BoundaryPlan, before: State, kind: str, args: Mapping[str, Any]
) -> tuple[dict[str, Any], Plan]:
    """What an edit was told, with what was left out, and the plan it leads to."""
    rules.complete(kind, args)
    full = dict(args)
    inside = before.numbers.index
    around = before.plan.units.index.difference(inside)
    if kind in ("split", "found"):
        parent = full.get("parent") or _parent_of(before, kind, full)
        full["parent"] = parent
        full["new"] = full.get("new") or free_codes(parent, _used(session, before, parent), 1)[0]
    if kind in ("split", "found", "recode"):
        _refuse_used(session, before, full["new"])
    locked = replace(before.plan, locked=frozenset({*plan.locked, *around}))
    return full, rules.DRAW[kind](locked, full)


def _parent_of(before: State, kind: str, args: Mapping[str, Any]) -> str:
    units = before.plan.units
    if kind == "split" and args["code"] in units.index:
        return units.at[args["code"], "parent_code"]
    return units["parent_code"].iloc[0] if len(units) else ""


def _used(session: Session, before: State, parent: str) -> set[str]:
    return queries.used_codes(session, parent) | set(before.plan.units.index)


def _refuse_used(session: Session, before: State, code: str) -> None:
    if code in before.plan.units.index or code in queries.used_codes(session, code):
        raise CodeTaken(code=code)


def _compared(
    session: Session, plan: BoundaryPlan, before: State, after: Plan
) -> tuple[list[str], list[str], State]:
    after = replace(after, locked=frozenset())
    changed, gone = drawing.changed(before.plan, after)
    if not len(changed) and not len(gone):
        raise NothingChanged
    base = queries.state(session, plan, None)
    return list(changed), list(gone), rules.edited(base, before, after, changed, gone)


def _kept(
    session: Session, actor: Actor, plan: BoundaryPlan, before: State, after: Plan, kind: str,
    args: Mapping[str, Any],
) -> Drawn:  # fmt: skip
    """Write an edit behind the tip of a plan, and let the plan stand there."""
    changed, gone, later = _compared(session, plan, before, after)
    edit = PlanEdit(
        before_id=plan.tip_id, kind=kind, args=dict(args), homes=rules.homes(before.plan, after),
        account_id=actor.id, account_name=actor.name, at=clock.now(),
    )  # fmt: skip
    session.add(edit)
    session.flush()
    rows = pd.DataFrame(after.units.loc[changed, ["name", "parent_code"]])
    rows["geom"] = ewkb(after.units.loc[changed].geometry.to_numpy(), 4326)
    rows = pd.concat([rows, pd.DataFrame(index=pd.Index(gone, dtype=object))])
    rows = rows.rename_axis("code").reset_index().assign(edit_id=edit.id)
    copy_frame(session, PlanChange, rows[["edit_id", "code", "name", "parent_code", "geom"]])
    plan.tip_id = plan.top_id = edit.id
    queries.keep((*queries.ground(session, plan), edit.id), later)
    return Drawn(plan, edit.id, before, later, changed, gone)


def undo(session: Session, actor: Actor, plan_id: int, on_tip: int | None) -> Drawn:
    """Take the last edit of a plan back.

    Raises
    ------
    NothingToUndo, and as `draw` does
    """
    plan = _taken(session, actor, plan_id, on_tip)
    if plan.tip_id is None:
        raise NothingToUndo
    return _gone_to(session, plan, queries.edit(session, plan.tip_id).before_id)


def redo(session: Session, actor: Actor, plan_id: int, on_tip: int | None) -> Drawn:
    """Do the edit again that was taken back last.

    Raises
    ------
    NothingToRedo, and as `draw` does
    """
    plan = _taken(session, actor, plan_id, on_tip)
    if plan.tip_id == plan.top_id:
        raise NothingToRedo
    return _gone_to(session, plan, queries.following(session, plan))


def _gone_to(session: Session, plan: BoundaryPlan, tip: int | None) -> Drawn:
    before, after = (queries.state(session, plan, each) for each in (plan.tip_id, tip))
    plan.tip_id = tip
    changed, gone = drawing.changed(before.plan, after.plan)
    return Drawn(plan, tip, before, after, list(changed), list(gone))


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


def lock(session: Session, actor: Actor, plan_id: int, codes: Collection[str]) -> BoundaryPlan:
    """Let exactly these units stay as they are, whatever is drawn beside them.

    Raises
    ------
    UnknownGrid, Claimed
    """
    plan = queries.by_id(session, actor, plan_id, locked=True)
    _may_draw(session, actor, plan)
    _claimed(plan, actor, over=False)
    known = queries.state(session, plan, plan.tip_id).numbers.index
    rules.known(known, codes)
    plan.locked = sorted(set(codes))
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
        name=_named(name), area_code=plan.area_code, base=plan.base, base_day=plan.base_day, tip_id=plan.tip_id,
        top_id=plan.tip_id, locked=list(plan.locked), status=Status.DRAFT, created_by=actor.id,
        created_name=actor.name, created_at=clock.now(), origin_id=plan.id,
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
