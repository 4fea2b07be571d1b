"""Redrawing: ask for balanced micro-grids of a community, see each proposal on a map and in numbers."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

import geopandas as gpd
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

import web.pages.chart as chart
from gis.drawing import Choropleth, Class
from gis.errors import Problem
from gis.offline import MapParts
from gis.palette import BALANCE
from gis.thematic import value_map
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import NoEdition
from gridmgr.redraw import queries
from gridmgr.redraw.model import MEASURES, MOST_GRIDS
from gridmgr.redraw.queries import Proposed, Wish
from gridmgr.redraw.rules import bands
from web.deps import Allow, Transaction
from web.fields import text
from web.i18n import _, say
from web.render import render

router = APIRouter(include_in_schema=False)
Planner = Annotated[Actor, Depends(Allow("redraw.propose"))]


@router.get("/redraw", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Planner,
    community: Annotated[text(32), Query()] = "",
    number: Annotated[int | None, Query(ge=1, le=MOST_GRIDS)] = None,
    by: Annotated[tuple[text(20), ...], Query(max_length=10)] = (),
    locked: Annotated[tuple[text(32), ...], Query(max_length=MOST_GRIDS)] = (),
    rank: Annotated[int, Query(ge=1, le=20)] = 1,
) -> HTMLResponse:  # fmt: skip
    """Show the form, today's grids, and proposals once a number is given."""
    try:
        day = max(clock.today(), hierarchy.edition_at(session).effective)
    except NoEdition:
        return render(request, "redraw.html", {"no_edition": True})
    wish = Wish(number or 0, tuple(by) or ("households",), tuple(locked))
    values = {
        "no_edition": False, "communities": _communities(session, actor, day), "community": community.strip(),
        "wish": wish, "measures": MEASURES, "found": None, "proposals": [], "complaint": "", "chart": None,
        "most": MOST_GRIDS, "rank": rank, "link": "",
    }  # fmt: skip
    if values["community"]:
        values |= _proposed(session, actor, values["community"], wish, rank)
    return render(request, "redraw.html", values)


def _communities(session: Session, actor: Actor, day) -> list[tuple[str, str]]:
    units = hierarchy.page(session, hierarchy.listing(session, actor, "community", day), 2000)
    return [(unit.code, unit.name) for unit in units]


def _proposed(session: Session, actor: Actor, community: str, wish: Wish, rank: int) -> dict:
    """The community as it is, and the proposals if any were asked for; or why there are none."""
    try:
        found = queries.ground(session, actor, community, wish.measures)
        if not wish.number:
            return {"found": found, "chart": _today(found.grids, wish.measures)}
        drawn = queries.proposals(session, found, wish)
    except Problem as problem:
        return {"complaint": say(problem)}
    rank = min(rank, len(drawn))
    asked = {"number": wish.number, "by": wish.measures, "locked": wish.locked, "proposals": wish.proposals}
    return {
        "found": found, "proposals": drawn, "rank": rank, "chart": _chart(drawn[rank - 1]),
        "link": f"/api/redraw/{community}/proposal.geojson?" + urlencode(asked | {"rank": rank}, doseq=True),
        "other": lambda rank: "?" + urlencode(asked | {"community": community, "rank": rank}, doseq=True),
    }  # fmt: skip


def _today(grids: gpd.GeoDataFrame, measures: Sequence[str]) -> MapParts:
    mean = grids[list(measures)].mean().replace(0, 1)
    off = (grids[list(measures)] / mean - 1).to_numpy()
    widest = [float(row[abs(row).argmax()]) for row in off]
    return _map(grids.assign(deviation=widest), grids["name"])


def _chart(proposed: Proposed) -> MapParts:
    names = ["…" + code[-6:] for code in proposed.grids.index]
    return _map(proposed.grids, names)


def _map(grids: gpd.GeoDataFrame, names: Sequence[str]) -> MapParts:
    """Colour grids by how far they are from the mean."""
    frame = grids.reset_index().assign(name=list(names), band=bands(grids["deviation"]))
    classes = [Class(each, colour, _band(each)) for each, colour in BALANCE.items()]
    columns = ["code", "name", "band", "geometry"]
    drawn = value_map(
        frame[columns], [Choropleth("band", _("Against the mean"), classes)], words=chart.said()
    )
    return chart.parts(drawn)


def _band(each: int) -> str:
    said = {
        -2: _("more than 20 % below"), -1: _("5 to 20 % below"), 0: _("within 5 %"),
        1: _("5 to 20 % above"), 2: _("more than 20 % above"), 9: _("locked"),
    }  # fmt: skip
    return said[each]
