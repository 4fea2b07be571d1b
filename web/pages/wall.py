"""The wall: one page that shows one view after another in large type, and says so when it has lost the server."""

from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.datastructures import QueryParams

import web.pages.chart as chart
import web.pages.command as command
import web.pages.wall_views as contents
from gis import maps
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.errors import NotFound
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import NoEdition
from gridmgr.words import N_
from web import i18n, words
from web.api.search import query
from web.deps import Allow, Transaction
from web.fields import text
from web.pages.filters import search_from
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
Typed = Annotated[list[text(16)], Query()]
Narrowing = Annotated[list[text(1000)], Query()]
MOST_VIEWS, USUAL = 12, ("hotspots", "open", "whistles", "figures", "latest")
SECONDS, LEAST, MOST = 20, 5, 600  # a view is shown

# Said in both languages at once: whoever walks by reads one of them.
SAID = {
    "lost": N_("Connection lost since {since} ({for}). What is shown is as of {at}."),
    "ended": N_("The session has ended. What is shown is as of {at}. Please log in again."),
    "back": N_("Connected again at {at}; caught up."),
    "old": N_("A new version is installed; load this page again when it suits."),
    "paused": N_("Stopped. Press space to go on."),
    "as_of": N_("as of {at}"),
    "never": N_("This view has not been loaded yet."),
}


class UnknownView(NotFound):
    """A wall has no view {view}."""


@dataclass(frozen=True)
class View:
    """One view of a wall: a key of VIEWS, what it is narrowed to, and the text that said so."""

    kind: str
    search: Search
    typed: str = ""

    @property
    def url(self) -> str:
        """The address its content is fetched from."""
        return f"/wall/view/{self.kind}{query(self.search)}"


def narrowed(session: Session, actor: Actor, typed: str) -> Search:
    """Return what a text narrows a view to: the address of a saved map, or the name or code of an area."""
    found = typed.strip()
    if "=" in found:
        search = search_from(QueryParams(urlsplit(found).query or found.lstrip("?")))
    else:
        search = Search(code=found[:32] or None)
    return command.with_code(session, actor, search)


def views_of(session: Transaction, actor: Viewer, view: Typed = (), narrow: Narrowing = ()) -> list[View]:
    """Return the views the address asks for, the usual ones without any."""
    pairs = list(zip_longest(view, narrow[: len(view)], fillvalue=""))[:MOST_VIEWS]
    chosen = [(kind, typed) for kind, typed in pairs if kind in words.VIEWS]
    return [
        View(kind, narrowed(session, actor, typed), typed)
        for kind, typed in chosen or [(kind, "") for kind in USUAL]
    ]


Views = Annotated[list[View], Depends(views_of)]


def seconds_of(seconds: Annotated[text(8), Query()] = "") -> int:
    """Return for how long a view is shown."""
    return min(max(int(seconds), LEAST), MOST) if seconds.isdecimal() else SECONDS


Seconds = Annotated[int, Depends(seconds_of)]


def both(message: str) -> dict[str, str]:
    """Return a message in every language."""
    return {language: i18n.catalogue(language).gettext(message) for language in i18n.LANGUAGES}


@router.get("/wall", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, views: Views, seconds: Seconds
) -> HTMLResponse:
    """Show the wall."""
    try:
        edition = hierarchy.edition_at(session)
    except NoEdition:
        return render(request, "problem.html", {"title": i18n._("Wall"), "detail": i18n.say(NoEdition())})
    bounds = hierarchy.bounds(session, actor) or chart.EVERYWHERE
    drawn = maps.tile_map(
        chart.tiles(edition), bounds, words=chart.said(), incidents=chart.points(), **chart.ground()
    )
    wall = {
        "seconds": seconds, "zone": str(clock.zone()), "said": {key: both(each) for key, each in SAID.items()},
        "views": [{"kind": each.kind, "url": each.url} for each in views],
    }  # fmt: skip
    values = {
        "chart": chart.parts(drawn),
        "wall": wall,
        "views": views,
        "edit": "/wall/edit" + _kept(request),
    }
    return render(request, "wall.html", values)


def _kept(request: Request) -> str:
    return f"?{request.url.query}" if request.url.query else ""


@router.get("/wall/edit", response_class=HTMLResponse)
def edit(
    request: Request, session: Transaction, actor: Viewer, views: Views, seconds: Seconds
) -> HTMLResponse:
    """Show the form by which a wall is put together; its answer is the wall's own address."""
    rows = [(each.kind, each.typed) for each in views]
    rows += [("", "")] * min(3, MOST_VIEWS - len(rows))
    values = {
        "rows": rows, "seconds": seconds, "least": LEAST, "most": MOST, "areas": hierarchy.areas(session, actor),
    }  # fmt: skip
    return render(request, "wall_edit.html", values)


@router.get("/wall/view/{kind}", response_class=HTMLResponse)
def view(request: Request, session: Transaction, actor: Viewer, kind: str) -> HTMLResponse:
    """Show the content of one view."""
    if kind not in contents.KINDS:
        raise UnknownView(view=kind[:16])
    search = command.with_code(session, actor, search_from(request.query_params))
    unit = contents.unit_of(session, actor, search)
    values = {"kind": kind, "unit": unit.name if unit else "", "search": search, "at": clock.now()}
    values |= contents.KINDS[kind](session, actor, search)
    template = "fragments/wall_map.html" if "map" in values else f"fragments/wall_{kind}.html"
    return render(request, template, values)
