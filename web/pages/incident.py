"""One incident: what, where, its history in words, and the steps that can be taken now."""

from typing import Annotated

import geopandas as gpd
import pandas as pd
import shapely
from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from geoalchemy2.functions import ST_AsGeoJSON
from sqlalchemy.orm import Session

import web.pages.chart as chart
from gis.errors import Problem
from gis.thematic import place_map
from gridmgr import clock
from gridmgr.account.rules import PERMISSIONS, Actor, Role
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING, LEVELS, Edition, GridUnit
from gridmgr.incident import queries, rules, service
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.life import rules as life
from gridmgr.life.model import Action, BadField, State
from gridmgr.responsibility import queries as responsibility
from gridmgr.responsibility.model import Category
from web import i18n, words
from web.deps import Allow, Transaction
from web.errors import status_of
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
HANDLER_LIMIT = 100
NEIGHBOURS = 400  # buildings drawn around the place
Number = Annotated[str, Path(max_length=32, pattern=r"^[^\x00]*$")]


@router.get("/incidents/{number}", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, number: Number, new: bool = False
) -> HTMLResponse:
    """Show an incident."""
    return _page(request, session, actor, queries.by_number(session, actor, number), new=new)


@router.post("/incidents/{number}/{action}")
def move(
    request: Request, session: Transaction, actor: Viewer, number: Number, action: Action,
    seq: Annotated[int, Form()], note: Annotated[str, Form()] = "", handler: Annotated[str, Form()] = "",
    other_handler: Annotated[str, Form()] = "", into: Annotated[str, Form()] = "",
    satisfaction: Annotated[int | None, Form()] = None,
) -> Response:  # fmt: skip
    """Take one step; if somebody else was faster, say so and show how it stands now."""
    given = {
        "note": note,
        "handler": handler or other_handler,
        "into": into[:32],
        "satisfaction": satisfaction,
    }
    payload = {
        name: value.replace("\0", "").strip() if isinstance(value, str) else value
        for name, value in given.items()
        if value not in ("", None)
    }
    try:
        if len(str(payload.get("handler", ""))) > HANDLER_LIMIT:
            raise BadField(field="handler", value="…", expected=f"≤ {HANDLER_LIMIT}")
        with session.begin_nested():
            service.move(session, actor, number, action, payload, expected_seq=seq)
    except Problem as problem:
        session.expire_all()
        incident = queries.by_number(session, actor, number)
        return _page(request, session, actor, incident, problem=problem)
    return RedirectResponse(f"/incidents/{number}", 303)


def _page(
    request, session: Session, actor: Actor, incident: Incident, *, new=False, problem=None
) -> HTMLResponse:
    history = queries.history(session, incident.id)
    edition = session.get_one(Edition, incident.edition_id)
    units = _units(session, incident, edition)
    category = session.get_one(Category, incident.category_id)
    steps = life.actions_from(State(incident.state))
    values = {
        "incident": incident,
        "category": category,
        "history": history,
        "whole": _whole(incident, history),
        "units": units,
        "edition": edition,
        "actions": rules.steps(actor, incident),
        "next_step": steps[0] if steps else None,
        "next_roles": [role for role in Role if steps and role in PERMISSIONS[f"incident.{steps[0]}"]],
        "departments": _departments(session, category),
        "requires": life.REQUIRES,
        "chart": _chart(session, actor, incident, category, units, edition),
        "now": clock.now(),
        "new": new,
        "problem": i18n.say(problem) if problem else "",
    }
    return render(request, "incident.html", values, status_of(problem) if problem else 200)


def _departments(session: Session, category: Category) -> list[str]:
    """Return the departments of the categories in force, with the category's own."""
    known = {each.department for each in responsibility.in_force(session)} | {category.department}
    return sorted(filter(None, known))


def _units(session: Session, incident: Incident, edition: Edition) -> list[tuple[str, str, str]]:
    """Return (level, code, name) of the units that held the place on its day, coarse to fine."""
    codes = {level: getattr(incident, f"{level}_code") for level in LEVELS}
    names = hierarchy.names(session, codes.values(), edition.effective)
    return [(level, code, names.get(code, code)) for level, code in codes.items() if code]


def _whole(incident: Incident, history: list[IncidentEvent]) -> bool:
    """Tell whether every row of the history fits the hash of the row before, up to the one kept on the case."""
    digest = b""
    for expected, row in enumerate(history, start=1):
        digest = life.chain(
            digest, incident.number, row.seq, row.action, row.actor_name, row.occurred_at, row.payload
        )
        if row.seq != expected or digest != row.hash:
            return False
    return digest == incident.last_hash


def _buildings(session: Session, actor: Actor, incident: Incident, edition: Edition) -> list[dict]:
    """Return the buildings of the incident's micro-grid, as they stood on its day."""
    if not incident.micro_grid_code:
        return []
    asked = hierarchy.listing(
        session, actor, BUILDING, edition.effective, parent=incident.micro_grid_code
    ).with_only_columns(
        GridUnit.level, GridUnit.code, GridUnit.name, ST_AsGeoJSON(GridUnit.geom, 7).label("geometry")
    )
    return [dict(row._mapping) for row in session.execute(asked.limit(NEIGHBOURS))]


def _chart(session: Session, actor: Actor, incident: Incident, category: Category, units, edition: Edition):
    lon, lat = queries.position(session, incident)
    shapes = [
        {"level": level, "code": code, "name": name, "geometry": outline}
        for level, code, name in units
        if level != BUILDING and (outline := hierarchy.outline(session, level, code, edition.effective))
    ] + _buildings(session, actor, incident, edition)
    frame = pd.DataFrame(shapes, columns=["level", "code", "name", "geometry"])
    geometry = gpd.GeoSeries(shapely.from_geojson(list(frame.pop("geometry"))), crs=4326)
    item = [
        incident.id, incident.number, lon, lat, incident.state,
        category.name(i18n.language.get()), incident.description or incident.address,
    ]  # fmt: skip
    titles = {level: words.word(words.LEVELS, level) for level in LEVELS}
    return chart.parts(
        place_map(
            lon, lat, gpd.GeoDataFrame(frame, geometry=geometry, crs=4326), titles=titles,
            incident=chart.points(items=[item]), words=chart.said(),
        )
    )  # fmt: skip
