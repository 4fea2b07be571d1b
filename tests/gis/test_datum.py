"""A coordinate keeps its place whatever datum it travels in, and a wrong declaration shows."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from gis.datum import DATUMS, MIN_POINTS, OUTLINE, fit, fit_layer, from_wgs84, to_wgs84
from gis.errors import UndeclaredDatum, UnknownDatum

WEST, SOUTH, EAST, NORTH = OUTLINE
china = st.tuples(st.floats(73.0, 135.5), st.floats(17.0, 54.0))
box = st.tuples(st.floats(WEST, EAST), st.floats(SOUTH, NORTH))
shifted = st.sampled_from(["gcj02", "bd09"])


def metres(lon, lat, other_lon, other_lat):
    return Geod(ellps="WGS84").inv(lon, lat, other_lon, other_lat)[2]


@pytest.fixture(scope="module")
def old_town():
    """Four hundred houses of 12 m, 40 m apart with crooked rows, in the middle of Hangzhou."""
    rng = np.random.default_rng(7)
    x, y = np.meshgrid(np.arange(20) * 40.0, np.arange(20) * 40.0)
    centres = np.column_stack([x.ravel(), y.ravel()]) + rng.uniform(-8, 8, (400, 2))
    metric = gpd.GeoSeries(
        shapely.buffer(shapely.points(centres + np.array([200000, 3350000])), 6), crs=32651
    )
    return gpd.GeoDataFrame(geometry=metric.to_crs(4326))


@pytest.fixture(scope="module")
def doors(old_town):
    rng = np.random.default_rng(8)
    points = old_town.representative_point()
    return points.x + rng.normal(0, 4e-5, 400), points.y + rng.normal(0, 4e-5, 400)


def test_published_points_come_out_as_published():
    gcj = from_wgs84(116.404, 39.915, "gcj02")
    assert (float(gcj[0]), float(gcj[1])) == pytest.approx((116.41024449916938, 39.91640428150164), abs=1e-9)
    bd = from_wgs84(*to_wgs84(116.404, 39.915, "gcj02"), "bd09")
    assert (float(bd[0]), float(bd[1])) == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(china, shifted)
def test_there_and_back_is_the_same_place(place, datum):
    assert metres(*place, *to_wgs84(*from_wgs84(*place, datum), datum)) < 0.01


@settings(deadline=None, max_examples=50)
@given(china, shifted)
def test_back_and_there_gives_the_same_numbers(place, datum):
    assert metres(*place, *from_wgs84(*to_wgs84(*place, datum), datum)) < 0.01


@settings(deadline=None, max_examples=50)
@given(box, shifted)
def test_the_edge_of_the_box_is_no_exception(place, datum):
    assert metres(*place, *to_wgs84(*from_wgs84(*place, datum), datum)) < 0.01


@pytest.mark.parametrize("lon", [105.0, 105.0 + 1e-9, 105.0 - 1e-7])
def test_the_sharp_meridian_of_the_formula_converges(lon):
    assert metres(lon, 35.0, *to_wgs84(*from_wgs84(lon, 35.0, "gcj02"), "gcj02")) < 0.01


@settings(deadline=None, max_examples=50)
@given(china, shifted)
def test_a_wrong_datum_moves_a_point_by_streets_not_by_cities(place, datum):
    assert 30 < metres(*place, *from_wgs84(*place, datum)) < 2000


@pytest.mark.parametrize("place", [(-77.03, 38.9), (139.69, 35.69), (151.2, -33.87), (2.35, 48.86)])
@pytest.mark.parametrize("datum", DATUMS)
def test_abroad_nothing_moves(place, datum):
    for convert in (from_wgs84, to_wgs84):
        lon, lat = convert(*place, datum)
        assert (float(lon), float(lat)) == place


def test_a_survey_is_a_device_within_decimetres():
    lon, lat = to_wgs84([116.4, 120.2], [39.9, 30.3], "cgcs2000")
    assert lon.tolist() == [116.4, 120.2] and lat.tolist() == [39.9, 30.3]


def test_shapes_are_kept_and_missing_places_stay_missing():
    assert from_wgs84(120.0, 30.0, "gcj02")[0].shape == ()
    lon, lat = to_wgs84(np.full((2, 3), 120.0), 30.0, "bd09")
    assert lon.shape == lat.shape == (2, 3)
    lon, lat = to_wgs84([np.nan, 120.0, 120.0, np.inf], [30.0, np.nan, 30.0, 30.0], "gcj02")
    assert np.isnan(lon[0]) and lat[0] == 30.0 and lon[1] == 120.0 and np.isnan(lat[1])
    assert lon[2] != 120.0 and np.isinf(lon[3])
    assert to_wgs84([], [], "gcj02")[0].shape == (0,)


def test_the_caller_s_arrays_are_left_alone():
    lon, lat = np.array([120.0]), np.array([30.0])
    from_wgs84(lon, lat, "gcj02")
    from_wgs84(lon, lat, "wgs84")[0][0] = 0
    assert lon[0] == 120.0 and lat[0] == 30.0


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("convert", [from_wgs84, to_wgs84])
def test_an_undeclared_datum_is_refused(convert, nothing):
    with pytest.raises(UndeclaredDatum, match="wgs84, cgcs2000, gcj02, bd09"):
        convert(120.0, 30.0, nothing)


def test_an_unknown_datum_is_refused_and_spelling_is_not_a_datum():
    with pytest.raises(UnknownDatum, match="mars"):
        to_wgs84(120.0, 30.0, "mars")
    assert to_wgs84(120.0, 30.0, "GCJ-02")[0] == to_wgs84(120.0, 30.0, "gcj02")[0]


@pytest.mark.parametrize("true", ["gcj02", "bd09"])
def test_shifted_reports_under_a_wgs84_label_are_pointed_out(old_town, doors, true):
    found = fit(*from_wgs84(*doors, true), old_town, "wgs84")
    assert found.suggested == true
    assert found.size == 400 and set(found.evidence.index) == {"wgs84", "gcj02", "bd09"}
    assert found.evidence.near[true] > 0.95 > found.evidence.near["wgs84"]
    assert f"better as {true}" in str(found.problem) and "than as wgs84" in str(found.problem)


def test_reports_wrongly_declared_as_shifted_are_pointed_out(old_town, doors):
    assert fit(*doors, old_town, "gcj02").suggested == "wgs84"


@pytest.mark.parametrize("declared", ["wgs84", "cgcs2000"])
def test_an_honest_declaration_is_left_in_peace(old_town, doors, declared):
    found = fit(*doors, old_town, declared)
    assert found.suggested is None and found.problem is None


def test_too_few_points_prove_nothing(old_town, doors):
    lon, lat = from_wgs84(*doors, "gcj02")
    assert fit(lon[: MIN_POINTS - 1], lat[: MIN_POINTS - 1], old_town, "wgs84").suggested is None
    assert fit(lon[:MIN_POINTS], lat[:MIN_POINTS], old_town, "wgs84").suggested == "gcj02"


def test_points_far_from_every_building_prove_nothing(old_town, doors):
    lon, lat = from_wgs84(doors[0] + 0.3, doors[1], "gcj02")
    assert fit(lon, lat, old_town, "wgs84").suggested is None


def test_points_strewn_at_random_prove_nothing(old_town):
    rng = np.random.default_rng(9)
    west, south, east, north = old_town.total_bounds + np.array([-0.02, -0.02, 0.02, 0.02])
    found = fit(rng.uniform(west, east, 2000), rng.uniform(south, north, 2000), old_town, "gcj02")
    assert found.suggested is None


def test_no_buildings_or_no_points_prove_nothing(old_town, doors):
    assert fit(*doors, old_town.iloc[:0], "gcj02").suggested is None
    assert fit([np.nan, 500.0], [1.0, 1.0], old_town, "gcj02").size == 0


def test_a_long_batch_is_sampled_the_same_way_every_time(old_town, doors):
    lon, lat = from_wgs84(*doors, "gcj02")
    first, second = (fit(lon, lat, old_town, "wgs84", sample=100) for _ in range(2))
    assert first.size == 100 and first.suggested == "gcj02"
    assert first.evidence.equals(second.evidence)


def test_a_layer_of_shifted_footprints_is_pointed_out(old_town):
    def move(xy):
        return np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], "gcj02"))

    moved = old_town.set_geometry(shapely.transform(old_town.geometry.array, move), crs=4326)
    assert fit_layer(moved, old_town, "wgs84").suggested == "gcj02"
    assert fit_layer(old_town, old_town, "wgs84").suggested is None


@pytest.mark.city
def test_hangzhou_under_the_wrong_label_is_pointed_out(real_data):
    houses = gpd.read_file(real_data / "osm_buildings" / "hangzhou_buildings.geojson")
    points = houses.representative_point()
    found = fit(*from_wgs84(points.x, points.y, "gcj02"), houses, "wgs84")
    assert found.suggested == "gcj02" and found.evidence.inside["gcj02"] == 1.0
