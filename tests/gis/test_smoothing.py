"""Rates of small numbers: the same as PySAL's smoothers, and what no base allows to say is not said."""

import warnings

import numpy as np
import pandas as pd
import pytest
from libpysal.weights import WSP, lat2W
from scipy.sparse import csr_array

from gis.hotspot import MissingCount
from gis.smoothing import BaseBelowZero, rates

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is deprecated in esda, and still the reference
    from esda.smoothing import Empirical_Bayes, Spatial_Empirical_Bayes


@pytest.fixture
def sparse_city() -> tuple[pd.Series, pd.Series, csr_array]:
    """Grids whose risks differ, with few and with many households."""
    random = np.random.default_rng(11)
    base = pd.Series(random.integers(3, 900, 80).astype(float))
    return (
        pd.Series(random.poisson(base * random.gamma(2, 0.02, 80))),
        base,
        csr_array(lat2W(8, 10, rook=False).sparse),
    )


@pytest.mark.filterwarnings("ignore")
def test_both_smoothings_are_those_of_pysal(sparse_city):
    events, base, weights = sparse_city
    ours = rates(events, base, weights)
    near = WSP(weights.tocsr()).to_W(silence_warnings=True)
    np.testing.assert_allclose(ours["smoothed"], Empirical_Bayes(events.values, base.values).r.ravel())
    theirs = Spatial_Empirical_Bayes(events.to_numpy(float), base.values, near).r.ravel()
    np.testing.assert_allclose(ours["nearby"], theirs, atol=1e-12)


def test_a_tiny_base_is_pulled_to_the_mean_and_ranked_by_nobody(sparse_city):
    events, base, weights = sparse_city
    events.iloc[0], base.iloc[0] = 2, 2.0
    found = rates(events, base, weights, minimum=30)
    mean = events.sum() / base.sum()
    assert found.loc[0, "rate"] == 1.0 and found.loc[0, "smoothed"] < 4 * mean
    assert found.loc[0, "few"] and found["by_rate"].isna()[0] and not pd.isna(found.loc[0, "by_count"])


def test_twice_the_patrol_is_not_twice_as_bad():
    """Four grids equally bad; one is patrolled twice as long and so reports twice as much."""
    found = rates(pd.Series([40, 20, 20, 20]), pd.Series([200.0, 100, 100, 100]), csr_array((4, 4)))
    assert found["by_count"].tolist() == [1, 2, 2, 2]
    assert found["by_rate"].tolist() == [1, 1, 1, 1]


def test_where_the_base_is_not_known_nothing_is_said():
    events, base = pd.Series([5, 5, 5, 0]), pd.Series([10.0, np.nan, 0.0, 10.0])
    found = rates(events, base, csr_array((4, 4)))
    assert found["rate"].isna().tolist() == [False, True, True, False]
    assert found["by_rate"].isna().tolist() == [False, True, True, False]
    assert found["few"].tolist() == [False, False, True, False]


@pytest.mark.parametrize("units", [0, 1, 2])
def test_the_smallest_districts_have_an_answer(units):
    found = rates(pd.Series(np.zeros(units)), pd.Series(np.zeros(units)), csr_array((units, units)))
    assert found["rate"].isna().all() and len(found) == units


def test_equal_rates_stay_as_they_are():
    found = rates(pd.Series([1, 2, 4]), pd.Series([10.0, 20, 40]), csr_array((3, 3)))
    np.testing.assert_allclose(found[["rate", "smoothed", "nearby"]], 0.1)


def test_bad_numbers_are_named():
    with pytest.raises(MissingCount, match="Unit b"):
        rates(pd.Series({"a": 1, "b": np.nan}), pd.Series({"a": 1.0, "b": 1}), csr_array((2, 2)))
    with pytest.raises(BaseBelowZero, match=r"unit 1 is -3"):
        rates(pd.Series([1, 1]), pd.Series([1.0, -3]), csr_array((2, 2)))
