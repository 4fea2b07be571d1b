"""Where it hurts, on the little district: classes with their cards, rates with their guard, places that come back."""

import doctest
from datetime import UTC, date, datetime, timedelta

import pytest
from little import STREET

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.casebook.queries import Search
from gridmgr.category import queries as matters
from gridmgr.duty.model import Shift
from gridmgr.hotspot import queries, rules
from gridmgr.hotspot.model import (
    NotAnAreaLevel,
    PeriodTooShort,
    RecordsTooYoung,
    TooManyPeriods,
    UnknownRateBase,
    UnknownStep,
)
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident
from gridmgr.intake import service as intake
from gridmgr.life.model import Action
from gridmgr.words.methods import METHODS, told

TODAY = date(2026, 10, 20)
NOW = datetime(2026, 10, 20, 4, tzinfo=UTC)
GRIDS = [f"{STREET}00{n // 2 + 1}00{n % 2 + 1}" for n in range(4)]
HOUSE = 0.5, 0.5  # in the first micro-grid's building


@pytest.fixture(autouse=True)
def present():
    with clock.travel(NOW):
        yield


@pytest.fixture
def filed(district, told):
    """File reports, each so many days ago at a place of the raster."""

    def file(*places: tuple[float, float, float], **changes):
        reports = [
            told(column, row, reported_at=NOW - timedelta(days=days), **changes)
            for days, column, row in places
        ]
        return intake.report_many(district, SYSTEM, reports)

    return file


def test_periods_end_with_the_last_day_that_is_over():
    found = rules.spans("day", None, None, TODAY)
    assert (found.since, found.until, len(found.begins)) == (date(2026, 9, 20), date(2026, 10, 19), 30)
    weeks = rules.spans("week", date(2026, 7, 1), date(2026, 9, 30), TODAY)
    assert len(weeks.begins) == 13 and weeks.begins[-1] == date(2026, 9, 24)  # what is left over is cut off
    assert weeks.since == date(2026, 7, 2)


def test_too_few_periods_say_when_to_begin():
    with pytest.raises(
        PeriodTooShort, match="makes 9 periods, counted in single days; 10 are needed: begin on 2026-10-10"
    ):
        rules.spans("day", date(2026, 10, 11), None, TODAY)
    assert len(rules.spans("day", date(2026, 10, 10), None, TODAY).begins) == 10
    with pytest.raises(PeriodTooShort, match="makes 0 periods, counted in weeks"):
        rules.spans("week", TODAY, None, TODAY)


def test_no_period_begins_before_there_are_records():
    assert rules.spans("day", None, None, TODAY, begun=date(2026, 10, 5)).since == date(2026, 10, 5)
    with pytest.raises(RecordsTooYoung, match="begin on 2026-10-15; up to 2026-10-19 that makes 5 periods"):
        rules.spans("day", None, None, TODAY, begun=date(2026, 10, 15))


def test_other_periods_and_bases_are_refused():
    with pytest.raises(UnknownStep):
        rules.spans("hour", None, None, TODAY)
    with pytest.raises(TooManyPeriods):
        rules.spans("day", date(2020, 1, 1), None, TODAY)
    with pytest.raises(UnknownRateBase, match="households, area, hours"):
        rules.base_of("people")
    assert doctest.testmod(rules).failed == 0


@pytest.mark.db
class TestEmerging:
    def test_a_flare_up_is_told_with_its_course_and_today_is_left_out(self, district, filed):
        filed(*[(days, 0.1, 0.1) for days in (1, 2, 3) for _ in range(25)], *[(0.05, 3.9, 0.1)] * 9)
        filed((20, 3.1, 0.1))  # so that there are records of all the days
        found = queries.trend(district, SYSTEM, "micro_grid", Search(since=date(2026, 10, 1)))
        assert found.units.loc[GRIDS[0], "klass"] == "consecutive_hot"
        assert found.units.loc[GRIDS[3], "klass"] == "none"
        assert found.steps.loc[GRIDS[0]].tolist()[-2:] == [1, 1]
        assert found.card["incidents"] == 75 and found.card["until"] == date(2026, 10, 19)
        assert found.classes["consecutive_hot"] >= 1

    def test_a_district_without_cases_has_an_answer_to_everything(self, district):
        for found in (
            queries.gi(district, SYSTEM, "micro_grid", Search()),
            queries.trend(district, SYSTEM, "micro_grid", Search()),
            *(queries.rates(district, SYSTEM, "community", Search(), base) for base in rules.BASES),
        ):
            assert found.units.empty or (found.units["count"] == 0).all()
        assert queries.density(district, SYSTEM, Search()).areas.empty
        assert queries.repeats(district, SYSTEM, Search()).places == []

    def test_too_few_units_are_no_error(self, district, filed):
        filed((1, 0.1, 0.1))
        found = queries.gi(district, SYSTEM, "street", Search())
        assert found.units.empty and found.card == {} and told_of(found) == []

    def test_buildings_have_no_neighbours_to_be_hot_with(self, district):
        with pytest.raises(NotAnAreaLevel):
            queries.gi(district, SYSTEM, "building", Search())

    def test_an_answer_is_kept_until_a_case_moves(self, district, filed):
        filed((1, 0.1, 0.1))
        first = queries.gi(district, SYSTEM, "micro_grid", Search())
        assert queries.gi(district, SYSTEM, "micro_grid", Search()) is first
        filed((1, 0.1, 0.1))
        assert queries.gi(district, SYSTEM, "micro_grid", Search()).card["incidents"] == 2

    def test_everybody_sees_the_own_area(self, district, filed, staff):
        filed((1, 0.1, 0.1), (1, 3.1, 0.1))
        clerk = staff[Role.COMMUNITY_CLERK]
        seen = queries.rates(district, clerk, "micro_grid", Search())
        assert list(seen.units.index) == GRIDS[:2] and seen.card["incidents"] == 1


def told_of(found):
    return told(found.card)


def test_every_method_has_a_card_in_both_languages():
    from gridmgr.i18n import speaking

    card = {
        "since": None, "until": TODAY, "as_of": TODAY, "units": 4, "links": 3, "islands": 1, "incidents": 9,
        "elsewhere": 2, "level": "micro_grid", "hot": 1, "cold": 0, "alpha": [0.05], "step": "day", "periods": 30,
        "bandwidth": 300, "cell": 60.0, "least": 3, "within": 30, "base": "hours", "minimum": 8, "known": 3,
    }  # fmt: skip
    for method in METHODS:
        for language in ("zh", "en"):
            with speaking(language):
                lines = dict(told(card | {"method": method}))
            assert all(lines) and all(lines.values())


@pytest.mark.db
class TestRates:
    def test_a_grid_patrolled_twice_as_long_is_not_twice_as_bad(self, district, filed, staff):
        filed(*[(1.2, 0.1, 0.1)] * 8, *[(1.2, 1.1, 0.1)] * 4)
        member = staff[Role.GRID_MEMBER].id
        begin = NOW - timedelta(days=2)
        for code, turns in ((GRIDS[0], 2), (GRIDS[1], 1)):
            for n in range(turns):
                starts = begin + timedelta(hours=9 * n + (0 if code == GRIDS[0] else 18))
                turn = {"role": Role.GRID_MEMBER, "code": code, "substitute": False}
                district.add(
                    Shift(account_id=member, begins=starts, ends=starts + timedelta(hours=8), **turn)
                )
        district.flush()
        found = queries.rates(district, SYSTEM, "micro_grid", Search(), "hours").units
        assert found["base"].tolist()[:2] == [16, 8] and found["base"].isna().tolist()[2:] == [True, True]
        assert found["by_count"].tolist()[:2] == [1, 2] and found["by_rate"].tolist()[:2] == [1, 1]
        assert found["rate"].tolist()[:2] == [50, 50]  # a hundred hours
        assert found["klass"].tolist()[2:] == ["unknown", "unknown"]

    def test_a_small_base_says_nothing(self, district, filed):
        filed((1, 0.1, 0.1))
        found = queries.rates(district, SYSTEM, "micro_grid", Search(), "households", minimum=1e6)
        assert set(found.units["klass"]) <= {"few", "unknown"} and found.units["by_rate"].isna().all()
        area = queries.rates(district, SYSTEM, "micro_grid", Search(), "area").units
        assert area["base"].between(1.0, 1.2).all() and area["rate"].iloc[0] == pytest.approx(
            1 / area["base"].iloc[0]
        )


@pytest.mark.db
class TestPlaces:
    def test_the_same_matter_in_the_same_building_comes_back(self, district, filed):
        cases = filed((9, *HOUSE), (4, *HOUSE), (2, *HOUSE), (1, 0.1, 0.1))
        other = matters.by_code(district, "S0503").id
        filed((3, *HOUSE), (2, *HOUSE), category_id=other)
        found = queries.repeats(district, SYSTEM, Search(), least=3, within=10)
        (place,) = found.places
        assert (place.building, place.category, place.count, place.most) == (
            f"{STREET}00100001",
            "S0102",
            3,
            3,
        )
        assert (place.between, place.shortest) == (3.5, 2.0) and place.name == "荷花路1号"
        assert [case.after for case in place.cases] == [2.0, 5.0, None]
        assert district.get(Incident, cases[2]).number == place.cases[0].number
        assert queries.repeats(district, SYSTEM, Search(), least=3, within=6).places == []
        assert len(queries.repeats(district, SYSTEM, Search(), least=2, within=6).places) == 2

    def test_what_was_void_did_not_come_back(self, district, filed):
        cases = filed((4, *HOUSE), (3, *HOUSE), (2, *HOUSE))
        incident.move(
            district, SYSTEM, district.get(Incident, cases[0]).number, Action.VOID, {"note": "误报"}
        )
        assert queries.repeats(district, SYSTEM, Search()).places == []
        assert queries.repeats(district, SYSTEM, Search(), least=2).places[0].count == 2

    def test_all_cases_in_one_building_are_one_place_and_one_spot(self, district, filed):
        filed(*[(n / 200, *HOUSE) for n in range(600)])
        (place,) = queries.repeats(district, SYSTEM, Search()).places
        assert place.count == 600 and len(place.cases) == rules.LATEST
        spot = queries.density(district, SYSTEM, Search())
        assert len(spot.areas) == 5 and spot.card["incidents"] == 600
        assert queries.gi(district, SYSTEM, "micro_grid", Search()).units["count"].tolist() == [600, 0, 0, 0]
