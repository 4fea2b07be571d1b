"""Washington redrawn after ten years as a draft: the districts of 2013 taken into a plan against those of 2002."""

from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely
from test_real_maps import REQUESTS, _csv, load

from gridmgr.account.rules import SYSTEM
from gridmgr.boundary_plan import queries as plans
from gridmgr.boundary_plan import rules as drawing
from gridmgr.boundary_plan import service as desk
from gridmgr.casebook.queries import Search
from gridmgr.events import drain
from gridmgr.hierarchy import service as maps
from gridmgr.importing import queries, rules
from gridmgr.importing import service as imports
from gridmgr.importing.model import LayerPlan
from gridmgr.plan_difference.queries import difference
from gridmgr.plan_file import queries as files
from gridmgr.plan_file import service
from gridmgr.publication import queries as publications
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings
from gridmgr.statistics import queries as statistics

pytestmark = [pytest.mark.city, pytest.mark.db]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(settings(), "home", tmp_path)


@pytest.fixture
def plan(session, real_data):
    load(
        session, real_data / "washington" / "grids.gpkg", date(2002, 1, 1),
        LayerPlan("street", "WARD_ID", "NAME", layer="ward_2002"),
        LayerPlan("community", "ANC_ID", "NAME", layer="anc_2002"),
        LayerPlan("micro_grid", "SMD_ID", "NAME", parent="ANC_ID", layer="smd_2002"),
        repair_m=1.0,
    )  # fmt: skip
    return desk.create(session, SYSTEM, "2013")


def test_washington_of_2013_as_a_draft_against_2002(session, real_data, plan, tmp_path):
    file = real_data / "washington" / "grids.gpkg"
    told = files.read(session, plan, file, "smd_2013", "ANC_ID")
    assert [(each.code, each.kind) for each in told.findings.itertuples()] == [("8D07", "child_outside")]
    assert {code for code, each in told.parents.items() if each} == {"5D", "5E", "6E", "7F"}
    assert [code for code, each in told.parents.items() if not each] == ["7A"]

    edited = tmp_path / "trimmed.gpkg"  # the planner cuts 8D07 back to the bank of the river
    drawn = gpd.read_file(file, layer="smd_2013")
    before = plans.state(session, plan, None)
    ground = shapely.coverage_union_all(before.plan.units.geometry.to_numpy())
    drawn.loc[drawn["SMD_ID"] == "8D07", "geometry"] = drawn.geometry.intersection(ground).buffer(0)
    drawn.to_file(edited, layer="smd")
    done, _ = service.bring(session, SYSTEM, plan.id, None, edited, "smd", "ANC_ID")

    after = done.after
    assert len(before.numbers) == 286 and len(after.numbers) == 296
    assert len(set(before.numbers.index) & set(after.numbers.index)) == 257
    assert len(after.gone) == 29 and sum(fate == "new" for fate in after.fate.values()) == 39
    found = difference(session, SYSTEM, plan.id)
    fates = found.units["fate"].value_counts()
    assert (fates["gone"], fates["new"], fates["reshaped"]) == (29, 39, 230)  # as whoever imports it is told
    assert found.ground["area_m2"].sum() < found.now.totals["area_m2"]
    areas = [at.plan.units.geometry.to_numpy() for at in (before, after)]
    assert shapely.area(areas[0]).sum() == pytest.approx(shapely.area(areas[1]).sum(), rel=1e-9)
    _requests_count_alike(real_data, before, after)
    _figures_agree(session, real_data, plan, after.gone, date(2016, 8, 1))  # within the month on file


def _requests_count_alike(real_data, before, after) -> None:
    """A month of requests as was, on the districts of 2002, and as now, on those of 2013."""
    rows = [row for row in _csv(real_data).itertuples() if row.LONGITUDE]
    place = shapely.points(np.array([(float(row.LONGITUDE), float(row.LATITUDE)) for row in rows]))
    yes = np.ones(len(place), dtype=bool)
    cases = drawing.Cases(place, yes.astype(float), ~yes, yes)
    was, now = (drawing.tally(cases, at.plan, at.numbers.index) for at in (before, after))
    total = was.numbers["incidents"].sum()
    assert total == now.numbers["incidents"].sum() and total > 22_000
    assert (was.unit != now.unit).sum() > 1_000


def _figures_agree(session, real_data, plan, gone, day) -> None:
    """Published within the month, the figures as was and as now have one total, and each its own districts."""
    mapping = rules.incident_plan(REQUESTS)
    asked = queries.read_incidents(session, real_data / "washington" / "service_requests.csv", mapping)
    asked.entries[:] = asked.entries[::10]
    imports.load_incidents(session, SYSTEM, mapping, asked)
    made = publications.outcome(session, plan, plan.tip_id)
    amiss = [each for each in publications.findings(session, plan, made) if each["severity"] == "error"]
    assert amiss == []
    maps.load(session, made.levels, day, "2013", made.among)
    drain(session, REACTIONS)

    def told(areas: str, search: Search) -> dict[str | None, int]:
        rows, total = statistics.table(
            session, SYSTEM, "micro_grid", search, counts=["reported"], areas=areas
        )
        assert (
            sum(row.counts["reported"] for row in rows) == total.counts["reported"] == len(asked.entries)
            or search.since
        )
        return {row.code: row.counts["reported"] for row in rows}

    month, later = Search(), Search(since=day)
    was, now = told("was", month), told("now", month)
    assert set(gone) & set(was) and not set(gone) & set(now) and set(made.new.index) & set(now)
    assert was != now and sum(was.values()) == sum(now.values()) == 2258
    assert told("was", later) == told("now", later)  # whatever was reported on the new map lies on it
