"""The nearest unit of a level, for points that no unit holds."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyproj
import shapely

from gis.ground import SAME

LONGEST = 0.005  # degrees: what is straight in degrees is straight in metres to a few millimetres
ELLIPSOID = pyproj.Geod(ellps="WGS84")


class Rings(NamedTuple):
    """Polygons as flat arrays: all corners, where each ring starts, the first ring of each polygon.

    Both `starts` and `first` carry one more entry, the end.
    """

    xy: np.ndarray
    starts: np.ndarray
    first: np.ndarray


def rings_of(polygons: np.ndarray) -> Rings:
    """Return the rings of polygons and multipolygons, none missing, shape (n,), their ground on the left.

    Example
    -------
    >>> rings_of(np.array([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)])).starts
    array([ 0,  5, 10])
    """
    flat = shapely.force_2d(polygons) if shapely.has_z(polygons).any() else polygons
    parts, owner = shapely.get_parts(shapely.orient_polygons(flat), return_index=True)
    _, xy, (starts, first) = shapely.to_ragged_array(parts)
    unit = np.searchsorted(owner, np.arange(len(polygons) + 1))
    return Rings(xy, starts.astype(np.int64), first[unit].astype(np.int64))


def open_edges(rings: Rings, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the segments where a level ends, with ground on one side only, and those that touch them.

    Parameters
    ----------
    rings : Rings of n polygons, EPSG:4326
    rows : int array, shape (n,)

    Returns
    -------
    segments (k, 4) as lon, lat, lon, lat and the row of each (k,)

    Notes
    -----
    Rings run with their ground on the left, so a segment run both ways has ground on both sides, and a
    point outside all units is nearest to one that has not. Segments that only touch one are kept so
    that of all units meeting in a nearest corner the smallest code can be chosen.

    Example
    -------
    >>> squares = np.array([shapely.box(i, j, i + 1, j + 1) for i in range(5) for j in range(5)])
    >>> segments, rows = open_edges(rings_of(squares), np.arange(25))
    >>> len(squares) * 4, len(segments), 12 in rows
    (100, 52, False)
    """
    xy, starts, first = rings
    owner = np.repeat(np.repeat(rows, np.diff(first)), np.diff(starts))
    inner = np.ones(len(xy), bool)
    inner[starts[1:] - 1] = False  # from the last corner of a ring no segment leads on
    segments = np.column_stack([xy, np.roll(xy, -1, axis=0)])[inner]
    owner = owner[inner]
    backward = (segments[:, 0] > segments[:, 2]) | (
        (segments[:, 0] == segments[:, 2]) & (segments[:, 1] > segments[:, 3])
    )
    undirected = pd.DataFrame(np.where(backward[:, None], segments[:, [2, 3, 0, 1]], segments))
    line = undirected.groupby(list(undirected), sort=False).ngroup().to_numpy()
    both_ways = (np.bincount(line, backward) > 0) & (np.bincount(line, ~backward) > 0)
    alone = ~both_ways[line]
    corners = pd.MultiIndex.from_arrays(segments[alone].reshape(-1, 2).T)
    touching = [pd.MultiIndex.from_arrays(segments[:, at : at + 2].T).isin(corners) for at in (0, 2)]
    near = alone | touching[0] | touching[1]
    return segments[near], owner[near]


@dataclass(frozen=True)
class Outskirts:
    """The open edges of one level, found by nearness in metres around their own middle."""

    segments: np.ndarray  # (k, 4) lon, lat, lon, lat
    rows: np.ndarray  # (k,)

    def nearest(self, lon: np.ndarray, lat: np.ndarray, plain: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Return the row of the nearest unit and its distance on the ellipsoid.

        Parameters
        ----------
        lon, lat : float arrays, degrees WGS-84, shape (n,)

        plain : bool
            Search by shapely alone, not by compiled code.

        Returns
        -------
        rows (n,) int32 and metres (n,) float

        Notes
        -----
        The foot is found in the azimuthal equidistant projection around the level's middle, whose scale
        is true to 0.1 % within 490 km and whose bearings are true from anywhere on earth; the distance
        is the geodesic from point to foot.

        Example
        -------
        >>> edges = Outskirts(*open_edges(rings_of(np.array([shapely.box(0, 0, 1, 1)])), np.array([7])))
        >>> rows, metres = edges.nearest(np.array([2.0]), np.array([0.0]))
        >>> rows.tolist(), metres.round().tolist()
        ([7], [111319.0])
        """
        points = np.column_stack(self._plane.transform(lon, lat))
        segment, foot = self._feet_plain(points) if plain else self._tree.nearest(points)
        foot_lon, foot_lat = self._plane.transform(*foot.T, direction="INVERSE")
        return self._pieces[1][segment], ELLIPSOID.inv(lon, lat, foot_lon, foot_lat)[2]

    def _feet_plain(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The number of the nearest piece and the foot on it, as `SegmentTree.nearest` says, by shapely."""
        lines, points = shapely.linestrings(self._pieces[0].reshape(-1, 2, 2)), shapely.points(points)
        tree = shapely.STRtree(lines)
        (_, _), least = tree.query_nearest(points, return_distance=True, all_matches=False)
        point, piece = tree.query(points, predicate="dwithin", distance=least + SAME)
        first = np.full(len(points), len(lines))
        np.minimum.at(first, point, piece)
        return first, shapely.get_coordinates(shapely.shortest_line(lines[first], points))[::2]

    @cached_property
    def _plane(self) -> pyproj.Transformer:
        corners = self.segments.reshape(-1, 2)
        lon, lat = (corners.min(axis=0) + corners.max(axis=0)) / 2
        around = f"+proj=aeqd +lon_0={lon:.9f} +lat_0={lat:.9f} +datum=WGS84"
        return pyproj.Transformer.from_crs("EPSG:4326", around, always_xy=True)

    @cached_property
    def _pieces(self) -> tuple[np.ndarray, np.ndarray]:
        """Segments (k, 4) in metres, none too long to be straight, and the row of each."""
        lines = shapely.segmentize(shapely.linestrings(self.segments.reshape(-1, 2, 2)), LONGEST)
        xy, line = shapely.get_coordinates(lines, return_index=True)
        plane = np.column_stack(self._plane.transform(*xy.T))
        whole = line[:-1] == line[1:]
        return np.hstack([plane[:-1], plane[1:]])[whole], self.rows[line[:-1][whole]].astype(np.int32)

    @cached_property
    def _tree(self):
        from gis.nearest import SegmentTree  # the compiler's library takes its time to load

        return SegmentTree(self._pieces[0])
