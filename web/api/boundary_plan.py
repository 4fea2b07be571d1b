"""Plans: drafts of other borders, drawn edit by edit."""

import json
from typing import Annotated, Any

import geopandas as gpd
import pandas as pd
import shapely
from fastapi import Depends, Path
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor, can
from gridmgr.boundary_plan import queries, rules, service
from gridmgr.boundary_plan.model import BoundaryPlan, Status
from gridmgr.boundary_plan.queries import Standing
from gridmgr.plan_edit import service as edits
from gridmgr.plan_edit.service import Drawn
from web.api.geojson import MEDIA, collection
from web.api.plan_shapes import (
    BranchIn,
    Claim,
    ClaimIn,
    Edited,
    EditIn,
    EditOut,
    EditsOut,
    LocksIn,
    OnTip,
    PlanDetail,
    PlanIn,
    PlanOut,
    PlanPage,
    UnitFeature,
)
from web.api.schema import FEATURES, file, problems, router
from web.api.terms import TermsIn, TermsOut, meant
from web.deps import Allow, Transaction
from web.fields import RowId
from web.i18n import _
from web.paging import Paging, paged

routes = router("plan")
Viewer = Annotated[Actor, Depends(Allow("plan.view"))]
Planner = Annotated[Actor, Depends(Allow("plan.draw"))]
Keeper = Annotated[Actor, Depends(Allow("plan.manage"))]
PlanId = Annotated[RowId, Path(description="Id of the plan.")]


@routes.post("/plans", status_code=201, responses=problems(404))
def open_plan(plan: PlanIn, session: Transaction, actor: Planner) -> PlanDetail:
    """Open a plan on the newest edition."""
    return _detail(session, actor, service.create(session, actor, plan.name, plan.area_code))


@routes.get("/plans")
def list_plans(
    session: Transaction, actor: Viewer, paging: Annotated[Paging[int], Depends(paged("plans", RowId))]
) -> PlanPage:
    """List the plans whose whole ground the caller sees."""
    found = queries.page(session, actor, paging.fetch, paging.after)
    return paging.page(PlanPage, found, lambda plan: plan.id, lambda rows: map(_out, rows))


@routes.get("/plans/terms")
def plan_terms(session: Transaction, _actor: Viewer) -> TermsOut:
    """Return the size band, and what the workload is counted with."""
    return meant(queries.terms(session), rules.TERMS)


@routes.put("/plans/terms")
def set_plan_terms(new: TermsIn, session: Transaction, actor: Keeper) -> TermsOut:
    """Set them from a day on."""
    return meant(service.set_terms(session, actor, new.effective, new.terms), rules.TERMS)


@routes.get("/plans/{plan_id}", responses=problems(404))
def show_plan(plan_id: PlanId, session: Transaction, actor: Viewer) -> PlanDetail:
    """Return a plan, how it stands, and what would change."""
    return _detail(session, actor, queries.by_id(session, actor, plan_id))


@routes.get(
    "/plans/{plan_id}/units",
    response_class=StreamingResponse,
    responses=file(MEDIA, "The units with all their numbers.", FEATURES) | problems(404),
)
def plan_units(plan_id: PlanId, session: Transaction, actor: Viewer) -> StreamingResponse:
    """Return the units of a plan as they stand."""
    plan = queries.by_id(session, actor, plan_id)
    at = queries.standing(session, plan, plan.tip_id)
    return collection(_units(plan, at, None), id="code", name="plan_units.geojson")


@routes.get(
    "/plans/{plan_id}/buildings",
    response_class=StreamingResponse,
    responses=file(MEDIA, "The buildings with the unit each is in.", FEATURES) | problems(404),
)
def plan_buildings(plan_id: PlanId, session: Transaction, actor: Viewer) -> StreamingResponse:
    """Return the buildings on the ground of a plan."""
    plan = queries.by_id(session, actor, plan_id)
    found = queries.state(session, plan, plan.tip_id).plan.buildings
    return collection(found.reset_index(), id="code", name="plan_buildings.geojson")


@routes.get(
    "/plans/{plan_id}/around",
    response_class=StreamingResponse,
    responses=file(MEDIA, "Communities, and micro-grids near the plan.", FEATURES) | problems(404),
)
def plan_neighbours(plan_id: PlanId, session: Transaction, actor: Viewer) -> StreamingResponse:
    """Return what lies around the ground of a plan."""
    plan = queries.by_id(session, actor, plan_id)
    found = queries.around(session, actor, plan)
    return collection(found.reset_index(), id="code", name="plan_around.geojson")


@routes.get("/plans/{plan_id}/edits", responses=problems(404))
def list_plan_edits(plan_id: PlanId, session: Transaction, actor: Viewer) -> EditsOut:
    """List the edits that led to where a plan stands."""
    found = queries.edits(session, queries.by_id(session, actor, plan_id))
    return EditsOut(
        edits=[
            EditOut(id=each.id, kind=each.kind, args=each.args, by=each.account_name, at=each.at)
            for each in found
        ]
    )


@routes.post("/plans/{plan_id}/edits", responses=problems(404, 409))
def edit_plan(plan_id: PlanId, new: EditIn, session: Transaction, actor: Planner) -> Edited:
    """Make one edit."""
    return _edited(session, edits.draw(session, actor, plan_id, new.on_tip, *_told(new)))


@routes.post("/plans/{plan_id}/preview", responses=problems(404, 409))
def preview_plan_edit(plan_id: PlanId, new: EditIn, session: Transaction, actor: Planner) -> Edited:
    """Return what an edit would do; nothing is kept."""
    return _edited(session, edits.preview(session, actor, plan_id, new.on_tip, *_told(new)))


@routes.post("/plans/{plan_id}/undo", responses=problems(404, 409))
def undo_plan_edit(plan_id: PlanId, seen: OnTip, session: Transaction, actor: Planner) -> Edited:
    """Take the last edit back."""
    return _edited(session, edits.undo(session, actor, plan_id, seen.on_tip))


@routes.post("/plans/{plan_id}/redo", responses=problems(404, 409))
def redo_plan_edit(plan_id: PlanId, seen: OnTip, session: Transaction, actor: Planner) -> Edited:
    """Do the edit again that was taken back last."""
    return _edited(session, edits.redo(session, actor, plan_id, seen.on_tip))


@routes.post("/plans/{plan_id}/claim", responses=problems(404, 409))
def claim_plan(plan_id: PlanId, new: ClaimIn, session: Transaction, actor: Planner) -> PlanOut:
    """Claim a plan, or renew the claim, for ten minutes."""
    return _out(service.claim(session, actor, plan_id, take_over=new.take_over))


@routes.post("/plans/{plan_id}/locks", responses=problems(404, 409))
def lock_plan_units(plan_id: PlanId, new: LocksIn, session: Transaction, actor: Planner) -> LocksIn:
    """Let exactly these units stay as they are."""
    return LocksIn(codes=service.lock(session, actor, plan_id, new.codes).locked)


@routes.post("/plans/{plan_id}/branches", status_code=201, responses=problems(404))
def branch_plan(plan_id: PlanId, new: BranchIn, session: Transaction, actor: Planner) -> PlanOut:
    """Open a further plan where this one stands."""
    return _out(service.branch(session, actor, plan_id, new.name))


@routes.post("/plans/{plan_id}/discard", responses=problems(404, 409))
def discard_plan(plan_id: PlanId, session: Transaction, actor: Planner) -> PlanOut:
    """Put a draft away."""
    return _out(service.discard(session, actor, plan_id))


def _told(edit: BaseModel) -> tuple[str, dict[str, Any]]:
    told = edit.model_dump(exclude_none=True, exclude={"on_tip"})
    return told.pop("kind"), told


def _out(plan: BoundaryPlan) -> PlanOut:
    return PlanOut(**_plain(plan))


def _plain(plan: BoundaryPlan) -> dict[str, Any]:
    claimed = plan.claim_until is not None and plan.claim_until > clock.now()
    return {
        "id": plan.id, "name": plan.name, "area_code": plan.area_code, "status": plan.status, "base": plan.base,
        "tip": plan.tip_id, "created_by": plan.created_name, "created_at": plan.created_at,
        "origin": plan.origin_id,
        "claim": Claim(by=plan.claim_name, until=plan.claim_until) if claimed else None,
    }  # fmt: skip


def _detail(session: Session, actor: Actor, plan: BoundaryPlan) -> PlanDetail:
    at = queries.standing(session, plan, plan.tip_id)
    moved = queries.edition(session, plan).stamp != plan.base
    may = plan.status == Status.DRAFT and not moved and bool(can(actor, "plan.draw", plan.area_code))
    parents = {code: each.name for code, each in at.state.parents.items()}
    others = list(map(_out, queries.others(session, actor, plan)))
    return PlanDetail(
        **_plain(plan), **_can(plan), base_moved=moved, may_draw=may, locked=plan.locked, parents=parents,
        others=others, terms=at.terms, workload=_(rules.WORKLOAD), totals=at.totals(),
        changes=queries.changes(session, at),
    )  # fmt: skip


def _can(plan: BoundaryPlan) -> dict[str, bool]:
    return {"can_undo": plan.tip_id is not None, "can_redo": plan.tip_id != plan.top_id}


def _edited(session: Session, drawn: Drawn) -> Edited:
    at = queries.standing_at(session, drawn.plan, drawn.tip, drawn.after)
    frame = _units(drawn.plan, at, drawn.changed)
    shapes = shapely.to_geojson(frame.geometry.to_numpy())
    rows = _rows(frame)
    inside = set(drawn.before.numbers.index)
    return Edited(
        tip=drawn.tip, gone=[code for code in drawn.gone if code in inside],
        units=[
            UnitFeature(id=row["code"], geometry=json.loads(shape), properties=row)
            for row, shape in zip(rows, shapes, strict=True)
        ],
        homes=rules.homes(drawn.before.plan, drawn.after.plan), totals=at.totals(),
        changes=queries.changes(session, at), **_can(drawn.plan),
    )  # fmt: skip


def _rows(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    plain = pd.DataFrame(frame.drop(columns="geometry")).astype(object)
    return plain.where(plain.notna(), None).to_dict("records")


def _units(plan: BoundaryPlan, at: Standing, codes: list[str] | None) -> gpd.GeoDataFrame:
    found = at.numbers(codes)
    units = at.state.plan.units.loc[found.index]
    frame = units.join(found.drop(columns="parts"))
    frame["locked"] = frame.index.isin(plan.locked)
    return frame.rename_axis("code").reset_index()
