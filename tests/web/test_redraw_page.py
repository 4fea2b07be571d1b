"""Redrawing on the page and over the API."""

import pytest
from small_city import SCRIPT

from gridmgr.account.rules import Role

pytestmark = pytest.mark.db


@pytest.fixture
def community(city) -> str:
    return city.client(Role.PLANNER).get("/api/grids?level=community").json()["items"][0]["code"]


def test_a_planner_sees_today_then_proposals_or_why_there_are_none(city, community):
    client, _ = city.browser(Role.PLANNER)
    client.cookies.set("lang", "en")
    assert "Ask for balanced micro-grids" in client.get("/redraw").text
    today = client.get("/redraw", params={"community": community})
    assert today.status_code == 200 and SCRIPT not in today.text and "Micro-grids today" in today.text
    for params in (
        {"number": 2},
        {"number": 150},
        {"number": 2, "by": "<img onerror>"},
        {"by": "foo"},
        {"number": 2, "locked": ["x", "x"]},
        {"locked": "x", "number": 3},
    ):
        page = client.get("/redraw", params={"community": community} | params)
        assert page.status_code == 200, page.text[-600:]
        assert 'role="alert"' in page.text or "Off the mean" in page.text
        assert "<img onerror" not in page.text
    assert "no unit" in client.get("/redraw", params={"community": "<img onerror>"}).text


def test_programs_get_proposals_and_who_may_not_ask_gets_none(city, community):
    path = f"/api/redraw/{community}/proposals?number=1"
    answer = city.client(Role.PLANNER).get(path)
    grids = answer.json()["proposals"][0]["grids"]
    assert [each["geometry"]["type"] for each in grids] == ["Polygon"]
    assert city.client(Role.GRID_MEMBER).get(path).status_code == 403
    assert city.client().get(path).status_code == 401


def test_the_level_leaves_the_house_only_with_who_may_take_it(city, community):
    path = f"/api/redraw/{community}/proposal.geojson?number=1"
    assert city.client(Role.PLANNER).get(path).status_code == 200
    assert city.client(Role.STREET_LEADER).get(path).status_code == 403
    for role, offered in ((Role.PLANNER, True), (Role.STREET_LEADER, False)):
        page = city.browser(role)[0].get("/redraw", params={"community": community, "number": 1})
        assert page.status_code == 200 and (path.partition("?")[0] in page.text) == offered
