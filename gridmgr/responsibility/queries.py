"""Reads of the category tables and of the policies."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.clock import TimeUnit
from gridmgr.responsibility import rules
from gridmgr.responsibility.model import (
    Category,
    CategoryKind,
    CategoryTable,
    Policy,
    PolicyTable,
    Stage,
    UnknownCategory,
)


def in_force(session: Session, at: date | None = None) -> list[Category]:
    """Return the categories people report under on the day `at`: the latest own table by then, by code."""
    table = own_table(session, at)
    if table is None:
        return []
    asked = select(Category).where(Category.table_id == table.id).order_by(Category.code)
    return list(session.scalars(asked))


def own_table(session: Session, at: date | None = None) -> CategoryTable | None:
    """Return the table of categories in force on a day, None if there is none yet."""
    own = select(Category.id).where(
        Category.table_id == CategoryTable.id, Category.kind != CategoryKind.FOREIGN
    )
    latest = (
        select(CategoryTable)
        .where(CategoryTable.effective <= (at or clock.today()), own.exists())
        .order_by(CategoryTable.effective.desc(), CategoryTable.id.desc())
        .limit(1)
    )
    return session.scalar(latest)


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


def ids(session: Session, table_id: int) -> dict[str, int]:
    """Return the ids of a table's categories by code."""
    rows = session.execute(select(Category.code, Category.id).where(Category.table_id == table_id))
    return dict(tuple(row) for row in rows)


def used(session: Session) -> list[Category]:
    """Return every category of every table, for filters over old cases."""
    return list(session.scalars(select(Category).order_by(Category.code, Category.id)))


def policy_tables(session: Session) -> list[PolicyTable]:
    """Return all tables of policies, the one that comes into force last first."""
    return list(
        session.scalars(select(PolicyTable).order_by(PolicyTable.effective.desc(), PolicyTable.id.desc()))
    )


def policy_table(session: Session, at: date | None = None) -> PolicyTable | None:
    """Return the table of policies in force on the day `at`, None if there is none yet."""
    day = at or clock.today()
    return next((table for table in policy_tables(session) if table.effective <= day), None)


def policies(session: Session, at: date | None = None) -> list[Policy]:
    """Return the policies in force on the day `at`, read once in a session for each day."""
    day = at or clock.today()
    read: dict[date, list[Policy]] = session.info.setdefault("policies", {})
    if day not in read:
        latest = select(PolicyTable.id).where(PolicyTable.effective <= day).limit(1)
        latest = latest.order_by(PolicyTable.effective.desc(), PolicyTable.id.desc()).scalar_subquery()
        asked = select(Policy).where(Policy.table_id == latest)
        read[day] = list(session.scalars(asked.order_by(Policy.category, Policy.stage, Policy.severity)))
    return read[day]


def policy_for(
    session: Session, category: str, severity: int, stage: str, at: date | None = None
) -> Policy | None:
    """Return the policy for a category's code, a severity and a stage on the day `at`, None if there is none."""
    day = at or clock.today()
    asked = (category, severity, stage, day)
    answered: dict[tuple, Policy | None] = session.info.setdefault("policy_for", {})
    if asked not in answered:
        answered[asked] = rules.most_specific(policies(session, day), category, severity, stage)
    return answered[asked]


def limit_of(
    session: Session, category: Category, severity: int, at: date | None = None
) -> tuple[float, TimeUnit] | None:
    """Return how long a whole case may take: as its policy says, else as its category does, None for no limit."""
    policy = policy_for(session, category.policy_code, severity, Stage.HANDLE, at)
    given = policy if policy and policy.amount is not None else None
    amount, unit = (given.amount, given.unit) if given else (category.limit_amount, category.limit_unit)
    return (amount, TimeUnit(unit)) if amount is not None else None
