"""The lists of the demonstration: written by code, published without a fault, opened once."""

from datetime import date

import pytest
from little import STREET
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import service as accounts
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.admission import queries as admissions
from gridmgr.category.service import publish
from gridmgr.responsibility import queries
from gridmgr.simulation import listed
from gridmgr.simulation.samples import category_rows

pytestmark = pytest.mark.db
DAY = date(2026, 2, 1)


@pytest.fixture
def opened(district: Session) -> Session:
    publish(district, "样表", DAY, category_rows())
    for name, role, code, body in (
        ("dispatcher", Role.STREET_DISPATCHER, STREET, None), ("handler", Role.DEPARTMENT_HANDLER, "", "环卫所"),
    ):  # fmt: skip
        accounts.open_account(district, name, name, "a long enough password", [Grant(role, code)], body=body)
    assert listed.open_lists(district, DAY) == 7
    return district


def test_every_matter_has_one_owner_and_the_streets_are_its_own(opened):
    for row in category_rows():
        owner = queries.owner_of(opened, row["code"], f"{STREET}001001")
        own = row["code"] in (*listed.TERRITORY, *listed.HANDED_DOWN)
        assert (owner.territorial, owner.lead) == (own, "荷花池街道" if own else row["department"])


def test_there_is_an_edition_to_compare_a_draft_and_an_admission_under_way(opened):
    found = {each.list.kind: each for each in queries.summaries(opened, SYSTEM)}
    assert (found["division"].published, found["territorial"].drafts) == (2, 1)
    draft = queries.edition(opened, SYSTEM, found["territorial"].draft_ids[0])
    assert queries.faults(opened, draft, clock.today()) == []
    changes = queries.changes(opened, SYSTEM, found["territorial"].edition.id, draft.edition.id)
    assert {each[0] for each in changes} == {"added", "removed", "changed"}
    (asked,) = admissions.page(opened, SYSTEM)
    assert (asked.state, admissions.heard(opened, asked)) == ("asked", True)


def test_a_second_start_adds_nothing(opened):
    assert listed.open_lists(opened, DAY) == 0
