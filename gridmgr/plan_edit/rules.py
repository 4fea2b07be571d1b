"""What each kind of edit needs, and what it draws. No session, no time of day."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from gis import mending
from gis import plan as drawing
from gis.closing import closed
from gis.plan import Plan, UnitLocked
from gridmgr.boundary_plan.rules import SUMMED, Parent, State
from gridmgr.plan_edit.model import MOST_MENDED_M, EditIncomplete, EditUnknown, ReachStrange
from gridmgr.redraw.rules import reading_order


@dataclass(frozen=True, eq=False)
class Draft:
    """What an edit is, with what was left out when it was told, and the plan it leads to."""

    kind: str
    args: dict[str, Any]
    plan: Plan
    parents: Mapping[str, Parent]


def _line(args: Mapping[str, Any], name: str = "line") -> shapely.LineString:
    return shapely.LineString(args[name])


DRAW: Mapping[str, Callable[[Plan, Mapping[str, Any]], Plan]] = {
    "split": lambda plan, it: drawing.split(plan, it["code"], _line(it), it["new"]),
    "merge": lambda plan, it: drawing.merge(plan, it["codes"]),
    "reshape": lambda plan, it: drawing.reshape(plan, it["one"], it["two"], _line(it)),
    "move": lambda plan, it: drawing.move(plan, it["buildings"], it["to"]),
    "found": lambda plan, it: drawing.found(plan, shapely.Polygon(it["ring"]), it["new"], it["parent"]),
    "rename": lambda plan, it: drawing.rename(plan, it["code"], it["name"]),
    "recode": lambda plan, it: drawing.recode(plan, it["code"], it["new"]),
    "transfer": lambda plan, it: transferred(plan, it),
    "renumber": lambda plan, it: renumbered(plan, it["new"]),
    "repair": lambda plan, it: mending.repair(
        plan,
        it["codes"],
        measure=it.get("measure", SUMMED[0]),
        low=it.get("low"),
        high=it.get("high"),
        within_m=it.get("within_m", mending.WITHIN_M),
    ),
}
"""What each kind of edit draws, from what it was told."""

NEEDED = {
    "split": ("code", "line"), "merge": ("codes",), "reshape": ("one", "two", "line"),
    "move": ("buildings", "to"), "found": ("ring",), "rename": ("code", "name"), "recode": ("code", "new"),
    "transfer": ("codes", "to"), "renumber": (), "repair": (),
}  # fmt: skip


def within_reach(metres: float) -> None:
    """Return if gaps and overlaps can be closed up to so many metres.

    Raises
    ------
    ReachStrange
    """
    if not 0 < metres <= MOST_MENDED_M:
        raise ReachStrange(given=metres, most=MOST_MENDED_M)


def complete(kind: str, args: Mapping[str, Any]) -> None:
    """Return if an edit says all that it needs.

    Raises
    ------
    EditUnknown, EditIncomplete
    """
    if kind not in DRAW:
        raise EditUnknown(kind=str(kind)[:20], known=", ".join(DRAW))
    for name in NEEDED[kind]:
        if args.get(name) in (None, "", [], ()):
            raise EditIncomplete(kind=kind, what=name)


def locked(state: State, codes: Collection[str], repair_m: float = 0.0) -> Plan:
    """Return the plan with its locks, and those of the units around, which are not its own.

    With `repair_m` its gaps and overlaps are closed up to so many metres.

    Raises
    ------
    ReachStrange
    """
    around = frozenset(state.plan.units.index.difference(state.numbers.index))
    plan = replace(state.plan, locked=frozenset(codes) | around, beyond=around)
    if not repair_m:
        return plan
    within_reach(repair_m)
    return closed(plan, list(state.numbers.index), repair_m)


def transferred(plan: Plan, it: Mapping[str, Any]) -> Plan:
    """Return a plan with units under another community, or with whole communities under another street.

    Raises
    ------
    UnitLocked, and what `gis.plan.transfer` refuses
    """
    if not it.get("under"):
        return drawing.transfer(plan, it["codes"], it["to"], it.get("new"))
    for code in sorted(plan.locked.intersection(it["under"])):
        raise UnitLocked(code=code)
    parents = [it["under"].get(code, home) for code, home in plan.units["parent_code"].items()]
    return renumbered(replace(plan, units=plan.units.assign(parent_code=parents)), it["new"])


def renumbered(plan: Plan, new: Mapping[str, str]) -> Plan:
    """Return a plan whose units have other codes, all at once, so that two may change places.

    Raises
    ------
    UnitLocked
    """
    for code in sorted(plan.locked.intersection(new)):
        raise UnitLocked(code=code)
    homes = plan.buildings["home"].map(lambda home: new.get(home, home))
    units = plan.units.rename(index=dict(new)).rename_axis(plan.units.index.name)
    return replace(plan, units=units, buildings=plan.buildings.assign(home=homes))


def in_order(state: State, free: Callable[[str, int], list[str]]) -> dict[str, str]:
    """Return which codes the new units should have instead: by community W→E, then N→S (field.md §2).

    `free` gives so many free codes of a community, those of the new units among them.
    """
    born = [code for code, fate in state.fate.items() if fate == "new" and code in state.numbers.index]
    units = state.plan.units.loc[sorted(born)]
    found: dict[str, str] = {}
    for parent, own in units.groupby("parent_code"):
        middle = shapely.get_coordinates(shapely.centroid(own.geometry.to_numpy()))
        order = own.index.to_numpy()[reading_order(*middle.T)]
        found |= {code: new for code, new in zip(order, free(parent, len(own)), strict=True) if code != new}
    return found


def under_ring(state: State, ring: Sequence) -> str | None:
    """Return the community of the plan that holds most of the ground under a ring; None if none does."""
    units, ground = state.plan.units, shapely.make_valid(shapely.Polygon(ring))
    near = units.iloc[units.sindex.query(ground, predicate="intersects")]
    near = near[near.index.isin(state.numbers.index)]
    if not len(near):
        return None
    held = shapely.area(shapely.intersection(near.geometry.to_numpy(), ground))
    return near["parent_code"].iloc[int(np.argmax(held))]
