"""Make levels a nested coverage within a stated tolerance, and say what moved.

The finest level is mended first and every coarser one rebuilt from its children, so that nesting is exact.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import KDTree

from gis.errors import BadInput
from gis.ground import COVERAGES, WGS84, Layer, Metre, areal, broader, holes, layers, merged, metre, reach
from gis.nesting import claims, extent

SNAP_M = 0.01  # vertices closer than this become one, never more than the tolerance
SAME_M = 1e-6  # a vertex this close to a given one is that one: projecting there and back is not a move
MOVE_M = 0.001  # less is the rounding of a projection, no move
CORNER_M = 10 * SNAP_M  # a shorter common border is a corner
SQUARE_MM = 1e-6
MOVES = ("level", "code", "row", "what", "area_m2", "size_m", "geometry")


class BadTolerance(BadInput):
    """The tolerance of a repair is {tolerance_m}; give metres above 0."""


@dataclass(frozen=True)
class Repair:
    """The repaired levels and the frame of what moved."""

    levels: dict[str, gpd.GeoDataFrame]
    moves: gpd.GeoDataFrame


def repair(
    levels: Mapping[str, gpd.GeoDataFrame],
    tolerance_m: float,
    *,
    code_parent: Callable[[str, str], str | None] | None = None,
    staying: Collection[str] = (),
) -> Repair:
    """Return the levels as a nested coverage, as far as no ground moves farther than the tolerance.

    Parameters
    ----------
    levels : mapping of level name to GeoDataFrame
        As in `gis.coverage.check`.
    tolerance_m : float, metres
        No ground joins a unit, or leaves it, whose border is farther away.
    code_parent : callable (level, code) -> parent code or None
        Names the parent of rows that have no parent_code.
    staying : collection of str
        Codes of the finest level that neither gain nor lose ground: their neighbours give way.

    Returns
    -------
    Repair
        levels: the frames in EPSG:4326, same index and columns; moves: EPSG:4326 frame, one row for each
        unit and way of moving, with level, code, row, what (made_valid, gap_filled, overlap_cut, snapped,
        refit_to_children), area_m2, size_m (farthest move in metres) and the geometry that moved.

    Raises
    ------
    BadTolerance, UnknownLevel, LevelLacksColumn, MissingCrs

    Notes
    -----
    The finest of street, community and micro_grid is mended; each coarser level becomes the union of its
    children. Ground farther than the tolerance from the parent that its unit names stays with the parent
    that holds it, wide gaps stay open and wide overlaps stay double: `gis.coverage.check` of the result
    says what is left. Moves of less than a millimetre are not listed.
    A unit that nothing touched keeps its geometry, vertex by vertex.
    Buildings are never cut or moved. Rows without polygons are returned as they came.

    Source
    ------
    GEOS coverage cleaning, https://shapely.readthedocs.io/en/stable/coverage.html

    Example
    -------
    >>> west, east = shapely.box(104, 30, 104.01001, 30.01), shapely.box(104.01, 30, 104.02, 30.01)
    >>> grids = gpd.GeoDataFrame({"code": ["1", "2"]}, geometry=[west, east], crs=4326)
    >>> done = repair({"micro_grid": grids}, tolerance_m=2)
    >>> done.moves[["code", "what"]].values.tolist()
    [['1', 'overlap_cut']]
    >>> bool(shapely.coverage_is_valid(done.levels["micro_grid"].geometry.values))
    True
    """
    if not tolerance_m > 0:
        raise BadTolerance(tolerance_m=tolerance_m)
    shapes = [layer for layer in layers(levels, code_parent) if layer.level in COVERAGES]
    scale = metre(levels)
    before = {layer.level: scale.project(layer.ground) for layer in shapes}
    after = _rebuilt(shapes, before, scale, tolerance_m, staying)
    moves = [
        part
        for layer in shapes
        for part in _moves(layer, before[layer.level], after[layer.level], scale, layer is shapes[-1])
    ]
    moved = pd.concat(moves, ignore_index=True) if moves else pd.DataFrame(columns=MOVES)
    moved["geometry"] = scale.back(moved["geometry"].to_numpy(dtype=object))
    frames = _frames(levels, shapes, _restored(shapes, before, after, scale))
    return Repair(frames, gpd.GeoDataFrame(moved, geometry="geometry", crs=WGS84))


def _rebuilt(
    shapes: list[Layer], before: dict, scale: Metre, tolerance_m: float, staying: Collection[str]
) -> dict[str, np.ndarray]:
    """The metric ground of every coverage level after repair, finest first."""
    after = {}
    for depth in reversed(range(len(shapes))):
        layer, ground = shapes[depth], before[shapes[depth].level]
        if depth == len(shapes) - 1:
            stays = np.isin(layer.codes, list(staying))
            after[layer.level] = _mended(layer, ground, _gaps(shapes, scale), tolerance_m, stays)
        else:
            children = shapes[depth + 1]
            home = claims(children, [layer])[0][1]
            after[layer.level] = _refitted(ground, after[children.level], home, tolerance_m)
    return after


def _gaps(shapes: list[Layer], scale: Metre) -> np.ndarray:
    """Holes of the finest level, without those that every coarser level has too."""
    gaps = holes(shapes[-1].whole)
    if len(shapes) > 1 and len(gaps):
        gaps = areal(shapely.intersection(gaps, shapely.union_all([layer.whole for layer in shapes[:-1]])))
    return scale.project(gaps)


def _mended(
    layer: Layer, ground: np.ndarray, gaps: np.ndarray, tolerance_m: float, stays: np.ndarray
) -> np.ndarray:
    """Fill the thin gaps of a level and resolve its thin overlaps."""
    if not layer.faulty.any() and not len(gaps):
        return ground
    ground = _yielding(ground, stays, tolerance_m) if stays.any() else ground
    return _noded(_filled(ground, gaps, tolerance_m, stays), tolerance_m)


def _yielding(ground: np.ndarray, stays: np.ndarray, tolerance_m: float) -> np.ndarray:
    """Cut what thinly overlaps a unit that stays out of those that do not."""
    ground, free, fixed = ground.copy(), np.flatnonzero(~stays), ground[stays]
    at, beside = shapely.STRtree(fixed).query(ground[free], predicate="intersects")
    for unit in np.unique(free[at]):
        claimed = shapely.intersection(ground[unit], shapely.union_all(fixed[beside[free[at] == unit]]))
        parts = shapely.get_parts(areal(claimed))
        rest = shapely.difference(ground[unit], claimed)
        parts = parts[~_far(parts, np.full(len(parts), rest), tolerance_m)]
        ground[unit] = areal(shapely.difference(ground[unit], shapely.union_all(parts)))[0]
    return ground


def _filled(ground: np.ndarray, gaps: np.ndarray, tolerance_m: float, stays: np.ndarray) -> np.ndarray:
    """Give thin gaps to the neighbours along them, nowhere farther than the tolerance from the taker."""
    thin = gaps[~broader(gaps, tolerance_m)]
    ground, tree = ground.copy(), shapely.STRtree(np.where(stays, None, ground))
    for gap in thin:
        near = tree.query(gap, predicate="dwithin", distance=SNAP_M)
        border = shapely.length(shapely.intersection(ground[near], gap.boundary.buffer(SNAP_M)))
        for unit in near[np.argsort(-border, kind="stable")]:
            ground[unit], gap = _taken(gap, ground[unit], tolerance_m)
    return ground


def _taken(gap: shapely.Geometry, unit: shapely.Geometry, tolerance_m: float) -> tuple:
    """The unit with the parts of a gap that adjoin it within the tolerance, and the rest of the gap."""
    parts = shapely.get_parts(areal(shapely.intersection(gap, shapely.buffer(unit, tolerance_m))))
    along = shapely.length(shapely.intersection(shapely.boundary(parts), shapely.buffer(unit, SNAP_M)))
    adjoining = parts[along > CORNER_M]
    taken = shapely.union_all(adjoining)
    return areal(shapely.union(unit, taken))[0], areal(shapely.difference(gap, taken))[0]


def _noded(ground: np.ndarray, tolerance_m: float) -> np.ndarray:
    """Make edges match and cut thin overlaps; ground of a wide overlap stays with both its owners.

    A wide overlap is cleaned as a piece of its own and given back to both afterwards.
    """
    wide, owners = _wide_overlaps(ground, tolerance_m)
    claimed = shapely.union_all(wide)
    present = np.flatnonzero(~shapely.is_missing(ground))
    touched = (
        shapely.intersects(ground[present], claimed) if len(wide) else np.zeros(len(present), dtype=bool)
    )
    pieces = ground[present].copy()
    pieces[touched] = areal(shapely.difference(pieces[touched], claimed))
    snap = min(SNAP_M, tolerance_m)
    clean = shapely.coverage_clean(np.append(pieces, wide), gap_width=snap, snapping_distance=snap)
    noded = ground.copy()
    noded[present] = clean[: len(present)]
    for piece, pair in zip(clean[len(present) :], owners, strict=True):
        for unit in pair:
            noded[unit] = shapely.union(noded[unit], piece)
    return noded


def _wide_overlaps(ground: np.ndarray, tolerance_m: float) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Parts of overlaps that reach farther than the tolerance into a unit, and the pairs that own them."""
    one, two = shapely.STRtree(ground).query(ground, predicate="intersects")
    one, two = one[one < two], two[one < two]
    parts, pair = shapely.get_parts(areal(shapely.intersection(ground[one], ground[two])), return_index=True)
    real = shapely.area(parts) > SQUARE_MM
    parts, one, two = parts[real], one[pair[real]], two[pair[real]]
    wide = np.any(
        [_far(parts, shapely.difference(ground[unit], parts), tolerance_m) for unit in (one, two)], axis=0
    )
    return parts[wide], list(zip(one[wide], two[wide], strict=True))


def _refitted(ground: np.ndarray, children: np.ndarray, home: np.ndarray, tolerance_m: float) -> np.ndarray:
    """Rebuild parents from the children that name them, where that moves no ground beyond the tolerance."""
    edges = shapely.coverage_invalid_edges(children)
    faulty = ~shapely.is_missing(edges) & ~shapely.is_empty(edges)
    broods = [home == parent for parent in range(len(ground))]
    rebuilt = np.array([merged(children[brood], faulty[brood]) for brood in broods], dtype=object)
    refused = _beyond(rebuilt, ground, tolerance_m)
    if not shapely.is_empty(refused).all():
        rebuilt = shapely.difference(rebuilt, refused)
    kept = _beyond(ground, rebuilt, tolerance_m)
    kept = shapely.union(kept, areal(shapely.intersection(ground, shapely.union_all(refused))))
    if shapely.is_empty(refused).all() and shapely.is_empty(kept).all():
        return rebuilt
    return _noded(areal(shapely.union(rebuilt, kept)), tolerance_m)


def _beyond(ground: np.ndarray, home: np.ndarray, tolerance_m: float) -> np.ndarray:
    """The parts of each ground outside its home that reach farther from it than the tolerance."""
    parts, owner = shapely.get_parts(shapely.difference(ground, home), return_index=True)
    far = _far(parts, home[owner], tolerance_m)
    return np.array([shapely.union_all(parts[far & (owner == i)]) for i in range(len(ground))], dtype=object)


def _far(parts: np.ndarray, home: np.ndarray, tolerance_m: float) -> np.ndarray:
    """Which grounds lie too far from home; what fills a notch touches home and is as far as it is broad."""
    return (reach(parts, home) > tolerance_m) | broader(parts, tolerance_m)


def _restored(shapes: list[Layer], before: dict, after: dict, scale: Metre) -> dict[str, np.ndarray]:
    """Return to degrees, giving every vertex that did not move its own coordinates back."""
    metric = np.concatenate([shapely.get_coordinates(before[layer.level]) for layer in reversed(shapes)])
    degrees = np.concatenate([shapely.get_coordinates(layer.ground) for layer in reversed(shapes)])
    tree = KDTree(metric)

    def back(xy):
        distance, nearest = tree.query(xy, distance_upper_bound=SAME_M)
        known = np.isfinite(distance)
        moved = shapely.get_coordinates(scale.back(shapely.points(xy)))
        moved[known] = degrees[nearest[known]]
        return moved

    return {level: shapely.transform(ground, back) for level, ground in after.items()}


def _moves(
    layer: Layer, before: np.ndarray, after: np.ndarray, scale: Metre, finest: bool
) -> list[pd.DataFrame]:
    """What changed in a level: outlines made valid, ground gained, ground lost, vertices moved."""
    moved = np.flatnonzero(~_same(before, after, SAME_M))
    gained = shapely.difference(after[moved], before[moved])
    lost = shapely.difference(before[moved], after[moved])
    size_in, size_out = extent(gained, before[moved]), extent(lost, after[moved])
    area_in, area_out = shapely.area(gained), shapely.area(lost)
    broken = np.flatnonzero(layer.broken)
    valid = np.abs(shapely.area(before[broken]) - scale.area(layer.given[broken]))
    parts = [_moved("made_valid", layer, broken, before[broken], valid, np.zeros(len(broken)))]
    if finest:
        took, gave = size_in > SNAP_M, size_out > SNAP_M
        parts += [
            _moved("gap_filled", layer, moved[took], gained[took], area_in[took], size_in[took]),
            _moved("overlap_cut", layer, moved[gave], lost[gave], area_out[gave], size_out[gave]),
        ]
        what, rest = "snapped", ~took & ~gave
    else:
        what, rest = "refit_to_children", np.ones(len(moved), dtype=bool)
    both, size = shapely.union(gained, lost), np.maximum(size_in, size_out)
    rest &= size > MOVE_M
    return [*parts, _moved(what, layer, moved[rest], both[rest], (area_in + area_out)[rest], size[rest])]


def _moved(what: str, layer: Layer, at: np.ndarray, ground: np.ndarray, area, size) -> pd.DataFrame:
    columns = (layer.level, layer.codes[at], layer.index[at].astype(object), what, area, size, ground)
    return pd.DataFrame(dict(zip(MOVES, columns, strict=True)), index=range(len(at)))


def _same(one: np.ndarray, two: np.ndarray, tolerance: float = 0) -> np.ndarray:
    """Whether grounds have the same vertices, wherever their rings begin; two without ground are the same."""
    both_missing = shapely.is_missing(one) & shapely.is_missing(two)
    return both_missing | shapely.equals_exact(shapely.normalize(one), shapely.normalize(two), tolerance)


def _frames(
    levels: Mapping[str, gpd.GeoDataFrame], shapes: list[Layer], after: dict
) -> dict[str, gpd.GeoDataFrame]:
    """The given frames with their new ground; a unit that stayed as it was keeps the very geometry given."""
    frames = {level: frame.to_crs(WGS84) for level, frame in levels.items()}
    for layer in shapes:
        ground = after[layer.level]
        stayed = shapely.is_missing(ground) | _same(layer.given, ground)
        frames[layer.level] = frames[layer.level].set_geometry(
            gpd.GeoSeries(np.where(stayed, layer.given, ground), index=layer.index, crs=WGS84)
        )
    return frames
