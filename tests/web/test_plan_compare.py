"""A plan beside today or another plan: what moves, pair by pair; where; and all of it to take away."""

import pytest
from small_city import LAT, LON, SCRIPT, STEP, WEST

from gis.formats import layers
from gridmgr.account.rules import Role

pytestmark = pytest.mark.db
COMMUNITY, FIRST, SECOND, NEW = WEST + "001", WEST + "001001", WEST + "001002", WEST + "001003"


@pytest.fixture(scope="module")
def planner(city):
    return city.client(Role.PLANNER, "en")


@pytest.fixture(scope="module")
def plans(planner) -> tuple[int, int]:
    """A plan that joins both grids of the community, and one that cuts a strip off the first."""

    def opened(name: str, edit: dict) -> int:
        plan = planner.post("/api/plans", json={"name": name, "area_code": COMMUNITY}).json()["id"]
        answer = planner.post(f"/api/plans/{plan}/edits", json={"on_tip": None} | edit)
        assert answer.status_code == 200, answer.text
        return plan

    x = LON + 0.3 * STEP
    line = [[x, LAT - STEP], [x, LAT + 2 * STEP]]
    return (
        opened(SCRIPT, {"kind": "merge", "codes": [FIRST, SECOND]}),
        opened("strip", {"kind": "split", "code": FIRST, "line": line}),
    )


def test_a_plan_is_compared_with_today_pair_by_pair(planner, plans):
    merged, strip = plans
    found = planner.get(f"/api/plans/{merged}/compare").json()
    assert found["was"] | {"totals": 0} == {"plan": None, "name": "", "totals": 0}
    (pair,) = found["pairs"]
    assert (pair["was"], pair["now"], pair["buildings"], pair["households"]) == (SECOND, FIRST, 1, 12)
    assert pair["area_m2"] == pytest.approx(found["was"]["totals"]["area_m2"] / 2, rel=0.01)
    fates = {each["code"]: each["fate"] for each in found["units"]}
    assert fates == {FIRST: "reshaped", SECOND: "gone"}
    for name in ("households", "buildings", "incidents", "area_m2"):
        assert found["was"]["totals"][name] == pytest.approx(found["now"]["totals"][name]), name
    other = planner.get(f"/api/plans/{strip}/compare").json()
    assert [(each["was"], each["now"], each["buildings"]) for each in other["pairs"]] == [(FIRST, NEW, 0)]


def test_two_plans_are_compared_with_each_other(planner, plans, city):
    merged, strip = plans
    found = planner.get(f"/api/plans/{strip}/compare", params={"with": merged}).json()
    assert found["was"]["name"] == SCRIPT and found["now"]["name"] == "strip"
    assert {(each["was"], each["now"]) for each in found["pairs"]} == {(FIRST, NEW), (FIRST, SECOND)}
    assert {each["code"]: each["fate"] for each in found["units"]} == {
        FIRST: "reshaped", NEW: "new", SECOND: "new",
    }  # fmt: skip
    wide = planner.post("/api/plans", json={"name": "street", "area_code": WEST}).json()["id"]
    beside = planner.get(f"/api/plans/{strip}/compare", params={"with": wide}).json()
    assert beside["was"]["totals"]["units"] == 2 and [each["now"] for each in beside["pairs"]] == [NEW]
    far = planner.post("/api/plans", json={"name": "far", "area_code": WEST + "002"}).json()["id"]
    refused = planner.get(f"/api/plans/{strip}/compare", params={"with": far})
    assert refused.status_code == 422 and refused.json()["type"].endswith("OtherGround")
    for other in ("0", "yesterday", "-1", "²", "9999999999"):
        assert planner.get(f"/api/plans/{strip}/compare", params={"with": other}).status_code == 422, other
    assert planner.get(f"/api/plans/{strip}/compare", params={"with": "99999"}).status_code == 404
    assert city.client(Role.GRID_MEMBER).get(f"/api/plans/{strip}/compare").status_code == 403


def test_a_comparison_is_taken_away_as_tables_map_and_paper(planner, plans, tmp_path):
    url = f"/api/plans/{plans[0]}/compare"
    pairs = planner.get(f"{url}.csv").content.decode("utf-8-sig")
    assert SECOND in pairs and pairs.startswith("Out of (code),Out of,")
    units = planner.get(f"{url}.csv", params={"table": "units"}).content.decode("utf-8-sig")
    assert "other ground" in units and units.count("\n") == 3
    assert planner.get(f"{url}.xlsx").content[:2] == b"PK"
    (piece,) = planner.get(f"{url}.geojson").json()["features"]
    assert piece["properties"]["households"] == 12 and piece["geometry"]["type"] == "Polygon"
    file = tmp_path / "taken.gpkg"
    file.write_bytes(planner.get(f"{url}.gpkg").content)
    assert set(layers(file)) == {"moved_ground", "moved_building", "micro_grid_was", "micro_grid_now"}
    paper = planner.get(f"{url}.pdf")
    assert paper.content[:5] == b"%PDF-" and len(paper.content) > 10_000
    assert planner.get(f"{url}.exe").status_code == 422


def test_the_page_shows_what_moves_and_names_stay_text(city, planner, plans):
    client, _ = city.browser(Role.PLANNER)
    page = client.get(f"/plans/{plans[0]}/compare")
    assert page.status_code == 200 and "划转明细" in page.text and SCRIPT not in page.text
    assert SECOND in page.text and f'value="{plans[1]}"' in page.text
    wrong = client.get(f"/plans/{plans[0]}/compare?with=<b>")
    assert wrong.status_code == 422 and 'role="alert"' in wrong.text and "<b>" not in wrong.text
    assert client.get("/plans/99999/compare").status_code == 404
