"""A leader's morning in the browser: what the scan found is one click away, and is looked at."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from walking import check_for_everybody, log_in

from gridmgr import clock, db
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as categories
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.reactions import REACTIONS
from gridmgr.scan import rules, service

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("burning")]


@pytest.fixture(scope="module")
def burning(district: None, database: str) -> None:
    """Let a month have been quiet, and the day that is scanned have not."""
    day = rules.last_day(clock.local(clock.now()))
    with db.transaction(db.engine(database), REACTIONS) as session:
        category = categories.in_force(session)[0].id
        places = [
            incidents.position(case) for case in session.scalars(select(Incident).order_by(Incident.id))
        ]
        times = [(places[6 + n % 6], clock.midnight(day, 0.5 - n % 29)) for n in range(60)]
        times += [(places[0], clock.midnight(day, 0.4) + timedelta(minutes=n)) for n in range(12)]
        told = [Report(*at, "wgs84", category, Source.PATROL, reported_at=then) for at, then in times]
        with clock.travel(clock.midnight(day, 1)):
            intake.report_many(session, SYSTEM, told)
    with db.transaction(db.engine(database), REACTIONS) as session:
        service.run(session, day)


def test_a_leader_sees_what_has_begun_and_says_what_was_found(page: Page) -> None:
    log_in(page)
    page.goto("/morning")
    tall = page.evaluate("document.documentElement.scrollHeight - document.documentElement.clientHeight")
    assert tall <= 0, f"the morning is {tall} px taller than its screen"
    page.locator("a[href^='/alarms/']").first.click()
    page.wait_for_url("**/alarms/*")
    expect(page.locator(".days-chart rect.lately").first).to_be_visible()
    page.get_by_label("查看结果").fill("雨水井堵塞")
    page.get_by_role("button", name="登记查看").click()
    expect(page.locator("#looks .timeline")).to_contain_text("雨水井堵塞")
    check_for_everybody(
        page, page.url.partition("#")[0][page.url.index("/alarms") :], "/alarms?tab=weak", "/morning"
    )
