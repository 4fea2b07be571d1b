"""Buildings: each micro-grid belongs to a quarter, and each quarter builds in its own way.

Rows of plots run along the street of the micro-grid, on the axis nearer to east-west, because
dwellings face south. What would touch the reserve of a road is not built.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import shapely

from gis.samples.alike import length
from gis.samples.arcs import Plan
from gis.samples.plan import ROADS
from gis.samples.waves import level, waves


class Quarter(NamedTuple):
    """How a quarter is chosen and built; lengths in metres.

    The quarter takes its `share` of the micro-grids left over by the ones above it, where a smooth
    field of wavelength `grain` is highest; a positive `pull` favours the rim, a negative one the core.
    `storeys` holds the heights a micro-grid draws from, `shapes` the weights of block, L and U.
    """

    share: float
    pull: float
    grain: float
    width: tuple[float, float] = (0.0, 0.0)
    depth: tuple[float, float] = (0.0, 0.0)
    gap: tuple[float, float] = (0.0, 0.0)
    built: float = 0.0
    storeys: tuple[int, ...] = (1,)
    shapes: tuple[float, float, float] = (1.0, 0.0, 0.0)
    uses: Mapping[str, float] = MappingProxyType({})


QUARTERS = {
    "park": Quarter(0.05, 0.0, 900.0),
    "campus": Quarter(
        0.045, 0.0, 300.0, (30, 62), (14, 40), (14, 20), 0.75, (3, 4, 5), (0.4, 0.25, 0.35), {"school": 1.0}
    ),
    "works": Quarter(
        0.06, 2.2, 1500.0, (28, 64), (18, 34), (9, 11), 0.85, (1, 1, 2), (0.85, 0.15, 0.0),
        {"industrial": 0.8, "warehouse": 0.15, "office": 0.05},
    ),
    "old": Quarter(
        0.19, -1.6, 1700.0, (9, 21), (8, 13), (2.6, 4.2), 0.62, (2, 2, 3, 3, 4), (0.66, 0.26, 0.08),
        {"residential": 0.84, "commercial": 0.13, "public": 0.03},
    ),
    "centre": Quarter(
        0.08, -1.8, 1100.0, (26, 54), (22, 40), (11, 12), 0.9, (4, 6, 9, 16, 24), (0.6, 0.25, 0.15),
        {"office": 0.45, "commercial": 0.45, "hospital": 0.04, "public": 0.06},
    ),
    "towers": Quarter(
        0.17, 0.5, 1500.0, (20, 29), (15, 19), (13, 21), 0.8, (11, 18, 24, 27), (0.86, 0.14, 0.0),
        {"residential": 0.93, "commercial": 0.04, "public": 0.03},
    ),
    "estate": Quarter(
        1.0, 0.0, 2000.0, (22, 46), (10.5, 12.5), (4.5, 9.5), 0.9, (5, 6, 6, 6, 7), (0.93, 0.05, 0.02),
        {"residential": 0.92, "commercial": 0.05, "public": 0.03},
    ),
}  # fmt: skip
SHAPES = tuple(
    np.array(corners, float)
    for corners in (
        [(0, 0), (1, 0), (1, 1), (0, 1)],
        [(0, 0), (1, 0), (1, 0.42), (0.36, 0.42), (0.36, 1), (0, 1)],
        [(0, 0), (1, 0), (1, 1), (0.76, 1), (0.76, 0.4), (0.24, 0.4), (0.24, 1), (0, 1)],
    )
)
HOME = 150.0  # square metres of floor to a household, corridors and empty homes included
HEADS = 2.45  # people to a household


class Buildings(NamedTuple):
    """Buildings in metres around the centre: one row each, in the order of their micro-grids."""

    geometry: np.ndarray
    micro_grid: np.ndarray
    quarter: np.ndarray
    use: np.ndarray
    storeys: np.ndarray
    households: np.ndarray
    population: np.ndarray


def build(plan: Plan, number: int, rng: np.random.Generator) -> Buildings:
    """Put up to `number` buildings on a plan, each wholly inside one micro-grid and clear of the others.

    Parameters
    ----------
    plan : Plan
        Micro-grids in metres, with the roads between them.
    number : int
        Buildings wanted.
    rng : numpy.random.Generator
        The only source of chance.

    Returns
    -------
    Buildings
        Exactly `number`, or all that fit (about 12 for each micro-grid).

    Examples
    --------
    >>> from gis.samples.arcs import draw
    >>> from gis.samples.plan import Quota
    >>> leaves = [Quota(1.0) for _ in range(6)]
    >>> town = Quota(6.0, parts=[Quota(6.0, parts=[Quota(6.0, parts=leaves)])])
    >>> plan = draw(town, 0, 6 * 18000.0, np.zeros(1, int), np.random.default_rng(1))
    >>> buildings = build(plan, 20, np.random.default_rng(1))
    >>> homes = plan.micro_grids[buildings.micro_grid]
    >>> len(homes), bool(shapely.contains_properly(homes, buildings.geometry).all())
    (20, True)
    """
    quarter = _quarters(plan, rng)
    land = _open_land(plan)
    plots = _plots(land, _axes(plan), quarter, rng)
    shapes = _shapes(plots, quarter, rng)
    fits = np.flatnonzero(shapely.contains_properly(land[plots.micro_grid], shapes))
    built = np.array([QUARTERS[name].built for name in quarter])[plots.micro_grid[fits]]
    chosen = fits[np.argsort(rng.random(len(fits)) / built, kind="stable")[:number]]
    chosen = chosen[np.argsort(plots.micro_grid[chosen], kind="stable")]
    return _furnish(shapes[chosen], plots.micro_grid[chosen], quarter, rng)


def _quarters(plan: Plan, rng: np.random.Generator) -> np.ndarray:
    """The name of each micro-grid's quarter, by shares, quarter after quarter."""
    points = shapely.get_coordinates(shapely.centroid(plan.micro_grids))
    away = length(points)
    away = away / away.max()
    names = np.full(len(points), "estate", dtype=object)
    free = np.ones(len(points), bool)
    for name, quarter in list(QUARTERS.items())[:-1]:
        score = quarter.pull * away + level(
            points, waves([(quarter.grain, 0.6), (quarter.grain / 2.3, 0.4)], rng)
        )
        score = np.where(free, score + rng.normal(0.0, 0.12, len(points)), -np.inf)
        taken = np.argsort(-score, kind="stable")[: round(quarter.share * len(points))]
        names[taken], free[taken] = name, False
    return names


class Plots(NamedTuple):
    """Plots side by side: micro-grid, corner, size, and the unit vector along their row."""

    micro_grid: np.ndarray
    corner: np.ndarray
    size: np.ndarray
    axis: np.ndarray


def _plots(land: np.ndarray, axis: np.ndarray, quarter: np.ndarray, rng: np.random.Generator) -> Plots:
    """Rows of plots over the box of every piece of open land, turned to its street."""
    low, span = _boxes(land, axis)
    cells, corners, sizes = [], [], []
    for name, rules in QUARTERS.items():
        here = np.flatnonzero(quarter == name)
        if not rules.uses or not len(here):
            continue
        row, y, depth = _line_up(span[here, 1], rules.depth, rules.gap[1], rng)
        place, x, width = _line_up(span[here[row], 0], rules.width, rules.gap[0], rng)
        cell = here[row[place]]
        trimmed = depth[place] * rng.uniform(0.86, 1.0, len(place))
        cells.append(cell)
        corners.append(low[cell] + np.column_stack([x, y[place]]))
        sizes.append(np.column_stack([width, trimmed]))
    cell = np.concatenate(cells)
    return Plots(cell, np.concatenate(corners), np.concatenate(sizes), axis[cell])


def _line_up(room: np.ndarray, extent, gap: float, rng: np.random.Generator):
    """Pieces of chance extent, gaps between, as many as each room holds: room's index, start, extent."""
    most = int(np.ceil(room.max(initial=0.0) / (extent[0] + gap))) + 1
    size = rng.uniform(*extent, (len(room), most))
    pitch = size + gap * rng.uniform(1.0, 1.5, size.shape)
    start = np.cumsum(pitch, axis=1) - pitch + rng.uniform(0.0, gap, (len(room), 1))
    index, column = np.nonzero(start + size <= room[:, None])
    return index, start[index, column], size[index, column]


def _axes(plan: Plan) -> np.ndarray:
    """Unit vector along the longest stretch of street around each micro-grid, turned to within 45° of east."""
    ends = shapely.get_coordinates(
        np.stack([shapely.get_point(plan.arcs, 0), shapely.get_point(plan.arcs, -1)], axis=1).ravel()
    ).reshape(-1, 2, 2)
    run = (ends[:, 1] - ends[:, 0])[plan.side_arc]
    order = np.lexsort((length(run), plan.side_of))
    last = np.flatnonzero(np.diff(plan.side_of[order], append=-1))
    x, y = run[order[last]].T
    x, y = np.where(np.abs(y) > np.abs(x), (y, -x), (x, y))
    axis = np.column_stack([x, y]) * np.where(x < 0, -1.0, 1.0)[:, None]
    return axis / length(axis)[:, None]


def _boxes(land: np.ndarray, axis: np.ndarray):
    """Low corner and extent of each piece of land along its own axes; none where nothing is left.

    To the centimetre: land ends in arcs whose sines GEOS has from the C library.
    """
    points, cell = shapely.get_coordinates(land, return_index=True)
    turned = _turn(points, axis[cell] * (1, -1)).round(2)
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    low, span = np.zeros((2, len(land), 2))
    low[cell[first]] = np.minimum.reduceat(turned, first)
    span[cell[first]] = np.maximum.reduceat(turned, first) - low[cell[first]]
    return low, span


def _turn(points: np.ndarray, axis: np.ndarray) -> np.ndarray:
    (x, y), (c, s) = points.T, axis.T
    return np.column_stack([x * c - y * s, x * s + y * c])


def _shapes(plots: Plots, quarter: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One footprint on each plot: block, L or U, mirrored by chance."""
    weights = np.array([QUARTERS[name].shapes for name in quarter])[plots.micro_grid]
    kind = (rng.random((len(weights), 1)) > np.cumsum(weights, axis=1)).sum(axis=1).clip(max=2)
    mirror = rng.choice([False, True], (len(kind), 1, 2))
    shapes = np.empty(len(kind), object)
    for number, corners in enumerate(SHAPES):
        here = np.flatnonzero(kind == number)
        unit = np.where(mirror[here], 1.0 - corners, corners)
        flat = (plots.corner[here, None] + unit * plots.size[here, None]).reshape(-1, 2)
        turned = _turn(flat, np.repeat(plots.axis[here], len(corners), axis=0))
        shapes[here] = shapely.polygons(turned.reshape(len(here), len(corners), 2))
    return shapely.orient_polygons(shapes)


def _open_land(plan: Plan) -> np.ndarray:
    """Each micro-grid without the reserves of the roads around it."""
    reserve = np.array([ROADS[kind].reserve for kind in plan.kind])[plan.arc_road]
    strips = shapely.buffer(plan.arcs, reserve, quad_segs=2)
    first = np.flatnonzero(np.diff(plan.side_of, prepend=-1))
    place = np.arange(len(plan.side_of)) - first[plan.side_of]
    table = np.full((len(plan.micro_grids), place.max() + 1), None, object)
    table[plan.side_of, place] = strips[plan.side_arc]
    land = shapely.difference(plan.micro_grids, shapely.union_all(table, axis=1))
    shapely.prepare(land)
    return land


def _furnish(shapes, micro_grid, quarter: np.ndarray, rng: np.random.Generator) -> Buildings:
    """Storeys, use, households and people of each building, as its quarter has them."""
    usual = np.array([rng.choice(QUARTERS[name].storeys) for name in quarter])[micro_grid]
    storeys = np.maximum(1, usual + rng.choice([-1, 0, 0, 0, 0, 1], len(shapes)))
    use = np.empty(len(shapes), object)
    for name, rules in QUARTERS.items():
        here = np.flatnonzero(quarter[micro_grid] == name)
        if rules.uses:
            use[here] = rng.choice(list(rules.uses), len(here), p=list(rules.uses.values()))
    floor = shapely.area(shapes) * storeys * rng.uniform(0.75, 1.0, len(shapes))
    households = np.where(use == "residential", np.maximum(1, np.rint(floor / HOME)), 0).astype(int)
    population = households + rng.poisson(households * (HEADS - 1))
    return Buildings(shapes, micro_grid, quarter[micro_grid], use, storeys, households, population)
