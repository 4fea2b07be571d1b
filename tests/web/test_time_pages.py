"""The past, comparisons and the wall over the web: in every form, within the scope, whatever is typed."""

import pytest
from small_city import SCRIPT, WEST

from gridmgr.account.model import Role
from web import words

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
