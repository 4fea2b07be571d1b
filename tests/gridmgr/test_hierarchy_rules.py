"""Codes, parents, and what becomes of units between two editions."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from gridmgr.hierarchy import rules
from gridmgr.hierarchy.model import BadScheme
from gridmgr.hierarchy.rules import SCHEMES


def units(*rows: tuple, level: str = "micro_grid") -> gpd.GeoDataFrame:
    """Units as (code, name, west, east), one high and side by side."""
    frame = gpd.GeoDataFrame(
        {"code": [row[0] for row in rows], "name": [row[1] for row in rows]},
        geometry=[box(row[2], 0, row[3], 1) for row in rows],
        crs=4326,
    )
    return frame.assign(
        level=level, parent_code="510106001001", households=None, population=None, land_use=None, address=None
    )


def test_the_national_scheme_cuts_parents_by_length():
    codes = pd.Series(["510106001001", "510106002001"])
    parents = rules.parents_by_code(SCHEMES["gb"], "community", codes, {"510106001"})
    assert parents.tolist() == [
        "510106001",
        "510106002",
    ]  # a missing parent is named, so that it can be reported


def test_free_codes_take_the_longest_known_beginning():
    parents = rules.parents_by_code(
        SCHEMES["prefix"], "micro_grid", pd.Series(["1A01", "10B02", "9Z"]), {"1", "1A", "10B"}
    )
    assert parents.tolist() == ["1A", "10B", None]


def test_the_scheme_is_guessed_from_the_codes():
    assert rules.guess_scheme("street", pd.Series(["510106001"])).name == "gb"
    assert rules.guess_scheme("street", pd.Series(["1", "2"])).name == "prefix"


def test_a_scheme_file_must_be_whole(tmp_path):
    good = tmp_path / "shenzhen.toml"
    good.write_text('name = "shenzhen"\n[masks]\nbuilding = "\\\\d{19}"\n[parent_length]\nbuilding = 15\n')
    assert rules.scheme_from_file(good).fits("building", "1" * 19)
    bad = tmp_path / "bad.toml"
    for text in (
        'name = "x"',
        'name = "x"\n[masks]\nroom = "x"',
        'name = "x"\n[masks]\nstreet = "("',
        "\xff",
    ):
        bad.write_text(text, "latin-1")
        with pytest.raises(BadScheme, match=r"bad\.toml"):
            rules.scheme_from_file(bad)


def test_a_child_belongs_where_most_of_it_lies():
    parents = units(("A", "", 0, 1), ("B", "", 1, 2))
    children = units(("1", "", 0.1, 0.3), ("2", "", 0.8, 1.6), ("3", "", 5, 6), ("4", "", 0.5, 1.5))
    assert rules.parents_by_place(children, parents).tolist() == ["A", "B", None, "A"]


def test_what_becomes_of_each_code():
    before = units(
        ("1", "甲", 0, 1), ("2", "乙", 1, 2), ("3", "丙", 2, 3), ("4", "丁", 3, 4), ("6", "己", 6, 7)
    )
    after = units(
        ("1", "甲", 0, 1),
        ("2", "新乙", 1, 2),
        ("3", "丙", 2, 3.5),
        ("5", "戊", 3.5, 4),
        ("6", "己", 6, 7.001),
    )
    fates = rules.changes(before, after)
    assert (list(fates.same), list(fates.renamed), list(fates.reshaped)) == (["1"], ["2"], ["3"])
    assert (list(fates.redrawn), list(fates.retired), list(fates.new)) == (["6"], ["4"], ["5"])


def test_a_split_passes_area_and_households_on():
    before = units(("1", "甲", 0, 4))
    after = units(("1", "甲", 0, 3), ("2", "乙", 3, 4))
    homes = gpd.GeoDataFrame(
        {"households": [30, 10]}, geometry=gpd.points_from_xy([1, 3.5], [0.5, 0.5]), crs=4326
    )
    rows = rules.lineage(before, after, rules.changes(before, after), homes)
    passed = rows[rows["kind"] == "passed"].iloc[0]
    assert (passed["old_code"], passed["new_code"]) == ("1", "2")
    assert passed["area_share"] == pytest.approx(0.25)
    assert passed["household_share"] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("抚琴", "抚琴街道办事处"),
        ("金沙社区", "金沙社区居委会"),
        ("红星村", "红星村委会"),
        ("西安路街道", "西安路街道办事处"),
    ],
)
def test_names_meet_without_the_suffixes_of_lists(ours, theirs):
    assert rules.plain_name(ours) == rules.plain_name(theirs)
