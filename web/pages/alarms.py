"""Alarms of the daily scan: their list, and one with its map, its days, its cases and its method."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.chart as chart
from gis.drawing import Choropleth, Class
from gis.errors import Problem
from gis.offline import MapParts
from gis.thematic import value_map
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor, can
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.scan import queries, rules, service
from gridmgr.scan.model import NoteNeeded
from gridmgr.scan.queries import Alarm, Search
from gridmgr.settings import settings
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.i18n import _
from web.pages.bars import bars
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("scan.view"))]
SIZE, CASES, TYPED = 50, 300, 10_000
INSIDE, AROUND = "#d95f0e", "#f0f0f0"
TABS = ("", "open", "weak")


@router.get("/alarms", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, tab: Annotated[text(8), Query()] = "",
    day: Annotated[text(20), Query()] = "", matter: Annotated[text(100), Query()] = "",
    before: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> HTMLResponse:  # fmt: skip
    """List the alarms in the reader's area, and say what was scanned last."""
    tab, chosen = tab if tab in TABS else "", _day(day)
    search = Search(chosen, matter or None, None, tab == "open", tab == "weak")
    found = queries.page(session, actor, search, SIZE + 1, before or None)
    last = queries.last_day(session)
    values = {
        "alarms": found[:SIZE], "more": found[SIZE - 1].cluster.id if len(found) > SIZE else 0, "tab": tab,
        "day": chosen, "matter": matter, "before": before, "called": called, "place": place,
        "last": last, "scans": queries.scans(session, last, rules.LEVELS[0]) if last else [],
        "names": _names(session, found[:SIZE]), "loud_days": settings().alarm_days, "card": rules.CARD,
    }  # fmt: skip
    return render(request, "alarms.html", values)


def _day(typed: str) -> date | None:
    try:
        return sheet.day(typed) if typed.strip() else None
    except Problem:
        return None


def called(scan: Any) -> str:
    """Return what a scan looked at in the language of this request."""
    return (scan.matter_en if i18n.language.get() == "en" else scan.matter) or _("All matters together")


def place(code: str, names: dict[str, str]) -> str:
    """Return what a unit is called, with the nearest unit around it that is known by name."""
    around = (names[code[:n]] for n in range(len(code) - 1, 0, -1) if code[:n] in names)
    return " ".join(filter(None, (next(around, ""), names.get(code, code))))


def _names(session: Session, found: list[Alarm]) -> dict[str, str]:
    """Return the names of the units of alarms, and of those around their centres."""
    codes = {code for alarm in found for code in alarm.codes}
    codes |= {alarm.codes[0][:n] for alarm in found for n in range(1, len(alarm.codes[0]))}
    return hierarchy.names(session, codes, max((each.scan.day for each in found), default=clock.today()))


@router.get("/alarms/{alarm_id:int}", response_class=HTMLResponse)
def one(
    request: Request, session: Transaction, actor: Viewer, alarm_id: Annotated[RowId, Path()]
) -> HTMLResponse:
    """Show one alarm."""
    return _page(request, session, actor, alarm_id)


@router.post("/alarms/{alarm_id:int}/look")
def look(
    request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow("scan.look"))],
    alarm_id: Annotated[RowId, Path()], note: Annotated[text(TYPED), Form()] = "",
) -> Response:  # fmt: skip
    """Say that one has looked at it, and what was found."""
    try:
        with session.begin_nested():
            service.look(session, actor, alarm_id, note.replace("\r\n", "\n"))
    except NoteNeeded as problem:
        return _page(request, session, actor, alarm_id, problem, note)
    return RedirectResponse(f"/alarms/{alarm_id}#looks", HTTPStatus.SEE_OTHER)


def _page(
    request: Request,
    session: Session,
    actor: Actor,
    alarm_id: int,
    problem: Problem | None = None,
    note: str = "",
) -> HTMLResponse:
    found = queries.alarm(session, actor, alarm_id)
    units, scan = queries.units(session, actor, alarm_id), found.scan
    cases = queries.cases_of(session, actor, alarm_id, CASES)
    days = list(zip(rules.days(scan.first_day), found.cluster.daily, strict=True))
    window = sum(day >= found.cluster.since for day, _counts in days)
    values = {
        "alarm": found, "units": units, "cases": cases, "days": days, "called": called, "place": place,
        "card": rules.CARD,
        "bars": bars([observed for _, (observed, _e) in days], [expected for _, (_o, expected) in days], window),
        "names": _names(session, [found]), "categories": matters.by_id(session), "note": note,
        "may_look": any(can(actor, "scan.look", code) for code in found.codes),
        "problem": i18n.say(problem) if problem else "", "loud_days": settings().alarm_days,
        "longest_note": rules.LONGEST_NOTE, "chart": _map(session, actor, found, cases),
    }  # fmt: skip
    return render(request, "alarm.html", values, status_of(problem) if problem else HTTPStatus.OK)


def _map(session: Session, actor: Actor, alarm: Alarm, cases: list[Incident]) -> MapParts | None:
    """Draw the cluster among its neighbours, with its cases; None where its units are on no map any more."""
    ground = queries.around(session, actor, alarm)
    if ground.empty:
        return None
    ground["part"] = ["inside" if code in alarm.codes else "around" for code in ground["code"]]
    classes = [Class("inside", INSIDE, _("In the cluster")), Class("around", AROUND, _("Around it"))]
    kinds, language = matters.by_id(session), i18n.language.get()
    items = [
        [
            each.id,
            each.number,
            *incidents.position(each),
            each.state,
            kinds[each.category_id].name(language),
            each.address,
        ]
        for each in cases
    ]
    drawn = value_map(
        ground,
        [Choropleth("part", _("Cluster"), classes)],
        points=chart.points(items=items),
        words=chart.said(),
    )
    return chart.parts(drawn)
