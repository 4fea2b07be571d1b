"""Emerging hot spots: each class from hand-made steps, every series in exactly one, numbers as the references'."""

import numpy as np
import pandas as pd
import pymannkendall
import pytest
from esda import G_Local
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.graph import Graph
from libpysal.weights import lat2W
from scipy.sparse import csr_array, eye_array, kron

from gis import hotspot
from gis.emerging import (
    CLASSES,
    LEAST,
    PATTERNS,
    TooFewPeriods,
    classify,
    emerging,
    mann_kendall,
    space_time_gi,
)

SIGNS = {"H": 1, "C": -1, ".": 0}
UP, DOWN, LEVEL = 1, -1, 0


def steps(told: str) -> list[int]:
    return [SIGNS[each] for each in told]


def klass(told: str, trend: int = LEVEL) -> str:
    return str(classify(np.array([steps(told)]), np.array([trend]))[0])


@pytest.mark.parametrize(
    ("told", "trend", "pattern"),
    [
        (".........H", LEVEL, "new"),
        ("C..C.....H", LEVEL, "new"),  # it was never hot before, whatever else it was
        (".......HHH", LEVEL, "consecutive"),
        ("CC.....HHH", UP, "consecutive"),
        ("..HHHHHHHH", LEVEL, "consecutive"),  # 80 %
        (".HHHHHHHHH", LEVEL, "persistent"),  # 90 %
        ("HHHHHHHHHH", UP, "intensifying"),
        ("HHHH.HHHHH", UP, "intensifying"),
        ("HHHHHHHHHH", LEVEL, "persistent"),
        ("HHCHHHHHHH", LEVEL, "persistent"),  # 90 % hot; one cold step does not undo it
        ("HHHHHHHHHH", DOWN, "diminishing"),
        ("H.H...H..H", LEVEL, "sporadic"),
        ("HH.....HHH", LEVEL, "sporadic"),
        ("H.HHHH.HHH", UP, "sporadic"),  # 80 %, so its trend does not matter
        ("H.H.C.H..H", LEVEL, "oscillating"),
        ("HCHHHHCHHH", LEVEL, "oscillating"),
        ("HHHHHHHHH.", LEVEL, "historical"),
        ("HHHHHHHHH.", DOWN, "historical"),
    ],
)
def test_each_class_and_its_mirror_from_hand_made_steps(told, trend, pattern):
    assert klass(told, trend) == f"{pattern}_hot"
    mirrored = told.translate(str.maketrans("HC", "CH"))
    assert klass(mirrored, -trend) == f"{pattern}_cold"


@pytest.mark.parametrize("told", ["..........", "HHHHHHHH..", "H.C.H.C...", "CCCCCCCC.."])
def test_what_fits_no_class_is_none(told):
    assert klass(told, UP) == "none"


def test_after_nine_hot_steps_one_cold_one_is_news():
    assert klass("HHHHHHHHHC") == "new_cold"
    assert klass("CCCCCCCCCH") == "new_hot"


def test_there_are_seventeen_classes():
    assert len(set(CLASSES)) == 17


series = st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=24)


def by_the_book(of: list[int], trend: int, side: int) -> str | None:
    """The definitions as they are printed, one series and one side at a time."""
    hot = [step == side for step in of]
    share, last, trend = sum(hot) / len(of) + 1e-12, hot[-1], trend * side
    run = next((n for n, each in enumerate(reversed(hot)) if not each), len(hot))
    if last and sum(hot) == 1:
        return "new"
    if last and run >= 2 and not any(hot[:-run]) and share < 0.9:
        return "consecutive"
    if last and share >= 0.9:
        return {1: "intensifying", 0: "persistent", -1: "diminishing"}[trend]
    if last:
        return "oscillating" if -side in of else "sporadic"
    return "historical" if share >= 0.9 else None


@settings(max_examples=300)
@given(series, st.sampled_from([-1, 0, 1]))
def test_every_series_has_one_class_and_its_mirror_the_mirrored_one(of, trend):
    ours = classify(np.array([of, [-each for each in of]]), np.array([trend, -trend])).tolist()
    swapped = ours[1].replace("hot", "?").replace("cold", "hot").replace("?", "cold")
    assert ours[0] == swapped and ours[0] in CLASSES
    book = {side: by_the_book(of, trend, sign) for side, sign in (("hot", 1), ("cold", -1))}
    said = {f"{pattern}_{side}" for side, pattern in book.items() if pattern} or {"none"}
    assert ours[0] in said
    if len(said) == 2:  # the last step speaks first
        assert list(PATTERNS).index(ours[0].split("_")[0]) == min(
            list(PATTERNS).index(each) for each in book.values()
        )


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 4), min_size=12, max_size=12), min_size=1, max_size=6))
def test_trends_are_those_of_pymannkendall_with_ties_too(rows):
    ours = mann_kendall(pd.DataFrame(rows))
    for n, row in enumerate(rows):
        theirs = pymannkendall.original_test(row)
        np.testing.assert_allclose(
            ours.loc[n].to_numpy(), [theirs.s, theirs.z, theirs.p], rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize("back", [0, 1, 3])
def test_z_is_that_of_esda_over_the_cells_of_the_cube(back):
    weights, periods = csr_array(lat2W(6, 7, rook=False).sparse), 11
    counts = pd.DataFrame(np.random.default_rng(5).negative_binomial(0.6, 0.1, (42, periods)))
    in_space = csr_array(weights + eye_array(42))
    in_time = sum((eye_array(periods, k=-n) for n in range(back + 1)), csr_array((periods, periods)))
    cells = csr_array(kron(in_space, in_time))
    links = Graph.from_sparse(csr_array(cells - eye_array(cells.shape[0])))

    theirs = G_Local(
        counts.to_numpy(float).ravel(), links, transform="B", permutations=0, star=1.0
    ).Zs.reshape(counts.shape)

    np.testing.assert_allclose(space_time_gi(counts, weights, back), theirs, rtol=1e-10, atol=1e-12)


def test_a_place_that_flares_up_is_found_with_its_course():
    weights = csr_array(lat2W(12, 12, rook=False).sparse)
    counts = pd.DataFrame(np.random.default_rng(3).poisson(2, (144, 14)), index=[f"g{n}" for n in range(144)])
    middle = [f"g{12 * row + column}" for row in (5, 6) for column in (5, 6)]
    counts.loc[middle, counts.columns[-3:]] += 25
    counts.loc[["g0", "g1", "g12", "g13"]] += np.arange(14) * 4

    found = emerging(counts, weights)

    assert set(found.units.loc[middle, "klass"]) == {"consecutive_hot"}
    assert found.units.loc["g0", "trend"] > 1.96
    assert found.steps.loc[middle[0]].tolist()[-3:] == [1, 1, 1]
    assert found.units.index.equals(counts.index) and found.z.columns.equals(counts.columns)


def test_too_few_periods_say_how_many_are_needed():
    with pytest.raises(TooFewPeriods, match=f"9 periods are too few .* {LEAST} are needed"):
        emerging(pd.DataFrame(np.zeros((3, 9))), csr_array((3, 3)))


@pytest.mark.parametrize("units", [0, 1, 3])
def test_a_district_without_cases_has_no_hot_spots(units):
    found = emerging(pd.DataFrame(np.zeros((units, 12))), csr_array((units, units)))
    assert found.units["klass"].tolist() == ["none"] * units


def test_all_cases_in_one_building_leave_the_others_quiet():
    counts = pd.DataFrame(np.zeros((50, 12)))
    counts.loc[7] = 8_000
    found = emerging(counts, csr_array((50, 50))).units  # islands all
    assert found.loc[7, "klass"] == "persistent_hot"
    assert set(found.drop(7)["klass"]) == {"none"}


def test_a_missing_count_is_named():
    counts = pd.DataFrame(np.zeros((2, 12)), index=["a", "b"])
    counts.iloc[1, 3] = np.nan
    with pytest.raises(hotspot.MissingCount, match="Unit b"):
        emerging(counts, csr_array((2, 2)))
