"""Cambridge before the city's own repair, mended at the redraw desk and laid beside what the city made of it."""

from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely
from test_real_maps import load

from gis.adoption import NoCoverage
from gis.coverage import check
from gis.ground import COVERAGES, metre
from gridmgr.account.rules import SYSTEM
from gridmgr.boundary_plan import service as desk
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as maps
from gridmgr.importing.model import LayerPlan
from gridmgr.plan_edit import service as drawing
from gridmgr.plan_file import queries as files
from gridmgr.plan_file import service as filing
from gridmgr.publication import queries as publications
from gridmgr.publication import service as publication
from gridmgr.settings import settings

pytestmark = [pytest.mark.city, pytest.mark.db]
CITY, DAY, LATER = "25017", date(2020, 1, 1), date(2021, 1, 1)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(settings(), "home", tmp_path)


def twin(real_data, name: str) -> dict[str, gpd.GeoDataFrame]:
    """Tracts and block groups, raw or clean, below the city."""
    file, ending = real_data / "cambridge" / "nested.gpkg", {"raw": "2020", "clean": "2020adj"}[name]
    tract, group = (gpd.read_file(file, layer=f"{name}_{each}_{ending}") for each in ("tract", "blockgroup"))
    whole = [shapely.coverage_union_all(tract.geometry.to_numpy())]
    city = gpd.GeoDataFrame({"GEOID20": [CITY], "NAMELSAD20": ["Cambridge"]}, geometry=whole, crs=tract.crs)
    return {"street": city, "community": tract, "micro_grid": group}


def in_force(session, file, levels: dict[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoDataFrame]:
    for level, frame in levels.items():
        frame.to_file(file, layer=level)
    load(session, file, DAY, *(LayerPlan(each, "GEOID20", "NAMELSAD20", layer=each) for each in levels))
    return stored(session, DAY)


def stored(session, day: date) -> dict[str, gpd.GeoDataFrame]:
    return {level: hierarchy.frame(session, level, day) for level in COVERAGES}


def beside(ours: gpd.GeoDataFrame, theirs: gpd.GeoDataFrame) -> tuple[np.ndarray, float, np.ndarray]:
    """Of each unit the share it has in common with its twin; the share of all ground in dispute; the total areas."""
    theirs = theirs.set_index("GEOID20")
    assert set(ours.index) == set(theirs.index)
    scale = metre({"micro_grid": theirs})
    one, two = (scale.project(each.geometry.loc[theirs.index].to_numpy()) for each in (ours, theirs))
    areas, common = [shapely.area(each) for each in (one, two)], shapely.area(shapely.intersection(one, two))
    totals = np.sum(areas, axis=1)
    disputed = (totals.sum() - 2 * common.sum()) / totals[1]
    return common / (np.sum(areas, axis=0) - common), disputed, totals


def sound(levels: dict[str, gpd.GeoDataFrame]) -> bool:
    valid = [shapely.coverage_is_valid(frame.geometry.to_numpy()) for frame in levels.values()]
    return all(valid) and "error" not in set(check(levels)["severity"])


def test_gaps_and_overlaps_of_the_map_in_force_are_mended_on_the_desk(session, real_data, tmp_path):
    raw, clean = twin(real_data, "raw"), twin(real_data, "clean")
    kinds = check(in_force(session, tmp_path / "raw.gpkg", raw))["kind"].value_counts()
    assert (kinds["bad_edge"], kinds["gap"], kinds["overlap"], kinds["child_outside"]) == (17, 23, 13, 3)

    plan = desk.create(session, SYSTEM, "mended")
    done = drawing.draw(session, SYSTEM, plan.id, None, "repair", {"within_m": 11})
    assert (len(done.changed), done.gone) == (17, [])
    after = done.after.plan.units
    assert sound({"micro_grid": after.reset_index()})
    was, now = (metre(raw).area(each.plan.units.geometry.to_numpy()) for each in (done.before, done.after))
    assert now.sum() - was.sum() == pytest.approx(5355 - 1614, abs=1)  # the gaps filled, the overlaps cut

    before, disputed, _ = beside(raw["micro_grid"].set_index("GEOID20"), clean["micro_grid"])
    mended, still, totals = beside(after, clean["micro_grid"])
    assert (mended.min(), np.median(mended)) == pytest.approx((before.min(), np.median(before)), abs=1e-4)
    assert mended.min() > 0.91 and (mended > 0.95).sum() == 83
    # The city moved nearly every border to its own base map, which no repair can know.
    assert (disputed, still) == pytest.approx((0.0204, 0.0205), abs=1e-4)
    assert totals[0] / totals[1] == pytest.approx(0.9962, abs=1e-4)

    sent = publication.submit(session, SYSTEM, plan.id, done.tip)
    assert sent.warnings == [] and len(sent.changes["redrawn"]) == 16
    made = publications.outcome(session, plan, done.tip)
    maps.load(session, made.levels, LATER, "mended", made.among)  # as publishing does
    assert sound(stored(session, LATER))


def test_a_file_with_gaps_and_overlaps_is_mended_on_its_way_into_a_plan(session, real_data, tmp_path):
    raw, clean = twin(real_data, "raw"), twin(real_data, "clean")
    assert sound(in_force(session, tmp_path / "clean.gpkg", clean))
    plan, file = desk.create(session, SYSTEM, "raw"), tmp_path / "drawn.gpkg"
    raw["micro_grid"].rename(columns={"GEOID20": "code"}).to_file(file, layer="drawn")
    told = files.read(session, plan, file)
    kinds = told.findings["kind"].value_counts()
    assert (kinds["uncovered"], kinds["child_outside"], kinds["gap"], kinds["overlap"]) == (34, 22, 14, 9)
    told = files.read(
        session, plan, file, repair_m=50
    )  # the two maps disagree on the bank of the river by 71 m
    assert [each.kind for each in told.findings.itertuples()] == ["uncovered", "child_outside"]
    with pytest.raises(NoCoverage):
        filing.bring(session, SYSTEM, plan.id, None, file, repair_m=50)

    done, told = filing.bring(session, SYSTEM, plan.id, None, file, repair_m=80)
    assert [str(each) for each in told.notes] == ["The repair moved 67 borders, the farthest by 80.0 m."]
    after = done.after.plan.units
    assert sound({"micro_grid": after.reset_index()})
    before, disputed, _ = beside(raw["micro_grid"].set_index("GEOID20"), clean["micro_grid"])
    mended, still, totals = beside(after, clean["micro_grid"])
    assert before.min() == pytest.approx(0.919, abs=1e-3) and mended.min() == pytest.approx(0.963, abs=1e-3)
    assert (disputed, still) == pytest.approx((0.0204, 0.0101), abs=1e-4)
    assert totals[0] == pytest.approx(totals[1], rel=1e-9)


def test_the_citys_own_repair_is_taken_into_a_plan_on_the_map_it_repairs(session, real_data, tmp_path):
    raw, clean = twin(real_data, "raw"), twin(real_data, "clean")
    in_force(session, tmp_path / "raw.gpkg", raw)
    plan, file = desk.create(session, SYSTEM, "clean"), tmp_path / "drawn.gpkg"
    clean["micro_grid"].rename(columns={"GEOID20": "code"}).to_file(file, layer="drawn")
    assert set(files.read(session, plan, file).findings["kind"]) == {"uncovered", "child_outside", "gap"}
    # What it stands on is mended, too; units along the outline, which stays that of the plan, are a little off.
    done, _ = filing.bring(session, SYSTEM, plan.id, None, file, repair_m=80)
    assert sound({"micro_grid": done.after.plan.units.reset_index()})
    same, disputed, _ = beside(done.after.plan.units, clean["micro_grid"])
    assert np.median(same) > 0.9999 and same.min() > 0.92
    assert disputed == pytest.approx(0.0115, abs=1e-4)
