"""The report form: a place by map, building or coordinates, told back in words before anything is sent."""

import math
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.chart as chart
from gis import maps
from gis.datum import to_wgs84
from gis.errors import Problem
from gridmgr.account.rules import Actor
from gridmgr.attachment.model import StoredFile
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import LEVELS, NoEdition
from gridmgr.incident import rules
from gridmgr.incident.model import Incident, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import BadField, MissingField, Source
from gridmgr.settings import settings
from web import i18n, words
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import text
from web.pages.uploads import files_of, shown_again
from web.render import render

router = APIRouter(include_in_schema=False)
Reporter = Annotated[Actor, Depends(Allow("incident.report"))]
ORIGIN = "form"  # with the form's own key it makes a second click the same report
LIMITS = {
    "description": 2000,
    "address": 300,
    "reporter_name": 64,
    "reporter_phone": 32,
    "key": 64,
    "note": 2000,
}
NEAREST = ("micro_grid", "community", "street")
REACH = {"lon": 180, "lat": 90}
EMPTY = {
    "lon": "", "lat": "", "datum": "wgs84", "category": "", "source": "patrol", "severity": "",
    "description": "", "address": "", "reporter_name": "", "reporter_phone": "", "key": "", "settle": "",
    "note": "",
}  # fmt: skip


@router.get("/report", response_class=HTMLResponse)
def ask(
    request: Request, session: Transaction, actor: Reporter, lon: str = "", lat: str = "", category: str = ""
) -> HTMLResponse:
    """Show an empty form, perhaps with a place or a category."""
    told = {"lon": lon[:20], "lat": lat[:20], "category": category[:32]}
    given = EMPTY | told | {"key": secrets.token_urlsafe(16)}
    return _form(request, session, actor, given)


def sent(
    lon: Annotated[str, Form()] = "", lat: Annotated[str, Form()] = "", datum: Annotated[str, Form()] = "",
    category: Annotated[str, Form()] = "", source: Annotated[str, Form()] = "",
    severity: Annotated[str, Form()] = "", description: Annotated[str, Form()] = "",
    address: Annotated[str, Form()] = "", reporter_name: Annotated[str, Form()] = "",
    reporter_phone: Annotated[str, Form()] = "", key: Annotated[str, Form()] = "",
    settle: Annotated[str, Form()] = "", note: Annotated[str, Form()] = "",
) -> dict[str, str]:  # fmt: skip
    """Return what was typed, trimmed to what can be stored; an error shows it again."""
    typed = {name: value.replace("\0", "").replace("\r\n", "\n").strip() for name, value in locals().items()}
    return {name: value[: LIMITS.get(name, 64)] for name, value in typed.items()}


@router.post("/report")
def tell(
    request: Request, session: Transaction, actor: Reporter, given: Annotated[dict, Depends(sent)],
    files: Annotated[list[str], Form()] = (), upload: Annotated[list[UploadFile], File()] = (),
) -> Response:  # fmt: skip
    """File the report, settled on the spot or not, and go to its page; a second click leads to the same one."""
    brought, refused = files_of(session, actor, files, upload)
    try:
        if refused:
            raise refused
        with session.begin_nested():
            incident = _filed(session, actor, given, brought)
    except Problem as problem:
        session.expire_all()
        return _form(request, session, actor, given, problem, shown_again(session, actor, brought))
    return RedirectResponse(f"/incidents/{incident.number}?new=1", 303)


def _filed(session: Session, actor: Actor, given: dict[str, str], files: list[dict[str, str]]) -> Incident:
    report = _told(session, given)
    if given["settle"] != "yes":
        return intake.report(session, actor, replace(report, files=tuple(files)))
    if not given["note"]:
        raise MissingField(action="settle", field="note")
    return intake.settle(session, actor, report, given["note"], files)


def _told(session: Session, given: dict[str, str]) -> Report:
    """Return the report the form makes; raises the first thing that is missing or wrong."""
    if not (given["lon"] and given["lat"]):
        raise MissingField(action="report", field="place")
    lon, lat = _degrees(given, "lon"), _degrees(given, "lat")
    if not given["category"]:
        raise MissingField(action="report", field="category")
    if given["source"] not in set(Source):
        raise BadField(field="source", value=given["source"] or "∅", expected=", ".join(Source))
    category = matters.by_code(session, given["category"])
    severity = int(given["severity"]) if given["severity"] in words.URGENCIES else category.severity
    said = {name: given[name] for name in ("description", "address", "reporter_name", "reporter_phone")}
    return Report(
        lon, lat, given["datum"], category.id, Source(given["source"]), severity=severity,
        origin=ORIGIN if given["key"] else None, source_id=given["key"] or None, **said,
    )  # fmt: skip


def _degrees(given: dict[str, str], field: str) -> float:
    reach, typed = REACH[field], given[field]
    try:
        degrees = float(typed)
    except ValueError:
        degrees = math.nan
    if not abs(degrees) <= reach:
        raise BadField(field=words.FIELDS[field], value=typed, expected=f"{-reach}…{reach}")
    return degrees


def _form(
    request: Request, session: Session, actor: Actor, given: dict, problem: Problem | None = None,
    sent_files: Sequence[tuple[StoredFile, str]] = (),
) -> Response:  # fmt: skip
    try:
        edition = hierarchy.edition_at(session)
    except NoEdition:
        return render(request, "report.html", {"chart": None, "no_edition": True})
    bounds = hierarchy.bounds(session, actor) or (73.0, 18.0, 135.0, 53.5)
    where = _where(session, given)
    if problem and where["waiting"]:
        where |= {"waiting": False, "problem": i18n._("Choose the place first.")}
    values = {
        "no_edition": False,
        "given": given,
        "sent_files": sent_files,
        "where": where,
        "problem": i18n.say(problem) if problem and not (where["problem"] or where["too_far"]) else "",
        "limit": LIMITS["description"],
        "chart": chart.parts(
            maps.pick_map(chart.tiles(edition), bounds, words=chart.said(), **chart.ground())
        ),
        "classes": _classes(session),
    }
    return render(request, "report.html", values, status_of(problem) if problem else 200)


def _classes(session: Session) -> dict[str, list]:
    language = i18n.language.get()
    classes: dict[str, list] = {}
    for category in matters.in_force(session):
        kind = words.word(words.CATEGORY_KINDS, category.kind)
        classes.setdefault(f"{kind} · {category.group(language)}", []).append(category)
    return classes


@router.get("/report/category", response_class=HTMLResponse)
def describe(request: Request, session: Transaction, actor: Reporter, category: str = "") -> HTMLResponse:
    """Show what the chosen category asks for: who handles it, how long that may take, when it is filed."""
    found = next((each for each in matters.in_force(session) if each.code == category), None)
    limit = ""
    if found and found.limit_amount:
        limit = words.limit(found.limit_amount, found.limit_unit)
    needs = [words.word(words.NEEDS, need) for need in found.filing_needs] if found else []
    return render(
        request,
        "fragments/category.html",
        {"category": found, "limit": limit, "needs": needs},
    )


@router.get("/report/place", response_class=HTMLResponse)
def locate(
    request: Request, session: Transaction, actor: Reporter, lon: Annotated[str, Query(max_length=32)] = "",
    lat: Annotated[str, Query(max_length=32)] = "", datum: Annotated[str, Query(max_length=16)] = "wgs84",
) -> HTMLResponse:  # fmt: skip
    """Say in words where a place is, before the report is sent."""
    where = _where(session, {"lon": lon.strip(), "lat": lat.strip(), "datum": datum})
    return render(request, "fragments/where.html", {"where": where})


def _where(session: Session, given: dict[str, str]) -> dict[str, object]:
    """Return what can be said of a place as typed: its units, or what is wrong with it."""
    typed = [field for field in REACH if given[field]]
    nothing = {"units": [], "problem": "", "too_far": False, "swapped": False, "waiting": False}
    try:
        degrees = [_degrees(given, field) for field in typed]
        if len(degrees) < len(REACH):
            return nothing | {"waiting": True}
        place = _place(session, *degrees, given["datum"])
    except Problem as problem:
        return nothing | {"problem": i18n.say(problem), "swapped": _swapped(session, given)}
    return nothing | place | {"swapped": place["too_far"] and _swapped(session, given)}


def _place(session: Session, lon: float, lat: float, datum: str) -> dict[str, object]:
    rules.check_place(Report(lon, lat, datum, 0, Source.PATROL))
    wgs = [float(each) for each in to_wgs84(lon, lat, datum)]
    found = hierarchy.locator(session).one(*wgs)
    codes = {level: getattr(found, level) for level in LEVELS if getattr(found, level)}
    names = hierarchy.names(session, codes.values(), hierarchy.edition_at(session).effective)
    return {
        "units": [(level, code, names.get(code, code)) for level, code in codes.items()],
        "how": found.how, "distance": found.distance_m, "lon": wgs[0], "lat": wgs[1],
        "nearest": next((names.get(codes[level], "") for level in NEAREST if level in codes), ""),
        "too_far": found.distance_m > settings().nearest_limit_m,
    }  # fmt: skip


def _swapped(session: Session, given: dict[str, str]) -> bool:
    """Tell whether the place lies in the district once longitude and latitude change places."""
    turned = {"lon": given["lat"], "lat": given["lon"]}
    try:
        place = _place(session, _degrees(turned, "lon"), _degrees(turned, "lat"), given["datum"])
    except Problem:
        return False
    return bool(place["units"]) and not place["too_far"]


@router.get("/report/buildings", response_class=HTMLResponse)
def buildings(
    request: Request, session: Transaction, actor: Reporter, building: Annotated[text(100), Query()] = ""
) -> HTMLResponse:
    """List the buildings whose name, address or code holds the words."""
    found = hierarchy.building_search(session, actor, building.strip()) if building.strip() else []
    return render(request, "fragments/buildings.html", {"found": found, "words_given": building.strip()})
