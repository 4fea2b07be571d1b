"""The weekly work report: one's own week, those of the people and the streets one leads, and both as tables."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from gis.errors import Problem
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor, can
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.sheet import Format
from gridmgr.weekly import queries, rules
from gridmgr.weekly.model import Work
from gridmgr.words import N_
from web import i18n
from web.api.weekly import listed
from web.deps import Allow, Transaction
from web.fields import text
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("weekly.view"))]
Typed = Annotated[text(32), Query()]
SHOWN = 200
COLUMNS = (
    N_("User name or code"), N_("Name"), N_("Body"), N_("Reports"), N_("Case steps"), N_("Pieces done"),
    N_("Limits met"), N_("Limits missed"), N_("Met"), N_("Hours on duty"),
)  # fmt: skip


@router.get("/weekly", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, day: Annotated[text(20), Query()] = "", by: Typed = "",
    area: Typed = "",
) -> HTMLResponse:  # fmt: skip
    """Show a week: of people, or of streets."""
    monday, by, area = _monday(day), "street" if by == "street" else "person", area.strip()
    found = listed(session, actor, monday, by, area)
    values = {
        "monday": monday, "sunday": monday + timedelta(days=6), "by": by, "area": area, "work": found[:SHOWN],
        "more": len(found) - SHOWN, "leads": bool(can(actor, "weekly.lead")), "shown": SHOWN,
        "weeks": [monday - timedelta(days=7), monday + timedelta(days=7)], "running": monday == _monday(""),
        "kept": queries.is_kept(session, monday), "areas": hierarchy.areas(session, actor),
        "formulas": list(rules.FORMULAS.values()), "own": actor.username,
    }  # fmt: skip
    return render(request, "weekly.html", values)


@router.get("/weekly.csv")
def as_csv(
    session: Transaction,
    actor: Viewer,
    day: Annotated[text(20), Query()] = "",
    by: Typed = "",
    area: Typed = "",
) -> Response:
    """Return a week as a CSV table."""
    return _table(Format.CSV, listed(session, actor, _monday(day), by, area.strip()), _monday(day))


@router.get("/weekly.xlsx")
def as_xlsx(
    session: Transaction,
    actor: Viewer,
    day: Annotated[text(20), Query()] = "",
    by: Typed = "",
    area: Typed = "",
) -> Response:
    """Return a week as an XLSX table."""
    return _table(Format.XLSX, listed(session, actor, _monday(day), by, area.strip()), _monday(day))


def _table(kind: Format, found: Iterable[Work], monday: date) -> Response:
    rows = (
        (each.key, each.name, each.body, each.reports, each.steps, each.pieces, each.met, each.missed,
         None if each.rate is None else round(each.rate, 4), each.hours)
        for each in found
    )  # fmt: skip
    content = b"".join(sheet.stream(kind, [i18n._(each) for each in COLUMNS], rows))
    headers = {"Content-Disposition": f'attachment; filename="weekly-{monday}.{kind.value}"'}
    return Response(content, media_type=kind.media, headers=headers)


def _monday(typed: str) -> date:
    """Return the Monday of the week of a typed day, of this week if it is none."""
    try:
        found = sheet.day(typed) if typed.strip() else clock.today()
    except Problem:
        found = clock.today()
    edge = timedelta(days=14)
    return rules.monday_of(min(max(found, clock.FIRST_DAY + edge), clock.LAST_DAY - edge))
