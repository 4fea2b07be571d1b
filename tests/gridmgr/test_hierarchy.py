"""The four levels in the database: loading, editions, lineage, scope, and what the database refuses."""

from datetime import date

import pytest
from little import STREET, layer, little_district, square
from sqlalchemy import delete, select, text
from sqlalchemy.exc import DatabaseError

from gridmgr.account.rules import SYSTEM, Actor, Grant, Role
from gridmgr.hierarchy import queries, service
from gridmgr.hierarchy.model import BackdatedEdition, GridUnit, NoEdition, RetiredCode, TileShape, UnknownUnit

FIRST, SECOND = date(2026, 1, 1), date(2026, 7, 1)
C1, C2 = f"{STREET}001", f"{STREET}002"


def redrawn():
    """The border between the first two micro-grids moves east, and the fourth is merged into the third."""
    after = little_district()
    after["micro_grid"] = layer(
        [
            (f"{C1}001", "第1微网格", C1, square(0, 0, 1.3)),
            (f"{C1}002", "第2微网格", C1, square(1.3, 0, 0.7)),
            (f"{C2}001", "第3微网格", C2, square(2, 0, 2)),
        ]
    )
    after["building"] = after["building"].assign(parent_code=[f"{C1}001", f"{C1}002", f"{C2}001", f"{C2}001"])
    return after


def test_the_levels_are_tables_that_any_gis_opens(district):
    tables = district.scalars(text("SELECT f_table_name FROM geometry_columns")).all()
    assert {"street", "community", "micro_grid", "building"} <= set(tables)
    assert district.scalar(text("SELECT count(*) FROM micro_grid")) == 4


def test_an_edition_closes_what_it_changes_and_keeps_the_past(district):
    loaded = service.load(district, redrawn(), SECOND, "调整")
    assert loaded.counts["micro_grid"] == {
        "same": 0, "renamed": 0, "redrawn": 0, "reshaped": 3, "retired": 1, "new": 0,
    }  # fmt: skip
    assert loaded.counts["community"]["same"] == 2
    assert len(queries.frame(district, "micro_grid", date(2026, 6, 30))) == 4
    assert len(queries.frame(district, "micro_grid", SECOND)) == 3


def test_lineage_tells_where_area_and_households_went(district):
    service.load(district, redrawn(), SECOND)
    rows = {
        (row.kind, row.old_code, row.new_code): row for row, _ in queries.lineage_of(district, f"{C2}002")
    }
    passed = rows["passed", f"{C2}002", f"{C2}001"]
    assert passed.area_share == pytest.approx(1)
    assert passed.household_share == pytest.approx(1)
    assert ("retired", f"{C2}002", None) in rows


def test_loading_the_same_day_again_corrects_that_edition(district):
    before = queries.edition_at(district, FIRST).stamp
    moved = little_district()
    moved["micro_grid"].loc[0, "name"] = "更名网格"
    service.load(district, {"micro_grid": moved["micro_grid"]}, FIRST)
    assert queries.edition_at(district, FIRST).stamp != before
    assert queries.unit(district, SYSTEM, f"{C1}001", FIRST).name == "更名网格"
    assert len(queries.editions(district)) == 1


def test_a_retired_code_is_never_used_again(district):
    service.load(district, redrawn(), SECOND)
    with pytest.raises(RetiredCode, match=f"{C2}002"):
        service.load(district, little_district(), date(2026, 9, 1))


def test_editions_are_added_in_order_of_time(district):
    with pytest.raises(BackdatedEdition):
        service.load(district, redrawn(), date(2025, 1, 1))


def test_before_the_first_edition_the_first_one_answers(district):
    assert queries.edition_at(district, date(1999, 1, 1)).effective == FIRST


def test_without_any_edition_there_is_a_clear_answer(session):
    with pytest.raises(NoEdition, match="No grid has been imported yet"):
        queries.edition_at(session)


def test_a_clerk_sees_her_community_its_parts_and_what_is_above_it(district):
    clerk = Actor(1, "甲", (Grant(Role.COMMUNITY_CLERK, C1),))
    assert queries.unit(district, clerk, f"{C1}002", FIRST).name == "第2微网格"
    assert queries.unit(district, clerk, STREET, FIRST).level == "street"
    with pytest.raises(UnknownUnit):
        queries.unit(district, clerk, f"{C2}001", FIRST)
    assert queries.counts(district, clerk, FIRST) == {
        "street": 0, "community": 1, "micro_grid": 2, "building": 2,
    }  # fmt: skip


def test_a_member_sees_the_houses_of_the_own_micro_grid_only(district):
    member = Actor(1, "甲", (Grant(Role.GRID_MEMBER, f"{C1}001"),))
    found = queries.building_search(district, member, "荷花路")
    assert [each["address"] for each in found] == ["荷花路1号"]


@pytest.mark.parametrize("words", ["%", "_", "\\", "' OR 1=1 --", "荷花路%号"])
def test_search_words_are_words_not_patterns(district, words):
    assert queries.building_search(district, SYSTEM, words) == []


def test_tiles_are_drawn_per_state_and_cut_to_the_scope(district):
    edition = queries.edition_at(district, FIRST)
    assert service.draw_tiles(district, edition) > 0
    assert service.draw_tiles(district, edition) == 0
    z, x, y = 12, 3231, 1689
    everything = queries.tile(district, ("",), "micro_grid", edition.stamp, z, x, y)
    one = queries.tile(district, (f"{C1}001",), "micro_grid", edition.stamp, z, x, y)
    none = queries.tile(district, ("999",), "micro_grid", edition.stamp, z, x, y)
    assert f"{C2}001".encode() in everything
    assert f"{C1}001".encode() in one and f"{C2}001".encode() not in one
    assert none == b""


def test_bands_that_were_not_drawn_before_are_drawn_later(district):
    edition = queries.edition_at(district, FIRST)
    service.draw_tiles(district, edition)
    far = (TileShape.level == "micro_grid") & (TileShape.band == 0)
    district.execute(delete(TileShape).where(far))
    assert service.draw_tiles(district, edition) == len(queries.frame(district, "micro_grid", FIRST))


def test_the_crosswalk_meets_other_lists_by_code_and_by_name(district):
    import pandas as pd

    other = pd.DataFrame({"code": [C1, "510106403", "9"], "name": ["甲", "乙社区居委会", "无此地"]})
    assert service.load_crosswalk(district, "NBS", other) == {"code": 1, "name": 1, "none": 1}


REFUSED = {
    "a code twice at one time": "INSERT INTO grid_unit (level, code, name, area_m2, geom, valid_from, edition_id) "
    "SELECT level, code, name, 1, geom, valid_from, edition_id FROM street",
    "an invalid outline": "INSERT INTO grid_unit (level, code, name, area_m2, geom, valid_from, edition_id) "
    "SELECT 'street', 'X', 'X', 1, ST_GeomFromText('MULTIPOLYGON(((0 0,1 1,1 0,0 1,0 0)))', 4326), "
    "valid_from, edition_id FROM street",
    "a child of nobody": "INSERT INTO community "
    "(level, code, name, parent_code, area_m2, geom, valid_from, edition_id) "
    "SELECT 'community', 'X', 'X', 'nobody', 1, geom, valid_from, edition_id FROM street",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
def test_the_database_refuses(district, statement):
    with pytest.raises(DatabaseError), district.begin_nested():
        district.execute(text(statement))
    assert district.scalar(select(GridUnit.code).where(GridUnit.level == "street")) == STREET
