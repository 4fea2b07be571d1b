"""Find every fault of the four levels: broken outlines, gaps, overlaps, units outside their parents."""

from collections.abc import Callable, Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.findings import collected, found
from gis.ground import (
    COVERAGES,
    POLYGONAL,
    Layer,
    Metre,
    areal,
    beyond,
    filled,
    holes,
    layers,
    metre,
    thickness,
)
from gis.nesting import buildings, nested

SLIVER_M = 0.01
NOISE_M2 = 0.001


def check(
    levels: Mapping[str, gpd.GeoDataFrame],
    *,
    code_parent: Callable[[str, str], str | None] | None = None,
    sliver_m: float = SLIVER_M,
    tolerance_m2: float = NOISE_M2,
) -> gpd.GeoDataFrame:
    """Return what is wrong with the levels of a map, one row for each fault.

    Parameters
    ----------
    levels : mapping of level name (street, community, micro_grid, building) to GeoDataFrame
        Any of the four, columns code and geometry, parent_code where known; other CRS are converted.
    code_parent : callable (level, code) -> parent code or None
        Names the parent of rows that have no parent_code.
    sliver_m : float, metres
        Gaps and overlaps thinner than this (2 · area / perimeter) are slivers, which only warn.
    tolerance_m2 : float, square metres
        Smaller areas are the rounding of coordinates and are not reported.

    Returns
    -------
    GeoDataFrame in EPSG:4326, one row for each fault
        kind (key of `gis.findings.KINDS`), severity, level, code, other, row (index of the input),
        area_m2, size_m, detail (values for the sentence of the kind), geometry (the place).

    Raises
    ------
    UnknownLevel, LevelLacksColumn, MissingCrs

    Notes
    -----
    A **gap** is a hole between units: one finding each. Where a coarser level is given, ground outside
    it is no gap, and its ground along the outer border that no unit covers is **uncovered**.
    A level is compared with the nearest coarser one given. Two levels digitised apart agree when they
    differ by less than `sliver_m`; within one level every mismatch counts.
    Of a child's ground outside its parent, **child_outside** says that it leaves the parent, and
    **partly, mostly, wholly_elsewhere** (5, 50, 95 % in other units) that code and ground disagree.
    Buildings may overlap and stand apart: they are compared in pairs and with the micro-grids.
    Invalid outlines are reported and examined further as made valid; geometry without ground is not.

    Source
    ------
    Edge matching: GEOS coverage validation, https://shapely.readthedocs.io/en/stable/coverage.html

    Example
    -------
    >>> west, east = shapely.box(0, 0, 0.011, 0.01), shapely.box(0.01, 0, 0.02, 0.01)
    >>> grids = gpd.GeoDataFrame({"code": ["1", "2"]}, geometry=[west, east], crs=4326)
    >>> check({"micro_grid": grids})["kind"].tolist()
    ['bad_edge', 'bad_edge', 'overlap']
    """
    parts, coarser = [], []
    examined, scale = layers(levels, code_parent), metre(levels)
    for layer in examined:
        parts += rows(layer)
        if layer.level in COVERAGES:
            parts += outlines(layer, scale)
            parts += between(layer, coarser, scale, sliver_m, tolerance_m2)
            parts += nested(layer, coarser, scale, sliver_m, tolerance_m2)
        else:
            parts += buildings(layer, coarser, scale, sliver_m, tolerance_m2)
        coarser.insert(0, layer)
    return collected(parts)


def rows(layer: Layer) -> list[pd.DataFrame]:
    """Return the faults that show in a row alone: its code and its geometry."""
    codes, given = layer.codes, layer.given
    none = np.full(len(codes), None)
    missing = pd.isna(codes)
    twice = np.flatnonzero(pd.Series(codes).duplicated() & ~missing)
    first = [layer.index[layer.position[code]] for code in codes[twice]]
    empty = shapely.is_missing(given) | shapely.is_empty(given)
    wrong = ~empty & ~np.isin(shapely.get_type_id(given), POLYGONAL)
    types = [geometry.geom_type for geometry in given[wrong]]
    return [
        found("missing_code", layer, *_at(missing, given)),
        found("duplicate_code", layer, twice, given[twice], first_row=first),
        found("empty_geometry", layer, *_at(empty, none)),
        found("wrong_type", layer, *_at(wrong, given), type=types),
        _invalid(layer, layer.broken),
    ]


def _at(which: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.flatnonzero(which), place[which]


def _invalid(layer: Layer, broken: np.ndarray) -> pd.DataFrame:
    """Rings that cross themselves and the like, at the place that GEOS names."""
    reasons = pd.Series(shapely.is_valid_reason(layer.given[broken]), dtype=str)
    parts = reasons.str.extract(r"^(?P<reason>[^\[]+)(?:\[(?P<lon>\S+) (?P<lat>\S+)\])?$")
    lon, lat = parts["lon"].astype(float), parts["lat"].astype(float)
    at = np.flatnonzero(broken)
    return found(
        "invalid_ring", layer, at, shapely.points(lon, lat), reason=parts["reason"], lon=lon, lat=lat
    )


def outlines(layer: Layer, scale: Metre) -> list[pd.DataFrame]:
    """Return units whose edges do not match their neighbours' and units of several parts."""
    bad = np.flatnonzero(layer.faulty)
    edges = layer.faulty_edges[bad]
    many = np.flatnonzero(shapely.get_num_geometries(layer.ground) > 1)
    ground = scale.project(layer.ground[many])
    return [
        found(
            "bad_edge",
            layer,
            bad,
            shapely.point_on_surface(edges),
            size_m=shapely.length(scale.project(edges)),
        ),
        found(
            "multipart",
            layer,
            many,
            layer.ground[many],
            size_m=[_spread(parts) for parts in ground],
            parts=shapely.get_num_geometries(ground),
        ),
    ]


def _spread(ground: shapely.MultiPolygon) -> float:
    """Metres from the largest part to the one farthest from it."""
    parts = shapely.get_parts(ground)
    return float(shapely.distance(parts, parts[shapely.area(parts).argmax()]).max())


def between(
    layer: Layer, coarser: list[Layer], scale: Metre, sliver_m: float, tolerance_m2: float
) -> list[pd.DataFrame]:
    """Return the ground that two units of a level claim, and the ground that none does."""
    pairs, common = _overlaps(layer)
    gaps = holes(layer.whole)
    if coarser and len(gaps):
        gaps = areal(shapely.intersection(gaps, coarser[0].whole))
    parts = _sorted_out("overlap", layer, pairs, common, scale, sliver_m, tolerance_m2)
    parts += _sorted_out("gap", layer, _beside(layer, gaps), gaps, scale, sliver_m, tolerance_m2)
    return parts + ([_uncovered(layer, coarser[0], scale, sliver_m, tolerance_m2)] if coarser else [])


def _overlaps(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping pairs, rows of (unit, other), and their common ground; only faulty edges can overlap."""
    bad = np.flatnonzero(layer.faulty)
    one, two = layer.tree.query(layer.ground[bad], predicate="intersects")
    pairs = np.unique(np.sort(np.column_stack([bad[one], two]), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return pairs, areal(shapely.intersection(layer.ground[pairs[:, 0]], layer.ground[pairs[:, 1]]))


def _beside(layer: Layer, gaps: np.ndarray) -> np.ndarray:
    """For each gap its two longest neighbours, rows of positions; -1 where there is none."""
    gap, unit = layer.tree.query(gaps, predicate="intersects")
    border = shapely.length(shapely.intersection(shapely.boundary(gaps[gap]), layer.ground[unit]))
    beside = np.full((len(gaps), 2), -1)
    for place in range(len(gaps)):
        longest = unit[gap == place][np.argsort(-border[gap == place], kind="stable")[:2]]
        beside[place, : len(longest)] = longest
    return beside


def _sorted_out(
    kind: str,
    layer: Layer,
    pairs: np.ndarray,
    ground: np.ndarray,
    scale: Metre,
    sliver_m: float,
    tolerance_m2: float,
) -> list[pd.DataFrame]:
    """Split gaps or overlaps into plain ones and slivers, leaving out the rounding of coordinates."""
    metric = scale.project(ground)
    area, width = shapely.area(metric), thickness(metric)
    real = area > tolerance_m2
    return [
        found(
            name,
            layer,
            pairs[which, 0],
            ground[which],
            other=np.where(pairs[which, 1] >= 0, layer.codes[pairs[which, 1]], None),
            area_m2=area[which],
            size_m=width[which],
        )
        for name, which in ((kind, real & (width >= sliver_m)), (f"sliver_{kind}", real & (width < sliver_m)))
    ]


def _uncovered(
    layer: Layer, parents: Layer, scale: Metre, sliver_m: float, tolerance_m2: float
) -> pd.DataFrame:
    """Ground of the coarser level outside the outline of this one, by parent."""
    rest = shapely.get_parts(beyond(np.array([parents.whole]), np.array([filled(layer.whole)])))
    metric = scale.project(rest)
    area, width = shapely.area(metric), thickness(metric)
    real = (area > tolerance_m2) & (width > sliver_m)
    owner = _beside(parents, rest[real])[:, 0]
    return found(
        "uncovered",
        layer,
        np.full(real.sum(), -1),
        rest[real],
        other=np.where(owner >= 0, parents.codes[owner], None),
        area_m2=area[real],
        size_m=width[real],
    )
