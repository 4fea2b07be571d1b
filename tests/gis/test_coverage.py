"""What is wrong with a map of grids: told fault by fault, then on three real cities."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawn import EASTING, METRE, SQUARE, cambridge, level, place, washington
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from gis.coverage import check
from gis.crs import MissingCrs
from gis.findings import COLUMNS, KINDS, say
from gis.ground import LevelLacksColumn, UnknownLevel


def kinds(findings) -> list[str]:
    return sorted(findings["kind"])


STREET = level(("1", None, place(0, 0, 200, 100)))
WEST, EAST = ("11", "1", place(0, 0, 100, 100)), ("12", "1", place(100, 0, 200, 100))


def test_a_sound_map_has_no_findings():
    findings = check({"street": STREET, "community": level(WEST, EAST)})
    assert findings.empty
    assert tuple(findings.columns) == COLUMNS
    assert findings.crs.to_epsg() == 4326


def test_a_hole_between_units_is_a_gap_with_its_place_and_both_neighbours():
    court = place(30, 30, 60, 60)
    west, east = place(0, 0, 45, 90) - court, place(45, 0, 90, 90) - court
    findings = check({"community": level(("w", None, west), ("e", None, east))})
    assert kinds(findings) == ["gap"]
    gap = findings.iloc[0]
    assert gap["area_m2"] == pytest.approx(900 * SQUARE, rel=0.01)
    assert gap["geometry"].equals(court)
    assert {gap["code"], gap["other"]} == {"w", "e"}


def test_a_hole_that_the_parent_has_too_is_no_gap():
    lake = place(20, 20, 40, 40)
    street = level(("1", None, place(0, 0, 200, 100) - lake))
    west = ("11", "1", WEST[2] - lake)
    communities = level(west, EAST)
    assert check({"street": street, "community": communities})["level"].tolist() == ["street"]
    assert check({"street": STREET, "community": communities})["level"].tolist() == ["community"]
    assert kinds(check({"community": communities})) == ["gap"]


def test_units_that_overlap_are_named_in_pairs():
    findings = check({"community": level(("11", None, place(0, 0, 105, 100)), EAST)})
    assert kinds(findings) == ["bad_edge", "bad_edge", "overlap"]
    overlap = findings[findings["kind"] == "overlap"].iloc[0]
    assert (overlap["code"], overlap["other"]) == ("11", "12")
    assert overlap["area_m2"] == pytest.approx(500 * SQUARE, rel=0.01)


def test_a_unit_inside_another_overlaps_it_although_no_edges_cross():
    inner = level(("11", None, place(0, 0, 100, 100)), ("12", None, place(40, 40, 60, 60)))
    assert "overlap" in kinds(check({"community": inner}))


def test_overlaps_thinner_than_the_threshold_only_warn():
    thin = level(("11", None, place(0, 0, 100.05, 100)), ("12", None, place(100, 0, 200, 100)))
    findings = check({"community": thin}, sliver_m=0.1)
    assert "sliver_overlap" in kinds(findings)
    assert set(findings.loc[findings["kind"] == "sliver_overlap", "severity"]) == {"warning"}
    assert "overlap" in kinds(check({"community": thin}, sliver_m=0.01))


def test_ground_at_the_border_of_the_parent_that_no_child_covers():
    short = ("12", "1", place(100, 0, 190, 100))
    findings = check({"street": STREET, "community": level(WEST, short)})
    assert kinds(findings) == ["uncovered"]
    assert findings["other"].item() == "1"


def test_a_child_that_leaves_its_parent_is_measured():
    far = ("12", "1", place(100, 0, 230, 100))
    findings = check({"street": STREET, "community": level(WEST, far)})
    assert kinds(findings) == ["child_outside"]
    assert findings["size_m"].item() == pytest.approx(30 * EASTING, rel=0.01)
    assert "12 leaves its parent 1 by" in say(findings.iloc[0].to_dict())


@pytest.mark.parametrize(
    ("border", "kind"),
    [(196, "child_outside"), (180, "partly_elsewhere"), (130, "mostly_elsewhere"), (102, "wholly_elsewhere")],
)
def test_a_code_that_contradicts_the_ground_says_how_much(border, kind):
    streets = level(("1", None, place(0, 0, border, 100)), ("2", None, place(border, 0, 300, 100)))
    units = level(WEST, EAST, ("21", "2", place(200, 0, 300, 100)))
    findings = check({"street": streets, "community": units})
    assert kinds(findings) == [kind]
    assert findings["code"].item() == "12"
    if kind != "child_outside":
        assert findings["detail"].item()["share"] == pytest.approx((200 - border) / 100, abs=0.01)


def test_parents_missing_unknown_or_named_by_the_code_alone():
    units = level(("11", None, WEST[2]), ("92", "9", EAST[2]))
    assert kinds(check({"street": STREET, "community": units})) == ["missing_parent", "orphan"]
    by_prefix = check({"street": STREET, "community": units}, code_parent=lambda level, code: code[:1])
    assert kinds(by_prefix) == ["orphan"]


def test_codes_missing_blank_or_used_twice():
    units = level((None, None, place(0, 0, 9, 9)), (" ", None, place(20, 0, 29, 9)))
    assert kinds(check({"street": units})) == ["missing_code", "missing_code"]
    twice = check({"street": level(("1", None, place(0, 0, 9, 9)), ("1", None, place(20, 0, 29, 9)))})
    assert kinds(twice) == ["duplicate_code"]
    assert twice["row"].item() == 1


def test_geometry_that_is_no_ground():
    bowtie = shapely.Polygon([(104, 30), (104.001, 30.001), (104.001, 30), (104, 30.001)])
    units = level(
        ("1", None, None),
        ("2", None, shapely.Polygon()),
        ("3", None, shapely.LineString([(104.1, 30), (104.2, 30)])),
        ("4", None, bowtie),
    )
    findings = check({"street": units})
    assert kinds(findings) == ["empty_geometry", "empty_geometry", "invalid_ring", "multipart", "wrong_type"]
    invalid = findings[findings["kind"] == "invalid_ring"].iloc[0]
    assert invalid["geometry"].distance(shapely.Point(104.0005, 30.0005)) < 1e-9
    assert "Self-intersection" in say(invalid.to_dict())


def test_islands_are_pointed_out_with_their_distance():
    island = shapely.union_all([place(0, 0, 50, 50), place(150, 0, 160, 10)])
    findings = check({"community": level(("1", None, island))})
    assert kinds(findings) == ["multipart"]
    assert findings["size_m"].item() == pytest.approx(100 * EASTING, rel=0.01)


def test_buildings_on_a_border_in_no_unit_and_on_top_of_each_other():
    houses = level(
        ("a", None, place(10, 10, 20, 20)),
        ("b", None, place(95, 10, 120, 20)),
        ("c", None, place(500, 0, 510, 10)),
        ("d", None, place(15, 15, 25, 25)),
        ("e", None, place(16, 16, 19, 19)),
        ("f", None, place(190, 50, 210, 60)),
    )
    findings = check({"micro_grid": level(WEST, EAST), "building": houses})
    said = {(row["kind"], row["code"], row["other"]) for row in findings.to_dict("records")}
    assert said == {
        ("building_straddles", "b", "12"),
        ("building_nowhere", "c", None),
        ("building_overlap", "a", "d"),
        ("building_within", "e", "a"),
        ("building_within", "e", "d"),
        ("building_sticks_out", "f", "12"),
    }
    straddling = findings[findings["code"] == "b"]["detail"].item()
    assert straddling["share"] == pytest.approx(0.8, abs=0.001)


def test_a_building_registered_in_the_wrong_unit():
    houses = level(("a", "11", place(110, 10, 120, 20)), ("b", "12", place(110, 30, 120, 40)))
    findings = check({"micro_grid": level(WEST, EAST), "building": houses})
    assert kinds(findings) == ["wholly_elsewhere"]
    assert findings["other"].item() == "12"


def test_every_finding_can_be_said_and_has_a_severity():
    assert {severity for severity, _ in KINDS.values()} == {"error", "warning"}
    houses = level(("a", "9", place(95, 10, 120, 20)), ("b", None, place(500, 0, 510, 10)))
    findings = check({"micro_grid": level(WEST, EAST, WEST), "building": houses})
    assert len(findings) >= 4
    assert all("{" not in say(row) for row in findings.to_dict("records"))


def test_input_that_cannot_be_examined_is_refused_by_name():
    with pytest.raises(UnknownLevel, match="district"):
        check({"district": STREET})
    with pytest.raises(LevelLacksColumn, match="street has no column code"):
        check({"street": STREET.drop(columns="code")})
    with pytest.raises(MissingCrs, match="street"):
        check({"street": level(WEST, crs=None)})


def test_an_empty_level_has_no_findings():
    assert check({"street": level(), "building": level()}).empty


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 5), st.data())
def test_moving_one_unit_of_a_sound_board_is_always_noticed(size, data):
    cells = [place(x * 50, y * 50, x * 50 + 50, y * 50 + 50) for x in range(size) for y in range(size)]
    frame = level(*((str(i), "1", cell) for i, cell in enumerate(cells)))
    street = level(("1", None, shapely.coverage_union_all(cells)))
    assert check({"street": street, "micro_grid": frame}).empty
    unit = data.draw(st.integers(0, len(cells) - 1))
    east = data.draw(st.sampled_from([-7, -1, 1, 7]))
    moved = np.array(cells, dtype=object)
    moved[unit] = affinity.translate(moved[unit], east * METRE, east * METRE)
    assert not check({"street": street, "micro_grid": frame.set_geometry(moved, crs=4326)}).empty


def counted(findings) -> dict:
    return findings.groupby(["level", "kind"]).size().to_dict()


@pytest.mark.city
def test_cambridge_before_its_own_repair(real_data):
    findings = check(cambridge(real_data, "raw"))
    assert counted(findings) == {
        ("community", "bad_edge"): 17,
        ("community", "gap"): 23,
        ("community", "overlap"): 13,
        ("community", "uncovered"): 1,
        ("community", "child_outside"): 3,
        ("micro_grid", "child_outside"): 24,
    }
    worst = findings[findings["kind"] == "child_outside"].groupby("level")["area_m2"].max()
    assert worst["community"] == pytest.approx(535, abs=1)
    assert worst["micro_grid"] == pytest.approx(2194, abs=1)


@pytest.mark.city
def test_cambridge_after_its_own_repair_is_sound(real_data):
    assert check(cambridge(real_data, "clean")).empty


@pytest.mark.city
def test_cambridge_block_groups_of_2010_have_parents_elsewhere(real_data):
    """Of 36 without a 2020 tract, 11 had one of the city's tracts split since; 25 are of other towns."""
    street = cambridge(real_data, "raw")["street"]
    old = gpd.read_file(real_data / "cambridge" / "nested.gpkg", layer="blockgroup_2010")
    old = old.assign(code=old["GEOID10"], parent_code=old["GEOID10"].str[:11])
    findings = check({"street": street, "community": old})
    orphans = findings[findings["kind"] == "orphan"]
    split_since = orphans["other"].isin(["25017353400", "25017353500", "25017354600", "25017354900"])
    assert (len(orphans), (~split_since).sum()) == (36, 25)
    assert (findings["kind"] == "multipart").sum() == 13


@pytest.mark.city
def test_washington_names_the_two_commissions_that_lie_in_another_ward(real_data):
    findings = check(washington(real_data, 2012, 2013))
    elsewhere = findings[findings["kind"].str.endswith("elsewhere")].set_index("code")["detail"]
    assert {code: round(detail["share"], 2) for code, detail in elsewhere.items()} == {"3G": 0.80, "6D": 0.42}
    assert findings[findings["level"] == "micro_grid"].empty  # nests exactly
    assert counted(findings)["building", "building_straddles"] == 31
    assert counted(findings)["building", "building_nowhere"] == 2


@pytest.mark.city
def test_washington_as_it_was_in_2002(real_data):
    findings = check({"micro_grid": washington(real_data, 2002, 2002)["micro_grid"]})
    counts = counted(findings)
    assert counts["micro_grid", "invalid_ring"] == 1
    assert counts["micro_grid", "bad_edge"] == 10
    assert counts["micro_grid", "sliver_gap"] == 5  # all below a millimetre
    assert set(findings.loc[findings["kind"].str.startswith("sliver"), "severity"]) == {"warning"}


@pytest.mark.city
def test_hangzhou_has_18_overlapping_pairs_and_4_houses_drawn_inside_another(real_data):
    houses = gpd.read_file(real_data / "osm_buildings" / "hangzhou_buildings.geojson")
    findings = check({"building": houses.assign(code=houses["id"])})
    assert counted(findings) == {("building", "building_overlap"): 18, ("building", "building_within"): 4}
