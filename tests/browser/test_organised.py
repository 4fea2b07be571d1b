"""A street founds its bodies, chooses its modules and raises a task force; everybody can use the pages."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from walking import NASTY, check_for_everybody, log_in

from gridmgr import clock

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]


def street_of(page: Page) -> str:
    """Return the code of the first street as the page of bodies shows it."""
    page.goto("/organisation")
    return page.locator("a[href^='/rooms/']").first.get_attribute("href").rpartition("/")[2]


def found(page: Page, name: str, kind: str, **more: str) -> None:
    page.goto("/organisation")
    page.locator("summary", has_text="新建单位").click()
    form = page.locator("form[action='/organisation'][method=post]")
    form.locator("[name=name]").fill(name)
    form.locator("[name=kind]").select_option(kind)
    for field, value in more.items():
        form.locator(f"[name={field}]").fill(value)
    form.locator("button").click()


def test_bodies_are_founded_and_a_table_is_checked_then_taken(page: Page) -> None:
    log_in(page)
    street = street_of(page)
    found(page, f"环卫所 {NASTY[:60]}", "department", aliases="环卫")
    expect(page.locator("tbody").first).to_contain_text("环卫")
    page.locator("summary", has_text="新建单位").click()
    table = f"名称,类型,隶属单位,驻地编码\n某环卫站,派驻站所,环卫,{street}\n".encode()
    page.locator("summary", has_text="导入单位表").click()
    page.locator("#bodies-form [type=file]").set_input_files(
        {"name": "b.csv", "mimeType": "text/csv", "buffer": table}
    )
    page.locator("#bodies-form button").click()
    expect(page.locator("#bodies-found")).to_contain_text("将新建或变更 1 个单位")
    page.locator("#bodies-found button").click()
    expect(page.locator("#bodies-found")).to_contain_text("已导入")


def test_a_street_picks_sub_modules_and_raises_a_task_force(page: Page) -> None:
    log_in(page)
    street = street_of(page)
    page.goto(f"/modules?area={street}")
    page.locator("#choose summary", has_text="十一子模块").click()
    for part in ("矛盾调解", "消防管理", "河道治水"):
        page.locator("#choose details[open] .chips label", has_text=part).click()
    page.locator("#choose details[open] button.primary").click()
    expect(page.locator(".pieces")).to_contain_text("消防管理")
    page.goto("/task-forces?occasion=roads")
    form = page.locator("#raise form")
    form.locator("[name=area]").fill(street)
    form.locator("[name=members]").fill("member")
    form.locator("[name=ends_on]").fill((clock.today() + timedelta(days=5)).isoformat())
    form.locator("button").click()
    expect(page.locator("h1")).to_contain_text("道路建设专班")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#disband button").click()
    expect(page.locator(".history")).to_contain_text("解散专班")
    page.goto(f"/rooms/{street}")
    expect(page.locator("h1")).to_contain_text("指挥室")


def test_the_pages_of_bodies_can_be_used_by_everybody(page: Page) -> None:
    log_in(page)
    street = street_of(page)
    check_for_everybody(
        page, "/organisation", f"/modules?area={street}", "/task-forces?occasion=flood", f"/rooms/{street}"
    )
