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
from gridmgr.account.model import Account, Role, RoleGrant
from gridmgr.account.rules import Actor, Grant
from gridmgr.category import queries as matters
from gridmgr.category.model import Category, CategoryKind
from gridmgr.clock import TimeUnit
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.simulation import rules
from gridmgr.simulation.model import City, Matter

FRONT = 6e-5  # degrees from a wall to where people stand before it: about 6 m


def city(session: Session, seed: int) -> City:
    """Return the district in force as the days of that seed need it."""
    return survey(
        hierarchy.frame(session, "micro_grid"),
        hierarchy.frame(session, "building"),
        map(matter, matters.in_force(session)),
        seed,
    )


def matter(category: Category) -> Matter:
    """Return a category as the days need it; one without a limit takes a working week."""
    amount, unit = category.limit_amount or 5.0, category.limit_unit or TimeUnit.WORKING_DAYS
    return Matter(
        category.code, category.name_zh, category.department, category.severity, amount, TimeUnit(unit),
        category.kind == CategoryKind.PLATFORM, category.filing_condition, category.closing_condition, category.simple,
    )  # fmt: skip


def survey(
    grids: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, matters: Iterable[Matter], seed: int
) -> City:
    """Return two frames (EPSG:4326) as a city, with the hotspots that seed plants in it."""
    grids = grids.sort_values("code", ignore_index=True)
    codes = grids["code"].to_numpy()
    homes = buildings[buildings["parent_code"].isin(codes)]
    homes = homes.sort_values(["parent_code", "code"], ignore_index=True)
    owner = np.searchsorted(codes, homes["parent_code"].to_numpy())
    shapes, walls = grids.geometry.to_numpy(), homes.geometry.to_numpy()
    centres = shapely.get_coordinates(shapely.centroid(to_metric(grids).geometry.to_numpy()))
    households = grids["households"].fillna(0).to_numpy(float)
    pull = households + 0.3 * households.mean() + 1e-9
    arrivals = rules.WORDS["arrivals"]
    return City(
        grids=tuple(codes),
        centres=centres,
        pull=pull / pull.sum(),
        middles=_lonlat(shapely.point_on_surface(shapes)),
        first_door=np.searchsorted(owner, np.arange(len(codes) + 1)),
        doors=_lonlat(shapely.point_on_surface(walls)),
        fronts=_lonlat(_fronts(walls, shapely.boundary(shapes)[owner])),
        addresses=tuple(homes["address"].fillna(homes["name"])),
        names=tuple(grids["name"]),
        a_day=max(arrivals["fewest_a_day"], households.sum() / arrivals["households_a_report"]),
        matters={each.code: each for each in matters},
        hotspots=rules.hotspots(seed, tuple(codes), centres, pull),
    )


def _fronts(homes: np.ndarray, rims: np.ndarray) -> np.ndarray:
    """Return points on the way from each building to the border nearest to it, outside its walls."""
    out = shapely.shortest_line(homes, rims)
    return shapely.line_interpolate_point(out, np.minimum(0.4 * shapely.length(out), FRONT))


def _lonlat(points: np.ndarray) -> np.ndarray:
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)]).round(7)


class CaseAt(NamedTuple):
    """How far a simulated case has come, and where it lies now."""

    number: str
    last_at: datetime
    level: str  # which level holds it
    codes: Mapping[str | None, str]  # of each level; None is the whole district
    handler: str | None = None  # the body at work
    handler_code: str | None = None  # of a unit, if its own people do it


def cases(session: Session, origin: str, keys: Iterable[str]) -> dict[str, CaseAt]:
    """Return the cases of those keys that exist, by key, with the instant of their last step."""
    places = (Incident.street_code, Incident.community_code, Incident.micro_grid_code)
    rows = session.execute(
        select(
            Incident.source_id,
            Incident.number,
            IncidentEvent.occurred_at,
            Incident.level,
            Incident.handler,
            Incident.handler_code,
            *places,
        )
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
            number,
            at,
            held,
            {None: ""} | {level: code or "" for level, code in zip(levels, codes, strict=True)},
            *at_work,
        )
        for key, number, at, held, *at_work, street, community, grid in rows
        for codes in ((street, community, grid),)
    }


People = Mapping[tuple[Role, str, str], Actor]


def staff(session: Session) -> People:
    """Return who works at each post (role, code, department).

    Of two at one post the demonstration account works: its cases are its own.
    """
    rows = session.execute(
        select(Account.id, Account.name, Account.body, RoleGrant.role, RoleGrant.code)
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .where(Account.active)
        .order_by(Account.demo, Account.id)
    )
    return {
        (Role(role), code, body or ""): Actor(number, name, (Grant(Role(role), code),), body=body)
        for number, name, body, role, code in rows
    }


def played(session: Session, origin: str) -> tuple[datetime | None, datetime | None]:
    """Return when the first and the last report of a simulation came in, None if it has not begun."""
    at = Incident.reported_at
    return tuple(session.execute(select(func.min(at), func.max(at)).where(Incident.origin == origin)).one())
