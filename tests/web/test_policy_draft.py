"""The next table of limits and ladders, written on pages and over the API."""

import re

import pytest
from small_city import MEMBER_GRID, SCRIPT, City
from test_policies_page import TABLE, sent

from gridmgr import clock
from gridmgr.account.model import Role

DRAFT = "/policies/draft"


@pytest.fixture
def browser(city: City):
    """An administrator at the page of a draft that begins from a table in force."""
    today = clock.today().isoformat()
    assert sent(city, "/api/policies", TABLE, title="本区", effective=today).status_code == 201
    page, csrf = city.browser(Role.ADMIN)
    now = city.client(Role.ADMIN).get("/api/policies/draft").json()
    city.client(Role.ADMIN).delete("/api/policies/draft", params={"version": now["version"]})

    def post(path: str, fragment: bool = False, **fields):
        headers = {"hx-request": "true"} if fragment else {}
        named = {name.replace("__", "-"): value for name, value in fields.items()}
        return page.post(path, data={"csrf": csrf} | named, headers=headers, follow_redirects=False)

    page.say = post
    return page


HANDLE = {
    "category": "02", "severity": "", "holder": "", "stage": "handle", "amount": "", "unit": "", "version": "0",
    "r0__share": "50", "r0__act": "remind", "r0__level": "department", "r0__every": "2", "r0__every_unit": "hours",
    "r0__times": "3", "r0__when": "any", "r0__answer": "", "r0__answer_unit": "hours",
    "r1__share": "150", "r1__act": "supervise", "r1__level": "street", "r1__every": "", "r1__every_unit": "hours",
    "r1__times": "", "r1__when": "worked", "r1__answer": "8", "r1__answer_unit": "working_hours",
}  # fmt: skip


def test_the_draft_begins_from_the_table_in_force_and_is_kept_until_it_is_published(city: City, browser):
    first = browser.get(DRAFT)
    assert first.status_code == 200 and first.text.count('id="policy-') == 3
    assert browser.get(f"{DRAFT}/99").status_code == 200  # a new one
    saved = browser.say(f"{DRAFT}/3", op="save", **HANDLE)
    assert (saved.status_code, saved.headers["location"]) == (303, f"{DRAFT}#policy-3")
    api = city.client(Role.ADMIN)
    draft = api.get("/api/policies/draft").json()
    assert (draft["version"], draft["errors"], len(draft["policies"])) == (1, [], 4)
    assert draft["policies"][3]["rungs"][0] == {
        "share": "50%", "act": "remind", "level": "department", "every": "2 hours", "times": "3", "when": "any",
        "answer": "",
    }  # fmt: skip
    asked = {"category": "0201", "code": MEMBER_GRID, "at": "2026-11-20T08:30:00Z", "draft": True}
    courses = {
        each["stage"]: each for each in api.get("/api/policies/course", params=asked).json()["courses"]
    }
    assert [each["act"] for each in courses["handle"]["rungs"]] == ["remind"] * 3 + ["supervise"]
    again = browser.get(DRAFT, params={"category": "0201", "code": MEMBER_GRID, "since": "2026-11-20T16:30"})
    assert again.text.count('<ol class="timeline">') >= 2
    published = browser.say(
        DRAFT, op="publish", version="1", title="新阶梯", effective=clock.today().isoformat()
    )
    assert published.headers["location"] == f"/policies?at={clock.today()}"
    shown = browser.get("/policies", params={"at": clock.today().isoformat()}).text
    assert "新阶梯" in shown and "每隔 2 小时" in shown
    assert api.get("/api/policies/draft").json()["version"] == 0


def test_while_it_is_typed_the_page_says_what_is_wrong_and_what_would_happen(browser):
    look = browser.say(f"{DRAFT}/3", fragment=True, try_category="0201", try_code="", **HANDLE)
    assert look.status_code == 200 and "<form" not in look.text and 'id="policy-look"' in look.text
    assert "<ol" in look.text and '"true"><span class="late"' not in look.text  # no fault
    wrong = HANDLE | {"r1__answer": "", "r0__times": "99", "category": SCRIPT}
    told = browser.say(f"{DRAFT}/3", fragment=True, **wrong).text
    for place in ("fault-1-answer", "fault-0-times", "fault-p-category"):
        assert re.search(rf'id="{place}" hx-swap-oob="true"><span class="late">', told), place
    assert SCRIPT not in told
    page = browser.say(f"{DRAFT}/3", **wrong)
    assert page.status_code == 200 and page.text.count('aria-invalid="true"') == 3


def test_steps_are_added_moved_and_removed_by_buttons(browser):
    added = browser.say(f"{DRAFT}/3", fragment=True, op="add", **HANDLE).text
    assert added.count("<fieldset>") == 3 and added.startswith("{#") is False
    moved = browser.say(f"{DRAFT}/3", fragment=True, op="up:1", **HANDLE).text
    assert re.search(r'name="r0-share"[^>]*value="150"', moved)
    dropped = browser.say(f"{DRAFT}/3", fragment=True, op="drop:0", **HANDLE).text
    assert dropped.count("<fieldset>") == 1 and 'value="150"' in dropped
    for odd in ("drop:99", "up:x", "nothing", "down:1"):
        assert browser.say(f"{DRAFT}/3", fragment=True, op=odd, **HANDLE).text.count("<fieldset>") == 2


def test_nobody_overwrites_what_another_has_saved_meanwhile(city: City, browser):
    assert browser.say(f"{DRAFT}/0", op="save", **HANDLE).status_code == 303
    late = browser.say(f"{DRAFT}/0", op="save", **(HANDLE | {"r0__share": "40"}))
    assert late.status_code == 409 and 'role="alert"' in late.text
    assert 'value="40"' in late.text  # what was typed is not lost
    api = city.client(Role.ADMIN)
    assert api.put("/api/policies/draft", json={"version": 0, "policies": []}).status_code == 409
    assert api.delete("/api/policies/draft", params={"version": 7}).status_code == 409
    assert browser.say(DRAFT, op="remove:0", version="0").status_code == 409


def test_a_draft_with_faults_is_kept_but_not_published(city: City, browser):
    api = city.client(Role.ADMIN)
    policies = [{"stage": "accept", "rungs": [{"share": "100%", "act": "tell", "level": "moon"}]}]
    saved = api.put("/api/policies/draft", json={"version": 0, "policies": policies * 2}).json()
    assert [(each["policy"], each["rung"], each["column"]) for each in saved["errors"]][:2] == [
        (0, 0, "level"), (1, None, "stage"),
    ]  # fmt: skip
    assert (1, None, "stage") in [(each["policy"], each["rung"], each["column"]) for each in saved["errors"]]
    refused = api.post("/api/policies/draft/publish", json={"version": 1, "title": "坏表"})
    assert refused.status_code == 422
    assert browser.say(DRAFT, op="publish", version="1", title="坏表").status_code == 422
    assert browser.get(DRAFT).text.count("disabled data-locked") == 1
    for op in ("copy:0", "down:0", "up:1", "remove:2", "remove:99"):
        version = api.get("/api/policies/draft").json()["version"]
        assert browser.say(DRAFT, op=op, version=str(version)).status_code == 303, op
    assert len(api.get("/api/policies/draft").json()["policies"]) == 2
    version = api.get("/api/policies/draft").json()["version"]
    assert browser.say(DRAFT, op="discard", version=str(version)).status_code == 303
    assert api.post("/api/policies/draft/publish", json={"version": 0, "title": "无"}).status_code == 404


def test_only_who_manages_policies_writes_them(city: City, browser):
    for role in (Role.GRID_MEMBER, Role.COMMAND_CENTRE):
        assert city.client(role).get("/api/policies/draft").status_code == 403
        assert city.client(role).get(DRAFT).status_code == 403
