"""Somebody looks back on the map and returns to the present; a wall loses its server, says so, and catches up."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from walking import check_for_everybody, log_in

from gridmgr import clock

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]

AT_ONCE = """() => {
  const Stream = EventSource;
  let opened = 0;
  window.EventSource = class extends Stream { constructor(url) { super(url); opened += 1; } };
  document.querySelector("#past [data-live]").click();
  window.EventSource = Stream;
  return opened;
}"""  # how many streams a click on "back to live" opens at once


def typed(hours: float) -> str:
    return clock.local(clock.now() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")


def test_the_map_shows_an_hour_ago_and_comes_back(page: Page) -> None:
    log_in(page)
    page.goto(f"/?from={typed(-2.9)}&to={typed(0.1)}&step=hour&then={typed(2)}")
    past = page.locator("#past")
    expect(past.locator("[data-past=open]")).to_have_text("12")
    page.locator("[data-go=back]").click()
    expect(past.locator("[data-past=open]")).to_have_text("0")
    assert "then=" in page.url
    page.locator("#time-range").press("End")
    expect(past.locator("[data-past=reported]")).to_have_text("12")
    with page.expect_request("**/situation/stream?*"):
        assert page.evaluate(AT_ONCE) == 0  # what is there now is asked for first
    expect(past).to_have_count(0)
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    assert "then=" not in page.url


def test_a_wall_outlives_its_connection(page: Page, trouble) -> None:
    log_in(page)
    page.goto("/wall?view=latest&view=open&seconds=600")
    expect(page.locator("#wall-title")).to_have_text("最新上报")
    expect(page.locator("[data-count=open]")).to_have_text("12")
    told = page.locator("#wall-told")
    page.context.set_offline(True)
    expect(told).to_contain_text("连接中断")
    expect(told).to_contain_text("Connection lost since")
    expect(page.locator(".wall-latest > li")).to_have_count(8)  # what was there stays
    page.context.set_offline(False)
    expect(told).to_contain_text("恢复连接")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#wall-title")).to_have_text("未结案件地图")
    expect(page.locator(".leaflet-marker-icon").first).to_be_visible()
    titles = page.evaluate("gridmgr.cluster.getLayers().map((mark) => mark.options.title)")
    assert len(titles) == 12
    assert all(re.fullmatch(r"\S+ · \d{15}", each) for each in titles), titles
    page.keyboard.press(" ")
    expect(page.locator("#wall-note")).to_contain_text("已停止轮播")
    assert page.evaluate("window.hit") is None
    trouble.seen[:] = [each for each in trouble.seen if "ERR_INTERNET_DISCONNECTED" not in each]


def test_they_can_be_used_by_everybody(page: Page) -> None:
    log_in(page)
    check_for_everybody(page, "/compare", "/timeline", "/wall", "/wall/edit")
