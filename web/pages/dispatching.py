"""The dispatch desk: what waits, whom each case should go to and why, chosen one by one or many at once."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlalchemy.orm import Session

import web.pages.chart as chart
from gis import maps
from gis.drawing import Points
from gis.errors import Problem
from gis.offline import MapParts
from gis.palette import DISPATCH
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.casebook import queries as casebook
from gridmgr.category import queries as matters
from gridmgr.dispatch import queries, service
from gridmgr.dispatch.model import Candidate, Choice, Mode, Suggestion
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import NoEdition
from gridmgr.incident.model import Incident
from gridmgr.organisation import queries as organisation
from web import i18n, words
from web.deps import Allow, Transaction
from web.fields import text
from web.pages.incidents import mark, place
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("dispatch.view"))]
PAGE, ON_MAP, MOST, SHOWN = 50, 2000, 500, 3
ORDERS = ("due", "severity", "oldest")


@dataclass(frozen=True)
class Asked:
    """What the desk is narrowed to, and which page of it."""

    code: str = ""
    sort: str = ORDERS[0]
    before: str = ""

    def query(self, **changes: str) -> str:
        """Return the part of an address after its question mark."""
        given = {name: value for name, value in vars(replace(self, **changes)).items() if value}
        return "?" + urlencode(given) if given else ""


def asked(
    code: Annotated[text(32), Query()] = "", sort: Annotated[text(16), Query()] = "",
    before: Annotated[text(80), Query()] = "",
) -> Asked:  # fmt: skip
    """Return what the address asks for."""
    return Asked(code.strip(), sort if sort in ORDERS else ORDERS[0], before)


Narrowed = Annotated[Asked, Depends(asked)]


@router.get("/dispatch", response_class=HTMLResponse)
def show(request: Request, session: Transaction, actor: Viewer, asked: Narrowed) -> HTMLResponse:
    """Show one page of what waits to be dispatched."""
    return _page(request, session, actor, asked)


async def typed(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form whose names depend on the cases it shows."""
    form = await request.form()
    found: dict[str, list[str]] = {}
    for name, value in list(form.multi_items())[: 4 * MOST]:
        if isinstance(value, str):
            found.setdefault(name, []).append(value.replace("\0", "").strip()[:200])
    return found


@router.post("/dispatch", response_class=HTMLResponse)
def dispatch(
    request: Request, session: Transaction, actor: Viewer, asked: Narrowed,
    given: Annotated[dict[str, list[str]], Depends(typed)],
) -> HTMLResponse:  # fmt: skip
    """Dispatch one case, or all that were ticked, as they were seen, and say what became of each."""
    choices = _choices(given)
    refused = service.choose(session, actor, choices) if choices else []
    rows = [(each.number, each.body, problem) for each, problem in zip(choices, refused, strict=True)]
    return _page(request, session, actor, asked, rows)


def _choices(given: dict[str, list[str]]) -> list[Choice]:
    """Return whom the form sends each case to: `one`, or each of `numbers`, all to `body` or to its own choice."""
    seen = dict(each.rpartition("~")[::2] for each in given.get("cases", ())[:MOST])
    body = next(iter(given.get("body", ())), "") if given.get("do") == ["body"] else ""
    numbers = given.get("one") or given.get("numbers", [])
    found = []
    for number in dict.fromkeys(numbers[:MOST]):
        key = body or next(iter(given.get(f"to:{number}", ())), "")
        code, _, name = key.removeprefix("unit:").partition(":") if key.startswith("unit:") else ("", "", key)
        seq = seen.get(number, "")
        if name:
            known = int(seq) if seq.isdecimal() and len(seq) < 9 else 0
            found.append(Choice(number[:32], name[:100], code[:32] or None, known))
    return found


def _page(
    request: Request, session: Session, actor: Actor, asked: Asked,
    done: list[tuple[str, str, Problem | None]] | None = None,
) -> HTMLResponse:  # fmt: skip
    session.expire_all()
    search = queries.queue(actor, code=asked.code or None, sort=asked.sort)
    found = queries.page(session, actor, search, PAGE + 1, place(search, asked.before))
    rows = found[:PAGE]
    values = {
        "rows": [(case, told, told.candidates[:SHOWN]) for case, told in rows],
        "total": casebook.counted(session, actor, {"all": search})["all"],
        "late": casebook.counted(session, actor, {"late": replace(search, overdue=True)})["late"],
        "holds": queries.holds(session, [case.id for case, _ in rows]), "done": done, "asked": asked,
        "more": asked.query(before=mark(search, rows[-1][0])) if len(found) > PAGE else "",
        "orders": ORDERS, "names": _names(session, [case for case, _ in rows]),
        "categories": {each.id: each.name(i18n.language.get()) for each in matters.by_id(session).values()},
        "bodies": organisation.offered(session, (each.department for each in matters.in_force(session))),
        "there": _there(told for _, told in rows), "now": clock.now(), "off": Mode.OFF,
    }  # fmt: skip
    if is_fragment(request):
        return render(request, "fragments/dispatch.html", values)
    values |= {"chart": _chart(session, actor, asked), "signs": DISPATCH}
    values["areas"] = hierarchy.areas(session, actor)
    return render(request, "dispatch.html", values)


def _there(suggestions: Iterable[Suggestion]) -> list[Candidate]:
    """Return the bodies these cases could go to, those with somebody on duty and little to do first."""
    found = {each.key: each for told in suggestions for each in told.candidates}
    return sorted(found.values(), key=lambda each: (not each.presence.now, each.load.open, each.body))[:12]


def _names(session: Session, cases: list[Incident]) -> dict[str, str]:
    codes = {code for each in cases for code in (each.community_code, each.micro_grid_code) if code}
    try:
        return hierarchy.names(session, codes, hierarchy.edition_at(session).effective)
    except NoEdition:
        return {}


def _chart(session: Session, actor: Actor, asked: Asked) -> MapParts | None:
    try:
        edition = hierarchy.edition_at(session)
    except NoEdition:
        return None
    signs = {name: words.word(words.DISPATCH_SIGNS, name) for name in DISPATCH}
    points = Points(
        i18n._("Dispatch desk"), signs, "/dispatch/points" + asked.query(before=""), signs=DISPATCH
    )
    bounds = hierarchy.bounds(session, actor) or chart.EVERYWHERE
    return chart.parts(
        maps.tile_map(chart.tiles(edition), bounds, words=chart.said(), incidents=points, **chart.ground())
    )


@router.get("/dispatch/points")
def points(session: Transaction, actor: Viewer, asked: Narrowed) -> Response:
    """Return what waits to be dispatched, and where people are on duty, as rows for the map."""
    search = queries.queue(actor, code=asked.code or None, sort=asked.sort)
    names = {each.id: each.name(i18n.language.get()) for each in matters.by_id(session).values()}
    cases = casebook.map_points(session, actor, search, ON_MAP)
    items: list[list] = [
        [number, number, round(lon, 6), round(lat, 6), "late" if late else "waiting",
         names.get(category, ""), number, f"/incidents/{number}"]
        for number, lon, lat, _state, category, late in cases
    ]  # fmt: skip
    for post in queries.manned(session, actor, search):
        who = post.body or i18n._("Grid members")
        title = i18n._("{who}: {n} on duty", who=who, n=post.people)
        sign = "body" if post.body else "member"
        items.append(
            [f"{post.code}{who}", post.name, round(post.lon, 6), round(post.lat, 6), sign, post.name, title]
        )
    return JSONResponse({"items": items, "complete": len(cases) < ON_MAP})
