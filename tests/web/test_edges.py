"""What nobody sends by accident, at the very edge: each is answered by one clear problem, and none by a 500."""

import json
import re
import socket

import httpx
import pytest
from fastapi.testclient import TestClient
from small_city import PASSWORD, City, middle

from gridmgr.account.model import Role

PROBLEM = "application/problem+json"
JSON = "application/json"


def test_steps_of_the_system_are_nobodys_to_take(city: City):
    client, path = city.client(Role.ADMIN), f"/incidents/{city.member_case}"
    for action in ("take_over", "whistle", "report_in", "hand_over", "retime", "adopt", "rehome"):
        assert client.post(f"{path}/{action}", data={"seq": "1", "level": "street"}).status_code == 409, (
            action
        )
        told = {"action": action, "payload": {}}
        assert client.post(f"/api{path}/moves", json=told).status_code == 422, action


@pytest.mark.parametrize(
    ("path", "coding"),
    [
        ("/static/gridmgr.css", "gzip"),
        ("/api/openapi.json", "gzip"),
        ("/healthz", None),
        ("/incidents", None),
    ],
)
def test_what_is_large_goes_packed_but_no_page_that_carries_a_secret(
    admin: TestClient, path: str, coding: str | None
):
    packed, plain = (admin.get(path, headers={"Accept-Encoding": each}) for each in ("gzip", "identity"))
    assert (packed.headers.get("content-encoding"), plain.headers.get("content-encoding")) == (coding, None)
    assert packed.status_code == plain.status_code == 200
    if coding:
        assert packed.content == plain.content
        assert int(packed.headers["content-length"]) < len(plain.content) / 2


def told(**more: object) -> dict:
    lon, lat = middle(1)
    return {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"} | more


@pytest.fixture
def admin(city: City) -> TestClient:
    return city.client(Role.ADMIN)


# ---- methods -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/api/incidents", "/api/me", "/incidents", "/healthz", "/static/gridmgr.css"]
)
def test_what_can_be_read_can_be_asked_for_its_headers_alone(admin: TestClient, path: str):
    whole, alone = admin.get(path), admin.head(path)
    assert (alone.status_code, alone.content) == (whole.status_code, b"")
    for name in ("content-type", "content-length"):
        assert alone.headers[name] == whole.headers[name]
    assert admin.head("/api/nothing").status_code == 404


def test_only_the_beginning_of_a_long_answer_is_made_for_its_headers(
    admin: TestClient, monkeypatch: pytest.MonkeyPatch
):
    def endless(*_: object):
        while True:
            yield b"a,b\n"

    monkeypatch.setattr("web.api.incident.table", endless)
    alone = admin.head("/api/incidents.csv")
    assert (alone.status_code, alone.content) == (200, b"")
    assert alone.headers["content-type"] == "text/csv; charset=utf-8"


def test_over_the_wire_a_head_has_no_body_and_the_connection_goes_on(city: City, site: str):
    with httpx.Client(
        base_url=site, headers={"Authorization": f"Bearer {city.tokens[Role.ADMIN]}"}
    ) as client:
        for _ in range(2):
            assert client.head("/api/incidents.csv").content == b""
            assert client.get("/api/me").json()["username"] == "admin"


ALLOWED = [
    ("/api/incidents", "GET, HEAD, OPTIONS, POST"),
    ("/api/me", "GET, HEAD, OPTIONS"),
    ("/api/tokens/7", "DELETE, OPTIONS"),
    ("/api/incidents/1/moves", "OPTIONS, POST"),
    ("/api/grids/1/2", "GET, HEAD, OPTIONS"),
    ("/static/gridmgr.css", "GET, HEAD, OPTIONS"),
]


@pytest.mark.parametrize(("path", "methods"), ALLOWED)
def test_every_address_says_which_methods_it_takes(admin: TestClient, path: str, methods: str):
    options = admin.options(path)
    assert (options.status_code, options.headers["allow"], options.content) == (204, methods, b"")
    for method in {"PUT", "PATCH", "TRACE", "BREW"} - set(methods.split(", ")):
        refused = admin.request(method, path)
        assert (refused.status_code, refused.headers["allow"]) == (405, methods)
        if path.startswith("/api"):
            assert refused.headers["content-type"] == PROBLEM


def test_taking_back_a_token_twice_or_one_of_somebody_else_changes_nothing(city: City):
    admin, planner = city.client(Role.ADMIN), city.client(Role.PLANNER)
    token = admin.post("/api/tokens", json={"name": "x"}).json()
    used = city.client()
    used.headers["Authorization"] = f"Bearer {token['token']}"
    assert planner.delete(f"/api/tokens/{token['id']}").status_code == 204
    assert used.get("/api/me").status_code == 200  # it was not the planner's
    assert [admin.delete(f"/api/tokens/{token['id']}").status_code for _ in range(2)] == [204, 204]
    assert used.get("/api/me").status_code == 401
    for wrong in ("-1", "9" * 50, "abc", "1.5"):
        assert admin.delete(f"/api/tokens/{wrong}").status_code == 422


# ---- content -------------------------------------------------------------------------------------

CONTENT = {
    "depth": (b"[" * 100_000, 400),
    "closed depth": (b"[" * 50_000 + b"]" * 50_000, 400),
    "depth of objects": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
    "some depth": (b'{"lon":' + b"[" * 900 + b"]" * 900 + b"}", 422),
    "more digits than Python reads": (b'{"lon":' + b"9" * 5000 + b"}", 400),
    "many digits": (json.dumps(told(severity=10**300)).encode(), 422),
    "a large number": (json.dumps(told(severity=2**64)).encode(), 422),
    "beyond floats": (b'{"lon":1e99999}', 422),
    "half a surrogate pair": (json.dumps(told(description="\ud800")).encode(), 422),
    "half a surrogate pair as a name": (json.dumps(told(**{"\udfff": 1, "lon": "x"})).encode(), 422),
    "no UTF-8": (b'{"description":"\xff"}', 400),
    "nothing": (b"", 422),
    "null": (b"null", 422),
    "a list": (b"[]", 422),
    "a text": (b'"a"', 422),
    "more after the end": (b"{} x", 422),
    "a NUL": (b'{"description":"\0"}', 422),
}


@pytest.mark.parametrize(("content", "status"), CONTENT.values(), ids=CONTENT)
def test_content_that_is_none_is_refused_with_its_reason(admin: TestClient, content: bytes, status: int):
    for path in ("/api/incidents", f"/api/incidents/{1}/moves", "/api/locate", "/api/tokens"):
        answer = admin.post(path, content=content, headers={"Content-Type": JSON})
        assert answer.status_code in (status, 422), path
        assert answer.headers["content-type"] == PROBLEM
        assert answer.json()["detail"]
    answer = admin.post("/api/incidents", content=content, headers={"Content-Type": JSON})
    assert answer.status_code == status


def test_what_cannot_be_taken_apart_says_why(city: City):
    answer = city.client(Role.ADMIN, "en").post(
        "/api/imports", content=b"x", headers={"Content-Type": "multipart/form-data"}
    )
    assert answer.json()["detail"] == "The content cannot be read: Missing boundary in multipart."


TYPES = {
    "text/plain": 422, "application/xml": 422, "": 422, "garbage": 422, "application/json, text/plain": 422,
    "application/x-www-form-urlencoded": 422, "multipart/form-data": 400, "multipart/form-data; boundary=": 400,
    "multipart/form-data; boundary=x": 400, "application/json; charset=latin-1": 201, "application/hal+json": 201,
}  # fmt: skip


@pytest.mark.parametrize(("named", "status"), TYPES.items())
def test_content_of_another_type_is_not_guessed_at(admin: TestClient, named: str, status: int):
    content = json.dumps(told()).encode()
    answer = admin.post("/api/incidents", content=content, headers={"Content-Type": named})
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.headers["content-type"] == PROBLEM


PART = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
FORMS = {
    "no parts": b"garbage",
    "no end": PART % (b"kind", b"", b"grids"),
    "no name": b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n",
    "no header": b"--x\r\n\r\na\r\n--x--\r\n",
    "many fields": PART % (b"a", b"", b"1") * 2000 + b"--x--\r\n",
    "many files": PART % (b"file", b'; filename="a"', b"1") * 2000 + b"--x--\r\n",
    "a file as a field": PART % (b"kind", b'; filename="a"', b"grids") + b"--x--\r\n",
    "a field as a file": PART % (b"file", b"", b"abc") + PART % (b"kind", b"", b"grids") + b"--x--\r\n",
    "a long header": b"--x\r\nX-" + b"a" * 20_000 + b": 1\r\n\r\na\r\n--x--\r\n",
    "a line end in a name": PART % (b'ki\r\nnd"; name="file', b"", b"grids") + b"--x--\r\n",
}


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("kind", ["x", 'x; charset="utf-16"', "x; charset=nonsense"])
def test_a_form_that_is_none_is_refused_with_its_reason(admin: TestClient, content: bytes, kind: str):
    headers = {"Content-Type": f"multipart/form-data; boundary={kind}", "Idempotency-Key": "form"}
    answer = admin.post("/api/imports", content=content, headers=headers)
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == PROBLEM


# ---- not quite HTTP ------------------------------------------------------------------------------

START = b"POST /api/incidents HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
WIRE = {
    "two lengths": START + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\n{}   xx",
    "a length and chunks": START + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks of something": START + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "an unknown encoding": START + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a chunk of no length": START + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a chunk that goes on": START + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n",
    "a negative length": START + b"Content-Length: -5\r\n\r\n",
    "a signed length": START + b"Content-Length: +2\r\n\r\n{}",
    "a hexadecimal length": START + b"Content-Length: 0x2\r\n\r\n{}",
    "an endless length": START + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "a space before the colon": START + b"Content-Length : 2\r\n\r\n{}",
    "no host": b"GET /api/me HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /api/me HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no version": b"GET /api/me\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
    "a path that is not ASCII": "GET /api/网格 HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "a NUL in a header": b"GET /api/me HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    "an endless header": b"GET /api/me HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 300_000,
}


def wire(site: str, sent: bytes) -> bytes:
    """Return all that comes back until the server hangs up."""
    port = int(site.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        received = b""
        try:
            connection.sendall(sent)
            while piece := connection.recv(65536):
                received += piece
        except ConnectionError:
            pass
        return received


@pytest.mark.parametrize("sent", WIRE.values(), ids=WIRE)
def test_what_is_no_http_is_answered_once_and_hung_up_on(site: str, sent: bytes):
    """And whatever is smuggled in behind it is never taken for a request."""
    received = wire(site, sent + b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert received.count(b"HTTP/1.1 ") == 1
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 "), head
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["status"] == 400


@pytest.mark.parametrize(
    "header",
    [
        b"Authorization: Bearer \xff\xfe", b"Cookie: gridmgr_session=\xff\xfe; lang=\xff", b"Cookie: =;;=;,",
        b"Authorization: Bearer", b"Authorization: " + b"a" * 30_000, b"X-Forwarded-For: " + b"\xfe" * 9000,
        b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
        b"Accept: \xff", b"Host: evil.example:99999", b"Expect: the unexpected", b"Range: bytes=9-1",
        b"If-None-Match: \xff", b"X-CSRF-Token: \xff",
    ],
    ids=lambda header: ascii(header)[2:30],
)  # fmt: skip
def test_absurd_headers_change_nothing(site: str, header: bytes):
    host = b"" if header.startswith(b"Host") else b"Host: a\r\n"
    asked = b"GET /api/me HTTP/1.1\r\nConnection: close\r\n" + host + header + b"\r\n\r\n"
    head, _, body = wire(site, asked).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 401 "), head
    assert json.loads(body)["status"] == 401


# ---- the login form ------------------------------------------------------------------------------


def form_of(client: TestClient) -> str:
    """Return the secret of the login form."""
    return re.search(r'name="csrf" value="([\w-]{32})"', client.get("/login").text)[1]


def test_the_login_form_must_come_from_our_own_page(city: City):
    given = {"username": "admin", "password": PASSWORD}
    client = city.client()
    assert client.post("/login", data=given).status_code == 403
    secret = form_of(client)
    assert client.cookies["gridmgr_form"] == secret
    for forged in ("", "x" * 32, secret[:-1], "网" * 32):
        refused = client.post("/login", data=given | {"csrf": forged})
        assert (refused.status_code, "gridmgr_session" in refused.cookies) == (403, False)
        assert secret in refused.text  # the form that is shown again works
    assert client.post("/login", data=given | {"csrf": secret}).status_code == 303


def test_a_secret_without_its_cookie_logs_nobody_in(city: City):
    secret = form_of(city.client())
    stranger = city.client()
    given = {"username": "admin", "password": PASSWORD, "csrf": secret}
    assert stranger.post("/login", data=given).status_code == 403
    stranger.cookies.set("gridmgr_form", "")
    assert stranger.post("/login", data=given | {"csrf": ""}).status_code == 403


def test_two_login_pages_in_one_browser_both_work(city: City):
    client = city.client()
    first, second = form_of(client), form_of(client)
    assert first == second
    wrong = client.post("/login", data={"username": "admin", "password": "x", "csrf": first})
    assert wrong.status_code == 401
    given = {"username": "admin", "password": PASSWORD, "csrf": first}
    assert client.post("/login", data=given).status_code == 303


def test_in_production_no_neighbour_can_set_the_forms_cookie(city: City, monkeypatch: pytest.MonkeyPatch):
    from gridmgr.settings import settings

    monkeypatch.setattr(settings(), "environment", "production")
    (cookie,) = city.client().get("/login").headers.get_list("set-cookie")
    assert cookie.startswith("__Host-gridmgr_form=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(cookie.split("; "))
