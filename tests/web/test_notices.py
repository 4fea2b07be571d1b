"""The pages and the API of notices: one's own only, safe to look at; what leaves the house is for administrators."""

import re

import pytest
from fastapi.testclient import TestClient
from small_city import SCRIPT, City
from sqlalchemy import select, update

from gridmgr import db
from gridmgr.account import queries as accounts
from gridmgr.account.model import Role
from gridmgr.notice import rules, service
from gridmgr.notice.model import Delivery, Kind, Message, Notice, Progress
from gridmgr.settings import settings

CASE = {
    "number": "202611270000042",
    "category_zh": "暴露垃圾",
    "category_en": "Exposed rubbish",
    "place": SCRIPT,
}


@pytest.fixture(autouse=True)
def fresh(city: City) -> None:
    """Nobody has been told anything yet."""
    with db.transaction(city.engine) as session:
        for table in (Delivery, Notice):
            session.query(table).delete()


def tell(city: City, role: Role, *kinds: Kind, **details) -> None:
    """Tell somebody."""
    with db.transaction(city.engine) as session:
        reader = accounts.by_username(session, role).id
        service.tell(session, [Message(reader, kind, None, CASE | details) for kind in kinds])


def page(city: City, role: Role, language: str = "zh") -> TestClient:
    """Return a browser of somebody whose forms carry the secret of their session."""
    browser, csrf = city.browser(role)
    browser.headers.update({"Accept": "text/html", "X-CSRF-Token": csrf})
    browser.cookies.set("lang", language)
    return browser


# ---- the inbox -----------------------------------------------------------------------------------


def test_an_inbox_shows_one_s_own_and_runs_nothing_in_it(city: City):
    tell(city, Role.PLANNER, Kind.MENTIONED, name=SCRIPT, note="{{7*7}} ${7*7} {number}")
    mine = page(city, Role.PLANNER).get("/notices").text
    assert SCRIPT not in mine
    assert "&lt;script&gt;" in mine
    assert "{{7*7}} ${7*7} {number}" in mine
    number = re.search(r'href="(/notices/\d+)"', mine)[1]
    assert page(city, Role.GRID_MEMBER).get(number).status_code == 404
    went = page(city, Role.PLANNER).get(number)
    assert (went.status_code, went.headers["location"]) == (303, "/incidents/202611270000042")
    assert city.client(Role.PLANNER).get("/api/notices/unread").json() == {"unread": 0}
    assert "202611270000042" not in page(city, Role.GRID_MEMBER).get("/notices").text


@pytest.mark.parametrize(("language", "words"), [("zh", "已结案"), ("en", "is closed")])
def test_an_inbox_speaks_the_reader_s_language(city: City, language: str, words: str):
    tell(city, Role.PLANNER, Kind.CLOSED)
    assert words in page(city, Role.PLANNER, language).get("/notices").text


def test_filters_stand_in_the_address_and_one_is_read_at_a_time(city: City):
    tell(city, Role.PLANNER, Kind.CLOSED, Kind.TOLD, Kind.REMIND)
    browser = page(city, Role.PLANNER)
    assert browser.get("/notices?kind=told").text.count('class="said"') == 1
    one = re.search(r'name="notice" value="(\d+)"', browser.get("/notices?kind=told").text)[1]
    answer = browser.post("/notices/read", data={"notice": one, "back": "?kind=told"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/notices?kind=told")
    assert browser.get("/notices?unread=true").text.count('class="said"') == 2
    browser.post("/notices/read", data={"kind": "remind"})
    assert browser.get("/notices?unread=true").text.count('class="said"') == 1


def test_an_inbox_is_walked_page_by_page(city: City):
    tell(city, Role.PLANNER, *[Kind.CLOSED])
    with db.transaction(city.engine) as session:
        reader = accounts.by_username(session, Role.PLANNER).id
        service.tell(
            session, [Message(reader, Kind.REMIND, None, {"number": f"N{n:03}"}) for n in range(120)]
        )
    browser, address, seen = page(city, Role.PLANNER), "/notices?kind=remind", []
    while address:
        shown = browser.get(address).text
        seen += re.findall(r"催办：(N\d+)", shown)
        more = re.search(r'href="(/notices\?[^"]*after=[^"]*)"', shown)
        address = more and more[1].replace("&amp;", "&")
    assert seen == [f"N{n:03}" for n in range(119, -1, -1)]


@pytest.mark.parametrize(
    "query",
    [
        "?kind=x",
        "?after=u",
        "?after=x9",
        "?after=u" + "9" * 40,
        "?unread=maybe",
        "?after=rü",
        "?kind=told&after=r1",
    ],
)
def test_strange_addresses_show_an_inbox_all_the_same(city: City, query: str):
    assert page(city, Role.PLANNER).get(f"/notices{query}").status_code == 200


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "?a\r\nSet-Cookie: x=1", "/login"]
)
def test_reading_leads_to_no_other_place(city: City, back: str):
    answer = page(city, Role.PLANNER).post("/notices/read", data={"back": back})
    assert answer.headers["location"] == "/notices"


def test_reading_needs_the_form_s_secret_and_reaches_one_s_own_only(city: City):
    tell(city, Role.PLANNER, Kind.CLOSED)
    with db.transaction(city.engine) as session:
        notice = session.scalars(select(Notice.id)).one()
    page(city, Role.GRID_MEMBER).post("/notices/read", data={"notice": notice})
    forged, _csrf = city.browser(Role.PLANNER)
    assert forged.post("/notices/read", data={"notice": notice}).status_code == 403
    assert city.client(Role.PLANNER).get("/api/notices/unread").json() == {"unread": 1}


# ---- wishes --------------------------------------------------------------------------------------


def test_what_is_ticked_is_wanted_and_what_is_fixed_stays(city: City, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings(), "smtp_url", "smtp://127.0.0.1:9")
    browser = page(city, Role.COMMUNITY_CLERK)
    assert (
        browser.post("/notices/wishes", data={"inbox": ["closed"], "email": ["closed", "told"]}).status_code
        == 303
    )
    shown = browser.get("/notices/wishes?done=wishes").text
    assert "接收设置已保存" in shown
    ticked = re.findall(r'name="(\w+)" value="(\w+)" checked', shown)
    fixed = {("inbox", kind.value) for kind in rules.WISHABLE if rules.KINDS[kind].important}
    assert {each for each in ticked if each[0] != "days"} == fixed | {
        ("inbox", "closed"), ("email", "closed"), ("email", "told"),
    }  # fmt: skip
    assert ("inbox", "taken_over") in fixed
    browser.post("/notices/wishes/address", data={"address": "clerk@city.example"})
    tell(city, Role.COMMUNITY_CLERK, Kind.REMIND, Kind.CLOSED)
    with db.transaction(city.engine) as session:
        assert session.scalars(select(Delivery.address)).all() == ["clerk@city.example"]


def test_an_address_that_is_none_is_shown_again_with_its_reason(city: City):
    answer = page(city, Role.COMMUNITY_CLERK).post("/notices/wishes/address", data={"address": 'x"><script>'})
    assert answer.status_code == 422
    assert "不是有效的邮箱地址" in answer.text
    assert 'x"><script>' not in answer.text


def test_a_test_mail_needs_a_server_and_an_address(city: City, monkeypatch: pytest.MonkeyPatch):
    browser = page(city, Role.GRID_LEADER)
    assert "尚未配置邮件服务器" in browser.post("/notices/wishes/test").text
    monkeypatch.setattr(settings(), "smtp_url", "smtp://127.0.0.1:9")
    assert "您还没有填写邮箱地址" in browser.post("/notices/wishes/test").text
    browser.post("/notices/wishes/address", data={"address": "leader@city.example"})
    assert browser.post("/notices/wishes/test").headers["location"] == "/notices/wishes?done=test"
    assert "等待投递" in browser.get("/notices/wishes").text


def test_wishes_are_the_same_in_the_api(city: City):
    client = city.client(Role.GRID_LEADER)
    wish = {"kind": "closed", "way": "email", "wanted": True}
    changed = client.put("/api/notices/wishes", json={"email": "leader@city.example", "wishes": [wish]})
    assert changed.json()["email"] == "leader@city.example"
    assert {**wish, "fixed": False} in client.get("/api/notices/wishes").json()["wishes"]
    assert client.put("/api/notices/wishes", json={"email": "leader"}).status_code == 422
    assert client.put("/api/notices/wishes", json={"email": ""}).json()["email"] is None


# ---- webhooks and the log ------------------------------------------------------------------------


def test_a_webhook_is_added_tried_paused_and_removed_and_its_secret_shown_once(city: City):
    browser = page(city, Role.ADMIN)
    added = browser.post("/notices/webhooks", data={"url": "http://127.0.0.1:9/a", "kinds": ["told"]}).text
    secret = re.search(r"whsec_[\w-]+", added)[0]
    shown = browser.get("/notices/webhooks").text
    assert "http://127.0.0.1:9/a" in shown
    assert secret not in shown
    number = re.findall(r"/notices/webhooks/(\d+)/test", shown)[-1]
    assert browser.post(f"/notices/webhooks/{number}/test").status_code == 303
    assert "测试消息" in browser.get(f"/notices/deliveries?webhook={number}").text
    browser.post(f"/notices/webhooks/{number}/pause")
    assert "已暂停" in browser.get("/notices/webhooks").text
    browser.post(f"/notices/webhooks/{number}/remove")
    assert f"/notices/webhooks/{number}/" not in browser.get("/notices/webhooks").text
    assert browser.post(f"/notices/webhooks/{number}/test").status_code == 404


@pytest.mark.parametrize("url", ["http://user:pw@host/", "javascript:alert(1)", "", '"><script>x</script>'])
def test_an_address_no_webhook_can_have_is_explained(city: City, url: str):
    answer = page(city, Role.ADMIN).post("/notices/webhooks", data={"url": url})
    assert answer.status_code == 422
    assert "不可用" in answer.text
    assert "<script>x" not in answer.text


def test_the_log_is_filtered_and_what_was_given_up_is_sent_again(city: City):
    admin, browser = city.client(Role.ADMIN), page(city, Role.ADMIN)
    hook = admin.post(
        "/api/webhooks", json={"url": "http://127.0.0.1:9/b", "kinds": ["told", "closed"]}
    ).json()
    tell(city, Role.PLANNER, Kind.TOLD, Kind.CLOSED, Kind.REMIND)
    with db.transaction(city.engine) as session:
        session.execute(update(Delivery).values(state=Progress.DEAD, last_error=SCRIPT, attempts=10))
    shown = browser.get("/notices/deliveries?state=dead").text
    assert SCRIPT not in shown
    assert shown.count("http://127.0.0.1:9/b") == 3  # two, and the filter that offers it
    found = admin.get("/api/deliveries", params={"state": "dead", "webhook_id": hook["id"]}).json()["items"]
    assert [each["kind"] for each in found] == ["closed", "told"]
    assert "secret" not in found[0]
    again = admin.post(f"/api/deliveries/{found[0]['id']}/replay")
    assert again.json() == {"replayed": 1}
    assert browser.post("/notices/deliveries/replay", data={"webhook": str(hook["id"])}).status_code == 303
    assert admin.get("/api/deliveries?state=dead").json()["items"] == []
    assert admin.post("/api/deliveries/replay", json={}).json() == {"replayed": 0}
    assert admin.post("/api/deliveries/999999/replay").status_code == 404
    admin.delete(f"/api/webhooks/{hook['id']}")


def test_nobody_but_an_administrator_sees_what_leaves_the_house(city: City):
    for role in set(Role) - {Role.ADMIN}:
        shown = page(city, role).get("/notices").text
        assert "/notices/webhooks" not in shown
        for path in ("/notices/deliveries", "/notices/webhooks"):
            assert page(city, role).get(path).status_code == 403
    assert "/notices/webhooks" in page(city, Role.ADMIN).get("/notices").text


# ---- quiet hours, short messages, robots ---------------------------------------------------------


def test_a_person_keeps_quiet_hours_and_a_phone_on_the_page_and_over_the_api(city: City):
    browser, client = page(city, Role.COMMUNITY_CLERK), city.client(Role.COMMUNITY_CLERK)
    kept = browser.post(
        "/notices/wishes/quiet", data={"begins": "21:30", "ends": "06:45", "days": ["0", "4"]}
    )
    assert kept.headers["location"] == "/notices/wishes?done=quiet"
    shown = browser.get("/notices/wishes").text
    assert 'name="begins" value="21:30"' in shown and 'name="ends" value="06:45"' in shown
    told = client.get("/api/notices/wishes").json()
    assert told["quiet"] == {"begins": "21:30", "ends": "06:45", "days": [0, 4]}
    wrong = browser.post("/notices/wishes/quiet", data={"begins": "21:30", "ends": "21:30", "days": ["0"]})
    assert wrong.status_code == 422 and "免打扰时段须有起止时间" in wrong.text
    told = client.put("/api/notices/wishes", json={"quiet": "none", "phone": "138 1234 5678"}).json()
    assert (told["quiet"], told["phone"], told["gateway"]) == (None, "13812345678", False)
    assert browser.post("/notices/wishes/phone", data={"phone": "<b>1"}).status_code == 422
    assert client.put("/api/notices/wishes", json={"phone": "12"}).status_code == 422
    assert browser.post("/notices/wishes/phone", data={"phone": ""}).status_code == 303
    assert client.get("/api/notices/wishes").json()["phone"] is None


def test_an_administrator_adds_a_robot_whose_key_and_secret_are_never_seen_again(city: City):
    browser, client = page(city, Role.ADMIN), city.client(Role.ADMIN)
    robot = {
        "url": "https://robot.example/send?access_token=TOKEN-X", "flavour": "dingtalk", "name": "荷花街道群",
        "secret": "SEC-SECRET", "area": "510", "kinds": ["taken_over"],
    }  # fmt: skip
    added = browser.post("/notices/webhooks", data=robot)
    assert added.status_code == 200 and "荷花街道群" in added.text
    for text in (
        added.text, browser.get("/notices/webhooks").text, browser.get("/notices/deliveries").text,
        client.get("/api/webhooks").text,
    ):  # fmt: skip
        assert "TOKEN-X" not in text and "SEC-SECRET" not in text
    listed = next(
        each for each in client.get("/api/webhooks").json()["items"] if each["name"] == "荷花街道群"
    )
    assert (listed["flavour"], listed["area"], listed["url"]) == (
        "dingtalk", "510", "https://robot.example/send?…",
    )  # fmt: skip
    assert browser.post("/notices/webhooks", data=robot | {"flavour": "json"}).status_code == 422
    made = client.post(
        "/api/webhooks", json={"url": "https://r.example/send?key=K", "flavour": "wecom"}
    ).json()
    assert (made["secret"], made["url"]) == ("", "https://r.example/send?…")
    tried = client.post(f"/api/webhooks/{made['id']}/test").json()
    assert (tried["way"], tried["address"]) == ("robot", "https://r.example/send?…")
    for each in (made["id"], listed["id"]):
        assert client.delete(f"/api/webhooks/{each}").status_code == 204
