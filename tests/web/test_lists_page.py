"""Lists over HTTP: brought, checked, kept, published with all faults, compared, retired; whose a matter is."""

import pytest
from small_city import EAST, MEMBER_GRID, SCRIPT, WEST, City

from gridmgr.account.model import Role

HEADS = "code,name,categories,lead,cooperating,clause,flow,guide,aliases\n"
GOOD = HEADS + "D1,生活垃圾,0201,环卫所,城管局,条例第七条,受理→清运,两小时到场,脏乱差\n"
HTMX = {"HX-Request": "true"}


def bring(client, content: str, kind: str, do: str = "keep", headers=HTMX, **more):
    data = {"kind": kind, "title": "试行版", "do": do} | more
    return client.post("/lists/import", data=data, files={"file": ("list.csv", content)}, headers=headers)


def keep(city: City, content: str, kind: str, **more) -> int:
    """Keep a draft by the API and return its id."""
    answer = city.client(Role.ADMIN).post(
        "/api/list-editions",
        data={"kind": kind, "title": "试行版"} | more,
        files={"file": ("list.csv", content)},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["edition"]["id"]


@pytest.fixture(scope="module")
def division(city: City) -> int:
    edition = keep(city, GOOD, "division", code="510106", basis="区委办〔2026〕5 号")
    told = city.client(Role.COMMAND_CENTRE).post(
        f"/api/list-editions/{edition}/publish", json={"effective": "2020-02-01"}
    )
    assert (told.status_code, told.json()["effective"]) == (200, "2020-02-01")
    return edition


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_list_is_checked_with_every_bad_cell_and_nothing_is_written(city: City, headers):
    client = city.client(Role.ADMIN)
    page = bring(client, HEADS + "1,垃圾,Z9,环卫所\n1,,0201,环卫所\n", "territorial", "check", headers)
    assert page.status_code == 422
    assert all(said in page.text for said in ("Z9", "categories", "name"))
    fine = bring(client, GOOD.replace("0201", ""), "powers", "check", headers)
    assert (fine.status_code, "尚未写入" in fine.text, "生活垃圾" in fine.text) == (200, True, True)
    assert ("<html" in fine.text) is (not headers)
    assert "试行版" not in client.get("/lists").text
    assert bring(client, GOOD, "odd", "check", headers).status_code == 422


def test_a_draft_is_published_only_without_faults(city: City):
    client = city.client(Role.COMMAND_CENTRE)
    twice = GOOD + f"D2,垃圾执法,0201,{SCRIPT.replace(',', '')},,,,,\n"
    kept = bring(client, twice, "division", area=EAST)
    assert kept.status_code == 200
    assert SCRIPT not in kept.text
    path = kept.text.partition('href="/lists/')[2].partition('"')[0]
    page = client.get(f"/lists/{path}")
    assert all(said in page.text for said in ("草稿", "D1", "D2", "两个责任主体"))
    refused = client.post(f"/lists/{path}/publish", data={"effective": "2026-01-01"})
    assert (refused.status_code, "两个责任主体" in refused.text) == (422, True)
    told = client.post(f"/api/list-editions/{path}/publish", json={"effective": "2026-01-01"}).json()
    assert told["errors"][0]["field"] == "D1, D2"
    assert client.get(f"/api/list-editions/{path}/faults").json()["faults"][0]["items"] == ["D1", "D2"]
    assert client.post(f"/lists/{path}/publish", data={"effective": "昨天"}).status_code == 422
    assert client.post(f"/lists/{path}/discard").headers["location"] == "/lists"
    assert client.get(f"/lists/{path}").status_code == 404


def test_only_who_manages_lists_sees_drafts_and_may_bring_them(city: City):
    edition = keep(city, GOOD.replace("0201", ""), "powers", code=WEST)
    member = city.client(Role.GRID_MEMBER)
    assert member.get(f"/lists/{edition}").status_code == 404
    assert member.get(f"/api/list-editions/{edition}/items").status_code == 404
    assert bring(member, GOOD, "powers").status_code == 403
    assert city.client().get("/lists").status_code in (303, 401)
    assert city.client(Role.ADMIN).delete(f"/api/list-editions/{edition}").status_code == 204


def test_an_edition_shows_and_finds_its_items(city: City, division: int):
    member = city.client(Role.GRID_MEMBER)
    assert f"/lists/{division}" in member.get("/lists").text
    page = member.get(f"/lists/{division}", params={"words": "脏乱差"})
    assert all(said in page.text for said in ("生活垃圾", "条例第七条", "清运", "区委办〔2026〕5 号"))
    assert "没有这样的事项" in member.get(f"/lists/{division}", params={"lead": "没有的单位"}).text
    items = member.get(f"/api/list-editions/{division}/items", params={"category": "0201"}).json()["items"]
    assert [(each["code"], each["cooperating"]) for each in items] == [("D1", ["城管局"])]
    file = member.get(f"/lists/{division}/items.xlsx")
    again = city.client(Role.ADMIN).post(
        "/api/list-editions", files={"file": ("list.xlsx", file.content)},
        data={"kind": "division", "title": "再来", "code": "510106", "dry_run": "true"},
    ).json()  # fmt: skip
    assert (again["items"], again["faults"], again["written"]) == (1, [], False)


def test_two_editions_are_compared_on_a_page(city: City, division: int):
    edition = keep(
        city, GOOD.replace("条例第七条", "条例第九条") + "D2,新增,,环卫所,,,,,\n", "division", code="510106"
    )
    client = city.client(Role.ADMIN)
    page = client.get(f"/lists/{edition}/compare", params={"since": division})
    assert all(said in page.text for said in ("条例第七条", "条例第九条", "新增"))
    told = client.get(f"/api/list-editions/{edition}/changes", params={"since": division}).json()["changes"]
    assert [(each["kind"], each["code"]) for each in told] == [("changed", "D1"), ("added", "D2")]
    assert client.get(f"/lists/{edition}/compare", params={"since": 99999}).status_code == 404
    other = keep(city, GOOD, "powers", code="510106")
    assert client.get(f"/lists/{other}/compare", params={"since": division}).status_code == 422
    for each in (edition, other):
        client.delete(f"/api/list-editions/{each}")


def test_whose_shows_item_clause_flow_and_guide_for_a_place(city: City, division: int):
    page = city.client(Role.GRID_MEMBER).get("/whose", params={"words": "脏乱差", "area": MEMBER_GRID})
    assert all(said in page.text for said in ("D1 生活垃圾", "条例第七条", "清运", "两小时到场", "城管局"))
    told = city.client(Role.PLANNER).get("/api/whose", params={"words": "脏乱差"}).json()
    assert (told["matters"][0]["owner"]["lead"], told["others"]) == ("环卫所", [])
    owner = (
        city.client(Role.PLANNER).get("/api/owner", params={"category": "0201", "unit": MEMBER_GRID}).json()
    )
    assert (owner["lead"], owner["item"], owner["guide"]) == ("环卫所", "D1 生活垃圾", "两小时到场")
    assert city.client(Role.PLANNER).get("/api/owner", params={"category": "none"}).status_code == 404


def test_the_page_of_a_case_shows_who_answers(city: City, division: int):
    page = city.client(Role.COMMAND_CENTRE).get(f"/incidents/{city.member_case}")
    assert page.status_code == 200
    assert all(said in page.text for said in ("D1 生活垃圾", "两小时到场", "城管局"))


def test_nothing_outside_the_list_goes_down_and_the_page_says_so(city: City, division: int):
    street = keep(city, HEADS + "T1,别的,,街道办,,,,,\n", "territorial", code=EAST)
    client = city.client(Role.COMMAND_CENTRE)
    assert client.post(f"/api/list-editions/{street}/publish", json={"effective": "2020-02-01"}).is_success
    moves, case = f"/api/incidents/{city.other_case}/moves", city.other_case
    assert client.post(moves, json={"action": "accept"}).is_success  # and the district holds it
    refused = client.post(moves, json={"action": "hand_down", "payload": {"level": "street", "note": "属地"}})
    assert refused.status_code == 409
    assert all(said in refused.json()["detail"] for said in ("0201 暴露垃圾", "试行版", "准入"))
    seq = client.get(f"/api/incidents/{case}").json()["seq"]
    page = client.post(f"/incidents/{case}/hand_down", data={"seq": seq, "level": "street", "note": "属地"})
    assert (page.status_code, "准入" in page.text) == (409, True)


def test_an_edition_is_retired_with_its_reason(city: City):
    edition = keep(city, HEADS + "P1,处罚权,,执法局,,,,,\n", "powers")
    client = city.client(Role.ADMIN)
    client.post(f"/lists/{edition}/publish", data={"effective": "2021-01-01"})
    assert client.post(f"/lists/{edition}/retire", data={"day": "2021-05-01", "why": "迟"}).status_code == 422
    assert client.post(f"/lists/{edition}/retire", data={"day": "", "why": "机构改革"}).status_code == 303
    page = client.get(f"/lists/{edition}").text
    assert all(said in page for said in ("机构改革", "已废止"))
    listed = client.get("/api/lists", params={"kind": "powers"}).json()["items"]
    assert [each["edition"] for each in listed if each["code"] == ""] == [None]
    editions = client.get(f"/api/lists/{listed[0]['id']}/editions").json()["items"]
    assert editions[0]["retired_why"] == "机构改革"
    assert client.get("/api/lists/99999/editions").status_code == 404


def test_admission_is_asked_argued_and_decided_on_the_page(city: City):
    handler, street = city.client(Role.DEPARTMENT_HANDLER), city.client(Role.STREET_DISPATCHER)
    centre = city.client(Role.COMMAND_CENTRE)
    bad = handler.post("/admissions", data={"code": "999", "category": "0201", "reason": f"因为 {SCRIPT}"})
    assert (bad.status_code, "因为" in bad.text, SCRIPT in bad.text) == (422, True, False)
    asked = handler.post("/admissions", data={"code": EAST, "category": "0201", "reason": "街道近"})
    assert asked.status_code == 303
    number = int(asked.headers["location"].rpartition("-")[2])
    early = centre.post(f"/admissions/{number}/grant", data={"note": "同意", "begins": "2999-01-01"})
    assert (early.status_code, "论证" in early.text) == (409, True)
    assert street.post(f"/admissions/{number}/argue", data={"note": "要配人"}).status_code == 303
    assert handler.post(f"/admissions/{number}/grant", data={"note": "好"}).status_code == 403
    granted = centre.post(f"/admissions/{number}/grant", data={"note": "同意", "begins": "2099-01-01"})
    assert granted.status_code == 303
    page = city.client(Role.COMMUNITY_CLERK).get("/admissions?state=granted").text
    assert all(said in page for said in ("要配人", "同意", "2099"))
    whole = centre.get(f"/api/admissions/{number}").json()
    assert [each["deed"] for each in whole["done"]] == ["ask", "argue", "grant"]
    assert (whole["request"]["begins"], whole["request"]["deeds"]) == ("2099-01-01", ["end"])
    assert centre.get("/api/admissions", params={"state": "asked"}).json()["items"] == []
    again = handler.post("/api/admissions", json={"code": WEST, "category": "0201", "reason": "再提"}).json()
    assert (
        handler.post(f"/api/admissions/{again['id']}", json={"deed": "withdraw"}).json()["state"]
        == "withdrawn"
    )
    assert centre.post("/api/admissions/99999", json={"deed": "argue", "note": "x"}).status_code == 404
