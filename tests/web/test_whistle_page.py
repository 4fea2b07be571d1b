"""The whistle over HTTP: blown on a case's page, answered and reported in to on its own, seen on the board."""

import io

import pytest
from PIL import Image
from small_city import EAST, SCRIPT, City, middle

from gridmgr.account.model import Role

HTMX = {"HX-Request": "true"}


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "#557799").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(scope="module")
def whistle(city: City) -> dict:
    """Let the leader of the street call the sanitation department to an emergency in the west."""
    client = city.client(Role.STREET_LEADER)
    told = {
        "category": "0201", "lon": middle(1)[0], "lat": middle(1)[1], "datum": "wgs84", "source": "patrol",
        "severity": 3, "description": f"急 {SCRIPT}",
    }  # fmt: skip
    number = client.post("/api/incidents", json=told).json()["number"]
    asked = {"why": "emergency", "wanted": f"马上到 {SCRIPT}", "calls": [{"body": "环卫所", "lead": True}]}
    answer = client.post(f"/api/incidents/{number}/whistles", json=asked)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_it_stands_on_the_board_the_map_and_the_page_of_its_case_and_runs_no_script(
    city: City, whistle: dict
):
    handler = city.client(Role.DEPARTMENT_HANDLER)
    number, path = whistle["number"], f"/whistles/{whistle['id']}"
    for shown in ("/whistles", "/whistles?state=blown", path, f"/incidents/{number}"):
        page = handler.get(shown)
        assert (page.status_code, SCRIPT in page.text, "环卫所" in page.text) == (200, False, True), shown
    assert "张哨单呼叫您单位" in handler.get("/desk").text
    assert "大闭环" in handler.get(f"/incidents/{number}").text
    (item,) = handler.get("/whistles/points").json()["items"]
    assert (item[4], item[7]) == ("awaited", path)
    part = handler.get("/whistles?state=open", headers=HTMX)
    assert ("<html" in part.text, "待报到" in part.text) == (False, True)
    assert city.client(Role.GRID_MEMBER).get(path).status_code == 404  # works in another micro-grid


def test_the_department_answers_and_reports_in_with_a_photo_from_where_it_is(city: City, whistle: dict):
    handler, member = city.client(Role.DEPARTMENT_HANDLER), city.client(Role.GRID_MEMBER)
    call = whistle["calls"][0]["id"]
    base = f"/whistles/{whistle['id']}/calls/{call}"
    assert handler.post(f"{base}/answer", data={"note": "在路上"}).status_code == 303
    place = {"lon": str(middle(4)[0]), "lat": str(middle(4)[1]), "note": "到了"}
    without = handler.post(f"{base}/report_in", data=place, headers=HTMX)
    assert (without.status_code, "须上传现场照片" in without.text, 'value="到了"' in without.text) == (
        422,
        True,
        True,
    )
    wrong = handler.post(
        f"{base}/report_in", data=place | {"lon": "这里"}, files={"upload": ("a.jpg", picture())}
    )
    assert (wrong.status_code, "lon" in wrong.text) == (422, True)
    assert (
        member.post(f"{base}/report_in", data=place, files={"upload": ("a.jpg", picture())}).status_code
        == 404
    )
    came = handler.post(f"{base}/report_in", data=place, files={"upload": ("a.jpg", picture())}, headers=HTMX)
    assert (came.status_code, "不在现场" in came.text) == (200, True)  # three micro-grids away
    shown = handler.get(f"/api/whistles/{whistle['id']}").json()["calls"][0]
    assert (shown["presence"], shown["far"], 2800 < shown["distance_m"] < 2950) == ("in_time", True, True)
    signs = [item[4] for item in handler.get("/whistles/points").json()["items"]]
    assert signs == ["complete", "elsewhere"]


def test_the_street_keeps_the_record_rates_and_ends_it(city: City, whistle: dict):
    leader = city.client(Role.STREET_LEADER)
    base, call = f"/whistles/{whistle['id']}", whistle["calls"][0]["id"]
    early = leader.post(f"{base}/end", data={}, headers=HTMX)
    assert (early.status_code, "会商记录" in early.text) == (409, True)
    assert leader.post(f"{base}/record", data={"note": f"清完 {SCRIPT}"}).status_code == 303
    for stars in ("", "七", "9"):
        assert leader.post(f"{base}/calls/{call}/rate", data={"stars": stars}).status_code == 422
    assert leader.post(f"{base}/calls/{call}/rate", data={"stars": "4", "note": "好"}).status_code == 303
    again = leader.post(f"/api{base}/calls/{call}/rating", json={"stars": 5})
    assert (again.status_code, "已评哨" in again.json()["detail"]) == (409, True)
    assert leader.post(f"{base}/end", data={}).status_code == 303
    page = leader.get(base).text
    assert ("★★★★☆" in page, SCRIPT in page, "已结束" in page) == (True, False, True)
    record = leader.get(f"/api{base}/record").json()["items"]
    assert [each["deed"] for each in record] == [
        "propose", "blow", "answer", "report_in", "record", "rate", "end",
    ]  # fmt: skip
    figures = city.client(Role.COMMAND_CENTRE).get("/api/whistles/figures").json()
    (row,) = figures["bodies"]
    assert (row["body"], row["in_time"], row["far"], row["rating"], row["rate"]) == ("环卫所", 1, 1, 4, 1)
    assert figures["verdict"] == "unknown"  # no case was accepted


def test_a_refused_form_keeps_what_was_typed(city: City):
    leader, path = city.client(Role.STREET_LEADER), f"/incidents/{city.member_case}/whistles"
    typed = {
        "why": "concern", "wanted": f"来人 {SCRIPT}", "chosen": ["环卫所"], "known": ["环卫所", f"street:{EAST}"],
        "minutes": ["45", ""], "lead": "环卫所",
    }  # fmt: skip
    early = leader.post(path, data=typed, headers=HTMX)
    assert (early.status_code, "尚未立案" in early.text, SCRIPT in early.text) == (409, True, False)
    assert 'value="45"' in early.text
    assert "checked" in early.text
    for wrong, word in (
        ({"minutes": ["x", ""]}, "分钟数"), ({"chosen": []}, "至少呼叫"), ({"wanted": ""}, "请写明"),
    ):  # fmt: skip
        accept(city)
        answer = leader.post(path, data=typed | wrong, headers=HTMX)
        assert (answer.status_code, word in answer.text) == (422, True), word


def accept(city: City) -> None:
    client = city.client(Role.COMMAND_CENTRE)
    if client.get(f"/api/incidents/{city.member_case}").json()["state"] == "reported":
        path = f"/api/incidents/{city.member_case}/moves"
        assert client.post(path, json={"action": "accept", "payload": {}}).status_code == 200


def test_a_dispatcher_asks_by_the_page_and_the_leader_approves(city: City):
    accept(city)
    dispatcher, leader = city.client(Role.STREET_DISPATCHER), city.client(Role.STREET_LEADER)
    typed = {"why": "concern", "wanted": "请到场", "chosen": ["环卫所", f"street:{EAST}"], "lead": "环卫所"}
    asked = dispatcher.post(f"/incidents/{city.member_case}/whistles", data=typed, headers=HTMX)
    path = asked.headers["HX-Redirect"]
    assert (asked.status_code, "待审批" in dispatcher.get(path).text) == (204, True)
    assert dispatcher.post(f"{path}/blow", data={}).status_code == 403
    assert "张哨单待您审批" in leader.get("/desk").text
    assert leader.post(f"{path}/blow", data={"note": "同意"}).status_code == 303
    shown = leader.get(f"/api{path}").json()
    assert [(each["body"], each["unit_code"]) for each in shown["calls"]] == [
        ("环卫所", None), (f"区{EAST}", EAST),
    ]  # fmt: skip
    assert leader.post(f"{path}/blow", data={}).status_code == 409
    assert leader.post(f"{path}/answer", data={}).status_code == 409  # of a call, not of the whistle
    assert leader.post(f"{path}/nonsense", data={}).status_code == 422


def test_terms_are_set_by_administrators_and_wrong_ones_are_named(city: City):
    admin, path = city.client(Role.ADMIN), "/whistles/terms"
    usual = {
        "effective": "2026-01-01", "most_called": "16", "most_open": "5", "radius_m": "300", "grace": "1",
        "rating_days": "15", "band_low": "0.5", "band_high": "5", "minutes": ["120", "45", "30"],
        "worked": ["concern"], "approved": ["concern", "joint"],
    }  # fmt: skip
    assert admin.get(path).status_code == 200
    for wrong, word in (
        ({"radius_m": "很远"}, "radius_m"), ({"minutes": ["1", "45", "30"]}, "concern.minutes"),
        ({"band_low": "9"}, "band_low"), ({"effective": "明天"}, "effective"),
    ):  # fmt: skip
        answer = admin.post(path, data=usual | wrong)
        assert (answer.status_code, word in answer.text) == (422, True), word
    assert admin.post(path, data=usual).status_code == 303
    terms = admin.get("/api/whistles/terms").json()["terms"]
    assert (terms["kinds"]["joint"], terms["band_high"]) == (
        {"minutes": 45, "worked": False, "approved": True},
        0.05,
    )
    for role in (Role.STREET_LEADER, Role.PLANNER):
        assert city.client(role).post(path, data=usual).status_code == 403
