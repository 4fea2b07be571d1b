"""Letting what a hand drew meet the map: ends and corners go to the vertices and borders they were meant for."""

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import KDTree

SNAP_M = 0.5  # a hand that comes this near meant it
METRES = 111_320.0  # of a degree of latitude, near enough for half a metre


def to_vertices(xy: np.ndarray, grids: gpd.GeoSeries) -> np.ndarray:
    """Return places moved to the nearest vertex of a map where one is near enough.

    Parameters
    ----------
    xy : (n, 2) floats, in the CRS of the map
    grids : GeoSeries of polygons, degrees or metres
        Degrees if its CRS says so; else metres.

    Returns
    -------
    (n, 2) floats

    Example
    -------
    >>> grids = gpd.GeoSeries([shapely.box(0, 0, 4, 2)], crs=32650)
    >>> to_vertices(np.array([[3.9, 1.8], [2.0, 1.9]]), grids).tolist()
    [[4.0, 2.0], [2.0, 1.9]]
    """
    corners, scale = shapely.get_coordinates(grids.to_numpy()), _scale(grids)
    away, at = KDTree(corners * scale).query(xy * scale, distance_upper_bound=SNAP_M)
    near = np.isfinite(away)
    moved = np.array(xy, dtype=float)
    moved[near] = corners[at[near]]
    return moved


def to_borders(xy: np.ndarray, grids: gpd.GeoSeries) -> np.ndarray:
    """Return places moved to the nearest vertex, or else to the nearest border, where one is near enough.

    Parameters and returns are those of `to_vertices`.

    Example
    -------
    >>> grids = gpd.GeoSeries([shapely.box(0, 0, 4, 2)], crs=32650)
    >>> to_borders(np.array([[3.9, 1.8], [2.0, 1.9], [2.0, 1.0]]), grids).tolist()
    [[4.0, 2.0], [2.0, 2.0], [2.0, 1.0]]
    """
    moved, scale = to_vertices(xy, grids), _scale(grids)
    borders = shapely.transform(shapely.boundary(grids.to_numpy()), lambda each: each * scale)
    way = shapely.shortest_line(shapely.points(moved * scale), shapely.geometrycollections(borders))
    foot = shapely.get_coordinates(shapely.get_point(way, -1)) / scale
    free = (moved == xy).all(axis=1) & (shapely.length(way) <= SNAP_M)
    moved[free] = foot[free]
    return moved


def _scale(grids: gpd.GeoSeries) -> np.ndarray:
    """Metres of one unit of the CRS, towards the east and towards the north."""
    if grids.crs is None or grids.crs.is_projected:
        return np.ones(2)
    south, north = grids.total_bounds[[1, 3]]
    return METRES * np.array([np.cos(np.radians((south + north) / 2)), 1.0])
