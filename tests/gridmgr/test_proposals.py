"""Proposals for the micro-grids of a community: codes, locks, what moves, and the map they would make."""

from datetime import date

import pytest
import shapely
from climbing import MONDAY
from sqlalchemy.orm import Session

from gis.coverage import check
from gis.samples import sized
from gridmgr import clock
from gridmgr.account.model import NotGranted
from gridmgr.account.rules import SYSTEM, Actor, Grant, Role
from gridmgr.errors import NotFound
from gridmgr.grid_code import rules as code_rules
from gridmgr.grid_code.model import CodesUsedUp
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service
from gridmgr.life.model import Action
from gridmgr.redraw import model, queries, rules
from gridmgr.redraw.queries import Wish

pytestmark = pytest.mark.db


@pytest.fixture
def town(session: Session) -> str:
    """The tiny sample, and the code of its first community."""
    service.load(session, sized("tiny"), date(2026, 1, 1), "首版")
    return hierarchy.frame(session, "community")["code"].min()


def test_a_proposal_keeps_codes_and_counts_who_moves(session, town):
    found = queries.ground(session, SYSTEM, town)
    best, *others = queries.proposals(session, queries.ground(session, SYSTEM, town), Wish(len(found.grids)))
    assert best.grids["households"].sum() == found.buildings["households"].sum()
    assert all(code.startswith(town) and len(code) == 15 for code in best.grids.index)
    assert best.grids.index.is_unique
    assert best.deviation < 0.3
    assert best.buildings_moved > 0 or best.grids["is_new"].sum() == 0
    assert len(others) <= 2


def test_a_locked_grid_stays_to_the_last_vertex(session, town):
    found = queries.ground(session, SYSTEM, town)
    stays = found.grids.index[0]
    drawn = queries.proposals(
        session, queries.ground(session, SYSTEM, town), Wish(6, locked=(stays,), proposals=1)
    )[0]
    assert len(drawn.grids) == 6
    assert drawn.grids.loc[stays].geometry.equals(found.grids.loc[stays].geometry)


def test_the_level_with_a_proposal_is_a_map_that_can_be_brought_in(session, town):
    drawn = queries.proposals(session, queries.ground(session, SYSTEM, town), Wish(5, proposals=1))[0]
    level = queries.level_with(session, SYSTEM, queries.ground(session, SYSTEM, town), drawn)
    before = hierarchy.frame(session, "micro_grid")
    assert shapely.coverage_is_valid(level.geometry.to_numpy())
    assert area(level) == pytest.approx(area(before), rel=1e-9)
    assert level["households"].sum() == before["households"].sum()
    levels = hierarchy.frames(session) | {"micro_grid": level.assign(parent_code=level["code"].str[:12])}
    findings = check({name: frame for name, frame in levels.items() if name != "building"})
    assert not len(findings), findings
    used = set(before["code"])
    service.load(session, {"micro_grid": levels["micro_grid"]}, date(2026, 6, 1), "新方案")
    after = hierarchy.frame(session, "micro_grid", date(2026, 6, 1))
    assert set(after["code"]) - used == set(drawn.grids.index[drawn.grids["is_new"]])


def area(frame) -> float:
    return shapely.area(frame.geometry.to_numpy()).sum()


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        (Wish(0), model.StrangeNumber),
        (Wish(10_000), model.StrangeNumber),
        (Wish(3, ()), model.NothingAsked),
        (Wish(3, ("<img>",)), model.UnknownMeasure),
        (Wish(3, locked=("nowhere",)), model.LockedElsewhere),
    ],
    ids=["none", "too many", "nothing asked", "unknown measure", "locked elsewhere"],
)
def test_what_cannot_be_asked_is_refused(session, town, wish, problem):
    with pytest.raises(problem):
        queries.proposals(session, queries.ground(session, SYSTEM, town), wish)


def test_only_communities_that_one_sees(session, town):
    stranger = Actor(7, "stranger", (Grant(Role.PLANNER, "999"),))
    with pytest.raises(NotFound):
        queries.ground(session, stranger, town)
    with pytest.raises(model.NotACommunity):
        queries.ground(session, SYSTEM, town[:9])


def test_what_is_named_twice_is_named_and_a_strange_measure_is_refused_before_anything_is_drawn(
    session, town
):
    stays = queries.ground(session, SYSTEM, town).grids.index[0]
    assert Wish(3, ("households",) * 2, (stays, stays)) == Wish(3, locked=(stays,))
    with pytest.raises(model.UnknownMeasure):
        queries.ground(session, SYSTEM, town, ("foo",))


def test_only_who_may_take_grids_out_gets_the_level_and_only_what_one_sees(session, town):
    found = queries.ground(session, SYSTEM, town)
    drawn = queries.proposals(session, found, Wish(5, proposals=1))[0]
    planner = Actor(7, "planner", (Grant(Role.PLANNER, town),))
    assert set(queries.level_with(session, planner, found, drawn)["code"].str[:12]) == {town}
    with pytest.raises(NotGranted):
        queries.level_with(session, Actor(8, "leader", (Grant(Role.STREET_LEADER, town[:9]),)), found, drawn)


def test_incidents_count_at_the_nearest_wall_in_metres_unless_they_were_no_matter(desk):
    real, wrong = desk.report(column=0.1, row=0.5), desk.report(column=0.1, row=0.5)
    desk.move(wrong, MONDAY, Action.VOID, note="误报")
    with clock.travel(MONDAY):
        counted = queries.ground(desk.session, SYSTEM, real.community_code).buildings["incidents"]
    assert counted.tolist() == [1, 0]


def test_codes_go_on_where_people_stay_and_retired_ones_never_return():
    assert rules.inherited([("a", 0, 60.0), ("a", 1, 40.0), ("b", 1, 30.0)]) == {0: "a"}
    used = {f"510106001001{each:03d}" for each in range(1, 998)}
    assert code_rules.free_codes("510106001001", used, 2) == ["510106001001998", "510106001001999"]
    with pytest.raises(CodesUsedUp):
        code_rules.free_codes("510106001001", used, 3)
