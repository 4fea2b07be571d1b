"""An administrator keeps the calendar on its page: a notice, a single day, hours of a street, the tester."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from walking import check_for_everybody, log_in

from gridmgr import db
from gridmgr.hierarchy.model import GridUnit
from web import deps

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]
NOTICE = Path(__file__).parents[2] / "sample_maps" / "holidays_2026.csv"


@pytest.fixture(scope="module")
def street(district: None) -> str:
    """Return the code of a street."""
    with db.transaction(deps.engine()) as session:
        return session.query(GridUnit.code).filter_by(level="street").order_by(GridUnit.code).first()[0]


def take_notice(page: Page) -> None:
    """Bring the notice of 2026, look at it, take it."""
    page.goto("/calendar?year=2026")
    page.get_by_text("导入年度放假通知").click()
    page.set_input_files("[name=file]", NOTICE)
    page.get_by_role("button", name="开始检查（暂不入库）").click()
    expect(page.locator("#days-found [role=status]")).to_contain_text("尚未写入")
    if page.get_by_role("button", name="确认导入").count():
        page.get_by_role("button", name="确认导入").click()
        expect(page.locator("#days-found [role=status]")).to_contain_text("已导入")


def test_a_notice_a_single_day_and_the_hours_of_a_street(page: Page, street: str) -> None:
    log_in(page)
    take_notice(page)
    page.goto("/calendar?year=2026")
    expect(page.locator(".month .holiday")).to_have_count(33)
    expect(page.locator(".month .makeup")).to_have_count(6)
    page.get_by_text("设置或撤销某一天").click()
    day = page.locator("form[action='/calendar/day']")
    day.get_by_label("日期").fill("2026-02-17")
    day.get_by_label("类型").select_option("makeup")
    day.get_by_label("名称").fill("春运值守")
    day.get_by_label("辖区").fill(street)
    day.get_by_role("button", name="保存").click()
    expect(page.locator(".stretches")).to_contain_text("春运值守")
    expect(page.locator(".month .holiday.elsewhere")).to_have_text("17放假")
    page.locator(".year-head [name=code]").fill(street)
    page.locator(".year-head button").click()
    expect(page.locator(".month .makeup")).to_have_count(7)
    page.get_by_text("设置辖区工作时段").click()
    hours = page.locator("form[action='/calendar/hours'].stack")
    hours.get_by_label("生效日期").fill("2026-06-01")
    hours.get_by_label("时段").last.fill("08:00-12:00, 22:00-06:00")
    hours.get_by_role("button", name="保存").click()
    row = page.locator("#hours tbody tr", has_text=street)
    expect(row).to_contain_text("22:00–06:00")
    expect(row).to_contain_text("次日")
    page.on("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button").click()
    expect(page.locator("#hours tbody tr")).to_have_count(1)


def test_the_tester_follows_the_typing_and_says_what_is_wrong(page: Page, trouble) -> None:
    log_in(page)
    take_notice(page)
    page.goto("/calendar")
    limit = page.locator("#limit")
    limit.get_by_label("起始").fill("2026-09-30T17:00")
    limit.get_by_label("时限").fill("2")
    expect(limit.locator("#due")).to_contain_text("2026-10-08 10:00")
    limit.get_by_label("时限").fill("很久")
    expect(limit.locator("#due .late")).to_contain_text("“很久”不符合")
    limit.get_by_label("时限").fill("2")
    limit.get_by_label("辖区").fill("999")
    expect(limit.locator("#due .late")).to_contain_text("999")
    trouble.seen[:] = [each for each in trouble.seen if "422" not in each]  # the refusals themselves


def test_the_year_fits_and_can_be_used_by_everybody(page: Page) -> None:
    log_in(page)
    take_notice(page)
    check_for_everybody(page, "/calendar?year=2026")
    expect(page.locator("#due")).not_to_contain_text("—")
