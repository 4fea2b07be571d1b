"""A plan beside today or another plan: what moves as a table, where as a map, and all of it to take away."""

from typing import Annotated
from urllib.parse import urlencode

import geopandas as gpd
import shapely
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse

import web.pages.chart as chart
from gis import maps
from gis.errors import Problem
from gis.offline import MapParts
from gis.thematic import difference_map
from gridmgr.account.rules import Actor
from gridmgr.boundary_plan import queries as plans
from gridmgr.plan_difference import rules
from gridmgr.plan_difference.model import TODAY, Difference
from gridmgr.words import plan_difference as words
from web.api.plan_difference import asked
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.i18n import _, say
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("plan.view"))]
SHOWN = 200  # rows of a table
MOST, BESIDE = 500, 0.003  # units drawn though nothing near them changes; degrees around what does


@router.get("/plans/{plan_id}/compare", response_class=HTMLResponse)
def show_difference(
    request: Request, session: Transaction, actor: Viewer, plan_id: Annotated[RowId, Path()],
    other: Annotated[text(10), Query(alias="with")] = TODAY,
) -> HTMLResponse:  # fmt: skip
    """Show what a plan does otherwise than today's map or another plan."""
    plan = plans.by_id(session, actor, plan_id)
    values = {
        "plan": plan, "other": other, "others": plans.others(session, actor, plan), "found": None, "complaint": "",
        "today": TODAY, "query": urlencode({"with": other}), "shown": SHOWN, "words_of": words,
    }  # fmt: skip
    try:
        found = asked(session, actor, plan_id, other)
    except Problem as problem:
        values["complaint"] = say(problem)
        return render(request, "boundary_plan_compare.html", values, status_of(problem))
    values |= {
        "found": found, "pairs": rules.rows_of_pairs(found), "units": rules.rows_of_units(found),
        "chart": _chart(found),
    }  # fmt: skip
    return render(request, "boundary_plan_compare.html", values)


def _chart(found: Difference) -> MapParts:
    called = rules.names(found)
    ground = rules.classed(found.ground)
    for side in rules.PAIR:
        ground[side] = [f"{called.get(code, '')} {code}" for code in ground[side]]
    ground["area_m2"] = ground["area_m2"].round()
    was, now = (_near(ground, each.units) for each in (found.was, found.now))
    drawn: maps.Map = difference_map(
        ground, rules.classes(), _named(was), _named(now),
        titles=(found.was.title or _("today's map"), found.now.title),
        fields={key: _(title) for key, title in words.PAIRS.items()}, words=chart.said(),
    )  # fmt: skip
    return chart.parts(drawn)


def _near(ground: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The units to be drawn: of a district those about what changes, so that it is found at a glance."""
    if len(units) <= MOST or ground.empty:
        return units
    sight = shapely.buffer(shapely.box(*ground.total_bounds), BESIDE)
    return units.iloc[units.sindex.query(sight, predicate="intersects")]


def _named(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return units[["name", "geometry"]].rename_axis("code").reset_index()
