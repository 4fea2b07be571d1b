"""Pure decisions of redrawing: in which order grids are numbered, which codes go on, and who is far off the mean."""

from collections.abc import Iterable, Sequence
from math import copysign, isnan

import numpy as np

EVEN, FAR = 0.05, 0.2  # of the mean: what is even enough, and what is far off
LOCKED = 9


def reading_order(x: Sequence[float], y: Sequence[float]) -> list[int]:
    """Return the positions of places in the order they are read: rows from the north, each from the west.

    Rule: field.md §2, numbered west to east, then north to south. A row is as high as a grid is on average.

    >>> reading_order([0, 1, 0, 1], [0, 0, 1, 1])
    [2, 3, 0, 1]
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if not len(x):
        return []
    height = np.sqrt(max(np.ptp(x) * np.ptp(y), 1e-18) / len(x))
    row = np.floor((y.max() - y) / height)
    return np.lexsort((x, row)).tolist()


def bands(deviations: Iterable[float]) -> list[int]:
    """Return how far from the mean each grid is: 0 within 5 %, ±1 within 20 %, ±2 beyond, LOCKED without one.

    >>> bands([0.01, -0.3, float("nan")])
    [0, -2, 9]
    """
    edges = (EVEN, FAR)
    return [
        LOCKED if isnan(each) else int(copysign(sum(abs(each) > edge for edge in edges), each))
        for each in deviations
    ]


def inherited(overlap: Sequence[tuple[str, int, float]], least: float = 0.5) -> dict[int, str]:
    """Return which new grids go on under which old codes, from (old code, new grid, households in both).

    An old code goes on where more than half of its households go, if they are more than half of the new
    grid's, too; so a code never wanders to other people.

    >>> inherited([("a", 0, 80.0), ("a", 1, 20.0), ("b", 1, 70.0)])
    {0: 'a', 1: 'b'}
    """
    old, new = {}, {}
    for code, grid, held in overlap:
        old[code] = old.get(code, 0) + held
        new[grid] = new.get(grid, 0) + held
    return {
        grid: code for code, grid, held in overlap if held > least * old[code] and held > least * new[grid]
    }
