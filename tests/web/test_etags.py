"""Who has seen a version may say so: nothing is sent twice, and nobody's change is lost."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from small_city import City, middle

from gridmgr.account.model import Role
from web import errors, etags


@pytest.fixture
def case(city: City) -> str:
    """Return the address of a new incident."""
    lon, lat = middle(1)
    told = {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"}
    answer = city.client(Role.ADMIN).post("/api/incidents", json=told)
    assert answer.headers["etag"] == '"1"'
    return answer.headers["location"]


def test_what_is_known_already_is_not_sent_again(city: City, case: str):
    client = city.client(Role.ADMIN)
    seen = client.get(case)
    assert (seen.headers["etag"], seen.headers["cache-control"]) == ('"1"', "private, no-cache")
    spared = client.get(case, headers={"If-None-Match": seen.headers["etag"]})
    assert (spared.status_code, spared.content, spared.headers["etag"]) == (304, b"", '"1"')
    client.post(f"{case}/moves", json={"action": "accept"})
    assert client.get(case, headers={"If-None-Match": seen.headers["etag"]}).headers["etag"] == '"2"'


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ('"1"', 304),
        ('W/"1"', 304),
        ('"7", W/"1" ,"9"', 304),
        ("*", 304),
        ('"2"', 200),
        ("1", 422),
        ('"1', 422),
    ],
)
def test_if_none_match_is_read_as_the_standard_says(city: City, case: str, known: str, status: int):
    assert city.client(Role.ADMIN).get(case, headers={"If-None-Match": known}).status_code == status


def test_a_step_on_what_somebody_else_has_changed_is_refused_and_shown_the_present(city: City, case: str):
    client = city.client(Role.ADMIN)
    seen = client.get(case).headers["etag"]
    first = client.post(f"{case}/moves", json={"action": "accept"}, headers={"If-Match": seen})
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    late = client.post(f"{case}/moves", json={"action": "accept"}, headers={"If-Match": seen})
    assert late.status_code == 412
    number = case.rpartition("/")[2]
    assert late.json()["details"] == {"etag": '"2"', "number": number, "state": "accepted", "seq": 2}
    by_number = client.post(f"{case}/moves", json={"action": "void", "expected_seq": 1})
    assert by_number.status_code == 409


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        ('"1"', 200),
        ('"5", "1"', 200),
        ("*", 200),
        ('W/"1"', 412),
        ('"2"', 412),
        ("", 422),
        ("1", 422),
        ("x,", 422),
    ],
)
def test_if_match_is_read_as_the_standard_says(city: City, case: str, seen: str, status: int):
    step = {"action": "accept"}
    answer = city.client(Role.ADMIN).post(f"{case}/moves", json=step, headers={"If-Match": seen})
    assert answer.status_code == status, answer.text


def test_of_two_people_at_once_one_wins_and_the_other_is_told(city: City, site: str, case: str):
    headers = {"Authorization": f"Bearer {city.tokens[Role.ADMIN]}", "If-Match": '"1"'}

    def step(action: dict) -> httpx.Response:
        return httpx.post(f"{site}{case}/moves", json=action, headers=headers)

    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(step, [{"action": "accept"}, {"action": "void", "payload": {"note": "x"}}] * 4)
        )
    assert sorted(each.status_code for each in answers) == [200] + [412] * 7
    won = next(each for each in answers if each.status_code == 200).json()["state"]
    assert {each.json()["details"]["state"] for each in answers if each.status_code == 412} == {won}


def test_a_route_may_insist_on_a_version():
    app = FastAPI()
    errors.install(app)

    @app.put("/api/thing")
    def change(match: etags.NeedsMatch) -> str:
        match.check(3)
        return "done"

    client = TestClient(app)
    assert client.put("/api/thing").status_code == 428
    assert client.put("/api/thing", headers={"If-Match": '"2"'}).status_code == 412
    assert client.put("/api/thing", headers={"If-Match": '"3"'}).status_code == 200
