"""Plans that gape and overlap: closed within a tolerance, whatever stands in them, and nothing locked moves."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawn import place

from gis import adoption, closing, plan
from gis.mending import repair
from gis.repair import BadTolerance

CODES = ["sw", "se", "nw", "ne"]


def four(gap: float = 4, over: float = 3) -> plan.Plan:
    """Four blocks of 100 m: a gap between sw and nw that ends at a corner, se over ne, and a house in each."""
    boxes = [
        place(0, 0, 100, 100) - place(20, 100 - gap, 80, 100), place(100, 0, 200, 100 + over),
        place(0, 100, 100, 200), place(100, 100, 200, 200),
    ]  # fmt: skip
    units = gpd.GeoDataFrame({"name": CODES, "parent_code": "p"}, geometry=boxes, index=CODES, crs=4326)
    walls = [place(x, y, x + 10, y + 10) for y in (40, 140) for x in (40, 140)]
    rows = {"home": CODES, "households": 5}
    return plan.Plan(units, gpd.GeoDataFrame(rows, geometry=walls, index=list("1234"), crs=4326))


def whole(after: plan.Plan) -> bool:
    shapes = after.units.geometry.to_numpy()
    ground = shapely.union_all(shapes)
    return bool(shapely.coverage_is_valid(shapes)) and not len(ground.interiors)


def test_gaps_and_overlaps_are_closed_and_what_is_sound_is_the_same():
    before = four()
    after = repair(before, within_m=5)
    assert whole(after) and not whole(before)
    assert after.buildings["home"].tolist() == CODES
    assert repair(after, within_m=5) is after
    sound = replace(before, units=before.units.loc[["nw"]], buildings=before.buildings.iloc[2:3])
    assert repair(sound) is sound


def test_what_is_broader_than_told_stays():
    assert not whole(repair(four(gap=12, over=12), within_m=5))
    assert whole(repair(four(gap=12, over=12), within_m=15))
    for nothing in (0, -1, np.nan):
        with pytest.raises(BadTolerance):
            repair(four(), within_m=nothing)


@pytest.mark.parametrize("locked", [["se"], ["ne", "nw"], ["sw", "ne"]])
def test_the_neighbours_of_what_is_locked_give_way(locked):
    before = replace(four(), locked=frozenset(locked))
    after = repair(before, within_m=5)
    assert whole(after)
    for code in locked:
        was, now = before.units.geometry[code], after.units.geometry[code]
        assert shapely.area(shapely.symmetric_difference(was, now)) < 1e-6 * was.area


def test_pieces_are_joined_where_no_building_stands():
    bare = four(gap=0.001, over=0)
    torn = bare.units.geometry.copy()
    torn["sw"] = shapely.MultiPolygon([place(0, 0, 100, 100), place(150, 150, 200, 200)])
    torn["ne"] = torn["ne"] - place(150, 150, 200, 200)
    nothing = bare.buildings.iloc[:0]
    after = repair(replace(bare, units=bare.units.set_geometry(torn), buildings=nothing))
    assert whole(after) and set(shapely.get_num_geometries(after.units.geometry.to_numpy())) == {1}


def test_an_island_in_a_gap_all_around_it_is_no_part_of_the_gap():
    island = four(gap=0.001, over=0).units.geometry.copy()
    ground = shapely.union_all(island.to_numpy())
    island["ne"] = place(102, 102, 198, 198)
    fitted, _ = closing.fitted(gpd.GeoDataFrame(geometry=island, crs=4326), ground, 5)
    assert whole(replace(four(), units=fitted))


def test_no_border_is_closed_through_a_building():
    """A house stands over the gap, most of it in nw, and one under the overlap, most of it in ne."""
    sheet = four(gap=6, over=5)
    walls = [place(30, 92, 40, 125), place(140, 101, 150, 140)]
    rows = {"home": ["nw", "ne"], "households": 5}
    standing = gpd.GeoDataFrame(rows, geometry=walls, index=["1", "2"], crs=4326)
    sheet = replace(sheet, buildings=standing)
    after = repair(sheet, within_m=8)
    fitted, _ = closing.fitted(sheet.units, shapely.union_all(after.units.geometry.to_numpy()), 8, walls)
    for units in (after.units, fitted):
        assert whole(replace(sheet, units=units))
        within = shapely.intersection(walls, units.geometry[["nw", "ne"]].to_numpy())
        assert (shapely.area(within) > 0.8 * shapely.area(walls)).all()
        cut = shapely.intersection(walls[1], units.geometry["se"])
        assert shapely.area(cut) < 0.01 * shapely.area(walls[1])
    assert after.buildings["home"].tolist() == ["nw", "ne"]


def test_what_is_drawn_elsewhere_is_fitted_onto_the_ground_of_a_plan():
    sheet = repair(four(), within_m=5)
    ground = adoption.ground(sheet, CODES)
    drawn = four().units.set_geometry(four().units.translate(1.5e-5, -1e-5))
    assert len(adoption.faults(sheet, drawn, CODES))
    fitted, moves = closing.fitted(drawn, ground, 5)
    assert not len(adoption.faults(sheet, fitted, CODES))
    assert set(moves["what"]) == {"gap_filled", "overlap_cut"} and moves["size_m"].max() < 5.001
    assert shapely.area(fitted.geometry.to_numpy()).sum() == pytest.approx(ground.area, rel=1e-9)
    gone = drawn.set_geometry(drawn.translate(1, 0))
    assert len(adoption.faults(sheet, closing.fitted(gone, ground, 5)[0], CODES))
