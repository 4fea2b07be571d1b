"""Whose is this? The page, the part of it that follows the typing, and the API."""

import pytest
from small_city import SCRIPT, City

from gridmgr.account.model import Role


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_matter_and_its_department_are_named(city: City, headers):
    page = city.client(Role.GRID_MEMBER).get("/whose", params={"words": "垃圾没人收"}, headers=headers)
    assert page.status_code == 200
    assert "暴露垃圾" in page.text
    assert "环卫所" in page.text
    assert "/report?category=0201" in page.text
    assert ("<html" in page.text) is (not headers)


def test_what_nobody_knows_is_said_and_nothing_typed_is_run(city: City):
    page = city.client(Role.PLANNER).get("/whose", params={"words": SCRIPT})
    assert "没有找到" in page.text
    assert SCRIPT not in page.text
    assert city.client(Role.PLANNER).get("/whose", params={"words": "长" * 101}).status_code == 422
    assert city.client().get("/whose").status_code in (303, 401)


def test_programs_ask_the_same(city: City):
    found = city.client(Role.PLANNER).get("/api/whose", params={"words": "exposed rub"}).json()["matters"]
    assert [each["code"] for each in found] == ["0201"]


def test_the_report_begins_with_the_matter_chosen(city: City):
    page = city.client(Role.GRID_MEMBER).get("/report", params={"category": "0201"})
    assert '<option value="0201" selected>' in page.text
