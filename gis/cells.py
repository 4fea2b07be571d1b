"""A cell index over the units of all levels, compiled: which unit of each level holds a point.

The district is laid out in equal cells, one number a level in each. A cell wholly inside a unit
holds its row, an empty one -1, and one that borders cross holds -(place + 2): a place in `stream`,
where for each unit in question, the one that wins first, stand

    row * 2 + (1 if the cell's reference point is inside), how many segments, their numbers …

A point is then inside iff its way to the reference point crosses those segments an even (odd) number
of times, so only segments in the point's own cell are looked at. Every sign is exact: a point on a
border is on it and nowhere else.

Importing this module compiles it once, into numba's cache on disk: import it where it is used.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import float64, int32, int64, njit, types, uint8, void

from gis.exact import turn

COLUMNS = 5  # street, community, micro_grid, building, and the filled outline of the district
BUILDING, OUTLINE = 3, 4
INSIDE, BORDER, GAP, OUTSIDE = range(4)
CHUNK = 65_536

_frame, _cells, _stream, _xy = float64[::1], int32[:, :, ::1], int32[::1], float64[:, ::1]
_rows, _given = int32[:, ::1], types.Array(float64, 1, "C", readonly=True)


@njit(int64(_stream, _xy, int64, int64, float64, float64, float64, float64), cache=True)
def _walk(stream, xy, place, column, px, py, rx, ry):
    """The unit at a place of the stream that holds the point: row * 2 + (1 if on its border), or -1."""
    at, border = place + 1, -1
    for _ in range(stream[place]):
        tag, end = stream[at], at + 2 + stream[at + 1]
        inside, touched = (tag & 1) == 1, False
        for k in range(at + 2, end):
            s = stream[k]
            ax, ay, bx, by = xy[s, 0], xy[s, 1], xy[s + 1, 0], xy[s + 1, 1]
            left, right, low, high = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
            if right < min(px, rx) or left > max(px, rx) or high < min(py, ry) or low > max(py, ry):
                continue  # beside the way: neither crossed nor touched
            if left <= px <= right and low <= py <= high and turn(ax, ay, bx, by, px, py) == 0.0:
                touched = True
                break
            if (turn(px, py, rx, ry, ax, ay) >= 0.0) != (turn(px, py, rx, ry, bx, by) >= 0.0):
                inside ^= (turn(ax, ay, bx, by, px, py) > 0.0) != (turn(ax, ay, bx, by, rx, ry) > 0.0)
        at = end
        if touched:
            if column == BUILDING:
                return (tag >> 1) << 1
            if border < 0:
                border = (tag >> 1) * 2 + 1
        elif inside:
            return (tag >> 1) << 1
    return border


@njit(int64(_frame, _cells, _stream, _xy, int64, float64, float64, _rows, int64), cache=True, nogil=True)
def place(frame, cells, stream, xy, finest, px, py, rows, n):
    """Write the unit of each level at a point into rows[n] (-1 none); return how the finest holds it."""
    high, wide, _ = cells.shape
    rows[n, :] = -1
    u, v = (px - frame[0]) * frame[2], (py - frame[1]) * frame[3]
    if not (0.0 <= u < wide and 0.0 <= v < high):
        return OUTSIDE
    i, j = int(u), int(v)
    rx, ry = frame[0] + (i + frame[6]) * frame[4], frame[1] + (j + frame[7]) * frame[5]
    how = OUTSIDE
    for column in range(COLUMNS):
        if column == OUTLINE and how != OUTSIDE:
            break
        found, touched = int64(cells[j, i, column]), 0
        if found < -1:
            found = _walk(stream, xy, -(found + 2), column, px, py, rx, ry)
            if found >= 0:
                found, touched = found >> 1, found & 1
        if column == OUTLINE:
            return OUTSIDE if found < 0 else GAP
        rows[n, column] = found
        if column == finest and found >= 0:
            how = BORDER if touched else INSIDE
    return how


@njit(
    void(_frame, _cells, _stream, _xy, int64, _given, _given, _rows, uint8[::1]),
    cache=True,
    nogil=True,
)
def _place_all(frame, cells, stream, xy, finest, lon, lat, rows, how):
    for n in range(len(lon)):
        how[n] = place(frame, cells, stream, xy, finest, lon[n], lat[n], rows, n)


@dataclass(frozen=True)
class Cells:
    """The index as plain arrays, so that it can be kept as files and mapped back."""

    frame: np.ndarray  # x, y, cells a degree east and north, degrees a cell east and north, reference
    cells: np.ndarray  # (high, wide, COLUMNS) int32
    stream: np.ndarray  # (k,) int32
    xy: np.ndarray  # (v, 2) lon, lat of all rings, end to end

    def find(self, lon: np.ndarray, lat: np.ndarray, finest: int, threads: int | None = None):
        """Return the rows of the four levels (4, n) int32, -1 none, and how (n,) uint8."""
        rows, how = np.empty((len(lon), BUILDING + 1), np.int32), np.empty(len(lon), np.uint8)
        parts = [slice(at, at + CHUNK) for at in range(0, len(lon), CHUNK)]

        def run(part):
            _place_all(
                self.frame,
                self.cells,
                self.stream,
                self.xy,
                finest,
                lon[part],
                lat[part],
                rows[part],
                how[part],
            )

        if threads == 1 or len(parts) < 2:
            for part in parts:
                run(part)
        else:
            with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
                list(pool.map(run, parts))
        return rows.T, how

    def find_one(self, lon: float, lat: float, finest: int) -> tuple[list[int], int]:
        """Return the rows of the four levels and how, for one point."""
        rows = np.empty((1, BUILDING + 1), np.int32)
        how = place(self.frame, self.cells, self.stream, self.xy, finest, lon, lat, rows, 0)
        return rows[0].tolist(), how
