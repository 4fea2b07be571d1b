"""Gi* over a district of 6,008 micro-grids: one sparse product beside esda's local G."""

import numpy as np
import pandas as pd
from esda import G_Local
from libpysal.graph import Graph
from libpysal.weights import lat2W
from scipy.sparse import csr_array

from benchmarks.table import Row, in_turn, show
from gis.hotspot import getis_ord

UNITS = 6008


def run(rounds: int = 9) -> list[Row]:
    """Check that both give one z, which also lets esda compile, then time them in turn."""
    counts, weights = district()
    # esda's faster way: a Graph takes about a quarter of the time of a W.
    neighbours = Graph.from_sparse(weights)

    def ours() -> np.ndarray:
        return getis_ord(counts, weights)["z"].to_numpy()

    def peer() -> np.ndarray:
        return G_Local(counts.to_numpy(float), neighbours, transform="B", permutations=0, star=1.0).Zs

    np.testing.assert_allclose(ours(), peer(), rtol=1e-12, atol=1e-12)
    return [Row(f"Gi* on {UNITS:,} micro-grids, beside esda", *in_turn([ours, peer], rounds), target=30)]


def district() -> tuple[pd.Series, csr_array]:
    """Counts as a district has them, over as many grids that touch by edge or corner."""
    weights = csr_array(lat2W(78, 78, rook=False).sparse)[:UNITS, :UNITS]
    counts = np.random.default_rng(6008).negative_binomial(0.6, 0.08, UNITS)
    return pd.Series(counts, name="incidents"), csr_array(weights)


if __name__ == "__main__":
    show(run(), "Hotspots")
