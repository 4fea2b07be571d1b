"""How areas dispatch and look on site, from which day on; and who may approve which time of a side way."""

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock
from gridmgr.account.rules import PERMISSIONS, Actor, Role
from gridmgr.dispatch import queries, service
from gridmgr.dispatch.model import BadMinutes, Mode, SettingPast
from gridmgr.dispatch.rules import LONGEST_TAKE
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import NoEdition
from gridmgr.incident import rules as incident
from gridmgr.life.rules import ASKED
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("dispatch.view"))]
Manager = Annotated[Actor, Depends(Allow("dispatch.manage"))]
BLANK = {
    "code": "", "effective": "", "mode": Mode.SUGGEST.value, "severities": ["1", "2"], "check_minutes": "",
}  # fmt: skip


@router.get("/dispatch/settings", response_class=HTMLResponse)
def show(request: Request, session: Transaction, actor: Viewer) -> HTMLResponse:
    """Show how the areas around dispatch, and the form of a new setting."""
    return _page(request, session, actor)


@router.post("/dispatch/settings")
def set_area(
    request: Request, session: Transaction, actor: Manager, code: Annotated[text(32), Form()] = "",
    effective: Annotated[text(10), Form()] = "", mode: Annotated[text(16), Form()] = "",
    severities: Annotated[list[str], Form()] = (), check_minutes: Annotated[text(6), Form()] = "",
) -> Response:  # fmt: skip
    """Set how an area dispatches from a day on."""
    given = {
        "code": code, "effective": effective, "mode": mode, "severities": list(severities),
        "check_minutes": check_minutes,
    }  # fmt: skip
    try:
        with session.begin_nested():
            chosen = Mode(mode) if mode in set(Mode) else Mode.SUGGEST
            levels = [int(each) for each in severities if each in ("1", "2", "3")]
            service.set_area(session, actor, code, _day(effective), chosen, levels, _minutes(check_minutes))
    except Problem as problem:
        return _page(request, session, actor, problem, given)
    return RedirectResponse("/dispatch/settings", HTTPStatus.SEE_OTHER)


@router.post("/dispatch/settings/{setting_id}/drop")
def drop(
    request: Request, session: Transaction, actor: Manager, setting_id: Annotated[RowId, Path()]
) -> Response:
    """Take back a setting that has not begun."""
    try:
        service.drop_setting(session, actor, setting_id)
    except Problem as problem:
        return _page(request, session, actor, problem)
    return RedirectResponse("/dispatch/settings", HTTPStatus.SEE_OTHER)


@router.get("/dispatch/ranks", response_class=HTMLResponse)
def ranks(request: Request, session: Transaction, actor: Viewer) -> HTMLResponse:
    """Show from the table of ranks who may approve which time of each side way, and what it needs."""
    rows = []
    for way in ASKED:
        steps = incident.RANKS.get(way, (PERMISSIONS[f"incident.{way}"],))
        most = incident.MOST.get(way)
        told = [[role for role in Role if role in roles and role is not Role.ADMIN] for roles in steps]
        rows.append((way, told, most))
    return render(request, "ranks.html", {"rows": rows, "sealed": incident.SEALED})


def _day(typed: str) -> date:
    if not typed:
        return clock.today()
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise SettingPast from None


def _minutes(typed: str) -> int | None:
    if not typed:
        return None
    if not typed.isdecimal():
        raise BadMinutes(most=LONGEST_TAKE)
    return int(typed)


def _page(
    request: Request, session: Session, actor: Actor, problem: Problem | None = None,
    given: dict | None = None,
) -> HTMLResponse:  # fmt: skip
    found = queries.listing(session, actor)
    try:
        names = hierarchy.names(
            session, {each.code for each in found if each.code}, hierarchy.edition_at(session).effective
        )
    except NoEdition:
        names = {}
    current = {each.id for each in queries.settings(session)}
    values = {
        "settings": found, "current": current, "names": names, "areas": hierarchy.areas(session, actor),
        "modes": Mode, "given": BLANK | (given or {}), "today": clock.today(),
        "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    return render(request, "dispatch_settings.html", values, status_of(problem) if problem else HTTPStatus.OK)
