"""One step for many cases: each taken or refused by itself, by program and by page."""

import re

from small_city import City, middle

from gridmgr.account.model import Role


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


def test_the_page_asks_for_what_the_step_needs_and_tells_each_result(city: City):
    one, other = filed(city, [0, 1])
    client, csrf = city.browser(Role.COMMUNITY_CLERK)
    shown = client.post("/incidents/bulk", data={"csrf": csrf, "numbers": [one, other, "0"]})
    assert shown.status_code == 200
    assert re.search(r"/incidents/bulk/accept", shown.text)
    done = client.post(
        "/incidents/bulk/accept", data={"csrf": csrf, "numbers": [one, other], "checked": "yes"}
    )
    assert done.status_code == 200
    again = client.post("/incidents/bulk/accept", data={"csrf": csrf, "numbers": [one], "checked": "yes"})
    assert "alert warn" in again.text
    states = {city.client(Role.ADMIN).get(f"/api/incidents/{n}").json()["state"] for n in (one, other)}
    assert states == {"accepted"}
    assert "alert warn" not in done.text


def test_nothing_chosen_is_said_in_words(city: City):
    client, csrf = city.browser(Role.COMMUNITY_CLERK)
    assert 'class="nothing"' in client.post("/incidents/bulk", data={"csrf": csrf}).text
