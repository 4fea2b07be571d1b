"""Taking units that were drawn elsewhere into a plan: a proposal, or a file from another desk."""

from collections.abc import Collection
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.coverage import check
from gis.draft import Plan, UnitLocked, unmoved, whole_parents
from gis.errors import BadInput
from gis.faces import between_owners, met, redrawn, whole
from gis.findings import ERROR
from gis.ground import areal, polygonal, united
from gis.snap import METRES, SNAP_M

HAIR_M = 0.01  # metres by which a vertex may be off without having been moved
CUT = 0.02  # of a building's ground that may lie beyond a border, for walls drawn a little differently


class NoCoverage(BadInput):
    """These units cannot be taken: {findings} faults, the first of kind {kind} at {code}."""


class CutsBuilding(BadInput):
    """A border would cut the building {building}, and {others} more; lead it around them."""


def faults(plan: Plan, drawn: gpd.GeoDataFrame, among: Collection[str]) -> gpd.GeoDataFrame:
    """Return what is wrong with units that are to stand in the place of some of a plan.

    Parameters
    ----------
    plan : Plan
    drawn : GeoDataFrame of polygons by code, EPSG:4326
    among : collection of str
        The units in whose place they are to stand: drawn ones must cover the same ground.

    Returns
    -------
    GeoDataFrame of findings, as `gis.coverage.check` returns them, errors alone

    Notes
    -----
    Edges that do not match are none, since all borders are noded anew; strips thinner than half a metre are
    taken for rounding.

    Example
    -------
    >>> plan = _sheet()
    >>> faults(plan, plan.units.iloc[:1], ["a", "b"])["kind"].tolist()
    ['uncovered']
    """
    area = gpd.GeoDataFrame({"code": ["area"]}, geometry=[ground(plan, among)], crs=plan.units.crs)
    given = gpd.GeoDataFrame(
        {"code": drawn.index.to_numpy(dtype=object), "parent_code": "area"},
        geometry=drawn.geometry.to_numpy(), crs=drawn.crs,
    )  # fmt: skip
    found = check({"community": area, "micro_grid": given}, sliver_m=SNAP_M)
    return found[(found["severity"] == ERROR) & (found["kind"] != "bad_edge")]


def ground(plan: Plan, among: Collection[str]) -> shapely.Geometry:
    """Return the ground of some units of a plan.

    Example
    -------
    >>> ground(_sheet(), ["a", "b"]).bounds
    (0.0, 0.0, 0.004, 0.001)
    """
    return united(plan.units.geometry.loc[list(among)].to_numpy())


def adopt(plan: Plan, drawn: gpd.GeoDataFrame, among: Collection[str], ended: Collection[str] = ()) -> Plan:
    """Let units drawn elsewhere stand in the place of some of a plan, on the same ground.

    Parameters
    ----------
    plan : Plan
    drawn : GeoDataFrame of polygons by code, EPSG:4326
        Columns name and parent_code where known; else the plan's own, and those of the unit whose ground it was.
    among : collection of str
        The units in whose place they stand.
    ended : collection of str
        Parents of whom nothing need be left.

    Returns
    -------
    Plan
        Units around get vertices at most. A building is at home where most of it lies.

    Raises
    ------
    NoCoverage, UnitLocked, CutsBuilding, FallsApart, NothingLeft

    Example
    -------
    >>> halves = [shapely.box(0, 0, 0.001, 0.001), shapely.box(0.001, 0, 0.004, 0.001)]
    >>> drawn = gpd.GeoDataFrame(geometry=halves, index=["a", "c"], crs=4326)
    >>> after = adopt(_sheet(), drawn, ["a", "b"])
    >>> after.units.parent_code.to_dict(), after.buildings["home"].tolist()
    ({'a': 'p', 'c': 'p'}, ['a', 'c'])
    """
    if len(found := faults(plan, drawn, among)):
        first = found.iloc[0]
        raise NoCoverage(findings=len(found), kind=first["kind"], code=first["code"] or first["other"])
    pieces = _fitted(polygonal(_seated(drawn.geometry.to_numpy(), plan.units.geometry.to_numpy())))
    owner = drawn.index.to_numpy(dtype=object)
    _refuse_locked(plan, dict(zip(owner, pieces, strict=True)), among)
    shapes = _parted(plan.units.geometry, pieces, owner, list(among))
    units = _described(plan.units, unmoved(shapes, plan.units.geometry), drawn)
    moved = replace(plan, units=units, buildings=_housed(plan, units, among))
    of_others = plan.units.index[~plan.units["parent_code"].isin(list(ended))]
    whole_parents(plan, moved, {*owner, *among} - (set(plan.units.index) - set(of_others)))
    return moved


def _seated(pieces: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The pieces with the vertices they had before another CRS or format moved them by a hair."""
    known = np.unique(shapely.get_coordinates(own), axis=0)
    tree = shapely.STRtree(shapely.points(known))

    def seated(places: np.ndarray) -> np.ndarray:
        at, near = tree.query_nearest(shapely.points(places), max_distance=HAIR_M / METRES, all_matches=False)
        places = places.copy()
        places[at] = known[near]
        return places

    return shapely.transform(pieces, seated)


def _fitted(pieces: np.ndarray) -> np.ndarray:
    """The pieces edge to edge, small gaps given away."""
    if shapely.coverage_is_valid(pieces):
        return pieces
    return areal(np.asarray(shapely.coverage_clean(pieces, gap_width=SNAP_M / METRES)))


def _refuse_locked(plan: Plan, drawn: dict, among: Collection[str]) -> None:
    for code in plan.locked.intersection(among):
        was = plan.units.geometry[code]
        off = shapely.area(shapely.symmetric_difference(was, drawn[code])) if code in drawn else np.inf
        if off > shapely.length(was) * SNAP_M / METRES:
            raise UnitLocked(code=code)


def _parted(grids: gpd.GeoSeries, pieces: np.ndarray, owner: np.ndarray, among: list[str]) -> gpd.GeoSeries:
    """The units with the ground of some parted among owners; lines that end short of its border go on to it."""
    edge = shapely.boundary(united(grids[among].to_numpy()))
    lines = between_owners(pieces, owner)
    ends = shapely.get_point(lines, [[0], [-1]]).ravel()
    short = shapely.dwithin(ends, edge, SNAP_M / METRES)
    if len(
        lonely := _alone(ends[~short])
    ):  # they end on a border that has no vertex there, off it by rounding
        grids, pieces = met(grids, lonely), met(gpd.GeoSeries(pieces), lonely).to_numpy()
        lines = between_owners(pieces, owner)
    links = shapely.shortest_line(ends[short], edge)
    ready = met(grids, shapely.get_coordinates(shapely.get_point(links, -1)))
    links = links[shapely.length(links) > 0]
    tree = shapely.STRtree(pieces)

    def label(face: np.ndarray, home: np.ndarray) -> np.ndarray:
        return np.where(np.isin(home, among), owner[tree.nearest(shapely.point_on_surface(face))], home)

    after = redrawn(ready, [*lines, *links], label, also=among)
    return whole(after, grids, list(owner), np.array([]))


def _alone(ends: np.ndarray) -> np.ndarray:
    """The places at which one line ends alone."""
    places, lines = np.unique(shapely.get_coordinates(ends), axis=0, return_counts=True)
    return places[lines == 1]


def _described(units: gpd.GeoDataFrame, shapes: gpd.GeoSeries, drawn: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The units with names and parents: as drawn, else their own, else those of the ground."""
    tree = shapely.STRtree(units.geometry.to_numpy())
    under = units["parent_code"].to_numpy()[tree.nearest(shapely.point_on_surface(shapes.to_numpy()))]
    place = pd.DataFrame({"name": shapes.index, "parent_code": under}, index=shapes.index)
    told = pd.DataFrame(drawn.reindex(columns=["name", "parent_code"])).reindex(shapes.index)
    known = pd.DataFrame(units[["name", "parent_code"]]).reindex(shapes.index)
    rows = told.combine_first(known).combine_first(place)[["name", "parent_code"]].loc[shapes.index]
    frame = gpd.GeoDataFrame(rows, geometry=shapes.to_numpy(), crs=units.crs)
    return frame.rename_axis(units.index.name)


def _housed(plan: Plan, units: gpd.GeoDataFrame, among: Collection[str]) -> gpd.GeoDataFrame:
    """The buildings at home where most of each lies.

    Raises
    ------
    CutsBuilding
    """
    asked = np.flatnonzero(plan.buildings["home"].isin(list(among)))
    walls = plan.buildings.geometry.to_numpy()[asked]
    at, unit = shapely.STRtree(units.geometry.to_numpy()).query(walls, predicate="intersects")
    held = shapely.area(shapely.intersection(walls[at], units.geometry.to_numpy()[unit]))
    order = np.lexsort((-held, at))
    first = order[np.unique(at[order], return_index=True)[1]]
    home = plan.buildings["home"].to_numpy(dtype=object).copy()
    cut = np.flatnonzero(held[first] < (1 - CUT) * shapely.area(walls[at[first]]))
    was = plan.units.geometry.reindex(home[asked[at[first[cut]]]]).to_numpy()
    walls = walls[at[first[cut]]]
    cut = cut[shapely.area(shapely.intersection(walls, was)) >= (1 - CUT) * shapely.area(walls)]
    if len(cut):
        named = plan.buildings.index[asked[at[first[cut]]]]
        raise CutsBuilding(building=named[0], others=len(named) - 1)
    home[asked[at[first]]] = units.index.to_numpy()[unit[first]]
    return plan.buildings.assign(home=home)


def _sheet() -> Plan:
    """The sheet of the examples: two units of one parent, and two houses."""
    boxes = [shapely.box(0, 0, 0.002, 0.001), shapely.box(0.002, 0, 0.004, 0.001)]
    units = gpd.GeoDataFrame(
        {"name": ["A", "B"], "parent_code": "p"}, geometry=boxes, index=["a", "b"], crs=4326
    )
    walls = [shapely.box(x, 0.0004, x + 0.0002, 0.0006) for x in (0.0005, 0.003)]
    return Plan(units, gpd.GeoDataFrame({"home": ["a", "b"]}, geometry=walls, index=["1", "2"], crs=4326))
