"""Plans on a real database: a race of two planners, edits read back, units drawn elsewhere, an edition corrected."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import geopandas as gpd
import pytest
import shapely
from little import SOUTH, STEP, STREET, WEST, little_district, square
from sqlalchemy.orm import Session

from gis import redraw
from gis.adoption import CutsBuilding, NoCoverage
from gis.draft import CodeTaken, UnitLocked
from gis.redraw import NotNeighbours
from gis.rezoning import BandUnreachable
from gridmgr import db
from gridmgr.account.rules import SYSTEM
from gridmgr.boundary_plan import queries, service
from gridmgr.boundary_plan.model import (
    BaseRedrawn,
    PlanMoved,
)
from gridmgr.hierarchy import service as hierarchy
from gridmgr.plan_edit import service as edits
from gridmgr.plan_edit.model import EditIncomplete, EditUnknown, NothingChanged, TooManyToRepair
from gridmgr.settings import settings

pytestmark = pytest.mark.db
COMMUNITY = f"{STREET}001"
ONE, TWO, NEW = f"{COMMUNITY}001", f"{COMMUNITY}002", f"{COMMUNITY}003"


@pytest.fixture(scope="module")
def engine(database, tmp_path_factory):
    engine = db.engine(database)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings(), "home", tmp_path_factory.mktemp("home"))
        with db.transaction(engine) as session:
            hierarchy.load(session, little_district(), date(2026, 1, 1), "首版")
        yield engine
    engine.dispose()


@pytest.fixture
def session(engine):
    with Session(engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


@pytest.fixture
def plan(session):
    return service.create(session, SYSTEM, "甲社区调整", COMMUNITY)


def line(column: float) -> list[list[float]]:
    x = WEST + column * STEP
    return [[x, SOUTH - STEP], [x, SOUTH + 2 * STEP]]


def frame(**shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    codes = [f"{COMMUNITY}{name[1:]}" for name in shapes]
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=codes, crs=4326)


def test_of_two_planners_on_one_tip_one_wins_and_the_other_is_told(engine):
    with db.transaction(engine) as session:
        plan_id = service.create(session, SYSTEM, "同时", COMMUNITY).id
    start = Barrier(2)

    def draw(column: float) -> str:
        try:
            with db.transaction(engine) as session:
                start.wait(10)
                edits.draw(session, SYSTEM, plan_id, None, "split", {"code": ONE, "line": line(column)})
        except PlanMoved as lost:
            return type(lost).__name__
        return "won"

    with ThreadPoolExecutor(2) as hands:
        assert sorted(hands.map(draw, (0.2, 0.8))) == ["PlanMoved", "won"]
    with db.transaction(engine) as session:
        plan = queries.by_id(session, SYSTEM, plan_id)
        assert len(queries.edits(session, plan)) == 1


def test_what_is_read_back_is_what_was_drawn(session, plan):
    told = (
        ("split", {"code": ONE, "line": line(0.3)}), ("rename", {"code": NEW, "name": "新网格"}),
        ("merge", {"codes": [TWO, ONE]}), ("recode", {"code": NEW, "new": f"{COMMUNITY}009"}),
    )  # fmt: skip
    for kind, args in told:
        drawn = edits.draw(session, SYSTEM, plan.id, plan.tip_id, kind, args)
    queries._kept.clear()
    read = queries.state(session, plan, plan.tip_id)
    assert read.plan.units.index.tolist() == drawn.after.plan.units.index.tolist()
    assert read.plan.units.geometry.geom_equals_exact(drawn.after.plan.units.geometry, 0).all()
    assert read.plan.units["name"].to_dict() == drawn.after.plan.units["name"].to_dict()
    assert read.plan.buildings["home"].to_dict() == drawn.after.plan.buildings["home"].to_dict()
    assert (dict(read.fate), read.gone) == (dict(drawn.after.fate), drawn.after.gone)
    assert read.numbers.loc[TWO, "households"] == 30 and read.gone == {ONE}
    at = queries.standing(session, plan, plan.tip_id)
    assert queries.changes(session, at) | {"staff": 0} == {
        "new": [f"{COMMUNITY}009"], "redrawn": [TWO], "gone": [ONE], "buildings": 1, "households": 10,
        "population": 0, "open_cases": 0, "staff": 0,
    }  # fmt: skip
    for _ in told:
        edits.undo(session, SYSTEM, plan.id, plan.tip_id)
    assert plan.tip_id is None and queries.following(session, plan) is not None


def test_units_drawn_elsewhere_come_in_as_one_edit(session, plan):
    drawn = frame(_001=square(0, 0, 0.3), _002=square(1, 0), _003=square(0.3, 0, 0.7))
    done = edits.adopt(session, SYSTEM, plan.id, None, drawn)
    assert done.after.plan.buildings["home"].iloc[0] == NEW and done.after.fate == {
        ONE: "redrawn",
        NEW: "new",
    }
    assert shapely.coverage_is_valid(done.after.plan.units.geometry.to_numpy())
    service.lock(session, SYSTEM, plan.id, [TWO])
    x = 1e-7  # another desk's rounding: a centimetre
    near = frame(_001=square(x, 0, 0.4 - x), _002=square(1 + x, x, 1 - x), _003=square(0.4, x, 0.6))
    again = edits.adopt(session, SYSTEM, plan.id, plan.tip_id, near)
    assert again.changed == [ONE, NEW] and shapely.coverage_is_valid(
        again.after.plan.units.geometry.to_numpy()
    )


@pytest.mark.parametrize(
    ("drawn", "why"),
    [
        (frame(_001=square(0, 0), _003=square(1, 0, 0.5)), NoCoverage),
        (frame(_001=square(0, 0, 1.5), _002=square(1, 0)), NoCoverage),
        (frame(_001=square(0, 0), _002=square(1, 0, 2)), NoCoverage),
        (frame(_001=square(0, 0, 0.5), _002=square(0.5, 0, 1.5)), CutsBuilding),
        (frame(_001=square(0, 0, 0.3), _002=square(0.3, 0, 1.7)), UnitLocked),
        (frame(_001=square(0, 0, 2)), UnitLocked),
    ],
    ids=[
        "a gap",
        "an overlap",
        "beyond the area",
        "a building cut",
        "a locked unit moved",
        "a locked unit gone",
    ],
)
def test_units_drawn_elsewhere_that_do_not_fit_are_refused(session, plan, drawn, why):
    if why is UnitLocked:
        service.lock(session, SYSTEM, plan.id, [TWO])
    with pytest.raises(why):
        edits.adopt(session, SYSTEM, plan.id, None, drawn)
    assert plan.tip_id is None


def test_edits_that_say_too_little_or_change_nothing_are_refused(session, plan):
    for kind, args, why in (
        ("split", {"code": ONE}, EditIncomplete), ("melt", {}, EditUnknown),
        ("rename", {"code": ONE, "name": " \n"}, EditIncomplete),
        ("rename", {"code": ONE, "name": "第1微网格"}, NothingChanged), ("renumber", {}, NothingChanged),
        ("repair", {}, NothingChanged), ("repair", {"low": 14, "high": 16}, BandUnreachable),
        ("repair", {"codes": [ONE] * 601}, TooManyToRepair),
        ("recode", {"code": ONE, "new": TWO}, CodeTaken),
    ):  # fmt: skip
        with pytest.raises(why):
            edits.draw(session, SYSTEM, plan.id, None, kind, args)


def test_nothing_is_drawn_on_an_edition_that_was_corrected(session, plan):
    levels = little_district()
    levels["micro_grid"].loc[0, "name"] = "更正"
    hierarchy.load(session, levels, date(2026, 1, 1))
    with pytest.raises(BaseRedrawn):
        edits.draw(session, SYSTEM, plan.id, None, "rename", {"code": ONE, "name": "甲"})


def test_units_far_apart_have_no_border_to_drag():
    grids = gpd.GeoSeries([shapely.box(x, 0, x + 1, 1) for x in range(3)], index=list("abc"), crs=32650)
    with pytest.raises(NotNeighbours):
        redraw.reshape(grids, "a", "c", shapely.LineString([(0, 0), (1, 1)]))
