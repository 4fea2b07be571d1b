"""A commander reads the map, a report is made by a click, and its case is taken on."""

import pytest
from playwright.sync_api import Page, expect
from walking import NASTY, check_both, check_for_everybody, log_in, log_in_by_form

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]
PAGES = ("/", "/desk", "/incidents", "/report", "/figures", "/figures?level=micro_grid", "/grids?level=building",
         "/imports", "/account", "/accounts", "/whose?words=%E5%9E%83%E5%9C%BE")  # fmt: skip


def centre(page: Page) -> None:
    """Click the middle of the map."""
    page.locator(".folium-map").click()


def test_the_map_colours_its_units_and_says_what_is_where(page: Page) -> None:
    log_in(page)
    page.goto("/?colour=count")
    page.wait_for_function(
        "() => gridmgr.layers.micro_grid.coloured && Object.keys(gridmgr.layers.micro_grid.coloured).length > 0"
    )
    assert page.locator("#strip b").first.inner_text() == "12"
    page.wait_for_function("() => gridmgr.cluster.getLayers().length === 12")
    expect(page.locator("#map-busy")).to_have_text("")
    page.mouse.click(845, 480)
    expect(page.locator("#drill .crumbs [aria-current]")).to_contain_text("<script>")
    page.locator("#drill .sub a").click()
    expect(page.locator("h1")).to_contain_text("<script>")


def test_every_quick_click_counts_and_the_circles_hold_what_the_strip_says(page: Page) -> None:
    log_in(page)
    page.goto("/")
    expect(page.locator("#map-busy")).to_have_text("")
    page.evaluate(
        "document.querySelectorAll('#board input').forEach((box) => box.value !== 'closed' && box.click())"
    )
    expect(page.locator("#strip b").first).to_have_text("0")
    page.locator("[data-tick=reported]").click()
    page.locator("[data-tick=all]").click()
    for box in page.locator("#board input").all()[1:]:
        box.click()
    wanted = [True] + [False] * (page.locator("#board input").count() - 1)
    page.wait_for_url("**/?states=reported")
    expect(page.locator("#map-busy")).to_have_text("")
    assert [box.is_checked() for box in page.locator("#board input").all()] == wanted
    drawn = "gridmgr.cluster._topClusterLevel.getChildCount()"
    assert page.locator("#strip b").first.inner_text() == str(page.evaluate(drawn)) == "12"


def test_of_two_loads_the_newer_alone_is_drawn(page: Page) -> None:
    log_in(page)
    page.goto("/")
    expect(page.locator("#map-busy")).to_have_text("")
    drawn = page.evaluate(
        """async () => {
        const { signs, labels } = gridmgr.data.incidents;
        const rows = (n) => Array.from({ length: n }, (_, i) => [i, "n" + i, 120 + i / 1e5, 30, "reported", "", ""]);
        const load = (n) => gridmgr.addIncidents(gridmgr.map, gridmgr.cluster, rows(n), signs, labels);
        await Promise.all([load(7000), load(5000)]);
        return gridmgr.cluster._topClusterLevel.getChildCount();
    }"""
    )
    assert drawn == 5000


def test_filters_that_cannot_find_anything_say_why(page: Page) -> None:
    log_in(page)
    page.goto("/?since=2026-05-02&until=2026-05-01&code=nowhere")
    expect(page.locator("#asked .alert")).to_have_text(["截止早于起始", "没有这个辖区"])


def test_filters_stand_in_the_address_and_the_back_button_takes_them_off(page: Page) -> None:
    log_in(page)
    page.goto("/")
    page.fill("#words", "no such words")
    expect(page.locator("#strip b").first).to_have_text("0")
    assert "words=no+such+words" in page.url or "words=no%20such%20words" in page.url
    page.wait_for_function("() => gridmgr.cluster.getLayers().length === 0")
    page.go_back()
    expect(page.locator("#strip b").first).to_have_text("12")


def test_a_report_by_a_click_is_accepted_and_dispatched(page: Page) -> None:
    log_in(page)
    page.goto("/report")
    centre(page)
    expect(page.locator("#where .alert")).to_contain_text("此处位于")
    page.fill("#find-category", "井盖")
    expect(page.locator("#category-says")).to_contain_text("处置部门")
    page.fill("[name=description]", "井盖缺失 " + NASTY)
    page.click("button.primary.wide")
    expect(page.locator(".alert.good").first).to_contain_text("上报成功")
    expect(page.locator(".head .state")).to_have_text("已上报")
    page.locator("form[action$='/accept'] [name=checked]").check()
    page.locator("form[action$='/accept'] button").click()
    expect(page.locator(".head .state")).to_have_text("已立案")
    page.locator("form[action$='/dispatch'] button").click()
    expect(page.locator(".head .state")).to_have_text("已派遣")
    expect(page.locator(".timeline li")).to_have_count(3)


def test_a_second_click_on_send_is_the_same_report(page: Page) -> None:
    log_in(page)
    page.goto("/report")
    centre(page)
    expect(page.locator("#where .alert")).to_contain_text("此处位于")
    page.fill("#find-category", "路灯")
    twice = """async () => {
        const sent = () => fetch("/report", {method: "POST", body: new FormData(document.getElementById("report"))});
        return (await Promise.all([sent(), sent()])).map((answer) => answer.url);
    }"""
    first, second = page.evaluate(twice)
    assert first == second
    assert "/incidents/" in first


def test_an_error_keeps_what_was_typed(page: Page, trouble) -> None:
    log_in(page)
    page.goto("/report")
    for name, value in {"lon": "1.5", "lat": "2.5", "description": "远方的井盖"}.items():
        page.fill(f"[name={name}]", value)
    page.select_option("[name=category]", index=1)
    page.click("button.primary.wide")
    expect(page.locator(".alert.bad").first).to_contain_text("辖区外")
    assert page.input_value("[name=description]") == "远方的井盖"
    trouble.seen[:] = [each for each in trouble.seen if "422" not in each]  # the refusal itself


def test_somebody_faster_is_told_about(page: Page, trouble) -> None:
    log_in(page)
    page.goto("/incidents?states=reported")
    page.locator("tbody a").last.click()
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("form[action$='/accept'] [name=checked]").check()
    other.locator("form[action$='/accept'] button").click()
    expect(other.locator(".head .state")).to_have_text("已立案")
    page.locator("form[action$='/accept'] [name=checked]").check()
    page.locator("form[action$='/accept'] button").click()
    expect(page.locator(".alert.bad")).to_contain_text("其他人刚刚办理了")
    trouble.seen[:] = [each for each in trouble.seen if "409" not in each]


def test_a_language_is_one_click_away_and_stays(page: Page) -> None:
    log_in(page)
    page.goto("/incidents?overdue=true")
    page.click("a.language")
    expect(page.locator("h1")).to_have_text("Incidents")
    assert page.url.endswith("/incidents?overdue=true")
    page.click("form[action='/logout'] button")
    page.context.clear_cookies()
    log_in_by_form(page)
    expect(page.locator(".main-nav")).to_contain_text("Command map")
    page.click("a.language")
    expect(page.locator(".main-nav")).to_contain_text("指挥一张图")


def test_every_page_can_be_used_by_everybody(page: Page) -> None:
    log_in(page)
    page.goto("/grids?level=street")
    unit = page.locator("#units tbody a").first.get_attribute("href")
    check_for_everybody(page, *PAGES, unit)


def test_one_step_for_many_cases_can_be_used_by_everybody(page: Page) -> None:
    for language in ("en", "zh"):
        log_in(page)
        page.goto(f"/language/{language}?next=/incidents%3Fstates=reported")
        page.locator("#list [name=numbers]").nth(0).check()
        page.locator("#list [name=numbers]").nth(1).check()
        page.click("#bulk-bar button")
        check_both(page)
        for condition in page.locator("[name=met]").all():
            condition.check()
        page.locator("form[action^='/incidents/bulk/'] button").click()
        expect(page.locator(".alert.good")).to_contain_text("2")
        check_both(page)


def test_a_member_on_foot_can_use_desk_and_list(page: Page) -> None:
    log_in(page, "member")
    check_for_everybody(page, "/desk", "/incidents?open=true&sort=due")
