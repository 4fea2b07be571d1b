"""The colours of the command map as a table: each unit of a level with its value, sortable, and as CSV."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

import web.pages.colouring as colouring
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COVERAGES, NoEdition
from gridmgr.sheet import Format, stream
from gridmgr.statistics import queries as statistics
from web.api.search import query
from web.deps import Allow, Transaction
from web.fields import text
from web.i18n import _
from web.pages.command import Coded
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
Typed = Annotated[text(32), Query()]
SHOWN = 500


@dataclass(frozen=True)
class Row:
    """One unit: its cases under the filters, and the class it is coloured by."""

    code: str
    name: str
    above: str
    cases: int
    rank: int  # the place of its class in the legend, last if it has none
    label: str


SORTS = {
    "code": lambda row: row.code,
    "name": lambda row: row.name,
    "cases": lambda row: (row.cases, row.code),
    "value": lambda row: (row.rank, row.code),
}


@router.get("/map/table", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, search: Coded, level: Typed = "micro_grid",
    colour: Typed = "hotspot", sort: Typed = "-cases",
) -> HTMLResponse:  # fmt: skip
    """Show the units of a level with the values the map colours them by."""
    level, colour = _known(level, colour)
    try:
        rows = ordered(_rows(session, actor, search, level, colour), sort)
    except NoEdition:
        return render(request, "map_table.html", {"no_edition": True})
    kept = {"level": level, "colour": colour}
    values = {
        "no_edition": False, "rows": rows[:SHOWN], "many": len(rows), "shown": SHOWN, "level": level, "colour": colour,
        "sort": sort, "title": colouring.titles()[colour], "coverages": COVERAGES, "colourings": colouring.titles(),
        "search": search, "link": lambda **more: "/map/table" + query(search, **(kept | more)),
        "file": "/map/table.csv" + query(search, **kept), "to_map": "/" + query(search, **kept),
        "cases_of": lambda code: "/incidents" + query(search, code=code),
    }  # fmt: skip
    return render(request, "map_table.html", values)


@router.get("/map/table.csv")
def download(
    session: Transaction, actor: Viewer, search: Coded, level: Typed = "micro_grid", colour: Typed = "hotspot"
) -> Response:
    """Send the same table whole, as a file that spreadsheets open with its Chinese intact."""
    level, colour = _known(level, colour)
    heads = [_("Code"), _("Name"), _("Above it"), _("Incidents"), colouring.titles()[colour]]
    rows = _rows(session, actor, search, level, colour)
    told = ((row.code, row.name, row.above, row.cases, row.label) for row in rows)
    content = b"".join(stream(Format.CSV, heads, told))
    headers = {"Content-Disposition": f'attachment; filename="{level}-{colour}.csv"'}
    return Response(content, media_type=Format.CSV.media, headers=headers)


def _known(level: str, colour: str) -> tuple[str, str]:
    return level if level in COVERAGES else "micro_grid", colour if colour in colouring.KINDS else "hotspot"


def _rows(session: Session, actor: Actor, search: Search, level: str, colour: str) -> list[Row]:
    at = hierarchy.edition_at(session, search.until).effective
    way = colouring.KINDS[colour]
    found = way(session, actor, level, search) if way else colouring.nothing()
    values, none = classes(found)
    counts = statistics.unit_counts(session, actor, level, search)
    units = hierarchy.page(session, hierarchy.listing(session, actor, level, at), 100_000)
    names = hierarchy.names(session, {each.parent_code for each in units}, at)
    inside = search.code or ""
    return [
        Row(
            each.code,
            each.name,
            names.get(each.parent_code, ""),
            counts.get(each.code, 0),
            *values.get(each.code, none),
        )
        for each in units
        if each.code.startswith(inside)
    ]


def classes(found: dict) -> tuple[dict[str, tuple[int, str]], tuple[int, str]]:
    """Return of each coloured unit the place of its class in the legend and what that says; and of the others.

    Several classes may have one colour, so it is their value that tells them apart.
    """
    legend = {entry["value"]: (n, entry["label"]) for n, entry in enumerate(found["entries"])}
    none = (len(legend), "—")
    return {code: legend.get(str(value), none) for code, value in found["values"].items()}, none


def ordered(rows: list[Row], sort: str) -> list[Row]:
    """Return the rows by a column, a leading minus from large to small; by value as the legend goes if by nothing."""
    key = SORTS.get(sort.lstrip("-"), SORTS["value"])
    return sorted(rows, key=key, reverse=sort.startswith("-"))
