"""A request sent again under its key is answered again and done once, whatever happens in between."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from small_city import City, middle
from sqlalchemy import func, select, text

from gridmgr import db
from gridmgr.account.model import Role
from gridmgr.answered.model import Answered
from gridmgr.incident.model import Incident
from gridmgr.settings import settings
from web import once
from web.deps import SAFE, Allow, permission


def report(cell: int = 1, **more: object) -> dict:
    """Return the body of a report in the middle of a cell."""
    lon, lat = middle(cell)
    return {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"} | more


def headers(city: City, key: str, role: Role = Role.COMMAND_CENTRE) -> dict[str, str]:
    """Return the headers of a caller with a key."""
    return {"Authorization": f"Bearer {city.tokens[role]}", "Idempotency-Key": key}


def cases(city: City, words: str) -> int:
    """Return how many incidents are described so."""
    with db.transaction(city.engine) as session:
        return session.scalar(select(func.count()).where(Incident.description == words))


def kept(city: City, key: str) -> int:
    """Return how many answers are kept under a key."""
    with db.transaction(city.engine) as session:
        return session.scalar(select(func.count()).where(Answered.key == key))


def equal(answers: list[httpx.Response]) -> bool:
    """Tell whether all answers say the same."""
    return len({(each.status_code, each.headers["location"], each.content) for each in answers}) == 1


# ---- once ----------------------------------------------------------------------------------------


def test_a_report_sent_five_times_is_one_case_and_five_equal_answers(city: City, site: str):
    body, given = report(description="五次"), headers(city, "five")
    answers = [httpx.post(f"{site}/api/incidents", json=body, headers=given) for _ in range(5)]
    assert equal(answers)
    assert answers[0].status_code == 201
    assert [each.headers.get("idempotency-replayed") for each in answers] == [None] + ["true"] * 4
    assert cases(city, "五次") == 1


def test_a_report_sent_five_times_at_once_is_one_case_and_five_equal_answers(city: City, site: str):
    body, given = report(description="同时"), headers(city, "at-once")
    with ThreadPoolExecutor(5) as pool:
        sent = [pool.submit(httpx.post, f"{site}/api/incidents", json=body, headers=given) for _ in range(5)]
        answers = [each.result() for each in sent]
    assert equal(answers)
    assert sorted(each.headers.get("idempotency-replayed", "") for each in answers) == [""] + ["true"] * 4
    assert cases(city, "同时") == 1


def test_many_twins_of_many_keys_do_not_hold_each_other_up(city: City, site: str):
    def send(n: int) -> httpx.Response:
        body, given = report(description=f"多-{n % 10}"), headers(city, f"many-{n % 10}")
        return httpx.post(f"{site}/api/incidents", json=body, headers=given, timeout=30)

    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(send, range(60)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.headers["location"] for each in answers}) == 10


def test_a_step_is_taken_once(city: City):
    client = city.client(Role.COMMAND_CENTRE)
    number = client.post("/api/incidents", json=report()).json()["number"]
    given = headers(city, "step")
    step = {"action": "accept"}
    first, second = (
        client.post(f"/api/incidents/{number}/moves", json=step, headers=given) for _ in range(2)
    )
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert client.post(f"/api/incidents/{number}/moves", json=step).status_code == 409


def test_a_token_is_taken_back_once(city: City):
    client = city.client(Role.PLANNER)
    token = client.post("/api/tokens", json={"name": "x"}).json()["id"]
    given = headers(city, "back", Role.PLANNER)
    answers = [client.delete(f"/api/tokens/{token}", headers=given) for _ in range(2)]
    assert [each.status_code for each in answers] == [204, 204]
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert answers[1].content == b""


def test_an_upload_sent_again_with_another_boundary_is_the_same(city: City):
    client, given = city.client(), headers(city, "file")
    sent = {"data": {"kind": "incidents"}, "headers": given}
    answers = [
        client.post("/api/imports", files={"file": ("a.csv", b"a,b\n1,2\n")}, **sent) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    other = client.post("/api/imports", files={"file": ("a.csv", b"a,b\n1,3\n")}, **sent)
    assert (other.status_code, other.json()["type"]) == (422, "about:blank#OtherBody")


# ---- whose key, and for what ---------------------------------------------------------------------


def test_a_key_with_other_content_or_for_another_address_is_refused(city: City):
    client, given = city.client(), headers(city, "one")
    assert client.post("/api/incidents", json=report(), headers=given).status_code == 201
    for path, body in (
        ("/api/incidents", report(description="anders")),
        ("/api/incidents?x=1", report()),
        (f"/api/incidents/{city.member_case}/moves", {"action": "accept"}),
    ):
        refused = client.post(path, json=body, headers=given)
        assert refused.status_code == 422, path
        assert "one" in refused.json()["detail"]


def test_two_people_may_use_the_same_key(city: City):
    answers = [
        city.client().post("/api/incidents", json=report(), headers=headers(city, "ours", role))
        for role in (Role.ADMIN, Role.COMMAND_CENTRE)
    ]
    assert answers[0].json()["number"] != answers[1].json()["number"]


def test_who_may_no_longer_do_it_is_not_answered_from_memory(city: City):
    client, given = city.client(), headers(city, "kept", Role.PLANNER)
    sent = {"data": {"kind": "grids"}, "files": {"file": ("a.csv", b"a")}, "headers": given}
    assert client.post("/api/imports", **sent).status_code == 201
    with db.transaction(city.engine) as session:
        session.execute(text("UPDATE role_grant SET role = 'grid_member' WHERE role = 'planner'"))
    try:
        assert client.post("/api/imports", **sent).status_code == 403
    finally:
        with db.transaction(city.engine) as session:
            planner = "account_id = (SELECT id FROM account WHERE username = 'planner')"
            session.execute(text(f"UPDATE role_grant SET role = 'planner' WHERE {planner}"))


@pytest.mark.parametrize("key", ["", "x" * 65, "a b", "鍵".encode().decode("latin-1"), "a\tb"])
def test_a_key_is_1_to_64_visible_ascii_characters(city: City, key: str):
    given = headers(city, key) | {"Idempotency-Key": key.encode("latin-1")}
    answer = city.client().post("/api/incidents", json=report(), headers=given)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["errors"][0]["field"]


def test_a_key_of_somebody_unknown_is_not_kept(city: City):
    answer = city.client().post("/api/incidents", json=report(), headers={"Idempotency-Key": "nobody"})
    assert answer.status_code == 401
    login = {"name": "x", "username": "admin", "password": "correct horse battery"}
    tokens = [
        city.client().post("/api/tokens", json=login, headers={"Idempotency-Key": "nobody"}).json()["token"]
        for _ in range(2)
    ]
    assert tokens[0] != tokens[1]  # a secret is kept nowhere, so it cannot be answered again
    assert kept(city, "nobody") == 0


def test_every_writing_route_of_the_api_takes_keys_or_says_why_not(city: City):
    for route in iter_route_contexts(city.app.routes):
        if not isinstance(route.original_route, APIRoute) or not route.path.startswith("/api"):
            continue
        if not route.methods <= SAFE and not getattr(route.endpoint, "keyless", ""):
            assert once.once in [each.call for each in route.dependant.dependencies], route.path
            assert isinstance(permission(route.original_route), Allow), route.path


# ---- what failed ---------------------------------------------------------------------------------


def test_a_refused_request_may_be_repeated_with_its_key(city: City):
    client, given = city.client(), headers(city, "refused")
    assert client.post("/api/incidents", json=report(category="nix"), headers=given).status_code == 404
    assert client.post("/api/incidents", json={"lon": 1}, headers=given).status_code == 422
    assert kept(city, "refused") == 0
    assert client.post("/api/incidents", json=report(), headers=given).status_code == 201


def test_what_goes_wrong_while_events_are_drained_leaves_neither_case_nor_answer(
    city: City, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> None:
        raise RuntimeError("reaction")

    with monkeypatch.context() as patch:
        patch.setattr(db, "drain", broken)
        answer = city.client().post(
            "/api/incidents", json=report(description="排空"), headers=headers(city, "drain")
        )
        assert answer.status_code == 500
    assert (cases(city, "排空"), kept(city, "drain")) == (0, 0)


def test_a_server_killed_before_its_commit_leaves_neither_case_nor_answer(city: City):
    body = report(description="断电")
    process, address = started()
    try:
        with db.transaction(city.engine) as session, ThreadPoolExecutor(1) as pool:
            session.execute(
                text("LOCK TABLE incident IN EXCLUSIVE MODE")
            )  # the report waits, its key claimed
            sent = pool.submit(
                httpx.post, f"{address}/api/incidents", json=body, headers=headers(city, "crash"), timeout=30
            )
            waits_for_the_report(city)
            process.send_signal(signal.SIGKILL)
            with pytest.raises(httpx.TransportError):
                sent.result()
    finally:
        process.kill()
        process.wait()
    assert (cases(city, "断电"), kept(city, "crash")) == (0, 0)
    again = [
        city.client().post("/api/incidents", json=body, headers=headers(city, "crash")) for _ in range(2)
    ]
    assert equal(again)
    assert "idempotency-replayed" not in again[0].headers
    assert (cases(city, "断电"), kept(city, "crash")) == (1, 1)


def started() -> tuple[subprocess.Popen, str]:
    """Start the real server on the database of the tests; returns it and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"GRIDMGR_DATABASE_URL": settings().database_url}
    process = subprocess.Popen(
        [sys.executable, "-m", "gridmgr.cli", "serve", "--port", str(port)], env=environment
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            httpx.get(f"{address}/healthz").raise_for_status()
            return process, address
        except httpx.HTTPError:
            time.sleep(0.1)
    process.kill()
    raise TimeoutError(address)


def waits_for_the_report(city: City) -> None:
    """Return as soon as somebody waits for a lock."""
    for _ in range(200):
        with city.engine.connect() as connection:
            if connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                return
        time.sleep(0.05)
    raise TimeoutError
