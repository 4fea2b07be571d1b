"""Where a point lies: its building, micro-grid (微网格), community (社区) and street (街道).

Every level is decided by its own polygons, never by what a code or a parent field claims, because maps
as they are handed over do not always nest. `Locator` answers from a compiled cell index that is kept
per edition; `locate_plain` says the same with shapely alone and is what tests hold it against.

The answers, all deterministic:

======== ============================================================================== ============
how      when (judged on the finest of street, community and micro_grid that has units)  distance_m
======== ============================================================================== ============
inside   strictly inside a unit; of overlapping units the smallest code                  0
border   exactly on a border and strictly inside none; the smallest code that touches    0
gap      in no unit, but within the filled outline of some level; the nearest unit       to it
outside  outside all; the nearest unit                                                   to it
nowhere  not a place on earth, or outside and farther than `max_distance_m`; no unit     NaN, or to it
======== ============================================================================== ============

The coarser levels are asked each on its own: the unit that holds the point, else one whose border it is
on, else none; only in a gap or outside does the nearest stand in. No nearest unit is given beyond
`max_distance_m`. A building is given where its footprint or border holds the point: of several the
smallest in area, then the smallest code; it is not forced to agree with the micro-grid. Codes are
compared as text. Rows without a code or without a polygon are never found; an invalid polygon counts as
the ground that `gis.ground.polygonal` makes of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import BadInput
from gis.ground import COVERAGES, LEVELS, filled, layers
from gis.outskirts import Outskirts, open_edges, rings_of

HOW = ("inside", "border", "gap", "outside", "nowhere")
INSIDE, BORDER, GAP, OUTSIDE, NOWHERE = range(5)
VERSION = 1


class NothingToLocateIn(BadInput):
    """No street, community or micro-grid has a polygon with a code."""


class UnevenPoints(BadInput):
    """There are {lon} longitudes but {lat} latitudes."""


class OtherIndex(BadInput):
    """The index in {folder} was not written by this version; build it again."""


@dataclass(frozen=True)
class Located:
    """Answers for n points, level by level."""

    rows: dict[str, np.ndarray]
    """int32 (n,) for each level: the row of the frame the unit came from, -1 for none."""
    how: np.ndarray
    """uint8 (n,): a place in HOW."""
    distance_m: np.ndarray
    """float (n,): metres to the finest unit, 0 inside it."""
    names: dict[str, np.ndarray] = field(repr=False)
    """The codes of each level by row."""

    def codes(self, level: str) -> np.ndarray:
        """Return the codes of a level, object array (n,), None where there is no unit."""
        rows = self.rows[level]
        return np.append(self.names[level], None)[rows]


@dataclass(frozen=True, slots=True)
class Place:
    """The answer for one point: a code or None a level, how, and metres to the finest unit."""

    street: str | None
    community: str | None
    micro_grid: str | None
    building: str | None
    how: str
    distance_m: float


@dataclass(frozen=True)
class Ranked:
    """The usable units of one level in the order in which they win."""

    level: str
    codes: np.ndarray  # of all rows of the frame, None where a row has none
    rows: np.ndarray
    polygons: np.ndarray


def ranked(levels: Mapping[str, gpd.GeoDataFrame]) -> list[Ranked]:
    """Return the usable units of each level that has any, coarse to fine, those that win first.

    Raises
    ------
    NothingToLocateIn, gis.ground.UnknownLevel, LevelLacksColumn, LevelLacksCrs

    Example
    -------
    >>> boxes = [shapely.box(0, 0, 2, 1), shapely.box(2, 0, 3, 1)]
    >>> frame = gpd.GeoDataFrame({"code": ["2", "1"]}, geometry=boxes, crs=4326)
    >>> [(units.level, units.rows.tolist()) for units in ranked({"street": frame})]
    [('street', [1, 0])]
    """
    found = []
    for layer in layers({level: frame for level, frame in levels.items() if frame is not None}):
        usable = np.flatnonzero(~shapely.is_missing(layer.ground) & pd.notna(layer.codes))
        by_code = usable[np.argsort(layer.codes[usable].astype(str), kind="stable")]
        if layer.level not in COVERAGES:
            by_code = by_code[np.argsort(shapely.area(layer.ground[by_code]), kind="stable")]
        if len(by_code):
            found.append(Ranked(layer.level, layer.codes, by_code, layer.ground[by_code]))
    if not any(units.level in COVERAGES for units in found):
        raise NothingToLocateIn()
    return found


def outlines(levels: list[Ranked]) -> np.ndarray:
    """Return the filled outline of each coverage level, polygons (k,): what is in one is no outside."""
    return np.array([filled(_union(units.polygons)) for units in levels if units.level in COVERAGES])


def _union(polygons: np.ndarray) -> shapely.Geometry:
    """By matching edges where that loses no ground, which is ten times faster, else by overlay."""
    try:
        union = shapely.coverage_union_all(polygons)
    except shapely.GEOSException:  # some overlaps it notices, the others show in the area
        return shapely.union_all(polygons)
    if union.is_valid and np.isclose(union.area, shapely.area(polygons).sum(), rtol=1e-13, atol=0):
        return union
    return shapely.union_all(polygons)


class Locator:
    """Finds the units of points, fast, from one edition of the levels.

    Example
    -------
    >>> halves = [shapely.box(104, 30, 104.01, 30.01), shapely.box(104.01, 30, 104.02, 30.01)]
    >>> frame = gpd.GeoDataFrame({"code": ["510106001", "510106002"]}, geometry=halves, crs=4326)
    >>> locator = Locator.build({"street": frame})
    >>> locator.one(104.01, 30.005)
    Place(street='510106001', community=None, micro_grid=None, building=None, how='border', distance_m=0.0)
    >>> located = locator.locate(np.array([104.015, 104.03]), np.array([30.005, 30.005]))
    >>> located.codes("street").tolist(), [HOW[how] for how in located.how], located.distance_m.round()
    (['510106002', '510106002'], ['inside', 'outside'], array([  0., 965.]))
    """

    def __init__(self, cells, codes: dict[str, np.ndarray], outskirts: dict[str, Outskirts]):
        self._cells, self._codes, self._outskirts = cells, codes, outskirts
        self._finest = max(LEVELS.index(level) for level in outskirts)

    @classmethod
    def build(cls, levels: Mapping[str, gpd.GeoDataFrame]) -> "Locator":
        """Return the locator of some levels.

        Parameters
        ----------
        levels : mapping of level to frame with columns code and geometry, any CRS; levels may be missing

        Raises
        ------
        NothingToLocateIn, gis.ground.UnknownLevel, LevelLacksColumn, LevelLacksCrs
        """
        from gis import cell_layout, cells  # the compiler's library takes its time to load

        units = ranked(levels)
        rings = [rings_of(each.polygons) for each in units]
        outline = outlines(units)
        columns = [
            (LEVELS.index(each.level), each.rows, flat) for each, flat in zip(units, rings, strict=True)
        ]
        columns.append((cells.OUTLINE, np.arange(len(outline)), rings_of(outline)))
        outskirts = {
            each.level: Outskirts(*open_edges(flat, each.rows))
            for each, flat in zip(units, rings, strict=True)
            if each.level in COVERAGES
        }
        return cls(cell_layout.build(columns), {each.level: each.codes for each in units}, outskirts)

    def codes(self, level: str) -> np.ndarray:
        """Return the codes of a level by row, object array; empty if the level has no units."""
        return self._codes.get(level, np.empty(0, object))

    def locate(self, lon, lat, max_distance_m: float | None = None, threads: int | None = None) -> Located:
        """Return the units of points.

        Parameters
        ----------
        lon, lat : float arrays, degrees WGS-84, shape (n,)
        max_distance_m : float, optional
            No unit farther than this many metres is given.
        threads : int, optional
            How many work at once; one for each core if not given.

        Returns
        -------
        Located, shape (n,), in the order given

        Raises
        ------
        UnevenPoints
        """
        lon, lat = _points(lon, lat)
        rows, how = self._cells.find(lon, lat, self._finest, threads)
        return self._settled(lon, lat, rows, how, max_distance_m)

    def one(self, lon: float, lat: float, max_distance_m: float | None = None) -> Place:
        """Return the units of one point, degrees WGS-84, as codes."""
        rows, how = self._cells.find_one(lon, lat, self._finest)
        distance = 0.0
        if how >= GAP:
            located = self.locate(np.array([lon]), np.array([lat]), max_distance_m)
            rows = [located.rows[level][0] for level in LEVELS]
            how, distance = located.how[0], float(located.distance_m[0])
        street, community, micro_grid, building = self._texts
        return Place(
            street[rows[0]], community[rows[1]], micro_grid[rows[2]], building[rows[3]], HOW[how], distance
        )

    def save(self, folder: str | Path) -> None:
        """Write the index into a folder, made if need be; `load` maps it back."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name in CELL_FILES:
            np.save(folder / f"{name}.npy", getattr(self._cells, name))
        for level, codes in self._codes.items():
            np.save(folder / f"{level}.codes.npy", np.where(pd.isna(codes), "", codes).astype(str))
        for level, edges in self._outskirts.items():
            np.save(folder / f"{level}.segments.npy", edges.segments)
            np.save(folder / f"{level}.rows.npy", edges.rows)
        about = {"version": VERSION, "levels": list(self._codes), "coverages": list(self._outskirts)}
        (folder / "index.json").write_text(json.dumps(about))  # last: without it the folder is not an index

    @classmethod
    def load(cls, folder: str | Path) -> "Locator":
        """Return the locator saved in a folder, its arrays mapped from the files.

        Raises
        ------
        OtherIndex
            If the folder holds no index of this version.
        """
        from gis.cells import Cells

        folder = Path(folder)
        try:
            about = json.loads((folder / "index.json").read_text())
        except (OSError, ValueError):
            about = {}
        if about.get("version") != VERSION:
            raise OtherIndex(folder=folder)
        return cls(
            Cells(*(_mapped(folder / f"{name}.npy") for name in CELL_FILES)),
            {level: np.load(folder / f"{level}.codes.npy").astype(object) for level in about["levels"]},
            {
                level: Outskirts(
                    _mapped(folder / f"{level}.segments.npy"), _mapped(folder / f"{level}.rows.npy")
                )
                for level in about["coverages"]
            },
        )

    @cached_property
    def _texts(self) -> list[list[str | None]]:
        """The codes of each level by row; the last, which row -1 means, is None."""
        return [[*self.codes(level), None] for level in LEVELS]

    def _settled(self, lon, lat, rows, how, max_distance_m) -> Located:
        rows = {level: rows[i] for i, level in enumerate(LEVELS)}
        distance = settle(self._outskirts, lon, lat, rows, how, max_distance_m)
        return Located(rows, how, distance, {level: self.codes(level) for level in LEVELS})


CELL_FILES = ("frame", "cells", "stream", "xy")


def warm() -> None:
    """Compile the index code into numba's cache on disk, once at set-up, so that no command waits for it."""
    from gis import cell_layout, nearest, scan_search, zoning_search

    assert cell_layout and nearest and scan_search and zoning_search, "importing compiles"


def locate_plain(
    levels: Mapping[str, gpd.GeoDataFrame], lon, lat, max_distance_m: float | None = None
) -> Located:
    """Return the units of points as `Locator.locate` does, by shapely alone: for few points, and for tests.

    Example
    -------
    >>> frame = gpd.GeoDataFrame({"code": ["510106001"]}, geometry=[shapely.box(104, 30, 105, 31)], crs=4326)
    >>> locate_plain({"street": frame}, [104.5], [30.5]).codes("street").tolist()
    ['510106001']
    """
    lon, lat = _points(lon, lat)
    units = ranked(levels)
    finest = [each.level for each in units if each.level in COVERAGES][-1]
    points = shapely.points(lon, lat)
    rows = {level: np.full(len(lon), -1, np.int32) for level in LEVELS}
    how = np.full(len(lon), OUTSIDE, np.uint8)
    for each in units:
        point, unit = shapely.STRtree(each.polygons).query(points, predicate="intersects")
        loose = (each.level in COVERAGES) & ~shapely.contains_properly(each.polygons[unit], points[point])
        order = np.lexsort((unit, loose, point))
        held, first = np.unique(point[order], return_index=True)
        rows[each.level][held] = each.rows[unit[order[first]]]
        if each.level == finest:
            how[held] = np.where(loose[order[first]], BORDER, INSIDE)
    within = np.unique(shapely.STRtree(outlines(units)).query(points, predicate="intersects")[0])
    how[within[how[within] == OUTSIDE]] = GAP
    outskirts = {
        each.level: Outskirts(*open_edges(rings_of(each.polygons), each.rows))
        for each in units
        if each.level in COVERAGES
    }
    codes = dict.fromkeys(LEVELS, np.empty(0, object)) | {each.level: each.codes for each in units}
    return Located(rows, how, settle(outskirts, lon, lat, rows, how, max_distance_m, plain=True), codes)


def settle(
    outskirts: dict[str, Outskirts], lon, lat, rows, how, max_distance_m: float | None, plain=False
) -> np.ndarray:
    """Give points that no unit holds their nearest units, in place; return the distances in metres."""
    distance = np.zeros(len(lon))
    lost = np.flatnonzero(how >= GAP)
    on_earth = (np.abs(lon[lost]) <= 180) & (np.abs(lat[lost]) <= 90)
    how[lost[~on_earth]], distance[lost[~on_earth]] = NOWHERE, np.nan
    lost = lost[on_earth]
    limit = np.inf if max_distance_m is None else max_distance_m
    for level in (level for level in COVERAGES if level in outskirts):
        open_ = lost[rows[level][lost] < 0]
        nearest, metres = outskirts[level].nearest(lon[open_], lat[open_], plain)
        rows[level][open_] = np.where(metres <= limit, nearest, -1)
    if len(lost):  # the finest level came last, and holds none of the lost
        distance[lost] = metres
        how[lost[(metres > limit) & (how[lost] == OUTSIDE)]] = NOWHERE
    return distance


def _points(lon, lat) -> tuple[np.ndarray, np.ndarray]:
    lon, lat = (np.ascontiguousarray(values, dtype=float).ravel() for values in (lon, lat))
    if len(lon) != len(lat):
        raise UnevenPoints(lon=len(lon), lat=len(lat))
    return lon, lat


def _mapped(path: Path) -> np.ndarray:
    """Mapped copy-on-write: pages are shared between processes, and plain arrays to compiled code."""
    return np.asarray(np.load(path, mmap_mode="c"))
