"""Proposals for new grids: the buildings of an area in balanced, contiguous, compact parts, none of them cut."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.adjacency import rook
from gis.compactness import compactness
from gis.errors import BadInput
from gis.faces import parted
from gis.tessellation import Cells, cells
from gis.zoning import Graph, TooManyZones, Zoning, graph, proposals


class NothingToBalance(BadInput):
    """No building here has anything of {measures}."""


class UnknownMeasure(BadInput):
    """The buildings have no {measure}; they have {known}."""


class OneOutweighs(BadInput):
    """{building} alone holds {share} of what {zones} grids are to share; none can be smaller than it."""


@dataclass(frozen=True)
class Proposal:
    """One way to divide an area, with its scores."""

    grids: (
        gpd.GeoDataFrame
    )  #: (k,) polygons, a coverage of the area; a column for each measure, `buildings`, compactness
    home: pd.Series  #: which grid, from 0, each building is in; the index of the buildings
    deviation: float  #: the farthest a grid is from the mean of what was to be balanced, as a share
    border_m: float  #: metres of new border


def propose(
    buildings: gpd.GeoDataFrame,
    area: shapely.Geometry,
    number: int,
    measures: Sequence[str],
    *,
    seeds: Iterable[int] = range(6),
) -> list[Proposal]:
    """Divide an area into balanced grids, in several ways, the best balanced first.

    Parameters
    ----------
    buildings : GeoDataFrame of polygons, any declared CRS, shape (n,)
        With a column of numbers for each measure.
    area : Polygon or MultiPolygon, same CRS
        What is divided, without the grids that are locked.
    number : int
        How many grids.
    measures : sequence of column names
        What is balanced, such as households and incidents, all of them at once.
    seeds : iterable of int
        One attempt each.

    Returns
    -------
    list of Proposal
        Equal ones once.

    Raises
    ------
    NothingToBalance, UnknownMeasure, OneOutweighs, NoBuildings, TooManyZones, TooFewZones, MissingCrs

    Notes
    -----
    Borders run where two buildings are equally far, between their walls, and rather where that is short.

    Source
    ------
    `gis.zoning` over the cells of `gis.tessellation`.

    Example
    -------
    >>> houses = [shapely.box(x, 0, x + 10, 10) for x in (0, 30, 60, 90)]
    >>> street = gpd.GeoDataFrame({"households": [1, 1, 1, 1]}, geometry=houses, crs=32650)
    >>> first = propose(street, shapely.box(-10, -10, 110, 20), 2, ["households"])[0]
    >>> first.grids["households"].tolist(), first.home.tolist(), round(first.border_m)
    ([2, 2], [0, 0, 1, 1], 30)
    """
    weight = _weight(buildings, measures)
    found = cells(buildings.geometry, area)
    if number > len(found.cell):
        raise TooManyZones(zones=number, units=len(found.cell))
    neighbours = _graph(found, weight)
    _refuse_outweighing(buildings, found, neighbours, number)
    return [
        _drawn(buildings, area, found, each, list(measures)) for each in proposals(neighbours, number, seeds)
    ]


def _weight(buildings: gpd.GeoDataFrame, measures: Sequence[str]) -> np.ndarray:
    """What each building counts, one column a measure that is anywhere at all."""
    for measure in measures:
        if measure not in buildings:
            known = ", ".join(column for column in buildings if column != buildings.geometry.name)
            raise UnknownMeasure(measure=measure, known=known)
    held = np.nan_to_num(buildings[list(measures)].to_numpy(dtype=float))
    held = held[:, held.sum(axis=0) > 0]
    if not held.size:
        raise NothingToBalance(measures=", ".join(measures))
    return held


def _graph(found: Cells, weight: np.ndarray) -> Graph:
    pairs = rook(found.cell.reset_index(drop=True).to_frame("geometry").set_geometry("geometry"))
    held = [np.bincount(found.block, measure, minlength=len(found.cell)) for measure in weight.T]
    return graph(np.column_stack(held), pairs["a"], pairs["b"], pairs["shared_m"])


def _refuse_outweighing(buildings: gpd.GeoDataFrame, found: Cells, of: Graph, number: int) -> None:
    """Say so when a single block is heavier than two grids should be."""
    share = (of.weight / of.weight.sum(axis=0)).max(axis=1)
    heaviest = int(np.argmax(share))
    if number > 1 and share[heaviest] * number > 2:
        first = buildings.index[int(np.flatnonzero(found.block == heaviest)[0])]
        raise OneOutweighs(building=first, share=f"{share[heaviest]:.0%}", zones=number)


def _drawn(
    buildings: gpd.GeoDataFrame, area: shapely.Geometry, found: Cells, zoning: Zoning, measures: list[str]
) -> Proposal:
    home = pd.Series(zoning.zone[found.block], index=buildings.index)
    whole = gpd.GeoSeries([area], index=["area"], crs=buildings.crs)
    shapes = parted(whole, found.cell.to_numpy(), zoning.zone)
    sums = buildings[measures].groupby(home).sum().reindex(shapes.index, fill_value=0)
    grids = gpd.GeoDataFrame(sums, geometry=shapes, crs=buildings.crs).sort_index()
    grids["buildings"] = home.value_counts().reindex(grids.index, fill_value=0)
    return Proposal(grids.join(compactness(grids)), home, zoning.deviation, zoning.cut)
