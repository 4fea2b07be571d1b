"""An empty district is intended everywhere; a map is brought, checked, looked at and loaded."""

from pathlib import Path

import geopandas as gpd
import pytest
from playwright.sync_api import Page, expect
from walking import log_in, people_alone, work_off

from gis.samples import sized

pytestmark = [pytest.mark.browser, pytest.mark.db]


@pytest.fixture(scope="module")
def filled():
    """There are people, and nothing else."""
    return people_alone


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the map of a tiny district with one code used twice, and return where."""
    path = tmp_path_factory.mktemp("map") / "网格.gpkg"
    for level, frame in sized("tiny").items():
        frame.to_file(path, layer=level)
    return path


def faulty(path: Path, folder: Path) -> Path:
    """Return a copy of a map in which one micro-grid's code stands twice."""
    spoilt = folder / "重复编码.gpkg"
    for level in ("street", "community", "micro_grid", "building"):
        frame = gpd.read_file(path, layer=level)
        if level == "micro_grid":
            frame.loc[1, "code"] = frame.loc[0, "code"]
        frame.to_file(spoilt, layer=level)
    return spoilt


def test_an_empty_district_says_what_to_do_next(page: Page) -> None:
    log_in(page)
    for path in ("/", "/report", "/grids", "/figures"):
        page.goto(path)
        expect(page.locator(".nothing")).to_contain_text("还没有网格地图")
        expect(page.locator(".nothing a.button")).to_have_attribute("href", "/imports")
    page.goto("/incidents")
    expect(page.locator(".nothing")).to_contain_text("暂无事件")
    page.goto("/imports")
    expect(page.locator(".alert.info")).to_contain_text("请先导入网格地图")


def bring(page: Page, path: Path) -> None:
    """Upload a map and ask for its check."""
    page.goto("/imports")
    page.set_input_files("[name=file]", path)
    page.click("form[action='/imports'] button")
    expect(page.locator("[name='street.code']")).to_have_value("code")
    assert page.input_value("[name=datum]") == ""  # a datum is never guessed
    page.select_option("[name=datum]", "wgs84")
    page.fill("[name=effective]", "2026-01-01")
    page.click("#plan button.primary")
    expect(page.locator(".progress")).to_be_visible()


def test_a_fault_no_map_can_hold_forbids_loading(
    page: Page, database: str, brought: Path, tmp_path: Path
) -> None:
    log_in(page)
    bring(page, faulty(brought, tmp_path))
    work_off(database)
    expect(page.locator(".alert.bad")).to_contain_text("不能入库")
    expect(page.locator("form[action$='/load']")).to_have_count(0)
    page.click("text=编码重复")
    expect(page.locator("#faults tbody tr")).to_have_count(1)
    expect(page.locator(".folium-map")).to_be_visible()
    page.wait_for_function("() => gridmgr.layers.findings.getLayers().length === 1")


def test_an_unreadable_file_is_listed_as_failed(page: Page, tmp_path: Path) -> None:
    empty = tmp_path / "空.gpkg"
    empty.touch()
    log_in(page)
    page.goto("/imports")
    page.set_input_files("[name=file]", empty)
    page.click("form[action='/imports'] button")
    expect(page.locator(".alert.bad")).to_contain_text("空文件")
    page.goto("/imports")
    expect(page.locator("tbody tr").first).to_contain_text("失败")


def test_a_sound_map_is_checked_and_loaded(page: Page, database: str, brought: Path) -> None:
    log_in(page)
    bring(page, brought)
    work_off(database)
    expect(page.locator(".level-counts")).to_contain_text("30")
    page.locator("form[action$='/load'] button").click()
    expect(page.locator(".progress")).to_be_visible()
    work_off(database)
    expect(page.locator("h2.loaded")).to_be_visible()
    page.click("text=查看网格")
    expect(page.locator(".level-counts")).to_contain_text("250")
    page.goto("/")
    page.wait_for_function("() => window.gridmgrMap && gridmgrMap.getZoom() > 10")


def test_a_mapping_can_be_pasted_without_filling_in_the_fields(
    page: Page, database: str, tmp_path: Path
) -> None:
    table = tmp_path / "热线.csv"
    table.write_text("甲,乙,丙,丁,戊,状态\n1,104.0,30.6,2026-05-01 08:00,占道,怪\n", encoding="utf-8")
    log_in(page)
    page.goto("/imports")
    page.select_option("[name=kind]", "incidents")
    page.set_input_files("[name=file]", table)
    page.click("form[action='/imports'] button")
    expect(page.locator("[name='status.怪']")).to_have_value("")  # its word tells nothing
    page.click("details.more:last-of-type summary")
    columns = {"source_id": "甲", "lon": "乙", "lat": "丙", "reported_at": "丁", "category": "戊"}
    lines = [f'{ours} = "{theirs}"' for ours, theirs in columns.items()]
    page.fill("[name=toml]", "\n".join(['origin = "12345"', 'datum = "wgs84"', "[columns]", *lines]))
    page.click("button[name=by]")
    expect(page.locator(".progress")).to_be_visible()
    work_off(database)
    expect(page.locator(".level-counts")).to_contain_text("1")
