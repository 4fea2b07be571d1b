"""Reads of redrawing: proposals for the micro-grids of a community, from its buildings and its incidents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gis import proposal
from gis.crs import metric_crs, to_metric
from gis.faces import redrawn
from gis.ground import united
from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.grid_code import queries as grid_codes
from gridmgr.grid_code.rules import free_codes
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING, GridUnit
from gridmgr.incident.model import Incident
from gridmgr.incident.queries import visible
from gridmgr.life.rules import OUT
from gridmgr.redraw.model import (
    MEASURES,
    MOST_GRIDS,
    MOST_PROPOSALS,
    AllLocked,
    LockedElsewhere,
    NotACommunity,
    NothingAsked,
    StrangeNumber,
    UnknownMeasure,
)
from gridmgr.redraw.rules import inherited, reading_order

DAYS = 365  # of incidents that count


@dataclass(frozen=True)
class Wish:
    """What is asked for: how many micro-grids in all, balanced by what, and which stay as they are."""

    number: int
    measures: tuple[str, ...] = ("households",)
    locked: tuple[str, ...] = ()
    proposals: int = 3

    def __post_init__(self):
        for each in ("measures", "locked"):  # named twice is named
            object.__setattr__(self, each, tuple(dict.fromkeys(getattr(self, each))))


@dataclass(frozen=True)
class Ground:
    """A community as it is: its micro-grids, and its buildings with what counts."""

    community: GridUnit
    grids: gpd.GeoDataFrame  # by code: name, geometry, and a column for each of MEASURES
    buildings: gpd.GeoDataFrame  # by code: micro_grid, geometry, and a column for each of MEASURES


@dataclass(frozen=True)
class Proposed:
    """One way to draw the micro-grids, locked ones among them, and how good it is."""

    grids: gpd.GeoDataFrame  # by code: is_new, locked, the measures, deviation, compactness, geometry
    deviation: float  # of the grids drawn: the farthest from the mean of any measure
    border_m: float
    buildings_moved: int  # that are in a grid of another code than today
    households_moved: int


def ground(session: Session, actor: Actor, code: str, measures: Sequence[str] = ()) -> Ground:
    """Return a community with its micro-grids and buildings as they are today.

    Raises
    ------
    UnknownUnit, NoEdition
    NotACommunity
    UnknownMeasure
        One of the measures to be looked at is none.
    """
    for each in measures:
        if each not in MEASURES:
            raise UnknownMeasure(measure=each[:40], known=", ".join(MEASURES))
    day = max(clock.today(), hierarchy.edition_at(session).effective)
    community = hierarchy.unit(session, actor, code, day)
    if community.level != "community":
        raise NotACommunity(code=code)
    grids = _units(session, "micro_grid", community.code, day)
    buildings = _units(session, BUILDING, None, day, among=grids.index)
    buildings = buildings.rename(columns={"parent_code": "micro_grid"})
    buildings["buildings"] = 1
    buildings["incidents"] = _incidents(session, actor, community.code, buildings)
    sums = buildings.groupby("micro_grid")[list(MEASURES)].sum().reindex(grids.index, fill_value=0)
    grids = grids.drop(columns=["households", "population", "parent_code"]).join(sums)
    return Ground(community, grids, buildings)


def _units(
    session: Session, level: str, parent: str | None, day, among: Sequence[str] = ()
) -> gpd.GeoDataFrame:
    holders = [parent] if parent else list(among)
    rows = session.execute(
        select(
            GridUnit.code, GridUnit.name, GridUnit.parent_code, GridUnit.households, GridUnit.population,
            func.ST_AsBinary(GridUnit.geom),
        )
        .where(GridUnit.level == level, GridUnit.parent_code.in_(holders), hierarchy.valid_at(day))
        .order_by(GridUnit.code)
    ).all()  # fmt: skip
    data = pd.DataFrame(
        [row[1:5] for row in rows], columns=["name", "parent_code", "households", "population"],
        index=pd.Index([row[0] for row in rows], dtype=object, name="code"),
    )  # fmt: skip
    data[["households", "population"]] = data[["households", "population"]].fillna(0).astype(int)
    shapes = shapely.from_wkb(np.array([bytes(row[5]) for row in rows], dtype=object))
    return gpd.GeoDataFrame(data, geometry=shapes, crs="EPSG:4326")


def _incidents(session: Session, actor: Actor, code: str, buildings: gpd.GeoDataFrame) -> np.ndarray:
    """How many incidents of the last year are nearest to each building, those that were no matter left out."""
    since = clock.now() - timedelta(days=DAYS)
    rows = session.execute(
        visible(actor)
        .where(Incident.community_code == code, Incident.reported_at >= since, Incident.state.not_in(OUT))
        .with_only_columns(func.ST_X(Incident.geom), func.ST_Y(Incident.geom))
    ).all()
    if not rows or not len(buildings):
        return np.zeros(len(buildings), dtype=int)
    crs = metric_crs(buildings)  # a degree towards the north is longer than one towards the east
    points = to_metric(
        gpd.GeoSeries.from_xy(*np.array([tuple(row) for row in rows]).T, crs=buildings.crs), crs
    )
    walls = shapely.STRtree(to_metric(buildings.geometry, crs).to_numpy())
    _, nearest = walls.query_nearest(points.to_numpy(), all_matches=False)
    return np.bincount(nearest, minlength=len(buildings))


def proposals(session: Session, found: Ground, wish: Wish) -> list[Proposed]:
    """Return ways to draw the micro-grids of a community, the best balanced first.

    Codes go on where most of a grid's households stay; the others are new, in reading order, and none
    that was retired is used again.

    Raises
    ------
    StrangeNumber, NothingAsked, UnknownMeasure, LockedElsewhere, AllLocked
        The wish cannot be understood.
    OneOutweighs, TooManyZones, TooFewZones, NothingToBalance, NoBuildings
        It cannot be fulfilled, and why.
    CodesUsedUp
    """
    _check(wish)
    for each in wish.locked:
        if each not in found.grids.index:
            raise LockedElsewhere(code=each, community=found.community.name)
    number = wish.number - len(wish.locked)
    if number < 1:
        raise AllLocked(locked=len(wish.locked), number=wish.number)
    open_grids = found.grids.drop(index=list(wish.locked))
    free = found.buildings[~found.buildings["micro_grid"].isin(wish.locked)]
    area = united(open_grids.geometry.to_numpy())
    used = grid_codes.used(session, found.community.code)
    drawn = proposal.propose(free, area, number, wish.measures, seeds=range(2 * wish.proposals))
    return [_named(found, wish, each, used) for each in drawn[: wish.proposals]]


def _check(wish: Wish) -> None:
    if not 1 <= wish.number <= MOST_GRIDS or not 1 <= wish.proposals <= MOST_PROPOSALS:
        raise StrangeNumber(number=wish.number, most=MOST_GRIDS)
    if not wish.measures:
        raise NothingAsked(known=", ".join(MEASURES))
    for each in wish.measures:
        if each not in MEASURES:
            raise UnknownMeasure(measure=each[:40], known=", ".join(MEASURES))


def _named(found: Ground, wish: Wish, drawn: proposal.Proposal, used: set[str]) -> Proposed:
    """Give the grids drawn their codes, put the locked ones beside them, and count who would move."""
    codes = _codes(found, drawn, used)
    sums = found.buildings.loc[drawn.home.index, list(MEASURES)].groupby(drawn.home).sum()
    sums = sums.reindex(drawn.grids.index, fill_value=0)  # a park between locked grids holds nothing
    new = drawn.grids.drop(columns=[*wish.measures, "buildings"], errors="ignore").join(sums)
    new = new.assign(code=[codes[each] for each in new.index], locked=False).set_index("code")
    mean = new[list(wish.measures)].mean().replace(0, np.nan)
    off = new[list(wish.measures)] / mean - 1
    new["deviation"] = [float(row[np.argmax(np.abs(row))]) for row in off.fillna(0).to_numpy()]
    locked = found.grids.loc[list(wish.locked)].drop(columns="name").assign(locked=True, deviation=np.nan)
    grids = pd.concat([new, locked]).sort_index()
    grids["is_new"] = ~grids.index.isin(found.grids.index)
    home = drawn.home.map(codes)
    moved = found.buildings.loc[home.index]
    moved = moved[moved["micro_grid"] != home]
    frame = gpd.GeoDataFrame(grids, crs=found.grids.crs)
    return Proposed(frame, drawn.deviation, drawn.border_m, len(moved), int(moved["households"].sum()))


def _codes(found: Ground, drawn: proposal.Proposal, used: set[str]) -> dict[int, str]:
    before = found.buildings.loc[drawn.home.index, "micro_grid"]
    # A building without households counts a little, so that grids of offices go on, too.
    weight = found.buildings.loc[drawn.home.index, "households"] + 0.01
    both = weight.groupby([before, drawn.home]).sum()
    codes = inherited([(old, int(new), float(held)) for (old, new), held in both.items()])
    middle = shapely.get_coordinates(shapely.centroid(drawn.grids.geometry.to_numpy()))
    order = [each for each in reading_order(*middle.T) if each not in codes]
    return codes | dict(zip(order, free_codes(found.community.code, used, len(order)), strict=True))


def level_with(session: Session, actor: Actor, found: Ground, proposed: Proposed) -> gpd.GeoDataFrame:
    """Return the level of micro-grids, as far as the actor sees it, with a proposal in the community's place.

    Raises
    ------
    NotGranted, OutsideGrant
        The actor may not take grids out of the house.

    Neighbours over the community's border get a vertex where a new border meets it, and no more; so what
    comes out is a coverage that can be brought in as the next edition.
    """
    require(actor, "grid.export", found.community.code)
    day = max(clock.today(), hierarchy.edition_at(session).effective)
    level = hierarchy.frame(session, "micro_grid", day, actor).set_index("code")
    drawn = proposed.grids[~proposed.grids["locked"]]
    open_codes = set(found.grids.index) - set(proposed.grids.index[proposed.grids["locked"]])
    tree = shapely.STRtree(drawn.geometry.to_numpy())

    def label(face: np.ndarray, home: np.ndarray) -> np.ndarray:
        code = home.copy()
        place, zone = tree.query(shapely.point_on_surface(face), predicate="within")
        ours = np.isin(home[place], list(open_codes))
        code[place[ours]] = drawn.index.to_numpy()[zone[ours]]
        return code

    shapes = redrawn(level.geometry, list(shapely.boundary(drawn.geometry.to_numpy())), label)
    names = level["name"].to_dict() | {code: level["name"].get(code, code[-3:]) for code in drawn.index}
    held = ["households", "population"]
    rows = level[held].to_dict("index") | drawn[held].to_dict("index")
    frame = gpd.GeoDataFrame(
        [{"code": code, "name": names[code], **rows[code]} for code in shapes.index],
        geometry=shapes.to_numpy(), crs=level.crs,
    )  # fmt: skip
    return frame.sort_values("code", ignore_index=True)
