"""Verbs of plans: open one, draw on it, take back, branch, claim. They never commit."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy.orm import Session

from gis import adoption
from gis import plan as drawing
from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.boundary_plan import queries, rules
from gridmgr.boundary_plan.model import (
    MOST_REPAIRED,
    BaseRedrawn,
    BoundaryPlan,
    Claimed,
    EditIncomplete,
    NotAnArea,
    NothingChanged,
    NothingToRedo,
    NothingToUndo,
    PlanChange,
    PlanClosed,
    PlanEdit,
    PlanMoved,
    Status,
    TooManyToRepair,
    UnknownCommunity,
)
from gridmgr.boundary_plan.rules import MATTER, TERMS, Draft, State
from gridmgr.db import copy_frame, ewkb
from gridmgr.grid_code import queries as codes
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COMMUNITY, MICRO_GRID, STREET, NoEdition
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
    plan = taken(session, actor, plan_id, on_tip)
    before = queries.state(session, plan, plan.tip_id)
    return _kept(session, actor, plan, before, _drawing(session, plan, before, kind, args))


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
    changed, gone, later = _compared(session, plan, before, _drawing(session, plan, before, kind, args))
    return Drawn(plan, plan.tip_id, before, later, changed, gone)


def taken(
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


def _drawing(
    session: Session, plan: BoundaryPlan, before: State, kind: str, args: Mapping[str, Any]
) -> Draft:
    """What an edit was told, with what was left out, and the plan it leads to."""
    rules.complete(kind, args)
    full = dict(args)
    if kind in _FILLED:
        full |= _FILLED[kind](session, before, full)
    parents = rules.reparented(before.parents, full.get("parents", {}))
    return Draft(kind, full, rules.DRAW[kind](rules.locked(before, plan.locked), full), parents)


def _with_code(session: Session, before: State, it: Mapping[str, Any]) -> dict[str, Any]:
    """A new unit gets the next free code of its community unless one was told."""
    units = before.plan.units
    parent = it.get("parent") or (
        rules.under_ring(before.plan, it["ring"]) if "ring" in it else units["parent_code"].get(it["code"])
    )
    if parent is None:
        return {"new": it.get("new") or "", "parent": None}  # the edit itself says what is wrong
    if it.get("new"):
        codes.refuse(session, it["new"], parent, units.index)
    return {
        "parent": parent,
        "new": it.get("new") or codes.free(session, parent, 1, before.plan.units.index)[0],
    }


def _with_other_code(session: Session, before: State, it: Mapping[str, Any]) -> dict[str, Any]:
    if it["code"] in before.plan.units.index and it["new"] != it["code"]:
        units = before.plan.units
        codes.refuse(session, it["new"], units.at[it["code"], "parent_code"], units.index)
    return {}


def _with_codes_of_parent(session: Session, before: State, it: Mapping[str, Any]) -> dict[str, Any]:
    """Units that come under another parent get codes of it, where codes carry their parent's."""
    if it["to"] in {each.street for each in before.parents.values()}:
        return _communities_to(session, before, list(dict.fromkeys(it["codes"])), it["to"])
    if not codes.carries(session, MICRO_GRID):
        return {}
    units = before.plan.units
    coming = [
        code for code in dict.fromkeys(it["codes"]) if units["parent_code"].get(code) not in (None, it["to"])
    ]
    return {"new": dict(zip(coming, codes.free(session, it["to"], len(coming), units.index), strict=True))}


def _communities_to(session: Session, before: State, going: list[str], street: str) -> dict[str, Any]:
    """Communities go to another street with all their micro-grids, which keep their own numbers."""
    units = before.plan.units
    taken = set(before.parents)
    told: dict[str, Any] = {"parents": {}, "new": {}, "under": {}}
    for code in going:
        if code not in before.parents:
            raise UnknownCommunity(code=code)
        name, home = before.parents[code]
        if home == street:
            continue
        new = (
            codes.free(session, street, 1, taken, COMMUNITY)[0] if codes.carries(session, COMMUNITY) else code
        )
        taken.add(new)
        told["parents"] |= {code: None} if new != code else {}
        told["parents"][new] = [name, street]
        for each in units.index[(units["parent_code"] == code).to_numpy()]:
            told["under"][each] = new
            if codes.carries(session, MICRO_GRID):
                told["new"][each] = new + each[len(code) :]
    if not told["under"]:
        raise NothingChanged
    return told


def _renumbering(session: Session, before: State, _it: Mapping[str, Any]) -> dict[str, Any]:
    born = {code for code, fate in before.fate.items() if fate == "new"}
    others = before.plan.units.index.difference(list(born))
    new = rules.in_order(before, lambda parent, many: codes.free(session, parent, many, others))
    if not new:
        raise NothingChanged
    return {"new": new}


def _with_plain_name(_session: Session, _before: State, it: Mapping[str, Any]) -> dict[str, Any]:
    if not (name := rules.on_one_line(it["name"])):
        raise EditIncomplete(kind="rename", what="name")
    return {"name": name}


def _repairable(_session: Session, before: State, it: Mapping[str, Any]) -> dict[str, Any]:
    chosen = list(it.get("codes") or before.numbers.index)
    if len(chosen) > MOST_REPAIRED:
        raise TooManyToRepair(number=len(chosen), most=MOST_REPAIRED)
    return {"codes": chosen}


_FILLED = {
    "split": _with_code, "found": _with_code, "recode": _with_other_code, "transfer": _with_codes_of_parent,
    "renumber": _renumbering, "repair": _repairable, "rename": _with_plain_name,
}  # fmt: skip


def adopt(
    session: Session, actor: Actor, plan_id: int, on_tip: int | None, drawn: gpd.GeoDataFrame,
    parents: Mapping[str, tuple[str, str] | None] | None = None,
) -> Drawn:  # fmt: skip
    """Take units that were drawn elsewhere as one edit: by code geometry, and name and parent_code where known.

    They cover its ground; new codes are free. `parents`: communities new (name and street) or ended (None).

    Raises
    ------
    NoCoverage, CutsBuilding, UnitLocked, FallsApart, NothingLeft, CodeTaken, CodeUnfit, and as `draw` does
    """
    plan = taken(session, actor, plan_id, on_tip)
    before = queries.state(session, plan, plan.tip_id)
    inside = before.numbers.index
    fresh = [str(code) for code in drawn.index if code not in inside]
    told = {"new": fresh, "parents": dict(parents or {})}
    ended = [code for code, each in told["parents"].items() if each is None]
    after = adoption.adopt(rules.locked(before, plan.locked), drawn, inside, ended)
    for code in fresh:
        codes.refuse(session, code, after.units.at[code, "parent_code"], before.plan.units.index)
    above = rules.reparented(before.parents, told["parents"])
    return _kept(session, actor, plan, before, Draft("adopt", told, after, above))


def _compared(
    session: Session, plan: BoundaryPlan, before: State, draft: Draft
) -> tuple[list[str], list[str], State]:
    changed, gone = drawing.changed(before.plan, draft.plan)
    if not changed and not gone:
        raise NothingChanged
    base = queries.state(session, plan, None)
    return changed, gone, rules.edited(base, before, draft.plan, changed, gone, draft.parents)


def _kept(session: Session, actor: Actor, plan: BoundaryPlan, before: State, draft: Draft) -> Drawn:
    """Write an edit behind the tip of a plan, and let the plan stand there."""
    changed, gone, later = _compared(session, plan, before, draft)
    after = later.plan
    edit = PlanEdit(
        before_id=plan.tip_id, kind=draft.kind, args=draft.args, homes=rules.homes(before.plan, after),
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
    plan = taken(session, actor, plan_id, on_tip)
    if plan.tip_id is None:
        raise NothingToUndo
    return _gone_to(session, plan, queries.edit(session, plan.tip_id).before_id)


def redo(session: Session, actor: Actor, plan_id: int, on_tip: int | None) -> Drawn:
    """Do the edit again that was taken back last.

    Raises
    ------
    NothingToRedo, and as `draw` does
    """
    plan = taken(session, actor, plan_id, on_tip)
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
