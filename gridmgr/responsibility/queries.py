"""Reads of the category tables."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.responsibility.model import Category, CategoryKind, CategoryTable, UnknownCategory


def in_force(session: Session, at: date | None = None) -> list[Category]:
    """Return the categories people report under on the day `at`: the latest own table by then, by code."""
    own = select(Category.id).where(
        Category.table_id == CategoryTable.id, Category.kind != CategoryKind.FOREIGN
    )
    latest = (
        select(CategoryTable.id)
        .where(CategoryTable.effective <= (at or clock.today()), own.exists())
        .order_by(CategoryTable.effective.desc(), CategoryTable.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return list(session.scalars(select(Category).where(Category.table_id == latest).order_by(Category.code)))


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
