"""How borders look: the straight cuts of a plan bent into curved streets and drawn as shared arcs.

An *arc* is the stretch of a road between two of its nodes. It is drawn once and used by the
micro-grids on both of its sides, which is why they form a coverage to the last digit.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from gis.samples.alike import facing, length, sine
from gis.samples.borders import OUTSIDE, Borders
from gis.samples.plan import ROADS, Draft, Quota
from gis.samples.waves import Waves, bend, level, waves

BENDS = (
    (9000.0, 230.0),
    (5200.0, 190.0),
    (2700.0, 95.0),
    (1300.0, 30.0),
)  # length and height of bends, metres
BAYS = ((2600.0, 1.0), (1100.0, 0.8), (420.0, 0.7))  # where the rim of the district is bitten off
STEP = 13.5  # metres between two vertices of a border
VERTICES = (26, 68)  # bounds of a micro-grid's vertices, the closing one apart


@dataclass(frozen=True)
class Plan:
    """A street plan in metres around its centre.

    `micro_grids` and `community` run over micro-grids. `side_of`, `side_arc` and `side_left` run over
    the sides of all micro-grids, ring by ring, counter-clockwise: whose side, which arc, and whether
    the micro-grid lies to the left of it. `arcs`, `arc_road` and `arc_at` (its place along the road,
    0 to 1) run over arcs; `kind` and `stem` (the road a lane leaves) over roads.
    """

    micro_grids: np.ndarray
    community: np.ndarray
    side_of: np.ndarray
    side_arc: np.ndarray
    side_left: np.ndarray
    arcs: np.ndarray
    arc_road: np.ndarray
    arc_at: np.ndarray
    kind: np.ndarray
    stem: np.ndarray


def draw(town: Quota, spare: int, area: float, street: np.ndarray, rng: np.random.Generator) -> Plan:
    """Draw a street plan of the leaves of `town`, three levels deep, less some at its rim.

    Parameters
    ----------
    town : Quota
        Streets > communities > micro-grids; `number` of communities is read.
    spare : int
        Micro-grids to drop at the rim, so that the outline follows roads and has bays.
    area : float
        Area of the plan, square metres.
    street : numpy.ndarray of int, shape (communities,)
        Street of each community, by number.
    rng : numpy.random.Generator
        The only source of chance.

    Returns
    -------
    Plan
        Micro-grids in the order they were cut.

    Notes
    -----
    Micro-grids change hands along the straight borders the cuts leave, so a community may end with
    more or fewer than its quota; the sum stays.

    Examples
    --------
    >>> leaves = [Quota(1.0) for _ in range(6)]
    >>> town = Quota(6.0, parts=[Quota(6.0, parts=[Quota(6.0, parts=leaves)])])
    >>> plan = draw(town, 1, 5 * 18000.0, np.zeros(1, int), np.random.default_rng(1))
    >>> len(plan.micro_grids), bool(shapely.coverage_is_valid(plan.micro_grids))
    (5, True)
    >>> round(float(shapely.area(plan.micro_grids).sum()))
    90000
    """
    draft = Draft(rng, _outline(area, rng))
    draft.settle(town)
    arc_start, arc_end, arc_road, arc_at, first = _arcs(draft)
    sides, nodes, sea = _sides(draft, first), np.array(draft.xy), waves(BENDS, rng)
    borders = Borders(np.array(draft.community), street, sides, arc_start, arc_end)
    borders.peel(spare, np.argsort(-level(_middles(draft), waves(BAYS, rng)), kind="stable"))
    borders.shake(rng)
    community = np.array(borders.owner)
    sides = _without(sides, community == OUTSIDE)
    counts = _counts(length(bend(nodes[arc_end], sea) - bend(nodes[arc_start], sea)), sides)
    wander = np.array([ROADS[kind].wander for kind in draft.kind])[arc_road]
    points = _lines(nodes[arc_start], nodes[arc_end], counts, wander, sea, rng)
    points *= round(
        math.sqrt(area / shapely.area(_polygons(points, counts, sides)).sum()), 9
    )  # GEOS's last bits go
    return Plan(
        _polygons(points, counts, sides),
        community[community != OUTSIDE],
        *sides,
        shapely.linestrings(points, indices=np.repeat(np.arange(len(counts)), counts + 1)),
        arc_road,
        arc_at,
        np.array(draft.kind),
        np.array(draft.stem),
    )


def _outline(area: float, rng: np.random.Generator) -> np.ndarray:
    """Corners of a convex plot of about the area, on a rounded rectangle, counter-clockwise."""
    c, s = facing(np.sort((np.arange(15) + rng.uniform(-0.35, 0.35, 15)) / 15)).T
    reach = 1 / np.sqrt(1 - 0.6 * (c * s) ** 2)
    corners = np.column_stack([1.06 * reach * c, reach * s / 1.06])
    return corners * round(
        math.sqrt(area / shapely.area(shapely.polygons(corners))), 6
    )  # GEOS's last bits go


def _arcs(draft: Draft):
    """Start node, end node, road and place of every arc, and the first arc of each road."""
    stops = draft.stops
    first = np.cumsum([0, *(len(nodes) - 1 for nodes in stops)])
    start = np.array([node for nodes in stops for _, node in nodes[:-1]])
    end = np.array([node for nodes in stops for _, node in nodes[1:]])
    at = np.array([(s + t) / 2 for nodes in stops for (s, _), (t, _) in pairwise(nodes)])
    return start, end, np.repeat(np.arange(len(stops)), np.diff(first)), at, first


def _sides(draft: Draft, first: np.ndarray):
    """Cell, arc and whether the cell is on the left, for every side of every cell, ring by ring."""
    place = [{node: i for i, (_, node) in enumerate(nodes)} for nodes in draft.stops]
    rows = []
    for number, cell in enumerate(draft.cells):
        for road, start, end in cell:
            i, j = int(first[road]) + place[road][start], int(first[road]) + place[road][end]
            rows += [(number, arc, True) for arc in range(i, j)]
            rows += [(number, arc, False) for arc in range(i - 1, j - 1, -1)]
    cell, arc, left = np.array(rows).T
    return cell, arc, left.astype(bool)


def _middles(draft: Draft) -> np.ndarray:
    """The mean corner of each cell."""
    return np.array([np.mean([draft.xy[start] for _, start, _ in cell], axis=0) for cell in draft.cells])


def _without(sides, dropped: np.ndarray):
    """The sides of the cells that stay, cells numbered anew."""
    cell, arc, left = sides
    stays = ~dropped[cell]
    return (np.cumsum(~dropped) - 1)[cell[stays]], arc[stays], left[stays]


def _counts(long: np.ndarray, sides) -> np.ndarray:
    """Segments of each arc, so many that every micro-grid keeps within the bounds of vertices."""
    cell, arc, _ = sides
    counts = np.clip(np.rint(long / STEP), 2, None)
    for _ in range(8):
        total = np.bincount(cell, counts[arc])
        change = np.clip(VERTICES[0] / total, 1.0, None)[cell]
        more = np.ones(len(counts))
        np.maximum.at(more, arc, change)
        counts = np.ceil(counts * more)
        total = np.bincount(cell, counts[arc])
        less = np.ones(len(counts))
        np.minimum.at(less, arc, np.clip(VERTICES[1] / total, None, 1.0)[cell])
        counts = np.clip(np.floor(counts * less), 2, None)
    return counts.astype(int)


def _lines(start, end, counts, wander, sea: Waves, rng: np.random.Generator) -> np.ndarray:
    """Points of all arcs, end to end: evenly spaced with some play, bent, and swaying off the axis."""
    arc = np.repeat(np.arange(len(counts)), counts + 1)
    step = np.arange(len(arc)) - np.repeat(np.cumsum(counts + 1) - (counts + 1), counts + 1)
    ends = (step == 0) | (step == counts[arc])
    at = (step + np.where(ends, 0.0, rng.uniform(-0.3, 0.3, len(arc)))) / counts[arc]
    at = at[:, None]  # weighted so that both ends come out exactly, whichever arc they belong to
    points = bend(start[arc] * (1 - at) + end[arc] * at, sea)
    at = at[:, 0]
    span = end - start
    long = length(span)
    normal = np.column_stack([-span[:, 1], span[:, 0]]) / long[:, None]
    reach = np.minimum(wander, long / 40)
    swing = rng.normal(0.0, 1.0, (len(counts), 4)) / np.array([1.1, 1.6, 2.4, 3.5])
    swing = np.clip(swing, -1.6, 1.6)
    sway = sum(swing[arc, m] * sine((m + 1) / 2 * at) for m in range(4))
    sway += np.where(ends, 0.0, rng.normal(0.0, 0.12, len(arc)).clip(-0.3, 0.3))
    return points + normal[arc] * (np.where(ends, 0.0, sway) * reach[arc])[:, None]


def _polygons(points: np.ndarray, counts: np.ndarray, sides) -> np.ndarray:
    """Polygons of all cells, walking their arcs forwards or backwards, each arc without its last point."""
    cell, arc, left = sides
    offset = np.cumsum(counts + 1) - (counts + 1)
    size = counts[arc]
    side = np.repeat(np.arange(len(arc)), size)
    step = np.arange(len(side)) - np.repeat(np.cumsum(size) - size, size)
    index = np.where(left[side], offset[arc][side] + step, (offset + counts)[arc][side] - step)
    return shapely.polygons(shapely.linearrings(points[index], indices=cell[side]))
