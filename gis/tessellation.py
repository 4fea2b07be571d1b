"""The ground around buildings, shared out without a gap: the pieces that borders between buildings are made of."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gis.crs import metric_crs, to_metric
from gis.errors import BadInput
from gis.faces import redrawn
from gis.ground import areal, polygonal
from gis.loose import settled

APART_M = 0.5  # buildings closer than this are one block: no border goes between them
OVER_M = 1.0  # cells reach this far over the border of the area: in another CRS its edges run elsewhere by centimetres
SPACING_M = (0.5, 6.0)  # of the points along a wall: as near as the next building is, within these bounds


class NoBuildings(BadInput):
    """There are no buildings here whose ground could be shared out."""


@dataclass(frozen=True)
class Cells:
    """The ground of blocks of buildings: what a border may run between."""

    cell: gpd.GeoSeries  #: (b,) polygons, one part each, a coverage of exactly the area, in its CRS
    block: np.ndarray  #: (n,) which cell each building is in


def cells(buildings: gpd.GeoSeries, area: shapely.Geometry) -> Cells:
    """Share the ground of an area out among its buildings: each place to the building it is nearest to.

    Parameters
    ----------
    buildings : GeoSeries of polygons, any declared CRS, shape (n,)
        Their footprints; none may be empty.
    area : Polygon or MultiPolygon, same CRS
        What is shared out, such as a community.

    Returns
    -------
    Cells
        A cell holds its buildings whole, as far as they are in the area. Buildings closer than half a metre
        share one. Cells follow the border of the area vertex by vertex.

    Raises
    ------
    NoBuildings, MissingCrs

    Notes
    -----
    Cells are Voronoi polygons of points along the walls, set as close as the next building is near; what
    still would cut a corner of a neighbour is given back to it. Overlapping footprints are one block.
    Where a concave area cuts a Voronoi polygon into parts, the part with the buildings is the cell and the
    others go to the cells beside them. Ground that no building's cell reaches is a cell without buildings.

    Source
    ------
    M. Fleischmann, A. Feliciotti, O. Romice and S. Porta, "Morphological tessellation as a way of
    partitioning space", Computers, Environment and Urban Systems 80 (2020).

    Example
    -------
    >>> houses = gpd.GeoSeries([shapely.box(0, 0, 10, 10), shapely.box(30, 0, 40, 10)], crs=32650)
    >>> found = cells(houses, shapely.box(-10, -10, 50, 20))
    >>> found.cell.area.round().tolist(), found.block.tolist()
    ([900.0, 900.0], [0, 1])
    """
    if not len(buildings):
        raise NoBuildings()
    crs = metric_crs(buildings)
    ground = polygonal(to_metric(buildings, crs).array)
    block, blocks = _blocks(ground)
    around = to_metric(gpd.GeoSeries([area], crs=buildings.crs), crs).iloc[0].buffer(OVER_M)
    cell = gpd.GeoSeries(_shared_out(blocks, around), crs=crs).to_crs(buildings.crs)
    standing = gpd.GeoSeries(blocks, crs=crs).to_crs(buildings.crs)
    parts, owner = _cut(area, cell.to_numpy(), standing.to_numpy())
    owners = np.unique(owner)
    whole = [shapely.coverage_union_all(parts[owner == each]) for each in owners]
    lost = np.setdiff1d(np.arange(number := len(blocks)), owners)
    home = np.searchsorted(owners, np.arange(number))
    if len(lost):  # it stands outside the area: with the nearest
        home[lost] = shapely.STRtree(whole).nearest(standing.to_numpy()[lost])
    return Cells(gpd.GeoSeries(whole, crs=buildings.crs), home[block])


def _cut(area: shapely.Geometry, cell: np.ndarray, blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cells cut to the area, in parts, and whose each part is; what is nobody's has a number of its own."""
    tree = shapely.STRtree(cell)

    def label(face: np.ndarray, _home: np.ndarray) -> np.ndarray:
        return tree.nearest(shapely.point_on_surface(face))

    whole = redrawn(gpd.GeoSeries([area], index=[-1]), list(shapely.boundary(cell)), label)
    whole = whole.rename({-1: 0})  # with one cell no line is drawn
    parts, at = shapely.get_parts(whole.to_numpy(), return_index=True)
    owner = whole.index.to_numpy(dtype=int)[at]
    held = shapely.area(shapely.intersection(parts, blocks[owner]))
    first = np.lexsort((-held, owner))
    main = np.zeros(len(parts), dtype=bool)
    main[first[np.unique(owner[first], return_index=True)[1]]] = True
    main &= held > 0
    owner[~main] = -1
    owner = settled(parts, owner, main)
    return _numbered(parts, owner, len(blocks))


def _numbered(parts: np.ndarray, owner: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Give parts that are nobody's numbers of their own, one for all that hang together."""
    nobody = np.flatnonzero(owner < 0)
    if len(nobody):
        ground = shapely.get_parts(shapely.coverage_union_all(parts[nobody]))
        inside = shapely.STRtree(ground).nearest(shapely.point_on_surface(parts[nobody]))
        owner[nobody] = first + inside
    return parts, owner


def _blocks(ground: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which block each building is of, and the ground of each."""
    one, two = shapely.STRtree(ground).query(ground, predicate="dwithin", distance=APART_M)
    near = coo_array((np.ones(len(one)), (one, two)), shape=(len(ground), len(ground)))
    number, block = connected_components(near, directed=False)
    return block, np.array([shapely.union_all(ground[block == each]) for each in range(number)])


def _shared_out(blocks: np.ndarray, around: shapely.Geometry) -> np.ndarray:
    if len(blocks) == 1:
        return np.array([around])
    xy, of = _points(blocks)
    voronoi = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(xy), extend_to=shapely.envelope(around), ordered=True)
    )
    whole = np.array([shapely.coverage_union_all(voronoi[of == each]) for each in range(len(blocks))])
    cell = areal(shapely.intersection(whole, around))
    return _given_back(cell, areal(shapely.intersection(blocks, around)))


def _points(blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points along the walls of each block, each place once."""
    tree = shapely.STRtree(blocks)
    (mine, _), gap = tree.query_nearest(blocks, exclusive=True, return_distance=True, all_matches=False)
    spacing = np.empty(len(blocks))
    spacing[mine] = np.clip(gap, *SPACING_M)
    walls = shapely.segmentize(shapely.boundary(blocks), spacing)
    xy, of = shapely.get_coordinates(walls, return_index=True)
    _, first = np.unique(xy.round(6), axis=0, return_index=True)
    return xy[np.sort(first)], of[np.sort(first)]


def _given_back(cell: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Let every block have all its own ground, and no other any of it."""
    holder, held = shapely.STRtree(blocks).query(cell, predicate="intersects")
    other = holder != held
    holder, held = holder[other], held[other]
    wrong = shapely.area(shapely.intersection(cell[holder], blocks[held])) > 0
    for loser, owner in zip(holder[wrong], held[wrong], strict=True):
        taken = shapely.intersection(cell[loser], blocks[owner])
        cell[loser] = shapely.difference(cell[loser], taken)
        cell[owner] = shapely.union(cell[owner], taken)
    return areal(cell)
