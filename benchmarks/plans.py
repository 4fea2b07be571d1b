"""The redraw desk's floor alone: an edit, a proposal, zones; how long each takes and how good it is."""

import time
from collections.abc import Callable
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from rich.console import Console
from rich.table import Table

from benchmarks import fuzz
from benchmarks.table import spell
from gis.adjacency import rook
from gis.errors import BadInput
from gis.plan import Plan
from gis.proposal import propose
from gis.samples import sized
from gis.zoning import Graph, graph, zones

EDITS = 300
DRAWN = ("split", "merge", "reshape", "move", "found")  # kinds that draw


class Measured(NamedTuple):
    """One line of the table: seconds of the CPU, half and nineteen of twenty of them within; how good; the target.

    All this is one thread at work, so on a machine with nothing else to do it takes as long; `waited` is how
    long nineteen of twenty took on this one.
    """

    work: str
    half: float
    most: float
    waited: float
    good: str
    target: float


def run() -> list[Measured]:
    """Measure edits of a community of seventy and of the district, proposals, and zones."""
    street, district = sized("street"), sized("district")
    community = _community(street, 70)
    found = [
        _edits("an edit, 70 micro-grids and 700 buildings", fuzz.sheet(community), 0.2),
        _edits("an edit, the full district", fuzz.sheet(district), 0.2),
        _proposal("700 buildings into 12 micro-grids", community, 12, 5),
        _proposal("a street of 4,600 buildings into 460", street, 460, 60),
    ]
    for number, into in ((500, 10), (6008, 90)):
        found.append(_zones(f"{number:,} micro-grids into {into} zones", units(district, number)[0], into))
    return found


def _community(levels: dict[str, gpd.GeoDataFrame], like: int) -> dict[str, gpd.GeoDataFrame]:
    """The community that has most nearly so many micro-grids, and ten times as many buildings."""
    grids, houses = levels["micro_grid"], levels["building"]
    many = grids.groupby("parent_code").size().rename("grids").to_frame()
    many["houses"] = houses.groupby(houses["parent_code"].str[:12]).size()
    code = (abs(many["grids"] - like) + abs(many["houses"] - 10 * like) / 10).idxmin()
    return levels | {
        "micro_grid": grids[grids["parent_code"] == code],
        "building": houses[houses["parent_code"].str.startswith(code)],
    }


def _edits(work: str, before: Plan, target: float) -> Measured:
    """Edits one after the other, refused ones not counted."""
    taken, done = [], 0
    for hand in fuzz.hands(40 * EDITS, seed=7):
        if hand.kind not in DRAWN:
            continue
        began = _now()
        try:
            before = fuzz.edited(before, hand)
        except BadInput:
            continue
        taken.append(_now() - began)
        if (done := done + 1) == EDITS:
            break
    (half, _), (most, waited) = np.quantile(taken, [0.5, 0.95], axis=0)
    return Measured(work, half, most, waited, f"{done} edits", target)


def _proposal(work: str, levels: dict[str, gpd.GeoDataFrame], number: int, target: float) -> Measured:
    houses = levels["building"].set_index("code")
    area = shapely.coverage_union_all(levels["micro_grid"].geometry.to_numpy())
    seconds, drawn = _timed(lambda: propose(houses, area, number, ["households"], seeds=range(2)))
    shape = drawn[0].grids["polsby_popper"].median()
    good = f"{len(houses)} buildings, off by {drawn[0].deviation:.1%} at most, compactness {shape:.2f}"
    return Measured(work, seconds[0], *seconds, good, target)


def _zones(work: str, given: Graph, number: int) -> Measured:
    seconds, found = _timed(lambda: zones(given, number))
    links = given.cost.tocoo()
    cut = int((found.zone[links.row] != found.zone[links.col]).sum() / 2)
    good = f"off by {found.deviation:.1%} at most, {cut:,} of {given.cost.nnz // 2:,} edges cut"
    return Measured(work, seconds[0], *seconds, good, np.nan)


def units(levels: dict[str, gpd.GeoDataFrame], number: int) -> tuple[Graph, gpd.GeoDataFrame]:
    """Return so many micro-grids near the first one as a graph weighed by households, and themselves."""
    grids = levels["micro_grid"].reset_index(drop=True)
    near = np.argsort(
        shapely.distance(grids.geometry.to_numpy(), grids.geometry.iloc[0].centroid), kind="stable"
    )
    chosen = grids.iloc[near[:number]].reset_index(drop=True)
    pairs = rook(chosen)
    return graph(chosen["households"].to_numpy() + 1, pairs["a"], pairs["b"], pairs["shared_m"]), chosen


def _timed(work: Callable) -> tuple[np.ndarray, object]:
    began = _now()
    done = work()
    return _now() - began, done


def _now() -> np.ndarray:
    """Seconds of the CPU and of the clock."""
    return np.array([time.process_time(), time.perf_counter()])


def show(rows: list[Measured]) -> None:
    """Print what was measured."""
    table = Table(
        "work",
        "half within",
        "19 of 20 within",
        "by the clock",
        "how good",
        "target",
        "",
        title="the floor of the redraw desk",
    )
    for row in rows:
        verdict = "" if np.isnan(row.target) else "reached" if row.most <= row.target else "missed"
        target = "" if np.isnan(row.target) else spell(row.target)
        table.add_row(
            row.work, spell(row.half), spell(row.most), spell(row.waited), row.good, target, verdict
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    show(run())
