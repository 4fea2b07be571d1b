"""A month of emerging hot spots over 6,008 grids, 30 days and 1,000,000 incidents, beside PySAL and pymannkendall."""

import numpy as np
import pandas as pd
import pymannkendall
from esda import G_Local
from libpysal.graph import Graph
from scipy.sparse import csr_array, eye_array, kron
from scipy.stats import false_discovery_control

from benchmarks.hotspot import UNITS, district
from benchmarks.table import Row, in_turn, show
from gis.emerging import ALPHA, emerging

DAYS, INCIDENTS = 30, 1_000_000


def run(rounds: int = 1) -> list[Row]:
    """Check that both give the same classes, which also lets esda compile, then time them in turn."""
    counts, weights = month()
    links = Graph.from_sparse(_cells(weights))

    def ours() -> np.ndarray:
        return emerging(counts, weights).units["klass"].to_numpy()

    def theirs() -> np.ndarray:
        return _by_the_peers(counts, links)

    mine, other = ours(), theirs()
    assert (mine == other).all(), f"{(mine != other).sum()} classes differ"
    seconds = in_turn([ours, theirs], rounds)
    work = f"a month of the 17 classes on {UNITS:,} micro-grids, beside esda and pymannkendall"
    return [Row(work, *seconds, target=20)]


def month() -> tuple[pd.DataFrame, csr_array]:
    """A million incidents over the days of a month: places differ, some flare up, some fade."""
    places, weights = district()
    random = np.random.default_rng(2026)
    days = np.arange(DAYS)
    pull = (places.to_numpy(float)[:, None] + 0.5) * np.ones(DAYS)
    for block in range(0, UNITS - 400, 400):
        course = (days > 26, days / DAYS, 1 - days / DAYS, days % 3 == 0)[block // 400 % 4]
        pull[block : block + 25] *= 1 + 6 * course
    counts = random.multinomial(INCIDENTS, (pull / pull.sum()).ravel()).reshape(pull.shape)
    return pd.DataFrame(counts, columns=days), weights


def _cells(weights: csr_array) -> csr_array:
    """Who neighbours whom among the cells of units and days, a cell itself apart."""
    in_space = csr_array(weights + eye_array(UNITS))
    in_time = eye_array(DAYS) + eye_array(DAYS, k=-1)
    return csr_array(kron(in_space, in_time) - eye_array(UNITS * DAYS))


def _by_the_peers(counts: pd.DataFrame, links: Graph) -> np.ndarray:
    local = G_Local(counts.to_numpy(float).ravel(), links, transform="B", permutations=0, star=1.0)
    z = local.Zs.reshape(counts.shape)
    # esda tells one-sided p of the normal
    q = false_discovery_control(2 * local.p_norm.ravel()).reshape(z.shape)
    steps = np.where(q <= ALPHA, np.sign(z), 0)
    trends = {"increasing": 1, "decreasing": -1, "no trend": 0}
    found = [
        _named(row, trends[pymannkendall.original_test(values, ALPHA).trend])
        for row, values in zip(steps, z, strict=True)
    ]
    return np.array(found)


def _named(steps: np.ndarray, trend: int) -> str:
    """The class of one series, definition by definition."""
    for side, word in ((1, "hot"), (-1, "cold")):
        hot, number = steps == side, int((steps == side).sum())
        if not hot[-1]:
            continue
        if number == 1:
            return f"new_{word}"
        if number / len(steps) >= 0.9:
            return f"{('diminishing', 'persistent', 'intensifying')[trend * side + 1]}_{word}"
        first = int(np.argmax(hot))
        if hot[first:].all():
            return f"consecutive_{word}"
        return f"{'oscillating' if (steps == -side).any() else 'sporadic'}_{word}"
    for side, word in ((1, "hot"), (-1, "cold")):
        if (steps == side).mean() >= 0.9:
            return f"historical_{word}"
    return "none"


if __name__ == "__main__":
    show(run(), "Emerging hot spots")
