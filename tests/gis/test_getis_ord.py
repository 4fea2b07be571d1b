"""Hotspots: the same z as the field's reference, and an answer for every odd district."""

import doctest

import numpy as np
import pandas as pd
import pytest
from esda import G_Local
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.weights import WSP, lat2W
from scipy.sparse import csr_array, eye_array

from gis import hotspot
from gis.hotspot import getis_ord, method


def block(rows: int, columns: int) -> csr_array:
    """A district of square grids, neighbours by edge or corner."""
    return csr_array(lat2W(rows, columns, rook=False).sparse)


def incidents(units: int, seed: int = 1) -> pd.Series:
    """Counts as districts have them: mostly small, a few large, some none."""
    counts = np.random.default_rng(seed).negative_binomial(0.6, 0.08, units)
    return pd.Series(counts, index=[f"{code:06}" for code in range(units)])


def esda_z(counts: pd.Series, weights: csr_array, star: bool) -> np.ndarray:
    neighbours = WSP(weights.tocsr()).to_W(silence_warnings=True)
    star_weight = 1.0 if star else False
    return G_Local(counts.to_numpy(float), neighbours, transform="B", permutations=0, star=star_weight).Zs


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("star", [True, False])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_z_is_that_of_esda(star, seed):
    counts, weights = incidents(600, seed), block(20, 30)

    z = getis_ord(counts, weights, star=star)["z"]

    np.testing.assert_allclose(z, esda_z(counts, weights, star), rtol=1e-12, atol=1e-12)


def test_a_planted_hotspot_is_found_and_its_far_side_is_not():
    counts = pd.Series(np.random.default_rng(7).poisson(3, 900))
    planted = [row * 30 + column for row in range(10, 14) for column in range(10, 14)]
    counts[planted] += 12

    klass = getis_ord(counts, block(30, 30))["klass"]

    assert (klass[planted] == 3).all()
    assert klass[[0, 29, 870, 899]].abs().max() < 3


def test_a_quiet_quarter_in_a_busy_district_is_cold():
    counts = pd.Series(np.random.default_rng(7).poisson(20, 900))
    quiet = [row * 30 + column for row in range(6) for column in range(6)]
    counts[quiet] = 1

    assert (getis_ord(counts, block(30, 30))["klass"][quiet] < 0).all()


def test_noise_alone_is_rarely_called_hot():
    """Benjamini-Hochberg at 10 %: some districts show a false class, most show none."""
    shown = [
        getis_ord(pd.Series(np.random.default_rng(seed).poisson(20, 400)), block(20, 20))["klass"].any()
        for seed in range(40)
    ]
    assert sum(shown) <= 10


def test_the_answer_keeps_the_index():
    counts = incidents(12)
    found = getis_ord(counts, block(3, 4))
    assert found.index.equals(counts.index)
    assert list(found) == ["z", "p", "q", "klass"]


@pytest.mark.parametrize("star", [True, False])
@pytest.mark.parametrize("value", [0, 7, 0.1, 1e9 + 0.1])
def test_equal_counts_show_nothing(star, value):
    found = getis_ord(pd.Series([value] * 12), block(3, 4), star=star)
    assert (found["z"] == 0).all() and (found["p"] == 1).all() and (found["klass"] == 0).all()


def test_an_island_is_judged_by_itself_or_not_at_all():
    weights = csr_array(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]))
    counts = pd.Series([1, 2, 6], index=["a", "b", "island"])

    with_self = getis_ord(counts, weights).loc["island", "z"]
    without = getis_ord(counts, weights, star=False).loc["island"]

    assert with_self == pytest.approx((6 - 3) / counts.std(ddof=0))
    assert (without["z"], without["p"]) == (0, 1)


def test_a_unit_whose_others_are_all_equal_has_nothing_to_compare():
    counts = pd.Series([900.1, 0.3, 0.3, 0.3, 0.3, 0.3])
    assert getis_ord(counts, block(2, 3), star=False)["z"][0] == 0


@pytest.mark.parametrize("units", [0, 1, 2])
@pytest.mark.parametrize("star", [True, False])
def test_the_smallest_districts_have_an_answer(units, star):
    weights = csr_array(1.0 - np.eye(units))
    found = getis_ord(pd.Series(range(units), dtype=float), weights, star=star)
    assert len(found) == units and (found["z"].abs() < 1e-9).all() and found["q"].notna().all()


@pytest.mark.parametrize("missing", [np.nan, None, np.inf])
def test_a_unit_without_a_count_is_named(missing):
    counts = pd.Series([1, missing, 2, 3], index=["a", "b", "c", "d"])
    with pytest.raises(hotspot.MissingCount, match="Unit b has no count"):
        getis_ord(counts, block(2, 2))


def test_weights_of_another_district_are_refused():
    with pytest.raises(hotspot.WeightsShape, match="9 x 9; 4 units"):
        getis_ord(pd.Series([1, 2, 3, 4]), block(3, 3))


def test_weights_that_are_distances_are_refused():
    with pytest.raises(hotspot.WeightsNotBinary, match=r"0\.5"):
        getis_ord(pd.Series([1, 2, 3, 4]), block(2, 2) * 0.5)


def test_a_diagonal_given_or_not_makes_no_difference():
    counts, weights = incidents(12), block(3, 4)
    with_self = csr_array(weights + eye_array(12))
    pd.testing.assert_frame_equal(getis_ord(counts, weights), getis_ord(counts, with_self))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 50), min_size=12, max_size=12), st.integers(1, 9), st.integers(-1000, 1000))
def test_unit_of_measure_and_offset_do_not_matter(values, scale, offset):
    counts = pd.Series(values, dtype=float)
    before = getis_ord(counts, block(3, 4))["z"]
    after = getis_ord(counts * scale + offset, block(3, 4))["z"]
    np.testing.assert_allclose(before, after, atol=1e-7)


def test_the_card_says_how_it_was_computed():
    weights = csr_array(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]]))
    card = method(weights)
    assert card["statistic"] == "Gi*"
    assert (card["units"], card["links"], card["islands"]) == (3, 1, 1)
    assert card["alpha"] == [0.10, 0.05, 0.01]
    assert method(weights, star=False)["statistic"] == "Gi"


def test_the_examples_run():
    assert doctest.testmod(hotspot).failed == 0
