"""Gi* over a district of 6,008 micro-grids: one sparse product beside esda's local G."""

from functools import partial

import numpy as np
import pandas as pd
from esda import G_Local
from libpysal.graph import Graph
from libpysal.weights import WSP, W, lat2W
from scipy.sparse import csr_array

from benchmarks.table import Row, in_turn, show
from gis.hotspot import getis_ord

UNITS = 6008


def run(rounds: int = 9) -> list[Row]:
    """Check that all give one z, which also lets esda compile, then time them in turn."""
    counts, weights = district()
    peers = {
        "W": WSP(weights.tocsr()).to_W(silence_warnings=True),
        "Graph": Graph.from_sparse(weights),
    }

    def ours() -> np.ndarray:
        return getis_ord(counts, weights)["z"].to_numpy()

    def esda(neighbours: W | Graph) -> np.ndarray:
        return G_Local(counts.to_numpy(float), neighbours, transform="B", permutations=0, star=1.0).Zs

    for neighbours in peers.values():
        np.testing.assert_allclose(ours(), esda(neighbours), rtol=1e-12, atol=1e-12)
    mine, *theirs = in_turn([ours, *(partial(esda, neighbours) for neighbours in peers.values())], rounds)
    return [
        Row(f"Gi* on {UNITS:,} micro-grids, beside esda on a {kind}", mine, seconds, target=30)
        for kind, seconds in zip(peers, theirs, strict=True)
    ]


def district() -> tuple[pd.Series, csr_array]:
    """Counts as a district has them, over as many grids that touch by edge or corner."""
    weights = csr_array(lat2W(78, 78, rook=False).sparse)[:UNITS, :UNITS]
    counts = np.random.default_rng(6008).negative_binomial(0.6, 0.08, UNITS)
    return pd.Series(counts, name="incidents"), csr_array(weights)


if __name__ == "__main__":
    show(run(), "Hotspots")
