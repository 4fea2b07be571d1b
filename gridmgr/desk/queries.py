"""Reads of desks: how much lies on them, what lies on top, and where it burns."""

from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor, Role
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.desk import rules
from gridmgr.desk.rules import Worklist
from gridmgr.incident.model import Incident
from gridmgr.life.model import HOLDERS

ON_TOP = 6


@dataclass(frozen=True)
class Pile:
    """A worklist as it lies there: its search, how many cases it holds, and the first of them."""

    role: Role
    worklist: Worklist
    search: Search
    count: int
    top: list[Incident]


def piles(session: Session, actor: Actor, top: int = ON_TOP) -> list[Pile]:
    """Return all worklists of somebody's desks; their counts come from one statement."""
    lists = [
        (role, worklist, worklist.search(actor))
        for role, worklists in rules.desks(actor)
        for worklist in worklists
    ]
    keyed = {f"{role}/{worklist.name}": search for role, worklist, search in lists}
    counts = casebook.counted(session, actor, keyed)
    return [
        Pile(
            role, worklist, search, counts[f"{role}/{worklist.name}"],
            casebook.page(session, actor, search, top) if counts[f"{role}/{worklist.name}"] and top else [],
        )
        for role, worklist, search in lists
    ]  # fmt: skip


@dataclass(frozen=True)
class Area:
    """How a street stands: open cases, late ones, those about to be late, and those the district holds."""

    code: str
    open: int
    late: int
    soon: int
    district: int


def areas(session: Session, actor: Actor) -> list[Area]:
    """Return how each street stands that the actor may see, the worst first."""
    asked = (
        casebook.matching(session, actor, Search(open=True))
        .where(Incident.street_code.is_not(None))
        .with_only_columns(
            Incident.street_code,
            func.count(),
            func.count().filter(casebook.late()),
            func.count().filter(casebook.soon(session)),
            func.count().filter(Incident.level == HOLDERS[-1]),
        )
        .group_by(Incident.street_code)
    )
    found = [Area(*row) for row in session.execute(asked)]
    return sorted(found, key=lambda area: (-area.late, -area.open, area.code))
