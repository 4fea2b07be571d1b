"""Verbs of categories: publish a table of categories, and one of policies."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from gridmgr.category import queries
from gridmgr.category.model import (
    Category,
    CategoryKind,
    CategoryTable,
    NoCategories,
    TitleTaken,
)


def publish(session: Session, title: str, effective: date, rows: Iterable[dict[str, Any]]) -> CategoryTable:
    """Publish a table of categories, in force from `effective`; cases filed before keep their old rows.

    Raises
    ------
    NoCategories, TitleTaken
    """
    rows, title = list(rows), title[:100]
    if not rows:
        raise NoCategories
    same = select(CategoryTable.id).where(CategoryTable.title == title, CategoryTable.effective == effective)
    if session.scalar(same):
        raise TitleTaken(title=title, day=effective)
    table = CategoryTable(title=title, effective=effective)
    session.add(table)
    session.flush()  # the categories need its id
    session.execute(insert(Category), [row | {"table_id": table.id} for row in rows])
    return table


def adopt(session: Session, jurisdiction: str, effective: date, names: dict[str, str]) -> dict[str, int]:
    """Return the category ids of another system's own codes, filing those not yet known under its name.

    `names` gives each foreign code its name. A foreign category has no department or limit of ours.
    """
    title = jurisdiction[:100]
    table = session.scalar(select(CategoryTable).where(CategoryTable.title == title))
    if table is None:
        table = CategoryTable(title=title, effective=effective)
        session.add(table)
        session.flush()  # the categories need its id
    known = queries.ids(session, table.id)
    fresh = [
        {
            "table_id": table.id, "code": code, "kind": CategoryKind.FOREIGN,
            "group_zh": title, "group_en": title,
            "name_zh": name, "name_en": name, "department": "", "severity": 1, "limit_amount": None,
            "limit_unit": None, "filing_condition": "", "closing_condition": "",
            "filing_needs": [], "closing_needs": [], "simple": False, "further_limits": [],
        }
        for code, name in names.items()
        if code not in known
    ]  # fmt: skip
    if fresh:
        session.execute(insert(Category), fresh)
    return queries.ids(session, table.id)
