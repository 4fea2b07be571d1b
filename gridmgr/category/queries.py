"""Reads of the category tables and of the policies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.category.model import (
    Category,
    CategoryKind,
    CategoryTable,
    UnknownCategory,
)
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


def by_id(session: Session) -> Mapping[int, Category]:
    """Return every category of every table by its id, in the order of codes: an old case keeps its own."""
    return kept(session, "categories", _read_categories).by_id


def ids(session: Session, table_id: int) -> dict[str, int]:
    """Return the ids of a table's categories by code."""
    rows = kept(session, "categories", _read_categories).by_table.get(table_id, ())
    return {each.code: each.id for each in rows}
