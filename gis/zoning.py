"""Balanced, contiguous zones: units joined into a given number of zones of nearly equal weight.

A zone is cut from the rest along one edge of a spanning tree, so both sides hang together by construction;
many random trees are tried, and the cut that balances best and costs least is taken. Then units at borders
change sides, at first freely and then less and less, until zones are even and their borders short.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from gis.errors import BadInput

TREES = 8  # spanning trees tried for each cut
NEAR = 0.02  # of the mean: what is so near to it is even, and what its borders cost is told apart
# Times over all borders, each with how many common borders of two units a change may cost now and then, and how many
# such borders a zone that is off by a whole mean counts for: first short borders are sought, then balance; at last
# nothing may become worse, and balance comes before any border.
COOLING = np.vstack(
    [np.column_stack([np.linspace(1, 0.05, 240), np.geomspace(2e2, 2e5, 240)]), [[0, 1e9]] * 20]
)


class TooManyZones(BadInput):
    """{zones} zones cannot be made of {units} units."""


class TooFewZones(BadInput):
    """The units lie in {pieces} pieces that do not touch; fewer than {pieces} zones would not hang together."""


class WeightsMissing(BadInput):
    """A weight is below zero or not a number, or none is above zero."""


class EdgesStrange(BadInput):
    """An edge names a unit that is not there, or its cost is below zero."""


@dataclass(frozen=True)
class Graph:
    """Units and what joins them: `cost[u, v]` is what a border between u and v costs, 0 where they don't touch."""

    weight: np.ndarray  #: (n, m), what is to be balanced, at least 0: one column a measure
    cost: csr_array  #: (n, n), symmetric; the longer the common border, or the worse a place for one, the larger

    def part(self, units: np.ndarray) -> "Graph":
        """The graph of some of the units, in the order given."""
        return Graph(self.weight[units], self.cost[units][:, units])


@dataclass(frozen=True)
class Zoning:
    """Which zone each unit is in, and how good that is."""

    zone: np.ndarray  #: (n,), from 0
    deviation: float  #: the farthest a zone is from the mean of any measure, as a share of the mean
    cut: float  #: the summed cost of all borders between zones


def graph(weight: np.ndarray, a: np.ndarray, b: np.ndarray, cost: np.ndarray) -> Graph:
    """Return the graph of units that touch.

    Parameters
    ----------
    weight : (n,) or (n, m) floats, at least 0
        What is to be balanced, one column a measure.
    a, b : (m,) ints
        Positions of the units of each touching pair, named once.
    cost : (m,) floats, above 0
        What a border between the two would cost, such as its length in metres.

    Returns
    -------
    Graph

    Raises
    ------
    WeightsMissing, EdgesStrange

    Example
    -------
    >>> graph(np.ones(3), np.array([0, 1]), np.array([1, 2]), np.ones(2)).cost.nnz
    4
    """
    weight, cost = np.asarray(weight, dtype=float), np.asarray(cost, dtype=float)
    weight, n = weight.reshape(len(weight), -1), len(weight)
    if not np.isfinite(weight).all() or (weight < 0).any() or not (weight.sum(axis=0) > 0).all():
        raise WeightsMissing()
    a, b = np.asarray(a, dtype=int), np.asarray(b, dtype=int)
    inside = ((a >= 0) & (a < n) & (b >= 0) & (b < n) & (a != b)).all()
    if not inside or not np.isfinite(cost).all() or (cost <= 0).any():
        raise EdgesStrange()
    both = np.append(cost, cost), (np.append(a, b), np.append(b, a))
    return Graph(weight, csr_array(both, shape=(n, n)))


def zones(given: Graph, number: int, *, seed: int = 0, trees: int = TREES) -> Zoning:
    """Return the units in a number of contiguous zones of nearly equal weight.

    Parameters
    ----------
    given : Graph of n units
    number : int
        How many zones, from 1 to n.
    seed : int
        Another seed gives another proposal; the same seed the same one.
    trees : int
        Spanning trees tried for each cut.

    Returns
    -------
    Zoning
        Every zone hangs together and holds at least one unit.

    Raises
    ------
    TooManyZones, TooFewZones

    Notes
    -----
    Pieces of the map that do not touch share the zones by their weight, one each at least. Equal weights
    are not promised: a unit is never cut, so `deviation` says how near it came.

    Source
    ------
    D. DeFord, M. Duchin and J. Solomon, "Recombination: A Family of Markov Chains for Redistricting",
    Harvard Data Science Review 3(1) (2021), for cutting spanning trees. S. Kirkpatrick, C. D. Gelatt and
    M. P. Vecchi, "Optimization by Simulated Annealing", Science 220 (1983), for cooling down.

    Example
    -------
    A street of six houses in three zones:

    >>> street = graph(np.ones(6), np.arange(5), np.arange(1, 6), np.ones(5))
    >>> zones(street, 3).zone.tolist()
    [0, 0, 1, 1, 2, 2]
    """
    n = len(given.weight)
    if not 1 <= number <= n:
        raise TooManyZones(zones=number, units=n)
    pieces, piece = connected_components(given.cost, directed=False)
    if number < pieces:
        raise TooFewZones(pieces=pieces)
    rng = np.random.default_rng(seed)
    zone, first = np.empty(n, dtype=int), 0
    members = [np.flatnonzero(piece == each) for each in range(pieces)]
    for units, many in zip(members, _shared(given, members, number), strict=True):
        for part in _divided(given, units, many, rng, trees):
            zone[part] = first
            first += 1
    zone = _numbered(_improved(given, zone, number, rng))
    return measured(given, zone)


def measured(given: Graph, zone: np.ndarray) -> Zoning:
    """Return how well zones balance and what their borders cost.

    Parameters
    ----------
    given : Graph of n units
    zone : (n,) ints, from 0 without a gap

    Returns
    -------
    Zoning

    Example
    -------
    >>> street = graph(np.array([1, 1, 2]), np.array([0, 1]), np.array([1, 2]), np.array([5, 7]))
    >>> measured(street, np.array([0, 0, 1]))
    Zoning(zone=array([0, 0, 1]), deviation=0.0, cut=7.0)
    """
    held = sums(given.weight, zone)
    mean = held.mean(axis=0)
    links = given.cost.tocoo()
    cut = links.data[zone[links.row] != zone[links.col]].sum() / 2
    return Zoning(zone, float((np.abs(held - mean) / mean).max()), float(cut))


def proposals(given: Graph, number: int, seeds: Iterable[int]) -> list[Zoning]:
    """Return different zonings, the best balanced first; of equal ones the cheapest border, and each once.

    Parameters
    ----------
    given, number
        As for `zones`.
    seeds : iterable of int
        One attempt each.

    Returns
    -------
    list of Zoning

    Example
    -------
    >>> street = graph(np.ones(4), np.arange(3), np.arange(1, 4), np.ones(3))
    >>> len(proposals(street, 2, range(5)))
    1
    """
    found = {each.zone.tobytes(): each for each in (zones(given, number, seed=seed) for seed in seeds)}
    return sorted(found.values(), key=lambda each: (round(each.deviation / NEAR), each.cut))


def hangs_without(cost: csr_array, zone: np.ndarray, unit: int) -> bool:
    """Whether the zone of a unit still hangs together, and is not empty, without it.

    Parameters
    ----------
    cost : csr_array, shape (n, n)
    zone : (n,) ints
    unit : int

    Returns
    -------
    bool

    Example
    -------
    >>> street = graph(np.ones(3), np.array([0, 1]), np.array([1, 2]), np.ones(2))
    >>> hangs_without(street.cost, np.zeros(3, dtype=int), 1)
    False
    """
    from gis import zoning_search  # compiled, and loaded only where zones are drawn

    return zoning_search.hangs_without(_plain(cost.indptr), _plain(cost.indices), _plain(zone), unit)


def sums(weight: np.ndarray, zone: np.ndarray) -> np.ndarray:
    """Return what each zone holds.

    Parameters
    ----------
    weight : (n, m) floats
    zone : (n,) ints, from 0

    Returns
    -------
    (k, m) floats

    Example
    -------
    >>> sums(np.array([[1, 10], [2, 20], [3, 30]]), np.array([0, 1, 1])).tolist()
    [[1.0, 10.0], [5.0, 50.0]]
    """
    return np.column_stack([np.bincount(zone, measure) for measure in weight.T])


def _shared(given: Graph, members: list[np.ndarray], number: int) -> list[int]:
    """How many zones each piece gets: one at least, its size at most, the rest where a zone holds most."""
    many = [1] * len(members)
    share = given.weight / given.weight.sum(axis=0)
    held = [share[units].sum() for units in members]
    for _ in range(number - len(members)):
        room = [each for each in range(len(members)) if many[each] < len(members[each])]
        many[max(room, key=lambda each: held[each] / many[each])] += 1
    return many


def _divided(given: Graph, units: np.ndarray, many: int, rng, trees: int) -> Iterator[np.ndarray]:
    """Cut a piece in two again and again until each part is one zone."""
    if many == 1:
        yield units
        return
    side, few = _cut(given.part(units), many, rng, trees)
    yield from _divided(given, units[side], few, rng, trees)
    yield from _divided(given, units[~side], many - few, rng, trees)


def _cut(piece: Graph, many: int, rng, trees: int) -> tuple[np.ndarray, int]:
    """Which units are cut off, and into how many of the zones they go."""
    from gis import zoning_search

    links = piece.cost.tocoo()
    once = links.row < links.col
    a, b, cost = _plain(links.row[once]), _plain(links.col[once]), links.data[once]
    # A random tree prefers costly links, so that cheap ones are left to be cut.
    chance = rng.exponential(cost.mean() / cost, (trees, len(cost)))
    roots = rng.integers(len(piece.weight), size=trees)
    weight = np.column_stack([piece.weight, np.ones(len(piece.weight))])
    return zoning_search.cut(np.argsort(chance, axis=1), roots, a, b, cost, weight, many, NEAR)


def _improved(given: Graph, zone: np.ndarray, number: int, rng) -> np.ndarray:
    """Let units at borders change sides until zones are even and their borders short."""
    from gis import zoning_search

    zone, cost = _plain(zone.copy()), given.cost
    links = _plain(cost.indptr), _plain(cost.indices), cost.data / cost.data.mean()
    weight = given.weight / (given.weight.sum(axis=0) / number)  # 1 is the mean of each measure
    held = sums(weight, zone)
    zoning_search.cooled(*links, weight, zone, held, NEAR, COOLING, rng.integers(2**31))
    return zone


def _plain(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers as compiled code takes them."""
    return np.ascontiguousarray(numbers, dtype=np.int64)


def _numbered(zone: np.ndarray) -> np.ndarray:
    """The zones numbered in the order in which their first units come."""
    _, first, inverse = np.unique(zone, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]
