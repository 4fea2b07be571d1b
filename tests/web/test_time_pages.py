"""The past, comparisons and the wall over the web: in every form, within the scope, whatever is typed."""

import csv
from datetime import timedelta

import pytest
from small_city import SCRIPT, WEST, middle

from gridmgr import clock
from gridmgr.account.model import Role
from web import words
from web.pages import colouring

pytestmark = pytest.mark.db
PERIOD = "from=2020-01-01T00:00&to=2999-01-01T00:00&step=week"
LATELY = "first_since=2020-01-01&second_since=2020-01-02&second_until=2999-01-01"


def recent(city) -> str:
    """The last day, in an address."""
    at = city.client(Role.COMMAND_CENTRE).get("/api/pulse").json()["at"][:10]
    return f"from={at}T00:00&to=2999-01-01T00:00&step=hour"


def test_a_period_comes_packed_and_within_the_scope(city) -> None:
    office, member = city.client(Role.COMMAND_CENTRE), city.client(Role.GRID_MEMBER)
    found = office.get(f"/api/map/timeline?{recent(city)}").json()
    assert sorted(found["cases"]["number"]) == sorted([city.member_case, city.other_case])
    assert member.get(f"/api/map/timeline?{recent(city)}").json()["cases"]["number"] == [city.member_case]
    assert office.get(f"/api/map/timeline?{recent(city)}").headers["vary"]
    refused = office.get(f"/api/map/timeline?{PERIOD.replace('week', 'hour')}")
    assert (refused.status_code, refused.json()["type"]) == (422, "about:blank#TooManySteps")


def test_the_past_and_comparisons_are_tables_too(city) -> None:
    office = city.client(Role.COMMAND_CENTRE, "en")
    assert office.get(f"/timeline?{recent(city)}").status_code == 200
    assert "Unfinished then" in office.get(f"/timeline.csv?{recent(city)}").text
    page = office.get(f"/compare?level=street&{LATELY}")
    assert page.status_code == 200
    assert SCRIPT not in page.text
    rows = office.get(f"/compare.csv?level=street&{LATELY}").text.splitlines()
    assert any(row.startswith(f"{WEST},") for row in rows)
    assert 'aria-sort="descending"' in page.text  # of the difference, in the file too
    assert "sort=-difference" in next(line for line in page.text.splitlines() if "/compare.csv" in line)
    told = office.get(f"/api/compare?level=street&{LATELY}").json()
    assert told["second"]["total"] == sum(each["second"] or 0 for each in told["units"]) == 2
    quiet = "first_since=2001-01-01&first_until=2001-01-07&second_since=2001-01-08&second_until=2001-01-14"
    assert (
        office.get(f"/compare?{quiet}").status_code == 200
    )  # nothing happened, so there is nothing to colour
    assert office.get("/api/compare?before=1&after=1").status_code == 422


@pytest.mark.parametrize("typed", ["", f"code={WEST}", "code=nowhere", "words=%3Cimg%20onerror%3E&until=x"])
def test_every_view_of_the_wall_shows_something(city, typed) -> None:
    client = city.client(Role.COMMAND_CENTRE)
    for kind in words.VIEWS:
        answer = client.get(f"/wall/view/{kind}?{typed}")
        assert answer.status_code == 200, answer.text
        assert SCRIPT not in answer.text
        assert "data-title" in answer.text
    assert client.get("/wall/view/nothing").status_code == 404


def test_a_hotspot_that_is_no_more_is_told_by_its_code_and_others_behind_their_community(
    city, monkeypatch
) -> None:
    found = {"values": {f"{WEST}001002": "3", "gone": "2"}, "palette": {}, "entries": []}
    monkeypatch.setitem(colouring.KINDS, "hotspot", lambda *_: found)
    text = city.client(Role.COMMAND_CENTRE).get("/wall/view/hotspots?until=2026-01-31").text
    assert f"<li>区{WEST}001 {WEST}001002</li><li>gone</li>" in text


def test_a_wall_is_its_address(city) -> None:
    client = city.client(Role.COMMAND_CENTRE)
    saved = f"http://testserver/?code={WEST}&overdue=true&then=2026-01-01T00:00"
    wall = client.get(
        "/wall", params={"view": ["open", "", "latest"], "narrow": [saved, "", WEST], "seconds": "1"}
    )
    assert f"/wall/view/open?code={WEST}" in wall.text
    assert f"/wall/view/latest?code={WEST}" in wall.text
    assert '"seconds": 5' in wall.text
    assert 'value="open" selected' in client.get("/wall/edit", params={"view": "open", "narrow": saved}).text


def test_the_table_of_a_period_is_told_by_either_order_of_time(city) -> None:
    office, now = city.client(Role.COMMAND_CENTRE, "en"), clock.local(clock.now())
    lon, lat = middle(1)
    body = {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"}
    body["reported_at"] = (now - timedelta(days=2)).isoformat()
    assert office.post("/api/incidents", json=body).status_code == 201
    period = f"from={now - timedelta(days=3):%Y-%m-%dT%H:%M}"
    texts = [office.get(f"/timeline.csv?{period}&by={by}").text for by in ("recorded", "occurred", "x")]
    known, happened, other = (list(csv.reader(text.splitlines())) for text in texts)
    assert known == other
    assert [row[2] for row in known[1:-1]] == ["0", "0", "0"]
    assert [row[2] for row in happened[1:-1]] == ["0", "0", "1"]
    page = office.get(f"/timeline?{period}&by=occurred&severity=2").text
    assert 'value="occurred" selected' in page
    assert 'name="severity" value="2"' in page
    assert "&amp;by=occurred" in page
