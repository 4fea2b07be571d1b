"""Closing what gapes and cutting what overlaps between the units of a plan, so that they are a coverage."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely

from gis.draft import Plan, houses, near, taken_over, unmoved
from gis.ground import areal, holes, metre, polygonal
from gis.repair import SNAP_M, repair
from gis.snap import METRES

AROUND_M = 1_000  # how far the ground around a plan reaches, which keeps what is drawn on it within
OUTSIDE = "out\nside"  # its code, which no unit can have
_LEVEL = "micro_grid"


def closed(plan: Plan, codes: Sequence[str], within_m: float) -> Plan:
    """Fill the thin gaps beside some units and cut their thin overlaps.

    Parameters
    ----------
    plan : Plan
    codes : sequence of str
        The units that may give and take; locked ones among them stay as they are.
    within_m : float, metres
        No ground joins a unit, or leaves it, whose border is farther away; wide faults stay.

    Returns
    -------
    Plan
        The same one if nothing gapes or overlaps. What is under a building goes to its unit.

    Raises
    ------
    BadTolerance

    Example
    -------
    >>> boxes = [shapely.box(0, 0, 0.001, 0.001), shapely.box(0.00102, 0, 0.002, 0.001)]
    >>> units = gpd.GeoDataFrame({"name": "", "parent_code": "p"}, geometry=boxes, index=["a", "b"], crs=4326)
    >>> plan = Plan(units, gpd.GeoDataFrame({"home": []}, geometry=[], crs=4326))
    >>> closed(plan, ["a", "b"], 5) is plan  # it is open at both ends: no gap between them
    True
    """
    around = near(plan, near(plan, codes).index.tolist())
    whole = shapely.union_all(around.to_numpy())
    if shapely.coverage_is_valid(around.to_numpy()) and not len(holes(whole)):
        return plan
    free = around.index.isin([code for code in codes if code not in plan.locked])
    own = houses(plan, around.index[free].tolist())
    claimed = _sheltered(around.to_numpy(), own.geometry.to_numpy(), around.index.get_indexer(own["home"]))
    frame = gpd.GeoDataFrame({"code": around.index}, geometry=claimed, crs=around.crs)
    done = repair({_LEVEL: frame}, within_m, staying=around.index[~free])
    was, now = around.to_numpy(), done.levels[_LEVEL].geometry.to_numpy()
    off = shapely.area(shapely.symmetric_difference(polygonal(was), now))
    now = np.where(free | (off <= shapely.length(was) * SNAP_M / METRES), now, was)
    after = unmoved(gpd.GeoSeries(now, index=around.index, crs=around.crs), around)
    if shapely.equals_identical(was, after.to_numpy()).all():
        return plan
    return taken_over(plan, after, around.index[free].tolist())


def fitted(
    drawn: gpd.GeoDataFrame, ground: shapely.Geometry, within_m: float, walls: Sequence = ()
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Make units drawn elsewhere a coverage of a ground, as far as no border moves farther than told.

    Parameters
    ----------
    drawn : GeoDataFrame of polygons by code, EPSG:4326
    ground : Polygon or MultiPolygon, EPSG:4326
    within_m : float, metres
    walls : (b,) polygons, EPSG:4326
        Buildings; what is under one goes to the unit that most of it lies in.

    Returns
    -------
    GeoDataFrame
        The units as drawn, with their borders mended.
    GeoDataFrame
        What moved, as `gis.repair.repair` tells.

    Raises
    ------
    BadTolerance

    Example
    -------
    >>> boxes = [shapely.box(0, 0, 0.001, 0.001), shapely.box(0.00102, 0, 0.00203, 0.001)]
    >>> drawn = gpd.GeoDataFrame(geometry=boxes, index=["a", "b"], crs=4326)
    >>> after, moves = fitted(drawn, shapely.box(0, 0, 0.002, 0.001), 5)
    >>> sorted(moves["what"]), bool(shapely.coverage_is_valid(after.geometry.to_numpy()))
    (['gap_filled', 'overlap_cut'], True)
    """
    scale = metre({_LEVEL: drawn})
    ring = scale.back(shapely.buffer(scale.project(np.array([ground])), AROUND_M))
    outside = shapely.difference(ring, ground)
    codes = [*drawn.index, OUTSIDE]
    claimed, walls = polygonal(drawn.geometry.to_numpy()), np.array(list(walls), dtype=object)
    claimed = _sheltered(claimed, walls, _mostly_in(claimed, walls))
    frame = gpd.GeoDataFrame({"code": codes}, geometry=[*claimed, *outside], crs=drawn.crs)
    done = repair({_LEVEL: frame}, within_m, staying=[OUTSIDE])
    moves = done.moves[done.moves["code"] != OUTSIDE].reset_index(drop=True)
    return drawn.set_geometry(done.levels[_LEVEL].geometry.to_numpy()[:-1], crs=drawn.crs), moves


def _mostly_in(ground: np.ndarray, walls: np.ndarray) -> np.ndarray:
    """The unit that holds most of each building, -1 for none."""
    house, unit = shapely.STRtree(ground).query(walls, predicate="intersects")
    held = shapely.area(shapely.intersection(walls[house], ground[unit]))
    home = np.full(len(walls), -1)
    order = np.argsort(held, kind="stable")  # the last one written holds most
    home[house[order]] = unit[order]
    return home


def _sheltered(ground: np.ndarray, walls: np.ndarray, home: np.ndarray) -> np.ndarray:
    """The units with nobody's ground under their buildings, and without theirs under others' if it is of both."""
    ground, tree = ground.copy(), shapely.STRtree(ground)
    house, unit = tree.query(walls, predicate="intersects")
    within = np.unique(tree.query(walls, predicate="covered_by")[0])
    alone = np.flatnonzero(np.bincount(house, minlength=len(walls)) == 1)
    for each in np.setdiff1d(np.flatnonzero(home >= 0), np.intersect1d(within, alone)):
        under, own = unit[house == each], home[each]
        bare = shapely.difference(walls[each], shapely.union_all(ground[under]))
        for other in under[under != own]:
            twice = shapely.intersection(walls[each], ground[own])
            ground[other] = areal(shapely.difference(ground[other], twice))[0]
        ground[own] = areal(shapely.union(ground[own], areal(bare)[0]))[0]
    return ground
