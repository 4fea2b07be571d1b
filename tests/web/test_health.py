"""Monitors: whether the service can work, what it counts, and the id that follows a request."""

from small_city import City

from gridmgr import db, store
from gridmgr.account.model import Role
from gridmgr.settings import settings


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


def test_a_request_keeps_its_id_and_gets_one_if_it_has_none(city: City):
    client = city.client(Role.ADMIN)
    assert client.get("/api/me", headers={"X-Request-ID": "a-1"}).headers["x-request-id"] == "a-1"
    strange = client.get("/api/me", headers={"X-Request-ID": "a b\tc"}).headers["x-request-id"]
    assert len(strange) == 16
