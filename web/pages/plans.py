"""How a file is to be read, sent by its form; and what was found in it, as a table and on a map."""

import json
from functools import lru_cache
from typing import Annotated

import geopandas as gpd
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile

import web.pages.chart as chart
from gis.crs import to_storage
from gis.errors import Problem
from gis.findings import KINDS
from gis.formats import read_layer
from gis.thematic import fault_map
from gridmgr.account.rules import Actor
from gridmgr.errors import NotFound
from gridmgr.hierarchy.model import COVERAGES
from gridmgr.importing import queries, service
from gridmgr.importing.model import BatchKind, ImportBatch
from web import i18n, words
from web.deps import Allow, Transaction
from web.errors import status_of
from web.pages.imports import Batch, describe, outcome, visible
from web.pages.mapping import grid_plan, incident_plan
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("grid.view"))]
PAGE = 100
DRAWN = 2000
MAPPING_LIMIT = 1 << 20


class NothingChecked(NotFound):
    """Import {batch} has no findings to show; it has not been checked yet."""


async def form_fields(request: Request) -> dict[str, str]:
    """Return the texts of a form whose field names are only known to the page."""
    form = await request.form(max_fields=2000)
    given = {name: value.replace("\0", "") for name, value in form.items() if isinstance(value, str)}
    mapping = form.get("mapping")
    if isinstance(mapping, UploadFile) and mapping.size:  # a file of TOML goes before the text on the page
        given["toml"] = (await mapping.read(MAPPING_LIMIT)).decode("utf-8-sig", "replace").replace("\0", "")
    return given


Given = Annotated[dict[str, str], Depends(form_fields)]


@router.post("/imports/{batch_id}/plan")
def plan(request: Request, session: Transaction, actor: Viewer, batch_id: Batch, given: Given) -> Response:
    """Take the description of a file and let the worker check it; show the form again if it cannot be used."""
    batch = visible(session, actor, batch_id)
    try:
        asked = grid_plan(batch, given) if batch.kind == BatchKind.GRIDS else incident_plan(given)
        service.ask_check(session, actor, batch_id, asked)
    except Problem as problem:
        values = outcome(session, batch) | {
            "form": describe(session, batch, given), "problem": i18n.say(problem), "again": True,
        }  # fmt: skip
        return render(request, "import.html", values, status_of(problem))
    return RedirectResponse(f"/imports/{batch_id}", 303)


@router.post("/imports/{batch_id}/form", response_class=HTMLResponse)
def reform(
    request: Request, session: Transaction, actor: Viewer, batch_id: Batch, given: Given
) -> HTMLResponse:
    """Show the form anew after another layer or another column of statuses was chosen."""
    batch = visible(session, actor, batch_id)
    given.pop("toml", None)
    template = "fragments/grid_form.html" if batch.kind == BatchKind.GRIDS else "fragments/incident_form.html"
    return render(request, template, {"batch": batch, "form": describe(session, batch, given)})


@router.get("/imports/{batch_id}/faults", response_class=HTMLResponse)
def faults(
    request: Request, session: Transaction, actor: Viewer, batch_id: Batch, kind: str = "", level: str = "",
    page: int = 1,
) -> HTMLResponse:  # fmt: skip
    """Show the single findings with their places."""
    batch = visible(session, actor, batch_id)
    found = queries.findings_of(batch)
    if found is None:
        raise NothingChecked(batch=batch_id)
    kind, level = kind if kind in KINDS else "", level if level in words.LEVELS else ""
    shown = found
    if kind:
        shown = shown[shown["kind"] == kind]
    if level:
        shown = shown[shown["level"] == level]
    page = min(max(page, 1), max(-(-len(shown) // PAGE), 1))
    here = shown.iloc[(page - 1) * PAGE : page * PAGE]
    values = {
        "batch": batch, "kind": kind, "level": level, "page": page, "pages": -(-len(shown) // PAGE),
        "number": len(shown), "rows": [_row(row) for _, row in here.iterrows()],
        "kinds": sorted(found["kind"].unique()),
        "levels": [each for each in words.LEVELS if each in set(found["level"])],
    }  # fmt: skip
    if is_fragment(request):
        return render(request, "fragments/faults.html", values)
    values["chart"] = _chart(batch, shown) if len(shown) else None
    return render(request, "faults.html", values)


def _row(row) -> dict:
    place = None if row.geometry is None or row.geometry.is_empty else row.geometry.representative_point()
    return {
        "kind": row["kind"], "severity": row["severity"], "level": row["level"], "code": row["code"],
        "text": words.finding(_detailed(row)), "lon": place.x if place else None, "lat": place.y if place else None,
    }  # fmt: skip


def _detailed(row) -> dict:
    values = dict(row)
    values["detail"] = json.loads(row["detail"]) if isinstance(row["detail"], str) else row["detail"]
    return values


def _chart(batch: ImportBatch, shown: gpd.GeoDataFrame):
    """Draw the findings over the outlines the file brought."""
    shown = shown.head(DRAWN)
    texts = [words.finding(_detailed(row)) for _, row in shown.iterrows()]
    kinds = [words.word(words.FINDINGS, kind) for kind in shown["kind"]]
    named = shown.assign(text=texts, kind_name=kinds, name=kinds)
    titles = {level: words.word(words.LEVELS, level) for level in COVERAGES} | {
        "findings": i18n._("Findings")
    }
    severities = {code: words.word(words.SEVERITIES, code) for code in words.SEVERITIES}
    return chart.parts(
        fault_map(
            named, _outlines(batch), titles=titles, fields={"kind_name": i18n._("Kind"), "text": i18n._("Finding")},
            severities=severities, words=chart.said(),
        )
    )  # fmt: skip


def _outlines(batch: ImportBatch) -> dict[str, gpd.GeoDataFrame]:
    asked = service.plan_of(batch)
    path = queries.file_of(batch)
    return {
        layer.level: drawn
        for layer in asked.layers
        if layer.level in COVERAGES
        and (
            drawn := _outline(
                path, layer.layer, layer.code, layer.name, asked.encoding, asked.crs, asked.datum
            )
        )
        is not None
    }


@lru_cache(maxsize=8)
def _outline(path, layer, code, name, encoding, crs, datum) -> gpd.GeoDataFrame | None:
    frame = to_storage(read_layer(path, layer, encoding=encoding, crs=crs).frame, crs, datum)
    solid = frame[frame.geometry.notna() & frame.geometry.is_valid]
    columns = {"code": solid[code].astype(str), "name": solid[name].astype(str)}
    return gpd.GeoDataFrame(columns, geometry=solid.geometry, crs=solid.crs) if len(solid) else None
