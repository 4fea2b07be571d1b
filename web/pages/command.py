"""The command map: incidents by disposal status over the four levels, units coloured, all filters in the address."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import shapely
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

import web.pages.chart as chart
import web.pages.colouring as colouring
from gis import maps
from gis.drawing import MAX_ZOOM
from gis.offline import MapParts
from gis.palette import STATUS
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COVERAGES, LEVELS, Edition, GridUnit, NoEdition, UnknownUnit
from gridmgr.saved_view import queries as saved_views
from gridmgr.situation import queries as situation
from web.api.search import query
from web.deps import Allow, Transaction
from web.i18n import _
from web.pages.filters import OfAreas, choices
from web.render import is_fragment, render
from web.words import N_

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
NAMED = ("street", "community")  # the levels whose names stand on the map
MARKS = {  # what a mark says beside the state of its case: signs that can be switched off
    "age": N_("Lateness: a ring"),
    "source": N_("Source: the sign inside"),
    "severity": N_("Severity: the size"),
    "whistle": N_("Whistled"),
    "order": N_("Supervised"),
}
HIDEABLE = (*LEVELS, "incidents", "names", *MARKS)


def with_code(session: Transaction, actor: Viewer, search: OfAreas) -> Search:
    """Return the filters with the code of the area, where its name was typed."""
    return replace(search, code=_code(session, actor, search.code)) if search.code else search


Coded = Annotated[Search, Depends(with_code)]


def _code(session: Session, actor: Actor, typed: str) -> str:
    """Return the code of the coarsest unit so named; what is no name stays as it is."""
    try:
        at = hierarchy.edition_at(session).effective
    except NoEdition:
        return typed
    found = (
        unit.code
        for level in NAMED
        for unit in hierarchy.page(session, hierarchy.listing(session, actor, level, at, words=typed), 200)
        if unit.name == typed
    )
    return next(found, typed)


@router.get("/", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, search: Coded, level: str = "micro_grid",
    colour: str = "hotspot", centre: str = "", hide: str = "",
) -> HTMLResponse:  # fmt: skip
    """Show the map; htmx gets the counts of new filters only."""
    try:
        edition = hierarchy.edition_at(session)
    except NoEdition:
        return render(request, "command.html", {"chart": None, "no_edition": True})
    unit = _unit(session, actor, search)
    bounds = _bounds(session, actor, unit, search)
    values = {
        "no_edition": False,
        "search": search,
        "query": query(search),
        "level": level if level in COVERAGES else "micro_grid",
        "colour": colour if colour in colouring.KINDS else "hotspot",
        "coverages": COVERAGES,
        "colourings": colouring.titles(),
        "figures": situation.figures(session, actor, search),
        "signs": STATUS,
        "unit": unit.name if unit else search.code or "",
        "box": [[bounds[1], bounds[0]], [bounds[3], bounds[2]]],
        "complaints": _complaints(search, unit),
    }
    if is_fragment(request):
        return render(request, "fragments/asked.html", values)
    place = _place(centre)
    values |= {
        "chart": _chart(edition, bounds, search, place), "zone": str(clock.zone()), "centre": centre if place else "",
        "hide": ",".join(each for each in HIDEABLE if each in hide.split(",")), "layers": LEVELS, "marks": MARKS,
        "views": saved_views.listing(session, actor), "kept": request.url.query,
        "areas": hierarchy.areas(session, actor),
    }  # fmt: skip
    return render(request, "command.html", values | choices(session, actor))


def _place(told: str) -> tuple[float, float, float] | None:
    """Return the longitude, latitude and zoom an address names, None if it names none."""
    try:
        lon, lat, zoom = map(float, told.split(","))
    except ValueError:
        return None
    return (lon, lat, zoom) if abs(lon) <= 180 and abs(lat) <= 90 and 0 <= zoom <= MAX_ZOOM else None


def _chart(
    edition: Edition, bounds: Sequence[float], search: Search, place: Sequence[float] | None
) -> MapParts:
    drawn = maps.tile_map(
        chart.tiles(edition), bounds, words=chart.said(),
        incidents=chart.points("/api/map/incidents" + query(search), live=True), view=place, **chart.ground(),
    )  # fmt: skip
    return chart.parts(drawn)


def _unit(session: Session, actor: Actor, search: Search) -> GridUnit | None:
    """Return the unit the filters name, None when they name none or one that isn't there."""
    if not search.code:
        return None
    try:
        at = hierarchy.edition_at(session, search.until).effective
        return hierarchy.unit(session, actor, search.code, at)
    except UnknownUnit:
        return None


def _bounds(session: Session, actor: Actor, unit: GridUnit | None, search: Search) -> Sequence[float]:
    """Return what the map looks at: the unit asked for, else all that the actor sees."""
    if unit is None:
        return hierarchy.bounds(session, actor) or chart.EVERYWHERE
    at = hierarchy.edition_at(session, search.until).effective
    return shapely.from_geojson(hierarchy.outline(session, unit.level, unit.code, at)).bounds


def _complaints(search: Search, unit: GridUnit | None) -> list[str]:
    """Return why these filters cannot find anything."""
    reasons = {
        _("The end is before the beginning."): search.since and search.until and search.since > search.until,
        _("There is no such area."): search.code and unit is None,
    }
    return [reason for reason, true in reasons.items() if true]


@router.get("/map/labels")
def labels(session: Transaction, actor: Viewer) -> dict[str, list[tuple[str, float, float]]]:
    """Return the names to stand on the map by level, each with its place."""
    named = {}
    for level in NAMED:
        units = hierarchy.frame(session, level, actor=actor)
        points = units.geometry.representative_point()
        named[level] = list(zip(units["name"], points.x.round(6), points.y.round(6), strict=True))
    return named


@router.get("/map/colouring", response_class=HTMLResponse)
def colour(
    request: Request, session: Transaction, actor: Viewer, search: Coded, level: str = "micro_grid",
    colour: str = "hotspot",
) -> HTMLResponse:  # fmt: skip
    """Show the legend of the units' colours, how they were found, and hand the map their classes."""
    level = level if level in COVERAGES else "micro_grid"
    values = {"level": level, "search": search, "query": query(search)}
    if colour not in colouring.KINDS or colour == "none":
        return render(request, "fragments/colouring.html", values | colouring.nothing())
    found = colouring.KINDS[colour](session, actor, level, search)
    return render(request, "fragments/colouring.html", values | found)
