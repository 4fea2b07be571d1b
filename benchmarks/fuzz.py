"""Random hands on a plan of a whole district: whatever they draw, undo and draw again, the map stays a map."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from rich.console import Console
from rich.table import Table

from gis import plan
from gis.draft import near
from gis.errors import BadInput
from gis.plan import Plan
from gis.samples import sized

REACH = 0.02  # degrees: beyond any unit
KEPT = 200  # plans that can be gone back to
SAME = 1e-9  # of the area of a district
WHOLE = 1 - 1e-6  # of a building in its unit: the rest is the rounding of its walls


class FellThrough(AssertionError):
    """Something fell through."""


class Hand(NamedTuple):
    """What a hand does: which edit, on which unit, and three numbers from 0 to 1 of where and how."""

    kind: str
    unit: int
    turn: float
    along: float
    far: float


@dataclass
class Told:
    """What came of it."""

    done: Counter = field(default_factory=Counter)  # (kind, "done" or the name of the refusal)
    undone: int = 0
    looked: int = 0  # times all was looked through
    units: int = 0
    apart: float = 0.0  # the largest share by which the area ever differed
    least: float = 1.0  # the smallest share of a building that was ever in its unit


def sheet(levels: dict[str, gpd.GeoDataFrame]) -> Plan:
    """Return a sample as a plan."""
    units = levels["micro_grid"].set_index("code")[["name", "parent_code", "geometry"]]
    houses = levels["building"].set_index("code").rename(columns={"parent_code": "home"})
    above = levels["community"].set_index("code")["parent_code"].to_dict()
    return Plan(units, houses[["home", "households", "population", "geometry"]], above=above)


def free(before: Plan, parent: str) -> str:
    """Return the first code of a community that nobody has or had."""
    numbers = (f"{parent}{number:03d}" for number in range(1, 100_000))
    return next(code for code in numbers if code not in before.units.index and code not in before.spent)


def edited(before: Plan, hand: Hand) -> Plan:
    """Return the plan as a hand leaves it.

    Raises
    ------
    BadInput
        It drew what cannot be.
    """
    code = before.units.index[hand.unit % len(before.units)]
    return HANDS[hand.kind](before, code, hand)


def _split(before: Plan, code: str, hand: Hand) -> Plan:
    middle = shapely.get_coordinates(before.units.geometry[code].centroid)[0]
    off = np.array([np.cos(np.pi * hand.turn), np.sin(np.pi * hand.turn)])
    middle = middle + (hand.along - 0.5) * 5e-4 * off[::-1]
    ends = [middle - REACH * off, middle + (REACH if hand.far > 0.1 else 1e-5) * off]  # some end inside
    return plan.split(
        before, code, shapely.LineString(ends), free(before, before.units.at[code, "parent_code"])
    )


def _merge(before: Plan, code: str, hand: Hand) -> Plan:
    return plan.merge(before, [code, _beside(before, code, hand.turn)])


def _reshape(before: Plan, code: str, hand: Hand) -> Plan:
    other = _beside(before, code, hand.turn)
    one, two = before.units.geometry[code], before.units.geometry[other]
    shared = shapely.line_merge(shapely.intersection(one.boundary, two.boundary))
    runs = [each for each in shapely.get_parts(shared) if each.geom_type == "LineString"]
    if not runs:
        return plan.reshape(before, code, other, one.boundary)
    start, end = sorted((hand.along, hand.far))
    a, b = (np.array(runs[0].interpolate(each, normalized=True).coords[0]) for each in (start, end))
    pull = shapely.get_coordinates(one.centroid)[0]
    bend = (a + b) / 2 + hand.turn * (pull - (a + b) / 2)
    return plan.reshape(before, code, other, shapely.LineString([a, bend, b]))


def _move(before: Plan, code: str, hand: Hand) -> Plan:
    to = _beside(before, code, hand.turn)
    own = before.buildings[before.buildings["home"] == code]
    away = shapely.distance(own.geometry.to_numpy(), before.units.geometry[to])
    return plan.move(before, own.index[np.argsort(away)[: 1 + int(3 * hand.far)]], to)


def _found(before: Plan, code: str, hand: Hand) -> Plan:
    size = (1 + 4 * hand.far) * 2e-4
    middle = shapely.get_coordinates(before.units.geometry[code].centroid)[0]
    ring = shapely.Point(middle + size * np.array([hand.turn, hand.along])).buffer(size, quad_segs=3)
    if hand.far > 0.95:  # a bow-tie
        ring = shapely.Polygon(shapely.get_coordinates(ring)[[0, 6, 3, 9]])
    parent = before.units.at[code, "parent_code"]
    return plan.found(before, ring, free(before, parent), parent)


def _recode(before: Plan, code: str, hand: Hand) -> Plan:
    spent = sorted(before.spent)
    if spent and hand.far > 0.5:  # one that is spent, which must be refused
        return plan.recode(before, code, spent[int(hand.along * len(spent)) % len(spent)])
    return plan.recode(before, code, free(before, before.units.at[code, "parent_code"]))


def _transfer(before: Plan, code: str, hand: Hand) -> Plan:
    to = before.units.at[_beside(before, code, hand.turn), "parent_code"]
    return plan.transfer(before, [code], to, {code: free(before, to)})


def _beside(before: Plan, code: str, turn: float) -> str:
    around = near(before, [code])
    found = around.index[shapely.relate_pattern(around.to_numpy(), around[code], "****1****")]
    return found[int(turn * len(found)) % len(found)] if len(found) else code


HANDS: dict[str, Callable[[Plan, str, Hand], Plan]] = {
    "split": _split, "merge": _merge, "reshape": _reshape, "move": _move, "found": _found,
    "recode": _recode, "transfer": _transfer,
}  # fmt: skip


def look(now: Plan, area: float, told: Told) -> None:
    """Raise if anything fell through, at any of three levels; note how near it came.

    Raises
    ------
    FellThrough
    """
    codes, ground = now.units.index, now.units.geometry.to_numpy()
    whose = now.units["parent_code"].to_numpy(dtype=object)
    told.looked, told.units = told.looked + 1, len(codes)
    streets = np.array([now.above[each] for each in whose], dtype=object)
    parents = [_dissolved(ground, whose), _dissolved(ground, streets)]
    for level, shapes in zip(("micro-grids", "communities", "streets"), [ground, *parents], strict=True):
        sound = shapely.coverage_is_valid(shapes) and shapely.is_valid(shapes).all()
        _hold(sound, f"the {level} are no coverage")
        _hold(set(shapely.get_num_geometries(shapes)) == {1}, f"not all {level} hang together")
        off = abs(shapely.area(shapes).sum() / area - 1)
        told.apart = max(told.apart, off)
        _hold(off < SAME, f"the area of all {level} differs by {off}")
    homes = now.units.geometry.reindex(now.buildings["home"]).to_numpy()
    walls = now.buildings.geometry.to_numpy()
    inside = shapely.area(shapely.intersection(walls, homes)) / shapely.area(walls)
    told.least = min(told.least, float(inside.min()))
    _hold(inside.min() > WHOLE, f"building {now.buildings.index[np.argmin(inside)]} is not in its unit")
    _hold(codes.is_unique and not now.spent & set(codes), "a code was given twice")
    _hold(
        all(code.startswith(parent) for code, parent in zip(codes, whose, strict=True)),
        "a code left its parent",
    )


def _dissolved(ground: np.ndarray, whose: np.ndarray) -> np.ndarray:
    number = np.unique(whose.astype(str), return_inverse=True)[1]
    order = np.argsort(number, kind="stable")
    groups = np.split(ground[order], np.flatnonzero(np.diff(number[order])) + 1)
    return np.array([shapely.coverage_union_all(each) for each in groups])


def _hold(true: bool, said: str) -> None:
    if not true:
        raise FellThrough(said)


def hands(number: int, seed: int) -> Iterator[Hand]:
    """Yield what hands do, the same for the same seed."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        yield Hand(rng.choice(list(HANDS)), int(rng.integers(2**31)), *rng.uniform(size=3))


def run(
    edits: int = 10_000, size: str = "district", seed: int = 6, every: int = 250, tell=lambda _said: None
) -> Told:
    """Let hands edit a sample, one of six times undoing one to five edits, and look all through now and then.

    Raises
    ------
    FellThrough
    """
    now, told = sheet(sized(size)), Told()
    area, past = shapely.area(now.units.geometry.to_numpy()).sum(), deque(maxlen=KEPT)
    rng = np.random.default_rng(seed)
    for number, hand in enumerate(hands(edits, seed), 1):
        try:
            after = edited(now, hand)
        except BadInput as refused:
            told.done[hand.kind, type(refused).__name__] += 1
        else:
            told.done[hand.kind, "done"] += 1
            past.append(now)
            now = after
        if past and rng.integers(6) == 0:
            for _ in range(min(rng.integers(1, 6), len(past))):
                now, told.undone = past.pop(), told.undone + 1
        if number % every == 0 or number == edits:
            look(now, area, told)
            tell(f"{number:,} edits, {len(now.units):,} units")
    return told


def show(told: Told) -> None:
    """Print what came of it."""
    table = Table("edit", "done", "refused", "why", title="random hands on a district")
    for kind in HANDS:
        refused = {why: many for (of, why), many in told.done.items() if of == kind and why != "done"}
        why = ", ".join(f"{many} {name}" for name, many in sorted(refused.items()))
        table.add_row(kind, str(told.done[kind, "done"]), str(sum(refused.values())), why)
    console = Console(width=110)
    console.print(table)
    console.print(
        f"{told.done.total():,} edits, {told.undone:,} undone, looked through {told.looked} times: "
        f"{told.units:,} units, area within {told.apart:.1e}, each building in its unit to {1 - told.least:.1e}"
    )
