"""The working calendar of a year: twelve months, the notice to import, the hours of each area, a tester."""

import calendar
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gis.errors import Problem
from gridmgr import clock, db, sheet
from gridmgr.account.rules import Actor
from gridmgr.calendar import queries, service
from gridmgr.calendar.rules import DAYS
from gridmgr.clock import TimeUnit
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.sheet import BadSheet
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import text
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("calendar.view"))]
Admin = Annotated[Actor, Depends(Allow("calendar.manage"))]
YEARS = range(1990, 2100)


@router.get("/calendar", response_class=HTMLResponse)
def show(request: Request, session: Transaction, actor: Viewer, year: str = "") -> HTMLResponse:
    """Show a year."""
    return _page(request, session, year)


def _page(
    request: Request, session: Transaction, year: str = "", problem: Problem | None = None
) -> HTMLResponse:
    shown = int(year) if year.isdecimal() and len(year) == 4 and int(year) in YEARS else clock.today().year
    days = queries.days(session, shown)
    values = {
        "year": shown,
        "months": [calendar.Calendar().monthdatescalendar(shown, month) for month in range(1, 13)],
        "days": {each.day: each for each in days if not each.code},
        "own_days": [each for each in days if each.code],
        "hours": queries.hours(session),
        "today": clock.today(),
        "units": TimeUnit,
        "problem": i18n.say(problem) if problem else "",
    }
    return render(request, "calendar.html", values, status_of(problem) if problem else 200)


@router.post("/calendar/days", response_class=HTMLResponse)
def bring(
    request: Request, session: Transaction, actor: Admin, file: Annotated[UploadFile, File()],
    do: Annotated[str, Form()] = "check",
) -> HTMLResponse:  # fmt: skip
    """Check a notice of holidays, or take it."""
    values: dict = {"errors": [], "problem": "", "found": None, "taken": do == "import"}
    status = HTTPStatus.OK
    try:
        with db.rehearsed(session, keep=values["taken"]):
            read = sheet.read(file.file.read(), file.filename or "", DAYS)
            areas = partial(hierarchy.without_units, session)
            values["found"] = service.import_days(session, read, areas)
    except BadSheet as problem:
        values["errors"], status = problem.errors, status_of(problem)
    except Problem as problem:
        values["problem"], status = i18n.say(problem), status_of(problem)
    template = "fragments/days.html" if is_fragment(request) else "days.html"
    return render(request, template, values, status)


@router.post("/calendar/hours")
def set_hours(
    request: Request, session: Transaction, actor: Admin, spans: Annotated[text(100), Form()],
    code: Annotated[text(32), Form()] = "", weekdays: Annotated[list[str], Form()] = (),
    drop: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Set when an area works, or let it work as the one around it does."""
    try:
        with session.begin_nested():
            if drop:
                service.drop_hours(session, code.strip())
            else:
                week = [int(day) for day in weekdays if day.isdecimal() and len(day) == 1]
                service.set_hours(session, code.strip(), week, spans)
    except Problem as problem:
        session.expire_all()
        return _page(request, session, problem=problem)
    return RedirectResponse("/calendar#hours", 303)


@router.get("/calendar/due", response_class=HTMLResponse)
def due(
    request: Request, session: Transaction, actor: Viewer, amount: Annotated[str, Query(max_length=8)] = "",
    unit: str = "", code: Annotated[text(32), Query()] = "", since: Annotated[str, Query(max_length=20)] = "",
) -> HTMLResponse:  # fmt: skip
    """Say when a time limit ends."""
    try:
        length, start, how = float(amount), _instant(since), TimeUnit(unit)
    except ValueError:
        length = 0.0
    sound = 0 < length <= 1000 and start.year in YEARS
    end = queries.calendar_for(session, code.strip()).due(start, length, how) if sound else None
    return render(request, "fragments/due.html", {"end": end})


def _instant(typed: str) -> datetime:
    return datetime.fromisoformat(typed).replace(tzinfo=clock.zone()) if typed else clock.now()
