"""Mending zones with few moves: until each hangs together, and until each holds as much as it should."""

import heapq
from collections import deque
from collections.abc import Collection, Iterator
from itertools import pairwise

import numpy as np
from scipy.sparse.csgraph import connected_components

from gis.errors import BadInput
from gis.zoning import Graph, hangs_without


class PieceLocked(BadInput):
    """A piece of {zone} lies apart and touches only zones that are locked."""


class StillApart(BadInput):
    """{zone} still lies in pieces, however they are given to and fro."""


class BandUnreachable(BadInput):
    """{zone} holds {held}, and no moves bring it between {low} and {high}."""


def contiguous(given: Graph, zone: np.ndarray, locked: Collection[int] = ()) -> np.ndarray:
    """Return zones that hang together, with few units moved.

    Parameters
    ----------
    given : Graph of n units
    zone : (n,) ints, from 0
    locked : collection of int
        Zones that neither gain nor lose a unit.

    Returns
    -------
    (n,) ints

    Raises
    ------
    PieceLocked, StillApart
        Name the zone by its number.

    Notes
    -----
    The heaviest piece of a zone stays. Each other piece is either given to the neighbour it has the longest
    border with, or joined to the rest by the shortest way through other zones, whichever moves fewer units.

    Example
    -------
    >>> from gis.zoning import graph
    >>> street = graph(np.ones(5), np.arange(4), np.arange(1, 5), np.ones(4))
    >>> contiguous(street, np.array([0, 0, 1, 0, 1])).tolist()
    [0, 0, 1, 1, 1]
    """
    zone = np.array(zone)
    for _ in range(len(zone)):
        apart = next(_apart(given, zone, set(locked)), None)
        if apart is None:
            return zone
        home, piece, rest = apart
        away = _taker(given, zone, piece, set(locked))
        bridge = _bridge(given, zone, piece, rest, set(locked), len(piece))
        if bridge is not None:
            zone[bridge] = home
        elif away is not None:
            zone[piece] = away
        else:
            raise PieceLocked(zone=home)
    for home, _piece, _rest in _apart(given, zone, set(locked)):
        raise StillApart(zone=home)
    return zone


def in_band(
    given: Graph, zone: np.ndarray, low: float, high: float, locked: Collection[int] = ()
) -> np.ndarray:
    """Return contiguous zones that each hold between low and high, with few units moved.

    Parameters
    ----------
    given : Graph of n units
        Its first measure is what is held.
    zone : (n,) ints, from 0
        Zones that hang together.
    low, high : float, in the unit of that measure
    locked : collection of int

    Returns
    -------
    (n,) ints

    Raises
    ------
    BandUnreachable
        Names the zone farthest from the band by its number.

    Notes
    -----
    What is too much travels zone by zone along the shortest chain of neighbours to where there is room, one
    unit a step: the one that leaves both its zones nearest to the middle of the band.

    Source
    ------
    Chains of moves as in network flows: R. K. Ahuja, T. L. Magnanti and J. B. Orlin, "Network Flows" (1993).

    Example
    -------
    >>> from gis.zoning import graph
    >>> street = graph(np.ones(6), np.arange(5), np.arange(1, 6), np.ones(5))
    >>> in_band(street, np.array([0, 0, 0, 0, 1, 2]), 2, 2).tolist()
    [0, 0, 1, 1, 2, 2]
    """
    zone, locked = np.array(zone), set(locked)
    held = np.bincount(zone, given.weight[:, 0])
    for _ in range(4 * len(zone)):
        off = np.maximum(np.maximum(held - high, low - held), 0)
        off[list(locked)] = 0
        if not (off > 0).any():
            return zone
        worst = int(np.argmax(off))
        if not _eased(given, zone, held, worst, (low, high), locked):
            break
    off = np.maximum(np.maximum(held - high, low - held), 0)
    off[list(locked)] = 0
    worst = int(np.argmax(off))
    raise BandUnreachable(zone=worst, held=round(float(held[worst])), low=round(low), high=round(high))


def _apart(given: Graph, zone: np.ndarray, locked: set[int]) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Each piece that lies apart from the heaviest of its zone: the zone, the piece, and the heaviest."""
    for home in np.unique(zone):
        units = np.flatnonzero(zone == home)
        number, piece = connected_components(given.part(units).cost, directed=False)
        if number == 1 or int(home) in locked:
            continue
        held = np.bincount(piece, given.weight[units, 0]) + np.bincount(piece) * 1e-9
        heaviest = int(np.argmax(held))
        lightest = int(np.argmin(np.where(np.arange(number) == heaviest, np.inf, held)))
        yield int(home), units[piece == lightest], units[piece == heaviest]


def _taker(given: Graph, zone: np.ndarray, piece: np.ndarray, locked: set[int]) -> int | None:
    """The neighbour a piece has the longest border with."""
    border = np.bincount(zone, given.cost[piece].sum(axis=0))
    border[zone[piece[0]]] = 0
    border[list(locked)] = 0
    return int(np.argmax(border)) if border.any() else None


def _bridge(
    given: Graph, zone: np.ndarray, piece: np.ndarray, rest: np.ndarray, locked: set[int], shorter: int
) -> np.ndarray | None:
    """The fewest units between a piece and the rest whose own zones can do without them."""
    home, goal = int(zone[piece[0]]), set(rest.tolist())
    came, front = {int(unit): -1 for unit in piece}, deque(piece.tolist())
    while front:
        unit = front.popleft()
        for each in _near(given, unit):
            if each in came or int(zone[each]) in locked:
                continue
            came[each] = unit
            if each in goal:
                way = [each for each in _back(came, unit) if zone[each] != home]
                return np.array(way) if len(way) < shorter and _can_go(given, zone, way) else None
            front.append(each)
    return None


def _back(came: dict[int, int], unit: int) -> Iterator[int]:
    while unit >= 0:
        yield unit
        unit = came[unit]


def _can_go(given: Graph, zone: np.ndarray, way: list[int]) -> bool:
    """Whether the zones of these units still hang together, and are not empty, without them."""
    for home in np.unique(zone[way]):
        left = np.setdiff1d(np.flatnonzero(zone == home), way)
        if not len(left) or connected_components(given.part(left).cost, directed=False)[0] > 1:
            return False
    return True


def _eased(
    given: Graph, zone: np.ndarray, held: np.ndarray, worst: int, band: tuple, locked: set[int]
) -> bool:
    """Move one unit along each step of the shortest chain that eases a zone; False if no chain does."""
    low, high = band
    gives = held[worst] > high
    links = given.cost.tocoo()
    touching = np.unique(np.column_stack([zone[links.row], zone[links.col]]), axis=0)
    near: dict[int, list[int]] = {}
    for one, two in touching[touching[:, 0] != touching[:, 1]].tolist():
        if one not in locked and two not in locked:
            near.setdefault(one, []).append(two)
    for chain in _chains(worst, near, held, band, gives):
        before = zone.copy()
        if all(
            _passed(given, zone, *(step if gives else step[::-1]), (low + high) / 2)
            for step in pairwise(chain)
        ):
            after = np.bincount(zone, given.weight[:, 0], minlength=len(held))
            if _excess(after, band) < _excess(held, band):
                held[:] = after
                return True
        zone[:] = before
    return False


def _excess(held: np.ndarray, band: tuple) -> float:
    return float(np.maximum(np.maximum(held - band[1], band[0] - held), 0).sum())


def _chains(start: int, near: dict, held: np.ndarray, band: tuple, gives: bool) -> Iterator[list[int]]:
    """Chains of neighbours from a zone to those that have room, or something to spare; the shortest first."""
    middle = sum(band) / 2
    front = [(1, [start])]
    seen = {start}
    while front:
        _, chain = heapq.heappop(front)
        last = chain[-1]
        if last != start and (held[last] < middle if gives else held[last] > middle):
            yield chain
        for each in near.get(last, ()):
            if each not in seen:
                seen.add(each)
                heapq.heappush(front, (len(chain) + 1, [*chain, each]))


def _passed(given: Graph, zone: np.ndarray, donor: int, taker: int, middle: float) -> bool:
    """Let one unit go from a zone to its neighbour: the one that leaves both nearest to the middle."""
    held = np.bincount(zone, given.weight[:, 0], minlength=max(donor, taker) + 1)
    mine = np.flatnonzero(zone == donor)
    at_border = mine[[bool((zone[_near(given, unit)] == taker).any()) for unit in mine]]
    weight = given.weight[at_border, 0]
    left = np.abs(held[donor] - weight - middle) + np.abs(held[taker] + weight - middle)
    for unit in at_border[np.argsort(left, kind="stable")]:
        if given.weight[unit, 0] > 0 and hangs_without(given.cost, zone, int(unit)):
            zone[unit] = taker
            return True
    return False


def _near(given: Graph, unit: int) -> list[int]:
    cost = given.cost
    return cost.indices[cost.indptr[unit] : cost.indptr[unit + 1]].tolist()
