"""Whistles: the board on a map with who was called, who is there and the minutes left; one of them; their terms."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.chart as chart
import web.pages.whistling as whistling
from gis import maps
from gis.drawing import Points
from gis.errors import Problem
from gis.offline import MapParts
from gis.palette import WHISTLE
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.attendance import queries as came
from gridmgr.attendance import service as attendance
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import NoEdition
from gridmgr.incident import queries as incidents
from gridmgr.whistle import queries, rules, service
from gridmgr.whistle.model import BadTerms, Deed, Standing, Whistle, Why
from gridmgr.whistle.queries import Search
from web import i18n, words
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import BigRowId, text
from web.i18n import _
from web.pages.incident import Number
from web.pages.uploads import files_of
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("whistle.view"))]
WhistleId = Annotated[BigRowId, Path()]
SIZE, DAYS, ON_MAP = 30, 30, 500
TYPED = 10_000  # characters that are given back, whatever may be kept of them
Typed = Annotated[text(TYPED), Form()]
Names = Annotated[list[text(200)], Form()]


@router.get("/whistles", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, state: Annotated[text(16), Query()] = "open",
    before: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> HTMLResponse:  # fmt: skip
    """Show the board; htmx gets the list of it anew, every now and then."""
    search = Search(Standing(state) if state in set(Standing) else None, state == "open")
    found = queries.page(session, actor, search, SIZE + 1, before or None)
    values = {
        "rows": [whistling.lines(session, each) | {"case": case} for each, case in found[:SIZE]],
        "categories": matters.by_id(session), "state": state, "before": before,
        "more": found[SIZE - 1][0].id if len(found) > SIZE else 0, "counts": queries.counts(session, actor),
        "waiting": queries.waiting_for(session, actor),
    }  # fmt: skip
    if is_fragment(request):
        return render(request, "fragments/whistles.html", values)
    now = clock.now()
    since = now - timedelta(days=DAYS)
    values |= {
        "chart": _chart(session, actor), "days": DAYS, "signs": WHISTLE,
        "attendance": came.attendance(session, actor, since, now),
        "rate": queries.whistle_rate(session, actor, since, now),
    }  # fmt: skip
    return render(request, "whistles.html", values)


def _chart(session: Session, actor: Actor) -> MapParts | None:
    try:
        edition = hierarchy.edition_at(session)
    except NoEdition:
        return None
    bounds = hierarchy.bounds(session, actor) or chart.EVERYWHERE
    points = Points(
        _("Whistles"),
        {name: _(said) for name, said in words.WHISTLE_SIGNS.items()},
        "/whistles/points",
        signs=WHISTLE,
    )
    return chart.parts(
        maps.tile_map(chart.tiles(edition), bounds, words=chart.said(), incidents=points, **chart.ground())
    )


@router.get("/whistles/points")
def points(session: Transaction, actor: Viewer) -> Response:
    """Return the open whistles, and where somebody reported in to them, as rows for the map."""
    found = queries.page(session, actor, Search(open=True), ON_MAP)
    ids, now = [whistle.id for whistle, _case in found], clock.now()
    called, places = queries.calls(session, ids), queries.places(session, ids)
    items = [_point(whistle, called.get(whistle.id, []), places[whistle.id], now) for whistle, _case in found]
    items += [
        [
            f"call{call.id}", call.body, round(lon, 6), round(lat, 6), "elsewhere" if call.far else "here",
            i18n.moment(call.arrived_at), call.body, f"/whistles/{call.whistle_id}",
        ]
        for call, lon, lat in came.arrivals(session, ids)
    ]  # fmt: skip
    return JSONResponse({"items": items, "complete": len(found) < ON_MAP})


def _point(whistle: Whistle, calls: Sequence, place: tuple[float, float], now: Any) -> list:
    there = sum(call.arrived_at is not None for call in calls)
    title = _("{caller}: {there} of {called} there", caller=whistle.caller, there=there, called=len(calls))
    return [
        f"whistle{whistle.id}", str(whistle.id), round(place[0], 6), round(place[1], 6),
        rules.sign(whistle, calls, now), words.word(words.WHISTLE_KINDS, whistle.why), title, f"/whistles/{whistle.id}",
    ]  # fmt: skip


# ---- terms -------------------------------------------------------------------------------------------


@router.get("/whistles/terms", response_class=HTMLResponse)
def show_terms(
    request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow("whistle.manage"))]
) -> HTMLResponse:
    """Show the terms of whistles, and when they were set."""
    return _terms(request, session)


@router.post("/whistles/terms", response_class=HTMLResponse)
def set_terms(
    request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow("whistle.manage"))],
    effective: Typed = "", most_called: Typed = "", most_open: Typed = "", radius_m: Typed = "", grace: Typed = "",
    rating_days: Typed = "", band_low: Typed = "", band_high: Typed = "", minutes: Names = (), worked: Names = (),
    approved: Names = (),
) -> Response:  # fmt: skip
    """Set the terms from a day on."""
    typed = {
        "most_called": most_called, "most_open": most_open, "radius_m": radius_m, "grace": grace,
        "rating_days": rating_days, "band_low": band_low, "band_high": band_high,
    }  # fmt: skip
    try:
        kinds = {
            why: {
                "minutes": _number(f"{why}.minutes", given),
                "worked": why in worked,
                "approved": why in approved,
            }
            for why, given in zip(Why, minutes, strict=False)
        }
        shares = {name: _number(name, typed[name]) / 100 for name in ("band_low", "band_high")}
        numbers = {name: _number(name, given) for name, given in typed.items()} | shares
        with session.begin_nested():
            service.set_terms(session, actor, _day(effective), numbers | {"kinds": kinds})
    except Problem as problem:
        return _terms(request, session, problem, typed | {"effective": effective})
    return RedirectResponse("/whistles/terms", HTTPStatus.SEE_OTHER)


def _number(field: str, typed: str) -> float:
    try:
        return float(typed)
    except ValueError:
        raise BadTerms(field=field, value=typed[:20], expected="1, 2.5, …") from None


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise BadTerms(field="effective", value=typed[:20], expected="2026-01-31") from None


def _terms(
    request: Request, session: Session, problem: Problem | None = None, given: dict[str, str] | None = None
) -> HTMLResponse:
    terms = queries.terms(session)
    usual = {name: f"{value:g}" for name, value in vars(terms).items() if name != "kinds"}
    usual |= {name: f"{100 * getattr(terms, name):g}" for name in ("band_low", "band_high")}
    values = {
        "terms": terms, "terms_set": queries.terms_set(session), "whys": list(Why),
        "given": usual | {"effective": clock.today().isoformat()} | (given or {}),
        "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    return render(request, "whistle_terms.html", values, status_of(problem) if problem else HTTPStatus.OK)


# ---- one whistle ---------------------------------------------------------------------------------------


@router.get("/whistles/{whistle_id}", response_class=HTMLResponse)
def show_one(request: Request, session: Transaction, actor: Viewer, whistle_id: WhistleId) -> HTMLResponse:
    """Show one whistle; htmx gets it anew while it is open."""
    return _page(request, session, actor, whistle_id)


@router.post("/incidents/{number}/whistles")
def blow(
    request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow("whistle.blow"))],
    number: Number, why: Why = Form(Why.CONCERN), wanted: Typed = "", chosen: Names = (), known: Names = (),
    minutes: Names = (), lead: Typed = "",
) -> Response:  # fmt: skip
    """Ask for a whistle on a case, or blow it."""
    given = {
        "why": why.value,
        "wanted": wanted,
        "chosen": list(chosen),
        "minutes": dict(zip(known, minutes, strict=False)),
        "lead": lead,
    }
    try:
        with session.begin_nested():
            called = whistling.called(chosen, known, minutes, lead)
            whistle = service.propose(session, actor, number, why, wanted.replace("\r\n", "\n"), called)
    except Problem as problem:
        session.expire_all()
        case = incidents.by_number(session, actor, number)
        values = whistling.of_case(session, actor, case) | {
            "incident": case, "blow_given": given, "blow_problem": i18n.say(problem),
        }  # fmt: skip
        return render(request, "fragments/blow.html", values, status_of(problem))
    answer = RedirectResponse(f"/whistles/{whistle.id}", HTTPStatus.SEE_OTHER)
    if is_fragment(request):
        answer = Response(
            status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": f"/whistles/{whistle.id}"}
        )
    return answer


@router.post("/whistles/{whistle_id}/calls")
def call_more(
    request: Request, session: Transaction, actor: Viewer, whistle_id: WhistleId, chosen: Names = (),
) -> Response:  # fmt: skip
    """Call further bodies."""
    called = whistling.called(chosen, (), (), "")
    return _done(
        request, session, actor, whistle_id, lambda: service.call_more(session, actor, whistle_id, called), {}
    )


@router.post("/whistles/{whistle_id}/{deed}")
def do(
    request: Request, session: Transaction, actor: Viewer, whistle_id: WhistleId, deed: Deed, note: Typed = ""
) -> Response:
    """Blow, refuse, withdraw or end a whistle, or write into its record."""
    said = note.replace("\r\n", "\n").strip()

    def work() -> None:
        if deed in (Deed.RECORD, Deed.END):
            {Deed.RECORD: service.record, Deed.END: service.end}[deed](session, actor, whistle_id, said)
        else:
            service.decide(session, actor, whistle_id, deed, said)

    return _done(request, session, actor, whistle_id, work, {"note": note, "deed": deed.value})


@router.post("/whistles/{whistle_id}/calls/{call_id}/{deed}")
def do_to_call(
    request: Request, session: Transaction, actor: Viewer, whistle_id: WhistleId,
    call_id: Annotated[BigRowId, Path()], deed: Deed, note: Typed = "", stars: Typed = "", lon: Typed = "",
    lat: Typed = "", files: Annotated[list[str], Form()] = (), upload: Annotated[list[UploadFile], File()] = (),
) -> Response:  # fmt: skip
    """Answer, report in, excuse or rate one of those called."""
    brought, refused = files_of(session, actor, files, upload) if deed is Deed.REPORT_IN else ([], None)
    which, said = (session, actor, whistle_id, call_id), note.replace("\r\n", "\n").strip()

    def work() -> None:
        if refused:
            raise refused
        if deed is Deed.REPORT_IN:
            place = _number("lon", lon), _number("lat", lat)
            attendance.report_in(*which, *place, "wgs84", brought, said)
        elif deed is Deed.RATE:
            attendance.rate(*which, int(_number("stars", stars)), said)
        else:
            (attendance.excuse if deed is Deed.EXCUSE else attendance.answer)(*which, said)

    given = {"note": note, "deed": deed.value, "call": call_id, "lon": lon, "lat": lat, "stars": stars}
    return _done(request, session, actor, whistle_id, work, given)


def _done(
    request: Request, session: Session, actor: Actor, whistle_id: int, work: Callable[[], object], given: dict
) -> Response:
    """Do it and show the whistle as it stands then, or why it could not be done, with what was typed."""
    try:
        with session.begin_nested():
            work()
    except Problem as problem:
        return _page(request, session, actor, whistle_id, problem, given)
    if not is_fragment(request):
        return RedirectResponse(f"/whistles/{whistle_id}", HTTPStatus.SEE_OTHER)
    return _page(request, session, actor, whistle_id)


def _page(
    request: Request, session: Session, actor: Actor, whistle_id: int, problem: Problem | None = None,
    given: dict | None = None,
) -> HTMLResponse:  # fmt: skip
    session.expire_all()
    whistle, case = queries.whistle(session, actor, whistle_id)
    nothing = {"note": "", "deed": "", "call": 0, "lon": "", "lat": "", "stars": ""}
    values = whistling.one(session, actor, whistle, case) | {
        "given": nothing | (given or {}), "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    name = "fragments/whistle.html" if is_fragment(request) else "whistle.html"
    return render(request, name, values, status_of(problem) if problem else HTTPStatus.OK)
