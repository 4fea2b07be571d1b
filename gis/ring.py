"""A ring drawn by hand: closed, snapped to the map, led around buildings, and the ground within."""

import geopandas as gpd
import numpy as np
import shapely

from gis.detour import EndsInBuilding, around
from gis.redraw import LineMissing, simple
from gis.snap import to_borders


def closed(ring: shapely.Geometry) -> shapely.LineString:
    """Return a ring as a line that comes back to its beginning.

    Parameters
    ----------
    ring : Polygon, LinearRing or LineString, any CRS
        Of a polygon its outer ring.

    Returns
    -------
    LineString, same CRS

    Raises
    ------
    LineMissing, LineCrossesItself

    Example
    -------
    >>> closed(shapely.LineString([(0, 0), (1, 0), (1, 1)])).is_ring
    True
    """
    xy = shapely.get_coordinates(shapely.get_exterior_ring(ring) if ring.geom_type == "Polygon" else ring)
    if len(xy) < 3:
        raise LineMissing()
    return simple(shapely.LineString(np.vstack([xy, xy[:1]])))


def ring_ground(drawn: shapely.LineString, grids: gpd.GeoSeries, standing: gpd.GeoSeries) -> shapely.Polygon:
    """Return the ground within a ring once its corners have gone to the map and its sides around buildings.

    Parameters
    ----------
    drawn : LineString, closed, EPSG:4326
    grids : GeoSeries of polygons, EPSG:4326
        The units near it: corners go to their vertices and borders within half a metre.
    standing : GeoSeries of polygons, EPSG:4326
        The buildings near it.

    Returns
    -------
    Polygon, EPSG:4326

    Raises
    ------
    LineMissing, LineCrossesItself, EndsInBuilding

    Example
    -------
    >>> grids = gpd.GeoSeries([shapely.box(0, 0, 0.002, 0.001)], crs=4326)
    >>> ring_ground(closed(shapely.box(0.000001, 0, 0.001, 0.001)), grids, grids.iloc[:0]).bounds
    (0.0, 0.0, 0.001, 0.001)
    """
    line = simple(shapely.LineString(to_borders(shapely.get_coordinates(drawn), grids)))
    if len(standing):
        line = around(_begun_outside(line, standing), standing)
    pieces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.node(line))))
    if not len(pieces):
        raise LineMissing()
    return pieces[np.argmax(shapely.area(pieces))]


def _begun_outside(ring: shapely.LineString, standing: gpd.GeoSeries) -> shapely.LineString:
    """The ring begun where it is farthest from any building, so that all of it can be led around them."""
    xy = shapely.get_coordinates(ring)
    places = np.repeat(xy[:-1], 2, axis=0)  # each corner, and the middle behind it
    places[1::2] = (xy[:-1] + xy[1:]) / 2
    away = shapely.distance(shapely.points(places), shapely.union_all(standing.to_numpy()))
    if not away.max() > 0:
        raise EndsInBuilding(building=standing.index[0])
    first = int(np.argmax(away))
    rest = xy[first // 2 + 1 : -1], xy[: first // 2 + (first % 2)]
    return shapely.LineString(np.vstack([places[[first]], *rest, places[[first]]]))
