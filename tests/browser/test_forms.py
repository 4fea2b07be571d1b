"""Forms that keep what they were given: photos of a report and a step, notes, tables; on phones and desks."""

import io

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from walking import CATEGORIES, PHONE, check_for_everybody, log_in

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]
POLICIES = (
    "category,severity,stage,amount,unit,share,act,level\n,,accept,0.5,working_hours,50%,remind,micro_grid\n"
)


def photo(name: str, shade: int) -> dict:
    """Return a photo as a camera hands it over."""
    content = io.BytesIO()
    Image.new("RGB", (800, 600), (shade, 120, 90)).save(content, "JPEG")
    return {"name": name, "mimeType": "image/jpeg", "buffer": content.getvalue()}


def place(page: Page) -> None:
    """Choose the middle of the map, and a category."""
    page.goto("/report")
    page.locator(".folium-map").click()
    expect(page.locator("#where .alert")).to_contain_text("此处位于")
    page.fill("#find-category", "路灯")
    expect(page.locator("#category-says")).to_contain_text("处置部门")


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_photos_of_the_camera_outlive_a_refused_report_and_a_double_click_sends_once(
    page: Page, trouble
) -> None:
    log_in(page)
    place(page)
    expect(page.get_by_text("拍照")).to_be_visible()
    page.get_by_label("拍照").set_input_files([photo("一.jpg", 10), photo("二.jpg", 20)])
    expect(page.locator(".files li [name=files]")).to_have_count(2)
    expect(page.locator(".files progress")).to_have_count(0)
    page.fill("[name=lon]", "1.5")
    page.click("button.primary.wide")
    expect(page.locator(".alert.bad").first).to_contain_text("辖区外")
    expect(page.locator(".files li img")).to_have_count(2)
    shown = page.locator(".files li img").first
    shown.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('.files li img').naturalWidth > 0")
    page.get_by_label("移除: 二.jpg").click()
    expect(page.locator(".files li")).to_have_count(1)
    page.locator(".folium-map").click()
    expect(page.locator("#where .alert")).to_contain_text("此处位于")
    sent = []
    page.on("request", lambda each: each.method == "POST" and sent.append(each.url))
    page.locator("button.primary.wide").dblclick()
    expect(page.locator(".alert.good").first).to_contain_text("上报成功")
    assert [url.rsplit("/", 1)[1] for url in sent] == ["report"]
    expect(page.locator(".what .evidence img")).to_have_count(1)
    trouble.seen[:] = [each for each in trouble.seen if "422" not in each]  # the refusal itself


def test_a_desk_with_a_mouse_shows_no_camera(page: Page) -> None:
    log_in(page)
    page.goto("/report")
    expect(page.locator(".files input[type=file]").first).to_be_visible()
    expect(page.locator(".files .camera")).to_be_hidden()


def test_a_step_somebody_else_outran_keeps_its_photo_and_note(page: Page, trouble) -> None:
    log_in(page)
    page.goto("/incidents?states=reported")
    page.locator("tbody a").last.click()
    form = page.locator("form[action$='/attach']")
    page.locator("details", has=form).locator("summary").click()
    form.locator("input[type=file]").first.set_input_files(photo("近景.jpg", 30))
    expect(form.locator("[name=files]")).to_have_count(1)
    form.locator("[name=note]").fill("补充近景")
    form.locator("[name=seq]").evaluate("(seq) => { seq.value = 99; }")
    form.locator("button.primary").click()
    expect(page.locator(".alert.bad")).to_contain_text("其他人刚刚办理了")
    expect(form.locator(".files li span")).to_have_text("近景.jpg")
    assert form.locator("[name=note]").input_value() == "补充近景"
    form.locator("button.primary").click()
    expect(page.locator(".history .evidence img")).to_have_count(1)
    trouble.seen[:] = [each for each in trouble.seen if "409" not in each]


def test_what_was_checked_is_published_by_the_button_below(page: Page) -> None:
    log_in(page)
    page.goto("/categories")
    rows = CATEGORIES.read_text("utf-8").splitlines(keepends=True)
    table = {"name": "事项.csv", "mimeType": "text/csv", "buffer": "".join(rows[:-1]).encode()}
    page.set_input_files("#categories-form [name=file]", table)
    page.fill("#categories-form [name=effective]", "2031-01-01")
    page.click("#categories-form button")
    expect(page.locator("#categories-found [role=status]").first).to_contain_text("尚未写入")
    page.get_by_role("button", name="发布").click()
    expect(page.locator("#categories-found [role=status]").first).to_contain_text("已发布")
    page.goto("/policies")
    table = {"name": "时限.csv", "mimeType": "text/csv", "buffer": POLICIES.encode()}
    page.set_input_files("[name=file]", table)
    page.click("button[value=check]")
    expect(page.locator("#policies-found [role=status]").first).to_contain_text("尚未写入")
    page.locator("#policies-found button[name=do]").click()
    expect(page.locator("#policies-found [role=status]").first).to_contain_text("已发布")


def test_the_forms_can_be_used_by_everybody(page: Page) -> None:
    log_in(page)
    page.goto("/incidents")
    case = page.locator("tbody a").first.get_attribute("href")
    page.goto("/phrases")
    page.fill("[name=category]", "B0106")
    page.fill("[name=zh]", "已更换灯泡")
    page.fill("[name=en]", "The lamp has been changed")
    page.click("form[action='/phrases'] button")
    expect(page.locator("td code").first).to_have_text("B0106")
    check_for_everybody(page, case, "/report", "/categories", "/phrases", "/policies")
