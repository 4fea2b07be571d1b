"""Proposals: the ground around buildings, lines led around them, and new grids made of both."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.compactness import compactness
from gis.detour import EndsInBuilding, around
from gis.proposal import NothingToBalance, OneOutweighs, UnknownMeasure, propose
from gis.samples import sized
from gis.tessellation import NoBuildings, cells
from gis.zoning import TooManyZones


@pytest.fixture(scope="module")
def place() -> tuple[gpd.GeoDataFrame, shapely.Geometry]:
    """A community of the sample, and its buildings."""
    levels = sized("tiny")
    community = levels["community"].iloc[0]
    houses = levels["building"].set_index("code")
    return houses[houses.index.str.startswith(community["code"])], community.geometry


def test_cells_cover_the_community_and_cut_no_building(place):
    houses, area = place
    found = cells(houses.geometry, area)
    ground = found.cell.to_numpy()
    assert shapely.coverage_is_valid(ground)
    assert shapely.symmetric_difference(shapely.union_all(ground), area).area < 1e-9 * area.area
    home = ground[found.block]
    assert shapely.contains(shapely.buffer(home, 1e-8), houses.geometry.to_numpy()).all()


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(3, 25), st.integers(3, 25)), min_size=1,
                max_size=12))  # fmt: skip
@settings(max_examples=25)
def test_however_buildings_stand_none_is_cut(boxes):
    houses = gpd.GeoSeries([at(x, y, x + w, y + h) for x, y, w, h in boxes], crs=32650)
    found = cells(houses, at(-20, -20, 110, 110))
    ground = found.cell.to_numpy()
    assert shapely.coverage_is_valid(ground)
    assert shapely.area(ground).sum() == pytest.approx(at(-20, -20, 110, 110).area, rel=1e-9)
    assert set(shapely.get_num_geometries(ground)) == {1}
    inside = shapely.area(shapely.intersection(ground[found.block], houses.to_numpy()))
    assert inside == pytest.approx(houses.area.to_numpy(), rel=1e-6)


def at(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A box on the central meridian of its zone."""
    return shapely.box(500_000 + west, 3_400_000 + south, 500_000 + east, 3_400_000 + north)


HORSESHOE = shapely.difference(at(0, 0, 90, 100), at(43, 20, 47, 101))  # two arms, four metres apart


def test_in_a_concave_area_every_cell_and_every_proposal_hangs_together():
    walls = [at(25, 75, 40, 90), at(5, 30, 15, 40), at(70, 5, 80, 15), at(75, 70, 85, 80), at(60, 85, 70, 95)]
    houses = gpd.GeoDataFrame({"households": [1] * len(walls)}, geometry=walls, crs=32650)
    found = cells(houses.geometry, HORSESHOE).cell.to_numpy()
    assert set(shapely.get_num_geometries(found)) == {1}
    assert shapely.area(found).sum() == pytest.approx(HORSESHOE.area, rel=1e-9)
    for each in propose(houses, HORSESHOE, 2, ["households"]):
        assert set(shapely.get_num_geometries(each.grids.geometry.to_numpy())) == {1}


def test_ground_that_no_building_reaches_is_a_grid_of_its_own():
    apart = shapely.union(at(0, 0, 50, 50), at(80, 0, 100, 50))
    houses = gpd.GeoSeries([at(5, 5, 10, 10), at(30, 30, 40, 40)], crs=32650)
    found = cells(houses, apart)
    assert shapely.area(found.cell.to_numpy()).sum() == pytest.approx(apart.area)
    assert found.block.tolist() == [0, 1] and found.cell.iloc[2].equals(at(80, 0, 100, 50))
    grids = propose(houses.to_frame("geometry").assign(households=3), apart, 3, ["households"])[0].grids
    assert grids[["households", "buildings"]].to_numpy().tolist() == [[3, 1], [3, 1], [0, 0]]
    assert grids.area.sum() == pytest.approx(apart.area)


def test_buildings_that_touch_share_a_cell_and_none_at_all_is_said():
    row = gpd.GeoSeries(
        [shapely.box(0, 0, 5, 5), shapely.box(5, 0, 9, 5), shapely.box(20, 0, 25, 5)], crs=32650
    )
    assert cells(row, shapely.box(-5, -5, 30, 10)).block.tolist() == [0, 0, 1]
    with pytest.raises(NoBuildings):
        cells(row.iloc[:0], shapely.box(0, 0, 1, 1))


HOUSE = gpd.GeoSeries({"b1": shapely.box(4, -1, 6, 2)}, crs=32650)


def test_a_line_goes_around_a_building_by_the_shorter_side():
    led = around(shapely.LineString([(0, 0), (10, 0)]), HOUSE)
    assert not led.crosses(HOUSE["b1"])
    assert led.bounds[1] < -1
    assert led.coords[0] == pytest.approx((0, 0), abs=1e-6)


def test_a_free_line_stays_as_it_is():
    line = shapely.LineString([(0, 5), (10, 5)])
    assert around(line, HOUSE) is line


def test_a_terrace_is_gone_around_as_one():
    row = gpd.GeoSeries([shapely.box(4, y, 6, y + 3) for y in range(0, 12, 3)], crs=32650)
    led = around(shapely.LineString([(0, 4), (10, 4)]), row)
    assert not shapely.crosses(led, row.to_numpy()).any()


def test_a_line_into_a_building_names_it():
    with pytest.raises(EndsInBuilding, match="b1"):
        around(shapely.LineString([(0, 0), (5, 0)]), HOUSE)


def test_a_proposal_is_a_map_of_whole_buildings(place):
    houses, area = place
    first, *others = propose(houses, area, 6, ["households"], seeds=range(3))
    ground = first.grids.geometry.to_numpy()
    assert shapely.coverage_is_valid(ground)
    assert set(shapely.get_num_geometries(ground)) == {1}
    assert shapely.area(ground).sum() == pytest.approx(area.area, rel=1e-9)
    assert first.grids["households"].sum() == houses["households"].sum()
    assert first.deviation < 0.15
    assert all(first.deviation <= each.deviation + 0.02 for each in others)
    within = shapely.within(houses.geometry.to_numpy(), shapely.buffer(ground[first.home], 1e-8))
    assert within.all()


def test_one_grid_is_the_whole_community(place):
    houses, area = place
    assert propose(houses, area, 1, ["households"])[0].grids.geometry.iloc[0].equals(area)


def test_two_measures_are_balanced_together(place):
    houses, area = place
    rng = np.random.default_rng(5)
    houses = houses.assign(incidents=rng.poisson(3, len(houses)))
    found = propose(houses, area, 4, ["households", "incidents"], seeds=[0])[0]
    for measure in ("households", "incidents"):
        held = found.grids[measure]
        assert (held - held.mean()).abs().max() / held.mean() < 0.15


def test_what_cannot_be_is_said_in_words(place):
    houses, area = place
    with pytest.raises(UnknownMeasure, match="households"):
        propose(houses, area, 2, ["cats"])
    with pytest.raises(NothingToBalance):
        propose(houses.assign(households=0), area, 2, ["households"])
    with pytest.raises(TooManyZones):
        propose(houses, area, 10_000, ["households"])
    heavy = houses.assign(households=[1000] + [1] * (len(houses) - 1))
    with pytest.raises(OneOutweighs, match=houses.index[0]):
        propose(heavy, area, 4, ["households"])


def test_a_square_is_less_compact_than_a_circle_and_a_snake_less_than_both():
    shapes = [shapely.Point(0, 0).buffer(100), shapely.box(0, 0, 100, 100), shapely.box(0, 0, 1000, 10)]
    found = compactness(gpd.GeoDataFrame(geometry=[*shapes, shapely.Polygon()], crs=32650))
    assert (found.iloc[:3].diff().iloc[1:][["polsby_popper", "reock"]] < 0).all(axis=None)
    assert found.iloc[3].isna().all()
    assert found["hull"].iloc[:3].to_numpy() == pytest.approx(1)
