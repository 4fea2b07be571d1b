"""Saved views of the command map: kept and let go from its panel."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gridmgr.account.rules import Actor
from gridmgr.errors import Problem
from gridmgr.saved_view import queries, service
from gridmgr.saved_view.model import LONGEST_QUERY
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.i18n import say
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]


@router.post("/views")
def keep(
    request: Request, session: Transaction, actor: Viewer, name: Annotated[text(200), Form()] = "",
    query: Annotated[text(4 * LONGEST_QUERY), Form()] = "",
) -> Response:  # fmt: skip
    """Keep the map as it is shown under a name."""
    try:
        kept = service.keep(session, actor, name, query)
    except Problem as problem:
        if not is_fragment(request):
            raise
        return _views(request, session, actor, query, problem)
    return _views(request, session, actor, kept.query)


@router.post("/views/{view_id:int}/remove")
def let_go(
    request: Request, session: Transaction, actor: Viewer, view_id: Annotated[RowId, Path()]
) -> Response:
    """Remove a view."""
    service.let_go(session, actor, view_id)
    return _views(request, session, actor, "")


def _views(
    request: Request, session: Transaction, actor: Actor, query: str, problem: Problem | None = None
) -> HTMLResponse | RedirectResponse:
    if not is_fragment(request):
        return RedirectResponse(f"/?{query}", 303)
    values = {
        "views": queries.listing(session, actor),
        "kept": query,
        "problem": say(problem) if problem else "",
    }
    return render(request, "fragments/views.html", values, status_of(problem) if problem else 200)
