"""Reading a category table, row by row."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from gridmgr.clock import TimeUnit
from gridmgr.responsibility.model import NEEDS, BadCategory, CategoryKind, MissingCategoryColumn

_KINDS, _UNITS = set(CategoryKind), set(TimeUnit)
COLUMNS = (
    "code", "kind", "group_zh", "group_en", "name_zh", "name_en", "department",
    "severity", "limit_amount", "limit_unit", "filing_condition", "closing_condition",
)  # fmt: skip
OPTIONAL = ("filing_needs", "closing_needs", "simple", "further_limits")
CHECKS = {
    "code": (lambda value: 0 < len(value) <= 32, "1 to 32 characters"),
    "kind": (lambda value: value in _KINDS, ", ".join(CategoryKind)),
    "name_zh": (bool, "a name"),
    "severity": (lambda value: value in {"1", "2", "3"}, "1, 2 or 3"),
    "limit_amount": (lambda value: value == "" or _positive(value), "a positive number or nothing"),
    "limit_unit": (lambda value: value == "" or value in _UNITS, ", ".join(TimeUnit)),
    "filing_needs": (lambda value: set(value.split()) <= set(NEEDS), " ".join(NEEDS)),
    "closing_needs": (lambda value: set(value.split()) <= set(NEEDS), " ".join(NEEDS)),
    "simple": (lambda value: value in ("", "yes", "no"), "yes or no"),
    "further_limits": (lambda value: _further(value) is not None, "key:中文:English:4 working_hours; …"),
}


def _positive(text: str) -> bool:
    try:
        return 0 < float(text) < 1e6
    except ValueError:
        return False


def _further(text: str) -> list[dict[str, Any]] | None:
    """Return further limits as dictionaries, None if one cannot be read."""
    found = []
    for part in filter(None, (each.strip() for each in text.split(";"))):
        key, name_zh, name_en, limit = (*map(str.strip, part.split(":")), "", "", "", "")[:4]
        amount, _, unit = limit.partition(" ")
        if not key or not name_zh or not _positive(amount) or unit not in _UNITS:
            return None
        found.append(
            {"key": key, "zh": name_zh, "en": name_en or name_zh, "amount": float(amount), "unit": unit}
        )
    return found if len({each["key"] for each in found}) == len(found) else None


def parse(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the categories of a CSV table with the columns of `COLUMNS`, and those of `OPTIONAL` if there.

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
        row: dict[str, Any] = {column: (raw.get(column) or "").strip() for column in (*COLUMNS, *OPTIONAL)}
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
        row["filing_needs"] = row["filing_needs"].split()
        row["closing_needs"] = row["closing_needs"].split()
        row["simple"] = row["simple"] == "yes"
        row["further_limits"] = _further(row["further_limits"])
        yield row
