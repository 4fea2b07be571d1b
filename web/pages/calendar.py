"""The working calendar of a year: twelve months, single days, the notice, the hours of each area, a tester."""

import calendar
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.tables as tables
from gis.errors import Problem
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor
from gridmgr.calendar import queries, rules, service
from gridmgr.calendar.model import BadAmount, SpecialDay
from gridmgr.calendar.rules import DAYS
from gridmgr.clock import FIRST_DAY, TimeUnit
from gridmgr.hierarchy import queries as hierarchy
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import text
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("calendar.view"))]
Admin = Annotated[Actor, Depends(Allow("calendar.manage"))]
Area = Annotated[text(32), Form()]
YEARS = range(1990, 2100)
NOTHING_YET = {
    "amount": "4", "unit": TimeUnit.WORKING_HOURS.value, "since": "", "day": "", "kind": "", "name": "",
    "weekdays": "12345", "spans": "09:00-12:00, 14:00-18:00", "first_day": "",
}  # fmt: skip


@router.get("/calendar", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, year: str = "",
    code: Annotated[text(32), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """Show a year as an area works it."""
    try:
        queries.known(session, code.strip())
    except Problem as problem:
        return _page(request, session, actor, year, problem=problem)
    return _page(request, session, actor, year, code.strip())


def _page(
    request: Request, session: Session, actor: Actor, year: str = "", code: str = "",
    given: Mapping[str, str] | None = None, problem: Problem | None = None, **more: Any,
) -> HTMLResponse:  # fmt: skip
    """Return the page; `given` is what somebody has typed, `problem` what is wrong with it."""
    shown = int(year) if year.isdecimal() and len(year) == 4 and int(year) in YEARS else clock.today().year
    days, hours, today = queries.days(session, shown), queries.hours(session), clock.today()
    own = sorted((each for each in days if code.startswith(each.code)), key=lambda each: len(each.code))
    values = {
        "year": shown,
        "code": code,
        "months": [calendar.Calendar().monthdatescalendar(shown, month) for month in range(1, 13)],
        "calendar": queries.calendar_for(session, code),
        "days": {each.day: each for each in own},
        "elsewhere": {each.day for each in days if each not in own},
        "stretches": _stretches(days),
        "hours": hours,
        "holding": list({each.code: each for each in hours if each.first_day <= today}.values()),
        "always": FIRST_DAY,
        "names": hierarchy.names(session, {code, *(each.code for each in (*days, *hours))}, today),
        "areas": hierarchy.areas(session, actor),
        "given": NOTHING_YET | {"code": code} | dict(given or {}),
        "today": today,
        "units": TimeUnit,
        "problem": i18n.say(problem) if problem else "",
        "due": None,
        "due_problem": "",
    }
    return render(request, "calendar.html", values | more, status_of(problem) if problem else HTTPStatus.OK)


def _stretches(days: Iterable[SpecialDay]) -> list[tuple[SpecialDay, SpecialDay]]:
    """Return days on end with one kind, name and area as (first, last), by the first."""

    def alike(numbered: tuple[int, SpecialDay]) -> tuple:
        number, each = numbered
        return each.code, each.kind, each.name, each.day.toordinal() - number  # the same for days on end

    ordered = sorted(days, key=lambda each: (each.code, each.kind, each.name, each.day))
    groups = ([each for _, each in group] for _, group in groupby(enumerate(ordered), alike))
    return sorted(((group[0], group[-1]) for group in groups), key=lambda each: (each[0].day, each[0].code))


@router.post("/calendar/days", response_class=HTMLResponse)
def bring(
    request: Request, session: Transaction, actor: Admin, file: Annotated[UploadFile, File()],
    do: Annotated[str, Form()] = "check",
) -> HTMLResponse:  # fmt: skip
    """Check a notice of holidays, or take it."""

    def work() -> dict[str, Any]:
        read = sheet.read(file.file.read(), file.filename or "", DAYS)
        found = service.import_days(session, read)
        names = hierarchy.names(session, {each.code for each in found.rows}, clock.today())
        return {"found": found, "names": names}

    return tables.bring(request, session, "days.html", do == "import", work)


@router.post("/calendar/day")
def set_day(
    request: Request, session: Transaction, actor: Admin, day: Annotated[text(20), Form()] = "",
    code: Area = "", kind: Annotated[text(20), Form()] = "", name: Annotated[text(64), Form()] = "",
    do: Annotated[str, Form()] = "set",
) -> Response:  # fmt: skip
    """Make one day of an area a holiday or a make-up workday, or take that back."""
    try:
        with session.begin_nested():
            found = sheet.day(day)
            if do == "drop":
                service.drop_day(session, found, code.strip())
            else:
                service.set_day(session, found, code.strip(), rules.kind_of(kind), name.strip())
    except Problem as problem:
        session.expire_all()
        given = {"day": day, "code": code, "kind": kind, "name": name}
        return _page(request, session, actor, day[:4], given=given, problem=problem)
    return RedirectResponse(f"/calendar?year={found.year}#days", HTTPStatus.SEE_OTHER)


@router.post("/calendar/hours")
def set_hours(
    request: Request, session: Transaction, actor: Admin, first_day: Annotated[text(20), Form()] = "",
    code: Area = "", spans: Annotated[text(100), Form()] = "",
    weekdays: Annotated[list[str], Form(max_length=7)] = (), do: Annotated[str, Form()] = "set",
) -> Response:  # fmt: skip
    """Set when an area works from a day on, or let it work as the one around it, or take its hours back."""
    area = code.strip()
    try:
        with session.begin_nested():
            begins = sheet.day(first_day) if first_day else clock.today()
            if do == "drop":
                service.drop_hours(session, area, begins)
            elif do == "around":
                service.follow_around(session, area, begins)
            else:
                service.set_hours(session, area, begins, weekdays, spans)
    except Problem as problem:
        session.expire_all()
        given = {"code": code, "first_day": first_day, "spans": spans, "weekdays": "".join(weekdays)}
        return _page(request, session, actor, given=given if do != "drop" else {}, problem=problem)
    return RedirectResponse("/calendar#hours", HTTPStatus.SEE_OTHER)


@router.get("/calendar/due", response_class=HTMLResponse)
def due(
    request: Request, session: Transaction, actor: Viewer,
    amount: Annotated[text(20), Query()] = "", unit: TimeUnit = TimeUnit.WORKING_HOURS,
    code: Annotated[text(32), Query()] = "", since: Annotated[text(30), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """Say when a time limit ends, or why it does not."""
    values, status = {"due": None, "due_problem": ""}, HTTPStatus.OK
    try:
        start = rules.instant(since, clock.zone()) if since else clock.now()
        values["due"] = clock.local(queries.due(session, code.strip(), _amount(amount), unit, start))
    except Problem as problem:
        values["due_problem"], status = i18n.say(problem), status_of(problem)
    if is_fragment(request):
        return render(request, "fragments/due.html", values, status)
    given = {"amount": amount, "unit": unit.value, "code": code, "since": since}
    page = _page(request, session, actor, given=given, **values)
    page.status_code = status
    return page


def _amount(typed: str) -> float:
    try:
        return float(typed)
    except ValueError:
        raise BadAmount(value=typed, most=queries.MOST_AMOUNT) from None
