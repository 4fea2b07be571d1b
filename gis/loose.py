"""Loose parts: what an edit or a tessellation leaves lying apart from its unit goes to a neighbour."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely


def settled(parts: np.ndarray, owner: np.ndarray, stays: np.ndarray) -> np.ndarray:
    """Return whose each part is once those that may go have gone to a neighbour.

    Parameters
    ----------
    parts : (n,) polygons, a coverage, any CRS
    owner : (n,) of any kind
        Whose each part is.
    stays : (n,) bools
        Parts that keep their owner; the others go to that of the part they have the longest border with.

    Returns
    -------
    (n,) as owner

    Notes
    -----
    A part that touches only parts that go, too, follows them. One from which no border leads to a part
    that stays keeps its owner.

    Example
    -------
    >>> row = np.array([shapely.box(x, 0, x + 1, 1) for x in range(3)])
    >>> settled(row, np.array(["a", "b", "a"]), np.array([True, True, False])).tolist()
    ['a', 'b', 'b']
    """
    owner, waiting = owner.copy(), set(np.flatnonzero(~stays).tolist())
    loose, near = shapely.STRtree(parts).query(parts[~stays], predicate="intersects")
    loose = np.flatnonzero(~stays)[loose]
    shared = shapely.intersection(shapely.boundary(parts[loose]), shapely.boundary(parts[near]))
    length = np.where(loose == near, 0, shapely.length(shared))
    pairs = [
        (each, one, two) for each, one, two in zip(length, loose.tolist(), near.tolist(), strict=True) if each
    ]
    pairs.sort(reverse=True)
    while found := next((pair for pair in pairs if pair[1] in waiting and pair[2] not in waiting), None):
        owner[found[1]] = owner[found[2]]
        waiting.discard(found[1])
    return owner


def gathered(grids: gpd.GeoSeries, codes: Sequence[str], held: np.ndarray) -> gpd.GeoSeries:
    """Give parts of units that lie apart and hold nothing to a neighbour among them.

    Parameters
    ----------
    grids : GeoSeries of polygons, a coverage, any CRS, shape (n,)
    codes : sequence of str
        The units whose parts may go, and to whom.
    held : (m,) points, same CRS
        Such as one in each building: a part with one of them in it stays where it is.

    Returns
    -------
    GeoSeries, same CRS, index and shape

    Notes
    -----
    Of the parts of a unit the one with most points stays in any case, the largest of equal ones.

    Example
    -------
    >>> both = shapely.multipolygons([shapely.box(0, 0, 2, 1), shapely.box(3, 0, 4, 1)])
    >>> grids = gpd.GeoSeries([both, shapely.box(2, 0, 3, 1)], index=["a", "b"])
    >>> gathered(grids, ["a", "b"], np.array([])).area.to_dict()
    {'a': 2.0, 'b': 2.0}
    """
    parts, at = shapely.get_parts(grids[list(codes)].to_numpy(), return_index=True)
    points = np.array(list(held), dtype=object)
    inside = shapely.STRtree(parts).query(points, predicate="intersects")[1] if len(points) else []
    many = np.bincount(np.asarray(inside, dtype=int), minlength=len(parts))
    order = np.lexsort((-shapely.area(parts), -many, at))
    stays = many > 0
    stays[order[np.unique(at[order], return_index=True)[1]]] = True
    whose = settled(parts, at, stays)
    after = grids.copy()
    for each in np.union1d(at[whose != at], whose[whose != at]):
        after[codes[each]] = shapely.coverage_union_all(parts[whose == each])
    return after
