"""Alarms and the morning page over HTTP: found, looked at once for ever, each number with its list."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from small_city import EAST, LAT, LON, MEMBER_GRID, PASSWORD, SCRIPT, STEP, WEST, City

from gridmgr import clock, db
from gridmgr.account import queries as account_queries
from gridmgr.account import service as accounts
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.category import queries as matters
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.reactions import REACTIONS
from gridmgr.scan import rules, service
from gridmgr.scan.model import ClusterUnit

LEADER, MEMBER = Role.STREET_LEADER, Role.GRID_MEMBER
FAR = f"{WEST}001002"  # in no cluster of the month below


@pytest.fixture(scope="module")
def alarm(city: City) -> int:
    """A month of a few cases everywhere, and many in one grid on the day that is scanned; its alarm's id."""
    day = rules.last_day(clock.local(clock.now()))
    with db.transaction(city.engine, REACTIONS) as session:
        category = matters.by_code(session, "0201").id
        times = [(n % 8, clock.midnight(day, 0.4 - n % 29)) for n in range(120)]
        times += [(5, clock.midnight(day, 0.3 + n / 50)) for n in range(14)]
        told = [
            Report(LON + (cell + 0.5) * STEP, LAT + STEP / 2, "wgs84", category, Source.PATROL, reported_at=at,
                   description=SCRIPT, address=SCRIPT)
            for cell, at in times
        ]  # fmt: skip
        with clock.travel(clock.midnight(day, 1)):
            intake.report_many(session, SYSTEM, told)
    with db.transaction(city.engine, REACTIONS) as session:
        service.run_all(session, day)
    return city.client(LEADER).get("/api/alarms").json()["items"][0]["id"]


@pytest.fixture(scope="module")
def leader(city: City) -> TestClient:
    """Return the browser of the leader, whose forms carry the secret of its session."""
    browser, csrf = city.browser(LEADER)
    browser.headers.update({"Accept": "text/html", "X-CSRF-Token": csrf})
    return browser


def test_an_alarm_is_listed_shown_and_told_how_it_was_found(city: City, alarm: int, leader: TestClient):
    program = city.client(LEADER)
    listed = program.get("/api/alarms").json()["items"]
    assert {each["matter"] for each in listed} == {"", "市容"}
    assert listed[0]["recurrence_days"] >= 365
    one = program.get(f"/api/alarms/{alarm}").json()
    assert (len(one["days"]), one["scan"]["permutations"], one["observed"]) == (30, 999, len(one["numbers"]))
    assert sum(each["observed"] for each in one["counts"]) == one["observed"]
    scans = program.get("/api/scans").json()["scans"]
    assert [each["matter"] for each in scans] == ["", "市容"]
    shown = leader.get(f"/alarms/{alarm}")
    assert (shown.status_code, "置换次数" in shown.text, SCRIPT in shown.text) == (200, True, False)
    assert 'class="days-chart"' in shown.text
    for path in ("/alarms", "/alarms?tab=open", "/alarms?tab=weak", "/alarms?day=odd", f"/alarms?matter={SCRIPT}",
                 f"/alarms?before={alarm}", "/alarms?day=2020-01-01"):  # fmt: skip
        answer = leader.get(path)
        assert (answer.status_code, SCRIPT in answer.text) == (200, False), path


def test_who_looks_says_what_was_found(city: City, alarm: int, leader: TestClient):
    empty = leader.post(f"/alarms/{alarm}/look", data={"note": " "})
    assert (empty.status_code, "请写明查看结果" in empty.text) == (422, True)
    assert leader.post(f"/alarms/{alarm}/look", data={"note": SCRIPT}).status_code == 303
    shown = leader.get(f"/alarms/{alarm}").text
    assert "&lt;script&gt;" in shown and SCRIPT not in shown
    assert city.client(LEADER).post(f"/api/alarms/{alarm}/looks", json={"note": "再看"}).status_code == 201
    looks = city.client(LEADER).get(f"/api/alarms/{alarm}").json()["looks"]
    assert [each["note"] for each in looks] == [SCRIPT, "再看"]
    assert alarm not in {
        each["id"] for each in city.client(LEADER).get("/api/alarms?unseen=true").json()["items"]
    }


def test_units_outside_the_own_area_are_counted_and_no_more(city: City, alarm: int):
    with db.transaction(city.engine) as session:
        accounts.open_account(session, "eastern", "东", PASSWORD, [Grant(LEADER, EAST)])
        token = accounts.issue_token(session, account_queries.actor(session, "eastern"), "tests")[0]
        session.add(ClusterUnit(cluster_id=alarm, code=FAR, rank=99, observed=0, cases=7))
    whole = city.client(LEADER).get(f"/api/alarms/{alarm}").json()
    assert FAR in [each["code"] for each in whole["counts"]]
    east = city.client()
    east.headers["Authorization"] = f"Bearer {token}"
    one = east.get(f"/api/alarms/{alarm}").json()
    assert one["counts"]
    assert all(each["code"].startswith(EAST) for each in one["counts"])
    shown = east.get(f"/alarms/{alarm}", headers={"Accept": "text/html"}).text
    assert (f"/grids/{FAR}" in shown, "不在您的辖区内" in shown) == (False, True)


def test_members_of_grids_have_no_alarms_and_nobody_those_that_are_not_there(
    city: City, alarm: int, leader: TestClient
):
    assert city.client(MEMBER).get("/api/alarms").status_code == 403
    assert leader.get("/alarms/999999").status_code == 404
    assert city.client(Role.PLANNER).post(f"/api/alarms/{alarm}/looks", json={"note": "x"}).status_code == 403


def test_a_morning_is_one_screen_and_each_number_leads_to_its_cases(
    city: City, alarm: int, leader: TestClient
):
    program = city.client(LEADER)
    told = program.get("/api/morning").json()
    assert set(told["counts"]) == set(told["rules"]) == {
        "overdue", "climbed", "ordered", "unheard", "returned", "soon", "today",
    }  # fmt: skip
    assert alarm in told["alarms"]
    assert told["present"]["open"] > 100
    for item, number in told["counts"].items():
        assert len(program.get(f"/api/morning/{item}?size=500").json()["items"]) == min(number, 500)
        answer = leader.get(f"/morning/{item}")
        assert (answer.status_code, SCRIPT in answer.text) == (200, False)
    shown = leader.get("/morning")
    assert (shown.status_code, SCRIPT in shown.text, f"/alarms/{alarm}" in shown.text) == (200, False, True)
    assert leader.get(f"/morning?area={MEMBER_GRID}").status_code == 200
    assert leader.get("/morning/nonsense").status_code == 404
    assert program.get("/api/morning/nonsense").status_code == 422
    assert city.client(MEMBER).get("/api/morning").json()["present"]["open"] < told["present"]["open"]


def test_a_grid_that_had_more_than_usual_is_named_with_the_cases_that_it_counts(
    city: City, alarm: int, leader: TestClient
):
    told = city.client(LEADER).get("/api/morning").json()
    yesterday = clock.local(clock.now()).date() - timedelta(days=1)
    assert told["day"] == str(yesterday)
    for each in told["grids"]:
        asked = {"code": each["key"], "since": str(yesterday), "until": str(yesterday), "size": 500}
        assert len(city.client(LEADER).get("/api/incidents", params=asked).json()["items"]) == each["count"]
