"""Where roads run: a convex plot cut again and again until every micro-grid has its own piece.

Each cut goes across the longer side of a piece, coarse units first, so that borders of streets and
communities are the longest roads. Topology is kept by numbers, never by comparing coordinates: a road
remembers the nodes on it, and a cell is a ring of stretches between nodes.
"""

import math
from bisect import insort
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np


class Road(NamedTuple):
    """How a kind of road lies in the city: metres kept free on each side of its axis, metres it wanders."""

    reserve: float
    wander: float


ROADS = {
    "outline": Road(6.0, 11.0),
    "river": Road(52.0, 7.0),
    "avenue": Road(19.0, 1.6),
    "high_street": Road(12.0, 2.0),
    "road": Road(7.0, 2.4),
    "lane": Road(3.2, 3.2),
}
TILT = (0.28, 0.20, 0.055)  # how far a cut leaves the right angle, as a slope, by depth of the unit cut
LANE_FROM = 4  # a cut that parts at most so many micro-grids is a lane


@dataclass
class Quota:
    """A unit still to be placed: the area it asks for, its number, and what it consists of."""

    weight: float
    number: int = 0
    parts: list["Quota"] = field(default_factory=list)


class Draft:
    """The plan while it is being cut.

    `xy` are the nodes. `kind`, `stem` (the road it leaves) and `stops` run over roads; stops are the
    nodes on it in order, each with its place from 0 to 1. `cells` are counter-clockwise rings of
    sides (road, from node, to node), and `community` tells whose they are.

    Source
    ------
    Vanegas, Kelly, Weber, Halatsch, Aliaga, Müller (2012), Procedural generation of parcels in urban
    modeling: subdivision along oriented boxes.
    """

    def __init__(self, rng: np.random.Generator, outline: np.ndarray):
        self.rng = rng
        self.xy = [tuple(point) for point in outline]
        self.kind, self.stem = [], []
        self.stops: list[list[tuple[float, int]]] = []
        self.cells, self.community = [], []
        corners = range(len(outline))
        self.plot = [
            (self.road(a, b, "outline", -1), a, b) for a, b in zip(corners, [*corners[1:], 0], strict=True)
        ]

    def road(self, start: int, end: int, kind: str, stem: int) -> int:
        self.kind.append(kind)
        self.stem.append(stem)
        self.stops.append([(0.0, start), (1.0, end)])
        return len(self.kind) - 1

    def settle(self, town: Quota) -> None:
        """Cut the plot breadth first, so that a road meets its equals before its lanes exist."""
        queue = deque([(self.plot, town.parts, 0, -1, 0)])
        while queue:
            cell, parts, depth, stem, community = queue.popleft()
            if len(parts) > 1:
                queue.extend(self._halve(cell, parts, depth, stem, community))
            elif parts[0].parts:
                queue.append((cell, parts[0].parts, depth + 1, stem, parts[0].number))
            else:
                self.cells.append(cell)
                self.community.append(community)

    def _halve(self, cell, parts, depth, stem, community):
        middle = len(parts) // 2
        share = sum(p.weight for p in parts[:middle]) / sum(p.weight for p in parts)
        lane = depth == 2 and len(parts) <= LANE_FROM
        kind = "lane" if lane else ("avenue", "high_street", "road")[depth]
        kind = kind if depth or "river" in self.kind else "river"
        low, high, road = self._cut(cell, share, self.rng.normal(0.0, TILT[depth]), kind, stem)
        stem = stem if lane else road
        return (low, parts[:middle], depth, stem, community), (high, parts[middle:], depth, stem, community)

    def _cut(self, cell, share, tilt, kind, stem):
        ring = [self.xy[start] for _, start, _ in cell]
        ux, uy = _long_axis(ring)
        along = [x * (ux - tilt * uy) + y * (uy + tilt * ux) for x, y in ring]
        level = _level(ring, along, share)
        reach = 0.24 * math.sqrt(_area(ring) / 2)
        ends = []
        for i in range(len(cell)):
            here, there = along[i], along[(i + 1) % len(cell)]
            if (here < level) != (there < level):
                ends.append((i, self._stop(cell[i], (level - here) / (there - here), reach), here < level))
        (i, p, rising), (j, q, _) = ends
        road = self.road(p, q, kind, stem)
        (road_i, a, b), (road_j, c, d) = cell[i], cell[j]
        inner = [(road_i, p, b), *cell[i + 1 : j], (road_j, c, q), (road, q, p)]
        outer = [*cell[:i], (road_i, a, p), (road, p, q), (road_j, q, d), *cell[j + 1 :]]
        return (outer, inner, road) if rising else (inner, outer, road)

    def _stop(self, side, part: float, reach: float) -> int:
        """A node on the side: a crossing with a road that already ends nearby, else a new one."""
        road, start, end = side
        stops = self.stops[road]
        at = {node: t for t, node in stops}
        (ax, ay), (bx, by) = self.xy[start], self.xy[end]
        length = _length(bx - ax, by - ay)
        part = min(max(part, 0.2), 0.8) if length < 5 * reach else part
        wanted, span = at[start] + part * (at[end] - at[start]), abs(at[end] - at[start])
        low, high = sorted((at[start], at[end]))
        near = [(abs(t - wanted), node) for t, node in stops if low < t < high]
        if near and min(near)[0] / span * length < reach:
            return min(near)[1]
        self.xy.append((ax + part * (bx - ax), ay + part * (by - ay)))
        insort(stops, (wanted, len(self.xy) - 1))
        return len(self.xy) - 1


def _length(x: float, y: float) -> float:
    return math.sqrt(x * x + y * y)


def _area(ring) -> float:
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise([*ring, ring[0]])) / 2


def _long_axis(ring):
    """Unit vector along the longer side of the smallest box around a convex ring.

    The boxes on the sides of a triangle are all of one size, and so are some around four corners: of boxes
    that differ by rounding only, the first is taken.
    """
    best = None
    for (ax, ay), (bx, by) in pairwise([*ring, ring[0]]):
        length = _length(bx - ax, by - ay)
        ux, uy = (bx - ax) / length, (by - ay) / length
        along = [x * ux + y * uy for x, y in ring]
        across = [y * ux - x * uy for x, y in ring]
        wide, deep = max(along) - min(along), max(across) - min(across)
        if best is None or wide * deep < best[0] * (1 - 1e-9):
            best = (wide * deep, (ux, uy) if wide >= deep else (-uy, ux))
    return best[1]


def _level(ring, along, share: float) -> float:
    """The level of `along` below which the wanted share of a convex ring lies, by bisection."""
    low, high = min(along), max(along)
    goal, sides = share * _area(ring), range(len(ring))
    for _ in range(14):
        level = (low + high) / 2
        part = []
        for i in sides:
            (ax, ay), (bx, by) = ring[i - 1], ring[i]
            here, there = along[i - 1], along[i]
            if (here < level) != (there < level):
                t = (level - here) / (there - here)
                part.append((ax + t * (bx - ax), ay + t * (by - ay)))
            if there < level:
                part.append((bx, by))
        low, high = (level, high) if _area(part) < goal else (low, level)
    return (low + high) / 2
