"""Policies and clocks over HTTP: the page of the administrator, the API, and the fragment of a case."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from small_city import MEMBER_GRID, SCRIPT, City
from sqlalchemy import text

from gridmgr import clock, db
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as matters
from gridmgr.escalation import service
from gridmgr.incident import service as incident
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action
from gridmgr.reactions import REACTIONS

MONDAY = datetime(2026, 9, 7, 1, tzinfo=UTC)
TABLE = (
    "category,severity,stage,amount,unit,share,act,level\n"
    ",,accept,0.5,working_hours,50%,remind,micro_grid\n,,accept,,,100%,take_over,community\n"
    ",,handle,,,80%,tell,street\n,,handle,,,150%,take_over,district\n02,3,verify,4,hours,,,\n"
)
WRONG = TABLE.replace("take_over,community", "take_over,moon").replace("80%", "1200%")


def sent(city: City, path: str, content: str, **fields):
    file = {"file": ("时限.csv", io.BytesIO(content.encode()), "text/csv")}
    return city.client(Role.ADMIN).post(path, files=file, data=fields)


@pytest.fixture(scope="module")
def published(city: City) -> City:
    answer = sent(city, "/api/policies", TABLE, title=f"本区{SCRIPT}", effective="2026-01-01")
    assert answer.status_code == 201, answer.text
    assert (answer.json()["policies"], answer.headers["location"]) == (3, "/api/policies?at=2026-01-01")
    return city


@pytest.fixture(scope="module")
def late_case(published: City) -> str:
    """A case of Monday that nobody accepted in time, and that was then taken in hand."""
    engine = published.engine
    with clock.travel(MONDAY), db.transaction(engine, REACTIONS) as session:
        category = matters.by_code(session, "0201").id
        told = Report(104.005, 30.605, "wgs84", category, "patrol", reported_at=MONDAY)
        number = intake.report(session, SYSTEM, told).number
    for hours, work in ((1, None), (1, Action.ACCEPT), (9, None)):
        with clock.travel(MONDAY + timedelta(hours=hours)), db.transaction(engine, REACTIONS) as session:
            if work:
                incident.move(session, SYSTEM, number, work, {"checked": True})
            else:
                service.sweep(session)
    return number


def test_a_table_is_looked_at_before_it_is_published(city: City):
    answer = sent(city, "/api/policies/preview", TABLE, effective="2026-01-01")
    body = answer.json()
    assert (answer.status_code, body["policies"], body["errors"]) == (200, 3, [])
    assert {each["kind"] for each in body["differences"]} <= {"added", "changed"}
    faults = sent(city, "/api/policies/preview", WRONG).json()["errors"]
    assert [(each["row"], each["column"], each["value"]) for each in faults] == [
        (3, "level", "moon"), (4, "share", "1200%"),
    ]  # fmt: skip


def test_a_table_with_errors_is_refused_whole(city: City):
    answer = sent(city, "/api/policies", WRONG)
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 2)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "\x00\x01", "category,stage\n"])
def test_what_is_no_such_table_is_refused(city: City, content: str):
    assert sent(city, "/api/policies", content).status_code == 422
    assert sent(city, "/api/policies/preview", content).status_code in (200, 422)


def test_policies_are_listed_page_by_page(published: City):
    client = published.client(Role.GRID_MEMBER)
    first = client.get("/api/policies", params={"size": 2}).json()
    rest = client.get("/api/policies", params={"size": 2, "cursor": first["next"]}).json()
    assert [each["stage"] for each in first["items"] + rest["items"]] == ["accept", "handle", "verify"]
    assert client.get("/api/policies", params={"at": "2025-01-01"}).json()["items"] == []


def test_the_course_of_a_case_is_told_before_there_is_one(published: City):
    asked = {"category": "0201", "code": MEMBER_GRID, "at": "2026-11-20T16:30:00+08:00"}
    courses = {
        each["stage"]: each
        for each in published.client(Role.ADMIN).get("/api/policies/course", params=asked).json()["courses"]
    }
    assert courses["handle"]["due_at"] == "2026-11-23T03:30:00Z"
    rungs = [(each["share"], each["at"], each["instead"]) for each in courses["handle"]["rungs"]]
    assert rungs == [(0.8, "2026-11-23T02:42:00Z", None), (1.5, "2026-11-23T07:30:00Z", None)]
    assert (
        published.client(Role.ADMIN).get("/api/policies/course", params={"category": "9"}).status_code == 404
    )


def test_the_clocks_of_a_case_show_what_was_climbed_and_what_is_to_come(late_case: str, published: City):
    clocks = published.client(Role.ADMIN).get(f"/api/incidents/{late_case}/clocks").json()["clocks"]
    assert [(each["stage"], each["state"]) for each in clocks] == [
        ("accept", "missed"),
        ("handle", "running"),
    ]
    accept, handle = clocks
    assert [each["climbed"]["act"] for each in accept["rungs"]] == ["remind", "take_over"]
    assert [bool(each["climbed"]) for each in handle["rungs"]] == [True, True]
    assert handle["left_minutes"] < 0
    assert published.client(Role.ADMIN).get("/api/incidents/0/clocks").status_code == 404


def test_a_case_elsewhere_shows_no_clocks(late_case: str, published: City):
    with db.transaction(published.engine) as session:
        session.execute(
            text(
                "UPDATE incident SET micro_grid_code = '510106002001001', community_code = '510106002001', "
                "street_code = '510106002' WHERE number = :n"
            ),
            {"n": late_case},
        )
    try:
        assert published.client(Role.GRID_MEMBER).get(f"/api/incidents/{late_case}/clocks").status_code == 404
    finally:
        with db.transaction(published.engine) as session:
            session.execute(
                text(
                    "UPDATE incident SET micro_grid_code = :m, community_code = left(:m, 12), "
                    "street_code = left(:m, 9) WHERE number = :n"
                ),
                {"n": late_case, "m": MEMBER_GRID},
            )


def test_the_auditor_answers_to_the_command_centre(late_case: str, published: City):
    found = published.client(Role.COMMAND_CENTRE).get("/api/clocks/unserved").json()
    assert set(found) == {"overdue", "missing", "uneven"}
    assert found["uneven"] == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_of_a_case_shows_its_clocks(late_case: str, published: City, language: str):
    page = published.client(Role.ADMIN, language).get(f"/incidents/{late_case}").text
    assert 'id="clocks"' in page
    words = {
        "zh": ("受理", "整案办理", "超时", "升级接管"),
        "en": ("Acceptance", "The whole case", "late", "Hand to"),
    }
    assert [word for word in words[language] if word not in page] == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_shows_the_table_and_the_course(published: City, language: str):
    client = published.client(Role.ADMIN, language)
    page = client.get(
        "/policies", params={"category": "0201", "code": MEMBER_GRID, "since": "2026-11-20T16:30"}
    )
    assert page.status_code == 200
    assert "2026-11-23 11:30" in page.text
    assert SCRIPT not in page.text
    assert client.get("/policies", params={"at": "2025-01-01"}).status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        {"category": "none"}, {"category": "0201", "code": "zzz"}, {"category": "0201", "since": "soon"}, {"at": "x"},
        {"at": "0001-01-01"}, {"category": "0201", "since": "9999-12-31T23:59"}, {"category": SCRIPT},
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_on_the_page(published: City, asked: dict):
    page = published.client(Role.ADMIN).get("/policies", params=asked)
    assert page.status_code in (404, 422)
    assert 'role="alert"' in page.text and SCRIPT not in page.text


def test_an_administrator_checks_a_table_then_publishes_it(published: City):
    browser, csrf = published.browser(Role.ADMIN)

    def post(content: str, **fields):
        file = {"file": ("<b>时限</b>.csv", io.BytesIO(content.encode()), "text/csv")}
        return browser.post("/policies/import", files=file, data={"csrf": csrf} | fields)

    assert post(WRONG).status_code == 422
    checked = post(TABLE.replace("0.5", "2"), do="check", effective="2027-01-01")
    assert checked.status_code == 200 and 'form="policies-form"' in checked.text
    count = "SELECT count(*) FROM policy_table"
    with db.transaction(published.engine) as session:
        before = session.scalar(text(count))
    done = post(TABLE.replace("0.5", "2"), do="publish", effective="2027-01-01", title="新表")
    assert done.status_code == 200
    with db.transaction(published.engine) as session:
        assert session.scalar(text(count)) == before + 1
    part = browser.post(
        "/policies/import", files={"file": ("x.csv", b"\xff\xfe", "text/csv")}, data={"csrf": csrf},
        headers={"hx-request": "true"},
    )  # fmt: skip
    assert part.status_code == 422 and "<html" not in part.text


def test_what_is_taken_away_can_be_brought_back(published: City):
    client = published.client(Role.ADMIN)
    book = client.get("/policies.xlsx", params={"at": "2026-06-01"})
    file = {"file": ("policies.xlsx", book.content, "application/octet-stream")}
    preview = client.post("/api/policies/preview", files=file, data={"effective": "2026-06-01"}).json()
    assert (preview["errors"], preview["differences"], preview["policies"]) == ([], [], 3)
