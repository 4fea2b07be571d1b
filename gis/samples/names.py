"""Names and door numbers of a fictional place; the words are in names.toml beside this file."""

import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import shapely

from gis.samples.arcs import Plan

WORDS = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
DIGITS = "零一二三四五六七八九"
DIRECTIONS = ("", "东", "西", "南", "北", "中")
RANK = ("lane", "road", "outline", "river", "high_street", "avenue")  # a gate opens to the best road around


@cache
def stems() -> tuple[str, ...]:
    """All names of places the words give, each once.

    Returns
    -------
    tuple of str
        Two characters each, in the order of the words.

    Examples
    --------
    >>> len(stems()) == len(set(stems())) and len(stems()) > 3000
    True
    """
    place = WORDS["place"]
    real = set(place["real"].split())
    return tuple(
        dict.fromkeys(a + b for a in place["first"] for b in place["second"] if a != b and a + b not in real)
    )


def stem(number: int, order: np.ndarray) -> str:
    """The name at a place of a shuffled order; past its end the names return with a direction added.

    Parameters
    ----------
    number : int
        Place in the order, from 0 to below six times its length.
    order : numpy.ndarray of int
        Places of `stems`, shuffled.

    Returns
    -------
    str
        Another one for another number.

    Examples
    --------
    >>> order = np.arange(len(stems()))
    >>> stem(0, order), stem(len(stems()), order)
    ('青溪', '青溪东')
    """
    turn, place = divmod(number, len(order))
    return stems()[order[place]] + DIRECTIONS[turn]


def unit_names(level: str, first: int, number: int, seed: int) -> list[str]:
    """Names for so many streets or communities, all different for different `first`.

    Parameters
    ----------
    level : str
        "street" or "community".
    first, number : int
        How many names were given away before, and how many are wanted.
    seed : int
        The same seed shuffles the words in the same way.

    Returns
    -------
    list of str
        Names that end with 街道 or 社区.

    Examples
    --------
    >>> names = unit_names("street", 0, 20, 7)
    >>> len(set(names)), all(name.endswith("街道") for name in names)
    (20, True)
    """
    rng = np.random.default_rng([seed, len(level)])
    order, endings = rng.permutation(len(stems())), WORDS["unit"][level]
    kind = {"street": "街道", "community": "社区"}[level]
    return [stem(k, order) + endings[k % len(endings)] + kind for k in range(first, first + number)]


def numeral(number: int) -> str:
    """A whole number from 1 to 99 in Chinese.

    Parameters
    ----------
    number : int
        From 1 to 99.

    Returns
    -------
    str
        As lanes are counted.

    Examples
    --------
    >>> [numeral(n) for n in (3, 10, 14, 20, 35)]
    ['三', '十', '十四', '二十', '三十五']
    """
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("" if tens == 1 else DIGITS[tens]) + "十"
    return head + (DIGITS[ones] if ones else "")


def road_names(plan: Plan, rng: np.random.Generator) -> np.ndarray:
    """A name for each road of a plan; lanes are counted along the road they leave.

    Parameters
    ----------
    plan : Plan
        Its kinds of roads and which road a lane leaves.
    rng : numpy.random.Generator
        The only source of chance.

    Returns
    -------
    numpy.ndarray of str, shape (roads,)
        All different.

    Examples
    --------
    >>> from gis.samples.arcs import draw
    >>> from gis.samples.plan import Quota
    >>> leaves = [Quota(1.0) for _ in range(6)]
    >>> town = Quota(6.0, parts=[Quota(6.0, parts=[Quota(6.0, parts=leaves)])])
    >>> plan = draw(town, 0, 6 * 18000.0, np.zeros(1, int), np.random.default_rng(1))
    >>> names = road_names(plan, np.random.default_rng(1))
    >>> len(names) == len(set(names)) == len(plan.kind)
    True
    """
    order, named, lanes = rng.permutation(len(stems())), {}, {}
    names = []
    for road, (kind, parent) in enumerate(zip(plan.kind.tolist(), plan.stem.tolist(), strict=True)):
        if kind == "lane" and parent in named:
            lanes[parent] = lanes.get(parent, 0) + 1
            names.append(f"{named[parent]}{numeral(lanes[parent])}巷")
            continue
        named[road] = stem(len(named), order)
        endings = WORDS["road"][kind]
        names.append(named[road] + endings[int(rng.integers(len(endings)))])
    return np.array(names, dtype=object)


def gates(plan: Plan, rng: np.random.Generator) -> np.ndarray:
    """The address of each micro-grid's gate: the best and longest road around, odd numbers on its left.

    Parameters
    ----------
    plan : Plan
        Its roads and the arcs around each micro-grid.
    rng : numpy.random.Generator
        The only source of chance.

    Returns
    -------
    numpy.ndarray of str, shape (micro-grids,)
        Such as 锦台路12号, all different.

    Examples
    --------
    >>> from gis.samples.arcs import draw
    >>> from gis.samples.plan import Quota
    >>> leaves = [Quota(1.0) for _ in range(6)]
    >>> town = Quota(6.0, parts=[Quota(6.0, parts=[Quota(6.0, parts=leaves)])])
    >>> plan = draw(town, 0, 6 * 18000.0, np.zeros(1, int), np.random.default_rng(1))
    >>> doors = gates(plan, np.random.default_rng(1))
    >>> len(set(doors)), all(door.endswith("号") for door in doors)
    (6, True)
    """
    rank = np.array([RANK.index(kind) for kind in plan.kind])[plan.arc_road]
    order = np.lexsort((shapely.length(plan.arcs)[plan.side_arc], rank[plan.side_arc], plan.side_of))
    front = order[np.flatnonzero(np.diff(plan.side_of[order], append=-1))]
    arc, left = plan.side_arc[front], plan.side_left[front]
    road = plan.arc_road[arc]
    along = np.lexsort((plan.arc_at[arc], left, road))
    bank = road[along] * 2 + left[along]
    first = np.flatnonzero(np.diff(bank, prepend=-1))
    place = np.arange(len(along)) - np.repeat(first, np.diff([*first, len(along)]))
    doors = np.empty(len(along), int)
    doors[along] = 2 * (3 * place + rng.integers(1, 4, len(along))) - left[along]
    names = road_names(plan, rng)[road]
    return np.array([f"{name}{door}号" for name, door in zip(names, doors, strict=True)], dtype=object)


def plates(gate: np.ndarray, ordinal: np.ndarray, alone: np.ndarray, old: np.ndarray) -> list[str]:
    """The address of each building: a block behind the gate, or a door beside it in an old quarter.

    Parameters
    ----------
    gate : numpy.ndarray of str
        Address of the gate.
    ordinal : numpy.ndarray of int
        The building's place within the micro-grid, from 1.
    alone, old : numpy.ndarray of bool
        Whether it is the only one there, and whether it stands in an old quarter.

    Returns
    -------
    list of str
        In the order of the buildings.

    Examples
    --------
    >>> gate, yes, no = np.array(["锦台路12号"] * 3), True, False
    >>> plates(gate, np.array([3, 3, 1]), np.array([no, no, yes]), np.array([no, yes, no]))
    ['锦台路12号3栋', '锦台路12号附3号', '锦台路12号']
    """
    return [
        str(address) if single else f"{address}附{n}号" if side_by_side else f"{address}{n}栋"
        for address, n, single, side_by_side in zip(gate, ordinal, alone, old, strict=True)
    ]
