"""The list of incidents: filters in the address, the newest first, paged by cursor."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import NoEdition
from gridmgr.incident.model import Incident
from web import i18n
from web.api.search import query
from web.deps import Allow, Transaction
from web.pages.figures import row_name
from web.pages.filters import Filters, choices, faults, instant
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
PAGE = 50


@router.get("/incidents", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow("incident.view"))],
    search: Filters, before: str = "",
) -> HTMLResponse:  # fmt: skip
    """Show one page of the incidents found."""
    behind = place(search, before)
    found = casebook.page(session, actor, search, PAGE + 1, behind)
    shown = found[:PAGE]
    values = {
        "incidents": shown,
        "more": query(search, before=mark(search, shown[-1])) if len(found) > PAGE else "",
        "first": behind is None,
        "counts": casebook.count_by_state(session, actor, search),
        "search": search,
        "query": query(search),
        "ordered": {sort: query(replace(search, sort=sort)) or "?" for sort in casebook.SORTS},
        "faults": faults(session, actor, search),
        "names": _names(session, shown),
        "categories": {
            each.id: each.name(i18n.language.get()) for each in matters.by_id(session).values()
        },
        "now": clock.now(),
        "row": row_name(session, search),
    }  # fmt: skip
    if is_fragment(request):
        return render(request, "fragments/incidents.html", values)
    return render(request, "incidents.html", values | choices(session, actor))


def mark(search: Search, case: Incident) -> str:
    """Return the place of a case in a list as an address carries it."""
    value, case_id = casebook.place(search, case)
    return f"{value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value}~{case_id}"


def place(search: Search, mark: str) -> casebook.Place | None:
    """Return what `mark` made; anything else in the address begins again."""
    value, _, digits = mark.rpartition("~")
    if not digits.isdecimal() or len(digits) > 18:
        return None
    if casebook.SORTS[search.sort].kind is datetime:
        at = instant(value)
        return at and (at, int(digits))
    return (int(value), int(digits)) if value.isdecimal() and len(value) < 5 else None


def _names(session: Transaction, shown: list[Incident]) -> dict[str, str]:
    """Return the names of the communities and micro-grids of these incidents, as the map of today has them."""
    codes = {code for each in shown for code in (each.community_code, each.micro_grid_code)}
    try:
        return hierarchy.names(session, codes, hierarchy.edition_at(session).effective)
    except NoEdition:
        return {}
