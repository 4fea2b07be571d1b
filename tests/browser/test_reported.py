"""A leader reads a report with its maps, and plans the next ones."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from walking import check_for_everybody, log_in

from gridmgr import clock, db
from gridmgr.account.rules import SYSTEM
from gridmgr.bulletin import service
from gridmgr.digest import queries as digests
from gridmgr.digest.model import Period, Subject
from gridmgr.digest.rules import span
from gridmgr.hierarchy import queries as hierarchy
from web import deps

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]


@pytest.fixture(scope="module")
def written(district: None) -> None:
    """Write the report of a street on this month, when it is over; no title may say 49, as a week does."""
    month = span(Period.MONTH, clock.today())
    first = clock.midnight(month.last, 1) + timedelta(hours=6)
    with clock.travel(first), db.transaction(deps.engine()) as session:
        street = min(hierarchy.streets(session))
        service.write(session, SYSTEM, digests.target(session, Subject.STREET, street), month)


def test_a_report_is_read_and_others_are_planned(written: None, page: Page) -> None:
    log_in(page)
    page.goto("/bulletins")
    page.locator("table a strong").first.click()
    article = page.locator("article.paper")
    expect(article.locator("h1")).to_be_visible()
    pictures = article.locator("img")
    expect(pictures).to_have_count(4)
    for picture in pictures.all():  # those below the fold are loaded once they are scrolled to
        picture.scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('.paper img')].every((img) => img.naturalWidth > 300)"
    )
    read = page.url.removeprefix(page.url.partition("/bulletins")[0])
    page.goto("/bulletins")
    page.locator("#plan summary").click()
    page.locator("#plan form.stack button").click()
    expect(page.locator("[role=status].good")).to_be_visible()
    expect(page.locator("#plan tbody tr")).to_have_count(1)
    check_for_everybody(page, "/bulletins", read)
