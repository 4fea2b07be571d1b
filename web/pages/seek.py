"""The search of the command map: suggestions in groups as somebody types."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident.queries import position
from gridmgr.lookup import queries
from gridmgr.lookup.model import Found
from gridmgr.words.places import ago
from web.deps import Allow, Transaction
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]


@router.get("/map/search", response_class=HTMLResponse)
def suggest(
    request: Request, session: Transaction, actor: Viewer, q: Annotated[str, Query(max_length=1000)] = ""
) -> HTMLResponse:
    """Show what a text may mean; nothing for an empty one."""
    found = queries.find(session, actor, q)
    now = clock.now()
    values = {
        "found": found, "asked": bool(q.strip()), "categories": matters.by_id(session),
        "names": hierarchy.names(session, _codes(found), clock.today()),
        "places": {case.number: position(case) for case in found.cases}, "ago": lambda instant: ago(now - instant),
    }  # fmt: skip
    return render(request, "fragments/sought.html", values)


def _codes(found: Found) -> set[str]:
    """Return the codes whose names the suggestions show."""
    above = {each.unit.parent_code for each in found.places}
    seats = {grant.code for each in found.people for grant in each.account.grants}
    last = {each.seen.code for each in found.people if each.seen}
    return {code for code in above | seats | last if code}
