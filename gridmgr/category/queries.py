"""Reads of the category tables and of the policies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.category import rules
from gridmgr.category.model import (
    Category,
    CategoryKind,
    CategoryTable,
    Policy,
    PolicyTable,
    Stage,
    UnknownCategory,
)
from gridmgr.clock import TimeUnit
from gridmgr.kept import kept


@dataclass(frozen=True)
class _Categories:
    """All tables of categories: those people report under, the latest first, and every row."""

    own: list[CategoryTable]
    by_table: dict[int, list[Category]]  # by code
    by_id: dict[int, Category]  # by code


def _read_categories(session: Session) -> _Categories:
    tables = session.scalars(
        select(CategoryTable).order_by(CategoryTable.effective.desc(), CategoryTable.id.desc())
    ).all()
    rows = session.scalars(select(Category).order_by(Category.code, Category.id)).all()
    by_table: dict[int, list[Category]] = {}
    for each in rows:
        by_table.setdefault(each.table_id, []).append(each)
    foreign = {
        table for table, own in by_table.items() if all(each.kind == CategoryKind.FOREIGN for each in own)
    }
    return _Categories(
        [table for table in tables if table.id in by_table and table.id not in foreign],
        by_table,
        {each.id: each for each in rows},
    )


def in_force(session: Session, at: date | None = None) -> list[Category]:
    """Return the categories people report under on the day `at`: the latest own table by then, by code."""
    table = own_table(session, at)
    return kept(session, "categories", _read_categories).by_table[table.id] if table else []


def own_table(session: Session, at: date | None = None) -> CategoryTable | None:
    """Return the table of categories in force on a day, None if there is none yet."""
    day = at or clock.today()
    tables = kept(session, "categories", _read_categories).own
    return next((table for table in tables if table.effective <= day), None)


def by_code(session: Session, code: str, at: date | None = None) -> Category:
    """Return the category of that code in the table in force.

    Raises
    ------
    UnknownCategory
    """
    for category in in_force(session, at):
        if category.code == code:
            return category
    raise UnknownCategory(code=code)


def whose(session: Session, words: str, size: int = 12) -> list[Category]:
    """Return the matters in force that somebody's words speak of, the likeliest first."""
    return rules.matching(words, in_force(session))[:size]


def by_id(session: Session) -> Mapping[int, Category]:
    """Return every category of every table by its id, in the order of codes: an old case keeps its own."""
    return kept(session, "categories", _read_categories).by_id


def ids(session: Session, table_id: int) -> dict[str, int]:
    """Return the ids of a table's categories by code."""
    rows = kept(session, "categories", _read_categories).by_table.get(table_id, ())
    return {each.code: each.id for each in rows}


@dataclass(frozen=True)
class _Policies:
    """All tables of policies, the latest first, their rows, and the questions answered so far."""

    tables: list[PolicyTable]
    by_table: dict[int, list[Policy]]
    answered: dict[tuple[int, str, int, str], Policy | None]


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


def policies(session: Session, at: date | None = None) -> list[Policy]:
    """Return the policies in force on the day `at`."""
    table = policy_table(session, at)
    return kept(session, "policies", _read_policies).by_table.get(table.id, []) if table else []


def policy_for(
    session: Session, category: str, severity: int, stage: str, at: date | None = None
) -> Policy | None:
    """Return the policy for a category's code, a severity and a stage on the day `at`, None if there is none."""
    table = policy_table(session, at)
    if table is None:
        return None
    asked = (table.id, category, severity, stage)
    answered = kept(session, "policies", _read_policies).answered
    if asked not in answered:
        answered[asked] = rules.most_specific(policies(session, at), category, severity, stage)
    return answered[asked]


def limit_of(
    session: Session, category: Category, severity: int, at: date | None = None
) -> tuple[float, TimeUnit] | None:
    """Return how long a whole case may take: as its policy says, else as its category does, None for no limit."""
    policy = policy_for(session, category.policy_code, severity, Stage.HANDLE, at)
    given = policy if policy and policy.amount is not None else None
    amount, unit = (given.amount, given.unit) if given else (category.limit_amount, category.limit_unit)
    return (amount, TimeUnit(unit)) if amount is not None else None
