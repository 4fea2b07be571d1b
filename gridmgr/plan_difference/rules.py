"""Pure decisions of a comparison of plans: which buildings, cases and ground change hands, pair by pair."""

from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis import palette
from gis.difference import moved, moved_ground
from gis.drawing import Choropleth, Class
from gis.ground import united
from gridmgr import paper
from gridmgr.boundary_plan.rules import COUNTED, SUMMED, State, Tally
from gridmgr.i18n import _
from gridmgr.plan_difference.model import Difference, Side
from gridmgr.words import plan_difference as words
from gridmgr.words.plan_difference import MOVED, NOBODY

MOST = 200  # rows of a table that are printed
PAIR = ["was", "now"]
PAIRED = ("buildings", *SUMMED, "incidents", "open_cases")
BESIDE = ("households", "population", "buildings", "incidents", "hours", "area_m2")
FROM = (0, 1, 21, 101)  # households, of the classes of the map
SHARED = 0.01  # of a unit's ground that is enough to lie on another plan's


def inside(state: State, ground: shapely.Geometry | None) -> pd.Index:
    """Return the units of a plan on some ground; all of its own without one."""
    own = state.numbers.index
    if ground is None:
        return own
    shapes = state.plan.units.geometry.loc[own].to_numpy()
    near = shapely.area(shapely.intersection(shapes, ground)) > SHARED * shapely.area(shapes)
    return own[near]


def ground(state: State) -> shapely.Geometry:
    """Return the ground that the units of a plan cover."""
    own = state.plan.units.geometry.loc[state.numbers.index].to_numpy()
    return united(own)


def totals(numbers: pd.DataFrame) -> dict[str, Any]:
    """Return the sums over units, their mean of households, and how many are amiss."""
    return {
        "units": len(numbers), **{name: numbers[name].sum().item() for name in COUNTED},
        "mean": numbers["households"].mean().item() if len(numbers) else 0.0,
        "farthest": numbers["deviation"].abs().max().item() if len(numbers) else 0.0,
        "below": int((numbers["band"] < 0).sum()), "above": int((numbers["band"] > 0).sum()),
        "apart": int((~numbers["contiguous"].astype(bool)).sum()),
    }  # fmt: skip


def compared(
    was: Side, now: Side, placed: tuple[Tally, Tally], cases: Mapping[str, np.ndarray]
) -> Difference:
    """Return what changes hands between two maps; `placed` tells in which unit each case lies on either.

    cases holds whether each is `recent` and `open`.
    """
    buildings = moved_buildings(was.buildings, now.buildings)
    found = moved_ground(was.units[["geometry"]], now.units[["geometry"]])
    numbers = _paired(buildings, placed, cases)
    rows = (
        found.merge(numbers, how="outer", on=PAIR)
        if len(numbers)
        else found.assign(**dict.fromkeys(PAIRED, 0))
    )
    rows[[*PAIRED, "area_m2"]] = rows[[*PAIRED, "area_m2"]].fillna(0)
    rows = rows.astype(dict.fromkeys(PAIRED, int))
    rows = rows.sort_values(["households", "area_m2"], ascending=False, ignore_index=True)
    ground = gpd.GeoDataFrame(rows[[*PAIR, *PAIRED, "area_m2", "geometry"]], crs=now.units.crs)
    touched = {*found["was"], *found["now"]}
    return Difference(was, now, ground, beside(was.units, now.units, touched), buildings)


def moved_buildings(was: gpd.GeoDataFrame, now: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the buildings of both maps that lie in units of different codes: was, now and what is summed."""
    both = now.index.intersection(was.index)
    found = now.loc[both].rename(columns={"home": "now"})
    found.insert(0, "was", was["home"].reindex(both))
    return found[(found["was"] != found["now"]).to_numpy()][[*PAIR, *SUMMED, "geometry"]]


def _paired(
    buildings: gpd.GeoDataFrame, placed: tuple[Tally, Tally], cases: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    was, now = (each.unit for each in placed)
    other = (was != now) & (was != "") & (now != "")
    changing = pd.DataFrame(
        {
            "was": was[other], "now": now[other], "incidents": cases["recent"][other].astype(int),
            "open_cases": cases["open"][other].astype(int),
        }
    )  # fmt: skip
    housed = pd.DataFrame(buildings.drop(columns="geometry")).assign(buildings=1)
    both = pd.concat([housed, changing], ignore_index=True).reindex(columns=[*PAIR, *PAIRED])
    return both.fillna(dict.fromkeys(PAIRED, 0)).groupby(PAIR, as_index=False).sum()


def beside(was: gpd.GeoDataFrame, now: gpd.GeoDataFrame, touched: Collection[str]) -> pd.DataFrame:
    """Return the units that differ between two maps, with each number on both sides, by code.

    `touched` are those that gain or lose ground; one that only got a vertex does not differ. Of those on both maps
    a unit is `reshaped` if its ground is another one, as whoever imports maps is told it (`gis.difference.moved`),
    else `redrawn`: its border was drawn anew by less than that, or it is called otherwise.
    """
    codes = was.index.union(now.index)
    old, new = was.reindex(codes), now.reindex(codes)
    gone, born = new["geometry"].isna(), old["geometry"].isna()
    labelled = (old["name"] == new["name"]) & (old["parent_code"] == new["parent_code"])
    alike = labelled & ~codes.isin(list(touched))
    frame = pd.DataFrame({"name": new["name"].fillna(old["name"]), "fate": "redrawn"}, index=codes)
    both = ~(gone | born).to_numpy()
    other = both.copy()
    other[both] = moved(old["geometry"].to_numpy()[both], new["geometry"].to_numpy()[both])
    frame.loc[other, "fate"], frame.loc[gone, "fate"], frame.loc[born, "fate"] = "reshaped", "gone", "new"
    for name in BESIDE:
        frame[f"{name}_was"], frame[f"{name}_now"] = old[name], new[name]
    return frame[~alike.to_numpy(dtype=bool)].rename_axis("code")


def classes() -> Choropleth:
    """Return the classes of the map of differences: households on each piece of ground."""
    ends = [f"{low}–{high - 1}" for low, high in pairwise(FROM[1:])] + [f"≥ {FROM[-1]}"]
    labels = [_(NOBODY), *ends]
    kinds = [Class(n, palette.COUNTS[n], label) for n, label in enumerate(labels)]
    return Choropleth("klass", _(MOVED), kinds)


def classed(ground: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return ground that changes hands with its class of the map, pieces without a place left out."""
    placed = ground[ground.geometry.notna()]
    return placed.assign(klass=np.digitize(placed["households"], FROM[1:]))


def layers(found: Difference) -> dict[str, gpd.GeoDataFrame]:
    """Return a comparison as the layers of a map file, by name."""
    fates = found.units["fate"]
    return {
        "moved_ground": found.ground[found.ground.geometry.notna()],
        "moved_building": found.buildings.rename_axis("code").reset_index(),
        "micro_grid_was": _plain(found.was.units).assign(fate=fates.reindex(found.was.units.index).to_numpy()),
        "micro_grid_now": _plain(found.now.units).assign(fate=fates.reindex(found.now.units.index).to_numpy()),
    }  # fmt: skip


def _plain(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return units.drop(columns=["parts", "changed"]).rename_axis("code").reset_index()


def names(found: Difference) -> dict[str, str]:
    """Return what the units of both maps are called, by code."""
    return found.was.units["name"].to_dict() | found.now.units["name"].to_dict()


def headings_of_pairs() -> list[str]:
    """Return the headings of the table of pairs, in the language that is spoken."""
    first, second, *rest = map(_, words.PAIRS.values())
    return [_("{level} (code)", level=first), first, _("{level} (code)", level=second), second, *rest]


def rows_of_pairs(found: Difference) -> list[list[Any]]:
    """Return the rows of the table of pairs: code and name on either side, then what moves."""
    called = names(found)
    return [
        [*(each for side in PAIR for each in (row[side], called.get(row[side], ""))), *(row[each] for each in PAIRED),
         round(row["area_m2"], 1)]
        for row in pd.DataFrame(found.ground).to_dict("records")
    ]  # fmt: skip


def rows_of_units(found: Difference) -> list[list[Any]]:
    """Return the rows of the table of units: code, name, fate, then each number as it was and as it would be."""
    columns = [f"{name}_{side}" for name in BESIDE for side in PAIR]
    return [
        [code, row["name"], row["fate"], *(_rounded(row[each]) for each in columns)]
        for code, row in zip(found.units.index, found.units.to_dict("records"), strict=True)
    ]  # fmt: skip


def _rounded(value: float) -> float | None:
    return None if pd.isna(value) else round(float(value), 1)


def printed(found: Difference, facts: Mapping[str, Any]) -> bytes:
    """Return a comparison as a PDF in the language that is spoken; `facts` say who asked and when."""
    from gis.pictures import map_picture  # only whoever prints draws

    shown = classed(found.ground)
    drawn = map_picture(shown, fill=classes(), borders=found.now.units.assign(name="")) if len(shown) else b""
    values = {
        "found": found, "facts": facts, "pairs": rows_of_pairs(found), "units": rows_of_units(found), "most": MOST,
        "totals": words.TOTALS, "columns": words.PAIRS, "beside": words.BESIDE, "fates": words.FATES,
        "picture": bool(drawn), "sheet": paper.STYLE.read_text("utf-8"),
    }  # fmt: skip
    pictures = {"map.png": ("image/png", drawn)} if drawn else {}
    return paper.pdf(paper.page("plan_difference/printed.html", values), pictures)
