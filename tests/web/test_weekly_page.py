"""The weekly report over HTTP: one's own, those one leads, tables, and the API by pages."""

import io

import openpyxl
import pytest
from small_city import MEMBER_GRID, SCRIPT, City

from gridmgr import clock
from gridmgr.account.model import Role

MEMBER, CLERK = Role.GRID_MEMBER, Role.COMMUNITY_CLERK


@pytest.fixture(scope="module")
def worked(city: City) -> None:
    """Let the member report, and the clerk accept."""
    told = {"datum": "wgs84", "category": "0201", "source": "patrol", "lon": 104.005, "lat": 30.605}
    number = city.client(MEMBER).post("/api/incidents", json=told).json()["number"]
    done = city.client(CLERK).post(
        f"/api/incidents/{number}/moves", json={"action": "accept", "payload": {"checked": True}}
    )
    assert done.status_code == 200


def test_a_member_reads_the_own_week_and_no_other(city: City, worked: None):
    (own,) = city.client(MEMBER).get("/api/weekly").json()["items"]
    assert (own["key"], own["reports"], own["steps"]) == (MEMBER, 1, 0)
    page = city.client(MEMBER).get("/weekly")
    assert (page.status_code, "统计口径" in page.text, "按街道" in page.text) == (200, True, False)
    assert SCRIPT not in page.text
    assert city.client(MEMBER).get("/api/weekly", params={"by": "street"}).json()["items"] == []


def test_a_leader_reads_people_and_streets(city: City, worked: None):
    clerk = city.client(CLERK)
    first = clerk.get("/api/weekly", params={"size": 1}).json()
    second = clerk.get("/api/weekly", params={"size": 1, "cursor": first["next"]}).json()
    keys = {first["items"][0]["key"], second["items"][0]["key"]}
    assert keys == {MEMBER, CLERK}
    assert first["items"][0]["kept"] is False
    streets = clerk.get("/api/weekly", params={"by": "street"}).json()["items"]
    assert [each["reports"] for each in streets] == [2, 1]  # with those of the city, by the system
    assert clerk.get("/api/weekly", params={"area": MEMBER_GRID}).json()["items"][0]["key"] == MEMBER
    old = clerk.get("/api/weekly", params={"day": "2020-01-01"}).json()
    assert (old["items"][0]["monday"], old["items"][0]["steps"]) == ("2019-12-30", 0)
    for query in ("by=street", "day=odd", "day=2020-01-01&by=street", "day=0001-01-01", "area=999"):
        assert clerk.get(f"/weekly?{query}").status_code == 200


def test_the_week_as_a_table(city: City, worked: None):
    clerk = city.client(CLERK)
    told = clerk.get("/weekly.csv").text
    assert "用户名或编码" in told
    assert "grid_member" in told
    rows = list(openpyxl.load_workbook(io.BytesIO(clerk.get("/weekly.xlsx?by=street").content)).active.values)
    assert rows[0][3] == "上报"
    assert len(rows) == 3
    assert str(clock.today().year) in clerk.get("/weekly.csv").headers["content-disposition"]
