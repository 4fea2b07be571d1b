"""Forged forms, other people's areas, scripts in names, and input nobody would send by accident."""

import json

import pytest
from small_city import MEMBER_GRID, OTHER_GRID, PASSWORD, SCRIPT, City, middle

from gridmgr import db
from gridmgr.account import service as accounts
from gridmgr.account.model import Role

PROBLEM = "application/problem+json"


def report(cell: int = 0, **more: object) -> dict:
    """Return the body of a report in the middle of a cell."""
    lon, lat = middle(cell)
    return {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"} | more


# ---- forged forms --------------------------------------------------------------------------------


def test_a_write_by_cookie_needs_the_secret_of_its_session(city: City):
    client, csrf = city.browser(Role.ADMIN)
    assert client.post("/api/incidents", json=report()).status_code == 403
    forged = client.post("/api/incidents", json=report(), headers={"X-CSRF-Token": b"\xff" * 8})
    assert forged.status_code == 403
    assert client.post("/api/incidents", json=report(), headers={"X-CSRF-Token": csrf}).status_code == 201


def test_a_token_request_by_cookie_is_a_write_too(city: City):
    client, csrf = city.browser(Role.PLANNER)
    assert client.post("/api/tokens", json={"name": "a"}).status_code == 403
    assert client.post("/api/tokens", json={"name": "a"}, headers={"X-CSRF-Token": csrf}).status_code == 201


def test_an_upload_carries_the_secret_in_its_form(city: City):
    client, csrf = city.browser(Role.ADMIN)
    file = {"file": ("a.csv", b"a,b\n1,2\n")}
    assert client.post("/api/imports", data={"kind": "incidents"}, files=file).status_code == 403
    given = {"kind": "incidents", "csrf": csrf}
    assert client.post("/api/imports", data=given, files=file).status_code == 201


def test_a_bearer_needs_no_form_secret(city: City):
    assert city.client(Role.ADMIN).post("/api/incidents", json=report()).status_code == 201


# ---- scope ---------------------------------------------------------------------------------------


def test_a_grid_member_meets_only_the_own_grid_everywhere(city: City):
    member, chief = city.client(Role.GRID_MEMBER), city.client(Role.COMMAND_CENTRE)
    for path in ("/api/incidents", "/api/map/incidents", "/api/figures?level=micro_grid"):
        assert OTHER_GRID in chief.get(path).text or city.other_case in chief.get(path).text
        assert OTHER_GRID not in member.get(path).text
        assert city.other_case not in member.get(path).text
    codes = {unit["code"] for unit in member.get("/api/grids?level=micro_grid").json()["items"]}
    assert codes == {MEMBER_GRID}
    assert set(member.get("/api/map/values?level=micro_grid").json()["values"]) == {MEMBER_GRID}
    assert member.get(f"/api/incidents/{city.other_case}").status_code == 404
    assert member.get(f"/api/incidents/{city.other_case}/history").status_code == 404
    assert member.get(f"/api/grids/{OTHER_GRID}").status_code == 404
    assert member.get("/api/buildings?words=西安路").json()["items"][0]["code"].startswith(MEMBER_GRID[:12])


def test_exports_hold_only_what_the_exporter_may_see(city: City):
    with db.transaction(city.engine) as session:
        grant = accounts.parse_grant(f"community_clerk:{MEMBER_GRID}")
        accounts.open_account(session, "clerk2", "clerk2", PASSWORD, [grant])
    issued = city.client().post("/api/tokens", json={"name": "x", "username": "clerk2", "password": PASSWORD})
    clerk = city.client()
    clerk.headers["Authorization"] = f"Bearer {issued.json()['token']}"
    assert city.member_case in clerk.get("/api/incidents.csv").text
    assert city.other_case not in clerk.get("/api/incidents.csv").text


def test_a_report_known_from_elsewhere_is_not_shown_to_whoever_guesses_its_id(city: City):
    known = report(4, origin="12345", source_id="77")
    assert city.client(Role.COMMAND_CENTRE).post("/api/incidents", json=known).status_code == 201
    guessed = city.client(Role.GRID_MEMBER).post(
        "/api/incidents", json=report(origin="12345", source_id="77")
    )
    assert guessed.status_code == 409
    assert "lon" not in guessed.json()


def test_steps_need_their_own_permission_on_their_own_place(city: City):
    member, chief = city.client(Role.GRID_MEMBER), city.client(Role.COMMAND_CENTRE)
    own = f"/api/incidents/{city.member_case}/moves"
    assert member.post(own, json={"action": "accept"}).status_code == 403
    assert chief.post(f"/api/incidents/{city.other_case}/moves", json={"action": "accept"}).status_code == 200
    assert (
        member.post(own.replace(city.member_case, city.other_case), json={"action": "accept"}).status_code
        == 404
    )
    assert chief.post(own, json={"action": "adopt"}).status_code == 422


# ---- guessing passwords --------------------------------------------------------------------------


def test_guessing_is_counted_although_the_request_fails(city: City):
    client = city.client()
    with db.transaction(city.engine) as session:
        accounts.open_account(session, "target", "target", PASSWORD, [])
    wrong = {"name": "x", "username": "target", "password": "wrong"}
    codes = [client.post("/api/tokens", json=wrong).status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]
    slowed = client.post("/api/tokens", json=wrong | {"password": PASSWORD})
    assert slowed.status_code == 429
    assert 0 < int(slowed.headers["retry-after"]) <= 301


# ---- what comes back -----------------------------------------------------------------------------


def test_a_script_in_a_name_comes_back_as_text_of_a_data_type(city: City):
    client = city.client(Role.ADMIN)
    unit = client.get(f"/api/grids/{MEMBER_GRID}")
    assert unit.json()["name"] == SCRIPT
    assert unit.headers["content-type"] == "application/json"
    for path in (f"/api/grids/{MEMBER_GRID}", "/api/docs", "/api/nothing", "/api/grids/micro_grid.geojson"):
        answer = client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self' 'nonce-" in answer.headers["content-security-policy"]


def test_a_formula_is_exported_as_text_under_translated_headings(city: City):
    chinese = city.client(Role.ADMIN).get("/api/incidents.csv")
    english = city.client(Role.ADMIN, "en").get("/api/incidents.csv")
    assert chinese.content.startswith("\ufeff".encode())
    assert "'=<script>" in chinese.text
    assert not any(cell.startswith("=") for line in chinese.text.splitlines() for cell in line.split(","))
    assert english.text.startswith("\ufeffNumber,State,Source,Category")
    assert "attachment" in english.headers["content-disposition"]


@pytest.mark.parametrize(("language", "title"), [("zh", "not english"), ("en", "Not Found")])
def test_errors_are_problems_in_the_language_of_the_cookie(city: City, language: str, title: str):
    answer = city.client(Role.ADMIN, language).get("/api/incidents/0")
    assert answer.headers["content-type"] == PROBLEM
    body = answer.json()
    assert (body["title"] == title) == (language == "en")
    assert body["type"].endswith("UnknownIncident")
    assert (body["status"], body["details"]) == (404, {"number": "0"})


def test_the_docs_page_asks_nobody_else(city: City):
    answer = city.client().get("/api/docs")
    assert "http:" not in answer.text
    assert "https:" not in answer.text
    nonce = answer.headers["content-security-policy"].split("'nonce-")[1].split("'")[0]
    assert answer.text.count(f'nonce="{nonce}"') == answer.text.count("<script")


# ---- hostile input -------------------------------------------------------------------------------

HOSTILE = [
    {"description": "a\0b"},
    {"description": "\ud800"},
    {"\ud800": 1, "lon": "x"},
    {"description": "long" * 2000},
    {"address": "\U000e0001" * 301},
    {"lon": float("nan")},
    {"lat": float("inf")},
    {"lon": 1e308},
    {"lon": True},
    {"lon": 0, "lat": 0},
    {"lon": 0.0, "lat": 90.0},
    {"datum": "mars"},
    {"severity": 10**30},
    {"reported_at": "0001-01-01T00:00:00+08:00"},
    {"reported_at": "9999-12-31T23:59:59Z"},
    {"reported_at": "2020-01-01T00:00:00"},
    {"source_id": "1"},
    {"category": "x" * 33},
]


@pytest.mark.parametrize("wrong", HOSTILE, ids=lambda wrong: ascii(wrong)[:40])
def test_a_hostile_report_is_refused_with_its_reason(city: City, wrong: dict):
    body = json.dumps(report(**wrong)).encode()
    answer = city.client(Role.ADMIN).post(
        "/api/incidents", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 100_000, b'{"lon":' + b"9" * 5000 + b"}", b"\xff\xfe", b"null"]
)
def test_a_body_that_is_no_report_is_refused(city: City, body: bytes):
    answer = city.client(Role.ADMIN).post(
        "/api/incidents", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == PROBLEM


def test_strange_but_storable_words_are_kept_to_the_letter(city: City):
    words = "👨‍👩‍👧 ‮right to left‬ \u0301\u0301 \t\n" + "长" * 3000
    filed = city.client(Role.ADMIN).post("/api/incidents", json=report(description=words))
    assert filed.status_code == 201
    assert city.client(Role.ADMIN).get(filed.headers["location"]).json()["description"] == words


ADDRESSES = [
    "/api/incidents?words=%00", "/api/incidents/%00", "/incidents/%00", "/api/incidents?words=" + "x" * 101,
    "/api/incidents?size=-1", "/api/incidents?size=0", "/api/incidents?cursor=-5",
    "/api/incidents?cursor=" + "9" * 40, "/api/incidents?until=9999-12-31", "/api/incidents?since=0001-01-01",
    "/api/incidents?states=gone", "/api/grids?level=planet", "/api/grids?level=street&at=10000-01-01",
    "/api/grids?level=street&cursor=" + "z" * 33, "/api/imports/99999999999999999999", "/api/imports/-1",
    "/api/locate?lon=nan&lat=1&datum=wgs84", "/api/locate?lon=1&lat=inf&datum=wgs84",
    "/api/locate?lon=1&lat=1", "/api/figures?level=%F0%9F%92%A9",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_hostile_address_is_refused_with_its_reason(city: City, address: str):
    answer = city.client(Role.ADMIN).get(address)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    "words", ["%", "_", "\\", "'; DROP TABLE incident; --", "\ud7ff", "%F0%9F%92%A9", "%ED%A0%80", "网" * 100]
)
def test_strange_searches_are_answered(city: City, words: str):
    for path in ("/api/incidents", "/api/grids", "/api/buildings"):
        assert city.client(Role.ADMIN).get(f"{path}?level=street&words={words}").status_code == 200


@pytest.mark.parametrize("place", [(0, 90), (180, -90), (-180, 0), (0, 0), (104.05, 30.605)])
@pytest.mark.parametrize("datum", ["wgs84", "cgcs2000", "gcj02", "bd09"])
def test_any_place_on_earth_has_an_answer(city: City, place: tuple, datum: str):
    client = city.client(Role.ADMIN)
    one = client.get("/api/locate", params={"lon": place[0], "lat": place[1], "datum": datum})
    many = client.post("/api/locate", json={"datum": datum, "points": [place]})
    assert one.status_code == many.status_code == 200
    assert one.json()["how"] == many.json()["items"][0]["how"]


@pytest.mark.parametrize("name", ["..", "/", "a\0b", "长" * 300 + ".csv", "\u202egpj.csv", "", "a/b/../c"])
def test_a_file_may_be_called_anything(city: City, name: str):
    parts = {'name="kind"': "incidents", f'name="file"; filename="{name}"': "abc"}
    lines = [
        f"--x\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n" for head, body in parts.items()
    ]
    part = "".join(lines) + "--x--\r\n"
    answer = city.client(Role.ADMIN).post(
        "/api/imports", content=part.encode(), headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code in (201, 422), answer.text


# ---- size ----------------------------------------------------------------------------------------


def test_an_upload_announced_too_large_is_refused_unread(city: City):
    client = city.client(Role.ADMIN)
    answer = client.post("/api/imports", files={"file": ("a", b"x" * 2_000_000)}, data={"kind": "grids"})
    assert answer.status_code == 413
    assert answer.json()["details"] == {"limit": 1}


def test_an_upload_that_grows_too_large_is_cut_off(city: City):
    def endless():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(30):
            yield b"x" * 65536

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = city.client(Role.ADMIN).post("/api/imports", content=endless(), headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == PROBLEM


def test_what_nobody_foresaw_tells_the_caller_nothing(city: City, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise RuntimeError("postgresql://user:secret@host")

    monkeypatch.setattr("gridmgr.hierarchy.queries.editions", broken)
    answer = city.client(Role.ADMIN).get("/api/editions")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in answer.text


def test_a_database_that_does_not_answer_is_told_in_one_clear_problem(
    city: City, monkeypatch: pytest.MonkeyPatch
):
    away = db.engine("postgresql+psycopg2://nobody@127.0.0.1:9/nothing")
    monkeypatch.setattr("web.deps.engine", lambda: away)
    assert (
        city.client().get("/healthz").status_code == 200
    )  # the server lives; /readyz says that it cannot work
    for path in ("/api/incidents", "/api/incidents.csv", f"/tiles/street/{city.stamp}/1/0/0.pbf"):
        client = city.client(Role.COMMUNITY_CLERK)
        answer = client.get(path)
        assert answer.status_code == 503, path
        assert answer.json()["type"].endswith("Unavailable")
