"""Edits of a plan: borders move, buildings stay whole, and what cannot be is said in words."""

from dataclasses import replace
from functools import cache

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import fuzz
from gis import adoption, draft, faces, plan, redraw
from gis.detour import EndsInBuilding
from gis.errors import BadInput
from gis.mending import BandUpsideDown, UnknownColumn, repair
from gis.rezoning import BandUnreachable, PieceLocked
from gis.samples import sized

METRE = 1e-5  # degrees, nearly
NEW = "new"


def at(west, south, east, north) -> shapely.Polygon:
    return shapely.box(*(each * METRE for each in (west, south, east, north)))


def line(*points) -> shapely.LineString:
    return shapely.LineString(np.array(points) * METRE)


@pytest.fixture
def sheet() -> plan.Plan:
    """Four grids of a hundred metres around a crossing, two communities, two houses in each."""
    boxes = {
        "sw": (0, 0, 100, 100),
        "se": (100, 0, 200, 100),
        "nw": (0, 100, 100, 200),
        "ne": (100, 100, 200, 200),
    }
    rows = {"name": list(boxes), "parent_code": ["west", "east", "west", "east"]}
    units = gpd.GeoDataFrame(rows, geometry=[at(*box) for box in boxes.values()], index=list(boxes), crs=4326)
    homes, walls = [], []
    for code, (west, south, *_rest) in boxes.items():
        homes += [code, code]
        walls += [at(west + x, south + 40, west + x + 20, south + 60) for x in (20, 60)]
    names = [f"{code}{side}" for code in boxes for side in "12"]
    houses = gpd.GeoDataFrame({"home": homes, "households": 5}, geometry=walls, index=names, crs=4326)
    return plan.Plan(units, houses)


def sound(after: plan.Plan, before: plan.Plan) -> plan.Plan:
    """The plan, if it is a map of the same ground and each building lies in its home."""
    ground = after.units.geometry.to_numpy()
    assert shapely.coverage_is_valid(ground)
    assert shapely.area(ground).sum() == pytest.approx(
        shapely.area(before.units.geometry.to_numpy()).sum(), rel=1e-9
    )
    homes = after.units.geometry.loc[after.buildings["home"]].to_numpy()
    walls = after.buildings.geometry.to_numpy()
    assert shapely.area(shapely.intersection(homes, walls)) == pytest.approx(shapely.area(walls), rel=1e-6)
    return after


def test_a_split_takes_its_buildings_along_and_keeps_the_parent(sheet):
    after = sound(plan.split(sheet, "sw", line((45, -10), (45, 110)), NEW), sheet)
    assert after.buildings["home"]["sw1"] == NEW
    assert after.units.loc[NEW, ["name", "parent_code"]].tolist() == [NEW, "west"]
    assert plan.changed(sheet, after) == (["sw", "nw", NEW], [])
    assert sheet.buildings["home"]["sw1"] == "sw"


def test_a_line_through_a_house_is_led_around_it(sheet):
    after = sound(plan.split(sheet, "sw", line((35, 0), (35, 100)), NEW), sheet)
    assert sorted(after.buildings["home"][["sw1", "sw2"]]) == [NEW, "sw"]


def test_a_line_that_nearly_reaches_the_border_reaches_it(sheet):
    after = sound(plan.split(sheet, "sw", line((45, 0.3), (45, 99.7)), NEW), sheet)
    assert NEW in after.units.index
    with pytest.raises(redraw.LineEndsInside):
        plan.split(sheet, "sw", line((45, 3), (45, 100)), NEW)


def test_a_line_that_nearly_meets_a_corner_meets_it(sheet):
    after = sound(plan.split(sheet, "sw", line((0.2, 0.3), (50, 30), (99.8, 100.1)), NEW), sheet)
    assert len(after.units.geometry["nw"].exterior.coords) == 5


def test_a_line_into_a_house_names_it(sheet):
    with pytest.raises(EndsInBuilding, match="sw1"):
        plan.reshape(
            sheet.__class__(sheet.units, _straddling(sheet)), "sw", "se", line((100, 50), (80, 60), (100, 80))
        )


def _straddling(sheet) -> gpd.GeoDataFrame:
    walls = sheet.buildings.geometry.copy()
    walls["sw1"] = at(90, 40, 110, 60)
    return sheet.buildings.set_geometry(walls)


def test_both_neighbours_and_their_buildings_follow_a_border(sheet):
    after = sound(
        plan.reshape(sheet, "sw", "se", line((100, 0), (130, 20), (150, 50), (130, 80), (100, 100))), sheet
    )
    assert after.buildings["home"]["se1"] == "sw"
    assert plan.changed(sheet, after) == (["sw", "se"], [])


def test_a_lasso_takes_buildings_and_the_border_follows(sheet):
    after = sound(plan.move(sheet, ["se1"], "sw"), sheet)
    assert after.buildings["home"]["se1"] == "sw"
    assert after.units.geometry["sw"].bounds[2] == pytest.approx(150 * METRE, abs=METRE)
    with pytest.raises(faces.FallsApart):
        plan.move(sheet, ["se2"], "sw")
    with pytest.raises(faces.NothingLeft):
        plan.move(sheet, ["se1", "se2"], "sw")


def test_houses_wall_to_wall_move_together(sheet):
    walls = sheet.buildings.geometry.copy()
    walls["se2"] = at(140, 40, 160, 60)
    terrace = replace(sheet, buildings=sheet.buildings.set_geometry(walls))
    with pytest.raises(faces.NothingLeft):
        plan.move(terrace, ["se1"], "sw")


def test_a_new_grid_takes_from_all_under_it(sheet):
    after = sound(plan.found(sheet, at(15, 30, 90, 170), NEW), sheet)
    assert after.buildings["home"].eq(NEW).sum() == 4
    assert after.units.at[NEW, "parent_code"] == "west"
    with pytest.raises(plan.UnitLocked):
        plan.found(replace(sheet, locked=frozenset({"nw"})), at(15, 30, 90, 170), NEW)
    with pytest.raises(faces.NothingLeft):
        plan.found(sheet, at(-5, -5, 105, 105), NEW)
    with pytest.raises(plan.NothingInside):
        plan.found(sheet, at(500, 500, 600, 600), NEW)


def test_what_lies_beyond_the_plan_is_left_out_of_a_new_grid_and_named_as_such(sheet):
    of_sw = replace(sheet, locked=frozenset({"nw", "ne"}), beyond=frozenset({"nw", "ne"}))
    after = sound(plan.found(of_sw, at(15, 30, 90, 170), NEW), sheet)
    assert after.buildings["home"][after.buildings["home"] == NEW].index.tolist() == ["sw1", "sw2"]
    with pytest.raises(plan.NothingInside):
        plan.found(of_sw, at(15, 130, 90, 170), NEW)
    with pytest.raises(draft.BeyondPlan):
        plan.merge(of_sw, ["sw", "nw"])


@pytest.mark.parametrize("edit", [
    lambda sheet: plan.split(sheet, "sw", line((0, 1), (100, 0.5)), NEW),
    lambda sheet: plan.found(sheet, at(2, 2, 10, 10), NEW),
])  # fmt: skip
def test_a_grid_too_small_to_have_been_meant_is_refused(sheet, edit):
    with pytest.raises(draft.TooSmall):
        edit(sheet)


@pytest.mark.parametrize("code", ["510199001001005", "510199001002004"])
def test_a_border_drawn_elsewhere_may_end_beside_one_by_rounding(code):
    """Metres and back: the new corner lies off its neighbour's border by less than any tool tells."""
    before = replace(tiny(), buildings=tiny().buildings[:0])
    ground = before.units.geometry
    west, south, _east, north = shapely.box(*ground[code].bounds).bounds
    half = shapely.box(west, south, ground[code].centroid.x, north)
    cut = [ground[code] & half, ground[code] - half]
    rest = ground.drop(code)
    drawn = gpd.GeoDataFrame(geometry=[*cut, *rest], index=[code, NEW, *rest.index], crs=4326)
    after = adoption.adopt(before, drawn.to_crs(32648).to_crs(4326), list(ground.index))
    sound(after, before)
    assert NEW in after.units.index and len(after.units) == len(ground) + 1


def test_what_geometry_cannot_do_is_refused_in_words(sheet, monkeypatch):
    def fails(*_given):
        raise shapely.errors.GEOSException("TopologyException: CoverageUnion")

    monkeypatch.setattr(redraw, "reshape", fails)
    with pytest.raises(plan.TooFine):
        plan.reshape(sheet, "sw", "se", line((100, 10), (90, 50), (100, 80)))


def test_a_bow_tie_is_no_grid(sheet):
    with pytest.raises(redraw.LineCrossesItself):
        plan.found(sheet, shapely.Polygon(np.array([(10, 10), (90, 90), (90, 10), (10, 90)]) * METRE), NEW)


def test_joined_units_spend_their_codes(sheet):
    after = sound(plan.merge(sheet, ["sw", "se"]), sheet)
    assert plan.changed(sheet, after) == (["sw"], ["se"])
    with pytest.raises(plan.CodeTaken):
        plan.recode(after, "nw", "se")
    with pytest.raises(plan.OneAlone):
        plan.merge(sheet, ["sw", "sw"])


def test_a_community_must_hang_together_whatever_it_gains(sheet):
    after = sound(plan.transfer(sheet, ["sw"], "east", {"sw": "e3"}), sheet)
    assert after.units["parent_code"].to_dict() == {"e3": "east", "se": "east", "nw": "west", "ne": "east"}
    assert after.buildings["home"]["sw1"] == "e3"
    with pytest.raises(faces.NothingLeft, match="west"):
        plan.transfer(sheet, at(-10, -10, 110, 210), "east")
    with pytest.raises(draft.UnknownParent):
        plan.transfer(sheet, ["sw"], "mars")


@pytest.mark.parametrize("edit", [
    lambda sheet: plan.split(sheet, "sw", line((45, 0), (45, 100)), NEW),
    lambda sheet: plan.merge(sheet, ["se", "sw"]),
    lambda sheet: plan.reshape(sheet, "se", "sw", line((100, 10), (90, 50), (100, 80))),
    lambda sheet: plan.move(sheet, ["sw2"], "se"),
    lambda sheet: plan.move(sheet, ["se1"], "sw"),
    lambda sheet: plan.rename(sheet, "sw", "x"),
    lambda sheet: plan.recode(sheet, "sw", NEW),
    lambda sheet: plan.transfer(sheet, ["sw"], "east"),
])  # fmt: skip
def test_what_is_locked_is_left_alone(sheet, edit):
    with pytest.raises(plan.UnitLocked):
        edit(replace(sheet, locked=frozenset({"sw"})))
    sound(edit(sheet), sheet)


@pytest.mark.parametrize("edit", [
    lambda sheet: plan.split(sheet, "sw", line((45, 0), (45, 100)), "ne"),
    lambda sheet: plan.found(sheet, at(10, 10, 30, 30), "ne"),
    lambda sheet: plan.recode(sheet, "sw", "ne"),
])  # fmt: skip
def test_a_code_is_given_once(sheet, edit):
    with pytest.raises(plan.CodeTaken):
        edit(sheet)


def test_what_lies_in_pieces_is_joined_with_the_fewest_moves(sheet):
    # sw1 is said to be of ne, far from it: its ground goes back to sw
    torn = sheet.units.geometry.copy()
    corner = at(0, 0, 45, 100)
    torn["sw"], torn["ne"] = at(45, 0, 100, 100), shapely.union(torn["ne"], corner)
    torn["nw"] = shapely.Polygon(np.array([(0, 100), (45, 100), (100, 100), (100, 200), (0, 200)]) * METRE)
    homes = sheet.buildings["home"].mask(sheet.buildings.index == "sw1", "ne")
    broken = replace(
        sheet, units=sheet.units.set_geometry(torn), buildings=sheet.buildings.assign(home=homes)
    )
    mended = sound(repair(broken), sheet)
    assert set(shapely.get_num_geometries(mended.units.geometry.to_numpy())) == {1}
    assert (mended.buildings["home"] != homes).sum() == 1
    with pytest.raises(PieceLocked, match="ne"):
        repair(replace(broken, locked=frozenset({"sw", "nw"})))
    assert repair(sheet) is sheet


def test_a_band_is_reached_by_moving_few_buildings_or_it_is_said_which_unit_cannot(sheet):
    plan_of = replace(sheet, buildings=sheet.buildings.assign(households=[9, 3, 3, 3, 6, 6, 6, 6]))
    mended = sound(repair(plan_of, low=8, high=12), sheet)
    assert mended.buildings.groupby("home")["households"].sum().between(8, 12).all()
    assert (mended.buildings["home"] != sheet.buildings["home"]).sum() == 1
    with pytest.raises(BandUnreachable):
        repair(plan_of, low=30, high=31)
    with pytest.raises(BandUpsideDown):
        repair(plan_of, low=9, high=8)
    with pytest.raises(UnknownColumn):
        repair(plan_of, measure="home")


@given(st.lists(
    st.builds(fuzz.Hand, st.sampled_from(list(fuzz.HANDS)), st.integers(0, 99), *[st.floats(0, 1)] * 3),
    min_size=1, max_size=10,
), st.integers(0, 3))  # fmt: skip
@settings(max_examples=15)
def test_whatever_hands_draw_nothing_falls_through(drawn, back):
    now = first = tiny()
    past = []
    for hand in drawn:
        try:
            after = fuzz.edited(now, hand)
        except BadInput:
            continue
        past, now = [*past, now], after
    for each in (now, *past[-back:][:1]):
        fuzz.look(each, shapely.area(first.units.geometry.to_numpy()).sum(), fuzz.Told())


@cache
def tiny() -> plan.Plan:
    return fuzz.sheet(sized("tiny"))
