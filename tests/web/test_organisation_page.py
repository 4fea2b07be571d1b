"""Bodies, modules, task forces and the command room on their pages: forms, refusals in words, numbers that lead on."""

import re
from datetime import timedelta

import pytest
from small_city import SCRIPT, WEST, City

from gridmgr import clock
from gridmgr.account.model import Role

HX = {"HX-Request": "true"}


def found(client, name: str, kind: str = "department", **more):
    return client.post("/organisation", data={"name": name, "kind": kind, "active": "1"} | more)


@pytest.fixture(scope="module")
def bodies(city: City) -> City:
    centre = city.client(Role.COMMAND_CENTRE)
    assert found(centre, "环卫所", aliases="环卫").status_code == 303
    made = found(centre, f"站 {SCRIPT}", "station", home="环卫", territory=WEST, phone="028-1")
    assert made.status_code == 303
    assert found(centre, "西片执法队", "team", territory=WEST, lines="环卫所").status_code == 303
    assert found(centre, "西片指挥室", "command_room", territory=WEST, phone="028-9").status_code == 303
    return city


def test_bodies_are_listed_found_and_changed_on_a_page(bodies: City):
    centre = bodies.client(Role.COMMAND_CENTRE)
    page = centre.get("/organisation").text
    assert "西片执法队" in page
    assert SCRIPT not in page
    assert "派驻站所" in page
    refused = found(centre, "环卫")
    assert (refused.status_code, "已被单位“环卫所”使用" in refused.text) == (409, True)
    assert 'value="环卫"' in refused.text  # what was typed is there again
    circle = found(centre, "站所", "station")
    assert (circle.status_code, "派出部门" in circle.text) == (422, True)
    assert found(centre, "站所", "公司").status_code == 422
    number = re.search(r"/organisation/bodies/(\d+)", centre.get("/organisation?words=指挥室").text)[1]
    told = {"name": "西片综合指挥室", "kind": "command_room", "territory": WEST, "active": "1"}
    assert centre.post(f"/organisation/bodies/{number}", data=told).status_code == 303
    assert (
        "西片指挥室" in centre.get("/organisation?words=综合指挥室").text
    )  # the old name is a short one now
    wrong = centre.post(f"/organisation/bodies/{number}", data=told | {"name": "西片执法队"})
    assert (wrong.status_code, "open" in wrong.text) == (409, True)
    member = bodies.client(Role.GRID_MEMBER)
    assert "新建单位" not in member.get("/organisation").text
    assert found(member, "某局").status_code == 403


def test_a_table_of_bodies_is_checked_then_taken(bodies: City):
    centre = bodies.client(Role.COMMAND_CENTRE)
    table = f"名称,类型,隶属单位,驻地编码\n园林所,部门,,\n西片园林站,派驻站所,园林所,{WEST}\n".encode()
    path, file = "/organisation/import", {"file": ("bodies.csv", table)}
    checked = centre.post(path, data={"do": "check"}, files=file, headers=HX)
    assert "将新建或变更 2 个单位" in checked.text
    assert "西片园林站" not in centre.get("/organisation").text
    assert (
        "已导入：新建或变更 2 个单位" in centre.post(path, data={"do": "import"}, files=file, headers=HX).text
    )
    bad = {"file": ("bodies.csv", "名称,类型\n甲,站\n".encode())}
    refused = centre.post(path, data={"do": "import"}, files=bad)
    assert (refused.status_code, "甲" in refused.text or "站" in refused.text) == (422, True)
    assert centre.get("/organisation.xlsx").content[:2] == b"PK"


def test_a_street_chooses_a_template_and_is_told_what_it_would_lose(bodies: City):
    centre = bodies.client(Role.COMMAND_CENTRE)
    assert "尚未划分模块" in centre.get("/modules").text
    few = centre.post("/modules", data={"area": WEST, "template": "six_and_eleven", "picks": ["tiaojie"]})
    assert (few.status_code, "应选 3 至 5 个" in few.text) == (422, True)
    assert centre.post("/modules", data={"area": WEST, "template": "six"}).status_code == 303
    page = centre.get(f"/modules?area={WEST}").text
    assert "大协调" in page
    post, module = re.search(r"/posts/(\d+)/appoint", page)[1], re.search(r'id="module-(\d+)"', page)[1]
    given = {"area": WEST, "username": "street_dispatcher"}
    assert centre.post(f"/posts/{post}/appoint", data=given).status_code == 303
    assert centre.post(f"/posts/{post}/appoint", data=given).status_code == 409
    for path, data in (
        ("posts", {"name": "党务岗"}),
        ("join", {"name": "西片执法队"}),
        ("leave", {"name": "西片执法队"}),
    ):
        assert centre.post(f"/modules/{module}/{path}", data=data | {"area": WEST}).status_code == 303
    told = {"area": WEST, "zh": "大党建", "en": "Party", "prefixes": "P05，P06"}
    assert centre.post(f"/modules/{module}", data=told).status_code == 303
    assert centre.post(f"/modules/{module}", data=told | {"prefixes": "P02"}).status_code == 409
    warned = centre.post("/modules", data={"area": WEST, "template": "one_and_four"})
    assert (warned.status_code, "确认撤销这些岗位" in warned.text) == (409, True)
    agreed = centre.post("/modules", data={"area": WEST, "template": "one_and_four", "agreed": "1"})
    assert agreed.status_code == 303
    page = centre.get(f"/modules?area={WEST}").text
    assert "综治工作" in page
    assert "岗位任职记录" in page
    assert SCRIPT not in page
    assert centre.post("/posts/999999/end", data={"area": WEST}).status_code == 404
    assert bodies.client(Role.GRID_MEMBER).get(f"/modules?area={WEST}").status_code == 200
    assert (
        bodies.client(Role.GRID_MEMBER).post("/modules", data={"area": WEST, "template": "six"}).status_code
        == 403
    )


@pytest.fixture(scope="module")
def force(bodies: City) -> str:
    centre = bodies.client(Role.COMMAND_CENTRE)
    ends = (clock.today() + timedelta(days=9)).isoformat()
    told = {
        "name": f"防汛专班 {SCRIPT}", "purpose": "守住河堤", "area": WEST, "ends_on": ends,
        "members": "department_handler, grid_member", "place": "河边值守点", "lon": "104.005", "lat": "30.605",
    }  # fmt: skip
    assert "没有专班" in centre.get("/task-forces").text
    assert "防汛防台专班" in centre.get("/task-forces?occasion=flood").text
    for wrong, said in (
        ({"members": " "}, "至少要有一名成员"), ({"ends_on": "2020-01-01"}, "已过"), ({"ends_on": "很快"}, "日期"),
        ({"lon": "x"}, "经度和纬度"), ({"members": "nobody"}, "nobody"),
    ):  # fmt: skip
        refused = centre.post("/task-forces", data=told | wrong)
        assert (refused.status_code in (404, 422), said in refused.text) == (True, True), wrong
        assert "守住河堤" in refused.text
    made = centre.post("/task-forces", data=told)
    assert made.status_code == 303
    return made.headers["location"]


def test_a_task_force_gets_cases_and_hands_them_over(bodies: City, force: str):
    centre, case = bodies.client(Role.COMMAND_CENTRE), bodies.member_case
    assert centre.post(f"/api/incidents/{case}/moves", json={"action": "accept"}).status_code == 200
    put = centre.post(f"{force}/cases", data={"numbers": f"{case}，{bodies.other_case}"})
    assert (put.status_code, "2 件中有 1 件" in put.text, "工作范围" in put.text) == (200, True, True)
    page = centre.get(force).text
    assert case in page
    assert SCRIPT not in page
    member = bodies.client(Role.GRID_MEMBER)
    assert "我的专班" in member.get("/desk").text
    for verb, data, status in (
        ("join", {"username": "planner"}, 303), ("join", {"username": "planner"}, 409),
        ("leave", {"username": "department_handler"}, 409), ("lead", {"username": "planner"}, 303),
        ("leave", {"username": "department_handler"}, 303), ("end", {"ends_on": "2020-01-01"}, 422),
    ):  # fmt: skip
        assert centre.post(f"{force}/{verb}", data=data).status_code == status, verb
    assert member.post(f"{force}/join", data={"username": "admin"}).status_code == 403
    room = centre.get(f"/rooms/{WEST}")
    assert (room.status_code, "防汛专班" in room.text, "河边值守点" in room.text) == (200, True, True)
    refused = centre.post(f"{force}/disband", data={"note": "汛期已过"})
    assert (refused.status_code, "1 件未办结" in refused.text) == (409, True)
    assert centre.post(f"{force}/disband", data={"owner": "环卫", "note": "汛期已过"}).status_code == 303
    assert centre.get(f"/api/incidents/{case}").json()["handler"] == "环卫所"
    done = centre.get(force).text
    assert "移交环卫所" in done
    assert "汛期已过" in done
    assert "移交了案件" in centre.get(f"/incidents/{case}").text
    assert "防汛专班" in centre.get("/task-forces?standing=disbanded").text


def test_every_number_of_the_command_room_leads_to_as_many_cases(bodies: City):
    centre = bodies.client(Role.COMMAND_CENTRE)
    page = centre.get(f"/rooms/{WEST}").text
    links = re.findall(r'<a href="(/incidents\?[^"]+)">(\d+)</a>', page)
    assert len(links) > 6
    for href, number in links:
        listed = centre.get(href.replace("&amp;", "&"), headers=HX).text
        assert len(set(re.findall(r'href="/incidents/(\d+)', listed))) == int(number), href
    assert "西片综合指挥室" in page or "西片指挥室" in page
    assert centre.get("/rooms/999").status_code == 404
    assert bodies.client(Role.GRID_MEMBER).get("/rooms/510106002").status_code == 404


def test_programs_find_the_same(bodies: City):
    centre = bodies.client(Role.COMMAND_CENTRE)
    page = centre.get("/api/bodies", params={"size": 2}).json()
    assert len(page["items"]) == 2
    assert centre.get("/api/bodies", params={"size": 2, "cursor": page["next"]}).json()["items"]
    asked = {"department": "环卫", "area": f"{WEST}001001"}
    told = centre.get("/api/bodies/enforcement", params=asked).json()
    assert told["team"] == "西片执法队"
    assert told["station"].startswith("站")
    room = centre.get(f"/api/streets/{WEST}/room").json()
    assert room["whole"]["open"] == len(centre.get(room["whole"]["cases"]).json()["items"])
    assert centre.get("/api/modules/templates").json()["items"][1]["most"] == 5
    assert centre.get("/api/modules", params={"area": "999"}).status_code == 404


def test_lists_of_single_lines_are_merged_on_a_page_and_by_programs(city: City):
    admin, head = city.client(Role.ADMIN), "条线,网格编码,姓名,电话\n"
    lists = [
        ("file", ("党建.csv", f"{head}党建,{WEST}001001,王芳,139\n".encode())),
        (
            "file",
            ("综治.csv", f"{head}综治,{WEST}001001,王芳,139\n综治,{WEST}001002,{SCRIPT},138\n".encode()),
        ),
    ]
    checked = admin.post("/one-grid", data={"do": "check"}, files=lists, headers=HX)
    assert (checked.status_code, "3 行将归并为 2 个" in checked.text) == (200, True)
    assert "无人负责：党建" in checked.text
    assert "尚无条线名单" in admin.get("/one-grid").text
    taken = admin.post("/one-grid", data={"do": "import"}, files=lists)
    assert "初始密码" in taken.text
    page = admin.get("/one-grid").text
    assert "王芳" in page
    assert SCRIPT not in page
    wrong = [("file", ("城管.csv", f"{head}城管,{WEST},王方,139\n".encode()))]
    refused = admin.post("/one-grid", data={"do": "import"}, files=wrong, headers=HX)
    assert (refused.status_code, "城管.csv · 网格编码" in refused.text) == (422, True)
    assert admin.post("/api/grid-members", files=wrong).status_code == 422
    again = admin.post("/api/grid-members", data={"dry_run": "true"}, files=lists).json()
    assert (again["rows"], again["opened"], again["written"]) == (3, [], False)
    listed = admin.get("/api/grid-members", params={"size": 1}).json()
    assert listed["items"][0]["members"][0]["lines"] == ["党建", "综治"]
    assert admin.get("/api/grid-members", params={"cursor": listed["next"]}).json()["items"]
    assert (
        city.client(Role.GRID_MEMBER).get("/api/grid-members").json()["items"][0]["code"] == f"{WEST}001001"
    )
    assert city.client(Role.STREET_LEADER).post("/one-grid", files=lists).status_code == 403
