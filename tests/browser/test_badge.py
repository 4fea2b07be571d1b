"""The badge goes up while a page is open; the inbox follows, reads, and can be used by everybody."""

import pytest
from playwright.sync_api import Page, expect
from walking import NASTY, check_for_everybody, log_in, people_alone

from gridmgr import db
from gridmgr.account import queries as accounts
from gridmgr.notice import service
from gridmgr.notice.model import Kind, Message
from gridmgr.reactions import REACTIONS
from web import deps

pytestmark = [pytest.mark.browser, pytest.mark.db]


@pytest.fixture(scope="module")
def filled():
    """There are people, and nothing else."""
    return people_alone


@pytest.fixture(autouse=True)
def read_before(home: object) -> None:
    """Whatever another test told has been read."""
    with db.transaction(deps.engine(), REACTIONS) as session:
        for username in ("commander", "member"):
            service.read(session, accounts.actor(session, username))


def tell(username: str, kind: Kind = Kind.MENTIONED) -> None:
    """Tell somebody, as a verb in another process would."""
    with db.transaction(deps.engine(), REACTIONS) as session:
        reader = accounts.by_username(session, username).id
        details = {"number": "202611270000042", "name": "王芳", "note": NASTY}
        service.tell(session, [Message(reader, kind, None, details)])


def test_the_badge_goes_up_and_down_without_a_reload(page: Page) -> None:
    log_in(page)
    page.goto("/account")
    badge = page.locator(".bell b")
    expect(badge).to_be_hidden()
    page.evaluate("window.same = true")
    tell("commander")
    expect(badge).to_have_text("1")
    tell("member")
    tell("commander", Kind.TOLD)
    expect(badge).to_have_text("2")
    expect(page.get_by_role("link", name="2 条未读通知")).to_be_visible()
    other = page.context.new_page()
    other.goto("/notices")
    other.get_by_role("button", name="全部标为已读").click()
    expect(other.locator(".bell b")).to_be_hidden()
    page.bring_to_front()
    expect(badge).to_be_hidden()
    assert page.evaluate("window.same")


def test_an_open_inbox_shows_what_comes_and_reads_one(page: Page) -> None:
    log_in(page)
    page.goto("/notices?unread=true")
    expect(page.locator(".nothing")).to_be_visible()
    tell("commander")
    tell("commander", Kind.TOLD)
    expect(page.locator(".inbox li")).to_have_count(2)
    expect(page.locator(".inbox .important")).to_have_count(1)
    page.locator(".inbox li", has_text="有人提到我").get_by_role("button", name="标为已读").click()
    expect(page).to_have_url("/notices?unread=true")
    expect(page.locator(".inbox li")).to_have_count(1)
    expect(page.locator(".bell b")).to_have_text("1")
    assert page.evaluate("window.hit") is None


def test_filters_keep_the_way_back(page: Page) -> None:
    log_in(page)
    tell("commander", Kind.TOLD)
    page.goto("/notices")
    page.get_by_label("类型").select_option("told")
    expect(page).to_have_url("/notices?kind=told")
    page.get_by_label("只看未读").check()
    expect(page).to_have_url("/notices?kind=told&unread=true")
    page.go_back()
    expect(page).to_have_url("/notices?kind=told")
    expect(page.locator(".inbox li").first).to_contain_text("升级提醒")


def test_every_page_of_notices_fits_and_can_be_used_by_everybody(page: Page) -> None:
    log_in(page)
    tell("commander", Kind.TOLD)
    page.goto("/notices/webhooks")
    page.get_by_label("地址").fill("http://127.0.0.1:9/hook")
    page.locator("form[action='/notices/webhooks'] button").click()
    expect(page.locator("#secret")).to_contain_text("whsec_")
    page.get_by_role("button", name="测试").first.click()
    check_for_everybody(page, "/notices", "/notices/wishes", "/notices/deliveries", "/notices/webhooks")
