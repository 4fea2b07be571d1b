"""A map repaired within a tolerance: what moves, what stays, and what is left to people."""

import itertools

import numpy as np
import pytest
import shapely
from drawn import EASTING, METRE, cambridge, level, place, washington

from gis.coverage import check
from gis.ground import COVERAGES, metre
from gis.repair import BadTolerance, repair


def sound(levels) -> bool:
    """Whether every level is a valid coverage and the check finds no error."""
    valid = [shapely.coverage_is_valid(levels[name].geometry.values) for name in COVERAGES if name in levels]
    return all(valid) and "error" not in set(check(levels)["severity"])


def moves(done) -> list[tuple]:
    return sorted(zip(done.moves["level"], done.moves["what"], strict=True))


def test_a_sound_map_comes_back_as_it_was():
    units = level(("11", "1", place(0, 0, 100, 100)), ("12", "1", place(100, 0, 200, 100)))
    street = level(("1", None, shapely.coverage_union_all(units.geometry.values)))
    done = repair({"street": street, "community": units}, 1)
    assert done.moves.empty
    assert done.levels["community"].equals(units)
    assert done.levels["street"].equals(street)


def test_a_thin_overlap_is_cut_and_the_cut_reported():
    units = level(("11", None, place(0, 0, 102, 100)), ("12", None, place(100, 0, 200, 100)))
    done = repair({"community": units}, 3)
    assert sound(done.levels)
    cut = done.moves[done.moves["what"] == "overlap_cut"].iloc[0]
    assert cut["area_m2"] == pytest.approx(200 * EASTING * 1.1085, rel=0.01)
    assert cut["size_m"] == pytest.approx(2 * EASTING, rel=0.01)


def test_a_wide_overlap_is_left_and_still_found():
    units = level(("11", None, place(0, 0, 130, 100)), ("12", None, place(100, 0, 200, 100)))
    done = repair({"community": units}, 3)
    assert done.moves.empty
    before, after = check({"community": units}), check(done.levels)
    assert sorted(before["kind"]) == sorted(after["kind"])


def test_a_thin_gap_is_filled_and_a_wide_one_left():
    thin, wide = place(50, 20, 51, 80), place(120, 20, 160, 80)
    units = level(
        ("11", None, place(0, 0, 50.5, 100) - thin),
        ("12", None, place(50.5, 0, 200, 100) - thin - wide),
    )
    done = repair({"community": units}, 2)
    assert moves(done) == [("community", "gap_filled")]
    left = check(done.levels)
    assert left["kind"].tolist() == ["gap"]
    assert left["geometry"].item().equals(wide)


def test_a_long_gap_is_shared_by_the_neighbours_along_it():
    """Given to one neighbour alone it would grow an arm past its own border."""
    strip = place(10, 50, 190, 51)
    units = level(
        ("sw", None, place(0, 0, 100, 50.5) - strip),
        ("se", None, place(100, 0, 200, 50.5) - strip),
        ("nw", None, place(0, 50.5, 100, 100) - strip),
        ("ne", None, place(100, 50.5, 200, 100) - strip),
    )
    done = repair({"community": units}, 2)
    assert sound(done.levels)
    assert set(done.moves["what"]) == {"gap_filled"}
    assert len(done.moves) >= 2
    assert done.moves["size_m"].max() < 0.001 + 2


def test_parents_follow_their_children():
    units = level(("11", "1", place(0, 0, 101, 100)), ("21", "2", place(101, 0, 200, 100)))
    streets = level(("1", None, place(0, 0, 100, 100)), ("2", None, place(100, 0, 200, 100)))
    done = repair({"street": streets, "community": units}, 2)
    assert sound(done.levels)
    assert moves(done) == [("street", "refit_to_children")] * 2
    assert done.levels["street"].geometry[0].equals(units.geometry[0])


def test_an_inlet_at_the_outer_border_moves_the_parent():
    """Cleaning a coverage leaves inlets open: the border of the parent gives way."""
    notched = place(100, 0, 200, 100) - place(150, 99, 160, 100)
    units = level(("11", "1", place(0, 0, 100, 100)), ("12", "1", notched))
    done = repair({"street": level(("1", None, place(0, 0, 200, 100))), "community": units}, 2)
    assert sound(done.levels)
    assert moves(done) == [("street", "refit_to_children")]


def test_a_unit_whose_code_contradicts_the_ground_is_left_where_it_is():
    streets = level(("1", None, place(0, 0, 100, 100)), ("2", None, place(100, 0, 200, 100)))
    straddling = ("12", "1", place(60, 0, 190, 100))
    units = level(("11", "1", place(0, 0, 60, 100)), straddling, ("21", "2", place(190, 0, 200, 100)))
    done = repair({"street": streets, "community": units}, 5)
    assert done.moves.empty
    moved = done.levels["street"].geometry.symmetric_difference(streets.geometry)
    assert metre(done.levels).area(moved.values).max() < 0.01
    assert check(done.levels)["kind"].tolist() == ["mostly_elsewhere"]


def test_invalid_outlines_are_made_valid():
    crossed = shapely.Polygon([(104, 30), (104.001, 30.001), (104.001, 30), (104, 30.001)])
    done = repair({"community": level(("1", None, crossed))}, 1)
    assert moves(done) == [("community", "made_valid")]
    assert done.levels["community"].geometry.is_valid.all()


def test_buildings_are_never_cut():
    units = level(("11", None, place(0, 0, 102, 100)), ("12", None, place(100, 0, 200, 100)))
    houses = level(("a", None, place(95, 10, 110, 20)), ("b", None, place(96, 11, 99, 30)))
    done = repair({"micro_grid": units, "building": houses}, 3)
    assert done.levels["building"].equals(houses)


def test_rows_without_ground_come_back_as_they_came():
    units = level(
        ("11", None, place(0, 0, 102, 100)), ("12", None, place(100, 0, 200, 100)), ("13", None, None)
    )
    done = repair({"community": units}, 3)
    assert done.levels["community"].geometry[2] is None


@pytest.mark.parametrize("tolerance", [0, -1, float("nan")])
def test_a_tolerance_that_is_none_is_refused(tolerance):
    with pytest.raises(BadTolerance):
        repair({}, tolerance)


@pytest.mark.parametrize("seed", range(12))
def test_a_board_with_shaken_corners_is_mended_and_nothing_moves_beyond_the_tolerance(seed):
    """Every unit draws its corners for itself, up to 0.8 m off: all edges disagree."""
    shake, units = np.random.default_rng(seed), []
    for west, south in itertools.product((0, 50, 100), repeat=2):
        block = shapely.get_coordinates(place(west, south, west + 50, south + 50))[:4]
        shaken = block + shake.uniform(-0.8, 0.8, (4, 2)) * METRE
        units.append((f"{west}-{south}", "1", shapely.Polygon(shaken)))
    street = level(("1", None, place(0, 0, 150, 150)))
    assert not sound({"street": street, "community": level(*units)})
    done = repair({"street": street, "community": level(*units)}, 4)
    assert sound(done.levels)
    assert done.moves["size_m"].max() < 0.001 + 4


def apart(levels, truth) -> dict[str, tuple[float, float]]:
    """For each level the share of ground that two maps dispute and their farthest distance in metres."""
    scale, answer = metre(truth), {}
    for name in truth:
        one, two = (frame.set_index("code").geometry for frame in (levels[name], truth[name]))
        one, two = (scale.project(np.asarray(s.array, dtype=object)) for s in (one, two.reindex(one.index)))
        dispute = shapely.area(shapely.symmetric_difference(one, two)).sum() / shapely.area(two).sum()
        answer[name] = dispute, shapely.hausdorff_distance(one, two).max()
    return answer


@pytest.mark.city
def test_cambridge_is_mended_within_11_metres(real_data):
    done = repair(cambridge(real_data, "raw"), 11)
    assert sound(done.levels)
    assert check(done.levels).empty
    assert set(done.moves["what"]) == {"refit_to_children"}
    assert done.moves["size_m"].max() <= 11
    assert done.moves["area_m2"].sum() == pytest.approx(6971, abs=1)


@pytest.mark.city
def test_cambridge_mended_is_as_far_from_the_citys_own_edition_as_it_was(real_data):
    """The city moved nearly every border to its own base map, which no repair can know."""
    raw, clean = cambridge(real_data, "raw"), cambridge(real_data, "clean")
    distance = apart(repair(raw, 11).levels, clean)
    assert distance["street"] == pytest.approx((0.0166, 71.1), rel=0.01)
    assert distance["community"] == pytest.approx((0.0206, 71.1), rel=0.01)
    assert distance["micro_grid"] == pytest.approx((0.0427, 421.6), rel=0.01)


@pytest.mark.city
def test_cambridge_with_a_smaller_tolerance_keeps_what_it_may_not_move(real_data):
    done = repair(cambridge(real_data, "raw"), 1)
    assert done.moves["size_m"].max() < 0.001 + 1
    left = check(done.levels)
    assert {"gap", "overlap", "child_outside"} <= set(left["kind"])


@pytest.mark.city
def test_washington_keeps_the_commissions_that_lie_in_another_ward(real_data):
    levels = washington(real_data, 2012, 2013)
    levels.pop("building")
    done = repair(levels, 10)
    assert sound(done.levels)
    assert set(check(done.levels)["code"]) == {"3G", "6D"}
    assert done.moves["size_m"].max() < 0.001 + 10
