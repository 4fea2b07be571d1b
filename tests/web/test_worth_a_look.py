"""Grades and flags over HTTP, found in records made by the real verbs; who sees them, and who may say what."""

from datetime import date, timedelta

import pytest
from small_city import EAST, MEMBER_GRID, SCRIPT, WEST, City, middle
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from gridmgr import clock, db
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.attachment import service as attachment
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.flag import service as flag
from gridmgr.flag.model import FlagReview
from gridmgr.grading import service as grading
from gridmgr.incident import service as incident
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source
from gridmgr.reactions import REACTIONS
from gridmgr.simulation import oddities, photos

LEADER, CENTRE, MEMBER, ADMIN = Role.STREET_LEADER, Role.COMMAND_CENTRE, Role.GRID_MEMBER, Role.ADMIN
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(scope="module")
def odd(city: City) -> None:
    """Let the member leave records that are worth a look, and a quiet colleague some that are not."""
    start = clock.midnight(clock.today() - timedelta(days=1)) + 9 * HOUR
    with db.transaction(city.engine, REACTIONS) as session:
        session.execute(update(Category).values(simple=True, closing_needs=["photo"]))
        kind = matters.by_code(session, "0201").id
        member = accounts.actor(session, MEMBER)
        for username, code in (("west", WEST), ("east", EAST)):
            account_service.open_account(
                session, username, username, "a long password", [Grant(LEADER, code)]
            )

        def told(at, what: str, cell: int = 0) -> str:
            with clock.travel(at):
                report = Report(*middle(cell), "wgs84", kind, Source.PATROL, what, reported_at=at)
                return intake.report(session, member, report).number

        def settled(number: str, at, photo: bytes) -> None:
            with clock.travel(at):
                stored = attachment.store(session, member, "a.jpg", photo)
                files = [{"sha256": stored.sha256, "name": "a.jpg"}]
                incident.move(
                    session, member, number, Action.SETTLE, {"note": "清完", "files": files, "checked": True}
                )

        picture = photos.photo(1, 1)
        shown = [picture, picture, oddities._saved_again(picture)]
        for n, photo in enumerate(shown):
            settled(told(start + n * HOUR, f"第 {n} 处垃圾"), start + n * HOUR + MINUTE, photo)
        for n in range(12):
            told(start + 5 * HOUR + n * MINUTE, f"同一段话 {SCRIPT}" if n % 2 else f"各不相同 {n}")
        flag.find(session, days=3)
        assert flag.find(session, days=3) == 0  # the same is flagged once


def test_each_pattern_is_found_with_its_cases_and_what_was_counted(city: City, odd: None):
    found = {each["kind"]: each for each in city.client(CENTRE).get("/api/flags").json()["items"]}
    assert set(found) == {"instant", "flood", "reused", "alike", "copied"}
    assert (found["instant"]["evidence"]["n"], len(found["instant"]["cases"])) == (3, 3)
    assert found["flood"]["evidence"]["n"] == 12
    assert len(found["reused"]["cases"]) == 2
    assert found["alike"]["evidence"]["bits"] <= 4
    assert found["copied"]["evidence"]["n"] == 6
    assert {each["name"] for each in found.values()} == {found["flood"]["name"]}
    assert all(each["verdict"] is None for each in found.values())


def test_only_those_who_lead_the_area_see_a_flag_and_never_the_person_concerned(city: City, odd: None):
    for role in set(Role) - {LEADER, CENTRE, ADMIN}:
        assert city.client(role).get("/api/flags").status_code == 403
        assert city.client(role).get("/flags").status_code == 403
    with db.transaction(city.engine) as session:
        seen = {
            name: len(flag.queries.page(session, accounts.actor(session, name), 50))
            for name in ("west", "east")
        }
        session.execute(text("UPDATE flag SET account_id = :me"), {"me": accounts.actor(session, "west").id})
        session.flush()
        concerned = accounts.actor(session, "west")
        assert flag.queries.page(session, concerned, 50) == []
        session.rollback()
    assert (seen["west"], seen["east"]) == (5, 0)


def test_a_review_says_who_found_what_and_stays(city: City, odd: None):
    client = city.client(CENTRE)
    first = client.get("/api/flags", params={"kind": "flood"}).json()["items"][0]["id"]
    path = f"/api/flags/{first}/reviews"
    assert client.post(path, json={"verdict": "talked", "note": ""}).status_code == 422
    assert client.post(path, json={"verdict": "odd", "note": "x"}).status_code == 422
    done = client.post(path, json={"verdict": "talked", "note": f"已提醒 {SCRIPT}"}).json()
    assert (done["verdict"], done["reviews"][0]["seq"]) == ("talked", 1)
    again = client.post(path, json={"verdict": "dismissed", "note": "集中整治日"}).json()
    assert [each["verdict"] for each in again["reviews"]] == ["talked", "dismissed"]
    assert client.get("/api/flags", params={"kind": "flood"}).json()["items"] == []
    assert len(client.get("/api/flags", params={"standing": "reviewed"}).json()["items"]) == 1
    with pytest.raises(DBAPIError), db.transaction(city.engine) as session:
        session.execute(update(FlagReview).values(note="anders"))
    assert client.post("/api/flags/99999/reviews", json={"verdict": "talked", "note": "x"}).status_code == 404


def test_the_page_presumes_nothing_and_shows_names_as_text(city: City, odd: None):
    client, csrf = city.browser(LEADER)
    page = client.get("/flags")
    assert page.status_code == 200
    assert "值得一看" in page.text
    assert SCRIPT not in page.text
    number = page.text.partition('id="flag-')[2].partition('"')[0]
    empty = client.post(f"/flags/{number}/reviews", data={"csrf": csrf, "verdict": "talked", "note": " "})
    assert empty.status_code == 422
    assert "核查情况" in empty.text
    done = client.post(
        f"/flags/{number}/reviews", data={"csrf": csrf, "verdict": "referred", "note": "请核实"}
    )
    assert done.status_code == 303
    assert "请核实" in client.get("/flags?standing=reviewed").text
    assert client.post("/flags/find", data={"csrf": csrf}).status_code == 303


def test_terms_of_flags_hold_from_their_day_and_wrong_ones_are_named(city: City, odd: None):
    admin, csrf = city.browser(ADMIN)
    form = {name: str(term.usual) for name, term in flag.rules.TERMS.items()} | {"csrf": csrf}
    form["effective"] = clock.today().isoformat()
    wrong = admin.post("/flags/terms", data=form | {"flood_least": "zehn"})
    assert (wrong.status_code, "zehn" in wrong.text) == (422, True)
    assert admin.post("/flags/terms", data=form | {"effective": "morgen"}).status_code == 422
    assert admin.post("/flags/terms", data=form | {"flood_least": "500"}).status_code == 303
    assert city.client(CENTRE).get("/api/flags/terms").json()["terms"]["flood_least"] == 500
    assert (
        city.client(CENTRE)
        .post("/api/flags/terms", json={"effective": "2026-01-01", "terms": {}})
        .status_code
        == 403
    )


def test_grades_give_their_reasons_and_are_the_same_for_everybody(city: City, odd: None):
    found = city.client(CENTRE).get("/api/grades").json()["items"]
    assert len(found) == 8
    worst = found[0]
    assert worst["code"] == MEMBER_GRID
    assert worst["points"] >= found[-1]["points"]
    own = city.client(MEMBER).get("/api/grades").json()["items"]
    assert own == [worst]
    assert city.client(MEMBER).get("/api/grades/kept").json()["items"] == []
    page = city.client(CENTRE).get("/grading")
    assert (page.status_code, SCRIPT in page.text, "map-data" in page.text) == (200, False, True)
    assert city.client(CENTRE).get("/grading?area=999&grade=odd").status_code == 200


def test_stricter_terms_make_a_grid_red_and_weeks_are_kept_once(city: City, odd: None):
    client = city.client(CENTRE)
    today = clock.today().isoformat()
    strict = {"effective": today, "terms": {"overdue": 0, "repeat_least": 2, "yellow_from": 0, "red_from": 0}}
    assert client.post("/api/grades/terms", json=strict).status_code == 201
    assert {each["grade"] for each in client.get("/api/grades").json()["items"]} == {"red"}
    assert client.post("/api/grades/terms", json=strict | {"terms": {"red_from": 1}}).status_code == 422
    with db.transaction(city.engine) as session:
        assert grading.keep(session) is not None
        assert grading.keep(session) is None
    kept = client.get("/api/grades/kept").json()["items"]
    assert (len(kept), kept[0]["grade"], kept[0]["patrols"]) == (8, "red", 14)
    with db.transaction(city.engine) as session, clock.travel(clock.now() - timedelta(days=7)):
        assert grading.keep(session) is not None
        weeks = grading.queries.weeks_counted(session, SYSTEM)
        assert [sum(counts.values()) for counts in weeks.values()] == [8, 8]
        (latest,) = grading.queries.weeks_counted(session, SYSTEM, MEMBER_GRID, most=1).items()
        assert latest == (date.fromisoformat(kept[0]["monday"]), {"red": 1, "yellow": 0, "green": 0})
    whole = client.get("/api/grades/kept").json()["items"]
    assert (len(whole), whole[:8]) == (16, kept)
    walked, more = [], {}
    while more is not None:
        page = client.get("/api/grades/kept", params={"size": 3} | more).json()
        walked += page["items"]
        more = {"cursor": page["next"]} if page["next"] else None
    assert walked == whole
    assert city.client(MEMBER).post("/api/grades/terms", json=strict).status_code == 403
    with pytest.raises(DBAPIError), db.transaction(city.engine) as session:
        session.execute(text("UPDATE grid_grade SET grade = 'green'"))
