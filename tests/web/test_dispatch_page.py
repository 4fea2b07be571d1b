"""The dispatch desk over HTTP: the queue, one and many, settings, ranks, checks on site, and every refusal in words."""

from datetime import timedelta

import pytest
from small_city import MEMBER_GRID, SCRIPT, WEST, City, middle

from gridmgr import clock
from gridmgr.account.model import Role

HX = {"HX-Request": "true"}


def file_case(city: City, cell: int = 0, **more) -> str:
    lon, lat = middle(cell)
    told = {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201", "description": f"垃圾 {SCRIPT}"}
    answer = city.client(Role.COMMAND_CENTRE).post("/api/incidents", json=told | more)
    assert answer.status_code == 201, answer.text
    return answer.json()["number"]


def accept(city: City, number: str) -> int:
    answer = city.client(Role.STREET_DISPATCHER).post(
        f"/api/incidents/{number}/moves", json={"action": "accept", "payload": {"checked": True}}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["seq"]


@pytest.fixture
def waiting(city: City) -> tuple[str, int]:
    number = file_case(city)
    return number, accept(city, number)


def test_what_waits_stands_there_with_whom_it_should_go_to_and_why(city: City, waiting):
    page = city.client(Role.STREET_DISPATCHER).get("/dispatch")
    assert page.status_code == 200
    assert waiting[0] in page.text
    assert "依事项类别表" in page.text
    assert SCRIPT not in page.text
    english = city.client(Role.STREET_DISPATCHER, "en").get("/dispatch").text
    assert "named by the table of categories" in english
    assert "Dispatch desk" in english


def test_one_case_is_dispatched_to_its_choice_and_the_reasons_stand_in_its_history(city: City, waiting):
    number, seq = waiting
    client = city.client(Role.STREET_DISPATCHER)
    form = {"one": number, "cases": f"{number}~{seq}", f"to:{number}": "环卫所"}
    done = client.post("/dispatch", data=form, headers=HX)
    assert (done.status_code, "已派遣 1 件" in done.text) == (200, True)
    assert f'data-number="{number}"' not in done.text
    history = client.get(f"/incidents/{number}").text
    assert "由派遣员从建议中选定" in history
    again = client.post("/dispatch", data=form, headers=HX).text  # somebody was faster
    assert "已派遣 0 件" in again
    assert number in again


def test_many_go_each_to_its_own_choice_or_all_to_one_body(city: City):
    numbers = [file_case(city, cell) for cell in (0, 1, 2)]
    seen = [f"{number}~{accept(city, number)}" for number in numbers]
    client = city.client(Role.STREET_DISPATCHER)
    own = {f"to:{number}": "环卫所" for number in numbers}
    done = client.post(
        "/dispatch", data=own | {"do": "each", "cases": seen, "numbers": numbers[:2]}, headers=HX
    )
    assert "已派遣 2 件" in done.text
    done = client.post(
        "/dispatch",
        data=own | {"do": "body", "body": "水务所", "cases": seen, "numbers": numbers[2:]},
        headers=HX,
    )
    assert "已派遣 1 件" in done.text
    shown = [client.get(f"/api/incidents/{number}").json()["handler"] for number in numbers]
    assert shown == ["环卫所", "环卫所", "水务所"]


@pytest.mark.parametrize(
    "form",
    [
        {}, {"do": "each"}, {"do": "body", "numbers": "x", "body": ""}, {"one": "不存在", "to:不存在": "环卫所"},
        {"one": "1\0", "to:1": "unit::"}, {"numbers": ["1"] * 900, "do": "each", "cases": "~~~"},
    ],
)  # fmt: skip
def test_odd_forms_dispatch_nothing(city: City, form):
    answer = city.client(Role.STREET_DISPATCHER).post("/dispatch", data=form, headers=HX)
    assert answer.status_code == 200
    assert "未选择案件" in answer.text or "已派遣 0 件" in answer.text


def test_odd_addresses_show_the_desk(city: City):
    client = city.client(Role.STREET_DISPATCHER)
    for query in ("?sort=odd&before=x~y", "?code=999", "?before=2026-01-01T00:00:00%2B00:00~99"):
        assert client.get("/dispatch" + query).status_code == 200
    points = client.get("/dispatch/points").json()
    assert {item[4] for item in points["items"]} >= {"member"}


def test_the_desk_is_for_those_who_dispatch(city: City):
    assert city.client(Role.GRID_MEMBER).get("/dispatch").status_code == 403
    assert city.client(Role.DEPARTMENT_HANDLER).get("/api/dispatch").status_code == 403
    assert city.client(Role.COMMUNITY_CLERK).post("/dispatch/settings", data={}).status_code == 403
    assert "/dispatch" not in city.client(Role.GRID_MEMBER).get("/desk").text


def test_a_desk_pages_and_counts_as_my_work_does(city: City, waiting):
    client = city.client(Role.COMMAND_CENTRE)
    other = file_case(city, 5)
    accept(city, other)
    first = client.get("/api/dispatch", params={"size": 1}).json()
    rest = client.get("/api/dispatch", params={"size": 100, "cursor": first["next"]}).json()
    numbers = [row["number"] for row in first["items"] + rest["items"]]
    assert {waiting[0], other} <= set(numbers)
    assert len(numbers) == len(set(numbers))
    (count,) = [
        row["count"] for row in client.get("/api/desk").json()["worklists"] if row["name"] == "dispatch"
    ]
    assert count == len(numbers)
    west = client.get("/api/dispatch", params={"code": WEST}).json()["items"]
    assert other not in [row["number"] for row in west]


def test_a_program_asks_for_a_suggestion_and_dispatches_many(city: City, waiting):
    number, seq = waiting
    client = city.client(Role.STREET_DISPATCHER)
    told = client.get(f"/api/incidents/{number}/suggestion").json()
    first = told["candidates"][0]
    assert (first["body"], first["basis"], first["why"][0]) == ("环卫所", "lead", {"cause": "table"})
    choices = [
        {"number": number, "body": first["body"], "expected_seq": seq},
        {"number": "404", "body": "环卫所"},
    ]
    done = client.post("/api/dispatch", json={"choices": choices}).json()
    assert (done["taken"], done["refused"], [one["status"] for one in done["outcomes"]]) == (1, 1, [200, 404])
    assert client.get("/api/incidents/404/suggestion").status_code == 404


def test_areas_are_set_shown_and_taken_back(city: City):
    client = city.client(Role.COMMAND_CENTRE)
    tomorrow = (clock.today() + timedelta(days=1)).isoformat()
    form = {
        "code": WEST,
        "effective": tomorrow,
        "mode": "automatic",
        "severities": ["1"],
        "check_minutes": "20",
    }
    assert client.post("/dispatch/settings", data=form).status_code == 303
    page = client.get("/dispatch/settings").text
    assert "系统自动派遣" in page
    assert "20 分钟" in page
    (row,) = client.get("/api/dispatch/settings").json()["items"]
    assert (row["code"], row["mode"], row["severities"], row["check_minutes"]) == (WEST, "automatic", [1], 20)
    assert client.post(f"/dispatch/settings/{row['id']}/drop").status_code == 303
    assert client.delete(f"/api/dispatch/settings/{row['id']}").status_code == 404
    assert client.get("/api/dispatch/settings").json()["items"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"severities": []}, "至少要选定一种紧急程度"),
        ({"effective": "2020-01-01"}, "自今日或以后"),
        ({"effective": "morgen"}, "自今日或以后"),
        ({"check_minutes": "0"}, "1 至 1440 分钟"),
        ({"check_minutes": "bald"}, "1 至 1440 分钟"),
        ({"code": "999"}, "999"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_what_was_typed(city: City, change, said):
    form = {"code": WEST, "effective": "", "mode": "automatic", "severities": ["1"], "check_minutes": "20"}
    refused = city.client(Role.COMMAND_CENTRE).post("/dispatch/settings", data=form | change)
    assert refused.status_code == 422
    assert said in refused.text


def test_who_may_approve_which_time_is_shown_from_the_table(city: City):
    page = city.client(Role.STREET_DISPATCHER).get("/dispatch/ranks").text
    assert "第 2 次及以后" in page
    assert "盖章" in page


def test_somebody_is_sent_on_site_takes_it_and_looks(city: City):
    centre, member = city.client(Role.COMMAND_CENTRE), city.client(Role.GRID_MEMBER)
    today = clock.today().isoformat()
    told = {"code": MEMBER_GRID, "effective": today, "mode": "suggest", "check_minutes": 30}
    assert centre.post("/api/dispatch/settings", json=told).status_code == 201
    number = file_case(city, source="resident")
    (check,) = member.get("/api/checks", params={"mine": True, "running": True}).json()["items"]
    assert (check["number"], check["how"], check["kind"]) == (number, "seat", "confirm")
    assert number in member.get("/desk").text
    page = member.get(f"/incidents/{number}").text
    assert "立案前核实" in page
    assert centre.post(f"/api/incidents/{number}/check/take").status_code == 403
    taken = member.post(f"/incidents/{number}/check/take", headers=HX)
    assert (taken.status_code, "接单" in taken.text) == (200, True)
    assert member.post(f"/incidents/{number}/check/take", headers=HX).status_code == 409
    given = member.post(f"/incidents/{number}/check/give-back", data={"note": ""}, headers=HX)
    assert given.status_code == 422
    back = member.post(f"/api/incidents/{number}/check/give-back", json={"note": f"去不了 {SCRIPT}"})
    assert back.status_code == 204
    assert SCRIPT not in centre.get(f"/incidents/{number}").text
