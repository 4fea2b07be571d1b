"""Leading a drawn line around buildings, so that no border cuts one."""

import geopandas as gpd
import numpy as np
import shapely
from shapely.ops import substring

from gis.crs import metric_crs, to_metric
from gis.errors import BadInput

CLEAR_M = 0.3  # how far from a wall a line is led
JOINED_M = 2 * CLEAR_M  # buildings closer than this are gone around together


class EndsInBuilding(BadInput):
    """The line begins or ends inside the building {building}, or so near to it that nothing leads around."""


def around(line: shapely.LineString, buildings: gpd.GeoSeries) -> shapely.LineString:
    """Lead a line around the buildings in its way, by the shorter side of each.

    Parameters
    ----------
    line : LineString, in the CRS of the buildings
    buildings : GeoSeries of polygons, any declared CRS, shape (n,)
        By code; those far away do no harm.

    Returns
    -------
    LineString, same CRS
        The same line where nothing was in its way.

    Raises
    ------
    EndsInBuilding
        Names the building.
    MissingCrs

    Notes
    -----
    A row of buildings with less room between them than the line needs is gone around as one.

    Example
    -------
    >>> house = gpd.GeoSeries([shapely.box(4, -1, 6, 2)], index=["b1"], crs=32650)
    >>> led = around(shapely.LineString([(0, 0), (10, 0)]), house)
    >>> bool(led.crosses(house["b1"])), round(led.length, 1)
    (False, 12.6)
    """
    crs = metric_crs(buildings)
    ground = to_metric(buildings, crs)
    path = to_metric(gpd.GeoSeries([line], crs=buildings.crs), crs).iloc[0]
    _refuse_ends(path, ground)
    if not (shapely.distance(ground.to_numpy(), path) < CLEAR_M).any():
        return line
    ground = _in_the_way(ground, path)
    # Near a line's own ends there may be less room than elsewhere.
    for clear in (CLEAR_M, CLEAR_M / 30):
        for obstacle in _obstacles(ground.to_numpy(), path, clear):
            path = _led(path, obstacle)
    if (cut := ground.index[shapely.crosses(path, ground.to_numpy())]).size:
        raise EndsInBuilding(building=cut[0])
    return gpd.GeoSeries([path], crs=crs).to_crs(buildings.crs).iloc[0]


def _in_the_way(ground: gpd.GeoSeries, path: shapely.LineString) -> gpd.GeoSeries:
    """The buildings the line touches, and whoever stands in a row with them."""
    tree, shapes = shapely.STRtree(ground.to_numpy()), ground.to_numpy()
    found = tree.query(path, predicate="dwithin", distance=CLEAR_M)
    number = 0
    while len(found) > number:
        number = len(found)
        found = np.unique(tree.query(shapes[found], predicate="dwithin", distance=JOINED_M)[1])
    return ground.iloc[found]


def _refuse_ends(path: shapely.LineString, ground: gpd.GeoSeries) -> None:
    ends = shapely.points(shapely.get_coordinates(path)[[0, -1]])
    for end in ends:
        if len(inside := ground.index[shapely.contains_properly(ground.to_numpy(), end)]):
            raise EndsInBuilding(building=inside[0])


def _obstacles(ground: np.ndarray, path: shapely.LineString, clear: float) -> np.ndarray:
    """What has to be gone around: buildings with their clearance, joined where there is no room between."""
    wide = shapely.buffer(ground, clear, join_style="mitre", mitre_limit=2)
    joined = shapely.get_parts(shapely.union_all(wide))
    # A courtyard is no way through.
    solid = shapely.polygons(shapely.get_exterior_ring(joined))
    return solid[shapely.crosses(path, solid)]


def _led(path: shapely.LineString, obstacle: shapely.Polygon) -> shapely.LineString:
    """The line with all that runs through an obstacle led along its outline, the shorter way."""
    outline = shapely.get_exterior_ring(obstacle)
    through = shapely.get_parts(shapely.intersection(path, obstacle))
    places = [
        shapely.line_locate_point(path, shapely.points(shapely.get_coordinates(each)))
        for each in through
        if each.length
    ]
    if not places:
        return path
    enters, leaves = float(min(at.min() for at in places)), float(max(at.max() for at in places))
    if enters <= 0 or leaves >= path.length:
        return path  # it begins or ends within the clearance of a wall: there it may be
    way = _shorter(outline, path.interpolate(enters), path.interpolate(leaves))
    head = shapely.get_coordinates(substring(path, 0, enters))
    tail = shapely.get_coordinates(substring(path, leaves, path.length))
    return shapely.LineString(np.vstack([head, way[1:-1], tail]))


def _shorter(outline: shapely.LinearRing, start: shapely.Point, end: shapely.Point) -> np.ndarray:
    ring = shapely.LineString(outline)
    here, there = ring.project(start), ring.project(end)
    low, high = sorted((here, there))
    inner = shapely.get_coordinates(substring(ring, low, high))
    outer = np.vstack(
        [
            shapely.get_coordinates(substring(ring, high, ring.length)),
            shapely.get_coordinates(substring(ring, 0, low))[1:],
        ]
    )
    inner = inner if here <= there else inner[::-1]
    outer = outer[::-1] if here <= there else outer
    return min(inner, outer, key=lambda way: shapely.LineString(way).length if len(way) > 1 else 0.0)
