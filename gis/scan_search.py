"""The search through all zones and windows, compiled: once for what was seen, once for each permutation.

Importing this module compiles it once, into numba's cache on disk: import it where it is used.
"""

import numpy as np
from numba import float64, int32, int64, njit, types, void

_indices, _order, _counts, _logs, _flags = (
    int32[::1], int32[:, ::1], int64[::1], float64[::1], types.boolean[::1],
)  # fmt: skip
SAME = 1e-9  # likelihoods nearer to each other than this are one

_found = types.Tuple((float64, int64, int64, int64))


@njit(void(_indices, _indices, float64[:, ::1], _order), cache=True)
def grow(indptr, indices, centre, order):
    """Write into order[i] the units that zone i takes in turn: the nearest to i of all that touch it so far."""
    n, most = order.shape
    seen = np.full(n, -1, np.int64)
    border, away = np.empty(n, np.int32), np.empty(n)
    for i in range(n):
        order[i, :] = -1
        border[0], away[0], waiting = i, 0.0, 1
        seen[i] = i
        for step in range(most):
            if waiting == 0:
                break
            nearest = 0
            for k in range(1, waiting):
                if away[k] < away[nearest] or (away[k] == away[nearest] and border[k] < border[nearest]):
                    nearest = k
            unit = border[nearest]
            order[i, step] = unit
            waiting -= 1
            border[nearest], away[nearest] = border[waiting], away[waiting]
            for at in range(indptr[unit], indptr[unit + 1]):
                other = indices[at]
                if seen[other] != i:
                    seen[other] = i
                    border[waiting] = other
                    away[waiting] = (centre[other, 0] - centre[i, 0]) ** 2 + (
                        centre[other, 1] - centre[i, 1]
                    ) ** 2
                    waiting += 1


@njit(
    _found(_order, _counts, _counts, _counts, _counts, _logs, float64[:, ::1], int64, int64[:, ::1], _flags),
    cache=True,
)
def strongest(order, unit, age, total, window, log, outside, fewest, recent, taken):
    """The largest likelihood ratio of all zones and windows that hold no unit taken: it, zone, size, window.

    `outside` holds the log of cases expected outside, by how many a zone has in all and by window; it has as
    many rows as a zone may have cases, and one. `recent` is room to count in, (units, windows). A unit that
    adds no case to a window only makes its zone expect more: only the windows it adds to are looked at.
    """
    cases, windows = len(unit), len(window)
    recent[:, :] = 0
    for k in range(cases):
        if age[k] < windows:
            for w in range(age[k], windows):
                recent[unit[k], w] += 1
    held = np.empty(windows, np.int64)
    best, zone, size, length = 0.0, -1, 0, 0
    for i in range(len(order)):
        expected = 0
        held[:] = 0
        for step in range(order.shape[1]):
            u = order[i, step]
            if u < 0 or taken[u]:
                break
            expected += total[u]
            if expected >= len(outside):
                break
            if recent[u, windows - 1] == 0:
                continue
            for w in range(windows):
                if recent[u, w] == 0:
                    continue
                held[w] += recent[u, w]
                c, product = held[w], expected * window[w]
                if c < fewest or c * cases <= product:
                    continue
                ratio = c * (log[c] + log[cases] - log[expected] - log[window[w]])
                if c < cases:
                    ratio += (cases - c) * (log[cases - c] - outside[expected, w])
                if ratio > best + SAME or (ratio > best - SAME and step + 1 < size):
                    best, zone, size, length = ratio, i, step + 1, w + 1
    return best, zone, size, length
