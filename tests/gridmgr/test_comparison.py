"""Comparisons: periods on the units of their days or of one map, editions by the same cases, totals that agree."""

from datetime import UTC, date, datetime, timedelta

import pytest
from little import STREET, layer, little_district, square

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Actor, Grant, Role
from gridmgr.casebook.queries import Search
from gridmgr.comparison import queries, rules
from gridmgr.comparison.model import (
    Basis,
    EndsBeforeItBegins,
    Measure,
    NotYet,
    OneEdition,
    Period,
    Row,
)
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as hierarchy_service
from gridmgr.intake import service as intake

FIRST = Period(date(2026, 9, 7), date(2026, 9, 13))
SECOND = Period(date(2026, 9, 14), date(2026, 9, 20))
WEST, EAST, NEW = f"{STREET}001001", f"{STREET}001002", f"{STREET}001003"


def test_a_unit_that_was_not_there_has_no_difference_and_nought_no_share() -> None:
    assert Row("a", "a", 4, 6).difference == 2
    assert Row("a", "a", 4, 6).share == 0.5
    assert Row("a", "a", None, 6).difference is None
    assert Row("a", "a", 0, 6).share is None
    rows = [Row("a", "a", 1, 5), Row("b", "b", None, 6), Row("c", "c", 3, 3)]
    assert [row.code for row in rules.ordered(rows, "-difference")] == ["a", "c", "b"]
    assert [row.code for row in rules.ordered(rows, "difference")] == ["c", "a", "b"]


def test_periods_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(EndsBeforeItBegins):
        rules.checked(Period(date(2026, 9, 2), date(2026, 9, 1)), date(2026, 10, 1))
    with pytest.raises(NotYet):
        rules.checked(SECOND, date(2026, 9, 1))


@pytest.fixture
def redrawn(district, told):
    """Two weeks of reports, between them a map whose first micro-grid has lost its eastern half to a new one."""

    def report(day: int, *columns: float) -> None:
        with clock.travel(datetime(2026, 9, day, 4, tzinfo=UTC)):
            intake.report_many(district, SYSTEM, [told(each, 0.1) for each in columns])

    report(8, 0.1, 0.6, 0.7, 1.5, 2.5)
    levels = little_district()
    grids = levels["micro_grid"]
    rows = [
        tuple(row)
        for row in grids[grids["code"] != WEST][["code", "name", "parent_code", "geometry"]].to_numpy()
    ]
    halves = [
        (WEST, "西半", f"{STREET}001", square(0, 0, 0.5)),
        (NEW, "东半", f"{STREET}001", square(0.5, 0, 0.5)),
    ]
    levels["micro_grid"] = layer([*halves, *rows])
    homes = levels["building"]
    homes.loc[homes["parent_code"] == WEST, "parent_code"] = None
    levels["building"] = homes[homes["parent_code"].notna()]
    hierarchy_service.load(district, levels, date(2026, 9, 14), "二版")
    report(16, 0.2, 0.8, 0.9, 3.5)
    with clock.travel(datetime(2026, 9, 22, tzinfo=UTC)):
        yield district


def values(found) -> dict:
    return {row.code: (row.first, row.second) for row in found.rows}


@pytest.mark.db
def test_a_period_is_counted_on_the_units_of_its_day_or_of_one_map(redrawn) -> None:
    asked = (redrawn, SYSTEM, Search(), FIRST, SECOND, "micro_grid")
    was, now = queries.periods(*asked), queries.periods(*asked, basis=Basis.NOW)
    assert (was.total.first, was.total.second) == (now.total.first, now.total.second) == (5, 4)
    assert values(was)[WEST][0] == 3
    assert values(was)[NEW][0] is None  # it was not there
    assert values(now)[WEST] == (1, 1)
    assert values(now)[NEW] == (2, 2)
    still = queries.periods(*asked, measure=Measure.OPEN)
    assert (still.total.first, still.total.second) == (5, 9)


@pytest.mark.db
def test_two_editions_count_the_same_cases_on_other_units(redrawn) -> None:
    newer, older = hierarchy.editions(redrawn)
    whole = Period(FIRST.since, SECOND.until)
    found = queries.editions(redrawn, SYSTEM, Search(), whole, newer, older)
    assert found.first.edition.id == older.id  # whichever was named first
    assert found.total.first == found.total.second == 9
    rows = {row.code: row for row in found.rows}
    assert (rows[WEST].first, rows[WEST].second, rows[WEST].fate) == (6, 2, "reshaped")
    assert (rows[NEW].first, rows[NEW].second, rows[NEW].fate) == (None, 4, "new")
    assert [(code, round(share, 2)) for code, share in rows[NEW].origin] == [(WEST, 0.5)]
    other = queries.editions(redrawn, SYSTEM, Search(code=f"{STREET}002"), whole, older, newer)
    assert NEW not in values(other)
    part = queries.editions(redrawn, SYSTEM, Search(code=WEST), whole, older, newer)
    assert {row.code: row.fate for row in part.rows} == {
        WEST: "reshaped",
        NEW: "new",
    }  # its cases lie there too
    with pytest.raises(OneEdition):
        queries.editions(redrawn, SYSTEM, Search(), whole, newer, newer)


@pytest.mark.db
def test_nobody_compares_what_lies_outside_the_own_area(redrawn) -> None:
    clerk = Actor(None, "", (Grant(Role.COMMUNITY_CLERK, f"{STREET}002"),))
    newer, older = hierarchy.editions(redrawn)
    whole = Period(FIRST.since, SECOND.until)
    for found in (
        queries.periods(redrawn, clerk, Search(), FIRST, SECOND, "micro_grid"),
        queries.editions(redrawn, clerk, Search(), whole, older, newer),
    ):
        assert found.rows
        assert all(code.startswith(f"{STREET}002") for code in values(found))
    assert found.total.first == 2


def test_last_week_and_this_one_are_meant_if_nothing_else_is_said() -> None:
    last, this = rules.usual(date(2026, 9, 16))
    assert (last, this) == (FIRST, Period(SECOND.since, date(2026, 9, 16)))
    assert last.until + timedelta(days=1) == this.since
