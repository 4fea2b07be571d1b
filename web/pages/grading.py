"""Grades of micro-grids: the map, the table with reasons and suggestions, the weeks before, and the terms."""

from typing import Annotated

import geopandas as gpd
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

import web.pages.chart as chart
import web.pages.dated as dated
from gis import maps
from gis.offline import MapParts
from gis.palette import GRADE
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.grading import queries, rules, service
from gridmgr.grading.model import Grade, Graded
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import MICRO_GRID, NoEdition
from web import words
from web.deps import Allow, Transaction
from web.fields import text
from web.i18n import _, number
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("grading.view"))]
Typed = Annotated[text(32), Query()]
SHOWN = 60


@router.get("/grading", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, area: Typed = "", grade: Typed = ""
) -> HTMLResponse:
    """Show the grades as they stand now."""
    try:
        hierarchy.edition_at(session)
    except NoEdition:
        return render(request, "grading.html", {"no_edition": True})
    area, grade = area.strip(), grade if grade in set(Grade) else ""
    found = queries.graded(session, actor, area)
    wanted = [each for each in found if not grade or each.grade == grade]
    shown = wanted[:SHOWN]
    units = hierarchy.frame(session, MICRO_GRID, clock.today(), actor)
    units = units[units["code"].isin({each.code for each in found})]
    values = {
        "no_edition": False, "found": shown, "more": len(wanted) - len(shown), "area": area, "grade": grade,
        "grades": list(Grade), "numbers": {each: sum(one.grade is each for one in found) for each in Grade},
        "chart": _chart(session, units) if found else None, "shown": _shown(units, found),
        "areas": hierarchy.areas(session, actor),
        "names": hierarchy.names(session, [each.code for each in shown], clock.today()), "said": said,
        "often": often, "meaning": rules.MEANING, "signs": GRADE,
        "weeks": list(queries.weeks_counted(session, actor, area).items()),
    }  # fmt: skip
    return render(request, "grading.html", values)


def said(reason) -> str:
    """Return a reason in words."""
    return words.word(words.GRADE_REASONS, reason.sign).format(n=f"{reason.number:g}")


def often(patrols: float) -> str:
    """Return so many patrols a week as people say it."""
    a_day = patrols / 7
    if a_day >= 1 and a_day == int(a_day):
        return _("once a day") if a_day == 1 else _("{n} times a day", n=int(a_day))
    return _("every other day") if patrols == 3.5 else _("{n} times a week", n=number(patrols, 1))


def _chart(session: Session, units: gpd.GeoDataFrame) -> MapParts:
    tiles = chart.tiles(hierarchy.edition_at(session))
    return chart.parts(maps.tile_map(tiles, units.total_bounds, words=chart.said(), **chart.ground()))


def _shown(units: gpd.GeoDataFrame, found: list[Graded]) -> dict:
    """What static/hotspots.js draws: the grade of every micro-grid, and letters on those that need attention."""
    letters = {each.code: _letter(each.grade) for each in found if each.grade is not Grade.GREEN}
    marked = units[units["code"].isin(letters)]
    middle = marked.geometry.representative_point()
    places = zip(middle.x.round(6), middle.y.round(6), marked["code"], strict=True)
    return {
        "level": MICRO_GRID, "values": {each.code: each.grade.value for each in found},
        "palette": {each.value: GRADE[each].colour for each in Grade},
        "labels": {each.value: words.word(words.GRADES, each) for each in Grade},
        "counts": {}, "cases": "/incidents?open=true",
        "marks": [[lon, lat, letters[code]] for lon, lat, code in places],
    }  # fmt: skip


def _letter(grade: Grade) -> str:
    """Return what stands in a unit of a grade: letters mark those that need attention."""
    return "" if grade is Grade.GREEN else words.word(words.GRADE_LETTERS, grade)


dated.serve(
    router,
    dated.Terms(
        "/grading", rules.MATTER, rules.TERMS, words.N_("Terms of grading"), service.set_terms,
        view="grading.view", manage="grading.manage",
    ),
)  # fmt: skip
