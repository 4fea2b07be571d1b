"""The command centre orders something on a case's page; it is answered and confirmed there, without a reload."""

import pytest
from playwright.sync_api import Page, expect
from walking import NASTY, check_for_everybody, log_in

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]


def open_case(page: Page, number: int) -> None:
    page.goto("/incidents")
    page.locator(".cases tbody a[href^='/incidents/']").nth(number).click()
    page.wait_for_url("**/incidents/2*")


def issue(page: Page, wanted: str) -> None:
    page.locator("#orders summary", has_text="下达督办").click()
    page.get_by_label("督办要求").fill(wanted)
    page.locator("#orders form button").last.click()
    expect(page.locator("#orders .order").first).to_contain_text("待反馈")


def test_an_order_is_issued_answered_and_confirmed(page: Page) -> None:
    log_in(page)
    open_case(page, 0)
    issue(page, f"今晚清完 {NASTY}")
    for summary, note, standing in (("反馈", "清完了", "待确认"), ("确认办结", "", "已办结")):
        page.locator("#orders .actions summary", has_text=summary).click()
        form = page.locator("#orders details[open] form")
        form.locator("textarea").fill(note)
        form.locator("button").click()
        expect(page.locator("#orders .order").first).to_contain_text(standing)
    page.goto("/supervision?state=done")
    expect(page.locator("tbody").first).to_contain_text("今晚清完")


def test_supervision_can_be_used_by_everybody(page: Page) -> None:
    log_in(page)
    open_case(page, 1)
    if page.locator("#orders summary", has_text="下达督办").count():
        issue(page, NASTY)
    check_for_everybody(
        page, "/incidents" + page.url.partition("/incidents")[2].partition("#")[0], "/supervision"
    )
