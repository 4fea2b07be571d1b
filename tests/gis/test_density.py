"""Density: what a sum over all points gives, nothing lost at the edges, bands that can be drawn."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gis import density
from gis.crs import to_metric
from gis.density import BadBandwidth, RasterTooFine, bands, kernel_density

H = 300.0


@pytest.fixture
def places() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(2)
    return 120 + random.normal(0, 0.01, 200), 30 + random.normal(0, 0.01, 200)


def test_the_density_is_that_of_a_sum_over_all_points(places):
    found = kernel_density(*places, H, cell_m=15)
    points = gpd.GeoSeries(shapely.points(*places), crs=4326).to_crs(found.crs)
    spot = np.array([found.x[len(found.x) // 2], found.y[len(found.y) // 2]])
    away = np.hypot(*(shapely.get_coordinates(points.array) - spot).T) / H
    each = 3 / np.pi * np.maximum(1 - away**2, 0) ** 2
    at = found.values[len(found.y) // 2, len(found.x) // 2]
    assert at == pytest.approx(each.sum() / H**2 * 1e6, rel=0.02)


def test_all_incidents_are_there(places):
    found = kernel_density(*places, H)
    assert found.values.sum() * found.cell_m**2 / 1e6 == pytest.approx(200)


def test_one_case_and_all_cases_in_one_place_are_drawn_as_rings():
    one, many = (kernel_density([104.0] * n, [30.6] * n, H) for n in (1, 5_000))
    np.testing.assert_allclose(many.values, one.values * 5_000, rtol=1e-6, atol=1e-6)
    rings = bands(one)
    assert rings["klass"].tolist() == [1, 2, 3, 4, 5]
    assert rings.geometry.iloc[-1].distance(shapely.Point(104.0, 30.6)) < 1e-3


def test_bands_do_not_overlap_and_lie_within_each_other(places):
    drawn = bands(kernel_density(*places, H))
    assert drawn.crs.to_epsg() == 4326 and drawn.geometry.is_valid.all()
    drawn = to_metric(drawn)
    together = drawn.geometry.union_all().area
    assert drawn.geometry.area.sum() == pytest.approx(together, rel=1e-3)
    assert drawn["low"].is_monotonic_increasing


def test_no_case_has_no_density():
    assert kernel_density([], [], H) is None


@pytest.mark.parametrize("bandwidth", [0, -1, np.nan, np.inf])
def test_a_bandwidth_must_be_above_nothing(bandwidth):
    with pytest.raises(BadBandwidth):
        kernel_density([120.0], [30.0], bandwidth)


def test_rasters_beyond_memory_are_refused():
    with pytest.raises(RasterTooFine, match=f"at most {density.MOST_CELLS}"):
        kernel_density([120.0, 121.0], [30.0, 31.0], H, cell_m=1)
