"""Location: points into four levels, beside geopandas.sjoin; one point, beside a query of the caller's."""

import sys
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd

from benchmarks.table import Row, in_turn, show
from gis.ground import LEVELS
from gis.locate import Located, Locator, warm
from gis.samples import district

SINGLES = 500


class AnswersDiffer(AssertionError):
    """Ours and the peer's answers differ, so their times mean nothing."""


def run(
    points: int = 1_000_000,
    one_by_peer: Callable[[float, float], object] | None = None,
    levels: dict[str, gpd.GeoDataFrame] | None = None,
) -> list[Row]:
    """Compare in turn, after checking that the answers are equal.

    Parameters
    ----------
    points : int
        How many to locate in bulk.
    one_by_peer : callable (lon, lat), optional
        The peer for one point, for example a prepared SQL statement.
    levels : mapping of level to frame, optional
        The map; the sample district if not given.
    """
    warm()
    levels = levels or district()
    locator = Locator.build(levels)
    lon, lat = scatter(levels["street"], points)
    joiner = Joiner(levels, lon, lat)
    check(locator.locate(lon, lat), joiner.run())
    peer, single, double = in_turn(
        [
            joiner.run,
            lambda: locator.locate(lon, lat, threads=1),
            lambda: locator.locate(lon, lat, threads=2),
        ]
    )
    rows = [
        Row(f"{points:,} points → 4 levels, 1 thread (geopandas.sjoin)", single, peer, 4),
        Row(f"{points:,} points → 4 levels, 2 threads (geopandas.sjoin)", double, peer, 8),
    ]
    if one_by_peer:
        pairs = list(zip(lon[:SINGLES].tolist(), lat[:SINGLES].tolist(), strict=True))
        ours, theirs = in_turn([lambda: each(locator.one, pairs), lambda: each(one_by_peer, pairs)])
        rows.append(Row("one point (prepared SQL)", ours / len(pairs), theirs / len(pairs), 10))
    return rows


def scatter(streets: gpd.GeoDataFrame, number: int, seed: int = 2026) -> tuple[np.ndarray, np.ndarray]:
    """Points within the streets, half of them uniform and half around forty busy places."""
    rng = np.random.default_rng(seed)
    west, south, east, north = streets.total_bounds
    size = np.array([east - west, north - south])
    outline = streets.geometry.union_all()
    kept, found = [], 0
    while found < number:
        uniform = rng.uniform(size=(number // 2 + 1, 2))
        clustered = rng.uniform(0.1, 0.9, (40, 2))[rng.integers(40, size=number // 2 + 1)]
        clustered = clustered + rng.normal(0, 0.02, clustered.shape)
        places = gpd.GeoSeries.from_xy(*(np.vstack([uniform, clustered]) * size + [west, south]).T)
        kept.append(places[places.within(outline)])
        found += len(kept[-1])
    chosen = pd.concat(kept, ignore_index=True).sample(number, random_state=seed)
    return chosen.x.to_numpy(), chosen.y.to_numpy()


class Joiner:
    """The peer at its best: points made beforehand, bare layers, parents looked up by row."""

    def __init__(self, levels: dict[str, gpd.GeoDataFrame], lon: np.ndarray, lat: np.ndarray):
        self.points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat, crs=4326))
        self.layers = {
            level: levels[level][["geometry"]].reset_index(drop=True) for level in ("micro_grid", "building")
        }
        self.parents = {
            level: pd.Index(levels[level]["code"]).get_indexer(levels[child]["parent_code"])
            for level, child in (("street", "community"), ("community", "micro_grid"))
        }

    def run(self) -> dict[str, np.ndarray]:
        """The rows of four levels, -1 for none."""
        found = {}
        for level, layer in self.layers.items():
            hits = gpd.sjoin(self.points, layer, predicate="intersects")["index_right"]
            found[level] = np.full(len(self.points), -1)
            found[level][hits.index.to_numpy()[::-1]] = hits.to_numpy()[::-1]
        found["community"] = np.append(self.parents["community"], -1)[found["micro_grid"]]
        found["street"] = np.append(self.parents["street"], -1)[found["community"]]
        return found


def check(located: Located, joined: dict[str, np.ndarray]) -> None:
    """Raise unless both give every point the same units."""
    for level in LEVELS:
        differ = int((located.rows[level] != joined[level]).sum())
        if differ:
            raise AnswersDiffer(f"{level}: {differ} of {len(joined[level])} points")


def each(find: Callable[[float, float], object], pairs: list[tuple[float, float]]) -> None:
    for lon, lat in pairs:
        find(lon, lat)


if __name__ == "__main__":
    show(run(*map(int, sys.argv[1:])), "Location")
