"""Zones beside the field's libraries: GerryChain's recursive trees, and PySAL's max-p regions, on the same graphs.

None of them is asked for more than it promises: GerryChain for zones within a tenth of an even share; max-p for as
many regions as hold nine tenths of one, whose number it chooses itself. Nobody is waited for longer than PATIENCE_S.
"""

import signal
import warnings
from collections.abc import Callable
from functools import partial

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
from gis.compactness import compactness
from gis.samples import sized
from gis.zoning import Graph, measured, zones

SIZES = (
    (500, 10, 3.0, 5),
    (6008, 90, 10.0, 1),
)  # units, zones, how many times as fast as GerryChain we mean to be, and rounds
LOOSE = 0.1  # deviation GerryChain is asked for: with less it seldom ends
MOST_FOR_MAXP = 500  # units; more, or the iterations it has by itself, take longer than anybody waits
PATIENCE_S = 900


class Impatient(Exception):
    """It took too long."""


def run() -> list[Row]:
    """Draw zones with each library, print how good they are, and return how long each took."""
    warnings.simplefilter("ignore")
    district, rows = sized("district"), []
    for number, into, target, rounds in SIZES:
        given, chosen = units(district, number)
        peers = {"GerryChain": partial(_gerrychain, _linked(given), given, into)}
        if number <= MOST_FOR_MAXP:
            peers["max-p"] = partial(_maxp, given, chosen, into)
        found: dict[str, np.ndarray | None] = {}
        runs = [_kept("ours", lambda given=given, into=into: zones(given, into).zone, found)]
        runs += [_kept(name, _impatiently(draw), found) for name, draw in peers.items()]
        ours, *taken = in_turn(runs, rounds)
        for name, seconds in zip(peers, taken, strict=True):
            rows.append(Row(f"{number:,} micro-grids into {into} zones ({name})", ours, seconds, target))
        for name, zone in found.items():
            told = "not within our patience" if zone is None else _good(given, chosen, zone)
            Console(stderr=True, width=160).print(f"{number:,} into {into}, {name}: {told}")
    return rows


def _kept(name: str, draw: Callable[[], np.ndarray | None], found: dict) -> Callable[[], None]:
    return lambda: found.__setitem__(name, draw())


def _impatiently(draw: Callable[[], np.ndarray]) -> Callable[[], np.ndarray | None]:
    """The same, given up after a while: then None."""

    def alarmed(*_given) -> None:
        raise Impatient

    def drawn() -> np.ndarray | None:
        signal.signal(signal.SIGALRM, alarmed)
        signal.alarm(PATIENCE_S)
        try:
            return draw()
        except Impatient:
            return None
        finally:
            signal.alarm(0)

    return drawn


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


def _good(given: Graph, chosen: gpd.GeoDataFrame, zone: np.ndarray) -> str:
    links = given.cost.tocoo()
    cut = int((zone[links.row] != zone[links.col]).sum() / 2)
    whole = all(
        connected_components(given.cost[zone == each][:, zone == each], directed=False)[0] == 1
        for each in np.unique(zone)
    )
    together = "all hang together" if whole else "some in pieces"
    found = measured(given, zone)
    shape = compactness(chosen.dissolve(zone, method="coverage"))["polsby_popper"]
    return (
        f"{len(np.unique(zone))} zones, off by {found.deviation:.1%}, {cut:,} edges cut, "
        f"border {found.cut / 1000:.1f} km, Polsby-Popper {shape.median():.2f} (least {shape.min():.2f}), {together}"
    )
