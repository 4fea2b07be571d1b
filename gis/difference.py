"""The ground on which two maps of the same place disagree: whose it was, and whose it is."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.crs import to_metric
from gis.snap import SNAP_M

THIN = SNAP_M / 5  # metres; a strip narrower than this is rounding
MOVED_SHARE = 0.02  # ground gained and lost, of the old area, beyond which an outline is another one
COLUMNS = ("was", "now", "area_m2", "geometry")


def moved_ground(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the ground that belongs to a unit of another code in the second of two maps.

    Parameters
    ----------
    before, after : GeoDataFrame of polygons by code, EPSG:4326
        Each a coverage. Ground that one of them leaves free is not told of.

    Returns
    -------
    GeoDataFrame, shape (n,), EPSG:4326
        was and now (codes), area_m2 (square metres) and geometry: one row a pair of codes, the largest first.
        Strips narrower than a tenth of a metre are rounding and left out.

    Example
    -------
    >>> shapes = [shapely.box(0, 0, 0.002, 0.001), shapely.box(0.002, 0, 0.004, 0.001)]
    >>> one = gpd.GeoDataFrame(geometry=shapes, index=["a", "b"], crs=4326)
    >>> shapes = [shapely.box(0, 0, 0.003, 0.001), shapely.box(0.003, 0, 0.004, 0.001)]
    >>> two = gpd.GeoDataFrame(geometry=shapes, index=["a", "c"], crs=4326)
    >>> moved_ground(one, two)[["was", "now"]].values.tolist()
    [['b', 'c'], ['b', 'a']]
    """
    before, after = _unlike(before, after), _unlike(after, before)
    old, new = before.geometry.to_numpy(), after.geometry.to_numpy()
    at, place = (
        shapely.STRtree(new).query(old, predicate="intersects") if len(old) else (np.array([], int),) * 2
    )
    other = before.index.to_numpy()[at] != after.index.to_numpy()[place]
    at, place = at[other], place[other]
    parts, of = shapely.get_parts(shapely.intersection(old[at], new[place]), return_index=True)
    parts, of = (each[shapely.get_dimensions(parts) == 2] for each in (parts, of))
    metric = to_metric(gpd.GeoSeries(parts, crs=before.crs)).to_numpy() if len(parts) else parts
    real = 2 * shapely.area(metric) > THIN * shapely.length(metric)
    frame = gpd.GeoDataFrame(
        {
            "was": before.index.to_numpy()[at[of[real]]], "now": after.index.to_numpy()[place[of[real]]],
            "area_m2": shapely.area(metric[real]),
        },
        geometry=parts[real], crs=before.crs,
    )  # fmt: skip
    if frame.empty:
        return frame
    together = frame.dissolve(["was", "now"], aggfunc="sum").reset_index()
    return together.sort_values("area_m2", ascending=False, ignore_index=True)[list(COLUMNS)]


def moved(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Tell which outlines are of other ground, and not the same ground drawn with other vertices.

    Parameters
    ----------
    before, after : arrays of polygons, shape (n,), in one CRS

    Returns
    -------
    array of bool, shape (n,)

    Notes
    -----
    This is the one place that decides it, for maps that are imported, for plans and for their comparison. A fiftieth
    of the old area, gained and lost together: official maps of two years that draw one border twice differ by less
    (survey, generalisation, a river's bank), and whoever is told that a unit moved must not look at those. Whatever
    changes hands is told beside it, however little it is: see `moved_ground`.

    Example
    -------
    >>> one, hair, other = (shapely.box(0, 0, 1, width) for width in (1, 1.01, 1.1))
    >>> moved(np.array([one, one]), np.array([hair, other])).tolist()
    [False, True]
    """
    off = shapely.area(shapely.symmetric_difference(before, after))
    return off > MOVED_SHARE * shapely.area(before)


def _unlike(frame: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The units that are not, vertex for vertex, the same in the other map."""
    theirs = other.geometry.reindex(frame.index).to_numpy()
    same = pd.Series(shapely.equals_exact(frame.geometry.to_numpy(), theirs, 0), frame.index)
    return frame[~same.fillna(False).to_numpy(dtype=bool)]
