"""A plan on its way over HTTP: submitted, on notice with comments of residents, consulted on, taken back; bad hands."""

import re

import pytest
from small_city import LAT, LON, SCRIPT, WEST

from gridmgr.account.rules import Role

pytestmark = pytest.mark.db
COMMUNITY, FIRST, SECOND = WEST + "001", WEST + "001001", WEST + "001002"


@pytest.fixture(scope="module")
def planner(city):
    return city.client(Role.PLANNER, "en")


@pytest.fixture(scope="module")
def way(planner) -> dict:
    """A plan that joins both grids of the community, submitted."""
    plan = planner.post("/api/plans", json={"name": SCRIPT, "area_code": COMMUNITY}).json()["id"]
    edit = {"on_tip": None, "kind": "merge", "codes": [FIRST, SECOND]}
    tip = planner.post(f"/api/plans/{plan}/edits", json=edit).json()["tip"]
    assert planner.post(f"/api/plans/{plan}/submit", json={"on_tip": None}).status_code == 409
    answer = planner.post(f"/api/plans/{plan}/submit", json={"on_tip": tip})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_plan_goes_its_way_and_residents_are_heard(planner, way, city):
    at, page = f"/api/publications/{way['id']}", f"/public-notices/{way['id']}"
    anybody = city.client(None, "en")
    assert way["state"] == "checked" and way["changes"]["gone"] == [SECOND]
    assert anybody.get(page).status_code == 404  # not on notice yet
    assert planner.post(f"{at}/consult").status_code == 409
    assert planner.post(f"{at}/announce", json={"days": 7}).json()["state"] == "notice"
    seen = anybody.get(page)
    assert seen.status_code == 200 and SCRIPT not in seen.text and "Your opinion" in seen.text
    assert f"/public-notices/{way['id']}" in anybody.get("/public-notices").text
    secret = re.search(r'name="secret" value="([^"]+)"', seen.text)[1]
    place = {"lon": str(LON), "lat": str(LAT)}
    assert anybody.post(page, data={"told": "x", "secret": "forged"}).status_code == 403
    assert anybody.post(page, data={"told": " ", "secret": secret}).status_code == 422
    assert (
        anybody.post(page, data={"told": "x", "secret": secret, "lon": "0", "lat": "nan"}).status_code == 422
    )
    sent = anybody.post(page, data={"told": SCRIPT, "name": "居民", "secret": secret} | place)
    assert sent.status_code == 303 and "居民" not in anybody.get(page).text
    browser, csrf = city.browser(Role.PLANNER)
    own = browser.get(f"/publications/{way['id']}")
    assert own.status_code == 200 and "居民" in own.text and SCRIPT not in own.text
    comment = re.search(rf"/publications/{way['id']}/comments/(\d+)", own.text)[0]
    shown = browser.post(comment, data={"csrf": csrf, "shown": "true", "reply": "谢谢"})
    assert shown.status_code == 303
    assert "居民" in (told := anybody.get(page).text) and "谢谢" in told and SCRIPT not in told
    for _ in range(4):
        anybody.post(page, data={"told": "again", "secret": secret})
    assert anybody.post(page, data={"told": "again", "secret": secret}).status_code == 429


def test_whoever_may_not_take_a_step_is_told(planner, way, city):
    at = f"/api/publications/{way['id']}"
    assert planner.post(f"{at}/approve", json={"effective": "2099-01-01"}).status_code == 403
    centre = city.client(Role.COMMAND_CENTRE, "en")
    assert centre.post(f"{at}/publish").status_code == 409
    assert planner.get("/api/publications/999999").status_code == 404
    steps = planner.get(f"{at}/steps").json()["steps"]
    assert [each["deed"] for each in steps][:2] == ["submit", "announce"]
    browser, csrf = city.browser(Role.PLANNER)
    early = browser.post(f"/publications/{way['id']}/consult", data={"csrf": csrf})
    assert early.status_code == 409
    back = browser.post(f"/publications/{way['id']}/withdraw", data={"csrf": csrf, "note": "重画"})
    assert back.status_code == 303
    assert planner.get(at).json()["state"] == "withdrawn"
    assert planner.get(f"/api/plans/{way['plan']}").json()["status"] == "draft"
    assert city.client(None, "en").get(f"/public-notices/{way['id']}").status_code == 404
