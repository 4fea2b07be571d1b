"""Which units are neighbours: by a common edge (rook) or by any common point (queen)."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array, csr_array, diags_array, triu

from gis.crs import metric_crs, to_metric
from gis.errors import BadInput
from gis.ground import polygonal


class UnknownContiguity(BadInput):
    """The contiguity {kind} is not known; the kinds are {known}."""


def rook(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the pairs of units that share an edge.

    Parameters
    ----------
    frame : GeoDataFrame of polygons, any declared CRS, shape (n,)

    Returns
    -------
    DataFrame with columns a, b, shared_m; one row for each pair, in the order of the frame
        a, b: labels of frame.index, a above b in the frame; shared_m: metres of common edge, above 0.

    Raises
    ------
    MissingCrs

    Notes
    -----
    In a coverage neighbours repeat each other's corners, so that pairs are found by counting edges. Units
    whose edges do not match their neighbours' are measured against each of them instead.
    Rows without polygons have no neighbours; invalid outlines count as made valid.

    Source
    ------
    A. D. Cliff and J. K. Ord, "Spatial Processes: Models and Applications", Pion (1981), section 1.4.

    Example
    -------
    >>> quarters = [shapely.box(x, y, x + 0.01, y + 0.01) for x in (0, 0.01) for y in (0, 0.01)]
    >>> grids = gpd.GeoDataFrame(geometry=quarters, index=["sw", "nw", "se", "ne"], crs=4326)
    >>> rook(grids)[["a", "b"]].values.tolist()
    [['sw', 'nw'], ['sw', 'se'], ['nw', 'ne'], ['se', 'ne']]
    """
    ground = polygonal(frame.geometry.array)
    crs = metric_crs(frame)
    corner, ring, unit = _corners(ground)
    along, edge = _edges(corner, ring)
    xy = shapely.get_coordinates(to_metric(gpd.GeoSeries(ground, crs=frame.crs), crs).array)
    length = np.zeros(edge.max(initial=-1) + 1)
    length[edge] = np.hypot(*(xy[along + 1] - xy[along]).T)
    common = _common(edge, unit[along], len(frame), length)
    a, b = _unmatched(ground, edge, unit[along])
    borders = shapely.intersection(shapely.boundary(ground[a]), shapely.boundary(ground[b]))
    metres = to_metric(gpd.GeoSeries(borders, crs=frame.crs), crs).length.to_numpy()
    return _pairs(frame, common, a, b, metres).rename(columns={"common": "shared_m"})


def queen(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the pairs of units that share an edge or a corner.

    Parameters, raises and notes are those of `rook`.

    Returns
    -------
    DataFrame with columns a, b; one row for each pair, in the order of the frame

    Example
    -------
    >>> quarters = [shapely.box(x, y, x + 0.01, y + 0.01) for x in (0, 0.01) for y in (0, 0.01)]
    >>> len(queen(gpd.GeoDataFrame(geometry=quarters, crs=4326)))
    6
    """
    ground = polygonal(frame.geometry.array)
    corner, ring, unit = _corners(ground)
    along, edge = _edges(corner, ring)
    common = _common(corner, unit, len(frame), np.ones(corner.max(initial=-1) + 1))
    a, b = _unmatched(ground, edge, unit[along])
    return _pairs(frame, common, a, b, shapely.intersects(ground[a], ground[b]))[["a", "b"]]


KINDS = {"rook": rook, "queen": queen}


def matrix(frame: gpd.GeoDataFrame, kind: str = "queen") -> csr_array:
    """Return the neighbours of every unit as a sparse matrix of 0 and 1.

    Parameters
    ----------
    frame : GeoDataFrame of polygons, any declared CRS, shape (n,)
    kind : "rook" or "queen"

    Returns
    -------
    csr_array, float, shape (n, n); symmetric, zero diagonal, rows and columns in the order of the frame

    Raises
    ------
    UnknownContiguity, MissingCrs

    Example
    -------
    >>> quarters = [shapely.box(x, y, x + 0.01, y + 0.01) for x in (0, 0.01) for y in (0, 0.01)]
    >>> matrix(gpd.GeoDataFrame(geometry=quarters, crs=4326), "rook").sum(axis=1)
    array([2., 2., 2., 2.])
    """
    if kind not in KINDS:
        raise UnknownContiguity(kind=kind, known=", ".join(KINDS))
    placed = frame.geometry.reset_index(drop=True).to_frame("geometry").set_geometry("geometry")
    pairs = KINDS[kind](placed)
    a, b = pairs["a"].to_numpy(dtype=int), pairs["b"].to_numpy(dtype=int)
    ones = np.ones(2 * len(pairs))
    return csr_array((ones, (np.append(a, b), np.append(b, a))), shape=(len(frame), len(frame)))


def _corners(ground: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each vertex the number of its place, its ring and its unit; equal places have equal numbers."""
    parts, part_unit = shapely.get_parts(ground, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    _, corner = np.unique(np.ascontiguousarray(xy + 0.0).view(complex).ravel(), return_inverse=True)
    return corner, ring, part_unit[ring_part[ring]]


def _edges(corner: np.ndarray, ring: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each edge starts among the vertices, and its number; the same two corners are the same edge."""
    along = np.flatnonzero(ring[:-1] == ring[1:])
    low, high = np.minimum(corner[along], corner[along + 1]), np.maximum(corner[along], corner[along + 1])
    return along, np.unique(low * (corner.max(initial=0) + 1) + high, return_inverse=True)[1]


def _common(feature: np.ndarray, unit: np.ndarray, n: int, weight: np.ndarray) -> coo_array:
    """For each pair of units the summed weight of the features (edges, corners) that both have."""
    held = csr_array((np.ones(len(feature)), (feature, unit)), shape=(len(weight), n))
    held.data[:] = 1  # a ring meets its first corner twice
    return triu(held.T @ diags_array(weight) @ held, k=1, format="coo")


def _unmatched(ground: np.ndarray, edge: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs in which an outline does not match its neighbours', to be measured one by one.

    Only units with an edge that nobody repeats can be among them: those at the outer border, mostly.
    """
    tree = shapely.STRtree(ground)
    lonely = np.unique(unit[np.bincount(edge)[edge] == 1])
    near = np.unique(np.append(lonely, tree.query(ground[lonely])[1]))
    edges = shapely.coverage_invalid_edges(ground[near])
    faulty = near[~shapely.is_empty(edges)]
    one, two = tree.query(ground[faulty], predicate="intersects")
    pairs = np.sort(np.column_stack([faulty[one], two]), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    return pairs[:, 0], pairs[:, 1]


def _pairs(
    frame: gpd.GeoDataFrame, common, a: np.ndarray, b: np.ndarray, measured: np.ndarray
) -> pd.DataFrame:
    """Pairs that have something in common; where one was measured, the larger of both counts holds."""
    rows = pd.DataFrame(
        {
            "a": np.append(common.row, a),
            "b": np.append(common.col, b),
            "common": np.append(common.data, measured.astype(float)),
        }
    )
    rows = rows[rows["common"] > 0].groupby(["a", "b"], as_index=False)["common"].max()
    labels = frame.index.to_numpy()
    return rows.assign(a=labels[rows["a"]], b=labels[rows["b"]])
