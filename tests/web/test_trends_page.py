"""Trends over HTTP: every number of every kind has exactly as many cases behind it as it says."""

from datetime import timedelta

import pytest
from small_city import SCRIPT, WEST, City

from gridmgr import clock
from gridmgr.account.model import Role
from gridmgr.trend import rules
from gridmgr.trend.model import Kind

CENTRE, MEMBER = Role.COMMAND_CENTRE, Role.GRID_MEMBER
STEPS = (
    ("accept", {"checked": True}), ("dispatch", {"handler": "环卫所"}), ("handle", {}), ("feed_back", {"note": "清完"}),
    ("rework", {"note": "没清完"}), ("feed_back", {"note": "清完"}), ("verify", {}), ("close", {"checked": True}),
)  # fmt: skip


@pytest.fixture(scope="module")
def lived(city: City) -> str:
    """Lead one case to its end, with a rework; the other one stays open."""
    admin = city.client(Role.ADMIN)
    for action, payload in STEPS:
        done = admin.post(
            f"/api/incidents/{city.member_case}/moves", json={"action": action, "payload": payload}
        )
        assert done.status_code == 200, done.text
    return city.member_case


@pytest.mark.parametrize("kind", Kind)
def test_every_number_leads_to_as_many_cases(city: City, lived: str, kind: Kind):
    client = city.client(CENTRE)
    found = client.get(f"/api/trends/{kind}").json()
    assert found["cells"], kind
    for cell in found["cells"]:
        place = {name: cell[name] for name in ("series", "at", "part") if cell[name] is not None}
        behind = client.get(f"/api/trends/{kind}/cases", params=place).json()["items"]
        if cell["series"] != "moves":
            assert len(behind) == cell["count"], cell


def test_what_one_case_leaves_in_each_trend(city: City, lived: str):
    client, today = city.client(CENTRE), clock.today().isoformat()

    def cells(kind: str, **params) -> set[tuple]:
        found = client.get(f"/api/trends/{kind}", params=params).json()["cells"]
        return {(each["series"], each["at"], each["part"], each["count"]) for each in found}

    assert {
        ("reported", today, "市容", 2),
        ("closed", today, "市容", 1),
        ("open", today, "市容", 1),
    } <= cells("activity")
    assert {("cases", "fed_back", "handling", 1), ("moves", "handling", "fed_back", 2)} <= cells("flow")
    assert cells("loops") == {("closed", today, "large", 1)}
    assert cells("levels") == {("closed", today, "departments", 1)}
    assert ("worked", "0", "in_time", 1) in cells("handling")
    (worked, running) = client.get("/api/trends/handling").json()["spreads"]
    assert (worked["cases"], running["within"], running["limited"]) == (1, 1, 1)
    assert cells("ageing", code=WEST) == set()  # the open case lies in the east
    assert {("age_body", "0", "", 1), ("late_level", "free", "micro_grid", 1)} <= cells("ageing")
    long_ago = (clock.today() - timedelta(days=400)).isoformat()
    assert cells("flow", since=long_ago, until=long_ago) == set()


def test_a_member_sees_the_trend_of_the_own_grid_alone(city: City, lived: str):
    found = city.client(MEMBER).get("/api/trends/activity").json()["cells"]
    assert rules.MEASURES[0] in {each["series"] for each in found}
    assert sum(each["count"] for each in found if each["series"] == "reported") == 1


def test_wrong_questions_are_refused_in_words(city: City):
    client = city.client(CENTRE)
    assert client.get("/api/trends/odd").status_code == 422
    assert client.get("/api/trends/flow/cases", params={"series": "odd"}).status_code == 404
    late = {"series": "reported", "at": "not a day"}
    assert client.get("/api/trends/activity/cases", params=late).status_code == 404
    backward = {"since": "2026-02-01", "until": "2026-01-01"}
    assert client.get("/api/trends/flow", params=backward).status_code == 422


@pytest.mark.parametrize("kind", Kind)
def test_each_page_shows_its_numbers_as_a_table_and_names_as_text(city: City, lived: str, kind: Kind):
    page = city.client(CENTRE).get(f"/trends?kind={kind}")
    assert page.status_code == 200
    assert SCRIPT not in page.text
    assert page.text.count("<table") == page.text.count("data-chart=") > 0
    assert "function" not in page.text.partition('type="application/json"')[2].partition("</script>")[0]


def test_pages_of_nothing_and_of_nonsense_are_readable(city: City, lived: str):
    client = city.client(CENTRE)
    for query in (
        "since=1999-01-01&until=1999-02-01",
        "kind=odd&step=odd&measure=odd",
        "since=2026-02-01&until=2026-01-01",
    ):
        assert client.get(f"/trends?{query}").status_code == 200
    cases = client.get("/trends/cases?kind=flow&series=cases&at=fed_back&part=handling")
    assert lived in cases.text
    assert client.get("/trends/cases?kind=handling&series=worked&at=zzz").status_code == 200
    assert client.get("/trends/cases?kind=handling&series=odd").status_code == 404
