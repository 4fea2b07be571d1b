"""The grids: editions and what they changed, the tree of units, and one unit with its history."""

from datetime import date, timedelta
from typing import Annotated
from urllib.parse import quote

import geopandas as gpd
import shapely
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.chart as chart
from gis import maps
from gis.palette import OUTLINE
from gis.thematic import place_map
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.errors import BadInput
from gridmgr.hierarchy import queries
from gridmgr.hierarchy.model import BUILDING, LEVELS, GridUnit, NoEdition, UnknownUnit
from gridmgr.statistics import queries as statistics
from web import words
from web.deps import Allow, Transaction
from web.fields import FIRST_DAY, LAST_DAY
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("grid.view"))]
PAGE = 100


class NoSuchDay(BadInput):
    """{day} is no day of the map; write it like 2026-01-31."""


def chosen_day(request: Request) -> date | None:
    """Return the day the address asks for, None for today; raises NoSuchDay."""
    given = request.query_params.get("at", "")
    try:
        day = date.fromisoformat(given) if given else None
    except ValueError:
        raise NoSuchDay(day=given[:40]) from None
    if day and not FIRST_DAY <= day <= LAST_DAY:
        raise NoSuchDay(day=given)
    return day


ChosenDay = Annotated[date | None, Depends(chosen_day)]


@router.get("/grids", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, at: ChosenDay, level: str = "street",
    words: str = "", after: str = "",
) -> HTMLResponse:  # fmt: skip
    """Show the editions, how many units each level has, and the units of one level."""
    try:
        edition = queries.edition_at(session, at)
    except NoEdition:
        return render(request, "grids.html", {"no_edition": True})
    day = max(at or clock.today(), edition.effective)  # before the first edition, the first answers
    level = queries.known_level(level or LEVELS[0])
    sought = words.replace("\0", "").strip()[:100]
    asked = queries.listing(session, actor, level, day, words=sought)
    if after:
        asked = asked.where(GridUnit.code > after[:32])
    found = list(session.scalars(asked.limit(PAGE + 1)))
    values = {
        "no_edition": False, "edition": edition, "at": at, "level": level, "sought": sought,
        "units": found[:PAGE], "more": found[PAGE - 1].code if len(found) > PAGE else "",
        "counts": queries.counts(session, actor, day),
        "parents": queries.names(session, {unit.parent_code for unit in found}, day),
    }  # fmt: skip
    if is_fragment(request):
        return render(request, "fragments/units.html", values)
    editions = queries.editions(session)
    changes = {each.id: queries.lineage_counts(session, each.id) for each in editions[:12]}
    return render(request, "grids.html", values | {"editions": editions, "changes": changes})


@router.get("/grids/{code}", response_class=HTMLResponse)
def unit(
    request: Request, session: Transaction, actor: Viewer, at: ChosenDay,
    code: Annotated[str, Path(max_length=32, pattern=r"^[^\x00]*$")],
) -> Response:  # fmt: skip
    """Show one unit: facts, map, what it holds, what became of it."""
    edition = queries.edition_at(session, at)
    day = max(at or clock.today(), edition.effective)  # before the first edition, the first answers
    try:
        found = queries.unit(session, actor, code, day)
    except UnknownUnit:
        left = [each.effective for step, each in queries.lineage_of(session, code) if step.old_code == code]
        if at is not None or not left:
            raise
        last = max(left) - timedelta(days=1)  # what is no more is shown as it was, with what became of it
        return RedirectResponse(f"/grids/{quote(code)}?at={last}", 303)
    finer = LEVELS[LEVELS.index(found.level) + 1] if found.level != BUILDING else None
    children = []
    if finer:
        asked = queries.listing(session, actor, finer, day, parent=code)
        children = list(session.scalars(asked.limit(500)))
    search = Search(code=code)
    counts = casebook.count_by_state(session, actor, search)
    per_child = (
        statistics.unit_counts(session, actor, finer, search) if finer and sum(counts.values()) else {}
    )
    values = {
        "unit": found, "at": at, "edition": edition, "finer": finer, "children": children, "counts": counts,
        "path": queries.path_to(session, found, day), "lineage": queries.lineage_of(session, code),
        "per_child": per_child, "chart": _chart(session, found, children, day),
    }  # fmt: skip
    return render(request, "unit.html", values)


def _chart(session: Session, found: GridUnit, children: list[GridUnit], day: date):
    """Draw the unit and, if they are few, what it holds."""
    outlines = [(found.level, found.code, found.name, queries.outline(session, found.level, found.code, day))]
    if len(children) <= 120:
        outlines += [
            (child.level, child.code, child.name, queries.outline(session, child.level, child.code, day))
            for child in children
        ]
    shapes = shapely.from_geojson([outline for *_, outline in outlines])
    frame = gpd.GeoDataFrame(
        [row[:3] for row in outlines], columns=["level", "code", "name"], geometry=shapes, crs="EPSG:4326"
    )
    titles = {level: words.word(words.LEVELS, level) for level in LEVELS}
    levels = [level for level in OUTLINE if level in set(frame["level"])]
    return chart.parts(_units_map(frame, levels, titles))


def _units_map(frame: gpd.GeoDataFrame, levels: list[str], titles: dict[str, str]) -> maps.Map:
    middle = shapely.box(*frame.total_bounds).centroid
    drawn = place_map(middle.x, middle.y, frame, titles=titles, words=chart.said())
    west, south, east, north = frame.total_bounds
    drawn.get_root().data["bounds"] = [[south, west], [north, east]]
    return drawn
