"""The faces between lines, which every edit of a coverage is made of.

Old borders and new lines are noded together and cut into faces, and a unit becomes the union of its faces:
so neighbours move together, vertex by vertex, and no edit can leave a gap or an overlap. A unit that an edit
does not name gets new vertices at most, where a new border begins on its own.
"""

from collections.abc import Callable, Sequence

import geopandas as gpd
import numpy as np
import shapely

from gis.errors import BadInput
from gis.loose import gathered

MEETS = 1e-9  # in units of the CRS: in degrees a tenth of a millimetre, far above rounding
Label = Callable[[np.ndarray, np.ndarray], np.ndarray]


class FallsApart(BadInput):
    """{code} would fall into {parts} pieces."""


class NothingLeft(BadInput):
    """Nothing would be left of {code}."""


def redrawn(
    grids: gpd.GeoSeries, lines: Sequence[shapely.Geometry], label: Label, also: Sequence[str] = ()
) -> gpd.GeoSeries:
    """Draw lines over units and let every face between old and new lines belong to whom `label` says.

    Parameters
    ----------
    grids : GeoSeries of polygons, a coverage, any CRS, shape (n,)
    lines : sequence of LineString or MultiLineString, same CRS
    label : callable (face, home) -> code
        face: (f,) polygons; home: (f,) codes of the units they lie in; code: (f,) whose they are now.
    also : sequence of str
        Units to be labelled even if no line touches them.

    Returns
    -------
    GeoSeries, same CRS: a coverage of the same ground, by code, old ones in their order and new ones behind

    Notes
    -----
    Units that gain no vertex and lose no face keep their geometry, the same objects.

    Example
    -------
    >>> grids = gpd.GeoSeries([shapely.box(0, 0, 2, 2)], index=["a"])
    >>> line = shapely.LineString([(1, 0), (1, 2)])
    >>> sorted(redrawn(grids, [line], lambda face, home: ["a", "b"]).index)
    ['a', 'b']
    """
    drawn = shapely.union_all(list(lines))
    touched = shapely.intersects(grids.to_numpy(), drawn) | grids.index.isin(also)
    near = grids[touched]
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded(near, [drawn]))))
    at, in_unit = shapely.STRtree(near.to_numpy()).query(shapely.point_on_surface(faces), predicate="within")
    faces, home = faces[at], near.index.to_numpy()[in_unit]
    code = np.asarray(label(faces, home), dtype=object)
    after = grids[~touched].to_dict()
    for each in dict.fromkeys(code):
        ground = shapely.coverage_union_all(faces[code == each])
        after[each] = shapely.union_all([after[each], ground]) if each in after else ground
    for each, old in near.items():
        if each in after and shapely.normalize(after[each]) == shapely.normalize(old):
            after[each] = old
    order = [each for each in grids.index if each in after]
    order += [each for each in after if each not in grids.index]
    return gpd.GeoSeries({each: after[each] for each in order}, crs=grids.crs)


def parted(
    grids: gpd.GeoSeries, pieces: np.ndarray, owner: Sequence, held: np.ndarray | None = None
) -> gpd.GeoSeries:
    """Give the ground of some units to owners, piece by piece.

    Parameters
    ----------
    grids : GeoSeries of polygons, a coverage, any CRS, shape (n,)
        By code: the units under the pieces with all their neighbours at least.
    pieces : (p,) polygons, same CRS
        A coverage that covers each unit wholly or not at all, such as cells of `gis.tessellation`.
    owner : (p,) codes
        Who gets each piece; a code that is not on the sheet becomes a new unit.
    held : (m,) points, same CRS, optional
        As for `split`.

    Returns
    -------
    GeoSeries, same CRS

    Raises
    ------
    FallsApart

    Notes
    -----
    Lines are drawn only where pieces of two owners meet, so old borders keep their vertices.

    Example
    -------
    >>> grids = gpd.GeoSeries([shapely.box(0, 0, 4, 2), shapely.box(4, 0, 6, 2)], index=["a", "b"])
    >>> halves = np.array([shapely.box(0, 0, 2, 2), shapely.box(2, 0, 4, 2)])
    >>> parted(grids, halves, ["a", "b"]).area.to_dict()
    {'a': 4.0, 'b': 8.0}
    """
    pieces, owner = np.asarray(pieces, dtype=object), np.asarray(owner, dtype=object)
    tree = shapely.STRtree(pieces)
    places = shapely.point_on_surface(grids.to_numpy())
    under = grids.index[np.unique(tree.query(places, predicate="intersects")[0])]
    corners = shapely.multipoints(shapely.get_coordinates(grids[grids.index.isin(under)].to_numpy()))
    lines = shapely.snap(between_owners(pieces, owner), corners, MEETS)  # to a corner that is there already
    ready = met(grids, shapely.get_coordinates(shapely.boundary(lines)))

    def label(face: np.ndarray, home: np.ndarray) -> np.ndarray:
        whose = owner[tree.nearest(shapely.point_on_surface(face))]
        return np.where(np.isin(home, under), whose, home)

    after = redrawn(ready, list(lines), label, also=under)
    return whole(
        after, grids, [each for each in dict.fromkeys([*under, *owner]) if each in after.index], held
    )


def met(grids: gpd.GeoSeries, points: np.ndarray) -> gpd.GeoSeries:
    """Return the units with a vertex at each of these places of their borders, so that lines meet them there.

    Example
    -------
    >>> met(gpd.GeoSeries([shapely.box(0, 0, 2, 2)]), np.array([[1.0, 2.0]]))[0].covers(shapely.Point(1, 2))
    True
    """
    ready, places = grids.to_numpy().copy(), shapely.points(points)
    for at in np.flatnonzero(shapely.dwithin(ready, shapely.multipoints(points), MEETS)):
        corners = shapely.multipoints(shapely.get_coordinates(ready[at]))
        new = places[~shapely.dwithin(corners, places, MEETS)]  # a corner there is already never moves
        if len(new):
            ready[at] = shapely.snap(ready[at], shapely.multipoints(new), MEETS)
    return gpd.GeoSeries(ready, index=grids.index, crs=grids.crs)


def noded(grids, lines: Sequence[shapely.Geometry]) -> shapely.Geometry:
    """Return all borders of units and lines, cut where they meet.

    Example
    -------
    >>> noded([shapely.box(0, 0, 2, 2)], [shapely.LineString([(1, -1), (1, 3)])]).length
    12.0
    """
    return shapely.union_all([*shapely.boundary(np.asarray(grids, dtype=object)), *lines])


def whole(
    after: gpd.GeoSeries, before: gpd.GeoSeries, codes: Sequence[str], held: np.ndarray | None = None
) -> gpd.GeoSeries:
    """Return the units after an edit, if none of these is gone or lies in more pieces than it did.

    Parameters
    ----------
    after, before : GeoSeries of polygons, a coverage, any CRS
    codes : sequence of str
        The units the edit is about.
    held : (m,) points, same CRS, optional
        Such as one in each building: then what would lie apart and holds none of them goes to another of these.

    Raises
    ------
    NothingLeft, FallsApart

    Example
    -------
    >>> grids = gpd.GeoSeries([shapely.box(0, 0, 1, 1)], index=["a"])
    >>> whole(grids, grids, ["b"])
    Traceback (most recent call last):
    gis.faces.NothingLeft: Nothing would be left of b.
    """
    for code in codes:
        if code not in after.index or shapely.is_empty(after[code]):
            raise NothingLeft(code=code)
    if held is not None and _apart(after, before, codes):
        after = gathered(after, codes, held)
    for code in _apart(after, before, codes):
        raise FallsApart(code=code, parts=int(shapely.get_num_geometries(after[code])))
    return after


def _apart(after: gpd.GeoSeries, before: gpd.GeoSeries, codes: Sequence[str]) -> list[str]:
    pieces = {code: shapely.get_num_geometries(before[code]) for code in codes if code in before.index}
    return [code for code in codes if shapely.get_num_geometries(after[code]) > pieces.get(code, 1)]


def between_owners(pieces: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Return the borders between pieces of two owners, from crossing to crossing.

    Parameters
    ----------
    pieces : (p,) polygons, a coverage, any CRS
    owner : (p,) of any kind

    Returns
    -------
    (l,) LineStrings, same CRS

    Example
    -------
    >>> row = np.array([shapely.box(x, 0, x + 1, 1) for x in range(3)])
    >>> [line.wkt for line in between_owners(row, np.array(["a", "a", "b"]))]
    ['LINESTRING (2 0, 2 1)']
    """
    number = np.unique(owner.astype(str), return_inverse=True)[1]
    parts, of = shapely.get_parts(pieces, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    along = np.flatnonzero(ring[:-1] == ring[1:])
    ends = np.sort((xy[np.column_stack([along, along + 1])] + 0.0).view(complex)[..., 0], axis=1)
    edges, edge = np.unique(ends, axis=0, return_inverse=True)
    whose = number[of[part[ring[along]]]]
    low, high = np.full(len(edges), len(pieces)), np.full(len(edges), -1)
    np.minimum.at(low, edge.ravel(), whose)
    np.maximum.at(high, edge.ravel(), whose)
    shared = edges[low < high]
    segments = shapely.linestrings(np.stack([shared.real, shared.imag], axis=-1))
    return shapely.get_parts(shapely.line_merge(shapely.multilinestrings(segments)))
