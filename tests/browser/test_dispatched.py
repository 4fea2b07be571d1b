"""At the dispatch desk cases are sent on by keyboard and many at once, and the desk follows without a reload."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from walking import check_for_everybody, log_in

from gridmgr import db
from gridmgr.account.rules import SYSTEM
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident, Move
from gridmgr.life.model import Action
from gridmgr.reactions import REACTIONS

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]


@pytest.fixture(scope="module", autouse=True)
def accepted(district: None, database: str) -> None:
    """Let all cases of the district wait to be dispatched."""
    with db.transaction(db.engine(database), REACTIONS) as session:
        numbers = list(session.scalars(select(Incident.number)))
        told = [Move(SYSTEM, number, Action.ACCEPT, {"checked": True}) for number in numbers]
        assert not any(incident.move_many(session, told))


def test_cases_are_dispatched_by_keyboard(page: Page) -> None:
    log_in(page)
    page.goto("/dispatch")
    rows = page.locator("#queue .waiting")
    before = rows.count()
    first = rows.first.get_attribute("data-number")
    page.keyboard.press("j")
    expect(rows.first).to_have_class("waiting card here")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#queue [role=status]")).to_contain_text("已派遣 1 件")
    expect(rows).to_have_count(before - 1)
    expect(page.locator(f"#queue [data-number='{first}']")).to_have_count(0)
    expect(rows.first).to_have_class("waiting card here")  # the next one has moved up
    page.keyboard.press("?")
    expect(page.locator("#toast")).to_contain_text("快捷键")


def test_many_go_at_once_to_one_body(page: Page) -> None:
    log_in(page)
    page.goto("/dispatch")
    rows = page.locator("#queue .waiting")
    before = rows.count()
    expect(page.locator("#bulk-bar button").first).to_be_disabled()
    for n in (0, 1):
        rows.nth(n).locator("[name=numbers]").check()
    expect(page.locator("#bulk-bar b")).to_have_text("2")
    page.locator("#bulk-bar select").select_option(index=1)
    page.locator("#bulk-bar button").nth(1).click()
    expect(page.locator("#queue [role=status]")).to_contain_text("已派遣 2 件")
    expect(rows).to_have_count(before - 2)


def test_the_dispatch_desk_can_be_used_by_everybody(page: Page) -> None:
    log_in(page)
    check_for_everybody(page, "/dispatch", "/dispatch/settings", "/dispatch/ranks")
