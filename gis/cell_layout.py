"""Laying units out in the cells of `gis.cells`, compiled.

Each unit is drawn into a window of cells twice: first to learn how much room its segments need, then
to write them down. Units come in the order in which they win, so a cell wholly inside one unit is
closed to those that follow.
"""

import itertools
import math

import numpy as np
from numba import boolean, float64, int32, int64, njit, types, void

from gis.cells import COLUMNS, Cells
from gis.exact import turn
from gis.outskirts import Rings

CELLS_PER_SEGMENT = 1.5
MOST_CELLS = 4_000_000
SLACK = 1e-6  # of a cell: segments this near are taken to touch it, rounding is far below
ON_REFERENCE = -(1 << 40)
STRIDE = np.array([0.7548776662466927, 0.5698402909980532])  # reference points that follow no rhythm

_frame, _cells, _stream, _xy = float64[::1], int32[:, :, ::1], int32[::1], float64[:, ::1]
_ints, _window, _plane, _closed = int64[::1], int32[:, ::1], int64[:, ::1], boolean[:, ::1]


@njit(types.UniTuple(int64, 2)(float64, float64, float64, float64, int64), cache=True)
def _reach(u0, v0, u1, v1, j):
    """The first and last cell of row j that a segment, in cell units, may touch."""
    if v0 > v1:
        u0, v0, u1, v1 = u1, v1, u0, v0
    low, high = max(v0, j - SLACK), min(v1, j + 1 + SLACK)
    a, b = min(u0, u1), max(u0, u1)
    if v1 - v0 > SLACK:
        slope = (u1 - u0) / (v1 - v0)
        ua, ub = u0 + (low - v0) * slope, u0 + (high - v0) * slope
        a, b = max(a, min(ua, ub)), min(b, max(ua, ub))
    return math.floor(a - SLACK), math.floor(b + SLACK)


@njit(int64(_frame, _xy, _xy, int64, int64), cache=True)
def _last_left(frame, uv, xy, s, j):
    """The last cell of row j whose reference lies left of the crossing segment s, or ON_REFERENCE."""
    ax, ay, bx, by = xy[s, 0], xy[s, 1], xy[s + 1, 0], xy[s + 1, 1]
    if ay > by:
        ax, ay, bx, by = bx, by, ax, ay
    y = frame[1] + (j + frame[7]) * frame[5]
    share = (j + frame[7] - uv[s, 1]) / (uv[s + 1, 1] - uv[s, 1])
    i = math.ceil(uv[s, 0] + share * (uv[s + 1, 0] - uv[s, 0]) - frame[6])
    side = turn(ax, ay, bx, by, frame[0] + (i + frame[6]) * frame[4], y)
    while side > 0.0:
        i += 1
        side = turn(ax, ay, bx, by, frame[0] + (i + frame[6]) * frame[4], y)
    while side < 0.0:
        i -= 1
        side = turn(ax, ay, bx, by, frame[0] + (i + frame[6]) * frame[4], y)
    return i if side != 0.0 else ON_REFERENCE


@njit(boolean(_frame, _xy, _xy, _ints, int64, int64, _window, _window, int64, int64), cache=True)
def _draw(frame, uv, xy, rings, first, last, count, flip, i0, j0):
    """Draw the rings first … last into a window: segments a cell, and whether its reference is inside."""
    for ring in range(first, last):
        for s in range(rings[ring], rings[ring + 1] - 1):
            v0, v1 = min(uv[s, 1], uv[s + 1, 1]), max(uv[s, 1], uv[s + 1, 1])
            for j in range(math.floor(v0 - SLACK), math.floor(v1 + SLACK) + 1):
                a, b = _reach(uv[s, 0], uv[s, 1], uv[s + 1, 0], uv[s + 1, 1], j)
                for i in range(a, b + 1):
                    count[j - j0, i - i0] += 1
                y = frame[1] + (j + frame[7]) * frame[5]
                if (xy[s, 1] > y) != (xy[s + 1, 1] > y):
                    i = _last_left(frame, uv, xy, s, j)
                    if i == ON_REFERENCE:
                        return False
                    if i >= i0:
                        flip[j - j0, i - i0] ^= 1
    for j in range(flip.shape[0]):
        for i in range(flip.shape[1] - 2, -1, -1):
            flip[j, i] ^= flip[j, i + 1]
    return True


@njit(void(_cells, int64, int64, _window, _window, int64, int64, _plane, _closed), cache=True)
def _claim(cells, column, row, count, flip, i0, j0, words, closed):
    """First pass: how many words of the stream each cell of the window will need for this unit."""
    for j in range(count.shape[0]):
        for i in range(count.shape[1]):
            y, x = j + j0, i + i0
            if closed[y, x]:
                continue
            if count[j, i]:
                words[y, x] += 2 + count[j, i]
            elif flip[j, i]:
                closed[y, x] = True
                if words[y, x]:
                    words[y, x] += 2
                else:
                    cells[y, x, column] = row


@njit(
    void(
        _frame,
        _xy,
        _ints,
        int64,
        int64,
        int64,
        _window,
        _window,
        int64,
        int64,
        _plane,
        _plane,
        _closed,
        _stream,
    ),
    cache=True,
)
def _enter(frame, uv, rings, first, last, row, count, flip, i0, j0, start, cursor, closed, stream):
    """Second pass: write the unit's entry into every open cell of the window, then its segments."""
    for j in range(count.shape[0]):
        for i in range(count.shape[1]):
            y, x = j + j0, i + i0
            written, count[j, i] = count[j, i], -1
            if closed[y, x] or not (written or flip[j, i]):
                continue
            at = cursor[y, x]
            stream[start[y, x]] += 1
            stream[at], stream[at + 1] = row * 2 + flip[j, i], written
            cursor[y, x] = at + 2 + written
            if written:
                count[j, i] = at + 2
            else:
                closed[y, x] = True
    for ring in range(first, last):
        for s in range(rings[ring], rings[ring + 1] - 1):
            v0, v1 = min(uv[s, 1], uv[s + 1, 1]), max(uv[s, 1], uv[s + 1, 1])
            for j in range(math.floor(v0 - SLACK), math.floor(v1 + SLACK) + 1):
                a, b = _reach(uv[s, 0], uv[s, 1], uv[s + 1, 0], uv[s + 1, 1], j)
                for i in range(a, b + 1):
                    at = count[j - j0, i - i0]
                    if at >= 0:
                        stream[at] = s
                        count[j - j0, i - i0] = at + 1


@njit(int64(_cells, int64, _plane, _plane, _closed, int64), cache=True)
def _allot(cells, column, words, start, closed, taken):
    """Give each crossed cell its place in the stream; words becomes the cursor. Return the length."""
    at = 0
    high, wide, _ = cells.shape
    for j in range(high):
        for i in range(wide):
            need = words[j, i]
            closed[j, i] = cells[j, i, column] >= 0
            if need:
                cells[j, i, column] = -(taken + at + 2)
                start[j, i], words[j, i] = at, at + 1
                at += 1 + need
    return at


@njit(
    types.Tuple((boolean, _stream))(_frame, _xy, _xy, _ints, _ints, _ints, int64, _cells, int64), cache=True
)
def _lay(frame, uv, xy, rings, parts, rows, column, cells, taken):
    """Lay one level into its column of the cells; its stream will stand at `taken`, False to try again."""
    high, wide, _ = cells.shape
    words = np.zeros((high, wide), np.int64)
    start = np.zeros((high, wide), np.int64)
    closed = np.zeros((high, wide), np.bool_)
    stream = np.zeros(0, np.int32)
    for filling in (False, True):
        for unit in range(len(rows)):
            first, last = parts[unit], parts[unit + 1]
            box = uv[rings[first] : rings[last]]
            i0, j0 = math.floor(box[:, 0].min() - SLACK), math.floor(box[:, 1].min() - SLACK)
            i1, j1 = math.floor(box[:, 0].max() + SLACK), math.floor(box[:, 1].max() + SLACK)
            count = np.zeros((j1 - j0 + 1, i1 - i0 + 1), np.int32)
            flip = np.zeros((j1 - j0 + 1, i1 - i0 + 1), np.int32)
            if not _draw(frame, uv, xy, rings, first, last, count, flip, i0, j0):
                return False, stream
            if filling:
                _enter(
                    frame,
                    uv,
                    rings,
                    first,
                    last,
                    rows[unit],
                    count,
                    flip,
                    i0,
                    j0,
                    start,
                    words,
                    closed,
                    stream,
                )
            else:
                _claim(cells, column, rows[unit], count, flip, i0, j0, words, closed)
        if not filling:
            stream = np.zeros(_allot(cells, column, words, start, closed, taken), np.int32)
    return True, stream


def build(columns: list[tuple[int, np.ndarray, Rings]]) -> Cells:
    """Return the index of the units of some columns.

    Parameters
    ----------
    columns : list of (column, rows (n,) int, Rings of n polygons), those that win first
    """
    xy = np.concatenate([rings.xy for _, _, rings in columns])
    frame, high, wide = _frame_of(xy)
    for attempt in itertools.count():
        frame[6:] = 0.4 + 0.2 * np.modf((attempt + 0.5) * STRIDE)[0]
        cells = np.full((high, wide, COLUMNS), -1, np.int32)
        streams = _lay_all(frame, xy, cells, columns)
        if streams:
            return Cells(frame, cells, np.concatenate(streams), xy)


def _lay_all(frame, xy, cells, columns) -> list[np.ndarray]:
    """The streams of all columns; none if a border runs through a cell's reference point."""
    uv = (xy - frame[:2]) * frame[2:4]
    streams, corners, taken = [], 0, 0
    for column, rows, rings in columns:
        starts, rows = rings.starts + corners, rows.astype(np.int64)
        clear, stream = _lay(frame, uv, xy, starts, rings.first, rows, column, cells, taken)
        if not clear:
            return []
        corners, taken = corners + len(rings.xy), taken + len(stream)
        streams.append(stream)
    return streams


def _frame_of(xy: np.ndarray):
    """Nearly square cells over all corners, about as many as there are segments, and a margin around."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    narrow = max(math.cos(math.radians((low[1] + high[1]) / 2)), 0.01)
    size = np.maximum(high - low, 1e-6)
    number = min(max(CELLS_PER_SEGMENT * len(xy), 64), MOST_CELLS)
    step = math.sqrt(size[0] * narrow * size[1] / number)
    steps = np.array([step / narrow, step])
    across = np.ceil(size / steps).astype(int) + 2
    frame = np.concatenate([low - steps, 1 / steps, steps, np.zeros(2)])
    return frame, int(across[1]), int(across[0])
