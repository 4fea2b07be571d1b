"""A list with faults is checked, mended, kept as a draft, published and found, page by page."""

import pytest
from playwright.sync_api import Page, expect
from walking import check_for_everybody, log_in

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]
HEAD = "事项编码,事项名称,牵头单位,流程,指引,别名示例\n"


def bring(page: Page, rows: str) -> None:
    page.locator("#list-form select[name=kind]").select_option("village")
    content = {"name": "村社清单.csv", "mimeType": "text/csv", "buffer": (HEAD + rows).encode()}
    page.locator("#list-form input[type=file]").set_input_files(files=[content])
    page.locator("#list-form button[value=check]").click()


def test_a_list_is_checked_mended_kept_and_published(page: Page, trouble) -> None:
    log_in(page)
    page.goto("/lists")
    bring(page, "C1,建房审核,村委会,申请→公示,带户口簿,盖房子\nC1,低保代办,村委会,申请→评议,,\n")
    expect(page.locator("#list-found")).to_contain_text("前面的行")
    assert all("422" in each for each in trouble.seen)
    trouble.seen.clear()
    bring(page, "C1,建房审核,村委会,申请→公示,带户口簿,盖房子\nC2,低保代办,村委会,申请→评议,,\n")
    expect(page.locator("#list-found")).to_contain_text("C2 缺少流程或指引")
    bring(page, "C1,建房审核,村委会,申请→公示,带户口簿,盖房子\nC2,低保代办,村委会,申请→评议,带证明,\n")
    expect(page.locator("#list-found")).to_contain_text("尚未写入")
    expect(page.locator("#list-found")).not_to_contain_text("缺少")
    page.locator("#list-found button[value=keep]").click()
    page.locator("#list-found a", has_text="查看草稿").click()
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.locator("h1")).to_have_text("村社清单")
    expect(page.locator(".head .tag")).to_have_text("现行")
    page.goto("/whose")
    page.get_by_label("看到了什么").fill("盖房子")
    expect(page.locator("#whose-found")).to_contain_text("建房审核")
    page.locator("#whose-found summary").first.click()
    expect(page.locator("#whose-found .flow").first).to_contain_text("公示")


def test_lists_can_be_used_by_everybody(page: Page) -> None:
    log_in(page)
    check_for_everybody(page, "/lists", "/admissions", "/whose?words=盖房子")
