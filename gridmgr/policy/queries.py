"""Reads of the policies: which table is in force, and which policy answers for a case."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.category.model import Category
from gridmgr.clock import TimeUnit
from gridmgr.kept import kept
from gridmgr.policy import rules
from gridmgr.policy.model import Policy, PolicyDraft, PolicyTable, Stage


@dataclass(frozen=True)
class _Policies:
    """All tables of policies, the latest first, their rows, and the questions answered so far."""

    tables: list[PolicyTable]
    by_table: dict[int, list[Policy]]
    answered: dict[tuple, Policy | None]


def _read_policies(session: Session) -> _Policies:
    by_table: dict[int, list[Policy]] = {}
    for each in session.scalars(select(Policy).order_by(Policy.category, Policy.stage, Policy.severity)):
        by_table.setdefault(each.table_id, []).append(each)
    tables = select(PolicyTable).order_by(PolicyTable.effective.desc(), PolicyTable.id.desc())
    return _Policies(list(session.scalars(tables)), by_table, {})


def policy_tables(session: Session) -> list[PolicyTable]:
    """Return all tables of policies, the one that comes into force last first."""
    return kept(session, "policies", _read_policies).tables


def policy_table(session: Session, at: date | None = None) -> PolicyTable | None:
    """Return the table of policies in force on the day `at`, None if there is none yet."""
    day = at or clock.today()
    return next((table for table in policy_tables(session) if table.effective <= day), None)


def in_force(session: Session, at: date | None = None) -> list[Policy]:
    """Return the policies in force on the day `at`."""
    table = policy_table(session, at)
    return kept(session, "policies", _read_policies).by_table.get(table.id, []) if table else []


@dataclass(frozen=True)
class Draft:
    """The next table as it stands: what was saved, or without that the table in force."""

    version: int  # 0: nobody has saved anything
    cells: list[rules.Cells]
    based_on: str
    saved_by: str = ""
    saved_at: datetime | None = None


def draft(session: Session) -> Draft:
    """Return the draft of the next table of policies."""
    saved = session.get(PolicyDraft, 1)
    if saved is not None:
        return Draft(saved.version, saved.rows, saved.based_on, saved.saved_by, saved.saved_at)
    table = policy_table(session)
    told = f"{table.title} {table.effective}" if table else ""
    return Draft(0, [rules.cells_of(rules.plain(each)) for each in in_force(session)], told)


def policy_for(
    session: Session,
    category: str,
    severity: int,
    stage: str,
    at: date | None = None,
    holder: str | None = None,
) -> Policy | None:
    """Return the policy for a category's code, a severity, a stage and the level that holds the case, on a day.

    It is None if no policy is for such a case.
    """
    table = policy_table(session, at)
    if table is None:
        return None
    asked = (table.id, category, severity, stage, holder)
    answered = kept(session, "policies", _read_policies).answered
    if asked not in answered:
        answered[asked] = rules.most_specific(in_force(session, at), category, severity, stage, holder)
    return answered[asked]


def limit_of(
    session: Session, category: Category, severity: int, at: date | None = None, holder: str | None = None
) -> tuple[float, TimeUnit] | None:
    """Return how long a whole case may take: as its policy says, else as its category does, None for no limit."""
    policy = policy_for(session, category.policy_code, severity, Stage.HANDLE, at, holder)
    return rules.limit_of(category, policy)
