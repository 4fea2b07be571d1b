"""What the walks through the pages share: a tiny district with nasty names, its people, and the worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Thread
from urllib.parse import quote

from playwright.sync_api import Page
from sqlalchemy.orm import Session

from gis.samples import sized
from gridmgr import db, worker
from gridmgr.account import service as accounts
from gridmgr.account.rules import SYSTEM, Grant, Role
from gridmgr.category import queries as categories
from gridmgr.category import rules as category_rules
from gridmgr.category import service as matters
from gridmgr.hierarchy import queries as hierarchy_queries
from gridmgr.hierarchy import service as hierarchy
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.reactions import REACTIONS
from web import deps

CATEGORIES = Path(__file__).parents[2] / "sample_maps" / "categories.csv"
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PHONE, DESK = {"width": 375, "height": 740}, {"width": 1366, "height": 768}
PEOPLE = {"commander": Role.ADMIN, "member": Role.GRID_MEMBER}
# What a careless page would run or expand; every page must show it as text.
NASTY = '<script>window.hit=1</script><img src=x onerror="window.hit=1">${window.hit=1}{{7*7}}'


def people_alone(url: str) -> None:
    """Open the accounts of the tests; the password is the user name."""
    with filling(url) as session:
        for username, role in PEOPLE.items():
            accounts.open_account(
                session, username, f"{username} {NASTY}"[:64], username, [Grant(role, "")], demo=True
            )


def nasty_district(url: str) -> None:
    """Load a tiny district whose names are nasty, its categories, and a few incidents."""
    levels = sized("tiny")
    for frame in levels.values():
        frame["name"] = frame["name"] + NASTY
    with filling(url) as session:
        edition = hierarchy.load(session, levels, date(2026, 1, 1), "首版").edition
        hierarchy.draw_tiles(session, edition)
        with CATEGORIES.open(encoding="utf-8") as lines:
            matters.publish(session, "样例", date(2026, 1, 1), category_rules.parse(lines))
        session.flush()
        west, south, east, north = hierarchy_queries.bounds(session, SYSTEM)
        category = categories.in_force(session)[0].id
        for n in range(12):
            lon, lat = west + (east - west) * (0.35 + 0.025 * n), south + (north - south) * 0.5
            intake.report(
                session, SYSTEM, Report(lon, lat, "wgs84", category, Source.PATROL, NASTY, f"{n} {NASTY}")
            )


def peopled_district(url: str) -> None:
    """Fill a database with the district and its people."""
    people_alone(url)
    nasty_district(url)


@contextmanager
def filling(url: str) -> Iterator[Session]:
    """Give a session on a database, which nobody holds afterwards: it can be copied."""
    engine = db.engine(url)
    with db.transaction(engine, REACTIONS) as session:
        yield session
    engine.dispose()


def log_in(page: Page, username: str = "commander") -> None:
    """Log in as somebody, by a session of theirs that began elsewhere; no page is open yet."""
    with db.transaction(deps.engine()) as session:
        secret, _ = accounts.log_in(session, username, username)
    page.context.add_cookies([{"name": deps.COOKIE, "value": secret, "domain": "127.0.0.1", "path": "/"}])


def log_in_by_form(page: Page, username: str = "commander") -> None:
    """Log in as somebody does, who then finds the desk."""
    page.goto("/login")
    page.fill("[name=username]", username)
    page.fill("[name=password]", username)
    page.click("form[action='/login'] button")
    page.wait_for_url("**/desk")


def check_for_everybody(page: Page, *paths: str) -> None:
    """See of each page, in both languages and on both widths, that it fits, shows data as text, and passes axe.

    What axe looks at is the same in both languages and on both widths, and takes its time: once is enough.
    """
    for path in paths:
        for language, check in (("en", check_fit), ("zh", check_page)):
            page.goto(f"/language/{language}?next={quote(path, safe='/')}")
            page.set_viewport_size(PHONE)
            check_fit(page)
            page.set_viewport_size(DESK)
            check(page)


def check_both(page: Page) -> None:
    """See a page as it stands on both widths, and leave it as wide as a desk."""
    for size in (PHONE, DESK):
        page.set_viewport_size(size)
        check_page(page)


def check_page(page: Page) -> None:
    """See that the page as it stands fits, shows data as text, and that axe finds nothing."""
    check_fit(page)
    page.evaluate(AXE.read_text("utf-8"))
    violations = "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))"
    assert page.evaluate(violations) == [], page.url


def check_fit(page: Page) -> None:
    """See that the page as it stands fits and shows data as text."""
    page.wait_for_function("() => !document.querySelector('.htmx-request')")
    page.evaluate("document.querySelectorAll('details.more').forEach((each) => { each.open = true; })")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"
    assert page.evaluate("window.hit") is None, page.url
    assert "49" not in page.title()


def work_off(url: str) -> None:
    """Run the jobs that wait, as the worker does."""
    thread = Thread(
        target=worker.run, args=(url,), kwargs={"forever": False}
    )  # Playwright's loop runs in this one
    thread.start()
    thread.join()
