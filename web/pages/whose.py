"""Whose is this? Anybody types what was seen, and finds the matter, who answers for it, and how."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from gridmgr.account.rules import Actor
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.responsibility import queries, rules
from web.deps import Allow, Transaction
from web.fields import text
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]


@router.get("/whose", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, words: Annotated[text(100), Query()] = "",
    area: Annotated[text(32), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """Show the matters that the words speak of, the likeliest first, as the lists of a place say."""
    asked, place = words.strip(), area.strip()
    values = {
        "asked": asked, "area": place, "areas": hierarchy.areas(session, actor), "steps": rules.steps,
        "found": queries.whose(session, asked, place) if asked else [],
    }  # fmt: skip
    return render(request, "fragments/whose.html" if is_fragment(request) else "whose.html", values)
