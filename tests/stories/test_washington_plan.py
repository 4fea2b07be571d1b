"""Washington redrawn after ten years as a draft: the districts of 2013 taken into a plan against those of 2002."""

from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely
from test_real_maps import _csv, load

from gridmgr.account.rules import SYSTEM
from gridmgr.boundary_plan import queries as plans
from gridmgr.boundary_plan import rules as drawing
from gridmgr.boundary_plan import service as desk
from gridmgr.importing.model import LayerPlan
from gridmgr.plan_difference.queries import difference
from gridmgr.plan_file import queries as files
from gridmgr.plan_file import service
from gridmgr.settings import settings

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
