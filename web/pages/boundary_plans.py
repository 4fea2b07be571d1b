"""Boundary plans: the list of drafts, and the desk on which one is drawn."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.chart as chart
from gis import maps
from gis.errors import Problem
from gis.offline import MapParts
from gis.palette import BALANCE, COUNTS
from gridmgr import clock
from gridmgr.account.rules import Actor, can
from gridmgr.boundary_plan import queries, rules, service
from gridmgr.boundary_plan.model import BoundaryPlan, Status
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import MICRO_GRID, NoEdition
from gridmgr.plan_edit import service as edits
from gridmgr.publication import queries as publications
from gridmgr.redraw import queries as redraw
from gridmgr.redraw.model import MOST_GRIDS
from gridmgr.redraw.queries import Wish
from gridmgr.settings import settings
from gridmgr.words import plan_desk, plans
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.i18n import _, say
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("plan.view"))]
Planner = Annotated[Actor, Depends(Allow("plan.draw"))]
PAGE = 50
UNEVEN, WHOLE = "#e66101", "#f7f7f7"
BAND_COLOURS = {-1: "#5e3c99", 0: "#f7f7f7", 1: "#e66101"}
# How each number is told and coloured: its kind, its digits, and whether the grids picked are summed.
HOW: dict[str, dict[str, Any]] = {
    "deviation": {"kind": "share"},
    "households": {"sum": True},
    "population": {"sum": True},
    "buildings": {"sum": True},
    "incidents": {"sum": True},
    "hours": {"sum": True},
    "area_m2": {"kind": "hectares", "digits": 2, "sum": True},
    "band": {"kind": "class"},
    "contiguous": {"kind": "yes"},
    "polsby_popper": {"digits": 2},
    "reock": {"digits": 2},
    "hull": {"digits": 2},
}
AMISS = {"apart": {"bad": True}, "farthest": {"kind": "share"}, "mean.households": {"digits": 1}}


@router.get("/plans", response_class=HTMLResponse)
def show_list(
    request: Request, session: Transaction, actor: Viewer, before: Annotated[RowId | None, Query()] = None
) -> HTMLResponse:
    """Show the plans on the ground the actor sees, and the form of a new one."""
    return _listed(request, session, actor, before)


@router.post("/plans")
def open_plan(
    request: Request, session: Transaction, actor: Planner, name: Annotated[text(200), Form()] = "",
    area: Annotated[text(32), Form()] = "",
) -> Response:  # fmt: skip
    """Open a plan and go to its desk; or say why it cannot be."""
    try:
        plan = service.create(session, actor, name, area.strip())
    except Problem as problem:
        return _listed(request, session, actor, None, problem, {"name": name, "area": area})
    return RedirectResponse(f"/plans/{plan.id}", 303)


@router.post("/plans/proposed")
def open_proposed(
    session: Transaction, actor: Planner, community: Annotated[text(32), Form()],
    number: Annotated[int, Form(ge=1, le=MOST_GRIDS)], by: Annotated[tuple[text(20), ...], Form(max_length=10)] = (),
    locked: Annotated[tuple[text(32), ...], Form(max_length=MOST_GRIDS)] = (),
    rank: Annotated[int, Form(ge=1, le=20)] = 1,
) -> Response:  # fmt: skip
    """Open a plan that begins with a proposal, and go to its desk."""
    wish = Wish(number, tuple(by) or ("households",), tuple(locked))
    found = redraw.ground(session, actor, community.strip(), wish.measures)
    drawn = redraw.proposals(session, found, wish)
    rank = min(rank, len(drawn))
    name = _(
        "{community}: {n} grids, proposal {rank}", community=found.community.name[:60], n=number, rank=rank
    )
    plan = service.create(session, actor, name, found.community.code)
    edits.adopt(session, actor, plan.id, plan.tip_id, drawn[rank - 1].grids[["geometry"]])
    service.lock(session, actor, plan.id, wish.locked)
    return RedirectResponse(f"/plans/{plan.id}", 303)


def _listed(
    request: Request, session: Session, actor: Actor, before: int | None, problem: Problem | None = None,
    given: dict[str, str] | None = None,
) -> HTMLResponse:  # fmt: skip
    try:
        day = hierarchy.edition_at(session).effective
    except NoEdition:
        return render(request, "boundary_plans.html", {"no_edition": True})
    found = queries.page(session, actor, PAGE + 1, before)
    areas = hierarchy.areas(session, actor)
    values = {
        "no_edition": False, "plans": found[:PAGE], "areas": areas,
        "names": hierarchy.names(session, {each.area_code for each in found}, day),
        "next": found[PAGE - 1].id if len(found) > PAGE else None, "draws": bool(can(actor, "plan.draw")),
        "complaint": say(problem) if problem else "", "given": given or {"name": "", "area": ""},
        "statuses": plans.STATUS, "now": clock.now(),
    }  # fmt: skip
    return render(request, "boundary_plans.html", values, status_of(problem) if problem else 200)


@router.get("/plans/{plan_id}", response_class=HTMLResponse)
def show_desk(
    request: Request, session: Transaction, actor: Viewer, plan_id: Annotated[RowId, Path()]
) -> HTMLResponse:
    """Show the desk of one plan; what stands on it, the page reads from the API."""
    plan = queries.by_id(session, actor, plan_id)
    draws = plan.status == Status.DRAFT and bool(can(actor, "plan.draw", plan.area_code))
    numbers = _told(plan_desk.NUMBERS, HOW)
    parents = queries.state(session, plan, plan.tip_id).parents
    streets = {each.street for each in parents.values() if each.street}
    values = {
        "plan": plan, "chart": _chart(session, plan), "numbers": numbers, "draws": draws,
        "parents": [(code, each.name) for code, each in parents.items()],
        "streets": sorted(hierarchy.names(session, streets, plan.base_day).items()), "formula": _(rules.WORKLOAD),
        "given": _given(actor, plan, numbers), "ways": publications.of_plan(session, plan.id)[:1],
        "steps": plans.PUBLICATIONS,
    }  # fmt: skip
    return render(request, "boundary_plan.html", values)


def _given(actor: Actor, plan: BoundaryPlan, numbers: list[dict[str, Any]]) -> dict[str, Any]:
    """What the scripts of the desk are told beside the plan itself."""
    return {
        "id": plan.id, "me": actor.name, "zone": settings().time_zone, "colour": "deviation",
        "numbers": numbers, "totals": _told(plan_desk.TOTALS, AMISS), "changes": _told(plan_desk.CHANGES, {}),
        "words": {name: _(each) for name, each in plan_desk.SAID.items()}
        | {"fates": {name: _(each) for name, each in plan_desk.FATES_OF_UNITS.items()}}
        | {"edits": {name: _(each) for name, each in plan_desk.EDITS.items()}},
        "balance": [{"colour": BALANCE[each], "label": _(said)} for each, said in plan_desk.BALANCES.items()],
        "bands": {
            str(each): {"rank": rank, "colour": BAND_COLOURS[each], "label": _(said)}
            for rank, (each, said) in enumerate(plan_desk.BANDS.items())
        },
        "contiguity": [
            {"colour": WHOLE if whole else UNEVEN, "label": _(said)}
            for whole, said in plan_desk.PIECES_OF_UNITS.items()
        ],
        "counts": COUNTS,
    }  # fmt: skip


def _told(table: dict[str, str], how: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"key": key, "title": _(said), **how.get(key, {})} for key, said in table.items()]


def _chart(session: Session, plan: BoundaryPlan) -> MapParts:
    """The empty map over the ground of a plan; the borders of today wait below it."""
    ground = queries.state(session, plan, None)
    inside = ground.plan.units.loc[ground.numbers.index]
    bounds = inside.total_bounds if len(inside) else chart.EVERYWHERE
    today = [each for each in chart.tiles(queries.edition(session, plan)) if each.name == MICRO_GRID]
    return chart.parts(maps.tile_map(today, bounds, words=chart.said(), **chart.ground()))
