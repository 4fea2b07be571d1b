"""Ant work: pieces to take near me and in my area, those in my hands, those I have cut; made for a phone first."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.pieces as pieces
from gis.errors import Problem
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.calendar.rules import instant
from gridmgr.claim import queries, service
from gridmgr.claim.model import LONGEST, MOST_PLACES, Cutting, Deed, PlacesWrong
from gridmgr.claim.queries import Search
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.settings import settings
from web import i18n
from web.api.claim import act
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import BigRowId, Lat, Lon, text
from web.pages.uploads import files_of, shown_again
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("claim.view"))]
Cutter = Annotated[Actor, Depends(Allow("claim.cut"))]
PieceId = Annotated[BigRowId, Path()]
Typed = Annotated[text(10_000), Form()]
SIZE = 30
TABS = ("free", "mine", "cut", "all")


@router.get("/claims", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, tab: Annotated[text(8), Query()] = "free",
    area: Annotated[text(32), Query()] = "", before: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    lon: Annotated[Lon | None, Query()] = None, lat: Annotated[Lat | None, Query()] = None,
) -> HTMLResponse:  # fmt: skip
    """List pieces: to be taken (near a place, if one is given), in my hands, cut by me, or all."""
    tab = tab if tab in TABS else "free"
    own = actor.id or 0
    search = Search(
        free=tab == "free", taken_by=own if tab == "mine" else None, cut_by=own if tab == "cut" else None,
        area=area.strip(),
    )  # fmt: skip
    away: dict[int, float] = {}
    if lon is not None and lat is not None:
        near = queries.near(session, actor, lon, lat, search, SIZE)
        found, away = [each for each, _ in near], {each.id: metres for each, metres in near}
    else:
        found = queries.page(session, actor, search, SIZE + 1, before or None)
    values = {
        "cards": pieces.cards(session, actor, found[:SIZE], away), "tab": tab, "area": area, "before": before,
        "counts": queries.counts(session, actor), "areas": hierarchy.areas(session, actor), "near": lon is not None,
        "more": found[SIZE - 1].id if len(found) > SIZE else 0, "most": settings().pieces_at_once,
        "on_duty": bool(queries.seats_of(session, actor.id)), **NO_PROBLEM,
    }  # fmt: skip
    return render(request, "claims.html", values)


NO_PROBLEM: dict[str, Any] = {
    "piece_problem": "",
    "failed": None,
    "note": "",
    "sent_files": (),
    "alone": False,
}


@router.get("/claims/new", response_class=HTMLResponse)
def ask(
    request: Request, session: Transaction, actor: Cutter, number: Annotated[text(32), Query()] = "",
    code: Annotated[text(32), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """Show the form for a new piece, perhaps of a case."""
    own = next((grant.code for grant in actor.grants if grant.code), "")
    given = {"number": number, "code": code or ("" if number else own), "until": pieces.usually(clock.now())}
    return _form(request, session, actor, given)


def _form(
    request: Request, session: Session, actor: Actor, given: dict[str, str], problem: Problem | None = None
) -> HTMLResponse:
    values = {
        "given": pieces.NOTHING_YET | given, "areas": hierarchy.areas(session, actor),
        "problem": i18n.say(problem) if problem else "", "longest": LONGEST, "most_places": MOST_PLACES,
    }  # fmt: skip
    return render(request, "claim_new.html", values, status_of(problem) if problem else HTTPStatus.OK)


@router.post("/claims")
def cut(
    request: Request, session: Transaction, actor: Cutter, what: Typed = "", until: Typed = "",
    number: Typed = "", code: Typed = "", places: Typed = "1", place: Typed = "", lon: Typed = "", lat: Typed = "",
) -> Response:  # fmt: skip
    """Cut a piece; whoever came from a case goes back to it."""
    given = {
        "what": what.replace("\r\n", "\n"), "until": until, "number": number.strip()[:32], "code": code.strip()[:32],
        "places": places, "place": place.strip(), "lon": lon, "lat": lat,
    }  # fmt: skip
    try:
        with session.begin_nested():
            piece = service.cut(session, actor, _cutting(given))
    except Problem as problem:
        return _form(request, session, actor, given, problem)
    back = f"/incidents/{given['number']}#pieces" if number else f"/claims/{piece.id}"
    return RedirectResponse(back, HTTPStatus.SEE_OTHER)


def _cutting(given: dict[str, str]) -> Cutting:
    if not given["places"].strip().isdecimal() or len(given["places"]) > 4:
        raise PlacesWrong(most=MOST_PLACES)
    point = None
    if given["lon"].strip() and given["lat"].strip():
        point = pieces.point(given["lon"], given["lat"])
    until = instant(given["until"], clock.zone())
    return Cutting(
        given["what"],
        until,
        given["number"],
        given["code"],
        int(given["places"]),
        given["place"][:300],
        point,
    )


@router.get("/claims/{piece_id:int}", response_class=HTMLResponse)
def show_one(request: Request, session: Transaction, actor: Viewer, piece_id: PieceId) -> HTMLResponse:
    """Show a piece and all that was done to it."""
    return _card(request, session, actor, piece_id)


@router.post("/claims/{piece_id:int}/{deed}")
def do(
    request: Request, session: Transaction, actor: Viewer, piece_id: PieceId, deed: Deed, note: Typed = "",
    username: Annotated[text(64), Form()] = "", files: Annotated[list[str], Form()] = (),
    upload: Annotated[list[UploadFile], File()] = (),
) -> Response:  # fmt: skip
    """Do something to a piece; for htmx its card follows, else its page."""
    brought, refused = files_of(session, actor, files, upload)
    note = note.replace("\r\n", "\n")
    try:
        if refused:
            raise refused
        with session.begin_nested():
            act(session, actor, piece_id, deed, note, brought, username)
    except Problem as problem:
        session.expire_all()
        told = {
            "piece_problem": i18n.say(problem), "failed": deed, "note": note,
            "sent_files": shown_again(session, actor, brought),
        }  # fmt: skip
        return _card(request, session, actor, piece_id, told, status_of(problem))
    session.expire_all()
    if is_fragment(request):
        return _card(request, session, actor, piece_id)
    return RedirectResponse(f"/claims/{piece_id}", HTTPStatus.SEE_OTHER)


def _card(
    request: Request, session: Session, actor: Actor, piece_id: int, told: dict[str, Any] | None = None,
    status: int = HTTPStatus.OK,
) -> HTMLResponse:  # fmt: skip
    (card,) = pieces.cards(session, actor, [queries.piece(session, actor, piece_id)])
    values = NO_PROBLEM | {"card": card, "alone": not is_fragment(request)} | (told or {})
    return render(request, "fragments/piece.html" if is_fragment(request) else "claim.html", values, status)
