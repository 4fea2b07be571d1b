"""Plans over the API: drawn edit by edit, taken back, seen by two."""

import pytest
from small_city import LAT, LON, SCRIPT, STEP, WEST

from gridmgr.account.rules import Role

pytestmark = pytest.mark.db
COMMUNITY, FIRST, SECOND = WEST + "001", WEST + "001001", WEST + "001002"


@pytest.fixture(scope="module")
def planner(city):
    return city.client(Role.PLANNER, "en")


@pytest.fixture
def plan(planner) -> str:
    answer = planner.post("/api/plans", json={"name": f"{SCRIPT} draft", "area_code": COMMUNITY})
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert found["totals"]["units"] == 2 and found["tip"] is None and found["changes"]["new"] == []
    return f"/api/plans/{found['id']}"


def split(on_tip=None, **more) -> dict:
    """Cut a third off the first grid, clear of the building in its middle."""
    x = LON + 0.3 * STEP
    line = [[x, LAT - STEP], [x, LAT + 2 * STEP]]
    return {"on_tip": on_tip, "kind": "split", "code": FIRST, "line": line} | more


def test_an_edit_is_previewed_made_taken_back_and_done_again(planner, plan):
    tried = planner.post(f"{plan}/preview", json=split()).json()
    assert tried["tip"] is None and not tried["can_undo"] and len(tried["units"]) == 2
    done = planner.post(f"{plan}/edits", json=split())
    assert done.status_code == 200, done.text
    done = done.json()
    new = WEST + "001003"
    assert done["tip"] and done["can_undo"] and not done["can_redo"] and done["gone"] == []
    told = {each["id"]: each["properties"] for each in done["units"]}
    assert told[new]["changed"] == "new" and told[FIRST]["changed"] == "redrawn"
    assert told[new]["buildings"] == 0 and told[FIRST]["households"] == 12
    assert done["totals"]["units"] == 3 and done["changes"]["new"] == [new]
    units = planner.get(f"{plan}/units").json()["features"]
    assert {each["id"] for each in units} == {FIRST, SECOND, new}
    back = planner.post(f"{plan}/undo", json={"on_tip": done["tip"]}).json()
    assert back["tip"] is None and back["gone"] == [new] and back["can_redo"] and not back["can_undo"]
    assert back["totals"] == tried["totals"] | back["totals"] and back["changes"]["redrawn"] == []
    again = planner.post(f"{plan}/redo", json={"on_tip": None}).json()
    assert again["tip"] == done["tip"] and again["totals"] == done["totals"]
    assert planner.post(f"{plan}/redo", json={"on_tip": done["tip"]}).status_code == 409


def test_merged_buildings_move_with_their_unit(planner, plan):
    done = planner.post(
        f"{plan}/edits", json={"on_tip": None, "kind": "merge", "codes": [FIRST, SECOND]}
    ).json()
    assert done["gone"] == [SECOND] and set(done["homes"].values()) == {FIRST}
    assert done["changes"] | {"staff": 0} == {
        "new": [], "redrawn": [FIRST], "gone": [SECOND], "buildings": 1, "households": 12, "population": 0,
        "open_cases": 0, "staff": 0,
    }  # fmt: skip
    homes = {each["properties"]["home"] for each in planner.get(f"{plan}/buildings").json()["features"]}
    assert homes == {FIRST}


def test_who_draws_on_another_tip_is_told_who_was_faster(planner, plan, city):
    assert planner.post(f"{plan}/edits", json=split()).status_code == 200
    late = planner.post(f"{plan}/edits", json=split())
    assert late.status_code == 409 and late.json()["type"].endswith("PlanMoved")
    assert late.json()["details"]["by"].startswith("planner")
    leader = city.client(Role.STREET_LEADER, "en")
    claimed = leader.post(f"{plan}/undo", json={"on_tip": None})
    assert claimed.status_code == 409 and claimed.json()["type"].endswith("Claimed")
    assert leader.post(f"{plan}/claim", json={}).status_code == 409
    assert (
        leader.post(f"{plan}/claim", json={"take_over": True})
        .json()["claim"]["by"]
        .startswith("street_leader")
    )
    assert planner.post(f"{plan}/locks", json={"codes": [FIRST]}).status_code == 409


def test_a_branch_goes_on_by_itself(planner, plan):
    tip = planner.post(f"{plan}/edits", json=split()).json()["tip"]
    made = planner.post(f"{plan}/branches", json={"name": "another way"}).json()
    assert made["tip"] == tip and str(made["origin"]) in plan
    branch = f"/api/plans/{made['id']}"
    assert planner.post(f"{branch}/undo", json={"on_tip": tip}).json()["tip"] is None
    assert planner.get(plan).json()["tip"] == tip
    assert made["id"] in [each["id"] for each in planner.get(plan).json()["others"]]
    assert planner.post(f"{branch}/discard").json()["status"] == "discarded"
    assert planner.post(f"{branch}/redo", json={"on_tip": None}).status_code == 409
    assert made["id"] not in [each["id"] for each in planner.get("/api/plans").json()["items"]]


def test_locked_units_and_the_units_around_stay(planner, plan):
    assert planner.post(f"{plan}/locks", json={"codes": [FIRST]}).json() == {"codes": [FIRST]}
    locked = planner.post(f"{plan}/edits", json=split())
    assert locked.status_code == 422 and locked.json()["details"]["code"] == FIRST
    around = {each["id"] for each in planner.get(f"{plan}/around").json()["features"]}
    outside = WEST + "002001"
    assert outside in around and FIRST not in around
    beyond = planner.post(f"{plan}/edits", json={"on_tip": None, "kind": "merge", "codes": [SECOND, outside]})
    assert beyond.status_code == 422
    assert planner.post(f"{plan}/locks", json={"codes": ["nothing"]}).status_code == 422


def test_who_may_not_draw_or_see_does_not(city, plan):
    assert city.client(Role.GRID_MEMBER).get(plan).status_code == 403
    assert city.client(Role.COMMAND_CENTRE).get(plan).status_code == 200
    assert city.client(Role.COMMAND_CENTRE).post(f"{plan}/edits", json=split()).status_code == 403
    assert city.client().get(plan).status_code == 401
    assert city.client(Role.PLANNER).get("/api/plans/999999").status_code == 404


def test_new_units_are_numbered_in_reading_order(planner, plan):
    tip = None
    for share in (0.8, 0.2):  # the eastern one first
        x = LON + share * STEP
        line = [[x, LAT - STEP], [x, LAT + 2 * STEP]]
        tip = planner.post(f"{plan}/edits", json=split(tip, line=line)).json()["tip"]
    tried = planner.post(f"{plan}/preview", json={"on_tip": tip, "kind": "renumber"}).json()
    west = min(tried["units"], key=lambda each: each["geometry"]["coordinates"][0][0][0])
    assert west["id"] == WEST + "001003" and len(tried["units"]) == 2
    assert planner.post(f"{plan}/edits", json={"on_tip": tip, "kind": "renumber"}).status_code == 200


def test_codes_that_do_not_fit_or_were_used_are_refused(planner, plan):
    for new, kind in ((EASTERN := WEST + "002003", "CodeUnfit"), (SECOND, "CodeTaken"), ("x", "CodeUnfit")):
        told = planner.post(f"{plan}/edits", json=split(new=new))
        assert told.status_code == 422 and told.json()["type"].endswith(kind), told.text
    assert EASTERN


def test_a_community_goes_to_another_street_with_all_its_grids(planner):
    made = planner.post("/api/plans", json={"name": "whole district"}).json()
    body = {"on_tip": None, "kind": "transfer", "codes": [WEST + "002"], "to": "510106002"}
    done = planner.post(f"/api/plans/{made['id']}/edits", json=body)
    assert done.status_code == 200, done.text
    done = done.json()
    new = "510106002003"
    assert {each["id"] for each in done["units"]} == {new + "001", new + "002"}
    assert done["gone"] == [WEST + "002001", WEST + "002002"] and done["totals"]["units"] == 8
    shown = planner.get(f"/api/plans/{made['id']}").json()
    assert new in shown["parents"] and WEST + "002" not in shown["parents"]
