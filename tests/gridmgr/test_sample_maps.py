"""The files of sample_maps/: what the generator writes, and what the importer reads out of them."""

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from geopandas.testing import assert_geodataframe_equal

from gis.formats import read_layer
from gis.samples.faults import SCRIPT
from gridmgr import db
from gridmgr.account.rules import SYSTEM
from gridmgr.category import service as matters
from gridmgr.hierarchy.model import LEVELS
from gridmgr.hierarchy.rules import plain_name
from gridmgr.importing import queries, rules, service
from gridmgr.importing.model import FaultyLayer, GridPlan, LayerPlan
from gridmgr.incident.model import Incident
from gridmgr.settings import settings
from gridmgr.simulation.samples import SAMPLE_MAPS, category_rows, write_samples

EFFECTIVE = date(2026, 1, 1)
LAYERS = tuple(LayerPlan(level, "code", "name", layer=level) for level in LEVELS)
DISTRICT = GridPlan(LAYERS, "wgs84", EFFECTIVE)
FAULTY = GridPlan((LayerPlan("micro_grid", "code", "name", parent="parent_code"),), "wgs84", EFFECTIVE)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder)
    return folder


@pytest.fixture(scope="module")
def home(engine, tmp_path_factory):
    """Import the sample district and its categories into the database of this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings(), "home", tmp_path_factory.mktemp("home"))
        with db.transaction(engine) as session:
            read = queries.read_grids(session, SAMPLE_MAPS / "district.gpkg", DISTRICT)
            assert read.findings.empty
            service.load_grids(session, SYSTEM, DISTRICT, read)
            matters.publish(session, "sample", EFFECTIVE, category_rows())
        yield settings().home


@pytest.fixture
def imported(home, session):
    """A database into which the sample district and its categories have been imported."""
    return session


def test_nothing_is_missing_and_all_of_it_is_small():
    names = {path.name for path in SAMPLE_MAPS.iterdir()}
    assert names == {
        "README.md", "categories.csv", "district.gpkg", "buildings_gbk.zip", "faulty_grids.geojson",
        "reports.csv", "reports.toml", "crosswalk.csv", "holidays_2026.csv", "phrases.csv", "policies.csv",
        "permit_kinds.csv", "consultation_kinds.csv",
    }  # fmt: skip
    assert sum(path.stat().st_size for path in SAMPLE_MAPS.iterdir()) < 1.5e6


@pytest.mark.parametrize("level", LEVELS)
def test_the_generator_writes_the_district_that_is_here(written, level):
    fresh, kept = (gpd.read_file(folder / "district.gpkg", layer=level) for folder in (written, SAMPLE_MAPS))
    assert_geodataframe_equal(fresh, kept)


def test_the_generator_writes_the_other_files_that_are_here(written):
    for name in ("reports.csv", "reports.toml", "crosswalk.csv"):
        assert (written / name).read_text("utf-8") == (SAMPLE_MAPS / name).read_text("utf-8"), name
    for name in ("buildings_gbk.zip", "faulty_grids.geojson"):
        assert_geodataframe_equal(read_layer(written / name).frame, read_layer(SAMPLE_MAPS / name).frame)


@pytest.mark.db
def test_the_shapefile_without_cpg_is_read_as_chinese(imported):
    plan = GridPlan(
        (LayerPlan("building", "code", "name", attributes={"address": "address"}),), "wgs84", EFFECTIVE
    )
    read = queries.read_grids(imported, SAMPLE_MAPS / "buildings_gbk.zip", plan)
    assert read.encodings["building"].upper().startswith("GB")
    assert read.levels["building"]["name"].str.contains("号").all()
    assert (len(read.levels["building"]), len(read.findings), len(read.blocking)) == (1000, 0, 0)


@pytest.mark.db
def test_the_faulty_grids_show_just_the_planted_faults(imported):
    planted = read_layer(SAMPLE_MAPS / "faulty_grids.geojson").frame
    code = planted[planted["planted"] != ""].set_index("planted")["code"].to_dict()
    read = queries.read_grids(imported, SAMPLE_MAPS / "faulty_grids.geojson", FAULTY)
    found = Counter(zip(read.findings["level"], read.findings["kind"], strict=True))
    assert found == told_in_readme()
    of = {
        kind: set(part["code"]) | set(part["other"].dropna()) for kind, part in read.findings.groupby("kind")
    }
    assert code["gap"] in of["gap"]
    assert code["overlap"] in of["overlap"]
    assert of["invalid_ring"] == {code["bowtie"]}
    assert of["duplicate_code"] == {code["duplicate_code"]}
    assert code["orphan"] in of["orphan"]
    assert SCRIPT in set(read.levels["micro_grid"]["name"])


def told_in_readme() -> Counter:
    """The table of findings in the README: level, kind, number."""
    text = (SAMPLE_MAPS / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (micro_grid|building) \| `(\w+)` \| (\d+) \|", text, re.MULTILINE)
    return Counter({(level, kind): int(number) for level, kind, number in rows})


@pytest.mark.db
def test_the_faulty_grids_are_not_loaded(imported):
    read = queries.read_grids(imported, SAMPLE_MAPS / "faulty_grids.geojson", FAULTY)
    with pytest.raises(FaultyLayer):
        service.load_grids(imported, SYSTEM, FAULTY, read)


@pytest.mark.db
def test_the_reports_are_filed_with_their_foreign_statuses_and_places(imported):
    plan = rules.incident_plan((SAMPLE_MAPS / "reports.toml").read_text("utf-8"))
    read = queries.read_incidents(imported, SAMPLE_MAPS / "reports.csv", plan)
    assert (len(read.entries), read.problems, read.warnings) == (300, [], [])
    ids = service.load_incidents(imported, SYSTEM, plan, read)
    filed = [imported.get_one(Incident, number) for number in ids]
    table = pd.read_csv(SAMPLE_MAPS / "reports.csv", dtype=str)
    expected = Counter(table["案件状态"].map(plan.statuses))
    assert Counter(case.state for case in filed) == expected
    assert {case.located for case in filed} == {"inside"}
    assert len(expected) > 6


@pytest.mark.db
def test_the_reports_are_found_out_when_their_datum_is_mislabelled(imported):
    text = (SAMPLE_MAPS / "reports.toml").read_text("utf-8").replace("gcj02", "wgs84")
    read = queries.read_incidents(imported, SAMPLE_MAPS / "reports.csv", rules.incident_plan(text))
    assert [type(warning).__name__ for warning in read.warnings] == ["BetterFit"]


def test_the_crosswalk_names_streets_by_code_and_communities_by_name():
    entries = pd.read_csv(SAMPLE_MAPS / "crosswalk.csv", dtype=str)
    streets, communities = (
        gpd.read_file(SAMPLE_MAPS / "district.gpkg", layer=level) for level in ("street", "community")
    )
    by_code = entries["code"].isin(streets["code"])
    by_name = entries["name"].map(plain_name).isin(communities["name"].map(plain_name)) & ~by_code
    assert (by_code.sum(), by_name.sum(), (~by_code & ~by_name).sum()) == (3, 9, 1)


def test_the_readme_counts_right():
    text = (SAMPLE_MAPS / "README.md").read_text("utf-8")
    for level in LEVELS:
        count = len(gpd.read_file(SAMPLE_MAPS / "district.gpkg", layer=level))
        assert f"| `{level}` | {count:,} |" in text
    script = json.loads((SAMPLE_MAPS / "faulty_grids.geojson").read_text("utf-8"))
    assert [f["properties"]["planted"] for f in script["features"] if f["properties"]["name"] == SCRIPT] == [
        "script"
    ]
