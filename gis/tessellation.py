"""The ground around buildings, shared out without a gap: the pieces that borders between buildings are made of."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gis.crs import metric_crs, to_metric
from gis.errors import BadInput
from gis.ground import areal, polygonal

APART_M = 0.5  # buildings closer than this are one block: no border goes between them
OVER_M = 1.0  # cells reach this far over the border of the area: in another CRS its edges run elsewhere by centimetres
SPACING_M = (0.5, 6.0)  # of the points along a wall: as near as the next building is, within these bounds


class NoBuildings(BadInput):
    """There are no buildings here whose ground could be shared out."""


@dataclass(frozen=True)
class Cells:
    """The ground of blocks of buildings: what a border may run between."""

    cell: gpd.GeoSeries  #: (b,) polygons that cover the area without gap or overlap, in its CRS
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
        A cell holds its buildings whole. Buildings closer than half a metre share one. Cells reach a metre over
        the border of the area, to be cut by `gis.redraw` where that runs.

    Raises
    ------
    NoBuildings, MissingCrs

    Notes
    -----
    Cells are Voronoi polygons of points along the walls, set as close as the next building is near; what
    still would cut a corner of a neighbour is given back to it. Overlapping footprints are one block.

    Source
    ------
    M. Fleischmann, A. Feliciotti, O. Romice and S. Porta, "Morphological tessellation as a way of
    partitioning space", Computers, Environment and Urban Systems 80 (2020).

    Example
    -------
    >>> houses = gpd.GeoSeries([shapely.box(0, 0, 10, 10), shapely.box(30, 0, 40, 10)], crs=32650)
    >>> found = cells(houses, shapely.box(-10, -10, 50, 20))
    >>> found.cell.area.round().tolist(), found.block.tolist()
    ([992.0, 992.0], [0, 1])
    """
    if not len(buildings):
        raise NoBuildings()
    crs = metric_crs(buildings)
    ground = polygonal(to_metric(buildings, crs).array)
    block, blocks = _blocks(ground)
    around = to_metric(gpd.GeoSeries([area], crs=buildings.crs), crs).iloc[0].buffer(OVER_M)
    cell = _shared_out(blocks, around)
    placed = gpd.GeoSeries(cell, crs=crs).to_crs(buildings.crs)
    return Cells(placed, block)


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
