"""Somebody looks where it hurts: from the classes on the map down to the cases of a unit."""

import pytest
from playwright.sync_api import Page, expect
from walking import check_for_everybody, log_in

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]


def test_hot_spots_are_looked_at_from_all_sides_by_everybody(page: Page) -> None:
    log_in(page)
    page.goto("/hotspots?look=rates")
    expect(page.locator("#found tbody tr").first).to_be_visible()
    with page.expect_response(lambda answer: "base=area" in answer.url):
        page.get_by_label("对比基数").select_option("area")
    expect(page.locator("#found thead")).to_contain_text("每平方公里")
    coloured = "Object.keys(gridmgr.layers.micro_grid.coloured).length"
    page.wait_for_function(f"{coloured} > 0")
    page.locator("#found thead a", has_text="按件数排名").click()
    page.locator("#found tbody a[href^='/incidents']").first.click()
    page.wait_for_url("**/incidents?*code=*")
    check_for_everybody(page, "/hotspots?look=now", "/hotspots?look=repeat&least=2")
