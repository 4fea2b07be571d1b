"""Mending a plan with the smallest moves: no gap, no overlap, units in one piece, and each holds what it should."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely

from gis import rezoning
from gis.adjacency import rook
from gis.closing import closed
from gis.draft import NothingChosen, Plan, followed, houses, near, open_units, taken_over
from gis.errors import BadInput
from gis.faces import parted
from gis.tessellation import cells
from gis.zoning import Graph, graph

WITHIN_M = 10.0  # a gap that is broader may be a river


class BandUpsideDown(BadInput):
    """The band from {low} to {high} holds no number."""


class UnknownColumn(BadInput):
    """The buildings have no number of {measure}."""


def repair(
    plan: Plan,
    codes: Sequence[str] | None = None,
    *,
    measure: str = "households",
    low: float | None = None,
    high: float | None = None,
    within_m: float = WITHIN_M,
) -> Plan:
    """Move as few buildings as possible until units hang together, and hold between low and high if that is given.

    What gapes or overlaps between them is closed before.

    Parameters
    ----------
    plan : Plan
        Its units may lie in pieces, gape and overlap.
    codes : sequence of str, optional
        The units that may give and take; all of the plan if not given. Locked ones neither give nor take.
    measure : column of numbers of the buildings
    low, high : float, in the unit of the measure, optional
        Without them units only need to hang together.
    within_m : float, metres
        Gaps and overlaps are closed where no ground joins or leaves a unit farther away than that.

    Returns
    -------
    Plan
        The same one if nothing is to be done.

    Raises
    ------
    UnknownGrid, NothingChosen, UnknownColumn, BandUpsideDown, BadTolerance
    PieceLocked, StillApart, BandUnreachable
        Name the unit by its code.
    NothingLeft, FallsApart
        A unit above would lose its last one or fall into pieces.

    Notes
    -----
    What is moved are cells of buildings (`gis.tessellation`) within the units as they are, so all other
    borders stay. A piece without buildings moves whole. Where no building holds anything, ground counts instead.

    Example
    -------
    >>> walls = [shapely.box(x, 0.0004, x + 0.0002, 0.0006) for x in (0.0005, 0.0014, 0.003)]
    >>> rows = {"home": ["a", "a", "b"], "households": [5, 5, 2]}
    >>> standing = gpd.GeoDataFrame(rows, geometry=walls, index=["1", "2", "3"], crs=4326)
    >>> boxes = [shapely.box(0, 0, 0.002, 0.001), shapely.box(0.002, 0, 0.004, 0.001)]
    >>> units = {"name": ["A", "B"], "parent_code": "p"}
    >>> plan = Plan(gpd.GeoDataFrame(units, geometry=boxes, index=["a", "b"], crs=4326), standing)
    >>> repair(plan, low=4, high=8).buildings["home"].tolist()
    ['a', 'b', 'b']
    """
    codes = list(dict.fromkeys(plan.units.index if codes is None else codes))
    locked = [at for at, code in enumerate(codes) if code in plan.locked]
    open_units(plan, [code for code in codes if code not in plan.locked] or codes)
    _refuse_strange(plan, measure, low, high)
    plan = closed(plan, codes, within_m)
    banded = low is not None or high is not None
    if not banded and (shapely.get_num_geometries(plan.units.geometry.loc[codes].to_numpy()) == 1).all():
        return plan
    pieces, zone, weight, block = _pieces(plan, codes, measure)
    of = _graph(pieces, weight, plan.units.crs, banded)
    try:
        mended = rezoning.contiguous(of, zone, locked)
        if banded:
            band = 0 if low is None else low, np.inf if high is None else high
            mended = rezoning.in_band(of, mended, *_finite(band, weight), locked)
    except (rezoning.PieceLocked, rezoning.StillApart, rezoning.BandUnreachable) as problem:
        raise type(problem)(**problem.details | {"zone": codes[problem.details["zone"]]}) from None
    return _applied(plan, codes, pieces, zone, mended, block)


def _refuse_strange(plan: Plan, measure: str, low: float | None, high: float | None) -> None:
    if measure not in plan.buildings or measure in ("home", plan.buildings.geometry.name):
        raise UnknownColumn(measure=measure)
    given = [each for each in (low, high) if each is not None]
    if not np.isfinite(given).all() or min(given, default=0) < 0 or sorted(given) != given:
        told = {"low": low, "high": high}
        raise BandUpsideDown(**{name: "…" if each is None else f"{each:g}" for name, each in told.items()})


def _finite(band: tuple[float, float], weight: np.ndarray) -> tuple[float, float]:
    """The band with an end, however much there is: its middle is what moves aim at."""
    low, high = band
    return low, min(high, max(2 * low, float(weight.sum())))


def _pieces(plan: Plan, codes: Sequence[str], measure: str):
    """The cells of all units; the position of the unit each is in; what it holds; and the cell of each building."""
    ground, zone, weight, block = [], [], [], {}
    for at, code in enumerate(codes):
        own = houses(plan, [code])
        whole = plan.units.geometry[code]
        if len(own):
            found = cells(own.geometry, whole)
            parts, held = found.cell.tolist(), np.nan_to_num(own[measure].to_numpy(dtype=float))
            block |= dict(zip(own.index, found.block + len(ground), strict=True))
            weight += np.bincount(found.block, held, minlength=len(parts)).tolist()
        else:
            parts = shapely.get_parts(whole).tolist()
            weight += [0.0] * len(parts)
        ground += parts
        zone += [at] * len(parts)
    return np.array(ground, dtype=object), np.array(zone), np.array(weight), block


def _graph(pieces: np.ndarray, weight: np.ndarray, crs, banded: bool) -> Graph:
    pairs = rook(gpd.GeoDataFrame(geometry=pieces, crs=crs))
    if not weight.any():
        if banded:
            raise NothingChosen()
        weight = shapely.area(pieces)
    return graph(weight, pairs["a"], pairs["b"], pairs["shared_m"])


def _applied(
    plan: Plan, codes: Sequence[str], pieces: np.ndarray, zone: np.ndarray, mended: np.ndarray, block: dict
) -> Plan:
    """The plan with the pieces that changed their unit, and their buildings with them."""
    moved = zone != mended
    if not moved.any():
        return plan
    involved = [codes[each] for each in np.union1d(zone[moved], mended[moved])]
    under = np.isin(zone, zone[moved])
    owner = np.array(codes, dtype=object)[mended]
    after = parted(near(plan, involved), pieces[under], owner[under])
    home = {house: owner[cell] for house, cell in block.items() if moved[cell]}
    return followed(taken_over(plan, after, involved), home)
