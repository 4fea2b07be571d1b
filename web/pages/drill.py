"""The way down on the command map: one unit at a glance, which one a click means, and its outline."""

import json
from dataclasses import asdict, replace
from typing import Annotated, Any

import shapely
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.errors import NotFound
from gridmgr.glance import queries
from gridmgr.glance.model import Below
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import LEVELS, GridUnit
from web.api.search import query
from web.deps import Allow, Transaction
from web.fields import Lat, Lon, text
from web.i18n import _
from web.pages.command import Coded
from web.pages.drilling import clicked
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
FINE = 4000  # steps over a unit's width that its outline is drawn in: some pixels each even when zoomed in
SORTS = ("code", "households", "population", "open", "late", "closed", "total")


@router.get("/map/drill", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, search: Coded, sort: Annotated[text(12), Query()] = ""
) -> HTMLResponse:  # fmt: skip
    """Show the unit the filters name at a glance, or all that the actor sees."""
    try:
        look = queries.glance(session, actor, search)
    except NotFound:
        return render(request, "fragments/drill.html", {"look": None, "code": search.code})
    day = hierarchy.edition_at(session, search.until).effective
    values = {
        "look": look, "code": look.code, "below": ordered(look.below, sort), "sort": sort,
        "outline": _outline(session, look.unit), "categories": matters.by_id(session),
        "names": hierarchy.names(session, {each.code for each in look.duty}, day),
        "to": lambda code: query(replace(search, code=code or None)),
        "cases": lambda **more: "/incidents" + query(search, **more),
        "again": query(search, sort=sort),
        "sorted_by": lambda name: query(search, sort=_turned(sort, name)),
        "search": search,
    }  # fmt: skip
    return render(request, "fragments/drill.html", values)


def _turned(sort: str, name: str) -> str:
    """Return what a click on a column's head sorts by: numbers from large to small first."""
    first, other = (name, f"-{name}") if name == "code" else (f"-{name}", name)
    return other if sort == first else first


def ordered(below: list[Below], sort: str) -> list[Below]:
    """Return units by a column, a leading minus from large to small; what is not known stands last."""
    column = sort.lstrip("-")
    if column not in SORTS or column == "code":
        return below[::-1] if sort == "-code" else below
    values = {each.code: (asdict(each) | asdict(each.cases))[column] for each in below}
    sign = -1 if sort.startswith("-") else 1
    return sorted(
        below, key=lambda each: (values[each.code] is None, sign * (values[each.code] or 0), each.code)
    )


def _outline(session: Session, unit: GridUnit | None) -> dict[str, Any] | None:
    """Return a unit's outline as GeoJSON, no finer than a screen shows it."""
    if unit is None:
        return None
    told = hierarchy.outline(session, unit.level, unit.code, unit.valid_from)
    shape = shapely.from_geojson(told)
    west, south, east, north = shape.bounds
    drawn = shapely.simplify(shape, max(east - west, north - south) / FINE)
    return json.loads(shapely.to_geojson(shapely.set_precision(drawn, 1e-7)))


@router.get("/map/at")
def at(
    session: Transaction, actor: Viewer, search: Coded, lon: Annotated[Lon, Query()], lat: Annotated[Lat, Query()],
    zoom: Annotated[float, Query(ge=0, le=30)] = 0,
) -> dict[str, str | None]:  # fmt: skip
    """Return the code of the unit that a click at a place means, or what to say if there is none."""
    found = hierarchy.locator(session, search.until).one(lon, lat)
    if found.how not in ("inside", "border", "gap"):
        return {"code": None, "said": _("No unit of your area is here.")}
    day = hierarchy.edition_at(session, search.until).effective
    codes = {level: getattr(found, level) for level in LEVELS}
    seen = queries.seen(session, actor, filter(None, codes.values()), day)
    code = clicked({level: code for level, code in codes.items() if code in seen}, zoom, search.code)
    return {"code": code, "said": None if code else _("No unit of your area is here.")}
