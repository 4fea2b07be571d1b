"""A plan as a file: take it away for QGIS, bring it back, see what is wrong with it or what it would change."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.chart as chart
from gis.errors import Problem
from gis.thematic import fault_map
from gridmgr.account.rules import Actor
from gridmgr.boundary_plan import queries as plans
from gridmgr.hierarchy.model import MICRO_GRID
from gridmgr.plan_edit.model import MOST_MENDED_M
from gridmgr.plan_file import queries, service
from gridmgr.plan_file.model import Brought
from web import words
from web.api.plan_file import Within, findings, kept
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.i18n import _, say
from web.render import render

router = APIRouter(include_in_schema=False)
Planner = Annotated[Actor, Depends(Allow("plan.draw"))]
PlanId = Annotated[RowId, Path()]
SHOWN = 100


@router.get("/plans/{plan_id}/file", response_class=HTMLResponse)
def show_file(request: Request, session: Transaction, actor: Planner, plan_id: PlanId) -> HTMLResponse:
    """Show how a plan is taken away and brought back."""
    return _page(request, session, actor, plan_id)


@router.post("/plans/{plan_id}/file")
def bring_file(
    request: Request, session: Transaction, actor: Planner, plan_id: PlanId, file: UploadFile,
    layer: Annotated[text(100), Form()] = "", over: Annotated[text(5), Form()] = "",
    only_check: Annotated[text(5), Form()] = "", repair_m: Within = 0.0,
) -> Response:  # fmt: skip
    """Take a file into the plan and show what it changes; or show what is wrong with it."""
    found = None
    try:
        plan = plans.by_id(session, actor, plan_id)
        with kept(file) as path, session.begin_nested():
            found = queries.read(session, plan, path, layer or None, repair_m=repair_m)
            if only_check or found.refused or len(found.findings):
                return _page(
                    request,
                    session,
                    actor,
                    plan_id,
                    found,
                    found.refused,
                    200 if only_check else 422,
                    repair_m,
                )
            service.bring(
                session, actor, plan_id, plan.tip_id, path, layer or None, over=bool(over), repair_m=repair_m
            )
    except Problem as problem:
        return _page(request, session, actor, plan_id, found, problem, status_of(problem), repair_m)
    return RedirectResponse(f"/plans/{plan_id}/compare", 303)


def _page(
    request: Request, session: Session, actor: Actor, plan_id: int, found: Brought | None = None,
    problem: Problem | None = None, status: int = 200, repair_m: float = 0.0,
) -> HTMLResponse:  # fmt: skip
    plan = plans.by_id(session, actor, plan_id)
    faulty = found is not None and len(found.findings) > 0
    values = {
        "plan": plan, "found": found, "complaint": say(problem) if problem else "", "shown": SHOWN,
        "repair_m": repair_m, "most": MOST_MENDED_M,
        "findings": findings(found)[:SHOWN] if faulty else [], "chart": _chart(found) if faulty else None,
        "ours": {"code": _("Code"), "name": _("Name"), "parent": _("Belongs to")},
    }  # fmt: skip
    return render(request, "boundary_plan_file.html", values, status)


def _chart(found: Brought):
    said = [words.finding(row) for row in found.findings.to_dict("records")]
    drawn = fault_map(
        found.findings.assign(text=said), {MICRO_GRID: found.drawn.reset_index()},
        titles={MICRO_GRID: found.layer, "findings": _("Faults")}, fields={"text": _("Fault")},
        severities={"error": _("Error")}, words=chart.said(),
    )  # fmt: skip
    return chart.parts(drawn)
