"""Tables for spreadsheets: UTF-8 with a byte order mark, headings in words, nothing that runs as a formula."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from gridmgr import clock, db
from gridmgr.account.rules import Actor
from gridmgr.incident import queries
from gridmgr.incident.queries import EXPORTED, Search
from web import deps, words
from web.i18n import _, language

PORTION = 1000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (*EXPORTED[:3], "category", "category_name", *EXPORTED[3:], "lon", "lat")
TABLES = {"state": words.STATES, "source": words.SOURCES, "located": words.HOW}


def csv_of(actor: Actor, search: Search) -> Iterator[str]:
    """Yield the incidents found as CSV, in a transaction of its own that lasts as long as the download."""
    yield "\ufeff" + _lines([[heading(column) for column in COLUMNS]])
    name = "name_en" if language.get() == "en" else "name_zh"
    with db.transaction(deps.engine()) as session:
        portion: list[list[Any]] = []
        for found in queries.exported(session, actor, search):
            row = dict(found, category_name=found[name])
            portion.append([cell(column, row[column]) for column in COLUMNS])
            if len(portion) == PORTION:
                yield _lines(portion)
                portion = []
        yield _lines(portion)


def heading(column: str) -> str:
    """Return a column's heading in the language of this request."""
    level = column.removesuffix("_code")
    if level in words.LEVELS:
        return _("{level} (code)", level=_(words.LEVELS[level]))
    return words.word(words.FIELDS | HEADINGS, column)


HEADINGS = {
    "number": words.N_("Number"),
    "state": words.N_("State"),
    "source": words.N_("Source"),
    "accepted_at": words.N_("Accepted at"),
    "severity": words.N_("Severity"),
    "reworks": words.N_("Times sent back"),
    "located": words.N_("Located"),
    "distance_m": words.N_("Distance (m)"),
}


def cell(column: str, value: Any) -> Any:
    """Return a value as a spreadsheet shows it; a text that would run as a formula is made plain text."""
    if value is None:
        return ""
    if column in TABLES:
        return words.word(TABLES[column], value)
    if isinstance(value, datetime):
        return clock.local(value).isoformat(" ", "seconds")
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return value


def _lines(rows: list[list[Any]]) -> str:
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    return lines.getvalue()
