"""The nearest of many segments to each of many points, compiled: a tree of boxes, searched twice.

The first search finds the least distance, the second the first segment that comes within a micrometre
of it, so that rounding never decides between units that meet in a nearest corner.
"""

import numpy as np
from numba import boolean, float64, int64, njit, types, void

from gis.ground import SAME

LEAF = 4  # segments

_boxes, _segments, _numbers = float64[:, ::1], float64[:, ::1], int64[::1]


@njit(types.UniTuple(float64, 3)(_segments, int64, float64, float64), cache=True)
def _foot(segments, at, px, py):
    """Squared distance to a segment and the point of it that is nearest."""
    ax, ay = segments[at, 0], segments[at, 1]
    dx, dy = segments[at, 2] - ax, segments[at, 3] - ay
    length = dx * dx + dy * dy
    share = ((px - ax) * dx + (py - ay) * dy) / length if length > 0.0 else 0.0
    share = min(max(share, 0.0), 1.0)
    x, y = ax + share * dx, ay + share * dy
    return (px - x) ** 2 + (py - y) ** 2, x, y


@njit(float64(_boxes, int64, float64, float64), cache=True)
def _away(boxes, node, px, py):
    """Squared distance to a box."""
    dx = max(boxes[node, 0] - px, 0.0, px - boxes[node, 2])
    dy = max(boxes[node, 1] - py, 0.0, py - boxes[node, 3])
    return dx * dx + dy * dy


@njit(
    types.Tuple((float64, int64))(_boxes, _segments, _numbers, float64, float64, float64, boolean), cache=True
)
def _search(boxes, segments, numbers, px, py, limit, first):
    """The nearest segment within a squared distance, or of all within it the one with the first number."""
    leaves = len(boxes) // 2
    stack = np.empty(64, np.int64)
    stack[0], depth, chosen = 1, 1, -1
    while depth:
        depth -= 1
        node = stack[depth]
        if _away(boxes, node, px, py) > limit:
            continue
        if node < leaves:
            near, far = 2 * node, 2 * node + 1
            if _away(boxes, far, px, py) < _away(boxes, near, px, py):
                near, far = far, near
            stack[depth], stack[depth + 1] = far, near
            depth += 2
            continue
        for at in range((node - leaves) * LEAF, min((node - leaves + 1) * LEAF, len(segments))):
            away = _foot(segments, at, px, py)[0]
            if first:
                if away <= limit and (chosen < 0 or numbers[at] < numbers[chosen]):
                    chosen = at
            elif away < limit:
                limit, chosen = away, at
    return limit, chosen


@njit(void(_boxes, _segments, _numbers, _segments, _numbers, _segments), cache=True, nogil=True)
def _search_all(boxes, segments, numbers, points, chosen, feet):
    for n in range(len(points)):
        px, py = points[n, 0], points[n, 1]
        least, _ = _search(boxes, segments, numbers, px, py, np.inf, False)
        at = _search(boxes, segments, numbers, px, py, (np.sqrt(least) + SAME) ** 2, True)[1]
        chosen[n] = numbers[at]
        _, feet[n, 0], feet[n, 1] = _foot(segments, at, px, py)


class SegmentTree:
    """Segments (k, 4) as x, y, x, y in metres, k > 0, packed along a curve into a tree of boxes."""

    def __init__(self, segments: np.ndarray):
        self._numbers = np.argsort(_curve((segments[:, :2] + segments[:, 2:]) / 2), kind="stable")
        self._segments = np.ascontiguousarray(segments[self._numbers])
        leaves = 1 << max(int(np.ceil(np.log2(np.ceil(len(segments) / LEAF)))), 0)
        self._boxes = np.full((2 * leaves, 4), np.inf)
        self._boxes[:, 2:] = -np.inf
        starts = np.arange(0, len(segments), LEAF)
        low = np.minimum(self._segments[:, :2], self._segments[:, 2:])
        high = np.maximum(self._segments[:, :2], self._segments[:, 2:])
        self._boxes[leaves : leaves + len(starts), :2] = np.minimum.reduceat(low, starts)
        self._boxes[leaves : leaves + len(starts), 2:] = np.maximum.reduceat(high, starts)
        while leaves > 1:
            leaves //= 2
            left, right = (
                self._boxes[2 * leaves : 4 * leaves : 2],
                self._boxes[2 * leaves + 1 : 4 * leaves : 2],
            )
            self._boxes[leaves : 2 * leaves, :2] = np.minimum(left, right)[:, :2]
            self._boxes[leaves : 2 * leaves, 2:] = np.maximum(left, right)[:, 2:]

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for points (n, 2) the number of the nearest segment (n,) and the foot on it (n, 2)."""
        chosen, feet = np.empty(len(points), np.int64), np.empty((len(points), 2))
        _search_all(self._boxes, self._segments, self._numbers, np.ascontiguousarray(points), chosen, feet)
        return chosen, feet


def _curve(points: np.ndarray) -> np.ndarray:
    """Place along a Z-order curve, so that neighbours in the list are neighbours on the ground."""
    low, high = points.min(axis=0), points.max(axis=0)
    x, y = ((points - low) / np.maximum(high - low, 1e-9) * 65535).astype(np.uint64).T
    place = np.zeros(len(points), np.uint64)
    for bit in range(16):
        place |= ((x >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit)
        place |= ((y >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + 1)
    return place
