"""How periods are cut and open cases counted back, in milliseconds."""

from datetime import date

import pytest

from gridmgr.trend import rules
from gridmgr.trend.model import Cell, PeriodBackward, Place, Step

TODAY = date(2026, 9, 30)


def test_thirty_days_by_day_are_looked_at_unless_said_otherwise():
    period = rules.period(None, None, "", TODAY)
    assert (period.since, period.until, period.step) == (date(2026, 9, 1), TODAY, Step.DAY)
    assert len(rules.steps(period)) == 30


@pytest.mark.parametrize(
    ("since", "step", "cut"),
    [
        (date(2026, 9, 29), "", Step.DAY),
        (date(2026, 3, 1), "", Step.WEEK),
        (date(2026, 3, 1), "day", Step.DAY),
        (date(2020, 1, 1), "day", Step.WEEK),
        (date(2000, 1, 1), "day", Step.MONTH),
        (date(2026, 9, 1), "odd", Step.DAY),
    ],
)
def test_a_longer_period_is_cut_more_coarsely(since: date, step: str, cut: Step):
    period = rules.period(since, TODAY, step, TODAY)
    assert period.step is cut
    assert len(rules.steps(period)) <= rules.MOST_STEPS


def test_a_period_of_centuries_is_cut_off_and_one_that_runs_backwards_refused():
    assert len(rules.steps(rules.period(date(1900, 1, 1), TODAY, "", TODAY))) <= rules.MOST_STEPS + 2
    with pytest.raises(PeriodBackward):
        rules.period(TODAY, date(2026, 9, 1), "", TODAY)


def test_weeks_begin_on_mondays_and_are_cut_by_the_ends_of_the_period():
    period = rules.period(date(2026, 9, 9), date(2026, 9, 22), "week", TODAY)
    assert rules.steps(period) == [date(2026, 9, 7), date(2026, 9, 14), date(2026, 9, 21)]
    assert rules.bounds(period, "2026-09-07") == (date(2026, 9, 9), date(2026, 9, 13))
    assert rules.bounds(period, "2026-09-21") == (date(2026, 9, 21), date(2026, 9, 22))
    assert rules.after(date(2026, 12, 5), Step.MONTH) == date(2027, 1, 1)


def test_what_stood_open_is_counted_back_from_now():
    reported = {("2026-09-01", "a"): 3, ("2026-09-02", "a"): 1, ("9999-12-31", "a"): 5}
    closed = {("2026-09-02", "a"): 2, ("9999-12-31", "b"): 1}
    found = set(rules.standing_open({"a": 7}, reported, closed, ["2026-09-01", "2026-09-02"]))
    assert found == {
        Cell(Place("open", "2026-09-01", "a"), 3),
        Cell(Place("open", "2026-09-02", "a"), 2),
        Cell(Place("open", "2026-09-01", "b"), 1),
        Cell(Place("open", "2026-09-02", "b"), 1),
    }


def test_a_rework_a_return_and_a_reopening_went_back_but_a_resumption_did_not():
    ways = [("fed_back", "handling"), ("handling", "accepted"), ("evaluated", "accepted")]
    assert all(rules.went_back(*way) for way in ways)
    assert not rules.went_back("suspended", "handling")
    assert not rules.went_back("accepted", "dispatched")


def test_parts_come_in_their_order_or_the_largest_first():
    cells = [Cell(Place("x", "1", part), count) for part, count in (("b", 1), ("a", 1), ("c", 5))]
    assert rules.parts(cells) == ["c", "a", "b"]
    assert rules.parts(cells, ("b", "c")) == ["b", "c", "a"]
    assert rules.total(cells, part="c") == 5
