"""A plan taken away for QGIS and brought back: renamed columns, pieces with one code, faults, who was faster."""

import geopandas as gpd
import pytest
import shapely
from small_city import LAT, LON, STEP, WEST

from gridmgr.account.rules import Role

pytestmark = pytest.mark.db
COMMUNITY, FIRST, SECOND, NEW = WEST + "001", WEST + "001001", WEST + "001002", WEST + "001003"


@pytest.fixture(scope="module")
def planner(city):
    return city.client(Role.PLANNER, "en")


@pytest.fixture
def plan(planner) -> str:
    made = planner.post("/api/plans", json={"name": "for QGIS", "area_code": COMMUNITY}).json()
    return f"/api/plans/{made['id']}"


@pytest.fixture
def taken(planner, plan, tmp_path) -> gpd.GeoDataFrame:
    file = tmp_path / "taken.gpkg"
    file.write_bytes(planner.get(f"{plan}/file.gpkg").content)
    assert set(gpd.list_layers(file)["name"]) == {"micro_grid", "building", "today"}
    return gpd.read_file(file, layer="micro_grid")


def brought(planner, plan, frame, tmp_path, path="file", **form):
    file = tmp_path / "back.gpkg"
    frame.to_file(file, layer="edited")
    with file.open("rb") as content:
        return planner.post(f"{plan}/{path}", files={"file": ("back.gpkg", content)}, data=form)


def cut(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Split the first grid as QGIS does: both pieces keep all its attributes."""
    x = LON + 0.3 * STEP
    halves = shapely.box(LON, LAT, x, LAT + STEP), shapely.box(x, LAT, LON + STEP, LAT + STEP)
    first = frame[frame["code"] == FIRST]
    pieces = gpd.GeoDataFrame(
        [first.iloc[0].drop("geometry")] * 2, geometry=list(halves), crs=frame.crs
    ).reset_index(drop=True)
    return gpd.GeoDataFrame(
        gpd.pd.concat([pieces, frame[frame["code"] != FIRST]], ignore_index=True), crs=4326
    )


def test_a_plan_comes_back_from_qgis_as_one_edit(planner, plan, taken, tmp_path):
    same = brought(planner, plan, taken, tmp_path)
    assert same.status_code == 422 and same.json()["type"].endswith("NothingChanged")
    edited = cut(taken)[["code", "name", "drawn_on", "geometry"]].rename(columns={"code": "网格编码"})
    edited = edited.to_crs(3857)
    checked = brought(planner, plan, edited, tmp_path, "file/check").json()
    assert checked["columns"] == {"code": "网格编码", "name": "name"} and checked["findings"] == []
    assert checked["notes"] == [
        f"{FIRST} came in 2 pieces: the largest keeps the code, the others are {NEW}."
    ]
    done = brought(planner, plan, edited, tmp_path)
    assert done.status_code == 200, done.text
    assert set(done.json()["changed"]) == {FIRST, NEW} and done.json()["gone"] == []
    units = {each["id"]: each["properties"] for each in planner.get(f"{plan}/units").json()["features"]}
    assert units[NEW]["parent_code"] == COMMUNITY and units[NEW]["name"] == NEW
    assert units[FIRST]["buildings"] == 1 and units[SECOND]["changed"] is None
    assert planner.get(f"{plan}/edits").json()["edits"][0]["kind"] == "adopt"
    late = brought(planner, plan, edited, tmp_path)  # it was taken away before that edit
    assert late.status_code == 409 and late.json()["type"].endswith("PlanMoved")
    assert planner.post(f"{plan}/undo", json={"on_tip": done.json()["tip"]}).json()["tip"] is None


def test_a_new_grid_without_a_code_gets_a_free_one_and_merged_ones_end(planner, plan, taken, tmp_path):
    blank = cut(taken)
    blank.loc[0, ["code", "name"]] = [None, "新片"]  # the smaller piece
    told = brought(planner, plan, blank, tmp_path, "file/check").json()
    assert told["notes"] == [f"Units without a code are {NEW}."]
    tip = brought(planner, plan, blank, tmp_path).json()["tip"]
    units = {each["id"]: each["properties"] for each in planner.get(f"{plan}/units").json()["features"]}
    assert units[NEW]["name"] == "新片"
    planner.post(f"{plan}/undo", json={"on_tip": tip})
    one = taken.dissolve(aggfunc="first")
    done = brought(planner, plan, one, tmp_path).json()
    assert (done["changed"], done["gone"]) == ([FIRST], [SECOND])


def test_faults_are_told_and_nothing_is_taken(planner, plan, taken, tmp_path, city):
    gap = cut(taken).iloc[1:]
    told = brought(planner, plan, gap, tmp_path, "file/check").json()
    assert [each["kind"] for each in told["findings"]] == ["uncovered"] and told["findings"][0]["geometry"]
    assert COMMUNITY in told["findings"][0]["text"]
    assert brought(planner, plan, gap, tmp_path).json()["type"].endswith("NoCoverage")
    nameless = brought(planner, plan, taken[["geometry"]], tmp_path)
    assert nameless.status_code == 422 and nameless.json()["type"].endswith("CodesMissing")
    stray = brought(planner, plan, taken.assign(parent_code="5"), tmp_path)
    assert stray.json()["type"].endswith("ParentUnknown")
    for content in (b"", b"no map", b"PK\x03\x04 broken"):
        answer = planner.post(f"{plan}/file", files={"file": ("x.gpkg", content)})
        assert answer.status_code == 422, answer.text
    assert planner.get(plan).json()["tip"] is None
    member = city.client(Role.COMMAND_CENTRE)
    assert member.post(f"{plan}/file", files={"file": ("x", b"")}).status_code == 403


def test_a_file_that_gapes_is_mended_on_its_way_in(planner, plan, taken, tmp_path, city):
    gaping = taken.copy()
    gaping["geometry"] = shapely.buffer(taken.geometry.to_numpy(), -STEP / 200, join_style="mitre")
    thin = 111_320 * STEP / 100
    assert brought(planner, plan, gaping, tmp_path).json()["type"].endswith("NoCoverage")
    told = brought(planner, plan, gaping, tmp_path, "file/check", repair_m=thin * 1.5).json()
    assert told["findings"] == [] and len(told["notes"]) == 1
    for strange in (-1, "nan", 1000):
        assert brought(planner, plan, gaping, tmp_path, repair_m=strange).status_code == 422
    client, csrf = city.browser(Role.PLANNER)
    file = tmp_path / "back.gpkg"
    form = {"csrf": csrf, "only_check": "yes", "repair_m": f"{thin * 1.5}"}
    page = client.post(
        plan.removeprefix("/api") + "/file", files={"file": ("a.gpkg", file.read_bytes())}, data=form
    )
    assert page.status_code == 200 and "修复移动了" in page.text
    half = gaping.copy()
    half.loc[half["code"] == FIRST, "geometry"] = half.geometry.intersection(
        shapely.box(0, 0, LON + STEP / 2, 90)
    )
    left = brought(planner, plan, half, tmp_path, repair_m=thin * 1.5)
    assert left.json()["type"].endswith("NoCoverage")


def test_the_page_takes_a_file_or_shows_its_faults(city, plan, taken, tmp_path):
    client, csrf = city.browser(Role.PLANNER)
    page = plan.removeprefix("/api") + "/file"
    assert "导出编辑" in client.get(page).text
    for frame, status in ((cut(taken).iloc[1:], 422), (cut(taken), 303)):
        file = tmp_path / "sent.geojson"
        frame.to_file(file, driver="GeoJSON")
        answer = client.post(page, files={"file": ("<b>.geojson", file.read_bytes())}, data={"csrf": csrf})
        assert answer.status_code == status, answer.text
        assert (status == 303) or 'role="alert"' in answer.text
    assert answer.headers["location"] == plan.removeprefix("/api") + "/compare"
