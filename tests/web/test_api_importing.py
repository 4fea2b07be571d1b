"""The import desk through the API: upload, say how to read, check, load."""

import json

import geopandas as gpd
import pytest
from small_city import City, grids, middle

from gridmgr import db
from gridmgr.account.model import Role
from gridmgr.importing import service

HEAD = "id,x,y,at,kind\n"
COLUMNS = {"source_id": "id", "lon": "x", "lat": "y", "reported_at": "at", "category": "kind"}
PLAN = {"incidents": {"origin": "old", "datum": "wgs84", "columns": COLUMNS}}


def uploaded(city: City, role: Role, kind: str, name: str, content: bytes) -> dict:
    """Return the batch of a new upload."""
    answer = city.client(role).post("/api/imports", data={"kind": kind}, files={"file": (name, content)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def table(*cells: int) -> bytes:
    """Return a table of one incident in the middle of each cell."""
    rows = [f"{n},{middle(cell)[0]},{middle(cell)[1]},2026-01-05 08:00,0201" for n, cell in enumerate(cells)]
    return (HEAD + "\n".join(rows)).encode()


def test_a_table_is_read_as_told_checked_and_loaded_once(city: City):
    client = city.client(Role.COMMAND_CENTRE)
    batch = uploaded(city, Role.COMMAND_CENTRE, "incidents", "事件.csv", table(0, 3))
    address = f"/api/imports/{batch['id']}"
    assert (batch["status"], batch["filename"]) == ("uploaded", "事件.csv")
    assert client.post(f"{address}/load").status_code == 409
    assert client.post(f"{address}/plan", json=PLAN).json()["status"] == "checking"
    with db.transaction(city.engine) as session:
        service.check_batch(session, batch["id"])
    assert client.get(address).json()["report"]["ready"] == 2
    assert client.post(f"{address}/load").json()["status"] == "loading"
    with db.transaction(city.engine) as session:
        service.load_batch(session, batch["id"])
    assert client.get(address).json()["status"] == "loaded"
    assert len(client.get("/api/incidents?source=system").json()["items"]) == 2


def test_a_map_with_faults_shows_where_they_are(city: City, tmp_path):
    frame = grids()["micro_grid"]
    frame.loc[1, "geometry"] = frame.geometry[0].union(frame.geometry[1])
    frame.to_file(tmp_path / "map.gpkg", layer="grid")
    batch = uploaded(city, Role.PLANNER, "grids", "map.gpkg", (tmp_path / "map.gpkg").read_bytes())
    address, client = f"/api/imports/{batch['id']}", city.client(Role.PLANNER)
    layer = {"level": "micro_grid", "code": "code", "name": "name", "parent": "parent_code"}
    plan = {"grids": {"layers": [layer], "datum": "wgs84", "effective": "2026-02-01"}}
    assert client.get(f"{address}/findings.geojson").status_code == 404
    assert client.post(f"{address}/plan", json=plan).status_code == 202
    with db.transaction(city.engine) as session:
        service.check_batch(session, batch["id"])
    found = gpd.read_file(json.dumps(client.get(f"{address}/findings.geojson").json()))
    assert "overlap" in set(found["kind"])


def test_each_importer_sees_only_the_own_kind_of_file(city: City):
    batch = uploaded(city, Role.COMMAND_CENTRE, "incidents", "a.csv", table(0))
    planner = city.client(Role.PLANNER)
    assert planner.get(f"/api/imports/{batch['id']}").status_code == 404
    assert batch["id"] not in {each["id"] for each in planner.get("/api/imports").json()["items"]}
    refused = planner.post("/api/imports", data={"kind": "incidents"}, files={"file": ("a", b"")})
    assert refused.status_code == 403


def test_a_plan_for_another_kind_of_file_is_refused(city: City):
    batch = uploaded(city, Role.ADMIN, "grids", "a.gpkg", b"")
    assert city.client(Role.ADMIN).post(f"/api/imports/{batch['id']}/plan", json=PLAN).status_code == 422


@pytest.mark.parametrize(
    "wrong", [{"columns": {"lon": "x"}}, {"zone": "Mars/Base"}, {"statuses": {"a": "gone"}}, {"more": 1}]
)
def test_a_mapping_that_names_what_there_is_not_is_refused(city: City, wrong: dict):
    batch = uploaded(city, Role.ADMIN, "incidents", "a.csv", table(0))
    plan = {"incidents": PLAN["incidents"] | wrong}
    assert city.client(Role.ADMIN).post(f"/api/imports/{batch['id']}/plan", json=plan).status_code == 422
