"""How often, how large and from whom: what is refused at the gate is refused before any of it is read."""

from collections.abc import Iterator

import anyio
import pytest
from fastapi.testclient import TestClient
from small_city import PASSWORD, City, middle

from gridmgr.account.model import Role
from gridmgr.settings import settings
from web import gate, rates
from web.rates import Kind

MB = 1024 * 1024


@pytest.fixture
def limits(city: City, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a caller read five times a minute, write three times and upload once."""
    for kind, allowed in (("READS", 5), ("WRITES", 3), ("UPLOADS", 1)):
        monkeypatch.setenv(f"GRIDMGR_RATE_{kind}", str(allowed))
    settings.cache_clear()
    rates.forget()
    yield
    monkeypatch.undo()
    settings.cache_clear()
    rates.forget()


def told(cell: int = 1) -> dict:
    lon, lat = middle(cell)
    return {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"}


def standing(answer) -> tuple[int, int]:
    return int(answer.headers["ratelimit-limit"]), int(answer.headers["ratelimit-remaining"])


# ---- how often -----------------------------------------------------------------------------------


def test_every_answer_says_how_the_caller_stands_and_the_last_one_when_to_come_again(city: City, limits):
    client = city.client(Role.ADMIN)
    client.get("/api/me")  # the first proof still counts by address
    answers = [client.get("/api/me") for _ in range(6)]
    assert [standing(each) for each in answers] == [(5, n) for n in (4, 3, 2, 1, 0, 0)]
    assert [each.status_code for each in answers] == [200] * 5 + [429]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "about:blank#TooFast"
    assert 55 <= int(refused.headers["retry-after"]) == int(refused.headers["ratelimit-reset"]) <= 60


def test_reads_writes_and_uploads_are_counted_apart(city: City, limits):
    client = city.client(Role.ADMIN)
    client.get("/api/me")
    assert [client.post("/api/incidents", json=told()).status_code for _ in range(4)] == [201] * 3 + [429]
    sent = {"data": {"kind": "grids"}, "files": {"file": ("a", b"x")}}
    assert [client.post("/api/imports", **sent).status_code for _ in range(2)] == [201, 429]
    assert client.get("/api/me").status_code == 200


def test_a_burst_of_one_person_is_felt_by_nobody_else(city: City, limits):
    busy, other = city.client(Role.ADMIN), city.client(Role.PLANNER)
    other.get("/api/me")
    codes = [busy.get("/api/me").status_code for _ in range(20)]
    assert codes.count(429) > 10
    assert other.get("/api/me").status_code == 200


def test_two_tokens_and_a_session_of_one_person_count_together(city: City, limits):
    browser, _ = city.browser(Role.PLANNER)
    program = city.client(Role.PLANNER)
    browser.get("/api/me")
    program.get("/api/me")
    assert [standing(each.get("/api/me"))[1] for each in (browser, program, browser)] == [4, 3, 2]


def test_invented_tokens_count_by_address(city: City, limits):
    client = city.client()
    codes = [
        client.get("/api/me", headers={"Authorization": f"Bearer invented-{n}"}).status_code for n in range(7)
    ]
    assert codes == [401] * 5 + [429] * 2
    logins = [client.post("/api/tokens", json={"name": "x"}).status_code for _ in range(4)]
    assert logins == [401] * 3 + [429]


def test_pages_are_not_limited_but_what_they_write_is(city: City, limits):
    browser, csrf = city.browser(Role.ADMIN)
    assert {browser.get("/incidents").status_code for _ in range(10)} == {200}
    page = browser.get("/incidents")
    assert "ratelimit-limit" not in page.headers
    forms = [browser.post("/report", data={"csrf": csrf}) for _ in range(4)]
    assert [each.status_code for each in forms] == [422] * 3 + [429]
    assert forms[-1].headers["content-type"].startswith("text/html")
    assert int(forms[-1].headers["retry-after"]) > 50


def test_the_window_moves(monkeypatch: pytest.MonkeyPatch, limits):
    now = 1000.0
    monkeypatch.setattr(rates, "monotonic", lambda: now)
    for n in range(5):
        now = 1000.0 + 10 * n
        assert not rates.spend(Kind.READ, "wang").refused
    full = rates.spend(Kind.READ, "wang")
    assert (full.refused, full.remaining, full.reset) == (True, 0, 20)
    now = 1060.5  # the first one has left the window, the others have not
    assert not rates.spend(Kind.READ, "wang").refused
    assert rates.spend(Kind.READ, "wang").refused


def test_without_a_limit_nothing_is_counted(city: City):
    assert "ratelimit-limit" not in city.client(Role.ADMIN).get("/api/me").headers


def test_many_callers_are_counted_in_bounded_memory(monkeypatch: pytest.MonkeyPatch, limits):
    monkeypatch.setattr(rates, "MOST_CALLERS", 1000)
    for n in range(20_000):
        rates.spend(Kind.READ, f"address {n}")
    assert len(rates.limiter.storage._moments) <= 1000


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("", ""),
    ],
)
def test_an_address_is_what_a_caller_cannot_change_at_will(host: str, counted: str):
    from fastapi import Request

    request = Request({"type": "http", "headers": [], "client": (host, 1)})
    assert rates.caller(request, None) == f"address {counted}"


# ---- how large, and from whom --------------------------------------------------------------------


def refused_unread(city: City, path: str, **headers: str) -> int:
    """Return the status of an answer to a request whose content must not be read."""
    answered: list[int] = []

    async def receive():
        raise AssertionError("read")

    async def send(message):
        answered.append(message.get("status", 0))

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": raw, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "scheme": "http",
        "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    anyio.run(city.app, scope, receive, send)
    return answered[0]


FILE = "multipart/form-data; boundary=x"


@pytest.mark.parametrize("proof", ["", "Bearer gm_invented", "Basic YTpi"])
@pytest.mark.parametrize(
    ("path", "status"), [("/api/imports", 401), ("/imports", 303), ("/api/nothing", 401)]
)
def test_an_upload_of_somebody_unknown_is_refused_unread(city: City, path: str, status: int, proof: str):
    sent = {"content_type": FILE, "content_length": str(MB)} | ({"authorization": proof} if proof else {})
    assert refused_unread(city, path, **sent) == status


def test_an_upload_whose_session_has_ended_is_refused_unread(city: City):
    sent = {"content_type": FILE, "content_length": str(MB), "cookie": "gridmgr_session=gone"}
    assert refused_unread(city, "/api/imports", **sent) == 401
    del sent["content_length"]
    assert refused_unread(city, "/api/imports", **sent, transfer_encoding="chunked") == 401


def test_what_is_announced_too_large_is_refused_unread(city: City, monkeypatch: pytest.MonkeyPatch):
    token = {"authorization": f"Bearer {city.tokens[Role.ADMIN]}"}
    huge = str(MB + 1)
    assert refused_unread(city, "/api/imports", content_type=FILE, content_length=huge, **token) == 413
    json = "application/json"
    assert refused_unread(city, "/api/incidents", content_type=json, content_length=huge, **token) == 413
    monkeypatch.setattr(gate, "DOCUMENT", 100_000)
    assert refused_unread(city, "/api/incidents", content_type=json, content_length="100001", **token) == 413


def test_somebody_unknown_may_send_no_more_than_a_login_needs(city: City):
    def drop(pieces: int):
        for _ in range(pieces):
            yield b" " * 16 * 1024

    headers = {"Content-Type": "application/json"}
    client: TestClient = city.client()
    assert client.post("/api/tokens", content=drop(5), headers=headers).status_code == 401
    login = b'{"name": "x", "username": "admin", "password": "%s"}' % PASSWORD.encode()
    assert client.post("/api/tokens", content=iter([login]), headers=headers).status_code == 201
