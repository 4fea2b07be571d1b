"""What the simulation reads: the ground and the categories its days are played on, and where its cases stand."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gis.crs import to_metric
from gridmgr.clock import TimeUnit
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.responsibility import queries as responsibility
from gridmgr.responsibility.model import Category, CategoryKind
from gridmgr.simulation import rules
from gridmgr.simulation.model import City, Matter

CORNERS = 8  # street corners kept for each micro-grid
SET_BACK = 0.08  # of the way from the border to the middle: on the street, and inside for certain


def city(session: Session, seed: int) -> City:
    """Return the district in force as the days of that seed need it."""
    return survey(
        hierarchy.frame(session, "micro_grid"),
        hierarchy.frame(session, "building"),
        map(matter, responsibility.in_force(session)),
        seed,
    )


def matter(category: Category) -> Matter:
    """Return a category as the days need it; one without a limit takes a working week."""
    amount, unit = category.limit_amount or 5.0, category.limit_unit or TimeUnit.WORKING_DAYS
    return Matter(
        category.code, category.name_zh, category.department, category.severity, amount, TimeUnit(unit),
        category.kind == CategoryKind.PLATFORM, category.filing_condition, category.closing_condition,
    )  # fmt: skip


def survey(
    grids: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, matters: Iterable[Matter], seed: int
) -> City:
    """Return two frames (EPSG:4326) as a city, with the hotspots that seed plants in it."""
    grids = grids.sort_values("code", ignore_index=True)
    codes = grids["code"].to_numpy()
    homes = buildings[buildings["parent_code"].isin(codes)].sort_values("code", ignore_index=True)
    owner = np.searchsorted(codes, homes["parent_code"].to_numpy())
    order = np.argsort(owner, kind="stable")
    middles = shapely.point_on_surface(homes.geometry.values[order])
    metric = shapely.centroid(to_metric(grids).geometry.values)
    centres = np.column_stack([shapely.get_x(metric), shapely.get_y(metric)])
    households = grids["households"].fillna(0).to_numpy(float)
    pull = households + 0.3 * households.mean() + 1e-9
    arrivals = rules.WORDS["arrivals"]
    return City(
        grids=tuple(codes),
        centres=centres,
        pull=pull / pull.sum(),
        corners=_corners(grids.geometry.to_numpy()),
        first_door=np.searchsorted(owner[order], np.arange(len(codes) + 1)),
        doors=np.column_stack([shapely.get_x(middles), shapely.get_y(middles)]).round(7),
        addresses=tuple(homes["address"].fillna(homes["name"]).to_numpy()[order]),
        names=tuple(grids["name"]),
        a_day=max(arrivals["fewest_a_day"], households.sum() / arrivals["households_a_report"]),
        matters={each.code: each for each in matters},
        hotspots=rules.hotspots(seed, tuple(codes), centres, pull),
    )


def _corners(shapes: np.ndarray) -> np.ndarray:
    """Return points along each border, a little inside it, shape (N, CORNERS, 2)."""
    rims = shapely.get_exterior_ring(shapely.get_geometry(shapes, 0))
    middle = shapely.point_on_surface(shapes)
    at = np.arange(CORNERS) / CORNERS
    on_rim = shapely.line_interpolate_point(rims[:, None], at[None, :], normalized=True)
    rim = np.stack([shapely.get_x(on_rim), shapely.get_y(on_rim)], axis=-1)
    inner = np.stack([shapely.get_x(middle), shapely.get_y(middle)], axis=-1)[:, None, :]
    corners = (rim + SET_BACK * (inner - rim)).round(7)
    shapely.prepare(shapes)
    inside = shapely.contains_xy(shapes[:, None], corners[..., 0], corners[..., 1])
    return np.where(inside[..., None], corners, inner)


class CaseAt(NamedTuple):
    """How far a simulated case has come, and where it lies now."""

    number: str
    last_at: datetime
    codes: Mapping[str | None, str]  # of each level; None is the whole district


def cases(session: Session, origin: str, keys: Iterable[str]) -> dict[str, CaseAt]:
    """Return the cases of those keys that exist, by key, with the instant of their last step."""
    places = (Incident.street_code, Incident.community_code, Incident.micro_grid_code)
    rows = session.execute(
        select(Incident.source_id, Incident.number, IncidentEvent.occurred_at, *places)
        .join(IncidentEvent, IncidentEvent.incident_id == Incident.id)
        .where(
            Incident.origin == origin,
            Incident.source_id.in_(list(keys)),
            IncidentEvent.seq == Incident.last_seq,
        )
    )
    levels = ("street", "community", "micro_grid")
    return {
        key: CaseAt(
            number, at, {None: ""} | {level: code or "" for level, code in zip(levels, codes, strict=True)}
        )
        for key, number, at, *codes in rows
    }


def played(session: Session, origin: str) -> tuple[datetime | None, datetime | None]:
    """Return when the first and the last report of a simulation came in, None if it has not begun."""
    at = Incident.reported_at
    return tuple(session.execute(select(func.min(at), func.max(at)).where(Incident.origin == origin)).one())
