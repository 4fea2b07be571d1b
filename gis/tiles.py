"""Outlines for map tiles: which level is drawn at which zoom, and how much detail it keeps.

Simplification works on the whole coverage, so that two neighbours keep one shared border.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

MERCATOR = "EPSG:3857"
TILE_EXTENT = 4096
MAX_ZOOM = 20


@dataclass(frozen=True)
class Band:
    """A range of zooms that share one simplified outline; `tolerance_m` in Web Mercator metres."""

    number: int
    min_zoom: int
    max_zoom: int
    tolerance_m: float


BANDS = (
    Band(0, 0, 10, 60.0),
    Band(1, 11, 12, 20.0),
    Band(2, 13, 14, 5.0),
    Band(3, 15, MAX_ZOOM, 0.0),
)

MIN_ZOOM = {"street": 0, "community": 0, "micro_grid": 0, "building": 15}  # a county's grids fit at 9


def band_at(zoom: int) -> Band:
    """Return the band that draws `zoom`.

    Parameters
    ----------
    zoom : int
        Tile zoom, 0 to 20.

    Returns
    -------
    Band

    Raises
    ------
    ValueError
        The zoom is outside 0..20.

    Examples
    --------
    >>> band_at(13).number
    2
    """
    for band in BANDS:
        if band.min_zoom <= zoom <= band.max_zoom:
            return band
    raise ValueError(f"no band draws zoom {zoom}")


def bands_of(level: str) -> tuple[Band, ...]:
    """Return the bands in which a level appears at all.

    Parameters
    ----------
    level : str
        street, community, micro_grid or building.

    Returns
    -------
    tuple of Band

    Examples
    --------
    >>> [band.number for band in bands_of("building")]
    [3]
    """
    return tuple(band for band in BANDS if band.max_zoom >= MIN_ZOOM[level])


def outlines(frame: gpd.GeoDataFrame, band: Band, coverage: bool = True) -> np.ndarray:
    """Return the outlines of one level in Web Mercator with the detail of a band.

    Parameters
    ----------
    frame : GeoDataFrame, shape (N,)
        Polygons of one level, EPSG:4326.
    band : Band
        The zooms to draw.
    coverage : bool
        Whether neighbours share borders; buildings do not, and keep every vertex.

    Returns
    -------
    ndarray of MultiPolygon, shape (N,), EPSG:3857
        In the order of the frame.

    Notes
    -----
    An empty frame gives an empty array. In a coverage with bad edges the mismatching stretches are
    simplified one by one, so a hairline may show there; `gis.coverage.check` names them.

    Source
    ------
    GEOS CoverageSimplifier (Visvalingam-Whyatt on shared edges).

    Examples
    --------
    >>> square = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:4326")
    >>> outlines(square, BANDS[0])[0].geom_type
    'MultiPolygon'
    """
    shapes = frame.to_crs(MERCATOR).geometry.to_numpy()
    if coverage and band.tolerance_m and len(shapes):
        shapes = shapely.coverage_simplify(shapes, band.tolerance_m)
    return as_multipolygons(shapes)


def as_multipolygons(shapes: np.ndarray) -> np.ndarray:
    """Return the polygons as MultiPolygons, as the store keeps them.

    Parameters
    ----------
    shapes : ndarray of Polygon or MultiPolygon, shape (N,)

    Returns
    -------
    ndarray of MultiPolygon, shape (N,)

    Examples
    --------
    >>> as_multipolygons(np.array([shapely.box(0, 0, 1, 1)]))[0].geom_type
    'MultiPolygon'
    """
    parts, owner = shapely.get_parts(shapes, return_index=True)
    return shapely.multipolygons(parts, indices=owner, out=np.full(len(shapes), shapely.MultiPolygon()))
