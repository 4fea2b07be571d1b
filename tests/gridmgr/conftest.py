"""Fixtures on a little district: two communities of two micro-grids each, and a house in every one."""

from collections.abc import Iterator
from datetime import date
from threading import Thread

import pytest
from climbing import MONDAY, SAMPLE, Desk, publish
from commanding import command, little_url  # noqa: F401 (fixtures of the tests of the command)
from exhibits import photo as picture
from little import CATEGORIES, SOUTH, STEP, STREET, WEST, little_district
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from whistling import ENFORCEMENT, MARKET, SANITATION

from gridmgr import db, worker
from gridmgr.account import queries as account_queries
from gridmgr.account import queries as queries_of_accounts
from gridmgr.account import service as accounts
from gridmgr.account.rules import Actor, Grant, Role
from gridmgr.attachment import service as attachments
from gridmgr.category import queries, rules, service
from gridmgr.hierarchy import service as hierarchy
from gridmgr.incident.model import Report
from gridmgr.life.model import Action, Source
from gridmgr.settings import settings


@pytest.fixture(scope="module")
def settled(prepared, copied) -> Iterator[Engine]:
    """An engine on a copy of the little district, one a module."""
    with copied(prepared(little_and_settled)) as url:
        engine = db.engine(url)
        yield engine
        engine.dispose()


def little_and_settled(url: str) -> None:
    """Load the little district and two categories, in force since 2026."""
    engine = db.engine(url)
    with db.transaction(engine) as session:
        hierarchy.load(session, little_district(), date(2026, 1, 1), "首版")
        service.publish(session, "试点", date(2026, 1, 1), rules.parse(CATEGORIES))
    engine.dispose()


@pytest.fixture
def own_district(copied, prepared, tmp_path, monkeypatch) -> Iterator[Engine]:
    """An engine on a copy of the little district for one test that commits."""
    monkeypatch.setattr(settings(), "home", tmp_path)
    with copied(prepared(little_and_settled)) as url:
        engine = db.engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def ground(request: pytest.FixtureRequest) -> Engine:
    """The little district where a test asks for it, and an empty database elsewhere."""
    return request.getfixturevalue("settled" if "district" in request.fixturenames else "engine")


@pytest.fixture
def district(session: Session, tmp_path, monkeypatch) -> Session:
    """A database with the little district and two categories, in force since 2026."""
    monkeypatch.setattr(settings(), "home", tmp_path)
    return session


@pytest.fixture
def staff(district: Session) -> dict[Role, Actor]:
    """One account of each role, all on the one street, the grid member on one micro-grid."""
    codes = {Role.GRID_MEMBER: f"{STREET}001001", Role.COMMUNITY_CLERK: f"{STREET}001"}
    return {
        role: queries_of_accounts.actor_of(
            accounts.open_account(
                district, role, f"{role}", "a long enough password", [Grant(role, codes.get(role, STREET))],
                body="环卫所" if role is Role.DEPARTMENT_HANDLER else None,
            )
        )
        for role in Role
    }  # fmt: skip


@pytest.fixture
def told(district: Session):
    """Make a report at a place of the raster; by default in the first micro-grid, in no building."""
    category = queries.by_code(district, "S0102").id

    def tell(column: float = 0.1, row: float = 0.1, **changes) -> Report:
        usual = {"datum": "wgs84", "category_id": category, "source": Source.PATROL, "description": "垃圾"}
        return Report(**{"lon": WEST + column * STEP, "lat": SOUTH + row * STEP} | usual | changes)

    return tell


@pytest.fixture
def work_off():
    """Run the jobs that wait in a database, as the worker does, in a thread that has no event loop yet."""

    def work(url: str) -> None:
        thread = Thread(target=worker.run, args=(url,), kwargs={"forever": False})
        thread.start()
        thread.join()

    return work


@pytest.fixture
def sample(district):
    """Put the policies the product comes with in force."""
    publish(district, SAMPLE.read_text("utf-8").partition("\n")[2])


@pytest.fixture
def desk(district, told) -> Desk:
    return Desk(district, told)


@pytest.fixture
def departments(district, staff) -> dict[str, Actor]:
    """People of three departments, each on the whole street."""
    people = {SANITATION: staff[Role.DEPARTMENT_HANDLER]}
    for n, name in enumerate((ENFORCEMENT, MARKET)):
        account = accounts.open_account(
            district, f"body{n}", name, "a long enough password", [Grant(Role.DEPARTMENT_HANDLER, STREET)], body=name
        )  # fmt: skip
        people[name] = account_queries.actor_of(account)
    return people


@pytest.fixture
def case(desk, staff):
    """A case that the street's dispatcher has accepted."""
    found = desk.report()
    desk.move(found, MONDAY, Action.ACCEPT, staff[Role.STREET_DISPATCHER])
    return found


@pytest.fixture
def photo(district, staff) -> dict[str, str]:
    stored = attachments.store(district, staff[Role.DEPARTMENT_HANDLER], "报到.jpg", picture())
    return {"sha256": stored.sha256, "name": "报到.jpg"}
