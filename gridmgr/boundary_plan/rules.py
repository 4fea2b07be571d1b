"""Pure decisions of plans: what an edit draws, what every unit then holds, and what differs from today."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.compactness import compactness
from gis.crs import to_metric
from gis.plan import Plan
from gis.redraw import UnknownGrid
from gridmgr.boundary_plan.model import LONGEST_NAME, PlanUnnamed
from gridmgr.terms.model import Term
from gridmgr.words import N_

TERMS = {
    "least": Term(N_("Households a micro-grid should have at least"), 30, 1, 5_000, whole=True),
    "most": Term(N_("Households a micro-grid should have at most"), 50, 1, 10_000, whole=True),
    "hours_1": Term(N_("Hours an ordinary case takes in a micro-grid"), 1, 0, 100),
    "hours_2": Term(N_("Hours a serious case takes in a micro-grid"), 2, 0, 100),
    "hours_3": Term(N_("Hours an urgent case takes in a micro-grid"), 4, 0, 100),
    "visits": Term(N_("Hours of visits a household takes a year"), 0.5, 0, 100),
}
"""Dated: the size band of field.md §2, and what the workload is counted with."""

WORKLOAD = N_(
    "Workload, hours a year: cases of 12 months × the hours a case of their urgency takes, "
    "and households × the hours of visits one takes."
)
MATTER = "plan"
SUMMED = ("households", "population")  # columns of buildings
COUNTED = ("households", "population", "buildings", "incidents", "hours", "area_m2")
SHAPED = ("polsby_popper", "reock", "hull")
SAME_GROUND = 1e-9  # of a unit's area: less is rounding, or a vertex on a border


@dataclass(frozen=True, eq=False)
class Cases:
    """The cases of the last 12 months on the ground of a plan."""

    place: np.ndarray  # (n,) points
    hours: np.ndarray  # (n,) what each takes
    open: np.ndarray  # (n,) whether it still is
    recent: np.ndarray  # (n,) whether it is of the last 12 months; older ones are here while they are open


class Parent(NamedTuple):
    """A community as a plan has it."""

    name: str
    street: str


@dataclass(frozen=True, eq=False)
class State:
    """A plan at one of its edits, with all that is told of its units."""

    plan: Plan  # with the units around it, which keep their ground
    numbers: pd.DataFrame  # by code: `buildings`, SUMMED, area_m2, parts, SHAPED; those inside alone
    fate: Mapping[str, str]  # of units that differ from the base: new or redrawn
    gone: frozenset[str]  # codes of the base that are no more
    parents: Mapping[str, Parent]  # the communities of the units inside, by code


@dataclass(frozen=True, eq=False)
class Tally:
    """Where the cases of a plan lie at one of its edits."""

    unit: np.ndarray  # (n,) the code of the unit each is in, "" in none
    numbers: pd.DataFrame  # by code: incidents, hours, open


def named(name: str) -> str:
    """Return a name as it is kept.

    Raises
    ------
    PlanUnnamed
    """
    kept = on_one_line(name)
    if not 0 < len(kept) <= LONGEST_NAME:
        raise PlanUnnamed(most=LONGEST_NAME)
    return kept


def on_one_line(text: str) -> str:
    """Return a text without what cannot be printed, and with single spaces.

    >>> on_one_line("  甲   社区 ")
    '甲 社区'
    """
    return "".join(each for each in " ".join(text.split()) if each.isprintable())


def numbers(plan: Plan, codes: Collection[str]) -> pd.DataFrame:
    """Return what units hold and how they are shaped, by code.

    contiguous means one part; the measures of shape are those of `gis.compactness`.
    """
    units = plan.units.loc[list(codes)]
    held = plan.buildings[plan.buildings["home"].isin(units.index)]
    sums = held[list(SUMMED)].groupby(held["home"]).sum().reindex(units.index, fill_value=0)
    sums["buildings"] = held["home"].value_counts().reindex(units.index, fill_value=0)
    sums["area_m2"] = to_metric(units.geometry).area if len(units) else 0.0
    sums["parts"] = shapely.get_num_geometries(units.geometry.to_numpy())
    return sums.join(compactness(units) if len(units) else pd.DataFrame(columns=SHAPED))


def base_state(plan: Plan, inside: Collection[str], parents: Mapping[str, Parent]) -> State:
    """Return the state of a plan before its first edit."""
    above = {code: each.street for code, each in parents.items()}
    return State(replace(plan, above=above), numbers(plan, inside), {}, frozenset(), parents)


def edited(
    base: State, before: State, after: Plan, changed: Collection[str], gone: Collection[str],
    parents: Mapping[str, Parent] | None = None,
) -> State:  # fmt: skip
    """Return the state after an edit of `changed` units, which leaves none of the `gone`."""
    parents = before.parents if parents is None else parents
    above = {code: each.street for code, each in parents.items()}
    after = replace(after, locked=frozenset(), beyond=frozenset(), spent=frozenset(), above=above)
    around = set(before.plan.units.index) - set(before.numbers.index)
    inside = [code for code in changed if code not in around]
    kept = before.numbers.drop(index=[*gone, *inside], errors="ignore")
    fresh = numbers(after, inside)
    fate = {code: each for code, each in before.fate.items() if code not in gone}
    for code in changed:
        fate.pop(code, None)
        if told := differs(base.plan.units, after.units, code):
            fate[code] = told
    ours = set(base.plan.units.index)
    lost = (before.gone | (set(gone) & ours)) - set(changed)
    together = pd.concat([kept, fresh]) if len(fresh) else kept
    order = after.units.index[after.units.index.isin(together.index)]
    return State(after, together.loc[order], fate, frozenset(lost), parents)


def differs(base: gpd.GeoDataFrame, now: gpd.GeoDataFrame, code: str) -> str | None:
    """Return whether a unit is new or redrawn beside the base; one with new vertices alone is neither."""
    if code not in base.index:
        return "new"
    was, it = base.loc[code], now.loc[code]
    if (was["name"], was["parent_code"]) != (it["name"], it["parent_code"]):
        return "redrawn"
    if was.geometry is it.geometry:
        return None
    off = shapely.area(shapely.symmetric_difference(was.geometry, it.geometry))
    return "redrawn" if off > SAME_GROUND * shapely.area(was.geometry) else None


def tally(cases: Cases, plan: Plan, inside: Collection[str]) -> Tally:
    """Return where the cases lie in the units inside."""
    unit = np.full(len(cases.place), "", dtype=object)
    _placed(cases, unit, plan.units.loc[list(inside)], np.arange(len(unit)))
    return Tally(unit, _counted(cases, unit, inside))


def retallied(cases: Cases, before: Tally, after: State, touched: Collection[str]) -> Tally:
    """Return where the cases lie after an edit that touched these units, gone ones among them."""
    unit = before.unit.copy()
    asked = np.flatnonzero(pd.Index(unit).isin([*touched, ""]))
    left = [code for code in touched if code in after.numbers.index]
    unit[asked] = ""
    _placed(cases, unit, after.plan.units.loc[left], asked)
    kept = before.numbers.drop(index=list(touched), errors="ignore")
    return Tally(unit, pd.concat([kept, _counted(cases, unit, left)]) if left else kept)


def _placed(cases: Cases, unit: np.ndarray, units: gpd.GeoDataFrame, asked: np.ndarray) -> None:
    if not len(units) or not len(asked):
        return
    place, at = shapely.STRtree(cases.place[asked]).query(units.geometry.to_numpy(), predicate="intersects")
    unit[asked[at[::-1]]] = units.index.to_numpy()[place[::-1]]  # on a border: in the first of both


def _counted(cases: Cases, unit: np.ndarray, codes: Collection[str]) -> pd.DataFrame:
    among = pd.Index(unit).isin(list(codes))
    rows = pd.DataFrame(
        {
            "incidents": cases.recent[among].astype(int),
            "hours": cases.hours[among],
            "open": cases.open[among].astype(int),
        }
    )
    found = rows.groupby(unit[among]).sum() if len(rows) else rows.set_index(pd.Index([], dtype=object))
    return found.reindex(list(codes), fill_value=0)


def told(state: State, where: Tally, terms: Mapping[str, float]) -> pd.DataFrame:
    """Return all numbers of the units of a plan, deviations and size bands among them.

    deviation = households / mean of all units of the plan - 1.
    """
    found = state.numbers.join(where.numbers)
    households = found["households"].to_numpy(dtype=float)
    mean = households.mean() if len(households) else 0.0
    return found.assign(
        hours=found["hours"].to_numpy() + terms["visits"] * households,
        deviation=households / mean - 1 if mean else 0.0,
        band=np.select([households < terms["least"], households > terms["most"]], [-1, 1], 0),
        contiguous=found["parts"].to_numpy() == 1,
        changed=[state.fate.get(code) for code in found.index],
    )


def totals(found: pd.DataFrame) -> dict[str, Any]:
    """Return the sums and means of what `told` tells, the farthest from the mean, and how many are amiss."""
    sums = found[list(COUNTED)].to_numpy(dtype=float).sum(axis=0)
    means, band = sums / max(len(found), 1), found["band"].to_numpy()
    return {
        "units": len(found), **dict(zip(COUNTED, sums.tolist(), strict=True)),
        "mean": dict(zip(COUNTED, means.tolist(), strict=True)),
        "farthest": float(np.abs(found["deviation"].to_numpy()).max(initial=0.0)),
        "below": int((band < 0).sum()), "above": int((band > 0).sum()),
        "apart": int((~found["contiguous"].to_numpy()).sum()),
    }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Moved:
    """What lies in another unit than in the base."""

    buildings: pd.Index
    cases: np.ndarray  # (n,) of all cases, whether each does


def moved(base: State, was: Tally, state: State, now: Tally) -> Moved:
    """Return the buildings and cases that are in a unit of another code than in the base."""
    other = base.plan.buildings["home"].to_numpy() != state.plan.buildings["home"].to_numpy()
    return Moved(base.plan.buildings.index[other], was.unit != now.unit)


def changes(base: State, cases: Cases, state: State, gone: Moved) -> dict[str, Any]:
    """Return what would change against the base, in numbers and codes."""
    inside = {code: each for code, each in state.fate.items() if code in state.numbers.index}
    held = base.plan.buildings.loc[gone.buildings, list(SUMMED)].sum()
    return {
        "new": sorted(code for code, each in inside.items() if each == "new"),
        "redrawn": sorted(code for code, each in inside.items() if each == "redrawn"),
        "gone": sorted(state.gone),
        "buildings": len(gone.buildings),
        **{name: held[name].item() for name in SUMMED},
        "open_cases": int((gone.cases & cases.open).sum()),
    }  # fmt: skip


def homes(before: Plan, after: Plan) -> dict[str, str]:
    """Return the buildings that have come into another unit, with that."""
    was, now = before.buildings["home"], after.buildings["home"]
    other = was.to_numpy() != now.to_numpy()
    return now[other].to_dict()


def known(units: Collection[str], codes: Collection[str]) -> None:
    """Return if all codes are of these units.

    Raises
    ------
    UnknownGrid
    """
    for code in codes:
        if code not in units:
            raise UnknownGrid(code=code)


def touched(base: State, state: State) -> set[str]:
    """Return the codes that differ between the base and a state, gone ones among them."""
    return {*state.fate, *state.gone}


def reparented(parents: Mapping[str, Parent], told: Mapping[str, Sequence | None]) -> dict[str, Parent]:
    """Return the communities of a plan after an edit: those it made with name and street; None are no more."""
    after = {code: each for code, each in parents.items() if code not in told}
    return after | {code: Parent(*each) for code, each in told.items() if each}


def replayed(
    base: State, before: State, changes: gpd.GeoDataFrame, homes: Mapping[str, str],
    parents: Mapping[str, Parent],
) -> State:  # fmt: skip
    """Return the state that stored changes lead to: by code name, parent_code and geometry (None: gone)."""
    there = changes[shapely.is_geometry(changes.geometry.to_numpy())]
    units = before.plan.units
    gone = changes.index.difference(there.index).intersection(units.index)
    kept = units.drop(index=units.index.intersection(changes.index))
    after = gpd.GeoDataFrame(pd.concat([kept, there]), crs=units.crs)
    order = [code for code in units.index if code in after.index]
    order += [code for code in there.index if code not in units.index]
    buildings = before.plan.buildings.copy()
    moved = buildings.index.isin(list(homes))
    buildings.loc[moved, "home"] = [homes[code] for code in buildings.index[moved]]
    plan = Plan(after.loc[order], buildings)
    return edited(base, before, plan, list(there.index), list(gone), parents)
