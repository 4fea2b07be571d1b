"""A leader turns the figures round, chooses what is left out, and follows a number to its cases."""

import pytest
from playwright.sync_api import Page, expect
from walking import check_for_everybody, log_in

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]


def test_a_number_of_any_row_leads_to_its_cases(page: Page) -> None:
    log_in(page)
    page.goto("/figures")
    page.get_by_label("依据").select_option("category")
    expect(page.locator("#figures thead th").first).to_have_text("事项类别")
    page.get_by_label("没有时限的").uncheck()
    expect(page.locator("#figures")).to_contain_text("与本区口径不同")
    number = page.locator("#figures tbody tr:not(.total) a[href*='count=reported']").first
    expected = number.inner_text()
    number.click()
    expect(page.locator("#filters .behind")).to_contain_text("仅列此数字背后的案件")
    expect(page.locator(".cases tbody tr")).to_have_count(int(expected))
    check_for_everybody(
        page, "/figures?by=body&table=quality&previous=true&since=2026-01-01", "/figures?table=speed&at=2026-02-01",
        "/figures/terms", "/figures/cases?count=reported&areas=now&row_by=street&row=",
    )  # fmt: skip
