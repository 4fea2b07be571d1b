"""The ground of one level: its usable polygons, their faulty edges, their union and plain measures.

Topology is decided on the coordinates as they are given, because neighbours that share a vertex
share it exactly there; only sizes are measured in metres. Projecting first would invent slivers:
the same city shows 23 holes in degrees and 25 after projection.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gis.crs import MissingCrs, metric_crs
from gis.errors import BadInput

SAME = 1e-6  # metres
LEVELS = ("street", "community", "micro_grid", "building")  # coarse to fine
COVERAGES = LEVELS[:3]  # buildings stand apart from each other, the others leave no gap
POLYGONAL = (3, 6)
WGS84 = "EPSG:4326"
TOUCHING_M = 0.001


class UnknownLevel(BadInput):
    """The level {level} is not known; the levels are {known}."""


class LevelLacksColumn(BadInput):
    """The level {level} has no column {column}."""


def polygonal(geometry: np.ndarray) -> np.ndarray:
    """Return the polygonal ground of each geometry, made valid, or None where there is none.

    Parameters
    ----------
    geometry : array of shapely geometries, any CRS, shape (n,)

    Returns
    -------
    array of Polygon, MultiPolygon or None, shape (n,), in the order given

    Notes
    -----
    Lines, points, empties, None and coordinates that are not finite have no ground. Valid polygons
    are returned as they are, the same objects.

    Example
    -------
    >>> bowtie = shapely.from_wkt("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))")
    >>> polygonal(np.array([bowtie, shapely.Point(0, 0), None]))[0].area
    2.0
    """
    geometry = np.asarray(geometry, dtype=object)
    usable = np.isin(shapely.get_type_id(geometry), POLYGONAL) & ~shapely.is_empty(geometry)
    usable &= np.isfinite(shapely.bounds(geometry)).all(axis=1)
    ground = np.where(usable, geometry, None)
    broken = usable & ~shapely.is_valid(ground)
    ground[broken] = shapely.make_valid(ground[broken], method="structure", keep_collapsed=False)
    lost = broken & (shapely.is_empty(ground) | ~np.isin(shapely.get_type_id(ground), POLYGONAL))
    ground[lost] = None
    return ground


def areal(ground: np.ndarray) -> np.ndarray:
    """Return what overlays of polygons left, without the lines and points where polygons only touch.

    Parameters
    ----------
    ground : array of geometries or None, any CRS, shape (n,)

    Returns
    -------
    array of Polygon, MultiPolygon or None, shape (n,); an empty polygon where there is no ground

    Example
    -------
    >>> areal(shapely.intersection([shapely.box(0, 0, 2, 1)], [shapely.box(2, 0, 3, 1)]))
    array([<POLYGON EMPTY>], dtype=object)
    """
    ground = np.atleast_1d(ground)
    for i in np.flatnonzero(~shapely.is_missing(ground) & ~np.isin(shapely.get_type_id(ground), POLYGONAL)):
        parts = shapely.get_parts(ground[i])
        parts = parts[shapely.area(parts) > 0]
        ground[i] = shapely.union_all(parts) if len(parts) else shapely.Polygon()
    return ground


def merged(ground: np.ndarray, faulty: np.ndarray) -> shapely.Geometry:
    """Return the union of polygons: by matching edges where they match, by overlay where not.

    Parameters
    ----------
    ground : array of polygons or None, any CRS, shape (n,)
    faulty : bool array, shape (n,)
        Which of them have edges that do not match their neighbours'.

    Returns
    -------
    shapely geometry, Polygon or MultiPolygon; empty where there is no ground

    Example
    -------
    >>> merged(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]), np.array([False, False])).area
    2.0
    """
    ground, faulty = ground[~shapely.is_missing(ground)], faulty[~shapely.is_missing(ground)]
    try:
        sound = shapely.coverage_union_all(ground[~faulty])
    except shapely.errors.GEOSException:  # edges that only the faulty ones' neighbours would have split
        return shapely.union_all(ground)
    return shapely.union_all([sound, *ground[faulty]]) if faulty.any() or shapely.is_empty(sound) else sound


def united(ground: np.ndarray) -> shapely.Geometry:
    """Return the union of polygons that should be a coverage: by matching edges, by overlay if they do not match.

    Parameters
    ----------
    ground : array of polygons, any CRS, shape (n,)

    Returns
    -------
    shapely geometry, Polygon or MultiPolygon, valid

    Example
    -------
    >>> united(np.array([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)])).area
    3.0
    """
    try:
        whole = shapely.coverage_union_all(ground)
    except shapely.errors.GEOSException:
        return shapely.union_all(ground)
    return whole if shapely.is_valid(whole) else shapely.union_all(ground)


def holes(ground: shapely.Geometry) -> np.ndarray:
    """Return the holes of a geometry as polygons, without the islands in them, shape (k,).

    Example
    -------
    >>> shapely.bounds(holes(shapely.box(0, 0, 3, 3) - shapely.box(1, 1, 2, 2)))
    array([[1., 1., 2., 2.]])
    """
    parts = shapely.get_parts(ground)
    rings = [ring for part in parts for ring in part.interiors]
    found = shapely.polygons(rings) if rings else np.empty(0, dtype=object)
    return areal(shapely.difference(found, ground)) if rings and len(parts) > 1 else found


def filled(ground: shapely.Geometry) -> shapely.Geometry:
    """Return a geometry with its holes filled.

    Example
    -------
    >>> filled(shapely.box(0, 0, 3, 3) - shapely.box(1, 1, 2, 2)).area
    9.0
    """
    return shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(ground))))


def beyond(ground: np.ndarray, home: np.ndarray) -> np.ndarray:
    """Return what of each ground lies outside its home.

    Parameters
    ----------
    ground, home : arrays of polygons or None, same CRS, shape (n,)

    Returns
    -------
    array of geometries, shape (n,); empty where the two have the same vertices, which needs no overlay

    Example
    -------
    >>> beyond(np.array([shapely.box(0, 0, 5, 1)]), np.array([shapely.box(0, 0, 2, 1)]))[0].bounds
    (2.0, 0.0, 5.0, 1.0)
    """
    same = shapely.equals_exact(shapely.normalize(ground), shapely.normalize(home), 0)
    rest = np.full(len(ground), shapely.Polygon(), dtype=object)
    rest[~same] = shapely.difference(ground[~same], home[~same])
    return rest


def thickness(ground: np.ndarray) -> np.ndarray:
    """Return how thick polygons are: of a long strip, its width.

    Formula: 2 · area / perimeter.

    Parameters
    ----------
    ground : array of polygons, metric CRS, shape (n,)

    Returns
    -------
    float array of metres, shape (n,); 0 for empty geometry

    Example
    -------
    >>> float(thickness(np.array([shapely.box(0, 0, 1000, 1)]))[0].round(2))
    1.0
    """
    perimeter = shapely.length(ground)
    return np.divide(2 * shapely.area(ground), perimeter, out=np.zeros(len(ground)), where=perimeter > 0)


def broader(ground: np.ndarray, width_m: float) -> np.ndarray:
    """Return which polygons are broader than a width somewhere: a circle of that diameter fits inside.

    Parameters
    ----------
    ground : array of polygons, metric CRS, shape (n,)
    width_m : float, metres

    Returns
    -------
    bool array, shape (n,)

    Notes
    -----
    Unlike `thickness`, a thin tail does not make a broad blot thin.

    Example
    -------
    >>> broader(np.array([shapely.box(0, 0, 50, 4)]), 3.9), broader(np.array([shapely.box(0, 0, 50, 4)]), 4.1)
    (array([ True]), array([False]))
    """
    possible = 2 * np.sqrt(shapely.area(ground) / np.pi) > width_m
    possible[possible] = ~shapely.is_empty(shapely.buffer(ground[possible], -width_m / 2))
    return possible


def reach(ground: np.ndarray, home: np.ndarray) -> np.ndarray:
    """Return how far the farthest corner of each geometry lies from its home geometry.

    Parameters
    ----------
    ground, home : arrays of geometries, metric CRS, shape (n,)

    Returns
    -------
    float array of metres, shape (n,); 0 below a millimetre and for empty ground, infinity for empty home

    Example
    -------
    >>> reach(np.array([shapely.box(0, 0, 5, 1)]), np.array([shapely.box(0, 0, 2, 1)]))
    array([3.])
    """
    xy, owner = shapely.get_coordinates(ground, return_index=True)
    corners, home = shapely.points(xy), np.asarray(home, dtype=object)
    shapely.prepare(home)  # prepared homes answer dwithin 20 times faster than distance
    away = ~shapely.dwithin(home[owner], corners, TOUCHING_M)
    far = shapely.distance(home[owner[away]], corners[away])
    farthest = np.zeros(len(ground))
    np.maximum.at(farthest, owner[away], np.where(np.isnan(far), np.inf, far))
    return farthest


@dataclass(frozen=True)
class Metre:
    """A way from longitude and latitude to the metres of one local CRS, and back."""

    crs: pyproj.CRS

    @cached_property
    def _forth(self):
        return pyproj.Transformer.from_crs(WGS84, self.crs, always_xy=True)

    def project(self, geometry: np.ndarray) -> np.ndarray:
        """Return EPSG:4326 geometries in metres, shape kept."""
        return shapely.transform(geometry, lambda xy: _columns(self._forth.transform(*xy.T)))

    def back(self, geometry: np.ndarray) -> np.ndarray:
        """Return metric geometries in EPSG:4326, shape kept."""
        return shapely.transform(
            geometry, lambda xy: _columns(self._forth.transform(*xy.T, direction="INVERSE"))
        )

    def area(self, geometry: np.ndarray) -> np.ndarray:
        """Return the areas of EPSG:4326 geometries in square metres, shape kept."""
        return shapely.area(self.project(geometry))


def metre(levels: Mapping[str, gpd.GeoDataFrame]) -> Metre:
    """Return the metres of the place where the levels lie.

    Example
    -------
    >>> frame = gpd.GeoDataFrame({"code": ["1"]}, geometry=[shapely.box(104, 30, 104.1, 30.1)], crs=4326)
    >>> metre({"street": frame}).crs.axis_info[0].unit_name
    'metre'
    """
    placed = [frame for frame in levels.values() if np.isfinite(frame.total_bounds).all()]
    return Metre(metric_crs(placed[0] if placed else (0, 0, 0, 0)))


def _columns(xy) -> np.ndarray:
    return np.column_stack(xy)


@dataclass(frozen=True)
class Layer:
    """One level as arrays: row i is unit i; `ground` is None where a row has no polygon."""

    level: str
    index: np.ndarray
    codes: np.ndarray
    named: np.ndarray  # the parent each unit claims, None where it claims none
    given: np.ndarray
    ground: np.ndarray

    @cached_property
    def broken(self) -> np.ndarray:
        """Which polygons had to be made valid."""
        changed = np.fromiter(map(operator.is_not, self.given, self.ground), bool, len(self.given))
        shaped = np.isin(shapely.get_type_id(self.given), POLYGONAL) & ~shapely.is_empty(self.given)
        return changed & shaped

    @cached_property
    def tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.ground)

    @cached_property
    def faulty_edges(self) -> np.ndarray:
        """The edges that do not match a neighbour's, empty lines where all match."""
        return shapely.coverage_invalid_edges(self.ground)

    @cached_property
    def faulty(self) -> np.ndarray:
        return ~shapely.is_missing(self.faulty_edges) & ~shapely.is_empty(self.faulty_edges)

    @cached_property
    def whole(self) -> shapely.Geometry:
        return merged(self.ground, self.faulty)

    @cached_property
    def position(self) -> dict[str, int]:
        """Where each code stands; the first row wins when a code comes twice."""
        return {code: i for i, code in reversed(list(enumerate(self.codes))) if code is not None}


def layers(levels: Mapping[str, gpd.GeoDataFrame], code_parent: Callable | None = None) -> list[Layer]:
    """Return the levels as layers, coarse to fine, in EPSG:4326.

    Parameters
    ----------
    levels : mapping of level name to frame with columns code and geometry, parent_code optional
    code_parent : callable (level, code) -> parent code or None, for rows without parent_code

    Returns
    -------
    list of Layer, coarse to fine

    Raises
    ------
    UnknownLevel, LevelLacksColumn, MissingCrs

    Example
    -------
    >>> frame = gpd.GeoDataFrame({"code": ["1"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    >>> [layer.level for layer in layers({"building": frame, "street": frame})]
    ['street', 'building']
    """
    for level in levels:
        if level not in LEVELS:
            raise UnknownLevel(level=level, known=", ".join(LEVELS))
    return [_layer(level, levels[level], code_parent) for level in LEVELS if level in levels]


def _layer(level: str, frame: gpd.GeoDataFrame, code_parent: Callable | None) -> Layer:
    for column in ("code", "geometry"):
        if column not in frame:
            raise LevelLacksColumn(level=level, column=column)
    if frame.crs is None:
        raise MissingCrs(source=level)
    given = np.asarray(frame.geometry.to_crs(WGS84).array, dtype=object)
    codes = _texts(frame["code"])
    named = _texts(frame["parent_code"]) if "parent_code" in frame else np.full(len(frame), None)
    if code_parent:
        for i in np.flatnonzero((pd.isna(named)) & (pd.notna(codes))):
            named[i] = code_parent(level, codes[i])
    return Layer(level, np.asarray(frame.index), codes, named, given, polygonal(given))


def _texts(column) -> np.ndarray:
    """Codes as text, None where the cell is empty or blank."""
    texts = [
        None if missing else str(value).strip() or None
        for value, missing in zip(column, column.isna(), strict=True)
    ]
    return np.array(texts, dtype=object)
