"""The list of boundary plans and the desk: who sees them, and that data stays text."""

import pytest
from small_city import SCRIPT, WEST

from gridmgr.account.rules import Role
from gridmgr.words import plan_desk
from web.pages.boundary_plans import AMISS, HOW

pytestmark = pytest.mark.db


def test_every_number_of_the_desk_is_known_by_its_word():
    assert set(HOW) == set(plan_desk.NUMBERS)
    assert set(AMISS) <= set(plan_desk.TOTALS)


def test_a_planner_opens_a_plan_and_comes_to_its_desk(city):
    client, csrf = city.browser(Role.PLANNER)
    assert "还没有网格方案" in client.get("/plans").text
    form = {"name": f"一{SCRIPT}", "area": WEST + "001", "csrf": csrf}
    desk = client.post("/plans", data=form).headers["location"]
    page = client.get(desk)
    assert page.status_code == 200 and SCRIPT not in page.text and "划转楼栋" in page.text
    listed = client.get("/plans").text
    assert desk in listed and SCRIPT not in listed
    refused = client.post("/plans", data=form | {"area": "<img onerror>"})
    assert (
        refused.status_code == 404 and 'role="alert"' in refused.text and "<img onerror" not in refused.text
    )
    assert client.post("/plans", data=form | {"name": " "}).status_code == 422
    assert client.post("/plans", data=form | {"csrf": "x"}).status_code == 403


def test_who_may_not_see_plans_sees_none(city):
    client, csrf = city.browser(Role.GRID_MEMBER)
    assert client.get("/plans").status_code == 403
    assert client.post("/plans", data={"name": "x", "csrf": csrf}).status_code == 403
    planner, _ = city.browser(Role.PLANNER)
    for path in (
        "/plans/999999",
        "/plans/0",
        "/plans/99999999999999999999",
        "/plans?before=99999999999999999999",
    ):
        assert planner.get(path).status_code in (404, 422)


def test_a_proposal_goes_on_as_a_plan(city):
    client, csrf = city.browser(Role.PLANNER)
    form = {"community": WEST + "001", "number": 1, "rank": 9, "csrf": csrf}
    desk = client.post("/plans/proposed", data=form).headers["location"]
    plan = client.get("/api" + desk).json()
    assert plan["totals"]["units"] == 1 and plan["can_undo"] and len(plan["changes"]["gone"]) > 0
    before = len(client.get("/api/plans").json()["items"])
    assert client.post("/plans/proposed", data=form | {"number": 150}).status_code == 422
    assert client.post("/plans/proposed", data=form | {"by": "<b>"}).status_code == 422
    assert (
        len(client.get("/api/plans").json()["items"]) == before
    )  # what is refused leaves no empty plan behind
