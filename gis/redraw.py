"""Redrawing a coverage: every edit draws lines over some units and says to whom each face between them belongs."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely
import shapely.ops

from gis.errors import BadInput
from gis.faces import MEETS, NothingLeft, met, noded, redrawn, whole
from gis.faces import FallsApart as FallsApart
from gis.ground import united


class UnknownGrid(BadInput):
    """There is no unit {code} on the sheet."""


class LineMissing(BadInput):
    """The line has fewer than two different points, or one that is no place."""


class LineCrossesItself(BadInput):
    """The line crosses itself near {lon}, {lat}."""


class LineEndsInside(BadInput):
    """The line does not cut {code} in two: draw it from border to border."""


class NotNeighbours(BadInput):
    """{one} and {two} have no border in common."""


class OffTheBorder(BadInput):
    """The new border between {one} and {two} must begin and end on the old one, at two different places."""


def split(
    grids: gpd.GeoSeries, code: str, line: shapely.LineString, new: str, held: np.ndarray | None = None
) -> gpd.GeoSeries:
    """Cut one unit in two along a line; the larger part keeps the code.

    Parameters
    ----------
    grids : GeoSeries of polygons, a coverage, any CRS, shape (n,)
        By code: the unit with all its neighbours at least.
    code : str
        The unit to cut.
    line : LineString, same CRS
        From border to border; what runs beyond is not drawn.
    new : str
        Code of the smaller part.
    held : (m,) points, same CRS, optional
        Such as one in each building: then what would lie apart and holds none of them goes to the other unit.

    Returns
    -------
    GeoSeries, same CRS, shape (n + 1,)

    Raises
    ------
    UnknownGrid, LineMissing, LineCrossesItself, LineEndsInside

    Notes
    -----
    A line that leaves the unit and comes back cuts off several pieces; all but the largest become the new
    unit if they hang together, and `FallsApart` is raised if they don't.

    Example
    -------
    >>> grids = gpd.GeoSeries([shapely.box(0, 0, 4, 2)], index=["a"], crs=32650)
    >>> split(grids, "a", shapely.LineString([(1, -1), (1, 3)]), "b").area.to_dict()
    {'a': 6.0, 'b': 2.0}
    """
    _known(grids, code)
    inside = shapely.intersection(simple(line), grids[code])
    drawn = [each for each in _lines(_at_vertices(inside, grids[[code]])) if each.length]
    grids = met(grids, shapely.get_coordinates([shapely.boundary(each) for each in drawn]))
    pieces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded([grids[code]], drawn))))
    pieces = pieces[shapely.within(shapely.point_on_surface(pieces), grids[code])]
    if len(pieces) < 2:
        raise LineEndsInside(code=code)
    largest = pieces[np.argmax(shapely.area(pieces))]

    def label(face: np.ndarray, home: np.ndarray) -> np.ndarray:
        off = (home == code) & ~shapely.within(shapely.point_on_surface(face), largest)
        return np.where(off, new, home)

    return whole(redrawn(grids, drawn, label), grids, [code, new], held)


def merge(grids: gpd.GeoSeries, codes: Sequence[str]) -> gpd.GeoSeries:
    """Join units into the first of them.

    Parameters
    ----------
    grids : GeoSeries of polygons, a coverage, any CRS, shape (n,)
    codes : sequence of str
        Two or more that hang together; the first one's code stays.

    Returns
    -------
    GeoSeries, same CRS, shape (n - len(codes) + 1,)

    Raises
    ------
    UnknownGrid, FallsApart

    Example
    -------
    >>> grids = gpd.GeoSeries([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], index=["a", "b"])
    >>> merge(grids, ["a", "b"]).area.to_dict()
    {'a': 2.0}
    """
    _known(grids, *codes)
    first, *gone = dict.fromkeys(codes)
    joined = grids.copy()
    joined[first] = united(grids[[first, *gone]].to_numpy())
    return whole(joined.drop(gone), grids, [first])


def reshape(
    grids: gpd.GeoSeries, one: str, two: str, line: shapely.LineString, held: np.ndarray | None = None
) -> gpd.GeoSeries:
    """Lead the border that two units share along a new line; both move together.

    Parameters
    ----------
    grids : GeoSeries of polygons, a coverage, any CRS, shape (n,)
        By code: both units with all their neighbours at least.
    one, two : str
    line : LineString, same CRS
        The new course between two places of the old border; each end goes to the nearest place of it.
    held : (m,) points, same CRS, optional
        As for `split`.

    Returns
    -------
    GeoSeries, same CRS, index and shape

    Raises
    ------
    UnknownGrid, LineMissing, LineCrossesItself, NotNeighbours, OffTheBorder, FallsApart, NothingLeft

    Example
    -------
    >>> grids = gpd.GeoSeries([shapely.box(0, 0, 2, 4), shapely.box(2, 0, 4, 4)], index=["a", "b"])
    >>> reshape(grids, "a", "b", shapely.LineString([(2, 1), (3, 1), (3, 3), (2, 3)])).area.to_dict()
    {'a': 10.0, 'b': 6.0}
    """
    _known(grids, one, two)
    border, start, end = _stretch(grids, one, two, simple(line))
    ends = np.vstack([border.interpolate(start).coords[0], border.interpolate(end).coords[0]])
    course = simple(shapely.LineString(np.vstack([ends[:1], _between(line), ends[1:]])))
    course = _at_vertices(course, grids[[one, two]])
    ends = shapely.get_coordinates(course)[[0, -1]]
    grids = met(grids, ends)
    rest = [shapely.ops.substring(border, 0, start), shapely.ops.substring(border, end, border.length)]
    both = united(grids[[one, two]].to_numpy())
    lines = shapely.union_all([shapely.boundary(both), course, *(each for each in rest if each.length)])
    pieces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    shared = shapely.area(shapely.intersection(pieces, grids[one]))
    ones = pieces[2 * shared > shapely.area(pieces)]
    if not len(ones) or len(ones) == len(pieces):
        raise NothingLeft(code=two if len(ones) else one)
    ground = shapely.coverage_union_all(ones)

    def label(face: np.ndarray, home: np.ndarray) -> np.ndarray:
        of_both, inside = np.isin(home, (one, two)), shapely.within(shapely.point_on_surface(face), ground)
        return np.where(of_both, np.where(inside, one, two), home)

    return whole(redrawn(grids, [course], label), grids, [one, two], held)


def give(
    grids: gpd.GeoSeries,
    region: shapely.Geometry,
    code: str,
    among: Sequence[str],
    held: np.ndarray | None = None,
) -> gpd.GeoSeries:
    """Give all ground of a region that belongs to some units to another one, or to a new one.

    Parameters
    ----------
    grids : GeoSeries of polygons, a coverage, any CRS, shape (n,)
    region : Polygon or MultiPolygon, same CRS
        Such as the cells of chosen buildings (`gis.tessellation.cells`), or a ring drawn by hand.
    code : str
        Who gets it; a code that is not on the sheet becomes a new unit.
    among : sequence of str
        Whose ground may be taken.
    held : (m,) points, same CRS, optional
        As for `split`.

    Returns
    -------
    GeoSeries, same CRS, shape (n,) or (n + 1,)

    Raises
    ------
    UnknownGrid, FallsApart, NothingLeft

    Example
    -------
    >>> grids = gpd.GeoSeries([shapely.box(0, 0, 2, 2), shapely.box(2, 0, 4, 2)], index=["a", "b"])
    >>> give(grids, shapely.box(1, 0, 3, 2), "a", ["b"]).area.to_dict()
    {'a': 6.0, 'b': 2.0}
    """
    _known(grids, *among)
    ground = shapely.union_all([region])
    for code_of_all in grids.index[shapely.covered_by(grids.to_numpy(), ground)]:
        if code_of_all in among:  # no line of the region would touch it
            raise NothingLeft(code=code_of_all)

    def label(face: np.ndarray, home: np.ndarray) -> np.ndarray:
        taken = np.isin(home, list(among)) & shapely.within(shapely.point_on_surface(face), ground)
        return np.where(taken, code, home)

    after = redrawn(grids, [shapely.boundary(ground)], label)
    involved = [*dict.fromkeys([*among, code])] if code in after.index else list(among)
    return whole(after, grids, involved, held)


def _at_vertices(line: shapely.Geometry, grids: gpd.GeoSeries) -> shapely.Geometry:
    """The line through the very vertices it comes within rounding of, so that these need not move."""
    return shapely.snap(line, shapely.multipoints(shapely.get_coordinates(grids.to_numpy())), MEETS)


def _lines(found: shapely.Geometry) -> list[shapely.LineString]:
    parts = shapely.get_parts(found)
    return [part for part in parts if part.geom_type == "LineString" and part.length]


def simple(line: shapely.LineString) -> shapely.LineString:
    """Return a line without repeated points, if it can be a border.

    Parameters
    ----------
    line : LineString or LinearRing, any CRS

    Returns
    -------
    LineString, same CRS

    Raises
    ------
    LineMissing, LineCrossesItself

    Example
    -------
    >>> simple(shapely.LineString([(0, 0), (0, 0), (1, 1)])).wkt
    'LINESTRING (0 0, 1 1)'
    """
    xy = shapely.get_coordinates(line)
    if not np.isfinite(xy).all():
        raise LineMissing()
    xy = xy[np.append(True, (np.diff(xy, axis=0) != 0).any(axis=1))] if len(xy) else xy
    if len(xy) < 2:
        raise LineMissing()
    found = shapely.LineString(xy)
    if not shapely.is_simple(found):
        crossing = shapely.node(found)
        ends = shapely.get_coordinates(shapely.get_point(shapely.get_parts(crossing), -1))
        raise LineCrossesItself(lon=round(ends[0, 0], 6), lat=round(ends[0, 1], 6))
    return found


def _between(line: shapely.LineString) -> np.ndarray:
    """The line's points but the first and the last, which go to the border."""
    xy = shapely.get_coordinates(line)
    return xy[1:-1].reshape(-1, 2)


def _stretch(grids: gpd.GeoSeries, one: str, two: str, line: shapely.LineString):
    """The shared border as one line in the direction of the drawn one, and where on it that begins and ends."""
    shared = shapely.intersection(shapely.boundary(grids[one]), shapely.boundary(grids[two]))
    common = _lines(shared)
    if one == two or not common:
        raise NotNeighbours(one=one, two=two)
    runs = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(common)))
    ends = shapely.points(shapely.get_coordinates(line)[[0, -1]])
    border = min(runs, key=lambda run: shapely.distance(run, ends).sum())
    start, end = shapely.line_locate_point(border, ends)
    if start > end:
        border = shapely.reverse(border)
        start, end = border.length - start, border.length - end
    if end - start <= 0:
        raise OffTheBorder(one=one, two=two)
    return border, float(start), float(end)


def _known(grids: gpd.GeoSeries, *codes: str) -> None:
    for code in codes:
        if code not in grids.index:
            raise UnknownGrid(code=code)
