"""Edits of a plan: each takes a plan and returns another, so that undo is keeping the one before.

Lines snap to vertices and borders, are led around buildings, and touch nothing but the units near them:
an edit takes milliseconds in a district of thousands of units. What an edit cannot do it says in words.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import wraps

import geopandas as gpd
import numpy as np
import shapely
from shapely.ops import substring

from gis import redraw
from gis.detour import around
from gis.draft import (
    Changed,
    CodeTaken,
    NothingChosen,
    Plan,
    UnitLocked,
    UnknownBuilding,
    UnknownParent,
    changed,
    followed,
    houses,
    near,
    open_units,
    refuse_small,
    refuse_taken,
    rehomed,
    taken_over,
    whole_parents,
)
from gis.errors import BadInput
from gis.faces import NothingLeft, parted
from gis.ring import closed, ring_ground
from gis.snap import METRES, SNAP_M, to_borders, to_vertices
from gis.tessellation import cells

__all__ = [
    "Changed", "CodeTaken", "Plan", "UnitLocked", "changed",
    "found", "merge", "move", "recode", "rename", "reshape", "split", "transfer",
]  # fmt: skip


class TooFine(BadInput):
    """Borders lie too close together here for this edit; draw it a little differently."""


class OneAlone(BadInput):
    """Name two units or more to join them."""


class NothingInside(BadInput):
    """The ring holds no ground that may be taken."""


def _said(edit: Callable[..., Plan]) -> Callable[..., Plan]:
    """The edit, refusing in words what geometry cannot do; the plan stays as it was."""

    @wraps(edit)
    def tried(*given, **named) -> Plan:
        try:
            return edit(*given, **named)
        except shapely.errors.GEOSException as fault:
            raise TooFine() from fault

    return tried


@_said
def split(plan: Plan, code: str, line: shapely.LineString, new: str, name: str = "") -> Plan:
    """Cut a unit in two along a line; the larger part keeps the code.

    Parameters
    ----------
    plan : Plan
    code : str
    line : LineString, EPSG:4326
        From border to border; ends within half a metre of one go to it, what runs beyond is not drawn.
    new, name : str
        Of the smaller part; its name is its code if none is given.

    Returns
    -------
    Plan

    Raises
    ------
    UnknownGrid, UnitLocked, CodeTaken, LineMissing, LineCrossesItself, LineEndsInside, EndsInBuilding,
    FallsApart, TooSmall, MapBroken

    Example
    -------
    >>> plan = _sheet()
    >>> after = split(plan, "a", shapely.LineString([(0.001, -1), (0.001, 1)]), "c")
    >>> after.units.index.tolist(), after.buildings["home"].tolist()
    (['a', 'b', 'c'], ['c', 'a', 'b'])
    """
    open_units(plan, [code])
    refuse_taken(plan, new)
    own = houses(plan, [code])
    grids = near(plan, [code])
    line = redraw.simple(line)
    line = _ended(line, grids[[code]])
    led = _led(_inside(line, grids[code]), own.geometry)
    after = redraw.split(grids, code, led, new, _places(own))
    refuse_small(after, new)
    return taken_over(plan, after, [code, new], {new: (name or new, plan.units.at[code, "parent_code"])})


@_said
def merge(plan: Plan, codes: Sequence[str]) -> Plan:
    """Join units into the first of them; the codes of the others are spent.

    Raises
    ------
    UnknownGrid, UnitLocked, NothingChosen, OneAlone, FallsApart

    Example
    -------
    >>> merge(_sheet(), ["a", "b"]).buildings["home"].tolist()
    ['a', 'a', 'a']
    """
    codes = open_units(plan, codes)
    if len(codes) < 2:
        raise OneAlone()
    first, *gone = codes
    after = redraw.merge(near(plan, codes), codes)
    return taken_over(plan, after, [first], gone=gone)


@_said
def reshape(plan: Plan, one: str, two: str, line: shapely.LineString) -> Plan:
    """Lead the border that two units share along a new line; both move together, and so do their buildings.

    Parameters
    ----------
    plan : Plan
    one, two : str
    line : LineString, EPSG:4326
        The new course between two places of the old border; each end goes to the nearest place of it.

    Raises
    ------
    UnknownGrid, UnitLocked, LineMissing, LineCrossesItself, NotNeighbours, OffTheBorder, EndsInBuilding,
    FallsApart, NothingLeft, MapBroken

    Example
    -------
    >>> line = shapely.LineString([(0.004, 0), (0.001, 0.0005), (0.004, 0.001)])
    >>> reshape(_sheet(), "a", "b", line).buildings["home"].tolist()
    ['a', 'b', 'b']
    """
    open_units(plan, [one, two])
    own = houses(plan, [one, two])
    line = redraw.simple(line)
    grids = near(plan, [one, two], line)
    course = _on_border(line, grids, one, two)
    after = redraw.reshape(grids, one, two, _led(course, own.geometry), _places(own))
    return taken_over(plan, after, [one, two])


@_said
def move(plan: Plan, buildings: Collection[str], to: str) -> Plan:
    """Give buildings to a unit beside theirs; the border follows, halfway between the walls on both sides.

    Parameters
    ----------
    plan : Plan
    buildings : collection of codes
        Those that stand wall to wall with them come along. Those at home in `to` stay where they are.
    to : str

    Raises
    ------
    UnknownGrid, UnitLocked, UnknownBuilding, NothingChosen, FallsApart, NothingLeft, MapBroken

    Example
    -------
    >>> after = move(_sheet(), ["2"], "b")
    >>> after.buildings["home"].tolist(), after.units.geometry["b"].contains(shapely.Point(0.003, 0.0005))
    (['a', 'b', 'b'], True)
    """
    open_units(plan, [to])
    chosen = _known(plan, buildings)
    donors = open_units(plan, [each for each in chosen["home"].unique() if each != to])
    pieces, owner, moved = [], [], []
    for donor in donors:
        own = houses(plan, [donor])
        ground = cells(own.geometry, plan.units.geometry[donor])
        taken = np.unique(ground.block[own.index.isin(chosen.index)])
        pieces.extend(ground.cell)
        owner.extend(np.where(np.isin(np.arange(len(ground.cell)), taken), to, donor))
        moved.extend(own.index[np.isin(ground.block, taken)])
    own = houses(plan, [*donors, to])
    after = parted(near(plan, [*donors, to]), pieces, owner, _places(own))
    for donor in donors:
        if donor not in after.index:
            raise NothingLeft(code=donor)
    return followed(taken_over(plan, after, [*donors, to]), dict.fromkeys(moved, to))


@_said
def found(plan: Plan, ring: shapely.Polygon, new: str, parent: str | None = None, name: str = "") -> Plan:
    """Draw a new unit; it takes its ground from all that lie under the ring.

    Parameters
    ----------
    plan : Plan
    ring : Polygon, LinearRing or closed LineString, EPSG:4326
        Its corners go to vertices and borders within half a metre; what lies beyond the map or the plan is not taken.
    new, name : str
        The name is the code if none is given.
    parent : str, optional
        That of the unit which gives most if none is given.

    Raises
    ------
    UnitLocked, CodeTaken, UnknownParent, NothingInside, LineMissing, LineCrossesItself, EndsInBuilding,
    FallsApart, NothingLeft, TooSmall, MapBroken

    Example
    -------
    >>> after = found(_sheet(), shapely.box(0.0002, 0.0002, 0.001, 0.0008), "c")
    >>> after.buildings["home"].tolist(), after.units.parent_code["c"]
    (['c', 'a', 'b'], 'p')
    """
    refuse_taken(plan, new)
    if parent is not None and not (plan.units["parent_code"] == parent).any():
        raise UnknownParent(code=parent)
    drawn = closed(ring)
    grids = near(plan, [], drawn)
    if not len(grids):
        raise NothingInside()
    standing = plan.buildings.iloc[plan.buildings.sindex.query(drawn.envelope, predicate="intersects")]
    ground = ring_ground(drawn, grids, standing.geometry)
    if not (under := [code for code in _under(grids, ground) if code not in plan.beyond]):
        raise NothingInside()
    donors = open_units(plan, under)
    own = houses(plan, donors)
    after = redraw.give(grids, ground, new, donors, _places(own))
    refuse_small(after, new)
    parent = parent or plan.units.at[donors[0], "parent_code"]
    return taken_over(plan, after, [*donors, new], {new: (name or new, parent)})


def rename(plan: Plan, code: str, name: str) -> Plan:
    """Give a unit another name.

    Raises
    ------
    UnknownGrid, UnitLocked

    Example
    -------
    >>> rename(_sheet(), "a", "Harbour").units.name["a"]
    'Harbour'
    """
    open_units(plan, [code])
    names = plan.units["name"].to_numpy(dtype=object).copy()
    names[plan.units.index.get_loc(code)] = name
    return replace(plan, units=plan.units.assign(name=names))


def recode(plan: Plan, code: str, new: str) -> Plan:
    """Give a unit another code; the old one is spent.

    Raises
    ------
    UnknownGrid, UnitLocked, CodeTaken

    Example
    -------
    >>> recode(_sheet(), "a", "z").buildings["home"].tolist()
    ['z', 'z', 'b']
    """
    open_units(plan, [code])
    if new == code:
        return plan
    refuse_taken(plan, new)
    moved = replace(plan, units=plan.units.rename({code: new}), spent=plan.spent | {code})
    return rehomed(moved, dict.fromkeys(houses(plan, [code]).index, new))


@_said
def transfer(
    plan: Plan,
    codes: Collection[str] | shapely.Geometry,
    to: str,
    new: Mapping[str, str] | None = None,
) -> Plan:
    """Give units to another parent, so that the border of both runs elsewhere and all below follows.

    Parameters
    ----------
    plan : Plan
    codes : collection of str, or a region
        Polygon in EPSG:4326: the units that lie mostly inside.
    to : str
        The parent; it has a unit on the sheet already.
    new : mapping of code to new code, optional
        Where a code carries its parent's.

    Raises
    ------
    UnknownGrid, UnknownParent, UnitLocked, CodeTaken, NothingChosen, NothingLeft, FallsApart

    Example
    -------
    >>> transfer(_sheet(), ["b"], "q", {"b": "q1"}).units.parent_code.to_dict()
    Traceback (most recent call last):
    gis.draft.UnknownParent: No unit of the sheet belongs to q.
    """
    if not (plan.units["parent_code"] == to).any():
        raise UnknownParent(code=to)
    if isinstance(codes, shapely.Geometry):
        codes = _under(near(plan, [], codes), codes, 0.5)
    codes = [code for code in open_units(plan, codes) if plan.units.at[code, "parent_code"] != to]
    if not codes:
        raise NothingChosen()
    moving = plan.units.index.isin(codes)
    parents = np.where(moving, to, plan.units["parent_code"].to_numpy(dtype=object))
    moved = replace(plan, units=plan.units.assign(parent_code=parents))
    whole_parents(plan, moved, codes)
    for code in codes:
        moved = recode(moved, code, (new or {}).get(code, code))
    return moved


def _known(plan: Plan, buildings: Collection[str]) -> gpd.GeoDataFrame:
    for each in buildings:
        if each not in plan.buildings.index:
            raise UnknownBuilding(building=each)
    return plan.buildings.loc[list(dict.fromkeys(buildings))]


def _places(own: gpd.GeoDataFrame) -> np.ndarray:
    """One point in each building: ground that holds one is never given away for being loose."""
    return shapely.point_on_surface(own.geometry.to_numpy())


def _led(line: shapely.LineString, standing: gpd.GeoSeries) -> shapely.LineString:
    return around(line, standing) if len(standing) else line


def _ended(line: shapely.LineString, grids: gpd.GeoSeries) -> shapely.LineString:
    """The line with its ends at the vertices and borders they nearly reach."""
    xy = shapely.get_coordinates(line)
    xy[[0, -1]] = to_borders(xy[[0, -1]], grids)
    return redraw.simple(shapely.LineString(xy))


def _inside(line: shapely.LineString, ground: shapely.Geometry) -> shapely.LineString:
    """The line without what runs beyond a unit at either end."""
    met = shapely.get_coordinates(shapely.intersection(line, ground))
    if not len(met):
        return line
    places = shapely.line_locate_point(line, shapely.points(met))
    kept = substring(line, places.min(), places.max())
    return kept if kept.geom_type == "LineString" and kept.length else line


def _on_border(line: shapely.LineString, grids: gpd.GeoSeries, one: str, two: str) -> shapely.LineString:
    """The line with its ends on the shared border and its corners at vertices they nearly reach."""
    shared = shapely.intersection(shapely.boundary(grids[one]), shapely.boundary(grids[two]))
    runs = [each for each in shapely.get_parts(shared) if each.geom_type == "LineString" and each.length]
    if one == two or not runs:
        raise redraw.NotNeighbours(one=one, two=two)
    xy = to_vertices(shapely.get_coordinates(line), grids[[one, two]])
    ends = shapely.shortest_line(shapely.points(xy[[0, -1]]), shapely.multilinestrings(runs))
    xy[[0, -1]] = shapely.get_coordinates(shapely.get_point(ends, -1))
    return redraw.simple(shapely.LineString(xy))


def _under(grids: gpd.GeoSeries, ground: shapely.Geometry, least: float = 0.0) -> list[str]:
    """The units under a region, that which gives most first; a strip no hand could mean does not count."""
    ground = shapely.make_valid(ground)
    shared = shapely.intersection(grids.to_numpy(), ground)
    held = shapely.area(shared)
    meant = held > shapely.length(shared) / 2 * SNAP_M / METRES
    enough = meant & (held > least * shapely.area(grids.to_numpy()))
    order = np.argsort(-held, kind="stable")
    return grids.index[order[enough[order]]].tolist()


def _sheet() -> Plan:
    """The sheet of the examples: two units of one parent, and three houses."""
    boxes = [shapely.box(0, 0, 0.002, 0.001), shapely.box(0.002, 0, 0.004, 0.001)]
    rows = {"name": ["A", "B"], "parent_code": "p"}
    units = gpd.GeoDataFrame(rows, geometry=boxes, index=["a", "b"], crs=4326)
    walls = [shapely.box(x, 0.0004, x + 0.0002, 0.0006) for x in (0.0005, 0.0014, 0.003)]
    homes = {"home": ["a", "a", "b"]}
    return Plan(units, gpd.GeoDataFrame(homes, geometry=walls, index=["1", "2", "3"], crs=4326))
