"""A leader's look: how cases go, which grids need attention, and a pattern in the records that is worth a look."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from walking import NASTY, check_for_everybody, log_in

from gridmgr import clock, db
from gridmgr.account import queries as accounts
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as categories
from gridmgr.flag import service as flag
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.reactions import REACTIONS

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district", "flagged")]


@pytest.fixture(scope="module")
def flagged(district: None, database: str) -> None:
    """Let the member report the same thing a dozen times within minutes, and look for patterns."""
    with db.transaction(db.engine(database), REACTIONS) as session:
        west, south, east, north = hierarchy.bounds(session, SYSTEM)
        member, kind = accounts.actor(session, "member"), categories.in_force(session)[0].id
        for n in range(12):
            at = clock.now() - timedelta(hours=2, minutes=n)
            place = west + (east - west) * 0.5, south + (north - south) * 0.5
            with clock.travel(at):
                told = Report(*place, "wgs84", kind, Source.PATROL, NASTY, NASTY, reported_at=at)
                intake.report(session, member, told)
        assert flag.find(session) == 2


def test_a_leader_follows_numbers_to_cases_and_writes_down_a_look(page: Page) -> None:
    log_in(page)
    page.goto("/trends")
    expect(page.locator(".chart svg").first).to_be_visible()
    page.locator("details.more summary").first.click()
    page.locator("table.numbers").first.locator("a").last.click()
    page.wait_for_url("**/trends/cases**")
    expect(page.locator("tbody tr").first).to_be_visible()
    page.goto("/trends?kind=flow")
    expect(page.locator(".chart svg, .nothing").first).to_be_visible()
    page.goto("/grading")
    expect(page.locator(".map-area .leaflet-container")).to_be_visible()
    expect(page.locator("tbody .grade").first).to_be_visible()
    page.goto("/?colour=grade")
    expect(page.locator("#colouring .legend")).to_contain_text("红")
    page.goto("/flags")
    card = page.locator("li.card", has_text="一小时内上报远多于平常")
    card.locator("summary").click()
    card.get_by_label("已谈话提醒").check()
    card.locator("textarea").fill(f"集中整治日 {NASTY}")
    card.get_by_role("button").click()
    page.wait_for_url("**/flags?standing=reviewed")
    expect(page.locator(".timeline .said")).to_contain_text("集中整治日")
    check_for_everybody(
        page, "/trends", "/trends?kind=flow", "/trends/cases", "/grading", "/flags", "/flags/terms"
    )
