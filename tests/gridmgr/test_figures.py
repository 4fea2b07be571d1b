"""Figures: every count has its list, any past day is told again as it was, areas as was and as now."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from climbing import MONDAY, after
from little import STREET, little_district, square
from sqlalchemy import select, update
from test_module import regroup
from wandering import HOUR, NINE, walk

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Actor, Role
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.category.model import Category
from gridmgr.clock import TimeUnit
from gridmgr.events import drain
from gridmgr.hierarchy import service as hierarchy
from gridmgr.incident.model import Incident
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source
from gridmgr.past.queries import moment
from gridmgr.reactions import REACTIONS
from gridmgr.statistics import queries
from gridmgr.statistics.rules import COUNTS, RATES, SCORE, SUMS
from gridmgr.tally import queries as tally
from gridmgr.tally import rules as terms_rules
from gridmgr.tally import service as terms
from gridmgr.tally.model import BadFigureTerms, UnknownCount, UnknownDimension

pytestmark = pytest.mark.db
LATER = NINE + 200 * HOUR
SEED = 20261
SOURCES = (Source.PATROL, Source.PATROL, Source.HOTLINE, Source.RESIDENT)


@pytest.fixture
def city(district, told, staff) -> list[Incident]:
    """Thirty cases of all sources in all grids, with random lives, and the street's work in modules."""
    regroup(district)
    reporters = [staff[role] for role in (Role.GRID_MEMBER, Role.STREET_DISPATCHER)]
    ids = []
    with clock.travel(NINE):
        for n in range(30):
            report = told(n % 4 + 0.5, 0.1 + n % 2 * 0.4, reported_at=NINE, source=SOURCES[n % 4])
            ids += intake.report_many(district, reporters[n % 2], [report])
    found = list(district.scalars(select(Incident).where(Incident.id.in_(ids)).order_by(Incident.id)))
    wander(district, found, NINE, staff[Role.GRID_LEADER])
    return found


def wander(session, cases: list[Incident], since: datetime, by: Actor = SYSTEM) -> None:
    chance = Random(SEED)
    for case in cases:
        walk(session, chance, case, since, by)
    session.flush()


def test_every_number_has_a_list_of_as_many_cases(district, city):
    search = Search(since=NINE.date(), without=("suspended", "voided"))
    asked: dict[tuple, tuple[int, Search]] = {}
    with clock.travel(LATER):
        for by in tally.DIMENSIONS:
            rows, whole = queries.table(district, SYSTEM, by, search)
            assert whole == queries.total(district, SYSTEM, search)
            assert sum(row.counts["reported"] for row in rows) == len(city)
            for row in {rows[0].code: rows[0], rows[-1].code: rows[-1]}.values():
                for name in COUNTS:
                    narrowed = Search(**vars(search) | {"count": name, "row_by": by, "row": row.code or ""})
                    asked[by, row.code, name] = row.counts[name], narrowed
        total = queries.total(district, SYSTEM, search)
        asked |= {(name,): (total.counts[name], Search(**vars(search) | {"count": name})) for name in COUNTS}
        listed = casebook.counted(district, SYSTEM, {key: one for key, (_number, one) in asked.items()})
    assert listed == {key: number for key, (number, _search) in asked.items()}
    assert sum(total.counts[name] > 0 for name in COUNTS) > 20  # and not for want of cases
    assert {key[0] for key in asked if len(key) == 3 and key[1] is not None} == set(tally.DIMENSIONS)


def test_a_past_day_is_told_again_as_it_was_shown_then(district, city):
    asked = [Search(), Search(without=("suspended",)), Search(count="overdue"), Search(open=True)]
    every = [*tally.DIMENSIONS]

    def told(at: datetime | None) -> list:
        return [
            (queries.total(district, SYSTEM, one, at), [queries.figures(district, SYSTEM, by, one, at) for by in every])
            for one in asked
        ]  # fmt: skip

    with clock.travel(LATER):
        shown = told(None)
        lists = {name: queries.behind(district, SYSTEM, Search(count=name)) for name in COUNTS}
    wander(district, city, LATER)
    with clock.travel(LATER + 400 * HOUR):
        terms.set_terms(district, SYSTEM, (LATER + 300 * HOUR).date(), {"without": [], "satisfied_from": 5})
        assert told(LATER) == shown
        assert told(None) != shown
        for name, before in lists.items():
            again = queries.behind(district, SYSTEM, Search(count=name), LATER, size=500)
            assert (again.total, len(again.cases)) == (before.total, before.total)
            assert [dict(each) for each in again.cases] == [dict(each) for each in before.cases]


def test_areas_are_told_as_they_were_and_on_the_map_in_force(district, told):
    days = [datetime(2026, 6, day, tzinfo=UTC) for day in (1, 2, 3)] + [datetime(2026, 7, 2, tzinfo=UTC)]
    with clock.travel(days[-1]):
        intake.report_many(district, SYSTEM, [told(1.1, reported_at=day) for day in days])
    redrawn = little_district()
    redrawn["micro_grid"].geometry = [square(0, 0, 1.5), square(1.5, 0, 0.5), square(2, 0), square(3, 0)]
    hierarchy.load(district, {"micro_grid": redrawn["micro_grid"]}, date(2026, 7, 1))
    west, east = f"{STREET}001001", f"{STREET}001002"

    def numbers(**how) -> dict[str | None, int]:
        rows = queries.figures(district, SYSTEM, "micro_grid", Search(), **how)
        return {row.code: row.counts["reported"] for row in rows}

    now = datetime(2026, 7, 3, tzinfo=UTC)
    with clock.travel(now):
        assert numbers() == {east: 4}
        assert numbers(areas="now") == numbers(areas="now", at=now) == {west: 4}
        assert queries.total(district, SYSTEM, Search()).counts["reported"] == 4
        behind = [
            queries.behind(district, SYSTEM, Search(row_by="micro_grid", row=code), at, areas="now").total
            for code in (west, east, "") for at in (None, now)
        ]  # fmt: skip
        assert behind == [4, 4, 0, 0, 0, 0]


def test_across_a_redraw_figures_as_was_and_as_now_have_equal_totals_and_their_lists(district, told):
    """Open cases go over to the new units; as was they are counted where they were reported all the same."""
    june, july = (datetime(2026, month, 2, 4, tzinfo=UTC) for month in (6, 7))
    west, east = f"{STREET}001001", f"{STREET}001002"
    with clock.travel(june):
        intake.report_many(district, SYSTEM, [told(x, reported_at=june) for x in (0.5, 1.1, 1.6, 3.5)])
    with clock.travel(july):
        frame = little_district()["micro_grid"].drop(index=1)
        frame.loc[0, "geometry"] = square(0, 0, 2)
        hierarchy.load(district, {"micro_grid": frame}, date(2026, 7, 1))
        drain(district, REACTIONS)
        intake.report_many(district, SYSTEM, [told(x, reported_at=july) for x in (1.1, 3.5)])

    def numbers(areas: str, at: datetime | None = None) -> dict[str | None, int]:
        rows, total = queries.table(district, SYSTEM, "micro_grid", Search(), at, areas=areas)
        assert total.counts["reported"] == sum(row.counts["reported"] for row in rows)
        assert all(row.name for row in rows)
        return {row.code: row.counts["reported"] for row in rows}

    far = f"{STREET}002002"
    with clock.travel(july + timedelta(days=1)):
        assert numbers("was") == numbers("was", july + timedelta(hours=1)) == {west: 2, east: 2, far: 2}
        assert numbers("now") == {west: 4, far: 2} == numbers("then")
        behind = {
            (areas, code): queries.behind(district, SYSTEM, Search(row_by="micro_grid", row=code), areas=areas).total
            for areas in ("was", "now") for code in (west, east)
        }  # fmt: skip
    assert behind == {("was", west): 2, ("was", east): 2, ("now", west): 4, ("now", east): 0}


def test_only_cases_whose_unit_has_changed_since_are_looked_up_anew(district, told, monkeypatch):
    june, july = (datetime(2026, month, 2, tzinfo=UTC) for month in (6, 7))
    with clock.travel(june):
        intake.report_many(district, SYSTEM, [told(x, reported_at=june) for x in (1.1, 2.5, 3.5, 3.5)])
    redrawn = little_district()
    redrawn["micro_grid"].geometry = [square(0, 0, 1.5), square(1.5, 0, 0.5), square(2, 0), square(3, 0)]
    hierarchy.load(district, {"micro_grid": redrawn["micro_grid"]}, date(2026, 7, 1))
    looked, locator_of = [], queries.hierarchy.locator_of

    class Watched:
        def __init__(self, *asked):
            self.locator = locator_of(*asked)

        def locate(self, lon, lat):
            looked.append(len(lon))
            return self.locator.locate(lon, lat)

    monkeypatch.setattr(queries.hierarchy, "locator_of", Watched)
    with clock.travel(july + timedelta(days=1)):
        now = queries.figures(district, SYSTEM, "micro_grid", Search(), areas="now")
        then = queries.figures(district, SYSTEM, "micro_grid", Search(), july, areas="now")
    assert {row.code: row.counts["reported"] for row in now} == {
        f"{STREET}001001": 1, f"{STREET}002001": 1, f"{STREET}002002": 2,
    }  # fmt: skip
    assert (now, looked) == (then, [1, 1])


def test_handling_times_run_on_and_are_worked_by_the_calendar(desk, district, staff):
    spans = [(0, 30), (6, 100.25), (1, 24)]
    for begin, end in spans:
        case = desk.report()
        desk.move(case, after(begin), Action.ACCEPT)
        desk.move(case, after(begin), Action.DISPATCH)
        desk.move(case, after(begin), Action.HANDLE)
        desk.move(case, after(end), Action.FEED_BACK, note="好了")
        desk.move(case, after(end), Action.VERIFY, note="查过")
        desk.move(case, after(end), Action.CLOSE)
    calendar = clock.working_calendar()
    worked = sum(
        (calendar.worked(after(begin), after(end), TimeUnit.WORKING_HOURS) for begin, end in spans),
        timedelta(),
    )
    with clock.travel(after(200)):
        (row,) = queries.figures(district, SYSTEM, "body", Search())
        assert row.rates["mean_hours"] == pytest.approx((30 + 94.25 + 23) / 3)
        assert row.counts["worked_seconds"] == worked.total_seconds() > 0
        assert row.rates["mean_worked_hours"] == pytest.approx(worked / timedelta(hours=3))
        only = queries.total(district, SYSTEM, Search(), counts=("timed", "worked_seconds"))
        assert set(only.counts) == {"timed", "worked_seconds"} and set(only.rates) == {"mean_worked_hours"}


def test_a_case_opened_again_was_dispatched_and_fed_back_unless_settled_on_the_spot(desk, district, photo):
    district.execute(update(Category).values(simple=True))
    case, small = desk.handling(), desk.report()
    desk.move(case, after(2), Action.FEED_BACK, note="好了")
    desk.move(case, after(3), Action.REWORK, note="没做完")
    desk.move(case, after(4), Action.FEED_BACK, note="好了")
    desk.move(case, after(5), Action.VERIFY, note="查过")
    desk.move(case, after(6), Action.CLOSE)
    desk.move(small, after(6), Action.SETTLE, note="当场清完", files=[photo], checked=True)
    for each in (case, small):
        desk.move(each, after(7), Action.REOPEN, note="又有了")
    told = ("reported", "dispatched", "fed_back", "reworked")

    def numbers(at: datetime | None) -> list[int]:
        return [*queries.total(district, SYSTEM, Search(), at, counts=told).counts.values()]

    with clock.travel(after(8)):
        assert numbers(None) == numbers(after(6.5)) == [2, 1, 1, 1]
    desk.move(case, after(9), Action.DISPATCH)
    with clock.travel(after(10)):
        assert numbers(after(8)) == numbers(None) == [2, 1, 1, 1]


def test_terms_hold_from_their_day_on_and_a_reader_may_choose_otherwise(desk, district, staff):
    case = desk.report(source=Source.HOTLINE)
    desk.move(case, MONDAY, Action.CONFIRM, found=True)
    desk.move(case, MONDAY, Action.ACCEPT)
    desk.move(case, after(1), Action.SUSPEND, staff[Role.COMMAND_CENTRE], note="等材料")
    terms.set_terms(district, staff[Role.ADMIN], date(2026, 9, 20), {"without": ["suspended"]})

    def due(day: int, **narrowed) -> int:
        with clock.travel(datetime(2026, 9, day, tzinfo=UTC)):
            return queries.total(district, SYSTEM, Search(**narrowed)).counts["due"]

    assert [due(10), due(10, without=("suspended",)), due(21), due(21, without=("nothing",))] == [1, 0, 0, 1]
    with clock.travel(datetime(2026, 9, 21, tzinfo=UTC)):
        total = queries.total(district, SYSTEM, Search())
        assert set(total.rates) == {*RATES, SCORE} and set(total.counts) == {*COUNTS, *SUMS}
        assert (total.rates["response_rate"], total.rates[SCORE]) == (1.0, None)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"weights": 5}, "weights"), ({"weights": {"luck": 1}}, "weights"),
        ({"weights": {"response_rate": 1, "luck": 0}}, "weights"),
        ({"weights": {"response_rate": "1"}}, "response_rate"), ({"without": 5}, "without"),
        ({"without": None}, "without"), ({"without": "voided"}, "without"), ({"without": [["voided"]]}, "without"),
        ({"satisfied_from": 4.9}, "satisfied_from"), ({"response_hours": True}, "response_hours"),
        ({"satisfied": 4}, "satisfied"),
    ],
)  # fmt: skip
def test_terms_that_mean_nothing_are_refused_by_name(given, field):
    with pytest.raises(BadFigureTerms) as refused:
        terms_rules.terms_of(given)
    assert refused.value.details["field"] == field


def test_a_day_is_told_by_its_own_terms_when_others_begin_the_day_after(district):
    day = date(2026, 9, 19)
    terms.set_terms(district, SYSTEM, day + timedelta(days=1), {"without": ["suspended"]})
    with clock.travel(datetime(2026, 9, 25, tzinfo=UTC)), clock.travel(moment(day)):
        assert clock.today() == day
        assert "suspended" not in tally.terms(district).without


def test_what_is_not_counted_or_no_row_is_refused_by_name(district):
    with pytest.raises(UnknownDimension):
        queries.figures(district, SYSTEM, "weather", Search())
    with pytest.raises(UnknownCount):
        queries.behind(district, SYSTEM, Search(count="luck"))


def test_the_period_before_has_the_same_length():
    with clock.travel(MONDAY):
        week = queries.previous(Search(since=date(2026, 9, 1), until=date(2026, 9, 7), source="patrol"))
        assert (week.since, week.until, week.source) == (date(2026, 8, 25), date(2026, 8, 31), "patrol")
        assert queries.previous(Search(since=date(2026, 9, 6))).since == date(2026, 9, 4)
        as_of = queries.previous(Search(since=date(2026, 9, 1)), date(2026, 9, 3))
        assert (as_of.since, as_of.until) == (date(2026, 8, 29), date(2026, 8, 31))
        assert queries.previous(Search()) is None
