"""Where it hurts: hot spots, how they come and go, rates, densities, places that come back; each with its card."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from sqlalchemy.orm import Session

import web.pages.chart as chart
from gis import maps
from gridmgr import sheet
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.errors import BadInput
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COVERAGES, NoEdition
from gridmgr.hotspot import rules
from web import words
from web.api.search import query
from web.deps import Allow, Transaction
from web.i18n import _, moment, say
from web.pages.colouring import rate
from web.pages.filters import OfAreas, choices, faults
from web.pages.looks import LOOKS, OF_UNITS, View, case_link, ordered
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]
SHOWN = 100  # rows of the table; the file has all


def _whole(text: str, usual: int, least: int, most: int) -> int:
    return min(max(int(text), least), most) if text.isdecimal() and len(text) < 6 else usual


def asked(request: Request) -> dict[str, Any]:
    """Return what the address asks beside the filters; a value that means nothing is the usual one."""
    given = request.query_params
    step, base = given.get("step", ""), given.get("base", "")
    return {
        "step": step if step in rules.STEPS else "day",
        "base": base if base in rules.BASES else "households",
        "bandwidth": _whole(given.get("bandwidth", ""), rules.BANDWIDTH, 20, 20_000),
        "least": _whole(given.get("least", ""), rules.REPEAT_LEAST, 2, 1000),
        "within": _whole(given.get("within", ""), rules.REPEAT_DAYS, 1, 3660),
    }


Asked = Annotated[dict[str, Any], Depends(asked)]
# What the address carries of each look beside the filters.
CARRIED = {
    "now": (), "trend": ("step",), "rates": ("base",), "density": ("bandwidth",), "repeat": ("least", "within"),
}  # fmt: skip


@router.get("/hotspots", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, search: OfAreas, more: Asked, look: str = "now",
    level: str = "micro_grid", sort: str = "",
) -> HTMLResponse:  # fmt: skip
    """Show one way of looking: map, legend, table, card."""
    look, level = (look if look in LOOKS else "now"), (level if level in COVERAGES else "micro_grid")
    try:
        edition = hierarchy.edition_at(session, search.until)
    except NoEdition:
        return render(request, "hotspots.html", {"no_edition": True})
    view, wrong = _looked(session, actor, look, level, search, more)
    kept = {"look": look, "level": level, **{name: more[name] for name in CARRIED[look]}}
    values = {
        "no_edition": False, "look": look, "level": level, "search": search, "sort": sort, "more": more,
        "of_units": OF_UNITS, "coverages": COVERAGES, "rules": rules, "faults": wrong, "view": view,
        "rows": ordered(view, sort)[:SHOWN] if view else [], "most": SHOWN, "case_link": case_link, "rate": rate,
        "link": lambda **changed: query(search, **(kept | {"sort": sort} | changed)),
        "other": lambda each: query(search, look=each, level=level),
    }  # fmt: skip
    if is_fragment(request):
        return render(request, "fragments/hotspots.html", values)
    bounds = hierarchy.bounds(session, actor) or chart.EVERYWHERE
    drawn = maps.tile_map(chart.tiles(edition), bounds, words=chart.said(), **chart.ground())
    values |= {"chart": chart.parts(drawn), "areas": hierarchy.areas(session, actor)}
    return render(request, "hotspots.html", values | choices(session, actor))


def _looked(
    session: Session, actor: Actor, look: str, level: str, search: Search, more: Mapping[str, Any]
) -> tuple[View | None, list[str]]:
    """Return what is seen, or what is wrong with what was asked."""
    wrong = faults(session, actor, search)
    if wrong:
        return None, wrong
    try:
        return LOOKS[look](session, actor, level, search, more), []
    except BadInput as problem:
        return None, [say(problem)]


@router.get("/hotspots.csv")
def download(
    session: Transaction, actor: Viewer, search: OfAreas, more: Asked, look: str = "now",
    level: str = "micro_grid", sort: str = "",
) -> StreamingResponse:  # fmt: skip
    """Send the whole table as a file, with the card of the method below it."""
    look, level = (look if look in LOOKS else "now"), (level if level in COVERAGES else "micro_grid")
    view = LOOKS[look](session, actor, level, search, more)
    columns = [column for column in view.columns if column.kind != "latest"]
    headings = [_("Code"), *(column.title for column in columns)]
    rows = [
        [row["code"], *(_cell(view, column.kind, row[column.name]) for column in columns)]
        for row in ordered(view, sort)
    ]
    rows += [[], *([title, text] for title, text in words.told(view.card))]
    return StreamingResponse(
        sheet.stream(sheet.Format.CSV, headings, rows), media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="hotspots-{look}.csv"'},
    )  # fmt: skip


def _cell(view: View, kind: str, value: Any) -> Any:
    if kind == "class":
        return view.classes[value]["label"]
    return moment(value) if kind == "moment" else value
