"""Zones beside the field's libraries: GerryChain's recursive trees, and PySAL's max-p regions, on the same graphs.

None of them is asked for more than it promises: GerryChain for zones within the deviation that ours reach, or
within a tenth; max-p for as many regions as hold nine tenths of an even share, whose number it chooses itself.
"""

import warnings
from collections.abc import Callable

import geopandas as gpd
import networkx as nx
import numpy as np
from gerrychain import Graph as Linked
from gerrychain.partition import recursive_tree_part
from libpysal.weights import W
from rich.console import Console
from scipy.sparse.csgraph import connected_components
from spopt.region import MaxPHeuristic

from benchmarks.plans import units
from benchmarks.table import Row, in_turn
from gis.samples import sized
from gis.zoning import Graph, measured, zones

SIZES = (
    (500, 10, 3.0),
    (6008, 90, 10.0),
)  # units, zones, and how many times as fast as GerryChain we mean to be
LOOSE = 0.1  # deviation GerryChain is asked for: with less it seldom ends
MOST_FOR_MAXP = 500  # units; more, or the iterations it has by itself, take longer than anybody waits


def run() -> list[Row]:
    """Draw zones with each library, print how good they are, and return how long each took."""
    warnings.simplefilter("ignore")
    district, rows = sized("district"), []
    for number, into, target in SIZES:
        given, chosen = units(district, number)
        linked = _linked(given)
        results: dict[str, np.ndarray] = {}

        def keep(name: str, draw: Callable[[], np.ndarray], results=results) -> Callable[[], None]:
            return lambda: results.__setitem__(name, draw())

        runs = [
            keep("ours", lambda given=given, into=into: zones(given, into).zone),
            keep(
                "GerryChain", lambda linked=linked, given=given, into=into: _gerrychain(linked, given, into)
            ),
        ]
        if number <= MOST_FOR_MAXP:
            runs.append(
                keep("max-p", lambda given=given, chosen=chosen, into=into: _maxp(given, chosen, into))
            )
        ours, *peers = in_turn(runs, rounds=3)
        for name, seconds in zip(("GerryChain", "max-p"), peers, strict=False):
            rows.append(Row(f"{number:,} micro-grids into {into} zones ({name})", ours, seconds, target))
        for name, zone in results.items():
            Console(stderr=True).print(f"{number:,} into {into}, {name}: {_good(given, zone)}")
    return rows


def _linked(given: Graph) -> Linked:
    links = given.cost.tocoo()
    plain = nx.Graph()
    for node, held in enumerate(given.weight[:, 0]):
        plain.add_node(node, held=float(held))
    plain.add_edges_from(zip(links.row.tolist(), links.col.tolist(), strict=True))
    return Linked.from_networkx(plain)


def _gerrychain(linked: Linked, given: Graph, into: int) -> np.ndarray:
    share = given.weight[:, 0].sum() / into
    found = recursive_tree_part(linked, range(into), share, "held", LOOSE, rng=1)
    return np.array([found[node] for node in range(given.weight.shape[0])])


def _maxp(given: Graph, chosen: gpd.GeoDataFrame, into: int) -> np.ndarray:
    np.random.seed(1)
    links = given.cost.tocoo()
    near = W(
        {n: links.col[links.row == n].tolist() for n in range(given.weight.shape[0])}, silence_warnings=True
    )
    frame = chosen.assign(held=given.weight[:, 0])
    model = MaxPHeuristic(
        frame, near, ["held"], "held", 0.9 * frame["held"].sum() / into,
        max_iterations_construction=3, max_iterations_sa=1,
    )  # fmt: skip
    model.solve()
    return np.unique(np.asarray(model.labels_), return_inverse=True)[1]


def _good(given: Graph, zone: np.ndarray) -> str:
    links = given.cost.tocoo()
    cut = int((zone[links.row] != zone[links.col]).sum() / 2)
    whole = all(
        connected_components(given.cost[zone == each][:, zone == each], directed=False)[0] == 1
        for each in np.unique(zone)
    )
    together = "all hang together" if whole else "some in pieces"
    return f"{len(np.unique(zone))} zones, off by {measured(given, zone).deviation:.1%}, {cut:,} edges cut, {together}"
