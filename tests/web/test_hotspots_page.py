"""Where it hurts, on the page, as a file and over the API."""

import json
from datetime import timedelta

import pytest
from small_city import SCRIPT, middle

from gridmgr import clock, db
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.category import queries as matters
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.reactions import REACTIONS
from web.pages.looks import LOOKS

pytestmark = pytest.mark.db
CALLS = {"gi": "", "trend": "/trend", "rates": "/rates", "density": "/density", "repeat": "/repeat"}


@pytest.fixture(scope="module", autouse=True)
def old_case(city):
    """File a case long ago, so that there are records of the periods that are compared."""
    with db.transaction(city.engine, REACTIONS) as session:
        kind = matters.by_code(session, "0201").id
        when = clock.now() - timedelta(days=60)
        intake.report(session, SYSTEM, Report(*middle(1), "wgs84", kind, Source.PATROL, reported_at=when))


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_look_is_shown_with_its_card(city, look, language):
    client, _ = city.browser(Role.COMMAND_CENTRE)
    client.cookies.set("lang", language)
    page = client.get("/hotspots", params={"look": look})
    assert page.status_code == 200 and SCRIPT not in page.text
    assert {"zh": "不能说明什么", "en": "What it cannot say"}[language] in page.text
    part = client.get("/hotspots", params={"look": look}, headers={"hx-request": "true"})
    assert part.text.lstrip().startswith('<div id="found">')
    shown = part.text.partition('id="shown">')[2].partition("</script>")[0]
    assert isinstance(json.loads(shown), dict)


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_comes_as_a_file_with_its_card(city, look):
    client, _ = city.browser(Role.COMMAND_CENTRE)
    file = client.get("/hotspots.csv", params={"look": look})
    assert file.status_code == 200 and "不能说明什么" in file.content.decode("utf-8-sig")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("look=trend&since=2999-01-01", "begin on"),
        ("look=trend&since=2999-01-01&step=week", "counted in weeks"),
        ("since=2026-02-01&until=2026-01-01", "before the first day"),
        ("look=now&level=street", "too few units"),
        ("look=%3Cimg%20onerror%3E&level=moon&step=hour&base=moon&bandwidth=-1&least=x&sort=-nothing", "Getis-Ord"),
        ("look=density&code=%3Cimg%20onerror%3E", "no area with the code"),
    ],
)  # fmt: skip
def test_whatever_is_asked_gets_a_readable_answer(city, asked, said):
    client, _ = city.browser(Role.COMMAND_CENTRE)
    client.cookies.set("lang", "en")
    page = client.get(f"/hotspots?{asked}")
    assert page.status_code == 200, page.text[-900:]
    assert said in page.text and "<img onerror" not in page.text


def test_programs_are_told_the_same(as_role):
    answers = {name: as_role(Role.COMMAND_CENTRE).get("/api/hotspots" + path) for name, path in CALLS.items()}
    assert {answer.status_code for answer in answers.values()} == {200}
    bodies = {name: answer.json() for name, answer in answers.items()}
    for body in bodies.values():
        assert body["card"]["incidents"] >= 0 and len(body["told"]) > 6
    assert sum(unit["count"] for unit in bodies["gi"]["units"]) == 3
    assert len(bodies["trend"]["units"][0]["steps"]) == len(bodies["trend"]["periods"]) == 30
    assert {unit["few"] for unit in bodies["rates"]["units"]} <= {True, False}
    assert bodies["density"]["areas"]["type"] == "FeatureCollection"
    assert bodies["repeat"] | {"items": [], "next": None} == bodies["repeat"]


def test_too_short_a_period_says_when_to_begin(as_role):
    answer = as_role(Role.COMMAND_CENTRE, language="en").get(
        "/api/hotspots/trend?since=2026-01-01&until=2026-01-05"
    )
    assert answer.status_code == 422 and "begin on 2025-12-27" in answer.json()["detail"]


@pytest.mark.parametrize("colour", ["hotspot", "emerging", "households", "area"])
def test_the_command_map_is_coloured_by_it(city, colour):
    client, _ = city.browser(Role.COMMAND_CENTRE)
    part = client.get("/map/colouring", params={"colour": colour})
    assert part.status_code == 200 and "不能说明什么" in part.text
    short = client.get("/map/colouring", params={"colour": "emerging", "since": "2999-01-01"})
    assert short.status_code == 200 and "至少要 10 期" in short.text
