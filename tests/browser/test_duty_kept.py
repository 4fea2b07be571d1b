"""Whoever leads brings a roster on the page, sees who is there and where nobody is, and notes that somebody is away."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from walking import check_for_everybody, log_in

from gridmgr import clock, db
from gridmgr.hierarchy.model import GridUnit
from web import deps

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]


@pytest.fixture(scope="module")
def grid(district: None) -> str:
    """Return the code of a micro-grid."""
    with db.transaction(deps.engine()) as session:
        return session.query(GridUnit.code).filter_by(level="micro_grid").order_by(GridUnit.code).first()[0]


def bring(page: Page, grid: str) -> None:
    """Bring a roster of this week in which the days are held, but for Thursday; look at it, take it."""
    monday = clock.today() - timedelta(days=clock.today().weekday())
    days = [(monday, monday + timedelta(days=2)), (monday + timedelta(days=4), monday + timedelta(days=6))]
    rows = [f"member,网格员,{grid},{first}~{last},08:00-18:00,主岗" for first, last in days]
    content = "\n".join(["用户名,岗位,辖区编码,日期,时段,主副岗", *rows]).encode()
    page.goto("/duty")
    page.set_input_files("[name=file]", {"name": "排班.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="开始检查（暂不入库）").click()
    found = page.locator("#shifts-found")
    expect(found.locator("[role=status]")).to_contain_text("尚未写入")
    expect(found.locator(".late")).to_have_count(1)
    found.get_by_role("button", name="确认导入").click()
    expect(found.locator("[role=status]")).to_contain_text("已导入")


def test_a_roster_is_brought_a_person_is_away_and_back(page: Page, grid: str) -> None:
    log_in(page)
    bring(page, grid)
    page.goto(f"/duty?area={grid}")
    expect(page.locator(".roster .turn b")).to_have_count(6)
    expect(page.locator(".roster .turn.late")).to_have_count(1)
    leave = page.locator("form[action='/duty/leave']")
    leave.get_by_label("用户名", exact=True).fill("member")
    today = clock.local(clock.now()).date()
    leave.get_by_label("起始日期").fill(f"{today}T00:00")
    leave.get_by_label("截止日期").fill(f"{today + timedelta(days=1)}T00:00")
    leave.get_by_label("原因").fill("年休")
    leave.get_by_role("button").click()
    expect(page.locator("#leave tbody tr")).to_contain_text("年休")
    page.locator("#now [name=unit]").fill(grid)
    page.locator("#now button").click()
    expect(page.locator("#duty-found .lead")).to_contain_text(grid)
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#leave tbody button").click()
    expect(page.locator("#leave")).to_contain_text("目前无人请假")


def test_duty_can_be_used_by_everybody(page: Page, grid: str) -> None:
    log_in(page)
    bring(page, grid)
    check_for_everybody(page, "/duty", f"/duty?unit={grid}&area={grid}")
