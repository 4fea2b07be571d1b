"""What a digest says: spans, tables from frames of cases, sentences in both languages."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import pytest

from gridmgr.bulletin import rules as papers
from gridmgr.digest import rules
from gridmgr.digest.model import Period, Span
from gridmgr.i18n import speaking

ZONE = ZoneInfo("Asia/Shanghai")
WEEK = rules.span(Period.WEEK, date(2026, 9, 9))
BEGIN = datetime(2026, 9, 7, tzinfo=ZONE)
END = BEGIN + timedelta(days=7)


def frame(*rows: tuple) -> pd.DataFrame:
    """Cases as (category, state, hours until reported, due, closed after the week began)."""
    names = ["category_id", "state", "reported_at", "due_at", "closed_at"]
    found = pd.DataFrame(list(rows), columns=names).assign(accepted_at=None, source="patrol", number="1")
    found["accepted_at"] = found["reported_at"]
    for name in ("reported_at", "due_at", "closed_at", "accepted_at"):
        hours = pd.to_numeric(found[name])
        found[name] = pd.Timestamp(BEGIN).tz_convert(UTC) + pd.to_timedelta(hours, unit="h")
    return found.assign(
        level="street", handler=None, street_code="1", community_code=None, micro_grid_code="12"
    )


CASES = frame(
    (1, "closed", 1, 5, 4), (1, "handling", 25, 30, None), (1, "accepted", 30, 400, None),
    (2, "suspended", 30, 40, None), (2, "closed", -50, -10, 3), (3, "voided", 40, None, 41),
    (2, "evaluated", 167.5, 170, 167.6),
)  # fmt: skip


def test_spans_follow_one_another():
    assert Span(date(2026, 9, 7), date(2026, 9, 13), Period.WEEK) == WEEK
    assert rules.after(rules.before(WEEK)) == WEEK
    feb = rules.span(Period.MONTH, date(2028, 2, 29))
    assert (feb.last, rules.after(feb).last, rules.before(feb).first) == (
        date(2028, 2, 29), date(2028, 3, 31), date(2028, 1, 1),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("period", "since", "now", "firsts"),
    [
        (Period.WEEK, date(2026, 9, 7), datetime(2026, 9, 14, 5, 59, tzinfo=ZONE), []),
        (Period.WEEK, date(2026, 9, 9), datetime(2026, 9, 14, 6, tzinfo=ZONE), [date(2026, 9, 7)]),
        (Period.MONTH, date(2026, 7, 31), datetime(2026, 9, 1, 6, tzinfo=ZONE), [date(2026, 7, 1), date(2026, 8, 1)]),
        (Period.WEEK, date(2027, 1, 1), datetime(2026, 9, 14, 6, tzinfo=ZONE), []),
    ],
)  # fmt: skip
def test_papers_are_due_at_six_and_missed_ones_are_caught_up_with(period, since, now, firsts):
    assert [each.first for each in papers.due(period, since, now, ZONE)] == firsts


def test_of_a_plan_from_long_ago_only_so_many_are_caught_up_with():
    found = list(papers.due(Period.WEEK, date(2000, 1, 1), datetime(2026, 9, 14, 6, tzinfo=ZONE), ZONE))
    assert (len(found), found[-1].first) == (papers.MOST_LATE, date(2026, 9, 7))


def test_what_fails_is_tried_again_ever_later_and_given_up():
    pauses = [papers.next_attempt(n, BEGIN) for n in (1, 2, 3, 4)]
    assert pauses[0] < pauses[1] < pauses[2]
    assert pauses[3] is None


def test_what_came_in_went_out_and_is_there():
    assert rules.flow(CASES, BEGIN, END, END) == {
        "reported": 6, "accepted": 6, "closed": 3, "open": 3, "overdue": 1, "suspended": 1,
    }  # fmt: skip
    assert rules.flow(CASES.iloc[:0], BEGIN, END, END) == dict.fromkeys(rules.FLOW, 0)


def test_days_are_those_of_the_wall_clock():
    found = rules.by_day(CASES, WEEK, BEGIN, END, ZONE)
    assert [row[1:] for row in found] == [[1, 2], [4, 0], [0, 0], [0, 0], [0, 0], [0, 0], [1, 1]]


def test_matters_stand_by_how_common_they_are():
    earlier = CASES.iloc[4:5]
    found = rules.by_category(CASES, earlier, BEGIN, END, END)
    assert found[0] == {"category": 1, "reported": 3, "closed": 1, "overdue": 1, "before": 0}
    assert {row["category"]: row["before"] for row in found} == {1: 0, 2: 1, 3: 0}
    many = pd.concat([CASES.assign(category_id=n) for n in range(1, 20)])
    found = rules.by_category(many, earlier, BEGIN, END, END)
    assert (len(found), found[-1]["category"]) == (rules.MOST_CATEGORIES + 1, 0)
    assert sum(row["reported"] for row in found) == 19 * 6
    assert rules.by_category(CASES.iloc[:0], earlier.iloc[:0], BEGIN, END, END) == []


def test_the_longest_open_are_the_oldest():
    assert [row["days"] for row in rules.longest(CASES, END)] == [5, 5, 5]
    assert [row["late"] for row in rules.longest(CASES, END)] == [True, False, True]


def test_bodies_come_in_time_late_or_not_at_all_by_an_instant():
    calls = [
        (1, "joint", "甲", BEGIN, END, BEGIN + timedelta(minutes=10)), (1, "joint", "乙", BEGIN, BEGIN, END),
        (2, "concern", "乙", BEGIN, BEGIN, None), (2, "concern", "甲", BEGIN, END, END + timedelta(hours=1)),
    ]  # fmt: skip
    found = rules.called_bodies(calls, END)
    assert (found["blown"], found["called"], found["in_time"], found["late"], found["absent"], found["waiting"]) == (
        2, 4, 1, 1, 1, 1,
    )  # fmt: skip
    assert found["kinds"] == {"concern": 1, "joint": 1}
    assert [(each["body"], each["minutes"]) for each in found["bodies"]] == [("乙", 10080.0), ("甲", 10.0)]
    assert rules.ordered([(BEGIN, END), (END, BEGIN), (BEGIN, None), (END, None)], END - timedelta(1)) == {
        "issued": 4, "answered": 1, "late": 2,
    }  # fmt: skip


def content(now: int, then: int, **more) -> dict:
    rates = {"closing_rate": 0.9372, "on_time_rate": 0.7582, "community_rate": None, "street_rate": None}
    figures = {"counts": {"due": 972, "closed": 911, "closed_on_time": 737}, "rates": rates}
    before = {"flow": {"reported": then}, "figures": {"rates": {"on_time_rate": 0.75}}}
    usual = {
        "period": {"kind": "week"}, "flow": {"reported": now, "closed": 5, "open": 3, "overdue": 1}, "figures": figures,
        "before": before, "categories": [], "children": [], "whistles": {"blown": 0}, "orders": {"issued": 0},
        "hotspots": {"units": 0}, "longest": [],
    }  # fmt: skip
    return usual | more


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        (312, 289, "本周受理 312 件，比上周（289 件）多 7.96 %。"),
        (289, 312, "本周受理 289 件，比上周（312 件）少 7.37 %。"),
        (5, 5, "本周受理 5 件，与上周持平。"),
        (5, 0, "本周受理 5 件，上周没有受理案件。"),
        (0, 0, "本周没有受理案件，上周也没有。"),
    ],
)
def test_how_many_came_in_is_said_in_plain_words(now, then, said):
    assert rules.sentences(content(now, then))[0] == said


def test_the_published_figures_are_told_in_both_languages():
    told = "".join(rules.sentences(content(1054, 1000)))
    assert "应结 972 件，结案 911 件，结案率 93.72 %；按期结案 737 件，按期结案率 75.82 %。" in told
    assert "按期结案率比上周上升 0.82 个百分点。" in told
    with speaking("en"):
        told = " ".join(rules.sentences(content(1054, 1000)))
    assert "Of the 972 cases of the period that were due, 911 were closed (93.72 %)" in told
    assert "1,054 cases were reported this week, 5.40 % more than the week before (1,000)." in told


def test_what_rose_who_leads_and_what_is_hot_are_told():
    row = {"category": 1, "category_zh": "暴露垃圾", "category_en": "Rubbish", "reported": 9, "before": 3}
    areas = [
        {"name": name, "rank": rank, "rates": {"on_time_rate": rate}}
        for name, rank, rate in (("甲街道", 1, 0.9), ("乙街道", 2, 0.5), ("丙街道", None, 1.0))
    ]
    hot = [{"name": "第1微网格", "klass": 2}, {"name": "第2微网格", "klass": 1}]
    spots = {"units": 9, "sure": 1, "hot": hot}
    told = "".join(rules.sentences(content(9, 3, categories=[row], children=areas, hotspots=spots)))
    for said in (
        "暴露垃圾，9 件，占 100.00 %",
        "由 3 件增至 9 件",
        "甲街道（90.00 %），最低的是乙街道（50.00 %）",
        "最突出的是第1微网格",
    ):
        assert said in told
    assert "第2微网格" not in told  # only 90 % sure


def test_a_map_of_a_time_without_any_case_has_one_class():
    shown, drawn = papers.banded(gpd.GeoDataFrame({"count": [0, 0]}, index=["a", "b"]), str)
    assert (shown["band"].tolist(), [each.label for each in drawn.classes]) == ([0, 0], ["0"])


def test_a_content_has_one_hash_however_it_was_stored():
    assert papers.content_hash({"b": 1, "a": [0.5, "骉"]}) == papers.content_hash({"a": [0.5, "骉"], "b": 1})


def test_papers_are_called_as_offices_call_them():
    assert papers.title("street", "清亭街道", "week") == "清亭街道工作周报"
    assert papers.title("district", "", "month") == "全区工作月报"
    assert papers.span_name("week", WEEK.first, WEEK.last) == "2026年第37周（2026年9月7日—2026年9月13日）"
    assert papers.span_name("month", date(2026, 9, 1), date(2026, 9, 30)) == "2026年09月"
