"""Incidents: report, list, look, take a step, and the points of a map."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.casebook import queries as casebook
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import LEVELS
from gridmgr.incident import queries, rules, service
from gridmgr.incident.model import Incident, IncidentEvent, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action
from gridmgr.sheet import Format
from gridmgr.situation import queries as situation
from web.api.examples import TABLE
from web.api.export import table
from web.api.headers import made
from web.api.incident_shapes import (
    NEXT,
    CategoryName,
    EventOut,
    HistoryPage,
    IncidentDetail,
    IncidentOut,
    IncidentPage,
    MapPoints,
    MoveIn,
    ReportIn,
)
from web.api.schema import TAGGED, file, problems, router
from web.api.search import Narrowed
from web.deps import Allow, Transaction
from web.etags import IfMatch, tag
from web.fields import BigRowId, Code, RowId
from web.i18n import language
from web.paging import Paging, paged

routes = router("incident")
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
Cursor = tuple[AwareDatetime | Annotated[int, Field(ge=0, le=9)], BigRowId]  # when or how severe, and which


@routes.get("/incidents")
def list_incidents(
    session: Transaction,
    actor: Viewer,
    search: Narrowed,
    paging: Annotated[Paging[casebook.Place], Depends(paged("incidents", Cursor))],
) -> IncidentPage:
    """List the visible incidents found, the newest first, page by page."""
    found = casebook.page(session, actor, search, paging.fetch, paging.after)
    place = partial(casebook.place, search)
    return paging.page(IncidentPage, found, place, lambda rows: outs(session, rows))


@routes.post("/incidents", status_code=201, responses=made("number", "number", *NEXT) | problems(404, 409))
def report_incident(
    told: ReportIn,
    session: Transaction,
    response: Response,
    actor: Annotated[Actor, Depends(Allow("incident.report"))],
) -> IncidentDetail:
    """File a report: its datum is converted, its place found on the day's map, its history opened.

    The same `source_id` from the same `origin` is the same report: it is answered, not filed again.
    """
    category = matters.by_code(session, told.category)
    values = told.model_dump(exclude={"category"}) | {"severity": told.severity or category.severity}
    incident = intake.report(session, actor, Report(category_id=category.id, **values))
    response.headers["Location"] = f"/api/incidents/{incident.number}"
    tag(response, incident.last_seq)
    return _detail(session, actor, incident)


@routes.get(
    "/incidents.csv",
    response_class=Response,
    responses=file(
        "text/csv", "UTF-8 with a byte order mark; texts that look like formulas begin with '.", example=TABLE
    ),
)
def export_incidents(
    actor: Annotated[Actor, Depends(Allow("incident.export"))], search: Narrowed
) -> Response:
    """Export the visible incidents found as a table, with headings in the caller's language."""
    headers = {"Content-Disposition": 'attachment; filename="incidents.csv"'}
    return StreamingResponse(table(actor, search, Format.CSV), media_type="text/csv", headers=headers)


@routes.get(
    "/incidents.xlsx",
    response_class=Response,
    responses=file(Format.XLSX.media, "A workbook; texts that look like formulas are texts."),
)
def export_workbook(actor: Annotated[Actor, Depends(Allow("incident.export"))], search: Narrowed) -> Response:
    """Export the visible incidents found as a workbook, with headings in the caller's language."""
    headers = {"Content-Disposition": 'attachment; filename="incidents.xlsx"'}
    content = table(actor, search, Format.XLSX)
    return StreamingResponse(content, media_type=Format.XLSX.media, headers=headers)


@routes.get("/incidents/{number}", responses=problems(404) | TAGGED)
def show_incident(number: Code, session: Transaction, actor: Viewer, response: Response) -> IncidentDetail:
    """Show one incident with its place, its standing, and the steps its reader may take now."""
    incident = queries.by_number(session, actor, number)
    tag(response, incident.last_seq)
    return _detail(session, actor, incident)


@routes.get("/incidents/{number}/history", responses=problems(404))
def show_history(
    number: Code, session: Transaction, actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("history", RowId))],
) -> HistoryPage:  # fmt: skip
    """Show the steps of an incident in order, each with its place in the hash chain."""
    incident = queries.by_number(session, actor, number)
    found = paging.behind(queries.history(session, incident.id), lambda row: row.seq)
    return paging.page(HistoryPage, found, lambda row: row.seq, lambda rows: map(_event, rows))


@routes.post("/incidents/{number}/moves", responses=problems(404, 409, 412))
def move_incident(
    number: Code, move: MoveIn, session: Transaction, actor: Viewer, match: IfMatch, response: Response
) -> IncidentDetail:
    """Take an incident one step along its life; each step needs its own permission, on its own place.

    With `expected_seq` (the `seq` last seen) a step is refused (409) when somebody was faster; with the
    ETag last seen in `If-Match` too (412), and then `details` says how the incident stands now.
    """
    if match.given:
        present = queries.locked(session, actor, number)
        match.check(present.last_seq, number=number, state=present.state, seq=present.last_seq)
    payload = move.payload.model_dump(exclude_none=True)
    incident = service.move(
        session, actor, number, Action(move.action), payload, expected_seq=move.expected_seq
    )
    tag(response, incident.last_seq)
    return _detail(session, actor, incident)


@routes.get("/map/incidents", response_model=MapPoints)
def map_incidents(
    session: Transaction,
    actor: Viewer,
    search: Narrowed,
    size: Annotated[int, Query(ge=1, le=100_000)] = 50_000,
) -> Response:
    """Return the newest visible incidents found as compact rows for a map."""
    found = situation.points(session, actor, search, size + 1)
    names = {str(row.id): row.name(language.get()) for row in matters.by_id(session).values()}
    return JSONResponse({"items": found[:size], "categories": names, "complete": len(found) <= size})


def _event(row: IncidentEvent) -> EventOut:
    return EventOut(
        seq=row.seq, action=row.action, state=row.state, actor=row.actor_name, occurred_at=row.occurred_at,
        recorded_at=row.recorded_at, payload=row.payload, hash=row.hash.hex(),
    )  # fmt: skip


def outs(session: Session, found: Sequence[Incident]) -> list[IncidentOut]:
    """Return incidents as lists show them."""
    categories = matters.by_id(session)
    return [IncidentOut(**_told(incident, categories[incident.category_id])) for incident in found]


def _told(incident: Incident, category: Category) -> Mapping[str, Any]:
    same = {name: getattr(incident, name) for name in IncidentOut.model_fields if hasattr(incident, name)}
    named = CategoryName(code=category.code, name_zh=category.name_zh, name_en=category.name_en)
    lon, lat = queries.position(incident)
    return same | {"category": named, "lon": lon, "lat": lat}


def _detail(session: Session, actor: Actor, incident: Incident) -> IncidentDetail:
    category = queries.category_of(session, incident)
    known = _told(incident, category)
    more = {name: getattr(incident, name) for name in IncidentDetail.model_fields if hasattr(incident, name)}
    codes = [getattr(incident, f"{level}_code") for level in LEVELS]
    names = hierarchy.names(session, codes, hierarchy.edition(session, incident.edition_id).effective)
    return IncidentDetail(
        **more
        | known
        | {"seq": incident.last_seq, "names": names, "actions": rules.steps(actor, incident, category)}
    )
