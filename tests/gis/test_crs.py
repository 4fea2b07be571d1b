"""Every system leads to one storage; what contradicts its own label is named."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from gis import crs
from gis.datum import from_wgs84

HOUSE = shapely.box(120.160, 30.245, 120.161, 30.246)


def layer(*geometries, system=4326):
    return gpd.GeoDataFrame(
        {"name": [f"{i}号" for i in range(len(geometries))]}, geometry=[*geometries], crs=system
    )


@settings(deadline=None, max_examples=50)
@given(st.floats(73.5, 135), st.floats(18, 53.5), st.floats(0, 360), st.floats(100, 30_000))
def test_metres_are_metres_all_over_a_district(lon, lat, azimuth, length):
    far_lon, far_lat, _ = Geod(ellps="WGS84").fwd(lon, lat, azimuth, length)
    line = gpd.GeoSeries([shapely.LineString([(lon, lat), (far_lon, far_lat)])], crs=crs.STORAGE)
    assert crs.to_metric(line).length.iloc[0] == pytest.approx(length, rel=1e-4)


def test_neighbouring_layers_share_one_metric_system():
    street = layer(HOUSE)
    houses = layer(shapely.box(120.1601, 30.2451, 120.1602, 30.2452))
    assert crs.metric_crs(street) == crs.metric_crs(houses) == crs.metric_crs(street.to_crs(4528))
    assert crs.metric_crs(HOUSE.bounds) == crs.metric_crs(street)
    assert crs.to_metric(houses, crs.metric_crs((121.0, 31.0, 121.2, 31.2))).crs != crs.metric_crs(houses)


def test_an_empty_layer_has_metres_too():
    assert crs.to_metric(layer(HOUSE).iloc[:0]).empty


def test_a_layer_without_system_is_refused_everywhere():
    nameless = layer(HOUSE, system=None)
    for refuse in (crs.to_storage, crs.metric_crs, crs.to_metric):
        with pytest.raises(crs.MissingCrs, match="EPSG:4490"):
            refuse(nameless)
    assert crs.to_storage(nameless, "EPSG:4326").geometry.iloc[0].equals(HOUSE)


def test_a_system_nobody_knows_is_refused():
    with pytest.raises(crs.UnknownCrs, match="EPSG:1"):
        crs.to_storage(layer(HOUSE), "EPSG:1")


@pytest.mark.parametrize("code", [4490, 4326, 4549, 4528, 4509, 4498, 32650, 3857])
def test_every_survey_system_leads_to_the_same_house(code):
    surveyed = layer(HOUSE).to_crs(code)
    stored = crs.to_storage(surveyed)
    assert stored.crs == crs.STORAGE
    assert stored.geometry.iloc[0].equals_exact(HOUSE, 1e-7)
    assert stored["name"].tolist() == ["0号"]


def test_gauss_kruger_systems_of_every_family_are_accepted():
    for code in range(4491, 4555, 9):
        system = crs.parse(code)
        east = next(p.value for p in system.coordinate_operation.params if "easting" in p.name)
        stored = crs.to_storage(layer(shapely.box(east, 3_340_000, east + 10, 3_340_010), system=code))
        assert 30.1 < stored.total_bounds[1] < 30.2, code


def test_an_esri_projection_file_without_codes_is_understood():
    wkt = crs.parse(4490).to_wkt("WKT1_ESRI")
    assert crs.to_storage(layer(HOUSE, system=wkt)).geometry.iloc[0].equals_exact(HOUSE, 1e-9)


@pytest.mark.parametrize(
    "code, corner", [(4610, (120, 30)), (2383, (500000, 3340000)), (4555, (120, 30)), (4214, (120, 30))]
)
def test_old_systems_without_published_step_are_refused_rather_than_misplaced(code, corner):
    with pytest.raises(crs.NoTransformation, match="CGCS2000 first"):
        crs.to_storage(layer(shapely.box(*corner, corner[0] + 0.001, corner[1] + 0.001), system=code))
    with pytest.raises(crs.NoTransformation):
        crs.points_to_storage([corner[0]], [corner[1]], code)


def test_beijing_1954_goes_its_published_way_where_there_is_one():
    moved = crs.to_storage(layer(shapely.box(108.5, 36, 108.501, 36.001), system=4214))
    assert 10 < Geod(ellps="WGS84").inv(108.5, 36, *moved.total_bounds[:2])[2] < 200


def test_the_shift_of_a_datum_is_taken_out():
    lon, lat = from_wgs84(*shapely.get_coordinates(HOUSE).T, "gcj02")
    moved = layer(shapely.Polygon(np.column_stack([lon, lat])))
    assert crs.to_storage(moved, datum="gcj02").geometry.iloc[0].equals_exact(HOUSE, 1e-9)
    assert not crs.to_storage(moved).geometry.iloc[0].equals_exact(HOUSE, 1e-3)


def test_rows_without_geometry_pass_and_keep_their_index():
    frame = layer(HOUSE, None, shapely.Polygon()).set_index(pd.Index([7, 8, 9]))
    stored = crs.to_storage(frame, datum="bd09")
    assert stored.index.tolist() == [7, 8, 9] and stored.geometry.iloc[1] is None


@pytest.mark.parametrize(
    "box, problem, words",
    [
        ((30.245, 120.160, 30.246, 120.161), crs.SwappedAxes, "longitude or easting first"),
        ((40.0, 80.1, 40.1, 80.2), crs.SwappedAxes, "Row 2"),
        ((40500000, 3340000, 40500100, 3340100), crs.MetresUnderDegrees, "EPSG:4528"),
        ((20500000, 3340000, 20500100, 3340100), crs.MetresUnderDegrees, "EPSG:4498"),
        ((500000, 3340000, 500100, 3340100), crs.MetresUnderDegrees, "EPSG:4534-4554"),
        ((3340000, 40500000, 3340100, 40500100), crs.MetresUnderDegrees, "EPSG:4528"),
        ((13376000, 3533000, 13376100, 3533100), crs.MetresUnderDegrees, "EPSG:3857"),
        ((52000, 71000, 52100, 71100), crs.MetresUnderDegrees, "local grid"),
        ((0, 0, 120.2, 30.2), crs.NullIsland, "0,0"),
        ((181, 30, 182, 31), crs.OutsideRange, "±180"),
    ],
)
def test_degrees_that_cannot_be_degrees_are_named(box, problem, words):
    with pytest.raises(problem, match=words) as caught:
        crs.to_storage(layer(HOUSE, shapely.box(*box)))
    assert caught.value.details["row"] == 2


def test_degrees_under_a_metres_label_are_named():
    with pytest.raises(crs.DegreesUnderMetres, match="Gauss-Kruger"):
        crs.to_storage(layer(HOUSE, system=None), 4528)


def test_northings_written_first_are_named():
    with pytest.raises(crs.SwappedAxes):
        crs.to_storage(layer(shapely.box(3340000, 40500000, 3340100, 40500100), system=4528))


def test_a_city_abroad_is_no_suspect():
    assert crs.to_storage(layer(shapely.box(-77.1, 38.8, -77.0, 38.9))).total_bounds[0] == -77.1


@pytest.mark.parametrize("code", [4490, 4326])
def test_latitude_comes_first_when_the_definition_says_so(code):
    lon, lat = crs.points_to_storage([30.25], [120.16], code, by_definition=True)
    assert (lon[0], lat[0]) == (120.16, 30.25)
    lon, lat = crs.points_to_storage([120.16], [30.25], code)
    assert (lon[0], lat[0]) == (120.16, 30.25)


def test_northing_comes_first_in_gauss_kruger_by_definition():
    by_file = crs.points_to_storage([40500000], [3340000], 4528)
    by_definition = crs.points_to_storage([3340000], [40500000], 4528, by_definition=True)
    assert by_file == by_definition and by_file[0][0] == pytest.approx(120)


def test_crs84_has_longitude_first_by_definition():
    lon, _ = crs.points_to_storage([120.16], [30.25], "OGC:CRS84", by_definition=True)
    assert lon[0] == 120.16


def test_points_of_a_shifted_service_are_put_right():
    lon, lat = crs.points_to_storage(*from_wgs84([120.16], [30.25], "bd09"), 4326, datum="bd09")
    assert (lon[0], lat[0]) == pytest.approx((120.16, 30.25), abs=1e-9)


def test_suspect_points_keep_the_index_and_give_reasons_in_words():
    lon = pd.Series(["120.1", "30.2", "0", "40500000", "200", "", None], index=list("abcdefg"))
    lat = pd.Series([30.2, 120.1, 0, 3340000, 30, 30, 30])
    found = crs.suspects(lon, lat)
    assert found.index.tolist() == list("abcdefg")
    assert [r if isinstance(r, str) else None for r in found] == [
        None,
        "swapped",
        "null_island",
        "metres",
        "outside_range",
        "missing",
        "missing",
    ]
    for reason in crs.REASONS:
        assert "Row 5" in str(crs.problem_of(reason, 5, 40500000.0, 3340000.0))


@settings(deadline=None, max_examples=50)
@given(st.floats(73.6, 135), st.floats(18.1, 53.5))
def test_places_in_china_are_never_suspect_and_always_when_swapped(lon, lat):
    assert crs.suspects([lon], [lat])[0] is None
    assert crs.suspects([lat], [lon])[0] == "swapped"
