"""The way down on the command map: which unit a click means, and what is seen of it at a glance."""

import pytest
from small_city import EAST, MEMBER_GRID, SCRIPT, WEST, middle

from gridmgr.account.model import Role
from gridmgr.glance.model import Below, Cases
from web.pages import colouring
from web.pages.drill import ordered
from web.pages.drilling import clicked
from web.pages.map_table import classes

HERE = {"street": "S", "community": "SC", "micro_grid": "SCM", "building": "SCB"}


@pytest.mark.parametrize(
    ("zoom", "drilled", "meant"),
    [
        (11, None, "S"), (13.5, None, "SC"), (15, None, "SCM"), (18, None, "SCB"),
        (11, "S", "SC"), (18, "S", "SC"), (18, "SC", "SCM"), (16, "SCM", "SCB"), (18, "SCB", "SCB"),
        (13.5, "elsewhere", "SC"),
    ],
)  # fmt: skip
def test_a_click_means_the_next_level_inside_and_what_can_be_aimed_at_elsewhere(zoom, drilled, meant):
    assert clicked(HERE, zoom, drilled) == meant


def test_a_click_between_buildings_means_their_grid_and_one_beside_the_map_nothing():
    assert clicked(HERE | {"building": None}, 18, "SCM") == "SCM"
    assert clicked({}, 12, None) is None


def test_units_are_ordered_by_any_column_and_what_is_unknown_stands_last():
    below = [
        Below("a", "甲", 5, None, Cases(3, 1)), Below("b", "乙", None, None, Cases(9, 2)),
        Below("c", "丙", 7, None, Cases()),
    ]  # fmt: skip

    def codes(sort: str) -> str:
        return "".join(each.code for each in ordered(below, sort))

    assert [codes(each) for each in ("", "-code", "-open", "-households", "households", "nonsense")] == [
        "abc", "cba", "bac", "cab", "acb", "abc",
    ]  # fmt: skip


def test_classes_of_one_colour_are_told_apart_in_the_table():
    entries = [
        {"value": value, "label": label, "colour": colour, "mark": mark}
        for value, label, colour, mark in colouring.SCALES["trend"](None)
    ]
    values, none = classes({"entries": entries, "values": {each["value"]: each["value"] for each in entries}})
    assert [values[each["value"]] for each in entries] == [
        (n, each["label"]) for n, each in enumerate(entries)
    ]
    assert none == (len(entries), "—")


pytestmark = pytest.mark.db


def test_the_whole_lists_its_streets_and_a_building_its_record(as_role):
    client = as_role(Role.COMMAND_CENTRE)
    whole = client.get("/map/drill").text
    assert f'data-drill="{WEST}"' in whole and f'data-drill="{EAST}"' in whole
    grid = client.get(f"/map/drill?code={MEMBER_GRID}").text
    assert SCRIPT not in grid and "&lt;script&gt;" in grid
    building = client.get(f"/map/drill?code={WEST}00100000").text
    assert "楼栋档案" in building
    assert client.get("/map/drill?code=nowhere").status_code == 200
    lon, lat = middle(0)
    found = client.get(f"/map/at?lon={lon}&lat={lat}&zoom=14&code={WEST}").json()
    assert found == {"code": WEST + "001", "said": None}
    assert client.get("/map/at?lon=0&lat=0&zoom=14").json()["code"] is None


def test_a_member_drills_no_further_than_the_own_area(as_role):
    client = as_role(Role.GRID_MEMBER)
    whole = client.get("/map/drill").text
    assert WEST in whole and EAST not in whole
    assert client.get(f"/map/drill?code={EAST}001").text.count("没有这个辖区") == 1
    lon, lat = middle(5)
    assert client.get(f"/map/at?lon={lon}&lat={lat}&zoom=14").json()["code"] is None


def test_a_member_searches_the_own_area_alone(as_role):
    client, leader = as_role(Role.GRID_MEMBER), as_role(Role.COMMAND_CENTRE)
    assert "data-code" not in client.get(f"/map/search?q={EAST}001").text
    assert f'data-code="{EAST}001"' in leader.get(f"/map/search?q={EAST}001").text
    nasty = leader.get("/map/search", params={"q": "script"}).text
    assert SCRIPT not in nasty and "&lt;script&gt;" in nasty


def test_the_colours_are_a_table_and_a_file_within_the_own_area(as_role):
    client = as_role(Role.GRID_MEMBER)
    for way in ("count", "hotspot", "none"):
        page = client.get(f"/map/table?colour={way}&level=micro_grid&sort=-cases").text
        assert MEMBER_GRID in page and EAST not in page
    office = as_role(Role.COMMAND_CENTRE)
    lines = office.get("/map/table.csv?colour=count").text.splitlines()
    assert len(lines) == 9
    assert lines[1].startswith(f"{MEMBER_GRID},") and lines[1].endswith(",1,1 件")
    assert office.get("/map/table.csv?colour=grade").status_code == 200


def test_a_position_is_switched_on_sent_and_seen(city, as_role):
    member, leader = as_role(Role.GRID_MEMBER), as_role(Role.STREET_LEADER)
    lon, lat = middle(0)
    here = {"lon": lon, "lat": lat, "datum": "wgs84"}
    assert member.post("/api/positions", json=here).status_code == 409
    assert member.put("/api/positions/sharing", json={"shared": True}).json()["shared"]
    assert member.post("/api/positions", json=here | {"datum": "mars"}).status_code == 422
    assert member.post("/api/positions", json=here).json()["sent_at"]
    assert [each["code"] for each in leader.get("/api/positions").json()["items"]] == [MEMBER_GRID]
    assert leader.get("/map/positions").json()["items"][0]["ago"] == "刚刚"
    assert SCRIPT not in leader.get("/positions").text
    assert member.get("/positions").status_code == 403
    client, csrf = city.browser(Role.GRID_MEMBER)
    off = client.post("/positions/mine", data={"csrf": csrf})
    assert 'data-sharing="off"' in off.text
    assert leader.get("/api/positions").json()["items"] == []
