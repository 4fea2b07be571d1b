"""Whose is this? Anybody types what was seen, and finds the matter, the department and the limit."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from gridmgr.account.rules import Actor
from gridmgr.category import queries
from web.deps import Allow, Transaction
from web.fields import text
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]


@router.get("/whose", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, words: Annotated[text(100), Query()] = ""
) -> HTMLResponse:
    """Show the matters that the words speak of, the likeliest first."""
    asked = words.strip()
    values = {"asked": asked, "found": queries.whose(session, asked) if asked else []}
    return render(request, "fragments/whose.html" if is_fragment(request) else "whose.html", values)
