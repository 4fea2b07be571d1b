"""Edits of plans: made, seen ahead, taken from elsewhere, undone and done again. They never commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy.orm import Session

from gis import adoption
from gis import plan as drawing
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.boundary_plan import queries as plans
from gridmgr.boundary_plan import rules as folding
from gridmgr.boundary_plan import service as desk
from gridmgr.boundary_plan.model import BoundaryPlan, PlanChange, PlanEdit
from gridmgr.boundary_plan.rules import State
from gridmgr.db import copy_frame, ewkb
from gridmgr.grid_code import queries as codes
from gridmgr.plan_edit import queries, rules
from gridmgr.plan_edit.model import NothingChanged, NothingToRedo, NothingToUndo
from gridmgr.plan_edit.rules import Draft


@dataclass(frozen=True)
class Drawn:
    """What an edit did: the plan where it stands now, and the codes and buildings that differ from before."""

    plan: BoundaryPlan
    tip: int | None
    before: State
    after: State
    changed: list[str]
    gone: list[str]


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
    plan = desk.taken(session, actor, plan_id, on_tip)
    before = plans.state(session, plan, plan.tip_id)
    return _kept(session, actor, plan, before, queries.drafted(session, plan, before, kind, args))


def preview(
    session: Session, actor: Actor, plan_id: int, on_tip: int | None, kind: str, args: Mapping[str, Any]
) -> Drawn:
    """Return what an edit would do; nothing is kept.

    Raises as `draw` does.
    """
    plan = desk.seen(session, actor, plan_id, on_tip)
    before = plans.state(session, plan, plan.tip_id)
    changed, gone, later = _compared(
        session, plan, before, queries.drafted(session, plan, before, kind, args)
    )
    return Drawn(plan, plan.tip_id, before, later, changed, gone)


def adopt(
    session: Session, actor: Actor, plan_id: int, on_tip: int | None, drawn: gpd.GeoDataFrame,
    parents: Mapping[str, tuple[str, str] | None] | None = None, repair_m: float = 0.0,
) -> Drawn:  # fmt: skip
    """Take units that were drawn elsewhere as one edit: by code geometry, and name and parent_code where known.

    They cover its ground; new codes are free. `parents`: communities new (name and street) or ended (None).
    `repair_m`: faults of the plan as it stands are closed up to so many metres, so that they cover that ground.

    Raises
    ------
    ReachStrange, NoCoverage, CutsBuilding, UnitLocked, FallsApart, NothingLeft, CodeTaken, CodeUnfit
    And as `draw` does
    """
    plan = desk.taken(session, actor, plan_id, on_tip)
    before = plans.state(session, plan, plan.tip_id)
    inside = before.numbers.index
    fresh = [str(code) for code in drawn.index if code not in inside]
    told = {"new": fresh, "parents": dict(parents or {})}
    ended = [code for code, each in told["parents"].items() if each is None]
    after = adoption.adopt(rules.locked(before, plan.locked, repair_m), drawn, inside, ended)
    for code in fresh:
        codes.refuse(session, code, after.units.at[code, "parent_code"], before.plan.units.index)
    above = folding.reparented(before.parents, told["parents"])
    return _kept(session, actor, plan, before, Draft("adopt", told, after, above))


def _compared(
    session: Session, plan: BoundaryPlan, before: State, draft: Draft
) -> tuple[list[str], list[str], State]:
    changed, gone = drawing.changed(before.plan, draft.plan)
    if not changed and not gone:
        raise NothingChanged
    base = plans.state(session, plan, None)
    return changed, gone, folding.edited(base, before, draft.plan, changed, gone, draft.parents)


def _kept(session: Session, actor: Actor, plan: BoundaryPlan, before: State, draft: Draft) -> Drawn:
    """Write an edit behind the tip of a plan, and let the plan stand there."""
    changed, gone, later = _compared(session, plan, before, draft)
    after = later.plan
    edit = PlanEdit(
        before_id=plan.tip_id, kind=draft.kind, args=draft.args, homes=folding.homes(before.plan, after),
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
    plans.keep((*plans.ground(session, plan), edit.id), later)
    return Drawn(plan, edit.id, before, later, changed, gone)


def undo(session: Session, actor: Actor, plan_id: int, on_tip: int | None) -> Drawn:
    """Take the last edit of a plan back.

    Raises
    ------
    NothingToUndo, and as `draw` does
    """
    plan = desk.taken(session, actor, plan_id, on_tip)
    if plan.tip_id is None:
        raise NothingToUndo
    return _gone_to(session, plan, plans.edit(session, plan.tip_id).before_id)


def redo(session: Session, actor: Actor, plan_id: int, on_tip: int | None) -> Drawn:
    """Do the edit again that was taken back last.

    Raises
    ------
    NothingToRedo, and as `draw` does
    """
    plan = desk.taken(session, actor, plan_id, on_tip)
    if plan.tip_id == plan.top_id:
        raise NothingToRedo
    return _gone_to(session, plan, plans.following(session, plan))


def _gone_to(session: Session, plan: BoundaryPlan, tip: int | None) -> Drawn:
    before, after = (plans.state(session, plan, each) for each in (plan.tip_id, tip))
    plan.tip_id = tip
    changed, gone = drawing.changed(before.plan, after.plan)
    return Drawn(plan, tip, before, after, list(changed), list(gone))
