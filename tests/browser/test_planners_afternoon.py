"""A planner's afternoon: split a grid, drag a border, lasso buildings, take it all back; and go to the map."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session
from walking import DESK, check_for_everybody, log_in

from gridmgr import clock, db
from gridmgr.account import queries as accounts
from gridmgr.account import service as opened
from gridmgr.account.rules import SYSTEM, Actor, Grant, Role
from gridmgr.boundary_plan import queries as plans
from gridmgr.consultation import queries as consultations
from gridmgr.consultation import service as opinions
from gridmgr.consultation.model import Said
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.plan_edit import service as edits
from gridmgr.publication import queries as publications
from gridmgr.publication import service as steps
from gridmgr.reactions import REACTIONS
from web import deps

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]

# Where a unit lies on the screen: its middle, its width and its height.
SPOT = """(code) => {
  const feature = planDesk.state.units.get(code), [x, y] = planShapes.middle(feature);
  const [west, south, east, north] = planShapes.box(feature);
  const { left, top } = gridmgrMap.getContainer().getBoundingClientRect();
  const on = (lat, lng) => gridmgrMap.latLngToContainerPoint([lat, lng]);
  const low = on(south, west), high = on(north, east), at = on(y, x);
  return { x: at.x + left, y: at.y + top, wide: high.x - low.x, high: low.y - high.y };
}"""
# The grid with most buildings: what is drawn through it meets some.
FULLEST = """() => {
  const held = (feature) => feature.properties.buildings;
  return [...planDesk.state.units.values()].sort((a, b) => held(b) - held(a))[0].properties.code;
}"""

# How far the deviations that the page shows are from those the server would tell.
FAR_OFF = """async () => {
  const { features } = await (await fetch(`/api/plans/${planDesk.given.id}/units`)).json();
  const off = ({ code, deviation }) => Math.abs(planDesk.state.units.get(code).properties.deviation - deviation);
  return Math.max(...features.map(({ properties }) => off(properties)));
}"""


def tip(page: Page) -> int | None:
    return page.evaluate("planDesk.state.plan.tip")


def moved_on(page: Page, before: int | None) -> None:
    """Wait until the plan stands elsewhere than before, and has said that it is kept."""
    page.wait_for_function("(before) => planDesk.state.plan.tip !== before", arg=before)
    expect(page.locator("#plan-saved")).to_contain_text("已保存")


def open_plan(page: Page) -> str:
    page.goto("/plans")
    page.fill("[name=name]", "午后")
    page.fill("[name=area]", page.locator("#areas option").last.get_attribute("value"))
    page.click("form[action='/plans'] button")
    expect(page.locator(".plan-bar").first).to_be_visible()
    expect(page.locator("#plan-claim")).to_contain_text("您正在编辑")
    return page.url


def split(page: Page, code: str) -> None:
    before, spot = tip(page), page.evaluate(SPOT, code)
    page.click("[data-choose=split]")
    ends = (spot["y"] - spot["high"] * 0.75, spot["y"] + spot["high"] * 0.75)
    page.mouse.move(spot["x"], ends[0])
    page.mouse.click(spot["x"], ends[0])
    page.mouse.move(spot["x"], ends[1], steps=3)
    expect(
        page.locator("#plan-desk.previewing")
    ).to_be_attached()  # both halves with their numbers, nothing kept
    expect(page.locator(".plan-tag")).to_have_count(2)
    assert tip(page) == before
    page.mouse.dblclick(spot["x"], ends[1])
    moved_on(page, before)
    assert page.evaluate(FAR_OFF) < 1e-9


def drag(page: Page) -> None:
    """Drag the border of the two halves a little, and see numbers change before the hand lets go."""
    before = tip(page)
    page.click("[data-choose=border]")
    handles = page.locator(".marker-icon-middle")
    expect(handles.first).to_be_attached()
    box = handles.nth(handles.count() // 2).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 6, y, steps=3)
    expect(page.locator("#plan-desk.previewing")).to_be_attached()
    assert tip(page) == before
    page.mouse.up()
    moved_on(page, before)


def lasso(page: Page, code: str) -> None:
    """Pull a rope around what one half holds, and give it to a neighbour."""
    before, spot = tip(page), page.evaluate(SPOT, code)
    page.click("[data-choose=lasso]")
    x, y, wide, high = spot["x"], spot["y"], spot["wide"] / 2, spot["high"] / 2
    page.mouse.move(x - wide, y - high)
    page.mouse.down()
    for dx, dy in ((1, -1), (1, 0.2), (-1, 0.2), (-1, -1)):
        page.mouse.move(x + dx * wide, y + dy * high, steps=3)
    page.mouse.up()
    expect(page.locator("#lasso-said")).to_contain_text("栋楼")
    page.click(".plan-options[data-tool=lasso] button")
    moved_on(page, before)
    expect(page.locator("#plan-changes dd").nth(3)).not_to_have_text("0")


@pytest.mark.parametrize("page", [DESK], indirect=True, ids=["desk"])
def test_a_grid_is_split_its_border_dragged_its_buildings_moved_and_all_taken_back(page: Page) -> None:
    log_in(page)
    desk = open_plan(page)
    bars = page.locator(".plan-bar")
    number, fullest = bars.count(), page.evaluate(FULLEST)
    split(page, fullest)
    expect(bars).to_have_count(number + 1)
    drag(page)
    lasso(page, fullest)
    page.reload()  # nothing was lost: every step is kept
    expect(bars).to_have_count(number + 1)
    for _ in range(3):
        before = tip(page)
        page.keyboard.press("Control+z")
        moved_on(page, before)
    assert tip(page) is None
    expect(bars).to_have_count(number)
    expect(page.locator("#plan-undo")).to_be_disabled()
    here = desk.partition("//")[2].partition("/")[2].join(["/", ""])
    area = page.evaluate("planDesk.state.plan.area_code")
    check_for_everybody(page, "/plans", here, f"{here}/compare", f"{here}/file", f"/redraw?community={area}")


@contextmanager
def acting() -> Iterator[tuple[Session, Actor]]:
    """Do what other people do meanwhile, elsewhere."""
    with db.transaction(deps.engine(), REACTIONS) as session:
        yield session, accounts.actor(session, "commander")


def take(page: Page, deed: str) -> None:
    """Take a step on the page of a plan's way."""
    form = page.locator(f"form[action$='/{deed}']")
    if not form.is_visible():
        page.locator("details[name=step]", has=form).locator("summary").click()
    form.locator("button").click()
    page.wait_for_load_state()


def ask(page: Page, desk: str, said: Said) -> None:
    """Submit the plan, put it on notice for no day, ask for opinions, and let all who are asked answer."""
    page.goto(desk)
    page.click("form[action$='/submit'] button")
    page.wait_for_url("**/publications/*")
    number = int(page.url.rpartition("/")[2])
    with acting() as (session, actor):
        steps.announce(session, SYSTEM, number, 0)
    page.reload()
    take(page, "consult")
    with acting() as (session, actor):
        asked = publications.by_id(session, actor, number).consultation_id
        for party in consultations.parties(session, [asked])[asked]:
            if consultations.consultation(session, actor, asked).ended_at is None:
                reason = "" if said is Said.AGREE else "边界穿过院子"
                opinions.say(session, actor, asked, said, reason, party_id=party.id)
    page.reload()


@pytest.mark.parametrize("page", [DESK], indirect=True, ids=["desk"])
def test_a_plan_is_compared_vetoed_revised_agreed_to_and_becomes_the_map_today(page: Page) -> None:
    log_in(page)
    desk = open_plan(page)
    plan = int(desk.rpartition("/")[2])
    split(page, page.evaluate(FULLEST))
    page.click("a[href$='/compare']")
    expect(page.locator("td[data-label]").first).to_be_visible()
    ask(page, desk, Said.VETO)
    expect(page.locator(".head .tag")).to_have_text("一票否决")
    expect(page.locator(".alert.bad").first).to_contain_text("边界穿过院子")
    with acting() as (session, actor):  # revised: it came back as a draft
        draft = plans.by_id(session, actor, plan)
        grid = plans.changes(session, plans.standing(session, draft, draft.tip_id))["new"][0]
        edits.draw(session, actor, plan, draft.tip_id, "rename", {"code": grid, "name": "新网格"})
    ask(page, desk, Said.AGREE)
    expect(page.locator("form[action$='/approve']")).to_have_count(0)  # somebody else has to
    with acting() as (session, _actor):
        opened.open_account(session, "chief", "chief", "chief", [Grant(Role.ADMIN, "")], demo=True)
    page.context.clear_cookies()
    log_in(page, "chief")
    page.reload()
    take(page, "approve")
    expect(page.locator(".head .tag")).to_have_text("已批准")
    take(page, "publish")
    expect(page.locator(".head .tag")).to_have_text("已发布")
    number = page.url.rpartition("/")[2]
    notices = ("/public-notices", f"/public-notices/{number}", "/public-notices/terms")
    check_for_everybody(page, f"/publications/{number}", *notices, "/consultations", "/consultations/new")
    page.context.clear_cookies()
    check_for_everybody(page, "/login")
    with acting() as (session, actor):
        draft = plans.by_id(session, actor, plan)
        state = plans.state(session, draft, draft.tip_id)
        drawn = state.plan.units.loc[state.numbers.index]
        live = hierarchy.frame(session, "micro_grid", clock.today()).set_index("code")
    assert live.at[grid, "name"] == "新网格"
    assert all(live.geometry[code].equals(shape) for code, shape in drawn.geometry.items())
