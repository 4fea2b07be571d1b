"""Real cities through the whole product: what a bureau hands over comes out as it is known to be."""

from collections import Counter
from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely
from sqlalchemy import select

from gis.coverage import check
from gis.formats import read_layer, write_layer
from gridmgr.account.rules import SYSTEM
from gridmgr.audit import queries as audit
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hotspot import queries as hotspot
from gridmgr.importing import queries, rules, service
from gridmgr.importing.model import GridPlan, LayerPlan
from gridmgr.incident.model import Incident
from gridmgr.life.model import State
from gridmgr.settings import settings
from gridmgr.statistics import queries as statistics

pytestmark = [pytest.mark.city, pytest.mark.db]

REQUESTS = """
origin = "dc-311"
datum = "wgs84"
zone = "America/New_York"
source = "hotline"
[columns]
source_id = "SERVICEREQUESTID"
lon = "LONGITUDE"
lat = "LATITUDE"
reported_at = "ADDDATE"
due_at = "SERVICEDUEDATE"
closed_at = "RESOLUTIONDATE"
category = "SERVICECODE"
category_name = "SERVICECODEDESCRIPTION"
status = "SERVICEORDERSTATUS"
handler = "ORGANIZATIONACRONYM"
address = "STREETADDRESS"
[statuses]
"OPEN" = "dispatched"
"IN-PROGRESS" = "handling"
"IN PROGRESS" = "handling"
"CLOSED" = "closed"
"CLOSED - INCOMPLETE INFORMATION" = "closed"
"DUPLICATE (OPENED)" = "merged"
"DUPLICATE (CLOSED)" = "merged"
"VOIDED" = "voided"
"" = "reported"
"""


def load(session, file, effective, *layers, repair_m=0.0):
    plan = GridPlan(tuple(layers), "wgs84", effective, repair_m=repair_m)
    read = queries.read_grids(session, file, plan)
    return read, service.load_grids(session, SYSTEM, plan, read)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(settings(), "home", tmp_path)


def washington(session, real_data):
    file, day = real_data / "washington" / "grids.gpkg", date(2013, 1, 1)
    return file, load(
        session,
        file,
        day,
        LayerPlan("street", "WARD_ID", "NAME", layer="ward_2012"),
        LayerPlan("community", "ANC_ID", "NAME", layer="anc_2013"),
        LayerPlan("micro_grid", "SMD_ID", "NAME", parent="ANC_ID", layer="smd_2013"),
        LayerPlan("building", "UNIQUEID", "LABEL", layer="building_landmark"),
    )


def test_washington_its_four_levels_and_a_month_of_its_requests(session, real_data):
    _, (read, loaded) = washington(session, real_data)
    elsewhere = read.findings[read.findings["kind"].isin(["mostly_elsewhere", "partly_elsewhere"])]
    assert {"3G", "6D"} <= set(elsewhere["code"])
    assert {level: fates["new"] for level, fates in loaded.counts.items()} == {
        "street": 8, "community": 40, "micro_grid": 296, "building": 757,
    }  # fmt: skip

    plan = rules.incident_plan(REQUESTS)
    requests = queries.read_incidents(session, real_data / "washington" / "service_requests.csv", plan)
    assert [str(problem) for problem in requests.problems] == ["Row 20757 has no coordinates."]
    ids = service.load_incidents(session, SYSTEM, plan, requests)
    assert len(ids) == 22_576

    labels = {row.SERVICEREQUESTID: row.WARD for row in _csv(real_data).itertuples()}
    located = session.execute(select(Incident.source_id, Incident.street_code))
    assert sum(labels[source_id] == ward for source_id, ward in located) in (22_391, 22_392)

    states = casebook.count_by_state(session, SYSTEM, Search())
    assert {state: count for state, count in states.items() if count} == {
        State.DISPATCHED: 3657, State.HANDLING: 2820, State.CLOSED: 15474, State.VOIDED: 130, State.MERGED: 495,
    }  # fmt: skip
    total = statistics.total(session, SYSTEM, Search())
    late = 1389 - _late_among_merged_and_voided(real_data)
    assert total.counts["closed"] - total.counts["closed_on_time"] == late
    spots = hotspot.gi(session, SYSTEM, "micro_grid", Search(until=date(2016, 8, 13)))
    assert spots.card["units"] == 296 and spots.card["hot"] > 0
    _where_it_hurt(session)
    assert audit.verify(session).broken == []


def _where_it_hurt(session) -> None:
    """The month's hot spots came and went, and some landmarks came back with the same matter."""
    month = Search(since=date(2016, 7, 9), until=date(2016, 8, 12))
    found = hotspot.trend(session, SYSTEM, "micro_grid", month)
    assert (found.card["periods"], found.card["incidents"]) == (35, 21_250)
    assert {klass: n for klass, n in found.classes.items() if klass.endswith("hot")} == {
        "sporadic_hot": 9, "oscillating_hot": 2, "consecutive_hot": 1,
    }  # fmt: skip
    places = hotspot.repeats(session, SYSTEM, month, least=5, within=14).places
    assert [(each.name, each.count, each.most) for each in places] == [
        ("Washington Aqueduct", 8, 7), ("USDA South Building", 6, 5),
    ]  # fmt: skip


def _csv(real_data):
    from gis.tables import read_table

    return read_table(real_data / "washington" / "service_requests.csv")


def _late_among_merged_and_voided(real_data) -> int:
    table = _csv(real_data)
    late = (table["RESOLUTIONDATE"] != "") & (table["SERVICEDUEDATE"] != "")
    late &= table["RESOLUTIONDATE"] > table["SERVICEDUEDATE"]
    ours = table["SERVICEORDERSTATUS"].isin(["CLOSED", "CLOSED - INCOMPLETE INFORMATION"])
    return int((late & ~ours).sum())


def test_washington_redrawn_after_ten_years(session, real_data):
    file = real_data / "washington" / "grids.gpkg"
    for year, ward in ((2002, "2002"), (2013, "2012")):
        read, loaded = load(
            session,
            file,
            date(year, 1, 1),
            LayerPlan("street", "WARD_ID", "NAME", layer=f"ward_{ward}"),
            LayerPlan("community", "ANC_ID", "NAME", layer=f"anc_{year}"),
            LayerPlan("micro_grid", "SMD_ID", "NAME", parent="ANC_ID", layer=f"smd_{year}"),
            repair_m=1.0 if year == 2002 else 0.0,
        )
        assert read.blocking.empty
    fates = loaded.counts["micro_grid"]
    assert fates["same"] + fates["renamed"] + fates["redrawn"] + fates["reshaped"] == 257
    assert (fates["reshaped"], fates["retired"], fates["new"]) == (230, 29, 39)
    assert len(hierarchy.frame(session, "micro_grid", date(2012, 12, 31))) == 286
    assert len(hierarchy.frame(session, "micro_grid", date(2013, 1, 1))) == 296


CAMBRIDGE = (
    LayerPlan("street", "GEOID20", "NAME20", layer="raw_tract_2020"),
    LayerPlan("community", "GEOID20", "NAMELSAD20", layer="raw_blockgroup_2020"),
    LayerPlan("micro_grid", "GEOID20", "NAME20", layer="raw_block_2020"),
)


def test_cambridge_before_the_citys_own_repair(session, real_data):
    file = real_data / "cambridge" / "nested.gpkg"
    plan = GridPlan(CAMBRIDGE, "wgs84", date(2020, 1, 1))
    found = queries.read_grids(session, file, plan).findings
    groups = found[found["level"] == "community"]
    assert groups[groups["kind"] == "bad_edge"]["code"].nunique() == 17
    assert (groups["kind"] == "gap").sum() == 23
    outside = found[found["kind"] == "child_outside"].groupby("level")
    assert outside["code"].nunique().to_dict() == {"community": 3, "micro_grid": 24}
    assert outside["area_m2"].max().round().to_dict() == {"community": 535, "micro_grid": 2194}


def test_cambridge_repaired_is_a_nested_coverage(session, real_data):
    file = real_data / "cambridge" / "nested.gpkg"
    read, _ = load(session, file, date(2020, 1, 1), *CAMBRIDGE, repair_m=12.0)
    assert read.moves["size_m"].max() <= 12
    stored = {level: hierarchy.frame(session, level) for level in ("street", "community", "micro_grid")}
    assert check(stored)["severity"].eq("error").sum() == 0
    assert all(shapely.coverage_is_valid(frame.geometry.values) for frame in stored.values())
    theirs = gpd.read_file(file, layer="clean_blockgroup_2020adj").set_index("GEOID20").to_crs(26986).geometry
    ours = stored["community"].set_index("code").to_crs(26986).geometry.loc[theirs.index]
    disputed = ours.symmetric_difference(theirs).area.sum() / 2
    assert disputed / theirs.area.sum() < 0.025  # no farther than the raw map is from the city's own repair


def test_hangzhou_names_survive_a_gbk_shapefile_without_a_cpg(session, real_data, tmp_path):
    homes = gpd.read_file(real_data / "osm_buildings" / "hangzhou_buildings.geojson")
    homes["code"] = [f"H{n:05}" for n in homes.index]
    overlaps = check({"building": homes.assign(parent_code=None)})
    assert Counter(overlaps["kind"])["building_overlap"] == 18
    write_layer(homes[["code", "name", "geometry"]], tmp_path / "hz.shp", encoding="GB18030", cpg=False)
    assert not (tmp_path / "hz.cpg").exists()
    back = read_layer(tmp_path / "hz.shp")
    assert back.encoding == "gb18030"
    names = homes["name"].replace("", None)
    assert back.frame["name"].replace("", None).tolist() == names.where(names.notna(), None).tolist()
    assert np.sum(back.frame["name"].notna() & (back.frame["name"] != "")) == 249
