"""Duty: who is there now and next, a week of turns seat by seat, rosters from tables, leave and cover."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from http import HTTPStatus
from itertools import pairwise
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.tables as tables
from gis.errors import Problem
from gridmgr import clock, sheet
from gridmgr.account.model import NoSuchArea
from gridmgr.account.rules import Actor, can, require
from gridmgr.calendar.rules import instant
from gridmgr.duty import queries, rules, service
from gridmgr.duty.model import Hole, Shift
from gridmgr.duty.queries import Seated
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.sheet import Format
from gridmgr.words import ROLES
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("duty.view"))]
Leader = Annotated[Actor, Depends(Allow("duty.manage"))]
Typed = Annotated[text(32), Query()]
SEATS = 20  # on one page
AROUND = timedelta(days=14)  # of a week, in which a roster tells that a seat should be held
NOTHING_YET = {"username": "", "begins": "", "ends": "", "cover": "", "reason": ""}


@router.get("/duty", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, day: Annotated[text(20), Query()] = "",
    area: Typed = "", unit: Typed = "", after: Annotated[text(80), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """Show who is on duty for a unit, and the week of a day."""
    return _page(request, session, actor, day, area.strip(), unit.strip(), after)


def _page(
    request: Request, session: Session, actor: Actor, day: str = "", area: str = "", unit: str = "",
    after: str = "", given: Mapping[str, str] | None = None, problem: Problem | None = None,
) -> HTMLResponse:  # fmt: skip
    """Return the page; `given` is what somebody has typed, `problem` what is wrong with it."""
    monday = _monday(day)
    days = [monday + timedelta(days=n) for n in range(7)]
    begin, end = clock.midnight(monday), clock.midnight(monday, days=7)
    code, _, role = after.partition(" ")
    found = queries.page(session, actor, begin, end, area, SEATS + 1, (code, role) if role else None)
    shown = dict(list(found.items())[:SEATS])
    around = queries.turns(session, [(role, code) for code, role in shown], begin - AROUND, end + AROUND)
    gaps = rules.gaps(rules.holes(around))
    holes = [each for gap in gaps for each in gap.holes if each.begins < end and each.ends > begin]
    here = unit or _own(actor)
    duty, refusal = _duty(session, actor, here)
    leaves = queries.leaves(session, actor, clock.now()) if can(actor, "duty.manage") else []
    codes = {here, *(code for code, _ in shown), *(each.code for each in duty)}
    values = {
        "days": days, "today": clock.today(), "unit": here, "duty": duty,
        "area": area, "areas": hierarchy.areas(session, actor),
        "weeks": [monday - timedelta(days=7), monday + timedelta(days=7)],
        "seats": {(code, role): _week(days, turns, [h for h in holes if (h.code, h.role) == (code, role)])
                  for (code, role), turns in shown.items()},
        "odd": {each for gap in gaps if not gap.regular for each in gap.holes} & set(holes),
        "more": " ".join(list(shown)[-1]) if len(found) > SEATS else "",
        "leaves": leaves, "names": hierarchy.names(session, codes, clock.today()), "after": after,
        "given": NOTHING_YET | dict(given or {}), "refusal": i18n.say(refusal) if refusal else "",
        "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    fault = problem or refusal
    if is_fragment(request):
        return render(request, "fragments/duty.html", values, status_of(fault) if fault else HTTPStatus.OK)
    return render(request, "duty.html", values, status_of(fault) if fault else HTTPStatus.OK)


def _monday(typed: str) -> date:
    """Return the Monday of the week of a day, of this week if it is none."""
    try:
        found = sheet.day(typed) if typed else clock.today()
    except Problem:
        found = clock.today()
    found = min(max(found, clock.FIRST_DAY + AROUND), clock.LAST_DAY - 2 * AROUND)
    return found - timedelta(days=found.weekday())


def _own(actor: Actor) -> str:
    """Return the first area somebody works in: whoever opens the page wants to know of it."""
    return next((grant.code for grant in actor.grants if grant.code), "")


def _duty(session: Session, actor: Actor, unit: str) -> tuple[list[queries.Duty], Problem | None]:
    if not unit:
        return [], None
    try:
        require(actor, "duty.view", unit)
        if hierarchy.without_units(session, [unit]):
            raise NoSuchArea(code=unit)
    except Problem as problem:
        return [], problem
    return queries.on_duty(session, unit), None


def _week(
    days: list[date], turns: list[Seated], holes: list[Hole]
) -> list[tuple[date, list[Seated], list[Hole]]]:
    """Return the days of a week, each with the turns and the holes that begin on it, or before its first."""
    cells = []
    for day, following in pairwise([*days, days[-1] + timedelta(days=1)]):
        first = clock.midnight(day) if day > days[0] else clock.midnight(clock.FIRST_DAY)
        last = clock.midnight(following)
        cells.append(
            (
                day,
                [turn for turn in turns if first <= turn.shift.begins < last],
                [hole for hole in holes if first <= hole.begins < last],
            )
        )
    return cells


@router.post("/duty/shifts", response_class=HTMLResponse)
def bring(
    request: Request, session: Transaction, actor: Leader, file: Annotated[UploadFile, File()],
    do: Annotated[str, Form()] = "check",
) -> HTMLResponse:  # fmt: skip
    """Check a roster, or take it."""

    def work() -> dict[str, Any]:
        read = sheet.read(file.file.read(), file.filename or "", rules.SHIFTS)
        areas = partial(hierarchy.without_units, session)
        found = service.import_shifts(session, actor, read, areas)
        codes = {each.first.code for each in found.gaps}
        return {"found": found, "names": hierarchy.names(session, codes, clock.today())}

    return tables.bring(request, session, "shifts.html", do == "import", work)


@router.get("/duty.xlsx")
def take_away(
    session: Transaction, actor: Leader, day: Annotated[text(20), Query()] = "", area: Typed = ""
) -> Response:
    """Return the turns of a week as a table that can be brought back."""
    monday = _monday(day)
    begin, end = clock.midnight(monday), clock.midnight(monday, days=7)
    heads = [rules.SHIFTS[name].headings[0 if i18n.language.get() == "zh" else -1] for name in rules.SHIFTS]
    rows = (
        (username, i18n._(ROLES[each.role]), each.code, clock.local(each.begins).date().isoformat(),
         f"{clock.local(each.begins):%H:%M}-{_until(each)}",
         "substitute" if each.substitute else "main")
        for each, username, _ in queries.listing(session, actor, begin, end, area.strip(), sheet.MOST_ROWS)
        if each.begins >= begin
    )  # fmt: skip
    content = b"".join(sheet.stream(Format.XLSX, heads, rows))
    headers = {"Content-Disposition": 'attachment; filename="duty.xlsx"'}
    return Response(content, media_type=Format.XLSX.media, headers=headers)


def _until(turn: Shift) -> str:
    ends = clock.local(turn.ends)
    midnight = clock.midnight(clock.local(turn.begins).date(), days=1)
    return "24:00" if ends == midnight else f"{ends:%H:%M}"


@router.post("/duty/leave")
def grant_leave(
    request: Request, session: Transaction, actor: Leader, username: Annotated[text(64), Form()] = "",
    begins: Annotated[text(30), Form()] = "", ends: Annotated[text(30), Form()] = "",
    cover: Annotated[text(64), Form()] = "", reason: Annotated[text(100), Form()] = "",
) -> Response:  # fmt: skip
    """Let somebody be away."""
    try:
        with session.begin_nested():
            span = [instant(each, clock.zone()) for each in (begins, ends)]
            service.grant_leave(session, actor, username, *span, cover.strip(), reason.strip())
    except Problem as problem:
        given = {"username": username, "begins": begins, "ends": ends, "cover": cover, "reason": reason}
        return _page(request, session, actor, given=given, problem=problem)
    return RedirectResponse("/duty#leave", HTTPStatus.SEE_OTHER)


@router.post("/duty/leave/{leave_id}/end")
def end_leave(request: Request, session: Transaction, actor: Leader, leave_id: RowId) -> Response:
    """Take leave back that has not begun, or let it end now."""
    try:
        with session.begin_nested():
            service.end_leave(session, actor, leave_id)
    except Problem as problem:
        return _page(request, session, actor, problem=problem)
    return RedirectResponse("/duty#leave", HTTPStatus.SEE_OTHER)
