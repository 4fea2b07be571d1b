"""The four levels: editions, units, outlines, and locating points in them."""

import json
from datetime import date
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gis.datum import to_wgs84
from gis.locate import HOW
from gridmgr.account.rules import Actor
from gridmgr.hierarchy import queries
from gridmgr.hierarchy.model import LEVELS, Edition, GridUnit
from web.api.geojson import MEDIA, collection
from web.api.schema import FEATURES, file, problems, router
from web.deps import Allow, Transaction
from web.fields import Code, Datum, Day, Lat, Level, Lon, RowId, Utc, Words
from web.once import keyless
from web.paging import Page, Paging, paged

routes = router("hierarchy")
Viewer = Annotated[Actor, Depends(Allow("grid.view"))]
At = Annotated[Day | None, Query(description="The day whose map is meant; the one in force if not given.")]


class EditionOut(BaseModel):
    """A state of the map from `effective` on; `stamp` names its exact content, for tile addresses."""

    id: int = Field(examples=[2])
    effective: date
    title: str = Field(examples=["2013"])
    stamp: str = Field(examples=["2.9f86d081884c"])
    created_at: Utc


class UnitOut(BaseModel):
    """One unit of one level, in force from `valid_from` until before `valid_to`."""

    level: Level
    code: str = Field(examples=["510106001001"])
    name: str = Field(examples=["西安路社区"])
    parent_code: str | None = Field(examples=["510106001"])
    households: int | None
    population: int | None
    land_use: str | None
    address: str | None
    area_m2: float
    valid_from: date
    valid_to: date | None


class EditionPage(Page[EditionOut]):
    """Editions, the newest first."""


class UnitPage(Page[UnitOut]):
    """Units by code."""


class LineageOut(BaseModel):
    """What an edition did to a unit, with the share of the old area and households that went there."""

    effective: date
    level: Level
    kind: str = Field(examples=["reshaped"])
    old_code: str | None
    new_code: str | None
    area_share: float | None
    household_share: float | None


class UnitDetail(UnitOut):
    """A unit with its outline, the units above it, and its past."""

    path: list[UnitOut] = Field(description="From the street down to this unit.")
    lineage: list[LineageOut]
    geometry: dict[str, Any] = Field(description="GeoJSON MultiPolygon, EPSG:4326.")


class UnitName(BaseModel):
    """A unit's code and name."""

    code: str
    name: str | None


class PlaceOut(BaseModel):
    """The unit of each level that holds a point, or its nearest one, and how that was found."""

    street: UnitName | None
    community: UnitName | None
    micro_grid: UnitName | None
    building: UnitName | None
    how: str = Field(description="One of: " + ", ".join(HOW), examples=["inside"])
    distance_m: float | None = Field(description="Metres to the micro-grid, 0 inside it.")
    edition: str = Field(description="The stamp of the map that was asked.")


class PointsIn(BaseModel):
    """Many points of one datum, to be located on the map of one day."""

    datum: Datum
    at: Day | None = None
    points: list[tuple[Lon, Lat]] = Field(
        max_length=10_000, description="Longitude, latitude.", examples=[[[104.05, 30.70]]]
    )


class PlaceCodes(BaseModel):
    """The codes of the units that hold a point, or null, and how that was found."""

    street: str | None
    community: str | None
    micro_grid: str | None
    building: str | None
    how: str = Field(examples=["inside"])
    distance_m: float | None


class PlacesOut(BaseModel):
    """One answer a point, in the order given."""

    edition: str
    items: list[PlaceCodes]


class BuildingOut(BaseModel):
    """A building found by name, address or code, with a point inside it (WGS-84)."""

    code: str
    name: str
    address: str | None
    lon: float
    lat: float


class BuildingPage(Page[BuildingOut]):
    """Buildings by code."""


@routes.get("/editions")
def list_editions(
    session: Transaction, actor: Viewer, paging: Annotated[Paging[int], Depends(paged("editions", RowId))]
) -> EditionPage:
    """List the editions of the map, the newest first, page by page."""
    found = paging.behind(queries.editions(session), lambda row: row.id)
    return paging.page(EditionPage, found, lambda row: row.id, lambda rows: map(_edition, rows))


@routes.get("/grids", responses=problems(404))
def list_units(
    session: Transaction,
    actor: Viewer,
    level: Level,
    paging: Annotated[Paging[str], Depends(paged("grids", Code))],
    parent: Code | None = None,
    words: Annotated[Words, Query(description="Part of a name, code or address.")] = "",
    at: At = None,
) -> UnitPage:
    """List the visible units of a level by code, page by page."""
    asked = queries.listing(session, actor, level, _day(session, at), parent=parent, words=words)
    found = queries.page(session, asked, paging.fetch, paging.after)
    return paging.page(UnitPage, found, lambda row: row.code, lambda rows: map(_out, rows))


@routes.get(
    "/grids/{level}.geojson",
    response_class=Response,
    responses=file(MEDIA, "A FeatureCollection, EPSG:4326.", FEATURES) | problems(404),
)
def export_units(
    level: Level, session: Transaction, actor: Annotated[Actor, Depends(Allow("grid.export"))], at: At = None
) -> Response:
    """Export the visible units of a level with their outlines as GeoJSON."""
    return collection(
        queries.frame(session, level, _day(session, at), actor), id="code", name=f"{level}.geojson"
    )


@routes.get("/grids/{code:path}", responses=problems(404))
def show_unit(code: Code, session: Transaction, actor: Viewer, at: At = None) -> UnitDetail:
    """Show one unit with its outline, the units above it, and what editions did to it."""
    day = _day(session, at)
    unit = queries.unit(session, actor, code, day)
    return UnitDetail(
        **_out(unit).model_dump(),
        path=[_out(each) for each in queries.path_to(session, unit, day)],
        lineage=[
            LineageOut(
                effective=edition.effective, level=row.level, kind=row.kind, old_code=row.old_code,
                new_code=row.new_code, area_share=row.area_share, household_share=row.household_share,
            )
            for row, edition in queries.lineage_of(session, code)
        ],
        geometry=json.loads(queries.outline(session, unit.level, code, day)),
    )  # fmt: skip


@routes.get("/locate", responses=problems(404))
def locate_point(
    session: Transaction, actor: Viewer, lon: Lon, lat: Lat, datum: Datum, at: At = None
) -> PlaceOut:
    """Find the units that hold a point; one on a shared border, in a gap or outside has one fixed answer.

    Codes and names of the map are no secret within the house, so any place may be asked.
    """
    edition = queries.edition_at(session, at)
    east, north = to_wgs84(lon, lat, datum)
    place = queries.locator(session, edition.effective).one(float(east), float(north))
    codes = {level: getattr(place, level) for level in LEVELS}
    names = queries.names(session, codes.values(), at or edition.effective)
    units = {
        level: UnitName(code=code, name=names.get(code)) if code else None for level, code in codes.items()
    }
    return PlaceOut(**units, how=place.how, distance_m=_finite(place.distance_m), edition=edition.stamp)


@routes.post("/locate", responses=problems(404))
@keyless("it only reads")
def locate_points(asked: PointsIn, session: Transaction, actor: Viewer) -> PlacesOut:
    """Find the units that hold each of many points."""
    edition = queries.edition_at(session, asked.at)
    lon, lat = np.array(asked.points, float).reshape(-1, 2).T
    found = queries.locator(session, edition.effective).locate(*to_wgs84(lon, lat, asked.datum))
    codes = [found.codes(level) for level in LEVELS]
    rows = zip(*codes, found.how, found.distance_m, strict=True)
    items = [
        PlaceCodes(
            **dict(zip(LEVELS, row[:4], strict=True)), how=HOW[row[4]], distance_m=_finite(float(row[5]))
        )
        for row in rows
    ]
    return PlacesOut(edition=edition.stamp, items=items)


@routes.get("/buildings", responses=problems(404))
def search_buildings(
    session: Transaction, actor: Viewer, words: Words,
    paging: Annotated[Paging[str], Depends(paged("buildings", Code, size=12))],
) -> BuildingPage:  # fmt: skip
    """Search visible buildings by part of their name, address or code, page by page."""
    found = queries.building_search(session, actor, words, paging.fetch, paging.after)
    return paging.page(
        BuildingPage, found, lambda row: row["code"], lambda rows: (BuildingOut(**row) for row in rows)
    )


def _day(session: Session, at: date | None) -> date:
    return at or queries.edition_at(session).effective


def _edition(edition: Edition) -> EditionOut:
    return EditionOut.model_validate(edition, from_attributes=True)


def _out(unit: GridUnit) -> UnitOut:
    return UnitOut.model_validate(unit, from_attributes=True)


def _finite(metres: float) -> float | None:
    return metres if np.isfinite(metres) else None
