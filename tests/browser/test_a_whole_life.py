"""A case crosses every desk: all states, all steps, all side ways, by the pages its people use."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect
from walking import log_in_by_form, nasty_district

from gridmgr import db
from gridmgr.account import service as accounts
from gridmgr.account.rules import SYSTEM, Grant, Role
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.incident import queries as incidents
from gridmgr.life.model import State
from gridmgr.life.rules import TRANSITIONS
from gridmgr.reactions import REACTIONS
from gridmgr.simulation.photos import photo
from web.words import DONE, STATES, word

pytestmark = [pytest.mark.browser, pytest.mark.db]
ENFORCEMENT, ROADS = "综合执法大队", "市政管理所"
ILLEGAL_BUILDING, CLUTTER = "S0101", "S0106"  # with further limits; may be settled on the spot
PHOTO = {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": photo(7, 1)}
LONGER = {"amount": "2", "unit": "working_days", "note": "连日下雨，无法施工"}

# Who takes which step with what, and where the case stands after it.
LIFE = (
    ("member", "confirm", {"found": "yes", "note": "现场属实"}, "reported"),
    ("member", "hand_up", {"note": "网格无权处理"}, "reported"),
    ("clerk", "accept", {"checked": True}, "accepted"),
    ("clerk", "hand_up", {"note": "请街道派遣"}, "accepted"),
    ("dispatcher", "dispatch", {"handler": ENFORCEMENT}, "dispatched"),
    ("enforcer", "handle", {}, "handling"),
    ("enforcer", "meet", {"limit": "stop_work", "note": "已停工"}, "handling"),
    ("enforcer", "ask", {"way": "extend"} | LONGER, "handling"),
    ("dispatcher", "refuse", {"note": "期限尚早"}, "handling"),
    ("enforcer", "ask", {"way": "extend"} | LONGER, "handling"),
    ("dispatcher", "extend", LONGER, "handling"),
    ("dispatcher", "assign_task", {"body": ROADS, "note": "清运建筑垃圾"}, "handling"),
    ("roadman", "finish_task", {"note": "已清运", "upload": PHOTO}, "handling"),
    ("enforcer", "ask", {"way": "suspend", "note": "等法院裁定"}, "handling"),
    ("dispatcher", "suspend", {"note": "等法院裁定"}, "suspended"),
    ("enforcer", "resume", {"note": "裁定已到"}, "handling"),
    ("dispatcher", "redirect", {"handler": ROADS, "note": "属市政设施"}, "dispatched"),
    ("roadman", "ask", {"way": "send_back", "note": "不属市政"}, "dispatched"),
    ("dispatcher", "send_back", {"note": "退回重派"}, "accepted"),
    ("dispatcher", "hand_up", {"note": "两部门各执一词，请区级定"}, "accepted"),
    ("command", "extend", LONGER, "accepted"),  # the second time, which is the command centre's
    ("command", "hand_down", {"level": "street", "note": "归综合执法"}, "accepted"),
    ("dispatcher", "dispatch", {"handler": ENFORCEMENT}, "dispatched"),
    ("enforcer", "handle", {}, "handling"),
    ("enforcer", "attach", {"upload": PHOTO}, "handling"),
    ("enforcer", "feed_back", {"note": "已拆除", "upload": PHOTO}, "fed_back"),
    ("member", "rework", {"note": "墙角未清"}, "handling"),
    ("enforcer", "feed_back", {"note": "墙角已清", "upload": PHOTO}, "fed_back"),
    ("clerk", "verify", {"note": "已清净"}, "verified"),
    ("dispatcher", "close", {"checked": True}, "closed"),
    ("member", "evaluate", {"satisfaction": "2"}, "evaluated"),
    ("member", "reopen", {"note": "又搭起来了"}, "accepted"),
)


@dataclass(frozen=True)
class People:
    """Whoever works in this story, each in a browser of their own."""

    pages: dict[str, Page]

    def take(self, who: str, number: str, action: str, given: dict, state: str) -> None:
        """Let somebody take a step of a case on its page, and see where it stands then."""
        page = self.pages[who]
        page.goto(f"/incidents/{number}")
        form = page.locator(f"form[action$='/{number}/{action}']")
        step = page.locator("details[name=step]").filter(has=form)
        if step.get_attribute("open") is None:
            step.locator("summary").click()
        fill(form, given)
        form.locator("button:not([type=button])").click()
        expect(page.locator(".history > .timeline > li").last).to_contain_text(word(DONE, action))
        expect(page.locator(".head .state")).to_have_text(word(STATES, state))

    def report(self, who: str, category: str, at: tuple[float, float], **given: object) -> str:
        """Let somebody report a case by the form; returns its number."""
        page = self.pages[who]
        page.goto("/report")
        place = {"lon": f"{at[0]:.6f}", "lat": f"{at[1]:.6f}"}
        fill(page.locator("form#report"), place | {"category": category} | given)
        page.click("button.primary.wide")
        expect(page.locator(".alert.good").first).to_contain_text("上报成功")
        return page.url.rpartition("/")[2].partition("?")[0]


def fill(form, given: dict) -> None:
    """Fill the fields of a form by their names."""
    for name, value in given.items():
        if name == "upload":
            form.locator("input[type=file]").first.set_input_files([value])
            expect(form.locator("[name=files]")).to_have_count(1)
            continue
        field = form.locator(f"[name={name}]").first
        kind = field.evaluate("field => field.type || ''")
        if kind == "radio":
            form.locator(f"[name={name}][value={value}]").check()
        elif kind == "hidden":
            continue  # the category has no condition to be ticked
        elif kind == "checkbox":
            field.check()
        elif kind.startswith("select"):
            field.select_option(value)
        else:
            field.fill(str(value))


@pytest.fixture(scope="module")
def filled():
    """There is a district, without people."""
    return nasty_district


@pytest.fixture(scope="module")
def place(database: str) -> tuple[float, float]:
    """Open an account for each desk of the story; returns a point of its member's grid."""
    with db.transaction(db.engine(database), REACTIONS) as session:
        case = casebook.page(session, SYSTEM, Search(), 1)[0]
        desks = {
            "member": (Role.GRID_MEMBER, case.micro_grid_code, None),
            "clerk": (Role.COMMUNITY_CLERK, case.community_code, None),
            "dispatcher": (Role.STREET_DISPATCHER, case.street_code, None),
            "enforcer": (Role.DEPARTMENT_HANDLER, "", ENFORCEMENT),
            "roadman": (Role.DEPARTMENT_HANDLER, "", ROADS),
            "command": (Role.COMMAND_CENTRE, "", None),
        }
        for username, (role, code, body) in desks.items():
            accounts.open_account(
                session, username, username, username, [Grant(role, code)], body=body, demo=True
            )
        return incidents.position(case)


@pytest.fixture
def people(place, chromium: Browser, site: str, trouble) -> Iterator[People]:
    """Return everybody logged in: the grid member by phone, the others at a desk."""
    contexts, pages = [], {}
    for username in ("member", "clerk", "dispatcher", "enforcer", "roadman", "command"):
        size = {"width": 375, "height": 740} if username == "member" else {"width": 1366, "height": 768}
        context = chromium.new_context(viewport=size, base_url=site, locale="zh-CN")
        trouble.watch(context)
        page = context.new_page()
        log_in_by_form(page, username)
        contexts.append(context)
        pages[username] = page
    yield People(pages)
    for context in contexts:
        context.close()
    assert trouble.seen == []


def test_a_case_goes_through_every_state_and_every_step_by_its_pages(people: People, place, database: str):
    told = {"source": "resident", "description": "楼顶私搭彩钢房", "address": "荷花路1号", "upload": PHOTO}
    number = people.report("member", ILLEGAL_BUILDING, place, **told)
    for who, action, given, state in LIFE:
        people.take(who, number, action, given, state)

    settled = people.report("member", CLUTTER, place, description="楼道堆放纸箱")
    people.take(
        "member", settled, "settle", {"checked": True, "note": "已劝离清走", "upload": PHOTO}, "closed"
    )
    again = people.report("member", ILLEGAL_BUILDING, place, description="同一处彩钢房")
    people.take("clerk", again, "merge", {"into": number, "note": "同一处"}, "merged")
    nothing = people.report("member", CLUTTER, place, description="并无堆物")
    people.take("clerk", nothing, "void", {"note": "不属实"}, "voided")

    page = people.pages["command"]
    page.goto(f"/incidents/{number}")
    steps = ["report", *(action for _, action, _, _ in LIFE)]
    rows = page.locator(".history > .timeline > li")
    expect(rows).to_have_count(len(steps))
    for row, action in zip(rows.all(), steps, strict=True):
        expect(row).to_contain_text(word(DONE, action))
    expect(page.locator(".history .alert.good")).to_contain_text("完整")
    with db.transaction(db.engine(database)) as session:
        cases = [incidents.by_number(session, SYSTEM, each) for each in (number, settled, again, nothing)]
        events = [event for case in cases for event in incidents.history(session, case.id)]
    assert {event.state for event in events} == set(State)
    assert {event.action for event in events} == {action for _, action in TRANSITIONS}
