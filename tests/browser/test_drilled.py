"""Somebody searches a building, goes up and down the levels by key, click and back button, and sees people on duty."""

import pytest
from playwright.sync_api import Page, expect
from walking import DESK, check_for_everybody, log_in

from gridmgr import db
from gridmgr.account import queries as accounts
from gridmgr.account.rules import SYSTEM
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING
from gridmgr.position import service as position
from gridmgr.reactions import REACTIONS

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]


@pytest.fixture(scope="module")
def house(district: None, database: str) -> str:
    """Let the member share a position; return the code of a building."""
    with db.transaction(db.engine(database), REACTIONS) as session:
        member = accounts.actor(session, "member")
        position.share(session, member)
        west, south, east, north = hierarchy.bounds(session, SYSTEM)
        position.send(session, member, (west + east) / 2, (south + north) / 2, "wgs84", 9.0)
        at = hierarchy.edition_at(session).effective
        return hierarchy.page(session, hierarchy.listing(session, SYSTEM, BUILDING, at), 1)[0].code


@pytest.mark.parametrize("page", [DESK], indirect=True, ids=["desk"])
def test_a_building_is_found_and_the_levels_are_walked(page: Page, house: str) -> None:
    log_in(page)
    page.goto("/")
    expect(page.locator("#people-count")).to_have_text("1")
    expect(page.locator(".map-person")).to_have_count(1)
    page.locator("#seek").press_sequentially(house)
    expect(page.locator("#sought [role=option]").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#sought [aria-selected=true]")).to_have_attribute("data-code", house)
    page.keyboard.press("Enter")
    shown = page.locator("#drill section.drill")
    expect(shown).to_have_attribute("data-code", house)
    page.wait_for_url(f"**/?*code={house}*")
    expect(shown.locator(".crumbs li")).to_have_count(5)
    shown.locator(".ascend").press("Enter")
    grid = shown.locator(f"td a[data-drill='{house}']")
    expect(grid).to_be_visible()
    expect(page.locator("#drilled")).to_be_focused()
    grid.click()
    expect(shown).to_have_attribute("data-code", house)
    page.go_back()
    expect(grid).to_be_visible()
    page.locator("#seek").press_sequentially("onerror")
    page.locator("#sought [data-number]").first.click()
    expect(page.locator(".leaflet-popup a[href^='/incidents/']")).to_be_visible()
    check_for_everybody(page, "/", "/positions", "/map/table?colour=count", "/account")
