"""Frames on their way to the browser: small, seamless, and without a value that JSON lacks."""

import doctest
import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gis import drawing, offline


def test_missing_values_and_places_do_not_stop_a_map():
    units = gpd.GeoDataFrame(
        {"code": ["000", "001", "002"], "klass": [np.nan, 1, 2]},
        geometry=[shapely.box(0, 0, 1, 1), None, shapely.box(1, 0, 2, 1)],
        crs=4326,
    )
    features = drawing.features(drawing.simplified(units), ["code", "klass"])["features"]
    assert len(features) == 2 and features[0]["properties"] == {"code": "000", "klass": None}


def test_six_thousand_grids_make_a_file_of_less_than_six_megabytes():
    side, wave = 20, np.linspace(0, 1, 15)

    def border(start, end):
        along = np.outer(1 - wave, start) + np.outer(wave, end)
        return along + 0.02 * np.sin(9 * along[:, ::-1])

    def cell(i, j):
        corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j)]
        ring = np.vstack([border(a, b)[:-1] for a, b in itertools.pairwise(corners)])
        return shapely.Polygon(np.round(ring / 400 + (120, 30), 7))

    cells = [cell(i, j) for i in range(side) for j in range(side)]
    named = {"code": "330104001001001", "name": "第一微网格", "klass": 0}
    units = gpd.GeoDataFrame(named, index=range(len(cells)), geometry=cells, crs=4326)

    thin = drawing.simplified(units)

    assert shapely.coverage_is_valid(thin.geometry.to_numpy())
    size = len(offline.inert_json(drawing.features(thin, [*named])).encode())
    assert size / len(cells) * 6008 < 5_500_000


def test_without_any_geometry_there_is_no_box():
    with pytest.raises(drawing.NothingToDraw):
        drawing.bounds_of(gpd.GeoDataFrame(geometry=[None, None]), gpd.GeoDataFrame(geometry=[]))


def test_the_examples_run():
    assert doctest.testmod(drawing).failed == 0
