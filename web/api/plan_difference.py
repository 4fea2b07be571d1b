"""Comparisons of plans: with today or another plan, as numbers, tables, a map file, and on paper."""

import tempfile
from enum import StrEnum
from pathlib import Path as File
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gis.formats import write_layer
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor
from gridmgr.plan_difference import queries, rules
from gridmgr.plan_difference.model import TODAY, Difference, NotComparable, Side
from gridmgr.words import plan_difference as words
from web.api.geojson import MEDIA, collection
from web.api.schema import FEATURES, file, problems, router
from web.deps import Allow, Transaction
from web.fields import RowId, text
from web.i18n import _

routes = router("plan")
Viewer = Annotated[Actor, Depends(Allow("plan.view"))]
PlanId = Annotated[RowId, Path(description="Id of the plan.")]
With = Annotated[
    text(10), Query(alias="with", description="today, or the id of another plan.", examples=["today"])
]
GEOPACKAGE = "application/geopackage+sqlite3"
PAPER = "application/pdf"


class Table(StrEnum):
    """Which table leaves as CSV or XLSX."""

    PAIRS = "pairs"
    UNITS = "units"


class SideOut(BaseModel):
    """One of the two maps."""

    plan: int | None = Field(description="null: today's map.")
    name: str
    totals: dict[str, float]


class PairOut(BaseModel):
    """What lies in one unit and would lie in another."""

    was: str
    now: str
    buildings: int
    households: int
    population: int
    incidents: int = Field(description="Of the last 12 months.")
    open_cases: int
    area_m2: float


class UnitOut(BaseModel):
    """A unit that differs, each number as it was and as it would be; null where it is not there."""

    code: str
    name: str
    fate: str = Field(examples=["redrawn"])
    was: dict[str, float | None]
    now: dict[str, float | None]


class DifferenceOut(BaseModel):
    """What a plan does otherwise than today's map or another plan."""

    was: SideOut
    now: SideOut
    pairs: list[PairOut]
    units: list[UnitOut]


def found(plan_id: PlanId, session: Transaction, actor: Viewer, other: With = TODAY) -> Difference:
    """Return the comparison that is asked for.

    Raises
    ------
    NotComparable, UnknownPlan, OtherGround
    """
    return asked(session, actor, plan_id, other)


def asked(session: Session, actor: Actor, plan_id: int, other: str) -> Difference:
    """Return a plan beside today or another plan, as a text names it.

    Raises
    ------
    NotComparable, UnknownPlan, OtherGround
    """
    number = int(other) if other.isascii() and other.isdigit() else 0
    if other != TODAY and not 0 < number < 2**31:
        raise NotComparable(other=other)
    return queries.difference(session, actor, plan_id, number or None)


Found = Annotated[Difference, Depends(found)]


@routes.get("/plans/{plan_id}/compare", responses=problems(404))
def compare_plan(found: Found) -> DifferenceOut:
    """Compare a plan with today or another plan: what moves, pair by pair, and the units that differ."""
    pairs = found.ground.drop(columns="geometry").to_dict("records")
    units = [
        UnitOut(
            code=row[0], name=row[1], fate=row[2], was=dict(zip(rules.BESIDE, row[3::2], strict=True)),
            now=dict(zip(rules.BESIDE, row[4::2], strict=True)),
        )
        for row in rules.rows_of_units(found)
    ]  # fmt: skip
    return DifferenceOut(
        was=_side(found.was), now=_side(found.now), pairs=[PairOut(**row) for row in pairs], units=units
    )


@routes.get(
    "/plans/{plan_id}/compare.geojson",
    response_class=StreamingResponse,
    responses=file(MEDIA, "The ground that changes hands.", FEATURES) | problems(404),
)
def plan_difference_map(found: Found) -> StreamingResponse:
    """Return the ground that would belong to another unit, with what lies on it."""
    return collection(found.ground[found.ground.geometry.notna()], name="plan_difference.geojson")


@routes.get(
    "/plans/{plan_id}/compare.gpkg",
    response_class=Response,
    responses=file(GEOPACKAGE, "moved_ground, moved_building, micro_grid_was, micro_grid_now.")
    | problems(404),
)
def plan_difference_file(found: Found) -> Response:
    """Return the comparison as a GeoPackage for QGIS."""
    return geopackage(rules.layers(found), "plan_difference.gpkg")


@routes.get(
    "/plans/{plan_id}/compare.pdf",
    response_class=Response,
    responses=file(PAPER, "Totals, map and tables.") | problems(404),
)
def plan_difference_paper(found: Found, actor: Viewer) -> Response:
    """Return the comparison on paper."""
    content = rules.printed(found, {"by": actor.name, "at": clock.now()})
    return Response(content, media_type=PAPER, headers=_named("plan_difference.pdf"))


@routes.get(
    "/plans/{plan_id}/compare.{kind}",
    response_class=StreamingResponse,
    responses=file(sheet.Format.CSV.media, "One of the tables.") | problems(404),
)
def plan_difference_table(found: Found, kind: sheet.Format, table: Table = Table.PAIRS) -> StreamingResponse:
    """Return one of the tables of a comparison: what moves pair by pair, or the units that differ."""
    headings, rows = TABLES[table](found)
    name = f"plan_difference_{table}.{kind}"
    return StreamingResponse(sheet.stream(kind, headings, rows), media_type=kind.media, headers=_named(name))


def _pairs(found: Difference) -> tuple[list[str], list[list[Any]]]:
    return rules.headings_of_pairs(), rules.rows_of_pairs(found)


def _units(found: Difference) -> tuple[list[str], list[list[Any]]]:
    sides = (found.was.title or _("today's map"), found.now.title)
    numbers = [f"{_(each)}: {side}" for each in words.BESIDE.values() for side in sides]
    rows = [[*row[:2], _(words.FATES[row[2]]), *row[3:]] for row in rules.rows_of_units(found)]
    return [_("Code"), _("Name"), _("Change"), *numbers], rows


TABLES = {Table.PAIRS: _pairs, Table.UNITS: _units}


def geopackage(layers: dict, name: str) -> Response:
    """Answer with frames as the layers of a GeoPackage of that name."""
    with tempfile.TemporaryDirectory(prefix="gridmgr-") as folder:
        path = File(folder) / "layers.gpkg"
        for layer, frame in layers.items():
            write_layer(frame, path, layer=layer)
        content = path.read_bytes()
    return Response(content, media_type=GEOPACKAGE, headers=_named(name))


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _side(side: Side) -> SideOut:
    return SideOut(plan=side.plan, name=side.title, totals=side.totals)
