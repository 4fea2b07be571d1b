"""One step for many cases: each taken or refused by itself, by program and by page."""

import re

from small_city import City, middle
from sqlalchemy import update

from gridmgr import db
from gridmgr.account.model import Role
from gridmgr.category.model import Category


def filed(city: City, cells: list[int]) -> list[str]:
    client, numbers = city.client(Role.COMMAND_CENTRE), []
    for cell in cells:
        lon, lat = middle(cell)
        body = {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"}
        numbers.append(client.post("/api/incidents", json=body).json()["number"])
    return numbers


def test_each_of_many_steps_says_what_became_of_it(city: City):
    near, far = filed(city, [0, 6])
    confirm = {"action": "attach", "payload": {}}
    moves = [
        {"number": near, "action": "hand_up", "payload": {"note": "办不了"}},
        {"number": near, "action": "hand_up", "payload": {}},
        {"number": far, "action": "hand_up", "payload": {"note": "办不了"}},
        {"number": "0", **confirm},
    ]
    answer = city.client(Role.GRID_MEMBER).post("/api/incidents/moves", json={"moves": moves})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert [each["status"] for each in told["outcomes"]] == [200, 403, 404, 404]
    assert (told["taken"], told["refused"]) == (1, 3)


def shown(client, csrf: str, numbers: list[str], step: str) -> list[str]:
    """Open the page for some cases; returns them as it would send them."""
    page = client.post(f"/incidents/bulk?step={step}", data={"csrf": csrf, "numbers": numbers}).text
    assert f"/incidents/bulk/{step}" in page
    return re.findall(r'name="cases" value="([^"]+)"', page)


def states(city: City, numbers: list[str]) -> list[str]:
    client = city.client(Role.ADMIN)
    return [client.get(f"/api/incidents/{number}").json()["state"] for number in numbers]


def test_the_page_asks_for_what_the_step_needs_and_tells_each_result(city: City):
    numbers = filed(city, [0, 1])
    client, csrf = city.browser(Role.COMMUNITY_CLERK)
    cases = shown(client, csrf, [*numbers, "0"], "accept")
    done = client.post("/incidents/bulk/accept", data={"csrf": csrf, "cases": cases, "met": ["0201"]})
    assert done.status_code == 200
    assert states(city, numbers) == ["accepted", "accepted"]
    assert "alert warn" not in done.text


def test_a_condition_that_nobody_has_ticked_is_not_taken_for_met(city: City):
    numbers = filed(city, [0, 1])
    with db.transaction(city.engine) as session:
        session.execute(update(Category).values(filing_condition="现场可见"))
    client, csrf = city.browser(Role.COMMUNITY_CLERK)
    cases = shown(client, csrf, numbers, "accept")
    done = client.post("/incidents/bulk/accept", data={"csrf": csrf, "cases": cases, "met": ["0101"]})
    assert states(city, numbers) == ["reported", "reported"]
    assert all(f'name="numbers" value="{number}"' in done.text for number in numbers)  # to go on with


def test_a_case_somebody_else_has_moved_meanwhile_is_left_as_it_is_and_told(city: City):
    one, other = filed(city, [0, 1])
    client, csrf = city.browser(Role.COMMUNITY_CLERK)
    cases = shown(client, csrf, [one, other], "accept")
    talked = {"action": "hand_up", "payload": {"note": "请街道看"}}
    assert (
        city.client(Role.COMMAND_CENTRE).post(f"/api/incidents/{one}/moves", json=talked).status_code == 200
    )
    done = client.post("/incidents/bulk/accept", data={"csrf": csrf, "cases": cases, "met": ["0201"]})
    assert "alert warn" in done.text
    assert states(city, [one, other]) == ["reported", "accepted"]


def test_nothing_chosen_is_said_in_words(city: City):
    client, csrf = city.browser(Role.COMMUNITY_CLERK)
    assert 'class="nothing"' in client.post("/incidents/bulk", data={"csrf": csrf}).text
