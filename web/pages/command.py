"""The command map: incidents by disposal status over the four levels, units coloured, all filters in the address."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

import web.pages.chart as chart
import web.pages.colouring as colouring
from gis import maps
from gis.palette import STATUS
from gridmgr.account.rules import Actor
from gridmgr.errors import NotFound
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COVERAGES, LEVELS, NoEdition
from gridmgr.incident import queries as incidents
from gridmgr.incident.queries import Search
from gridmgr.statistics import queries as statistics
from web.deps import Allow, Transaction
from web.fields import Lat, Lon
from web.pages.filters import Filters, choices, query
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]


@router.get("/", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, search: Filters, level: str = "micro_grid",
    colour: str = "hotspot",
) -> HTMLResponse:  # fmt: skip
    """Show the map; htmx gets the counts of new filters only."""
    try:
        edition = hierarchy.edition_at(session)
    except NoEdition:
        return render(request, "command.html", {"chart": None, "no_edition": True})
    values = {
        "no_edition": False,
        "search": search,
        "query": query(search),
        "level": level if level in COVERAGES else "micro_grid",
        "colour": colour if colour in colouring.KINDS else "hotspot",
        "coverages": COVERAGES,
        "total": statistics.total(session, actor, search),
        "by_state": incidents.count_by_state(session, actor, replace(search, states=())),
        "signs": STATUS,
        "open": _open(session, actor, search),
        "unit": _unit_name(session, actor, search),
    }
    if is_fragment(request):
        return render(request, "fragments/board.html", values)
    bounds = hierarchy.bounds(session, actor) or (73.0, 18.0, 135.0, 53.5)
    values["chart"] = chart.parts(
        maps.tile_map(
            chart.tiles(edition), bounds, words=chart.said(),
            incidents=chart.points("/api/map/incidents" + query(search)), **chart.ground(),
        )
    )  # fmt: skip
    return render(request, "command.html", values | choices(session, actor))


def _open(session: Transaction, actor: Actor, search: Search) -> int:
    found = incidents.count_by_state(session, actor, replace(search, open=True))
    return sum(found.values())


def _unit_name(session: Transaction, actor: Actor, search: Search) -> str:
    if not search.code:
        return ""
    return hierarchy.names(
        session, [search.code], search.until or hierarchy.edition_at(session).effective
    ).get(search.code, search.code)


@router.get("/map/colouring", response_class=HTMLResponse)
def colour(
    request: Request, session: Transaction, actor: Viewer, search: Filters, level: str = "micro_grid",
    colour: str = "hotspot",
) -> HTMLResponse:  # fmt: skip
    """Show the legend of the units' colours, how they were found, and hand the map their classes."""
    level = level if level in COVERAGES else "micro_grid"
    values = {"level": level, "search": search, "query": query(search)}
    if colour not in colouring.KINDS or colour == "none":
        return render(request, "fragments/colouring.html", values | colouring.nothing())
    found = colouring.KINDS[colour](session, actor, level, search)
    return render(request, "fragments/colouring.html", values | found)


@router.get("/map/place", response_class=HTMLResponse)
def place(
    request: Request, session: Transaction, actor: Viewer, search: Filters,
    lon: Annotated[Lon, Query()], lat: Annotated[Lat, Query()],
) -> HTMLResponse:  # fmt: skip
    """Show the units of all levels that hold a place, with their incidents under the present filters."""
    edition = hierarchy.edition_at(session)
    located = hierarchy.locator(session).locate([lon], [lat])
    lines = []
    for level in LEVELS:
        code = located.codes(level)[0]
        try:
            unit = hierarchy.unit(session, actor, code, edition.effective) if code else None
        except NotFound:
            unit = None
        if unit:
            here = replace(search, code=code)
            found = incidents.count_by_state(session, actor, here)
            lines.append((unit, sum(found.values()), _open(session, actor, here), query(here)))
    values = {"lines": lines, "distance": float(located.distance_m[0]), "lon": lon, "lat": lat}
    return render(request, "fragments/place.html", values)
