"""The import desk: files are checked first, then loaded whole or not at all."""

import io
from datetime import UTC, date, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely
from little import STREET, layer, little_district, square
from shapely import LineString, Polygon
from sqlalchemy import func, select

from gis.datum import from_wgs84
from gis.errors import Problem
from gis.formats import EmptyLayer, WrongGeometry, write_layer
from gis.tables import MissingColumn
from gridmgr.account.rules import SYSTEM
from gridmgr.audit import queries as audit
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as hierarchy_service
from gridmgr.hierarchy.model import GridUnit
from gridmgr.importing import queries, rules, service
from gridmgr.importing.model import (
    BadMapping,
    BatchKind,
    BatchNotReady,
    BatchStatus,
    FaultyLayer,
    GridPlan,
    LayerPlan,
)
from gridmgr.incident import queries as incident
from gridmgr.life.model import State

DAY = date(2026, 7, 1)
C1 = f"{STREET}001"


def grid_file(tmp_path: Path, frame: gpd.GeoDataFrame, name: str = "grids.gpkg") -> Path:
    write_layer(frame, tmp_path / name, layer="micro_grid")
    return tmp_path / name


def plan(**changes) -> GridPlan:
    usual = {"layers": (LayerPlan("micro_grid", "code", "name"),), "datum": "wgs84", "effective": DAY}
    return GridPlan(**usual | changes)


def units(session) -> int:
    return session.scalar(select(func.count()).select_from(GridUnit))


def test_a_clean_file_is_loaded_with_parents_from_its_codes(district, tmp_path):
    frame = little_district()["micro_grid"].drop(columns="parent_code")
    read = queries.read_grids(district, grid_file(tmp_path, frame), plan())
    assert read.findings.empty
    loaded = service.load_grids(district, SYSTEM, plan(), read)
    assert loaded.counts["micro_grid"]["same"] == 4


def test_the_first_import_of_all_sets_the_code_scheme(session, tmp_path, monkeypatch):
    street = little_district()["street"]
    write_layer(street, tmp_path / "s.gpkg")
    asked = plan(layers=(LayerPlan("street", "code", "name"),))
    service.load_grids(session, SYSTEM, asked, queries.read_grids(session, tmp_path / "s.gpkg", asked))
    assert hierarchy.scheme(session).name == "gb"


def faulty(**changed):
    """The little district's micro-grids with one thing wrong."""
    frame = little_district()["micro_grid"]
    for column, values in changed.items():
        frame[column] = values
    return frame


BOWTIE = Polygon([(104, 30), (104.01, 30.01), (104.01, 30), (104, 30.01)])
STRUCTURAL = {
    "duplicate_code": faulty(code=[f"{C1}001", f"{C1}001", f"{C1}003", f"{C1}004"]),
    "missing_code": faulty(code=[f"{C1}001", None, f"{C1}003", f"{C1}004"]),
    "orphan": faulty(code=["999999999999001", f"{C1}002", f"{C1}003", f"{C1}004"]),
    "invalid_ring": faulty(geometry=[BOWTIE, square(1, 0), square(2, 0), square(3, 0)]),
}


@pytest.mark.parametrize("kind", STRUCTURAL)
def test_a_fault_the_map_cannot_hold_stops_the_whole_file(district, tmp_path, kind):
    frame = STRUCTURAL[kind].drop(columns="parent_code")
    before = units(district)
    read = queries.read_grids(district, grid_file(tmp_path, frame), plan())
    assert kind in set(read.blocking["kind"])
    with pytest.raises(FaultyLayer, match="first row"):
        service.load_grids(district, SYSTEM, plan(), read)
    assert units(district) == before


def test_a_child_before_its_parents_is_an_orphan_even_on_an_empty_map(session, tmp_path):
    read = queries.read_grids(
        session,
        grid_file(tmp_path, little_district()["micro_grid"]),
        plan(layers=(LayerPlan("micro_grid", "code", "name", "parent_code"),)),
    )
    assert set(read.blocking["kind"]) == {"orphan"}
    assert read.blocking["row"].tolist() == [1, 2, 3, 4]


def test_a_code_that_does_not_fit_is_named_by_row_and_column(district, tmp_path):
    frame = faulty(code=[f"{C1}001", "9" * 60, f"{C1}003", f"{C1}004"])
    with pytest.raises(queries.TooLong, match="row 2: column code has 60 characters; at most 32"):
        queries.read_grids(district, grid_file(tmp_path, frame), plan())


def test_an_overlap_is_told_with_its_place_and_size_and_can_be_repaired(district, tmp_path):
    frame = faulty(geometry=[square(0, 0, 1.0002), square(1, 0), square(2, 0), square(3, 0)])
    path = grid_file(tmp_path, frame)
    found = queries.read_grids(district, path, plan()).findings.set_index("kind")
    assert found.loc["overlap", "area_m2"] == pytest.approx(0.2 * 1110, rel=0.1)
    read = queries.read_grids(district, path, plan(repair_m=5.0))
    assert read.findings.empty
    assert 0 < read.moves["size_m"].max() <= 5


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_a_declared_datum_is_taken_back(district, tmp_path, datum):
    def shifted(xy):
        return np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], datum))

    frame = little_district()["micro_grid"]
    frame.geometry = shapely.transform(frame.geometry.values, shifted)
    read = queries.read_grids(district, grid_file(tmp_path, frame), plan(datum=datum))
    back = read.levels["micro_grid"].geometry.to_numpy()
    assert shapely.hausdorff_distance(back, little_district()["micro_grid"].geometry.to_numpy()).max() < 1e-7


def test_buildings_in_another_datum_than_declared_are_pointed_out(district, tmp_path):
    x, y = np.meshgrid(np.linspace(0.1, 3.9, 20), np.linspace(0.1, 0.9, 5))
    homes = [square(a, b, 0.01, 0.01) for a, b in zip(x.ravel(), y.ravel(), strict=True)]
    codes = [f"{C1}1{n:04}" for n in range(len(homes))]
    known = layer([(code, "楼", f"{C1}001", home) for code, home in zip(codes, homes, strict=True)])
    hierarchy_service.load(district, {"building": known}, DAY)
    known.geometry = shapely.transform(
        known.geometry.values, lambda xy: np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], "gcj02"))
    )
    write_layer(known, tmp_path / "b.gpkg")
    asked = plan(layers=(LayerPlan("building", "code", "name"),))
    read = queries.read_grids(district, tmp_path / "b.gpkg", asked)
    assert any("gcj02" in str(warning).lower() for warning in read.warnings)


def test_lines_empty_layers_and_missing_columns_are_named(district, tmp_path):
    lines = faulty(geometry=[LineString([(104, 30), (104.01, 30)])] * 4)
    read_lines = plan()
    with pytest.raises((WrongGeometry, FaultyLayer)):
        service.load_grids(
            district, SYSTEM, read_lines, queries.read_grids(district, grid_file(tmp_path, lines), read_lines)
        )
    with pytest.raises(EmptyLayer):
        queries.read_grids(district, grid_file(tmp_path, faulty().iloc[:0], "empty.gpkg"), plan())
    with pytest.raises(MissingColumn, match="bm; it has code, name"):
        queries.read_grids(
            district,
            grid_file(tmp_path, faulty(), "b.gpkg"),
            plan(layers=(LayerPlan("micro_grid", "bm", "name"),)),
        )


def test_a_name_with_a_script_in_it_is_only_a_name(district, tmp_path):
    frame = faulty(name=["<script>alert(1)</script>", "${alert(1)}", "{{ 7*7 }}", "正常"])
    service.load_grids(
        district, SYSTEM, plan(), queries.read_grids(district, grid_file(tmp_path, frame), plan())
    )
    assert hierarchy.unit(district, SYSTEM, f"{C1}001", DAY).name == "<script>alert(1)</script>"


MAPPING = """
origin = "12345"
datum = "wgs84"
zone = "Asia/Shanghai"
source = "hotline"
[columns]
source_id = "工单号"
lon = "经度"
lat = "纬度"
reported_at = "时间"
closed_at = "办结"
category = "类别"
status = "状态"
[statuses]
"已办结" = "closed"
"办理中" = "handling"
"""
HEADER = ["工单号", "经度", "纬度", "时间", "办结", "类别", "状态"]
GOOD = ["a-1", "104.005", "30.005", "2026-05-01 09:00", "2026-05-02 10:00", "S0102", "已办结"]


def table(tmp_path: Path, *rows: list[str], encoding: str = "utf-8") -> Path:
    path = tmp_path / "工单.csv"
    path.write_text("\n".join(",".join(row) for row in (HEADER, *rows)), encoding)
    return path


def imported(session, path: Path):
    asked = rules.incident_plan(MAPPING)
    read = queries.read_incidents(session, path, asked)
    return read, service.load_incidents(session, SYSTEM, asked, read)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_foreign_file_is_filed_with_its_times_and_states(district, tmp_path, encoding):
    imported(district, table(tmp_path, GOOD, encoding=encoding))
    (case,) = casebook.page(district, SYSTEM, Search(), 5)
    assert (case.state, case.source_id, case.building_code) == (State.CLOSED, "a-1", f"{C1}00001")
    assert case.closed_at == datetime(2026, 5, 2, 2, tzinfo=UTC)
    assert [e.action for e in incident.history(district, case.id)] == ["report", "adopt"]
    assert audit.verify(district).broken == []


def test_the_same_file_again_files_nothing(district, tmp_path):
    path = table(tmp_path, GOOD)
    imported(district, path)
    read, ids = imported(district, path)
    assert (read.known, ids) == (1, [])


BAD_ROWS = {
    "Row 2 has no coordinates": ["x", "", "", *GOOD[3:]],
    "Row 2 lies at 0,0": ["x", "0", "0", *GOOD[3:]],
    "Row 2 at .* has its axes swapped": ["x", "30.005", "104.005", *GOOD[3:]],
    "Row 2.* metres": ["x", "35404000", "3320000", *GOOD[3:]],
    "Row 2: the place lies .* km outside": ["x", "105.5", "31.5", *GOOD[3:]],
    "Row 2: 时间 is 昨天": ["x", "104.005", "30.005", "昨天", *GOOD[4:]],
    "Row 2: the status 飞了 is in no mapping": [*GOOD[:6], "飞了"],
    "Row 2: 工单号 is empty": ["", *GOOD[1:]],
    "before it was reported": [
        "x",
        "104.005",
        "30.005",
        "2026-05-01 09:00",
        "2026-04-30 09:00",
        "S0102",
        "已办结",
    ],
}


@pytest.mark.parametrize("reason", BAD_ROWS)
def test_a_row_that_cannot_be_filed_is_named_and_the_others_are_filed(district, tmp_path, reason):
    good = ["b-2", *GOOD[1:]]
    read, ids = imported(district, table(tmp_path, BAD_ROWS[reason], good))
    assert len(ids) == 1
    with pytest.raises(Problem, match=reason):
        raise read.problems[0]


def test_an_id_twice_in_one_file_is_filed_once(district, tmp_path):
    read, ids = imported(district, table(tmp_path, GOOD, GOOD))
    assert len(ids) == 1
    assert "stands already in row 2" in str(read.problems[0])


def test_excel_files_are_read_too(district, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    book.active.append(["x-9", 104.005, 30.005, datetime(2026, 5, 1, 9), None, "S0102", "办理中"])
    book.save(tmp_path / "工单.xlsx")
    _, ids = imported(district, tmp_path / "工单.xlsx")
    (case,) = casebook.page(district, SYSTEM, Search(), 5)
    assert (case.id, case.state, case.source_id) == (ids[0], State.HANDLING, "x-9")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("origin = ", "TOML"),
        (MAPPING.replace('origin = "12345"', ""), "origin: missing"),
        (MAPPING.replace('datum = "wgs84"', 'datum = "mars"'), "mars"),
        (MAPPING.replace('lon = "经度"', ""), "columns.lon: missing"),
        (MAPPING.replace('"closed"', '"gone"'), "已办结"),
        (MAPPING.replace("Asia/Shanghai", "Asia/Nowhere"), "Nowhere"),
        (MAPPING.replace('lon = "经度"', 'lon = "经度"\nlongitude = "x"'), "columns.longitude: unknown"),
    ],
)
def test_a_mapping_says_what_is_wrong_with_it(wrong, told):
    with pytest.raises(BadMapping, match=told):
        rules.incident_plan(wrong)


def test_a_batch_goes_from_upload_to_loaded(district, tmp_path):
    path = grid_file(tmp_path, little_district()["micro_grid"])
    batch = service.receive(
        district, SYSTEM, BatchKind.GRIDS, "C:\\图\\../grids.gpkg", io.BytesIO(path.read_bytes())
    )
    assert batch.filename == "grids.gpkg"
    with pytest.raises(BatchNotReady):
        service.ask_load(district, SYSTEM, batch.id)
    service.ask_check(district, SYSTEM, batch.id, plan())
    service.check_batch(district, batch.id)
    assert batch.status == BatchStatus.CHECKED
    assert batch.report["rows"] == {"micro_grid": 4}
    service.ask_load(district, SYSTEM, batch.id)
    service.load_batch(district, batch.id)
    assert batch.status == BatchStatus.LOADED
    assert batch.report["loaded"]["counts"]["micro_grid"]["same"] == 4
    editions = len(hierarchy.editions(district))
    service.load_batch(district, batch.id)  # the job of a worker that died before it could say so
    service.check_batch(district, batch.id)
    assert (batch.status, len(hierarchy.editions(district))) == (BatchStatus.LOADED, editions)


def test_columns_and_layers_are_guessed_by_the_words_of_bureaux():
    assert rules.guess_columns(["网格编码", "名称", "户数", "形状"], "micro_grid") == {
        "code": "网格编码",
        "name": "名称",
        "households": "户数",
    }
    assert rules.guess_columns(["WARD_ID", "NAME"], "street") == {"code": "WARD_ID", "name": "NAME"}
    assert rules.guess_columns(["code", "name", "parent_cod"], "building")["parent"] == "parent_cod"
    assert rules.guess_layer(["jd_街道", "社区界", "微网格"], "micro_grid") == "微网格"


def test_columns_of_incidents_are_guessed_by_the_words_of_hotlines():
    assert rules.guess_incident_columns(["工单编号", "事项类别", "承办单位", "受理时间", "descriptio"]) == {
        "source_id": "工单编号",
        "reported_at": "受理时间",
        "category": "事项类别",
        "handler": "承办单位",
        "description": "descriptio",
    }
