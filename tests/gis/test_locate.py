"""Every point gets one answer, the same from the compiled index as from shapely alone."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.ground import COVERAGES, LEVELS
from gis.locate import HOW, Locator, NothingToLocateIn, OtherIndex, UnevenPoints, locate_plain
from gis.samples import sized


def frame(geometry, codes) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"code": codes}, geometry=list(geometry), crs=4326)


def words(located) -> list[str]:
    return [HOW[how] for how in located.how]


def assert_same(ours, plain):
    for level in LEVELS:
        assert (ours.rows[level] != plain.rows[level]).sum() == 0, level
    assert words(ours) == words(plain)
    np.testing.assert_allclose(ours.distance_m, plain.distance_m, rtol=1e-9, atol=1e-6)


def around(levels, number, seed=1, margin=0.2):
    west, south, east, north = levels["street"].total_bounds
    rng, wide, high = np.random.default_rng(seed), east - west, north - south
    return (
        rng.uniform(west - margin * wide, east + margin * wide, number),
        rng.uniform(south - margin * high, north + margin * high, number),
    )


@pytest.fixture(scope="module")
def city():
    return sized("small")


@pytest.fixture(scope="module")
def locator(city):
    return Locator.build(city)


@pytest.fixture(scope="module")
def corners(city):
    return shapely.get_coordinates(np.concatenate([city[level].geometry.values for level in LEVELS]))


class TestAgainstThePlainTwin:
    def test_points_all_over_and_around_the_district(self, city, locator):
        lon, lat = around(city, 20_000)
        located = locator.locate(lon, lat)
        assert {"inside", "outside"} <= set(words(located))
        assert_same(located, locate_plain(city, lon, lat))

    def test_threads_change_nothing(self, city, locator):
        lon, lat = around(city, 200_000)
        one, two = locator.locate(lon, lat, threads=1), locator.locate(lon, lat, threads=2)
        assert all((one.rows[level] == two.rows[level]).all() for level in LEVELS)

    def test_every_corner_of_every_unit(self, city, locator, corners):
        located = locator.locate(*corners.T)
        assert "border" in words(located)
        assert_same(located, locate_plain(city, *corners.T))

    @settings(max_examples=30, deadline=None)
    @given(
        at=st.lists(st.tuples(st.integers(0), st.floats(0, 1), st.integers(-2, 2)), min_size=50, max_size=50)
    )
    def test_a_hair_beside_a_border(self, city, locator, corners, at):
        index = np.array([i % (len(corners) - 1) for i, _, _ in at])
        share = np.array([share for _, share, _ in at])
        points = corners[index] + share[:, None] * (corners[index + 1] - corners[index])
        points[:, 0] += np.array([step for _, _, step in at]) * np.spacing(points[:, 0])
        assert_same(locator.locate(*points.T), locate_plain(city, *points.T))

    @settings(max_examples=40, deadline=None)
    @given(
        boxes=st.lists(
            st.tuples(*[st.integers(-4, 4)] * 2, *[st.integers(1, 5)] * 2), min_size=1, max_size=6
        ),
        turned=st.lists(st.booleans(), min_size=6, max_size=6),
    )
    def test_overlaps_gaps_and_crossings_astride_the_origin(self, boxes, turned):
        shapes = [
            shapely.Polygon([(x, y), (x + w, y + h), (x + w, y), (x, y + h)])
            if bow
            else shapely.box(x, y, x + w, y + h)
            for (x, y, w, h), bow in zip(boxes, turned, strict=False)
        ]
        codes = [str(i) for i in reversed(range(len(shapes)))]
        levels = {"community": frame(shapes, codes), "building": frame(shapes, codes)}
        lon, lat = (axis.ravel() / 4.0 for axis in np.meshgrid(np.arange(-20, 44), np.arange(-20, 44)))
        assert_same(Locator.build(levels).locate(lon, lat), locate_plain(levels, lon, lat))

    @pytest.mark.parametrize("level", COVERAGES)
    def test_any_single_level_will_do(self, city, level):
        lon, lat = around(city, 1000)
        alone = {level: city[level]}
        located = Locator.build(alone).locate(lon, lat)
        assert_same(located, locate_plain(alone, lon, lat))
        assert all((located.rows[other] == -1).all() for other in LEVELS if other != level)

    def test_one_says_what_locate_says(self, city, locator, corners):
        lon, lat = (np.concatenate(pair) for pair in zip(around(city, 300), corners[:300].T, strict=True))
        located = locator.locate(lon, lat)
        for n in range(len(lon)):
            place = locator.one(lon[n], lat[n])
            assert [getattr(place, level) for level in LEVELS] == [
                located.codes(level)[n] for level in LEVELS
            ]
            assert (place.how, place.distance_m) == (HOW[located.how[n]], located.distance_m[n])


class TestTheRules:
    ring = shapely.box(0, 0, 3, 3) - shapely.box(1, 1, 2, 2)

    def test_a_shared_border_goes_to_the_smallest_code(self):
        place = Locator.build(
            {"micro_grid": frame([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], ["b", "a"])}
        )
        assert place.one(1.0, 0.5).micro_grid == "a"
        assert place.one(1.0, 0.5).how == "border"
        assert place.one(np.nextafter(1.0, 0), 0.5).micro_grid == "b"

    def test_of_overlapping_units_the_one_that_holds_it_beats_the_one_it_touches(self):
        levels = {"micro_grid": frame([shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2)], ["b", "a"])}
        locator = Locator.build(levels)
        assert (locator.one(1.0, 1.0).micro_grid, locator.one(1.0, 1.0).how) == ("b", "inside")
        assert locator.one(1.5, 1.0).micro_grid == "a"

    def test_a_hole_is_a_gap_and_its_street_still_holds_it(self):
        levels = {"street": frame([shapely.box(0, 0, 3, 3)], ["s"]), "micro_grid": frame([self.ring], ["m"])}
        place = Locator.build(levels).one(1.1, 1.5)
        assert (place.how, place.street, place.micro_grid) == ("gap", "s", "m")
        assert place.distance_m == pytest.approx(
            pyproj.Geod(ellps="WGS84").inv(1.1, 1.5, 1.0, 1.5)[2], rel=1e-6
        )

    def test_beyond_the_limit_a_gap_keeps_its_street_only(self):
        levels = {"street": frame([shapely.box(0, 0, 3, 3)], ["s"]), "micro_grid": frame([self.ring], ["m"])}
        place = Locator.build(levels).one(1.5, 1.5, max_distance_m=1000)
        assert (place.how, place.street, place.micro_grid) == ("gap", "s", None)

    def test_outside_gives_the_nearest_and_its_distance(self):
        place = Locator.build({"street": frame([shapely.box(104, 30, 104.1, 30.1)], ["s"])}).one(104.2, 30.05)
        assert (place.how, place.street) == ("outside", "s")
        assert place.distance_m == pytest.approx(
            pyproj.Geod(ellps="WGS84").inv(104.2, 30.05, 104.1, 30.05)[2], rel=1e-5
        )

    def test_beyond_the_limit_is_nowhere_but_the_distance_is_told(self):
        place = Locator.build({"street": frame([shapely.box(104, 30, 104.1, 30.1)], ["s"])}).one(
            0.0, 0.0, max_distance_m=5000
        )
        assert (place.how, place.street) == ("nowhere", None)
        assert place.distance_m == pytest.approx(pyproj.Geod(ellps="WGS84").inv(0, 0, 104, 30.1)[2], rel=1e-3)

    @pytest.mark.parametrize(
        "lon, lat", [(np.nan, 30), (104, np.nan), (np.inf, 30), (500_000, 3_300_000), (30, 104)]
    )
    def test_what_is_no_place_on_earth_is_nowhere(self, locator, lon, lat):
        place = locator.one(lon, lat)
        assert place.how == "nowhere"
        assert [getattr(place, level) for level in LEVELS] == [None] * 4
        assert np.isnan(place.distance_m)

    def test_of_overlapping_footprints_the_smallest_wins_then_the_smallest_code(self):
        footprints = [shapely.box(0, 0, 4, 4), shapely.box(1, 1, 2, 2), shapely.box(1, 1, 2, 2)]
        levels = {
            "street": frame([shapely.box(0, 0, 9, 9)], ["s"]),
            "building": frame(footprints, ["a", "c", "b"]),
        }
        locator = Locator.build(levels)
        assert [locator.one(*at).building for at in [(3, 3), (1.5, 1.5), (2, 2), (4, 4), (5, 5)]] == [
            "a",
            "b",
            "b",
            "a",
            None,
        ]

    def test_levels_that_do_not_nest_are_each_asked_on_their_own(self):
        west, east = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
        levels = {
            "street": frame([west, east], ["1", "2"]),
            "micro_grid": frame([shapely.box(0, 0, 2, 1)], ["1A"]),
        }
        assert Locator.build(levels).one(1.5, 0.5).street == "2"

    def test_rows_without_a_code_or_a_polygon_are_never_found(self):
        shapes = [shapely.box(0, 0, 1, 1), None, shapely.Point(5, 5), shapely.box(2, 0, 3, 1)]
        located = Locator.build({"street": frame(shapes, [None, "b", "c", "d"])}).locate(
            [0.5, 2.5], [0.5, 0.5]
        )
        assert located.rows["street"].tolist() == [3, 3]
        assert words(located) == ["outside", "inside"]

    def test_no_units_at_all_is_said(self):
        with pytest.raises(NothingToLocateIn):
            Locator.build({"building": frame([shapely.box(0, 0, 1, 1)], ["a"]), "street": frame([], [])})

    def test_uneven_arrays_are_refused(self, locator):
        with pytest.raises(UnevenPoints, match="1 longitudes but 2"):
            locator.locate([1], [1, 2])

    def test_no_points_no_answers(self, locator):
        assert locator.locate([], []).codes("street").tolist() == []


def test_distances_are_those_of_a_metric_projection(city, locator):
    lon, lat = around(city, 3000)
    located = locator.locate(lon, lat)
    lost = located.how >= 2
    metric = city["micro_grid"].estimate_utm_crs()
    points = gpd.GeoSeries.from_xy(lon[lost], lat[lost], crs=4326).to_crs(metric)
    expected = points.distance(city["micro_grid"].to_crs(metric).union_all())
    np.testing.assert_allclose(located.distance_m[lost], expected, rtol=1e-3)


def test_a_saved_index_answers_the_same(city, locator, tmp_path):
    locator.save(tmp_path / "index")
    mapped = Locator.load(tmp_path / "index")
    lon, lat = around(city, 5000)
    assert_same(mapped.locate(lon, lat), locator.locate(lon, lat))
    assert mapped.one(lon[0], lat[0]) == locator.one(lon[0], lat[0])
    assert mapped.codes("building").tolist() == city["building"]["code"].tolist()


def test_half_an_index_is_no_index(locator, tmp_path):
    locator.save(tmp_path)
    (tmp_path / "index.json").unlink()
    with pytest.raises(OtherIndex):
        Locator.load(tmp_path)


@pytest.mark.city
def test_washington_agrees_with_the_labels_of_the_city(real_data):
    sources = {"street": ("ward_2012", "WARD_ID"), "community": ("anc_2013", "ANC_ID")}
    sources |= {"micro_grid": ("smd_2013", "SMD_ID"), "building": ("building_landmark", "UNIQUEID")}
    levels = {
        level: gpd.read_file(real_data / "washington/grids.gpkg", layer=layer).rename(columns={code: "code"})
        for level, (layer, code) in sources.items()
    }
    requests = pd.read_csv(real_data / "washington/service_requests.csv")
    lon, lat = requests.LONGITUDE.to_numpy(), requests.LATITUDE.to_numpy()
    located = Locator.build(levels).locate(lon, lat)
    label = requests.WARD.astype("Int64").astype(str)
    assert (located.how != HOW.index("nowhere")).sum() == 22_576
    assert (located.codes("street") == label).sum() >= 22_391
    sample = np.arange(0, len(lon), 20)
    assert_same(
        Locator.build(levels).locate(lon[sample], lat[sample]), locate_plain(levels, lon[sample], lat[sample])
    )
