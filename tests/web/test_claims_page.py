"""Ant work over HTTP: cut on a case's page, taken and reported by phone, accepted; the API, and refusals in words."""

import io
from datetime import timedelta

import pytest
from PIL import Image
from small_city import EAST, MEMBER_GRID, SCRIPT, City, middle

from gridmgr import clock
from gridmgr.account.model import Role


def later(hours: float = 6) -> str:
    return f"{clock.local(clock.now() + timedelta(hours=hours)):%Y-%m-%dT%H:%M}"


def photo() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(content, "JPEG")
    return content.getvalue()


@pytest.fixture(scope="module")
def piece(city: City) -> int:
    """Cut a piece for two in the grid member's micro-grid."""
    lon, lat = middle(0)
    told = {
        "what": f"清点独居老人 {SCRIPT}", "until": (clock.now() + timedelta(hours=6)).isoformat(),
        "code": MEMBER_GRID, "places": 2, "lon": lon, "lat": lat,
    }  # fmt: skip
    answer = city.client(Role.COMMUNITY_CLERK).post("/api/claims", json=told)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["left"], answer.json()["parts"]) == (2, [])
    return answer.json()["id"]


def test_a_member_takes_reports_with_a_photo_and_the_clerk_accepts(city: City, piece: int):
    member, clerk = city.client(Role.GRID_MEMBER), city.client(Role.COMMUNITY_CLERK)
    page = member.get("/claims")
    assert "清点独居老人" in page.text
    assert SCRIPT not in page.text
    assert f'action="/claims/{piece}/claim"' in page.text
    card = member.post(f"/claims/{piece}/claim", headers={"HX-Request": "true"})
    assert (card.status_code, "办理中" in card.text, "<html" in card.text) == (200, True, False)
    again = member.post(f"/claims/{piece}/claim", headers={"HX-Request": "true"})
    assert (again.status_code, "已认领该小任务" in again.text) == (409, True)
    empty = member.post(f"/claims/{piece}/report", data={"note": " "}, headers={"HX-Request": "true"})
    assert empty.status_code == 422
    sent = member.post(
        f"/claims/{piece}/report",
        data={"note": "都走访了"},
        files={"upload": ("现场.jpg", photo(), "image/jpeg")},
    )
    assert (sent.status_code, sent.headers["location"]) == (303, f"/claims/{piece}")
    whole = clerk.get(f"/api/claims/{piece}").json()
    assert [each["deed"] for each in whole["done"]] == ["cut", "claim", "report"]
    (shown,) = whole["done"][-1]["files"]
    assert clerk.get(f"/api/files/{shown['sha256']}/thumbnail").status_code == 200
    assert "accept" in whole["deeds"]
    done = clerk.post(f"/api/claims/{piece}", json={"deed": "accept"})
    assert (done.status_code, done.json()["parts"][0]["state"]) == (200, "accepted")
    assert "现场.jpg" in member.get(f"/claims/{piece}").text


def test_a_piece_of_a_case_is_cut_on_its_page_and_its_progress_stands_there(city: City):
    clerk = city.client(Role.COMMUNITY_CLERK)
    refused = clerk.post("/claims", data={"what": "拍照", "until": "昨天", "number": city.member_case})
    assert (refused.status_code, "拍照" in refused.text) == (422, True)
    for places in ("0", "many", "100"):
        told = {"what": "拍照", "until": later(), "number": city.member_case, "places": places}
        assert clerk.post("/claims", data=told).status_code == 422
    cut = clerk.post("/claims", data={"what": "拍照取证", "until": later(), "number": city.member_case})
    assert (cut.status_code, cut.headers["location"]) == (303, f"/incidents/{city.member_case}#pieces")
    page = clerk.get(f"/incidents/{city.member_case}").text
    assert "拍照取证" in page
    assert "已完成 0/1" in page
    assert clerk.get(f"/claims/new?number={city.member_case}").status_code == 200
    assert city.client(Role.GRID_MEMBER).get("/claims/new").status_code == 403


def test_what_is_outside_the_area_is_not_there(city: City):
    clerk, member = city.client(Role.COMMUNITY_CLERK), city.client(Role.GRID_MEMBER)
    far = clerk.post(
        "/api/claims", json={"what": "远处", "until": f"{later()}:00+08:00", "code": f"{EAST}001001"}
    ).json()["id"]
    assert member.get(f"/claims/{far}").status_code == 404
    assert member.post(f"/api/claims/{far}", json={"deed": "claim"}).status_code == 404
    taken = city.client(Role.STREET_DISPATCHER).post(f"/api/claims/{far}", json={"deed": "claim"})
    assert taken.status_code == 403
    handed = clerk.post(f"/api/claims/{far}", json={"deed": "hand", "username": "grid_member"})
    assert (handed.status_code, "不在该小任务的辖区" in handed.json()["detail"]) == (422, True)
    ended = clerk.post(f"/claims/{far}/end", data={"note": "不需要了"})
    assert ended.status_code == 303
    assert clerk.get(f"/api/claims/{far}").json()["state"] == "ended"


def test_the_list_pages_narrows_and_goes_by_distance(city: City, piece: int):
    clerk = city.client(Role.COMMUNITY_CLERK)
    first = clerk.get("/api/claims", params={"size": 1}).json()
    rest = clerk.get("/api/claims", params={"size": 1, "cursor": first["next"]}).json()
    assert rest["items"][0]["id"] < first["items"][0]["id"]
    lon, lat = middle(1)
    near = clerk.get("/api/claims", params={"lon": lon, "lat": lat}).json()["items"]
    assert near[0]["id"] == piece or near[0]["distance_m"] <= 1000
    assert [each["distance_m"] for each in near] == sorted(each["distance_m"] for each in near)
    assert clerk.get("/api/claims", params={"mine": "true"}).json()["items"] == []
    for tab in ("free", "mine", "cut", "all", "odd"):
        assert clerk.get("/claims", params={"tab": tab, "lon": lon, "lat": lat}).status_code == 200
    assert clerk.get("/claims", params={"lon": 181, "lat": lat}).status_code == 422


def test_a_notice_leads_to_the_piece(city: City, piece: int):
    member = city.client(Role.GRID_MEMBER)
    told = [each for each in member.get("/api/notices").json()["items"] if each["kind"] == "piece_cut"]
    went = member.get(f"/notices/{told[0]['id']}")
    assert went.headers["location"].startswith("/claims/")
