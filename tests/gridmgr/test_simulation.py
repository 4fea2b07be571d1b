"""The fictional district's days: plausible, planted, the same each time, and played through the real verbs."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import shapely

from gis.adjacency import matrix
from gis.hotspot import getis_ord
from gis.samples import sized
from gridmgr import clock
from gridmgr.category.model import Category
from gridmgr.life.model import Action, Source
from gridmgr.life.rules import target
from gridmgr.simulation import queries, rules
from gridmgr.simulation.model import Act, City
from gridmgr.simulation.samples import category_rows

SEED, MONDAY = 7, date(2026, 9, 7)
PEOPLE = {Source.PATROL, Source.RESIDENT, Source.HOTLINE}


@pytest.fixture(scope="module")
def frames():
    return sized("small", seed=SEED)


@pytest.fixture(scope="module")
def city(frames) -> City:
    matters = [queries.matter(Category(**row)) for row in category_rows()]
    return queries.survey(frames["micro_grid"], frames["building"], matters, SEED)


@pytest.fixture(scope="module")
def plan(city):
    chances, calendar = rules.Chances(city), clock.working_calendar()
    return lambda day, seed=SEED: rules.day_plan(seed, day, city, chances, calendar)


@pytest.fixture(scope="module")
def month(plan) -> list[Act]:
    """Four weeks from a Monday."""
    return [act for n in range(28) for act in plan(MONDAY + timedelta(days=n))]


@pytest.fixture(scope="module")
def reports(month) -> list[Act]:
    return [act for act in month if act.action is Action.REPORT]


def lives(acts) -> dict[str, list[Act]]:
    by_case = defaultdict(list)
    for act in acts:
        by_case[act.key].append(act)
    return by_case


def test_a_day_is_the_same_each_time_and_another_for_another_seed(plan):
    assert plan(MONDAY) == plan(MONDAY)
    assert plan(MONDAY) != plan(MONDAY, seed=8)
    assert plan(MONDAY) != plan(MONDAY + timedelta(days=7))


def test_a_window_is_played_alike_in_one_piece_or_in_many(plan):
    zone = clock.zone()
    begin = datetime(2026, 9, 7, tzinfo=zone)
    cuts = [begin + timedelta(hours=h) for h in (0, 1.4, 9.5, 24, 40)]

    def acts(since, until):
        return [act for _, hour in rules.timeline(plan, begin, since, until, zone) for act in hour]

    whole = acts(cuts[0], cuts[-1])
    assert [act for since, until in pairwise(cuts) for act in acts(since, until)] == whole
    assert [act.at for act in whole] == sorted(act.at for act in whole)
    ends = [end for end, _ in rules.timeline(plan, begin, cuts[1], cuts[2], zone)]
    assert ends == sorted(ends) and max(ends) <= cuts[2]


def test_days_have_two_peaks_a_noon_dip_and_quiet_nights(reports):
    hours = Counter(clock.local(act.at).hour for act in reports)
    assert hours[12] < 0.7 * min(hours[10], hours[16])
    assert sum(hours[h] for h in range(5)) < 0.1 * len(reports)


def test_weekends_bring_less(reports):
    days = Counter(clock.local(act.at).weekday() for act in reports)
    assert days[5] + days[6] < 0.8 * (days[0] + days[1])


def test_most_is_found_on_patrol_and_much_is_rubbish_and_parking(reports):
    sources = Counter(act.report.source for act in reports)
    assert 0.83 < sources[Source.PATROL] / len(reports) < 0.93
    assert set(sources) >= {Source.RESIDENT, Source.HOTLINE, Source.SENSOR}
    assert {"S0102", "S0403"} <= {code for code, _ in Counter(a.category for a in reports).most_common(6)}
    assert len({act.category for act in reports}) > 30


def test_every_report_lies_in_a_micro_grid_and_tells_its_place_in_chinese(reports, frames):
    whole = shapely.coverage_union_all(frames["micro_grid"].geometry.values)
    lon, lat = (np.array([getattr(act.report, name) for act in reports]) for name in ("lon", "lat"))
    assert shapely.contains_xy(whole, lon, lat).all()
    addresses = set(frames["building"]["address"]) | set(frames["micro_grid"]["name"])
    for act in reports:
        assert act.report.address in addresses
        assert act.report.description.startswith(act.report.address)
        assert "{" not in act.report.description
        assert bool(act.report.reporter_name) == (act.report.source in PEOPLE)


@pytest.fixture(scope="module")
def counts(reports, frames) -> pd.Series:
    """Reports in each micro-grid."""
    grids = frames["micro_grid"]
    points = shapely.points([(act.report.lon, act.report.lat) for act in reports])
    _, at = grids.sindex.query(points, predicate="intersects")
    return grids["code"].iloc[at].value_counts().reindex(grids["code"], fill_value=0)


def test_planted_micro_grids_draw_as_much_more_as_their_theme_says(counts, city):
    (spot,) = city.hotspots
    own = city.pull[np.isin(city.grids, spot.grids)].sum()
    planted = len(spot.grids) * city.pull.mean() * rules.THEMES[spot.theme]["intensity"]
    share, total = (own + planted) / (1 + planted), counts.sum()
    spread = np.sqrt(total * share * (1 - share))  # of so many draws, each there or not
    hot = counts[list(spot.grids)]
    assert abs(hot.sum() - total * share) < 4 * spread
    assert hot.mean() > 5 * counts.drop(hot.index).mean()


def test_a_planted_hotspot_stands_out_and_nothing_far_from_it_does(counts, frames, city):
    grids = frames["micro_grid"].set_index("code")
    hot = getis_ord(counts, matrix(grids, "queen"))["klass"] == 3
    spot = list(city.hotspots[0].grids)
    assert hot[spot[0]]
    assert hot[spot].mean() > 0.5  # one at its edge may have too many quiet neighbours
    near = grids.index[grids.intersects(grids.geometry[spot].union_all())]
    assert set(hot.index[hot]) <= set(near)


def test_hotspots_of_a_large_district_lie_apart_and_follow_several_themes():
    side = np.arange(30) * 100.0
    centres = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    codes = [f"{n:03d}" for n in range(900)]
    spots = rules.hotspots(1, codes, centres, np.ones(900))
    members = [code for spot in spots for code in spot.grids]
    assert len(spots) == 6
    assert len(members) == len(set(members)) == 42
    assert {spot.theme for spot in spots} == set(rules.THEMES)
    assert spots != rules.hotspots(2, codes, centres, np.ones(900))


def test_every_life_walks_the_table_of_transitions_in_time(month):
    for acts in lives(month).values():
        assert all(a.at < b.at for a, b in pairwise(acts))
        state = None
        for act in acts:
            state = target(state, act.action, act.payload)


def test_lives_end_as_the_published_rates_say(month, city):
    calendar = clock.working_calendar()
    accepted = closed = on_time = 0
    actions = Counter(act.action for act in month)
    for acts in lives(month).values():
        at = {act.action: act.at for act in acts}
        if Action.ACCEPT in at:
            accepted += 1
            matter = city.matters[acts[0].category]
            due = calendar.due(at[Action.ACCEPT], matter.amount, matter.unit)
            closed += Action.CLOSE in at
            on_time += Action.CLOSE in at and at[Action.CLOSE] <= due
    assert 0.92 < closed / accepted < 0.97
    assert 0.75 < on_time / accepted < 0.85
    for action in (Action.REWORK, Action.VOID, Action.MERGE, Action.EVALUATE):
        assert actions[action] > 5


def test_a_second_report_is_merged_into_one_that_stands(month):
    by_case = lives(month)
    for act in (act for act in month if act.action is Action.MERGE):
        first = by_case[act.payload["into"]]
        assert first[0].at < by_case[act.key][0].at < act.at
        assert first[-1].action not in (Action.VOID, Action.MERGE)


def test_the_same_people_work_at_the_same_place():
    assert rules.staff("community_clerk", "510199001001").name == rules.person("community_clerk/510199001001")
    assert rules.staff("department_handler", "", "环卫所").name.endswith("(环卫所)")
