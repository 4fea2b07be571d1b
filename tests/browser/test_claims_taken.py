"""On a phone somebody takes a piece of work up, reports it done with a photo, and whoever has cut it accepts."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from walking import NASTY, PHONE, check_for_everybody, log_in

from gridmgr import clock

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301"
    "0100c9fe92ef0000000049454e44ae426082"
)
phone = pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])


def cut(page: Page, what: str) -> None:
    """Cut a piece at the first area the form offers."""
    page.goto("/claims/new")
    page.get_by_label("任务要求").or_(page.locator("[name=what]")).first.fill(what)
    page.locator("[name=code]").fill(page.locator("#areas option").first.get_attribute("value"))
    page.locator("[name=until]").fill(f"{clock.local(clock.now() + timedelta(hours=5)):%Y-%m-%dT%H:%M}")
    page.locator("#cut button.primary").click()
    page.wait_for_url("**/claims/*")


@phone
def test_a_piece_is_taken_reported_and_accepted_on_a_phone(page: Page) -> None:
    log_in(page)
    cut(page, f"清点独居老人 {NASTY}")
    page.context.clear_cookies()
    log_in(page, "member")
    page.goto("/claims")
    card = page.locator(".piece").first
    expect(card).to_contain_text("清点独居老人")
    take = card.get_by_role("button", name="认领")
    assert take.bounding_box()["height"] >= 44  # a thumb finds it
    take.click()
    expect(card).to_contain_text("办理中")
    card.locator("summary", has_text="报完成").click()
    form = card.locator("details[open] form")
    form.locator("textarea").fill("八户都走访了")
    form.locator("input[type=file]").first.set_input_files(
        {"name": "现场.png", "mimeType": "image/png", "buffer": PIXEL}
    )
    expect(form.locator("ul input[name=files]")).to_have_count(1)  # it is sent in the background
    form.locator("button", has_text="报完成").click()
    expect(card).to_contain_text("待验收")
    expect(card.locator(".evidence img")).to_have_count(1)
    page.context.clear_cookies()
    log_in(page)
    page.goto("/claims?tab=cut")
    card = page.locator(".piece").first
    card.locator("details[open] button", has_text="验收通过").click()
    expect(card).to_contain_text("已完成")


@phone
def test_ant_work_the_window_and_the_week_can_be_used_by_everybody(page: Page) -> None:
    log_in(page)
    page.goto("/incidents")
    page.locator(".cases tbody a[href^='/incidents/']").first.click()
    page.wait_for_url("**/incidents/2*")
    case = "/incidents" + page.url.partition("/incidents")[2]
    page.locator("#pieces summary").click()
    page.locator("#pieces textarea").fill(NASTY)
    page.locator("#pieces form button").click()
    expect(page.locator("#pieces .tasks li")).to_have_count(1)
    cut(page, NASTY)
    own = "/claims" + page.url.partition("/claims")[2]
    check_for_everybody(
        page,
        "/claims?tab=all",
        "/claims/new",
        own,
        "/approvals",
        "/approvals/new",
        "/approvals/kinds",
        "/weekly",
        case,
    )
