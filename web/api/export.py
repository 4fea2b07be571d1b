"""Tables of incidents for spreadsheets: headings and words in the caller's language."""

from collections.abc import Iterator
from typing import Any

from gridmgr import db, sheet
from gridmgr.account.rules import Actor
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import EXPORTED, Search
from web import deps, words
from web.i18n import _, language

COLUMNS = (*EXPORTED[:3], "category", "category_name", *EXPORTED[3:], "lon", "lat")
TABLES = {
    "state": words.STATES, "source": words.SOURCES, "located": words.HOW, "level": words.HOLDERS,
}  # fmt: skip


def table(actor: Actor, search: Search, kind: sheet.Format) -> Iterator[bytes]:
    """Yield the incidents found as a file, in a transaction of its own that lasts as long as the download."""
    with db.transaction(deps.engine()) as session:
        yield from sheet.stream(kind, [heading(column) for column in COLUMNS], _rows(session, actor, search))


def _rows(session: Any, actor: Actor, search: Search) -> Iterator[list[Any]]:
    name = "name_en" if language.get() == "en" else "name_zh"
    for found in casebook.exported(session, actor, search):
        row = dict(found, category_name=found[name])
        yield [words.word(TABLES[c], row[c]) if c in TABLES else row[c] for c in COLUMNS]


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
    "origin": words.N_("Other system"),
    "accepted_at": words.N_("Accepted at"),
    "level": words.N_("Held by"),
    "severity": words.N_("Severity"),
    "reworks": words.N_("Times sent back"),
    "extensions": words.N_("Extended"),
    "reopens": words.N_("Opened again"),
    "located": words.N_("Located"),
    "distance_m": words.N_("Distance (m)"),
}
