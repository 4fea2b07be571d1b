"""Closing what gapes and cutting what overlaps between the units of a plan, so that they are a coverage."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely

from gis.draft import Plan, near, taken_over, unmoved
from gis.ground import holes, metre, polygonal
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
        The same one if nothing gapes or overlaps.

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
    frame = gpd.GeoDataFrame({"code": around.index}, geometry=around.to_numpy(), crs=around.crs)
    done = repair({_LEVEL: frame}, within_m, staying=around.index[~free])
    was, now = around.to_numpy(), done.levels[_LEVEL].geometry.to_numpy()
    off = shapely.area(shapely.symmetric_difference(polygonal(was), now))
    now = np.where(free | (off <= shapely.length(was) * SNAP_M / METRES), now, was)
    after = unmoved(gpd.GeoSeries(now, index=around.index, crs=around.crs), around)
    if shapely.equals_identical(was, after.to_numpy()).all():
        return plan
    return taken_over(plan, after, around.index[free].tolist())


def fitted(
    drawn: gpd.GeoDataFrame, ground: shapely.Geometry, within_m: float
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Make units drawn elsewhere a coverage of a ground, as far as no border moves farther than told.

    Parameters
    ----------
    drawn : GeoDataFrame of polygons by code, EPSG:4326
    ground : Polygon or MultiPolygon, EPSG:4326
    within_m : float, metres

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
    frame = gpd.GeoDataFrame({"code": codes}, geometry=[*drawn.geometry, *outside], crs=drawn.crs)
    done = repair({_LEVEL: frame}, within_m, staying=[OUTSIDE])
    moves = done.moves[done.moves["code"] != OUTSIDE].reset_index(drop=True)
    return drawn.set_geometry(done.levels[_LEVEL].geometry.to_numpy()[:-1], crs=drawn.crs), moves
