"""Faults planted into a sound level, so that a check can be seen to find just these."""

import geopandas as gpd
import numpy as np
import shapely

from gis.samples.district import DECIMALS

SCRIPT = "<script>alert(1)</script>"
RADIUS = 1.2e-4  # of the bites, degrees: about 12 m
NOWHERE = "510199009009"


def plant(grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The same level with a gap, an overlap, a bowtie, a code used twice, an orphan and a script for a name.

    Parameters
    ----------
    grids : GeoDataFrame of Polygons, EPSG:4326, shape (n,)
        A sound coverage with `code`, `name` and `parent_code`; large enough for six faults far apart.

    Returns
    -------
    GeoDataFrame, shape (n,), same index
        With a column `planted`: the kind of fault, empty on sound units.

    Raises
    ------
    IndexError
        The level is too small to keep the faults apart.

    Notes
    -----
    The faults are planted on units that have no neighbour in common, in the order of codes.

    Examples
    --------
    >>> from gis.samples import sized
    >>> faulty = plant(sized("small")["micro_grid"])
    >>> faulty.loc[faulty["planted"] != "", "planted"].tolist()
    ['gap', 'overlap', 'bowtie', 'duplicate_code', 'orphan', 'script']
    """
    faulty = grids.assign(planted="")
    kinds = ("gap", "overlap", "bowtie", "duplicate_code", "orphan", "script")
    at = dict(zip(kinds, _apart(grids, len(kinds)), strict=True))
    for kind, row in at.items():
        faulty.loc[grids.index[row], "planted"] = kind
    shapes = faulty.geometry.to_numpy().copy()
    shapes[at["gap"]] = shapely.difference(shapes[at["gap"]], _bite(grids, at["gap"]))
    shapes[at["overlap"]] = shapely.union(shapes[at["overlap"]], _bite(grids, at["overlap"]))
    shapes[at["bowtie"]] = _crossed(shapes[at["bowtie"]])
    faulty = faulty.set_geometry(gpd.GeoSeries(shapes, index=grids.index, crs=grids.crs))
    column = {name: faulty.columns.get_loc(name) for name in ("code", "name", "parent_code")}
    faulty.iloc[at["duplicate_code"], column["code"]] = grids["code"].iloc[at["gap"]]
    faulty.iloc[at["orphan"], column["parent_code"]] = NOWHERE
    faulty.iloc[at["script"], column["name"]] = SCRIPT
    return faulty


def _apart(grids: gpd.GeoDataFrame, number: int) -> list[int]:
    """Rows of inner units, no two of which are neighbours or have a neighbour in common."""
    one, other = grids.sindex.query(grids.geometry, predicate="intersects")
    near = [set(other[one == row]) for row in range(len(grids))]
    rim = shapely.boundary(shapely.coverage_union_all(grids.geometry.values))
    inner = np.flatnonzero(~shapely.intersects(grids.geometry.values, rim))
    chosen: list[int] = []
    for row in inner:
        if all(near[row].isdisjoint(near[done]) for done in chosen):
            chosen.append(int(row))
    return [chosen[k] for k in range(number)]


def _bite(grids: gpd.GeoDataFrame, row: int) -> shapely.Polygon:
    """A disc over the middle of the longest border a unit shares with one neighbour.

    To the eighth decimal: GEOS has the sines of its rim from the C library.
    """
    shape = grids.geometry.iloc[row]
    shared = [
        shapely.line_merge(shapely.intersection(shape.boundary, other.boundary))
        for k, other in enumerate(grids.geometry)
        if k != row and shape.intersects(other)
    ]
    border = max(shared, key=lambda line: line.length)
    disc = shapely.line_interpolate_point(border, 0.5, normalized=True).buffer(RADIUS)
    return shapely.transform(disc, lambda points: points.round(DECIMALS))


def _crossed(shape: shapely.Polygon) -> shapely.Polygon:
    """The polygon with two corners that follow each other in the wrong order."""
    corners = shapely.get_coordinates(shape)
    corners[[1, 2]] = corners[[2, 1]]
    return shapely.Polygon(corners)
