"""Pure decisions of files of plans: what leaves, which column is which, and which units are new."""

from collections.abc import Callable, Collection, Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.crs import to_metric
from gridmgr.boundary_plan.queries import Standing
from gridmgr.boundary_plan.rules import State
from gridmgr.errors import Problem
from gridmgr.hierarchy.model import MICRO_GRID
from gridmgr.importing.rules import guess_columns
from gridmgr.plan_file.model import CodeDivided, CodesGiven, CodesMissing, CodeTooLong, ParentUnknown

DRAWN_ON = "drawn_on"  # column: the edit a file was taken away at
LONGEST = {"code": 32, "name": 200, "parent_code": 32}
ATTRIBUTES = ("code", "name", "parent")


def layers(at: Standing, tip: int | None, locked: Collection[str]) -> dict[str, gpd.GeoDataFrame]:
    """Return a plan as the layers of a map file: what is drawn on first, then what lies under it."""
    numbers = at.numbers().drop(columns=["parts"])
    units = at.state.plan.units.loc[numbers.index, ["name", "parent_code", "geometry"]].join(numbers)
    units["locked"] = units.index.isin(list(locked))
    units[DRAWN_ON] = tip or 0
    inside = at.base.plan.units.loc[at.base.numbers.index, ["name", "parent_code", "geometry"]]
    named = {MICRO_GRID: units, "building": at.state.plan.buildings, "today": inside}
    return {name: frame.rename_axis("code").reset_index() for name, frame in named.items()}


def columns(layer: str, known: Collection[str], parent: str | None = None) -> dict[str, str]:
    """Return which columns of a layer hold code, name and parent; ours → theirs; that of the parent may be told.

    Raises
    ------
    CodesMissing
    """
    found = guess_columns(known, MICRO_GRID) | ({"parent": parent} if parent else {})
    if "code" not in found or found.get("parent", found["code"]) not in known:
        raise CodesMissing(layer=layer, known=", ".join(map(str, known))[:200])
    return {ours: found[ours] for ours in ATTRIBUTES if ours in found}


def rows(frame: gpd.GeoDataFrame, theirs: Mapping[str, str]) -> gpd.GeoDataFrame:
    """Return the units of a layer with our names for its columns: code, name, parent_code as text, or None.

    Raises
    ------
    CodeTooLong
    """
    found = {
        "parent_code" if ours == "parent" else ours: frame[name].map(text) for ours, name in theirs.items()
    }
    told = gpd.GeoDataFrame(found, geometry=frame.geometry.to_numpy(), crs=frame.crs).reset_index(drop=True)
    for column in set(found):
        for value in told[column].dropna():
            if len(value) > LONGEST[column]:
                raise CodeTooLong(code=value[:60], most=LONGEST[column])
    for column in ("name", "parent_code"):
        if column not in told:
            told[column] = None
    return told.astype(dict.fromkeys(LONGEST, object))


def text(value: object) -> str | None:
    """Return a cell as text without blanks around it or decimals on a whole number; None when empty.

    >>> text(" 51 "), text(7.0), text(float("nan")), text("")
    ('51', '7', None, None)
    """
    if pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "".join(each for each in str(value) if each.isprintable()).strip() or None


def coded(
    told: gpd.GeoDataFrame, before: State, free: Callable[[str, int, Collection[str]], list[str]]
) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """Return the units by code: of pieces with one code the largest keeps it, all others get free ones.

    A new unit keeps the name it was given; a copy of another's gives way to its code.
    `free` gives so many free codes of a parent that are none of those given.
    """
    told = told.assign(parent_code=_parents(told, before))
    size = to_metric(told.geometry).area.to_numpy()
    order = np.lexsort((-size, told["code"].fillna("").to_numpy(dtype=str)))
    again = pd.Series(told["code"].iloc[order]).duplicated().reindex(told.index)
    fresh = told["code"].isna() | again
    taken = {*before.plan.units.index, *told["code"].dropna()}
    code = told["code"].copy()
    for parent, own in told[fresh].groupby("parent_code"):
        code[own.index] = free(parent, len(own), taken)
        taken.update(code[own.index])
    copied = told["name"].isin(
        told["name"][~fresh]
    )  # a unit cut in two at another desk brings its name twice
    name = told["name"].where(~fresh | (told["code"].isna() & told["name"].notna() & ~copied), code)
    found = gpd.GeoDataFrame(
        {"name": name.to_numpy(), "parent_code": told["parent_code"].to_numpy()}, geometry=told.geometry.to_numpy(),
        index=pd.Index(code.to_numpy(dtype=object), name="code"), crs=told.crs,
    )  # fmt: skip
    return found, _noted(told["code"], code, fresh)


def _parents(told: gpd.GeoDataFrame, before: State) -> pd.Series:
    """The parent of each unit: as told, its own before, or that of the ground under it."""
    units = before.plan.units
    tree = shapely.STRtree(units.geometry.to_numpy())
    under = units["parent_code"].to_numpy()[tree.nearest(shapely.point_on_surface(told.geometry.to_numpy()))]
    own = told["code"].map(units["parent_code"])
    return told["parent_code"].fillna(own).fillna(pd.Series(under, index=told.index))


def parents(
    drawn: gpd.GeoDataFrame, before: State, fits: Callable[[str], bool]
) -> dict[str, tuple[str, str] | None]:
    """Return the communities that are new, by name and street, and those that no unit belongs to any more.

    `fits` tells whether a code could be a community's. A new one belongs to the street that holds most of its ground.

    Raises
    ------
    ParentUnknown
    """
    found: dict[str, tuple[str, str] | None] = {}
    for parent, own in drawn.groupby("parent_code", sort=False):
        if parent not in before.parents:
            if not fits(parent):
                raise ParentUnknown(code=own.index[0], parent=parent)
            found[parent] = (parent, _street(own, before))
    left = set(before.parents) - set(drawn["parent_code"])
    return found | dict.fromkeys(sorted(left))


def _street(own: gpd.GeoDataFrame, before: State) -> str:
    units = before.plan.units.loc[before.numbers.index]
    shapes = shapely.point_on_surface(own.geometry.to_numpy())
    under = units["parent_code"].to_numpy()[shapely.STRtree(units.geometry.to_numpy()).nearest(shapes)]
    streets = pd.Series([before.parents[each].street for each in under])
    return to_metric(own.geometry).area.groupby(streets.to_numpy()).sum().idxmax()


def _noted(was: pd.Series, code: pd.Series, fresh: pd.Series) -> list[Problem]:
    notes: list[Problem] = [
        CodeDivided(code=one, parts=len(new) + 1, new=", ".join(new))
        for one, new in code[fresh & was.notna()].groupby(was).apply(list).items()
    ]
    if blank := list(code[was.isna()]):
        notes.append(CodesGiven(new=", ".join(blank)))
    return notes


def drawn_on(frame: pd.DataFrame) -> int | None:
    """Return the edit a file says that it was taken away at; None if it does not say."""
    found = pd.to_numeric(frame.get(DRAWN_ON, pd.Series(dtype=float)), errors="coerce").dropna()
    return int(found.max()) if len(found) and 0 <= found.max() < 2**63 else None
