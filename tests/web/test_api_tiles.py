"""Tiles: each caller's own, kept for good, and warm ones without the database."""

import math
from collections.abc import Iterator

import pytest
from small_city import MEMBER_GRID, OTHER_GRID, City, middle
from sqlalchemy import event

from gridmgr.account.model import Role
from web import packed as packing
from web.interop import tiles
from web.remembered import Remembered


def address(city: City, cell: int, level: str = "micro_grid", zoom: int = 12) -> str:
    """Return the address of the tile that holds the middle of a cell."""
    lon, lat = middle(cell)
    n = 2**zoom
    x = int((lon + 180) / 360 * n)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)
    return f"/tiles/{level}/{city.stamp}/{zoom}/{x}/{y}.pbf"


@pytest.fixture
def statements(city: City) -> Iterator[list[str]]:
    """Return the list of what the database is asked from now on."""
    asked: list[str] = []

    def note(connection, cursor, statement, *_):
        asked.append(statement)

    event.listen(city.engine, "before_cursor_execute", note)
    yield asked
    event.remove(city.engine, "before_cursor_execute", note)


def test_a_tile_holds_the_units_its_caller_may_see_and_no_others(city: City):
    member = city.client(Role.GRID_MEMBER).get(address(city, 0)).content
    chief = city.client(Role.COMMAND_CENTRE).get(address(city, 0)).content
    assert MEMBER_GRID.encode() in member
    assert OTHER_GRID.encode() not in member
    assert OTHER_GRID.encode() in chief + city.client(Role.COMMAND_CENTRE).get(address(city, 4)).content


def test_two_scopes_never_share_a_tag(city: City):
    tags = {
        city.client(role).get(address(city, 0)).headers["etag"] for role in (Role.GRID_MEMBER, Role.ADMIN)
    }
    assert len(tags) == 2


def test_a_browser_may_keep_a_tile_for_good_but_only_for_its_own_caller(city: City):
    answer = city.client(Role.ADMIN).get(address(city, 0))
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["vary"] == "Cookie, Authorization, Accept-Encoding"
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"


def test_a_warm_tile_asks_the_database_nothing(city: City, statements: list[str]):
    client = city.client(Role.PLANNER)
    first = client.get(address(city, 0))
    assert statements
    statements.clear()
    again = client.get(address(city, 0))
    known = client.get(address(city, 1, zoom=14), headers={"If-None-Match": first.headers["etag"]})
    assert (again.content, known.status_code, statements) == (first.content, 304, [])


def test_a_tile_is_kept_packed_and_sent_as_its_caller_can_read_it(city: City, monkeypatch):
    monkeypatch.setattr(packing, "LEAST", 10)
    tiles.tiles.clear()
    client = city.client(Role.ADMIN)
    small, plain = (
        client.get(address(city, 2), headers={"Accept-Encoding": told}) for told in ("br, gzip", "identity")
    )
    assert [each.headers.get("content-encoding") for each in (small, plain)] == ["gzip", None]
    assert small.content == plain.content
    assert MEMBER_GRID[:6].encode() in plain.content


def test_who_calls_is_asked_again_after_a_while(city: City, statements: list[str], monkeypatch):
    client = city.client(Role.PLANNER)
    client.get(address(city, 0))
    statements.clear()
    monkeypatch.setattr(tiles.callers, "_seconds", -1.0)
    client.get(address(city, 0))
    assert any("api_token" in statement for statement in statements)


@pytest.mark.parametrize("level", ["street", "community", "micro_grid"])
def test_units_are_there_however_far_away_one_looks(city: City, level: str):
    assert b"510106" in city.client(Role.ADMIN).get(address(city, 0, level, 8)).content


def test_where_nothing_lies_the_tile_is_empty_and_kept(city: City):
    answer = city.client(Role.ADMIN).get(f"/tiles/street/{city.stamp}/12/0/0.pbf")
    assert (answer.status_code, answer.content) == (200, b"")
    assert city.client(Role.ADMIN).get(address(city, 0, "building", 8)).content == b""


@pytest.mark.parametrize(
    "wrong", ["planet/{s}/1/0/0", "street/9.abc/1/0/0", "street/é%0d%0aX:1/1/0/0", "street/{s}/21/0/0",
              "street/{s}/1/2/0", "street/{s}/1/-1/0", "street/{s}/1/0/99999999999999999999"],
)  # fmt: skip
def test_what_is_no_tile_is_not_found(city: City, wrong: str):
    answer = city.client(Role.ADMIN).get(f"/tiles/{wrong.format(s=city.stamp)}.pbf")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("cache-control", "")


def test_a_map_not_drawn_yet_is_never_kept_as_empty(city: City, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gridmgr.hierarchy.queries.has_tiles", lambda *_: False)
    answer = city.client(Role.ADMIN).get(f"/tiles/street/{city.stamp}/12/1/1.pbf")
    assert answer.status_code == 503
    assert "cache-control" not in answer.headers


def test_what_was_used_longest_ago_makes_room():
    memory = Remembered(10, len)
    memory.put("a", b"1234")
    memory.put("b", b"1234")
    assert memory.get("a") == b"1234"
    memory.put("c", b"1234")
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (b"1234", None, b"1234")
    memory.put("huge", b"x" * 11)
    assert memory.get("huge") is None
