"""Monitors: whether the service can work, what it counts, and the id that follows a request."""

import re

import pytest
from small_city import City

from gridmgr import db, store
from gridmgr.account.model import Role
from gridmgr.audit import service as audit
from gridmgr.audit.model import Regular
from gridmgr.settings import settings
from web import deps
from web.api import health


def test_the_service_says_which_part_it_stands_on_fails(city: City, monkeypatch, tmp_path):
    client = city.client(None)
    assert client.get("/readyz").json() == {"database": "ok", "schema": "ok", "files": "ok"}
    monkeypatch.setattr(db, "newest_revision", lambda: "9999")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["schema"][-4:]) == (503, "9999")
    monkeypatch.undo()
    blocked = tmp_path / "files"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setattr(settings(), "home", tmp_path)
    assert client.get("/readyz").json()["files"] != "ok"
    assert store


def test_metrics_count_requests_by_route_and_state_of_cases(city: City):
    client = city.client(Role.ADMIN)
    client.get("/api/incidents")
    told = city.client(None).get("/metrics").text
    assert 'gridmgr_requests_total{method="GET",route="/api/incidents",status="200"}' in told
    assert 'gridmgr_open_incidents{state="reported"}' in told
    assert "gridmgr_overdue_unserved" in told


def test_metrics_tell_how_old_the_last_backup_and_the_last_sweep_are(city: City, monkeypatch):
    monkeypatch.setattr(health, "FRESH", 0)
    client = city.client(None)
    assert "gridmgr_backup_age_seconds" not in client.get("/metrics").text
    with db.transaction(city.engine) as session:
        for each in Regular:
            audit.note(session, each)
    told = client.get("/metrics").text
    assert re.search(r"^gridmgr_backup_age_seconds \d", told, re.MULTILINE)
    assert re.search(r"^gridmgr_sweep_age_seconds \d", told, re.MULTILINE)


@pytest.fixture
def elsewhere(city: City, server, monkeypatch):
    """Let the service stand on another address; give it back in the end."""

    def stand(url: str) -> None:
        engine = db.engine(url)
        monkeypatch.setattr(deps, "engine", lambda: engine)
        monkeypatch.setattr(health, "FRESH", 0)

    return stand


def test_a_server_whose_database_is_away_lives_and_is_not_ready(city: City, elsewhere):
    elsewhere("postgresql+psycopg2://nobody@127.0.0.1:9/nowhere")
    client = city.client(None)
    assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (200, {"status": "ok"})
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] != "ok"
    assert client.get("/metrics").status_code == 200


def test_a_server_on_an_empty_database_says_so(city: City, elsewhere, server):
    elsewhere(server.set(database="postgres").render_as_string(hide_password=False))
    client = city.client(None)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["schema"]) == (503, f"None, not {db.newest_revision()}")
    assert client.get("/metrics").status_code == 200


def test_a_request_keeps_its_id_and_gets_one_if_it_has_none(city: City):
    client = city.client(Role.ADMIN)
    assert client.get("/api/me", headers={"X-Request-ID": "a-1"}).headers["x-request-id"] == "a-1"
    strange = client.get("/api/me", headers={"X-Request-ID": "a b\tc"}).headers["x-request-id"]
    assert len(strange) == 16
