"""Every list of the API has one shape, and its pages follow one another without a gap or a repeat."""

import base64
import json
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from small_city import City, middle

from gridmgr import db
from gridmgr.account import queries as accounts
from gridmgr.account.model import Role
from gridmgr.notice import service as notices
from gridmgr.notice.model import Kind, Message
from web.api.schema import document

# Every list, with the size that gives it several pages in the small city, and what its rows are known by.
LISTS = {
    "/api/incidents": (2, "number"),
    "/api/grids?level=micro_grid": (3, "code"),
    "/api/buildings?words=西安路": (3, "code"),
    "/api/categories": (1, "code"),
    "/api/editions": (1, "id"),
    "/api/imports": (2, "id"),
    "/api/notices": (2, "id"),
    "/api/webhooks": (2, "id"),
    "/api/deliveries": (2, "id"),
    "/api/incidents/{number}/history": (1, "seq"),
}
NO_LISTS = {"/api/map/incidents", "/api/locate"}  # a map's points, all at once; answers in the order asked


@pytest.fixture(scope="module")
def admin(city: City) -> TestClient:
    """Return a client who sees everything, in a city with a few more cases and files."""
    client = city.client(Role.ADMIN)
    for cell in range(3):
        lon, lat = middle(cell)
        told = {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"}
        client.post("/api/incidents", json=told)
        client.post("/api/imports", data={"kind": "incidents"}, files={"file": ("a.csv", b"a\n1\n")})
        hook = client.post("/api/webhooks", json={"url": f"http://127.0.0.1:9/{cell}"}).json()["id"]
        client.post(f"/api/webhooks/{hook}/test")
    with db.transaction(city.engine) as session:
        me = accounts.by_username(session, Role.ADMIN).id
        notices.tell(session, [Message(me, Kind.MENTIONED, None, {"note": str(n)}) for n in range(5)])
    client.post(f"/api/incidents/{city.member_case}/moves", json={"action": "accept"})
    return client


def address(city: City, path: str) -> str:
    return path.replace("{number}", city.member_case)


def pages(client: TestClient, first: str) -> Iterator[dict]:
    """Yield the pages of a list as a program walks it, from link to link."""
    while first:
        answer = client.get(first)
        assert answer.status_code == 200, answer.text
        yield answer.json()
        link = answer.links.get("next", {}).get("url")
        assert bool(link) == bool(answer.json()["next"])
        first = link


@pytest.mark.parametrize("path", LISTS)
def test_pages_follow_one_another_without_a_gap_or_a_repeat(admin: TestClient, city: City, path: str):
    size, known_by = LISTS[path]
    whole = admin.get(address(city, path), params={"size": 500} | dict(asked(path)))
    rows = [row[known_by] for row in whole.json()["items"]]
    start = address(city, path) + ("&" if "?" in path else "?") + f"size={size}"
    walked = list(pages(admin, start))
    assert [row[known_by] for page in walked for row in page["items"]] == rows
    assert all(len(page["items"]) == size for page in walked[:-1])
    assert 0 < len(walked[-1]["items"]) <= size  # the last page is never an empty one
    assert len(walked) > 1 or len(rows) == 1


def asked(path: str) -> list[tuple[str, str]]:
    query = path.partition("?")[2]
    return [tuple(pair.split("=")) for pair in query.split("&")] if query else []


def test_every_list_is_known_here_and_has_the_one_shape(city: City):
    described = document(city.app)
    parts = described["components"]["schemas"]
    found = set()
    for path, operations in described["paths"].items():
        if not path.startswith("/api/") or "get" not in operations:
            continue
        content = operations["get"]["responses"]["200"].get("content", {})
        shape = content.get("application/json", {}).get("schema", {})
        assert shape.get("type") != "array", path
        held = parts.get(shape.get("$ref", "").rpartition("/")[2], {}).get("properties", {})
        if "items" in held and path not in NO_LISTS:
            found.add(path)
            assert set(held) - {"card", "told"} == {"items", "next"}, path  # a method has its card beside
            assert {"cursor", "size"} <= {each["name"] for each in operations["get"]["parameters"]}, path
    assert {path.partition("?")[0] for path in LISTS} <= found


def test_rows_that_come_meanwhile_are_neither_repeated_nor_in_the_way(admin: TestClient):
    first = admin.get("/api/incidents?size=2").json()
    lon, lat = middle(1)
    admin.post("/api/incidents", json={"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"})
    second = admin.get("/api/incidents", params={"size": 2, "cursor": first["next"]}).json()
    assert not {row["number"] for row in first["items"]} & {row["number"] for row in second["items"]}


def test_the_link_keeps_what_was_asked(admin: TestClient):
    answer = admin.get(
        "/api/incidents", params={"size": 1, "words": "a b&c", "states": ["reported", "closed"]}
    )
    assert "next" not in answer.links
    answer = admin.get("/api/incidents", params={"size": 1, "states": ["reported", "closed"]})
    link = answer.links["next"]["url"]
    assert link.startswith("/api/incidents?size=1&states=reported&states=closed&cursor=")


def cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


NOON = "2026-11-20T04:00:00Z"
WRONG = {
    "of another list": cursor("imports", [NOON, 1]), "without a key": cursor("incidents"),
    "of another kind": cursor("incidents", ["x", 1]), "out of range": cursor("incidents", [NOON, 2**80]),
    "negative": cursor("incidents", [NOON, -1]), "of two keys": cursor("incidents", [NOON, 1], [NOON, 2]),
    "of another order": cursor("incidents", [3, 1]), "in no zone": cursor("incidents", [NOON[:-1], 1]),
    "no JSON": base64.urlsafe_b64encode(b"\xff\xfe").decode().rstrip("="),
    "cut off": cursor("incidents", [NOON, 1])[:-3], "one letter": "A", "other letters": "../../etc",
    "endless": "A" * 401, "nested": cursor([[[]]]),
}  # fmt: skip


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
def test_a_cursor_that_is_none_is_refused(admin: TestClient, given: str):
    answer = admin.get("/api/incidents", params={"cursor": given})
    assert answer.status_code == 422, answer.text
    assert "cursor" in answer.text


def test_a_cursor_to_what_is_gone_says_so(admin: TestClient):
    assert admin.get("/api/editions", params={"cursor": cursor("editions", 77)}).status_code == 422
    assert (
        admin.get(
            "/api/incidents", params={"cursor": cursor("incidents", ["1990-01-01T00:00:00Z", 2**60])}
        ).json()["items"]
        == []
    )
