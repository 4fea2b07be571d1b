"""A plan on its way over HTTP: submitted, on notice with comments of residents, consulted on, taken back; bad hands."""

import re

import pytest
from small_city import LAT, LON, SCRIPT, WEST

from gridmgr import clock
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


def test_before_it_is_published_everybody_concerned_sees_what_follows_and_what_needs_a_decision(
    planner, way, city
):
    admin = city.client(Role.ADMIN, "en")
    hours = {"weekdays": [1], "spans": "09:00-17:00"}
    assert admin.put(f"/api/calendar/hours/2026-01-01?area={SECOND}", json=hours).status_code == 200
    force = {
        "name": "清河专班", "purpose": SCRIPT, "area": SECOND, "ends_on": str(clock.today()), "members": ["planner"],
        "lead": "planner",
    }  # fmt: skip
    assert admin.post("/api/task-forces", json=force).status_code == 201
    at = f"/api/publications/{way['id']}/followers"
    told = planner.get(at).json()
    assert told["decisions"] == 1 and len(told["followers"]) == 2
    first, last = told["followers"]
    assert (first["matter"], first["way"], first["before"], first["after"]) == (
        "hours",
        "ends",
        SECOND,
        FIRST,
    )
    assert (last["matter"], last["way"], last["title"]) == ("task_force", "goes", SCRIPT)
    page = city.browser(Role.PLANNER)[0].get(f"/publications/{way['id']}").text
    assert SECOND in page.split('id="followers"')[1].split("</section>")[0] and SCRIPT not in page
    assert planner.get("/api/publications/999999/followers").status_code == 404
    assert city.client(Role.GRID_MEMBER).get(at).status_code == 403


def test_programs_read_and_moderate_what_residents_said(planner, way, city):
    at = f"/api/publications/{way['id']}/comments"
    first = planner.get(f"{at}?size=2").json()
    assert len(first["items"]) == 2 and first["next"]
    found = planner.get(at).json()["items"]
    assert [each["state"] for each in found] == [*["waiting"] * 4, "shown"]
    last = found[-1]
    assert (last["text"], last["name"], last["reply"]) == (SCRIPT, "居民", "谢谢")
    assert last["lon"] == pytest.approx(LON) and found[0]["lon"] is None
    told = {"shown": False, "reply": "已阅"}
    kept = planner.post(f"{at}/{found[0]['id']}", json=told)
    assert (kept.json()["state"], kept.json()["reply"]) == ("hidden", "已阅"), kept.text
    assert planner.post(f"{at}/999999", json=told).status_code == 404
    assert planner.post(f"/api/publications/999999/comments/{last['id']}", json=told).status_code == 404
    assert planner.post(f"{at}/{last['id']}", json=told | {"reply": "x" * 501}).status_code == 422
    assert city.client(Role.COMMAND_CENTRE).post(f"{at}/{last['id']}", json=told).status_code == 403
    assert city.client(Role.GRID_MEMBER).get(at).status_code == 403


def test_terms_of_publications_are_set_from_a_day_on(planner, way, city):
    browser, csrf = city.browser(Role.ADMIN)
    page, form = "/public-notices/terms", {"csrf": csrf, "effective": "2020-01-01", "comments": "5"}
    assert browser.post(page, data=form | {"notice_days": "-1"}).status_code == 422
    assert browser.post(page, data=form | {"notice_days": "12"}).status_code == 303
    assert 'name="notice_days"' in browser.get(page).text
    assert page in browser.get(f"/publications/{way['id']}").text
    assert city.client(None).get(page).status_code in (303, 401)
    at = "/api/publications/terms"
    assert planner.get(at).json()["terms"] == {"notice_days": 12, "comments": 5}
    told = {"effective": "2020-01-02", "terms": {"notice_days": 10}}
    assert planner.put(at, json=told).status_code == 403
    assert city.client(Role.ADMIN).put(at, json=told).json()["terms"]["notice_days"] == 10
    assert city.client(Role.ADMIN).put(at, json=told | {"terms": {"days": 1}}).status_code == 422
    assert "/public-notices" in city.client(None).get("/login").text


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


@pytest.fixture(scope="module")
def published(planner, city) -> dict:
    """A plan that joined both grids of another community, the map since today."""
    east = f"{WEST}002"
    plan = planner.post("/api/plans", json={"name": "东片合并", "area_code": east}).json()["id"]
    edit = {"on_tip": None, "kind": "merge", "codes": [f"{east}001", f"{east}002"]}
    tip = planner.post(f"/api/plans/{plan}/edits", json=edit).json()["tip"]
    number = planner.post(f"/api/plans/{plan}/submit", json={"on_tip": tip}).json()["id"]
    at = f"/api/publications/{number}"
    assert planner.post(f"{at}/announce", json={"days": 0}).status_code == 403  # shorter than the terms
    assert city.client(Role.ADMIN).post(f"{at}/announce", json={"days": 0}).status_code == 200
    asked = planner.post(f"{at}/consult").json()["consultation"]
    everybody = city.client(Role.ADMIN)
    parties = everybody.get(f"/api/consultations/{asked}").json()["parties"]
    for each in parties:
        said = {"said": "agree", "party": each["id"]}
        answer = everybody.post(f"/api/consultations/{asked}/opinion", json=said)
        assert answer.status_code == 200, answer.text
    centre = city.client(Role.COMMAND_CENTRE)
    today = clock.today().isoformat()
    assert centre.post(f"{at}/approve", json={"effective": today}).status_code == 200
    done = centre.post(f"{at}/publish")
    assert done.status_code == 200 and done.json()["state"] == "published", done.text
    return done.json()


def test_a_published_plan_is_rolled_back_by_a_button_and_by_a_program(planner, published, way, city):
    at = f"/publications/{published['id']}"
    gone = city.client(Role.COMMAND_CENTRE).get(f"/grids/{WEST}002002")  # an old link: as it was
    assert gone.status_code == 303 and "?at=" in gone.headers["location"]
    assert city.client(Role.COMMAND_CENTRE).post(f"/api{at}/roll-back").status_code == 403
    assert planner.post("/api/publications/999999/roll-back").status_code == 404
    assert planner.post(f"/api/publications/{way['id']}/roll-back").status_code == 409
    browser, csrf = city.browser(Role.PLANNER)
    assert f'action="{at}/roll-back"' in browser.get(at).text
    assert f'action="{at}/roll-back"' not in city.browser(Role.COMMAND_CENTRE)[0].get(at).text
    assert city.browser(Role.PLANNER)[0].post(f"{at}/roll-back").status_code == 403
    sent = browser.post(f"{at}/roll-back", data={"csrf": csrf})
    begun = sent.headers["location"]
    assert sent.status_code == 303 and begun != at and f'href="{at}"' in browser.get(begun).text
    made = planner.get(f"/api{begun}").json()
    assert (made["undoes"], made["state"], made["area_code"]) == (published["id"], "checked", f"{WEST}002")
    planner.post(f"/api{begun}/withdraw", json={"note": "再议"})
    again = planner.post(f"/api{at}/roll-back")
    assert again.status_code == 201 and again.json()["undoes"] == published["id"], again.text
