"""Supervision over HTTP: the section of a case's page, the list, the API, and every refusal in words."""

import pytest
from small_city import SCRIPT, City

from gridmgr.account.model import Role


@pytest.fixture(scope="module")
def order(city: City) -> int:
    """Issue an order on the case in the west."""
    told = {"wanted": f"今晚清完 {SCRIPT}", "amount": 4}
    answer = city.client(Role.COMMAND_CENTRE).post(
        f"/api/incidents/{city.member_case}/supervision", json=told
    )
    assert answer.status_code == 201
    assert answer.json()["deeds"] == ["answer", "withdraw"]
    return answer.json()["id"]


def test_an_order_stands_on_the_page_of_its_case_and_in_the_list(city: City, order: int):
    for path in (f"/incidents/{city.member_case}", "/supervision", "/supervision?state=open"):
        page = city.client(Role.COMMAND_CENTRE).get(path)
        assert page.status_code == 200
        assert "今晚清完" in page.text
        assert SCRIPT not in page.text
    assert "今晚清完" not in city.client(Role.COMMAND_CENTRE).get("/supervision?state=done").text


def test_a_second_order_is_refused_and_what_was_typed_is_there_again(city: City, order: int):
    client = city.client(Role.COMMAND_CENTRE)
    path = f"/incidents/{city.member_case}/supervision"
    refused = client.post(path, data={"wanted": "再来一个", "amount": "4"}, headers={"HX-Request": "true"})
    assert refused.status_code == 409
    assert "已有进行中的督办" in refused.text
    assert client.post(path, data={"wanted": "做", "amount": "很快"}).status_code == 422
    assert client.post(f"/api{path}", json={"wanted": "", "amount": 4}).status_code == 422
    assert city.client(Role.GRID_MEMBER).post(path, data={"wanted": "做", "amount": "4"}).status_code == 403


def test_a_member_answers_and_the_command_centre_confirms(city: City):
    centre, member = city.client(Role.COMMAND_CENTRE), city.client(Role.GRID_MEMBER)
    case = city.other_case
    assert member.get(f"/api/incidents/{case}/supervision").status_code == 404  # outside the own area
    order = centre.post(f"/api/incidents/{case}/supervision", json={"wanted": "看一下", "amount": 1}).json()[
        "id"
    ]
    assert member.post(f"/api/supervision/{order}", json={"deed": "answer", "note": "好"}).status_code == 404
    impossible = centre.post(f"/api/supervision/{order}", json={"deed": "confirm"})
    assert (impossible.status_code, "待反馈" in impossible.json()["detail"]) == (409, True)
    clerk = city.client(Role.COMMUNITY_CLERK)
    answered = clerk.post(f"/api/supervision/{order}", json={"deed": "answer", "note": "看过了"})
    assert (answered.status_code, answered.json()["state"]) == (200, "answered")
    page = centre.post(f"/incidents/{case}/supervision/{order}/confirm", data={"note": ""})
    assert (page.status_code, page.headers["location"]) == (303, f"/incidents/{case}#orders")
    shown = centre.get(f"/api/incidents/{case}/supervision").json()
    assert [each["deed"] for each in shown["done"][str(order)]] == ["issue", "answer", "confirm"]
    figures = centre.get("/supervision").text
    assert "按期反馈率" in figures


def test_the_list_pages_and_narrows(city: City, order: int):
    centre = city.client(Role.COMMAND_CENTRE)
    first = centre.get("/api/supervision", params={"size": 1}).json()
    assert (len(first["items"]), first["next"] is not None) == (1, True)
    rest = centre.get("/api/supervision", params={"size": 1, "cursor": first["next"]}).json()
    assert rest["items"][0]["id"] < first["items"][0]["id"]
    assert centre.get("/api/supervision", params={"late": "true"}).json()["items"] == []
    assert centre.get("/supervision?state=odd&before=0&area=999").status_code == 200
