"""A leader blows the whistle on a case; the department reports in from a phone, with its place and a photo."""

import io

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy import select
from walking import NASTY, PHONE, check_for_everybody, log_in

from gridmgr import db
from gridmgr.account import service as accounts
from gridmgr.account.rules import SYSTEM, Grant, Role
from gridmgr.incident import queries as incidents
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident
from gridmgr.life.model import Action
from gridmgr.reactions import REACTIONS

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]
BODY = "环卫所"


@pytest.fixture(scope="module")
def case(district, database: str) -> tuple[str, float, float]:
    """A case the street holds, and where it is; with a leader, and somebody of the department."""
    with db.transaction(db.engine(database), REACTIONS) as session:
        for username, role, body in (
            ("chief", Role.STREET_LEADER, None), ("crew", Role.DEPARTMENT_HANDLER, BODY),
        ):  # fmt: skip
            accounts.open_account(
                session, username, username, username, [Grant(role, "")], demo=True, body=body
            )
        found = session.scalar(select(Incident).order_by(Incident.id).limit(1))
        incident.move(session, SYSTEM, found.number, Action.ACCEPT, {"checked": True})
        incident.move(
            session, SYSTEM, found.number, Action.HAND_UP, {"level": "street", "note": "请街道协调"}
        )
        return found.number, *incidents.position(found)


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "#557799").save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_the_leader_calls_and_the_department_is_there(page: Page, case) -> None:
    number, lon, lat = case
    log_in(page, "chief")
    page.goto(f"/incidents/{number}")
    page.locator("#whistles summary", has_text="吹哨").click()
    page.get_by_label("吹哨类型").select_option("concern")
    page.get_by_label("吹哨事由").fill(f"请到场 {NASTY}")
    for box in page.locator("#whistles input[name=chosen]:checked").all():
        box.uncheck()
    page.locator(f"#whistles input[name=chosen][value='{BODY}']").check()
    page.locator("#whistles form button.primary").click()
    page.wait_for_url("**/whistles/*")
    expect(page.locator("#whistle .call")).to_contain_text("待报到")
    address = page.url

    page.context.clear_cookies()
    log_in(page, "crew")
    page.goto("/desk")
    page.get_by_role("link", name="张哨单呼叫您单位，请报到").click()
    page.wait_for_url(address)
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": lon, "latitude": lat})
    form = page.locator("details[open] form")
    form.get_by_role("button", name="我在这里").click()
    expect(form.get_by_label("经度")).to_have_value(f"{lon:.7f}")
    form.locator("input[type=file]").first.set_input_files(
        {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": picture()}
    )
    expect(form.locator(".files input[name=files]")).to_have_count(1)  # it has been sent
    form.get_by_role("button", name="报到").last.click()
    expect(page.locator("#whistle .call").first).to_contain_text("按时报到")
    expect(page.locator("#whistle .call").first).not_to_contain_text("不在现场")
    page.goto("/whistles")
    expect(page.locator(".whistles li.card")).to_contain_text("按时报到")
    assert page.evaluate("window.hit") is None


def test_whistles_can_be_used_by_everybody(page: Page, case) -> None:
    log_in(page, "chief")
    check_for_everybody(page, "/whistles", "/whistles/1", f"/incidents/{case[0]}")
    page.context.clear_cookies()
    log_in(page)
    check_for_everybody(page, "/whistles/terms")
