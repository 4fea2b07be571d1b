"""Files through the API: sent, attached to a case, seen by whoever sees the case and by nobody else."""

import io

from PIL import Image
from small_city import City, middle

from gridmgr.account.model import Role


def photo(shade: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (640, 480), (shade, 90, 120)).save(content, "JPEG")
    return content.getvalue()


def sent(city: City, role: Role, content: bytes, name: str = "现场.jpg") -> dict:
    answer = city.client(role).post("/api/files", files={"files": (name, content, "text/html")})
    assert answer.status_code == 201, answer.text
    return answer.json()["items"][0]


def test_a_photo_is_seen_by_its_sender_then_by_all_who_see_its_case(city: City):
    file = sent(city, Role.COMMAND_CENTRE, photo(1))
    assert (file["media_type"], file["width"], file["name"]) == ("image/jpeg", 640, "现场.jpg")
    member = city.client(Role.GRID_MEMBER)
    assert member.get(file["address"]).status_code == 404
    lon, lat = middle(0)
    report = {
        "lon": lon,
        "lat": lat,
        "datum": "wgs84",
        "category": "0201",
        "files": [{"sha256": file["sha256"]}],
    }
    case = city.client(Role.COMMAND_CENTRE).post("/api/incidents", json=report).json()
    assert case["photos"] == 1
    shown = member.get(file["address"])
    assert shown.content == photo(1)
    assert shown.headers["content-disposition"].startswith("inline")
    assert "sandbox" in shown.headers["content-security-policy"]
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert member.get(file["address"], headers={"If-None-Match": shown.headers["etag"]}).status_code == 304
    assert member.get(file["thumbnail"]).headers["content-type"] == "image/jpeg"


def test_a_photo_of_a_case_elsewhere_is_not_seen(city: City):
    file = sent(city, Role.COMMAND_CENTRE, photo(2))
    lon, lat = middle(6)
    report = {
        "lon": lon,
        "lat": lat,
        "datum": "wgs84",
        "category": "0201",
        "files": [{"sha256": file["sha256"]}],
    }
    assert city.client(Role.COMMAND_CENTRE).post("/api/incidents", json=report).status_code == 201
    assert city.client(Role.GRID_MEMBER).get(file["address"]).status_code == 404
    assert city.client(Role.GRID_MEMBER).get(file["thumbnail"]).status_code == 404


def test_a_page_in_disguise_is_refused(city: City):
    page = {"files": ("现场.jpg", b"<html><script>alert(1)</script>", "image/jpeg")}
    answer = city.client(Role.ADMIN).post("/api/files", files=page)
    assert answer.status_code == 422
    assert "现场.jpg" in answer.json()["detail"]


def test_a_step_names_only_files_that_are_there(city: City):
    lon, lat = middle(0)
    report = {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201", "files": [{"sha256": "0" * 64}]}
    answer = city.client(Role.ADMIN).post("/api/incidents", json=report)
    assert (answer.status_code, answer.json()["details"]["field"]) == (422, "files")
