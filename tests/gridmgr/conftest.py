"""Fixtures on a little district: two communities of two micro-grids each, and a house in every one."""

from datetime import date
from threading import Thread

import pytest
from climbing import SAMPLE, Desk, publish
from little import CATEGORIES, SOUTH, STEP, STREET, WEST, little_district
from sqlalchemy.orm import Session

from gridmgr import worker
from gridmgr.account import queries as queries_of_accounts
from gridmgr.account import service as accounts
from gridmgr.account.rules import Actor, Grant, Role
from gridmgr.category import queries, rules, service
from gridmgr.hierarchy import service as hierarchy
from gridmgr.incident.model import Report
from gridmgr.life.model import Source
from gridmgr.settings import settings


@pytest.fixture
def district(session: Session, tmp_path, monkeypatch) -> Session:
    """A database with the little district and two categories, in force since 2026."""
    monkeypatch.setattr(settings(), "home", tmp_path)
    hierarchy.load(session, little_district(), date(2026, 1, 1), "首版")
    service.publish(session, "试点", date(2026, 1, 1), rules.parse(CATEGORIES))
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
