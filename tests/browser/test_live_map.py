"""The command map follows along: a report comes in while it is open, the line is lost and comes back."""

import pytest
from playwright.sync_api import Page, expect
from walking import check_for_everybody, log_in

from gridmgr import db
from gridmgr.account import queries as accounts
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as categories
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import service as incidents
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source
from gridmgr.reactions import REACTIONS

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]
LIVE, LOST = "实时", "连接中断"


def report(url: str) -> str:
    """Let somebody report something in the middle of the district."""
    with db.transaction(db.engine(url), REACTIONS) as session:
        west, south, east, north = hierarchy.bounds(session, SYSTEM)
        place = west + (east - west) * 0.4, south + (north - south) * 0.5
        category = categories.in_force(session)[0].id
        return intake.report(session, SYSTEM, Report(*place, "wgs84", category, Source.HOTLINE)).number


def void(url: str, number: str) -> None:
    with db.transaction(db.engine(url), REACTIONS) as session:
        chief = accounts.actor(session, "commander")
        incidents.move(session, chief, number, Action.VOID, {"note": "重复"})


def test_marks_and_figures_change_in_place_and_a_lost_line_is_said(
    page: Page, database: str, trouble
) -> None:
    log_in(page)
    page.goto("/?states=reported&colour=count")
    live, strip = page.locator("#live"), page.locator("#strip b").first
    expect(live).to_have_text(LIVE)
    page.wait_for_function("() => gridmgr.shown() === 12")
    page.evaluate("window.same = true")

    number = report(database)
    page.wait_for_function("() => gridmgr.shown() === 13")
    expect(strip).to_have_text("13")
    void(database, number)
    page.wait_for_function("() => gridmgr.shown() === 12")
    expect(strip).to_have_text("12")

    page.evaluate(
        "for (const name of ['lost', 'back'])"
        " document.addEventListener('gridmgr:' + name, () => { window[name] = (window[name] || 0) + 1; })"
    )
    page.context.set_offline(True)
    expect(live).to_contain_text(LOST)
    report(database)
    page.context.set_offline(False)
    page.wait_for_function("() => window.back && gridmgr.shown() === 13")
    assert page.evaluate("[window.lost, window.back, window.same]") == [1, 1, True]
    trouble.seen[:] = [each for each in trouble.seen if "INTERNET_DISCONNECTED" not in each]


def test_a_view_is_saved_with_all_that_is_seen_and_comes_back(page: Page) -> None:
    log_in(page)
    page.goto("/?source=patrol")
    expect(page.locator("#live")).to_have_text(LIVE)
    page.evaluate("void gridmgr.map.setView(gridmgr.map.getCenter(), 15, { animate: false })")
    page.locator("[data-hide=community]").uncheck()
    page.fill("#save-view [name=name]", "早班 <b>")
    page.click("#save-view button")
    page.locator("#views .views a", has_text="早班 <b>").click()
    page.wait_for_function("() => window.gridmgr?.shown?.() > 0")
    assert page.evaluate("[gridmgr.map.getZoom(), gridmgr.map.hasLayer(gridmgr.layers.community)]") == [
        15,
        False,
    ]
    assert page.locator("[name=source]").input_value() == "patrol"
    check_for_everybody(page, "/?source=patrol&hide=age,names")
