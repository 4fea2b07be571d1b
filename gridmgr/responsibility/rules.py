"""Reading a category table, row by row."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from gridmgr.clock import TimeUnit
from gridmgr.responsibility.model import BadCategory, CategoryKind, MissingCategoryColumn

_KINDS, _UNITS = set(CategoryKind), set(TimeUnit)
COLUMNS = (
    "code", "kind", "group_zh", "group_en", "name_zh", "name_en", "department",
    "severity", "limit_amount", "limit_unit", "filing_condition", "closing_condition",
)  # fmt: skip
CHECKS = {
    "code": (lambda value: 0 < len(value) <= 32, "1 to 32 characters"),
    "kind": (lambda value: value in _KINDS, ", ".join(CategoryKind)),
    "name_zh": (bool, "a name"),
    "severity": (lambda value: value in {"1", "2", "3"}, "1, 2 or 3"),
    "limit_amount": (lambda value: value == "" or _positive(value), "a positive number or nothing"),
    "limit_unit": (lambda value: value == "" or value in _UNITS, ", ".join(TimeUnit)),
}


def _positive(text: str) -> bool:
    try:
        return 0 < float(text) < 1e6
    except ValueError:
        return False


def parse(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the categories of a CSV table with the columns of `COLUMNS`.

    Raises
    ------
    MissingCategoryColumn
        A column is not there.
    BadCategory
        A value cannot be used, or a code stands twice; names row, column and reason.
    """
    reader = csv.DictReader(lines)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or [])]
    if missing:
        raise MissingCategoryColumn(columns=", ".join(missing))
    seen: set[str] = set()
    for number, raw in enumerate(reader, start=2):
        row: dict[str, Any] = {column: (raw[column] or "").strip() for column in COLUMNS}
        for column, (fits, expected) in CHECKS.items():
            if not fits(row[column]):
                raise BadCategory(row=number, column=column, value=row[column] or "∅", expected=expected)
        if row["code"] in seen:
            raise BadCategory(row=number, column="code", value=row["code"], expected="a code once")
        seen.add(row["code"])
        row["name_en"] = row["name_en"] or row["name_zh"]
        row["severity"] = int(row["severity"])
        row["limit_amount"] = float(row["limit_amount"]) if row["limit_amount"] else None
        row["limit_unit"] = row["limit_unit"] or None
        yield row
