"""A dispatcher's morning: what got worse, where it hurts, down to the building, dispatched, and seen to turn."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from walking import log_in

from gridmgr import db
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as categories
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident, Move, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source
from gridmgr.reactions import REACTIONS

pytestmark = [pytest.mark.browser, pytest.mark.db, pytest.mark.usefixtures("district")]


@pytest.fixture(scope="module")
def trouble_spot(district: None, database: str) -> tuple[str, ...]:
    """Let one building have six cases more, all accepted; return the codes from its street down to it."""
    with db.transaction(db.engine(database), REACTIONS) as session:
        houses = hierarchy.frame(session, "building")
        house = houses.iloc[len(houses) // 2]
        point, category = house.geometry.representative_point(), categories.in_force(session)[0].id
        for _n in range(6):
            intake.report(session, SYSTEM, Report(point.x, point.y, "wgs84", category, Source.PATROL))
        session.flush()
        numbers = list(session.scalars(select(Incident.number)))
        assert not any(
            incident.move_many(
                session, [Move(SYSTEM, each, Action.ACCEPT, {"checked": True}) for each in numbers]
            )
        )
        case = session.scalars(select(Incident).where(Incident.building_code == house["code"])).first()
        return case.street_code, case.community_code, case.micro_grid_code, house["code"]


def test_from_the_morning_page_to_a_case_that_turns_on_the_map(
    page: Page, trouble_spot: tuple[str, ...]
) -> None:
    log_in(page)
    page.goto("/morning")
    expect(page.locator("main h1")).to_have_text("晨报")

    page.goto("/hotspots?level=micro_grid")
    expect(page.locator("#found tbody td code", has_text=trouble_spot[2])).to_be_visible()

    page.goto("/?open=true&colour=count")
    shown = page.locator("#drill section.drill")
    for code in trouble_spot:
        shown.locator(f"td a[data-drill='{code}']").click()
        expect(shown).to_have_attribute("data-code", code)
    page.wait_for_url(f"**/?*code={trouble_spot[-1]}*")
    page.wait_for_function("() => gridmgr.shown() === 6")

    watching = page.context.new_page()
    watching.goto(f"/?states=dispatched&code={trouble_spot[2]}")
    expect(watching.locator("#live")).to_have_text("实时")
    watching.wait_for_function("() => gridmgr.shown() === 0")

    page.goto(f"/dispatch?code={trouble_spot[2]}")
    page.locator("#queue .waiting").first.wait_for()
    page.keyboard.press("j")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#queue [role=status]")).to_contain_text("已派遣 1 件")
    watching.wait_for_function("() => gridmgr.shown() === 1")
