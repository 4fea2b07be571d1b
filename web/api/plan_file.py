"""Plans as files: taken away as a GeoPackage, drawn on in QGIS or elsewhere, brought back as one edit."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as File
from shutil import copyfileobj
from typing import Annotated, Any

import shapely
from fastapi import Depends, Form, Path, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.boundary_plan import queries as plans
from gridmgr.importing.rules import safe_name
from gridmgr.plan_edit.model import MOST_MENDED_M
from gridmgr.plan_file import queries, service
from gridmgr.plan_file.model import Brought
from web import words
from web.api.plan_difference import GEOPACKAGE, geopackage
from web.api.schema import file, problems, router
from web.deps import Allow, Transaction
from web.fields import BigRowId, RowId, text
from web.i18n import say

routes = router("plan")
Viewer = Annotated[Actor, Depends(Allow("plan.view"))]
Planner = Annotated[Actor, Depends(Allow("plan.draw"))]
PlanId = Annotated[RowId, Path(description="Id of the plan.")]
Layer = Annotated[
    text(100), Form(description="Which layer holds the micro-grids; found by its name unless told.")
]
Within = Annotated[
    float,
    Form(
        ge=0,
        le=MOST_MENDED_M,
        allow_inf_nan=False,
        description="Repair within so many metres; 0: not at all.",
    ),
]
MOST = 500  # findings of an answer


class FindingOut(BaseModel):
    """One fault of the file."""

    kind: str = Field(examples=["overlap"])
    text: str
    code: str | None = Field(examples=["510106001001001"])
    other: str | None = Field(examples=["510106001001002"])
    area_m2: float | None
    geometry: dict[str, Any] | None = Field(examples=[{"type": "Point", "coordinates": [104.06, 30.67]}])


class CheckedOut(BaseModel):
    """What a file would bring; nothing was kept."""

    layer: str
    columns: dict[str, str] = Field(description="Which of its columns are read as ours.")
    units: int
    notes: list[str]
    findings: list[FindingOut] = Field(description="What keeps it from being taken; of very many the first.")
    refused: str | None = Field(
        description="Why the plan would not take it although it has no such fault.",
        examples=["A unit is locked."],
    )


class BroughtOut(BaseModel):
    """The edit a file has become."""

    tip: int
    changed: list[str]
    gone: list[str]
    notes: list[str]


@routes.get(
    "/plans/{plan_id}/file.gpkg",
    response_class=Response,
    responses=file(GEOPACKAGE, "micro_grid, building and today.") | problems(404),
)
def take_plan_file(plan_id: PlanId, session: Transaction, actor: Viewer) -> Response:
    """Take a plan away as a GeoPackage, to be drawn on in QGIS and brought back."""
    return geopackage(queries.exported(session, actor, plan_id), f"plan_{plan_id}.gpkg")


@routes.post("/plans/{plan_id}/file/check", responses=problems(404))
def check_plan_file(
    plan_id: PlanId, session: Transaction, actor: Planner, file: UploadFile, layer: Layer = "",
    repair_m: Within = 0.0,
) -> CheckedOut:  # fmt: skip
    """Return all that is wrong with a map file for a plan; nothing is kept."""
    plan = plans.by_id(session, actor, plan_id)
    with kept(file) as path:
        found = queries.read(session, plan, path, layer or None, repair_m=repair_m)
    return CheckedOut(
        layer=found.layer, columns=found.columns, units=len(found.drawn), notes=list(map(say, found.notes)),
        findings=findings(found), refused=say(found.refused) if found.refused else None,
    )  # fmt: skip


@routes.post("/plans/{plan_id}/file", responses=problems(404, 409))
def bring_plan_file(
    plan_id: PlanId, session: Transaction, actor: Planner, file: UploadFile, layer: Layer = "",
    on_tip: Annotated[BigRowId | None, Form(description="Used where the file does not say it.")] = None,
    over: Annotated[bool, Form(description="Even if the plan was drawn on meanwhile.")] = False,
    repair_m: Within = 0.0,
) -> BroughtOut:  # fmt: skip
    """Take the micro-grids of a map file into a plan as one edit, which can be taken back."""
    with kept(file) as path:
        if over:
            on_tip = plans.by_id(session, actor, plan_id).tip_id
        done, found = service.bring(
            session, actor, plan_id, on_tip, path, layer or None, over=over, repair_m=repair_m
        )
    return BroughtOut(tip=done.tip, changed=done.changed, gone=done.gone, notes=list(map(say, found.notes)))


@contextmanager
def kept(file: UploadFile) -> Iterator[File]:
    """Keep an uploaded file under its own name while it is read."""
    with tempfile.TemporaryDirectory(prefix="gridmgr-") as folder:
        path = File(folder) / safe_name(file.filename or "")
        with path.open("wb") as out:
            copyfileobj(file.file, out)
        yield path


def findings(found: Brought) -> list[FindingOut]:
    """Return the faults of a file in the language of this request."""
    first = found.findings.head(MOST)
    shapes = shapely.to_geojson(first.geometry.to_numpy())
    return [
        FindingOut(
            kind=row["kind"], text=words.finding(row), code=row["code"], other=row["other"], area_m2=row["area_m2"],
            geometry=json.loads(shape) if shape else None,
        )
        for row, shape in zip(first.astype(object).where(first.notna(), None).to_dict("records"), shapes, strict=True)
    ]  # fmt: skip
