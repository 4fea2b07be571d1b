"""An administrator writes a policy of the next table: its faults stand beside its fields, its course beside it all."""

import pytest
from playwright.sync_api import Page, expect
from walking import check_both, log_in

from gridmgr import clock, db
from gridmgr.account import service as accounts
from gridmgr.account.rules import Grant, Role
from web import deps

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]


@pytest.fixture(scope="module", autouse=True)
def street(district) -> None:
    """Let somebody work at the street: a ladder may not end at a level where nobody does."""
    with db.transaction(deps.engine()) as session:
        accounts.open_account(
            session, "desk", "desk", "a long enough password", [Grant(Role.STREET_DISPATCHER, "")]
        )


def test_a_ladder_is_written_by_keyboard_and_its_course_follows(page: Page) -> None:
    log_in(page)
    page.goto("/policies/draft/499")
    page.locator("#category").fill("B")
    page.locator("#r0-share").fill("80")
    page.locator("#r0-act").select_option("supervise")
    page.locator("#r0-level").select_option("street")
    wrong = page.locator("#fault-0-answer")
    expect(wrong).to_contain_text("督办须写明反馈时限")
    page.get_by_text("重复、时段与督办反馈时限").first.click()
    page.locator("#r0-answer").fill("4")
    page.keyboard.press("Tab")
    expect(wrong).to_be_empty()
    page.locator("#r0-level").select_option("community")
    expect(page.locator("#fault-0-level")).to_contain_text("该层级尚无人员")
    page.locator("#r0-level").select_option("street")
    expect(page.locator("#fault-0-level")).to_be_empty()
    expect(page.locator("#policy-look .timeline li").first).to_contain_text("督办并告知")
    page.locator("#add").press("Enter")
    page.locator("#r1-share").fill("50")
    page.locator("#r1-act").select_option("tell")
    page.locator("#r1-level").select_option("district")
    expect(page.locator("#fault-1-share")).to_contain_text("小于上一级的占比")
    page.locator("#up-1").press("Enter")
    expect(page.locator("#r0-share")).to_have_value("50")
    expect(page.locator("#fault-1-share")).to_be_empty()
    check_both(page)
    page.get_by_role("button", name="保存到草稿").click()
    page.wait_for_url("**/policies/draft#policy-*")
    check_both(page)
    publish = page.locator("form", has=page.locator("[name=effective]"))
    publish.get_by_label("名称").or_(publish.locator("[name=title]")).first.fill("浏览器所写")
    publish.locator("[name=effective]").fill(f"{clock.today()}")
    publish.locator("button").click()
    page.wait_for_url("**/policies?at=*")
    expect(page.locator("main")).to_contain_text("浏览器所写")
    expect(page.locator("main")).to_contain_text("须在 4 工作小时内反馈")
