"""Public notices without an account: read, their map and files, a comment; and what a planner adds to them."""

import pytest
from small_city import LAT, LON, SCRIPT, WEST

from gridmgr.account.rules import Role
from web import rates

pytestmark = pytest.mark.db
COMMUNITY, FIRST, SECOND = WEST + "001", WEST + "001001", WEST + "001002"
PAPER = b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF\n"


@pytest.fixture(scope="module")
def planner(city):
    return city.client(Role.PLANNER, "en")


@pytest.fixture(scope="module")
def anybody(city):
    return city.client(None, "en")


@pytest.fixture(scope="module")
def way(planner) -> str:
    """A plan that joins both grids of the community, submitted."""
    plan = planner.post("/api/plans", json={"name": "公示测试", "area_code": COMMUNITY}).json()["id"]
    edit = {"on_tip": None, "kind": "merge", "codes": [FIRST, SECOND]}
    tip = planner.post(f"/api/plans/{plan}/edits", json=edit).json()["tip"]
    return str(planner.post(f"/api/plans/{plan}/submit", json={"on_tip": tip}).json()["id"])


def sent(client, name: str, content: bytes) -> dict:
    answer = client.post("/api/files", files={"files": (name, content)})
    return {"sha256": answer.json()["items"][0]["sha256"], "name": name}


def test_files_of_a_plan_are_for_everybody_once_it_is_on_notice(planner, anybody, way, city):
    own, public = f"/api/publications/{way}/files", f"/api/public-notices/{way}/files"
    paper = sent(planner, "说明.pdf", PAPER)
    foreign = sent(city.client(Role.GRID_MEMBER), "x.txt", b"mine")
    assert planner.post(own, json={"files": [foreign]}).status_code == 404  # a hash that was seen is no file
    assert city.client(Role.COMMAND_CENTRE).post(own, json={"files": [paper]}).status_code == 403
    assert planner.post(own, json={"files": []}).status_code == 422
    added = planner.post(own, json={"files": [paper, paper]})
    assert [each["name"] for each in added.json()["files"]] == ["说明.pdf"], added.text
    assert anybody.get(public).status_code == 404  # not on notice yet
    assert anybody.get(f"{public}/{paper['sha256']}").status_code == 404
    assert anybody.get(f"/api/files/{paper['sha256']}").status_code == 401
    assert city.client(Role.COMMAND_CENTRE).get(f"/api/files/{paper['sha256']}").status_code == 200
    assert planner.post(f"/api/publications/{way}/announce", json={"days": 14}).status_code == 200
    (held,) = anybody.get(public).json()["files"]
    read = anybody.get(held["address"])
    assert (read.content, read.headers["content-type"]) == (PAPER, "application/pdf")
    assert "sandbox" in read.headers["content-security-policy"]
    assert anybody.get(held["address"], headers={"Range": "bytes=0-3"}).content == b"%PDF"
    assert anybody.get(f"{public}/{foreign['sha256']}").status_code == 404
    assert anybody.get(f"{public}/{'0' * 64}").status_code == 404
    assert held["address"] in anybody.get(f"/public-notices/{way}").text


def test_files_are_added_on_the_page_and_a_bad_one_is_refused(way, city):
    browser, csrf = city.browser(Role.PLANNER)
    at = f"/publications/{way}/files"
    bad = browser.post(at, data={"csrf": csrf}, files={"upload": ("x.html", b"<html><script>1</script>")})
    assert bad.status_code == 422 and "<script>1" not in bad.text
    good = browser.post(at, data={"csrf": csrf}, files={"upload": ("图.txt", "图例".encode())})
    assert good.status_code == 303 and "图.txt" in browser.get(f"/publications/{way}").text
    assert city.browser(Role.PLANNER)[0].post(at, files={"upload": ("y.txt", b"y")}).status_code == 403


def test_anybody_reads_a_notice_and_its_map_and_nothing_personal(anybody, way):
    page = anybody.get("/api/public-notices?size=1").json()
    (told,) = page["items"]
    assert (str(told["id"]), told["runs"], told["redrawn"], told["gone"]) == (way, True, 1, 1)
    assert told == anybody.get(f"/api/public-notices/{way}").json() and told["files"] >= 1
    assert not {"submitted_by", "plan", "consultation"} & set(told)
    drawn = anybody.get(f"/api/public-notices/{way}/map.geojson").json()["features"]
    sides = {(each["properties"]["side"], each["properties"]["code"]): each for each in drawn}
    assert sides["now", FIRST]["properties"]["change"] == "redrawn"
    assert sides["was", SECOND]["properties"]["change"] == "gone" and ("now", SECOND) not in sides
    assert all(each["geometry"]["coordinates"] for each in drawn)
    for unknown in ("999999", "2147483648", "x"):
        assert anybody.get(f"/api/public-notices/{unknown}").status_code in (404, 422)


def test_anybody_comments_as_often_as_on_the_page(anybody, planner, way, city):
    at = f"/api/public-notices/{way}/comments"
    for bad in (
        {"text": ""}, {"text": "x" * 1001}, {"text": "x", "lon": LON}, {"text": "x", "lon": 0, "lat": 0},
        {"text": "x\x00"}, {"text": "x", "lon": "nan", "lat": 1}, {"text": " \u202e "},
    ):  # fmt: skip
        assert anybody.post(at, json=bad).status_code == 422, bad
    taken = anybody.post(at, json={"text": SCRIPT, "name": "李阿姨", "lon": LON, "lat": LAT})
    assert taken.status_code == 201 and taken.json()["state"] == "waiting", taken.text
    assert anybody.get(at).json()["items"] == []
    number = taken.json()["id"]
    shown = planner.post(f"/api/publications/{way}/comments/{number}", json={"shown": True, "reply": "好"})
    assert shown.status_code == 200
    (said,) = anybody.get(at).json()["items"]
    assert (said["text"], said["name"], said["reply"]) == (SCRIPT, "李阿姨", "好")
    assert set(said) == {"id", "at", "name", "text", "lon", "lat", "reply"}
    answers = [anybody.post(at, json={"text": "again"}).status_code for _ in range(5)]
    assert answers == [201] * 4 + [429]
    rates.forget()
    assert (
        anybody.post(at, json={"text": "again"}).status_code == 429
    )  # kept by the database, not the process


def test_the_recall_of_a_day_is_offered_to_those_who_may(planner, way, city):
    at = f"/api/publications/{way}/recall"
    assert planner.post(at, json={"note": "画错"}).status_code == 403
    centre = city.client(Role.COMMAND_CENTRE)
    assert centre.post(at, json={"note": "画错"}).status_code == 409  # not published at all
    assert centre.post(at, json={"note": ""}).status_code == 422
    assert centre.post(f"/api/publications/{way}/withdraw", json={"note": "重画"}).status_code == 200
    assert planner.get(f"/api/publications/{way}").json()["state"] == "withdrawn"
