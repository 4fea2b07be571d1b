"""A plan is data: units of a coverage, the buildings in them, and which may not be touched."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import BadInput
from gis.faces import FallsApart, NothingLeft
from gis.ground import united
from gis.redraw import UnknownGrid
from gis.snap import METRES

PAD = 1e-7  # degrees around what an edit may touch
LEAST_M2 = 100  # of a new unit: less is a slip of the hand


class UnitLocked(BadInput):
    """{code} is locked."""


class BeyondPlan(BadInput):
    """{code} lies beyond the ground of this plan."""


class TooSmall(BadInput):
    """What would become {code} has {area_m2} m² only, and a grid has {least} at least; draw it larger."""


class CodeTaken(BadInput):
    """The code {code} is taken, or was; no code is used twice."""


class UnknownBuilding(BadInput):
    """There is no building {building} on the sheet."""


class UnknownParent(BadInput):
    """No unit of the sheet belongs to {code}."""


class NothingChosen(BadInput):
    """Nothing is chosen that this edit could change."""


class MapBroken(BadInput):
    """The edit would leave {code} with borders that do not match its neighbours'; draw it a little differently."""


@dataclass(frozen=True)
class Plan:
    """Units, buildings and locks at one moment of a draft; every edit returns another one."""

    units: gpd.GeoDataFrame  #: by code: name, parent_code, geometry: polygons, a coverage, EPSG:4326
    buildings: gpd.GeoDataFrame  #: by code: home (code of its unit), geometry, and columns of numbers
    locked: frozenset[str] = frozenset()  #: codes of units no edit may touch
    beyond: frozenset[str] = frozenset()  #: codes of units around, which no edit may touch either
    spent: frozenset[str] = frozenset()  #: codes that no unit may be given, since one had them
    above: Mapping[str, str] = field(default_factory=dict)  #: what each parent belongs to, such as its street


class Changed(NamedTuple):
    """How a plan differs from one before."""

    codes: list[str]  #: new, or with another name, parent or vertex
    gone: list[str]


def changed(before: Plan, after: Plan) -> Changed:
    """Return the units in which two plans differ.

    Parameters
    ----------
    before, after : Plan

    Returns
    -------
    Changed
        Also those which only got a vertex, where a new border meets theirs.

    Example
    -------
    >>> grids = gpd.GeoDataFrame({"name": "", "parent_code": "p"}, geometry=[shapely.box(0, 0, 1, 1)], index=["a"])
    >>> plan = Plan(grids, gpd.GeoDataFrame({"home": []}, geometry=[]))
    >>> changed(plan, replace(plan, units=grids.rename({"a": "b"})))
    Changed(codes=['b'], gone=['a'])
    """
    was, now = before.units, after.units
    at = was.index.get_indexer(now.index)
    shape, old = now.geometry.to_numpy(), was.geometry.to_numpy()[at]
    same = (at >= 0) & shapely.equals_identical(shape, old)
    for column in ("name", "parent_code"):
        same &= now[column].to_numpy(dtype=object) == was[column].to_numpy(dtype=object)[at]
    return Changed(now.index[~same].tolist(), was.index.difference(now.index).tolist())


def open_units(plan: Plan, codes: Collection[str]) -> list[str]:
    """Return the codes, each once.

    Raises
    ------
    UnknownGrid, BeyondPlan, UnitLocked, NothingChosen

    Example
    -------
    >>> nothing = gpd.GeoDataFrame(geometry=[])
    >>> open_units(Plan(gpd.GeoDataFrame(index=["a"]), nothing), ["a", "a"])
    ['a']
    """
    for code in codes:
        if code not in plan.units.index:
            raise UnknownGrid(code=code)
        if code in plan.beyond:
            raise BeyondPlan(code=code)
        if code in plan.locked:
            raise UnitLocked(code=code)
    if not len(codes):
        raise NothingChosen()
    return list(dict.fromkeys(codes))


def refuse_taken(plan: Plan, code: str) -> None:
    """Raise if a code cannot be given to a new unit.

    Raises
    ------
    CodeTaken

    Example
    -------
    >>> refuse_taken(Plan(gpd.GeoDataFrame(index=["a"]), gpd.GeoDataFrame(geometry=[])), "b")
    """
    if code in plan.units.index or code in plan.spent:
        raise CodeTaken(code=code)


def refuse_small(grids: gpd.GeoSeries, code: str) -> None:
    """Raise if a new unit is too small to have been meant.

    Parameters
    ----------
    grids : GeoSeries of polygons by code, EPSG:4326
    code : str

    Raises
    ------
    TooSmall

    Example
    -------
    >>> refuse_small(gpd.GeoSeries([shapely.box(0, 0, 1e-5, 1e-5)], index=["a"], crs=4326), "a")
    Traceback (most recent call last):
    gis.draft.TooSmall: What would become a has 1 m² only, and a grid has 100 at least; draw it larger.
    """
    ground = grids[code]
    area = ground.area * METRES**2 * np.cos(np.radians(ground.centroid.y))
    if area < LEAST_M2:
        raise TooSmall(code=code, area_m2=round(area), least=LEAST_M2)


def near(plan: Plan, codes: Sequence[str], *drawn: shapely.Geometry) -> gpd.GeoSeries:
    """Return the units an edit can touch: whatever meets the box around some of them and what is drawn.

    Parameters
    ----------
    plan : Plan
    codes : sequence of str
    drawn : geometries, EPSG:4326

    Returns
    -------
    GeoSeries of polygons by code, in the order of the plan

    Example
    -------
    >>> boxes = [shapely.box(x, 0, x + 1, 1) for x in (0, 1, 5)]
    >>> plan = Plan(gpd.GeoDataFrame(geometry=boxes, index=["a", "b", "c"], crs=4326), None)
    >>> near(plan, ["a"]).index.tolist()
    ['a', 'b']
    """
    shapes = plan.units.geometry
    named = shapes.to_numpy()[plan.units.index.get_indexer(codes)]
    west, south, east, north = shapely.total_bounds([*named, *drawn])
    around = shapely.box(west - PAD, south - PAD, east + PAD, north + PAD)
    return shapes.iloc[np.sort(shapes.sindex.query(around))]


def houses(plan: Plan, codes: Sequence[str]) -> gpd.GeoDataFrame:
    """Return the buildings at home in some units.

    Example
    -------
    >>> frame = gpd.GeoDataFrame({"home": ["a", "b"]}, geometry=[shapely.box(0, 0, 1, 1)] * 2, index=["1", "2"])
    >>> houses(Plan(None, frame), ["b"]).index.tolist()
    ['2']
    """
    return plan.buildings[plan.buildings["home"].isin(codes)]


def taken_over(
    plan: Plan,
    after: gpd.GeoSeries,
    among: Sequence[str],
    fresh: Mapping[str, tuple[str, str]] | None = None,
    gone: Collection[str] = (),
) -> Plan:
    """Return the plan with redrawn units in the place of the old ones, and every building at home in one.

    Parameters
    ----------
    plan : Plan
    after : GeoSeries of polygons by code, EPSG:4326
        The units near an edit as it left them.
    among : sequence of str
        Units whose buildings may have changed their home, and new ones.
    fresh : mapping of new code to (name, parent code)
    gone : codes that are no more

    Returns
    -------
    Plan

    Raises
    ------
    MapBroken, NothingLeft, FallsApart
        The last two of a parent, where units of several are about.

    Notes
    -----
    A building stays at home where most of it still lies.

    Example
    -------
    >>> house = gpd.GeoDataFrame({"home": ["a"]}, geometry=[shapely.box(0, 0, 1, 1)], index=["1"], crs=4326)
    >>> unit = {"name": ["A"], "parent_code": ["p"]}
    >>> grids = gpd.GeoDataFrame(unit, geometry=[shapely.box(0, 0, 4, 1)], index=["a"], crs=4326)
    >>> halves = gpd.GeoSeries({"a": shapely.box(2, 0, 4, 1), "b": shapely.box(0, 0, 2, 1)}, crs=4326)
    >>> taken_over(Plan(grids, house), halves, ["a", "b"], {"b": ("B", "p")}).buildings["home"].tolist()
    ['b']
    """
    fresh, units = dict(fresh or {}), plan.units
    _refuse_broken(plan, after)
    shapes = units.geometry.to_numpy().copy()
    at = units.index.get_indexer(after.index)
    shapes[at[at >= 0]] = after.to_numpy()[at >= 0]
    units = units.set_geometry(gpd.GeoSeries(shapes, index=units.index, crs=units.crs))
    if gone:
        units = units.drop(index=list(gone))
    if fresh:
        rows = pd.DataFrame.from_dict(fresh, orient="index", columns=["name", "parent_code"])
        units = pd.concat([units, gpd.GeoDataFrame(rows, geometry=after[rows.index], crs=units.crs)])
        units.index.name = plan.units.index.name
    moved = replace(plan, units=units, spent=plan.spent | set(gone))
    whole_parents(plan, moved, {*among, *gone})
    return rehomed(moved, _homes(moved, [*among, *gone]))


def unmoved(shapes: gpd.GeoSeries, grids: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return shapes by code, those with the vertices they had as they were: their rings may begin elsewhere.

    Example
    -------
    >>> was = gpd.GeoSeries([shapely.box(0, 0, 1, 1)], index=["a"])
    >>> unmoved(gpd.GeoSeries([shapely.normalize(was["a"])], index=["a"]), was)["a"] is was["a"]
    True
    """
    was = grids.reindex(shapes.index).to_numpy()
    now = shapes.to_numpy()
    same = shapely.equals_identical(*(shapely.normalize(_plain(each)) for each in (was, now)))
    return gpd.GeoSeries(np.where(same, was, now), index=shapes.index, crs=shapes.crs)


def _plain(shapes: np.ndarray) -> np.ndarray:
    """The shapes, those of one part as polygons."""
    return np.where(shapely.get_num_geometries(shapes) == 1, shapely.get_geometry(shapes, 0), shapes)


def followed(plan: Plan, home: Mapping[str, str]) -> Plan:
    """Return the plan if the ground of these buildings went where they were to go.

    Parameters
    ----------
    plan : Plan
    home : mapping of building to unit

    Raises
    ------
    MapBroken

    Example
    -------
    >>> frame = gpd.GeoDataFrame({"home": ["a"]}, geometry=[shapely.box(0, 0, 1, 1)], index=["1"])
    >>> followed(Plan(None, frame), {"1": "a"}).buildings["home"].tolist()
    ['a']
    """
    lies = plan.buildings["home"].loc[list(home)]
    for each, to in zip(lies, home.values(), strict=True):
        if each != to:
            raise MapBroken(code=to)
    return plan


def rehomed(plan: Plan, home: Mapping[str, str]) -> Plan:
    """Return the plan with some buildings at home elsewhere.

    Parameters
    ----------
    plan : Plan
    home : mapping of building to unit

    Example
    -------
    >>> frame = gpd.GeoDataFrame({"home": ["a", "b"]}, geometry=[shapely.box(0, 0, 1, 1)] * 2, index=["1", "2"])
    >>> rehomed(Plan(None, frame), {"1": "b"}).buildings["home"].tolist()
    ['b', 'b']
    """
    if not len(home):
        return plan
    homes = plan.buildings["home"].copy()
    homes.iloc[plan.buildings.index.get_indexer(list(home))] = list(home.values())
    return replace(plan, buildings=plan.buildings.assign(home=homes))


def whole_parents(before: Plan, after: Plan, codes: Collection[str]) -> None:
    """Raise if a parent of some units, or what is above it, lost all of them or fell into more pieces.

    Parameters
    ----------
    before, after : Plan
    codes : collection of str
        The units an edit is about, in either plan. If all have one parent, its ground is what it was.

    Raises
    ------
    NothingLeft, FallsApart

    Example
    -------
    >>> row = gpd.GeoDataFrame({"parent_code": ["p", "q"]}, geometry=[shapely.box(x, 0, x + 1, 1) for x in (0, 1)])
    >>> whole_parents(Plan(row, None), Plan(row, None), [0, 1])
    """
    plans, parents = (before, after), set()
    for plan in plans:
        at = plan.units.index.get_indexer(list(codes))
        parents.update(plan.units["parent_code"].iloc[at[at >= 0]])
    above = {before.above.get(parent) for parent in parents} - {None}
    for level in (parents, above):
        for parent in level if len(level) > 1 else ():
            was, now = (_pieces(plan, parent) for plan in plans)
            if was and not now:
                raise NothingLeft(code=parent)
            if now > max(was, 1):
                raise FallsApart(code=parent, parts=now)


def _pieces(plan: Plan, parent: str) -> int:
    """In how many pieces the units of a parent lie, or those of all parents it is above."""
    below = [each for each, above in plan.above.items() if above == parent]
    own = plan.units.geometry.to_numpy()[plan.units["parent_code"].isin([parent, *below]).to_numpy()]
    return int(shapely.get_num_geometries(united(own))) if len(own) else 0


def _homes(plan: Plan, among: Sequence[str]) -> dict[str, str]:
    """The new homes of buildings that no longer lie mostly where they were at home."""
    asked = houses(plan, among)
    present = [code for code in dict.fromkeys(among) if code in plan.units.index]
    if not len(asked) or not present:
        return {}
    ground = plan.units.geometry.to_numpy()[plan.units.index.get_indexer(present)]
    shape = asked.geometry.to_numpy()
    held = np.array([shapely.area(shapely.intersection(shape, each)) for each in ground])
    best = np.array(present, dtype=object)[np.argmax(held, axis=0)]
    at = pd.Index(present).get_indexer(asked["home"])
    own = np.where(at >= 0, held[at, np.arange(len(asked))], 0)
    leaves = (2 * own <= shapely.area(shape)) & (held.max(axis=0) > own) | (at < 0)
    return dict(zip(asked.index[leaves], best[leaves], strict=True))


def _refuse_broken(plan: Plan, after: gpd.GeoSeries) -> None:
    """Raise if borders do not match that matched before."""
    faulty = ~shapely.is_empty(shapely.coverage_invalid_edges(after.to_numpy())) | ~shapely.is_valid(
        after.to_numpy()
    )
    if not faulty.any():
        return
    before = plan.units.geometry.reindex(after.index).dropna().to_numpy()
    if not len(before) or shapely.coverage_is_valid(before):
        raise MapBroken(code=after.index[np.argmax(faulty)])
