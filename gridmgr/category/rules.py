"""Reading tables of categories, row by row; what a new one changes; and which matter words speak of."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, pairwise
from typing import Any, TypeVar

from gridmgr import sheet
from gridmgr.category.model import (
    NEEDS,
    Category,
    CategoryKind,
    CodeTwice,
    NotFurther,
    UnitAlone,
)
from gridmgr.clock import TimeUnit
from gridmgr.i18n import LANGUAGES, catalogue
from gridmgr.sheet import BadSheet, Column, Row, SheetError
from gridmgr.words import NEEDS as NEEDS_WORDS
from gridmgr.words import STAGES, UNITS


@cache
def category_columns() -> dict[str, Column]:
    """Return the columns of a table of categories; all but the first four may be left out or empty."""
    needs = _each_of(word_of(NEEDS_WORDS, NEEDS, _NEEDS_SHORT))
    unit = word_of(UNITS, TimeUnit, {"工作时": "working_hours"})
    return {
        "code": Column(("code", "编码"), sheet.text(32)),
        "kind": Column(("kind", "类型"), sheet.one_of({str(k): str(k) for k in CategoryKind} | _KINDS_ZH)),
        "name_zh": Column(("name_zh", "名称"), sheet.text(200)),
        "severity": Column(("severity", "紧急程度"), sheet.number(1, 3, whole=True)),
        "group_zh": Column(("group_zh", "大类"), sheet.text(100), default=""),
        "group_en": Column(("group_en", "大类英文"), sheet.text(100), default=""),
        "name_en": Column(("name_en", "英文名称"), sheet.text(200), default=""),
        "department": Column(("department", "责任单位"), sheet.text(100), default=""),
        "limit_amount": Column(("limit_amount", "时限"), sheet.number(0.01, 10_000), default=None),
        "limit_unit": Column(("limit_unit", "时限单位"), unit, default=None),
        "filing_condition": Column(("filing_condition", "立案条件"), sheet.text(500), default=""),
        "closing_condition": Column(("closing_condition", "结案条件"), sheet.text(500), default=""),
        "filing_needs": Column(("filing_needs", "立案要件"), needs, default=()),
        "closing_needs": Column(("closing_needs", "结案要件"), needs, default=()),
        "simple": Column(("simple", "简易"), sheet.one_of(_YES_NO), default=False),
        "further_limits": Column(("further_limits", "其他时限"), _further, default=()),
    }


_KINDS_ZH = {"部件": "component", "事件": "event", "四平台": "platform"}
_NEEDS_SHORT = {
    "照片": "photo",
    "现场核实": "on_site",
    "描述": "description",
    "地址": "address",
    "联系电话": "phone",
}
_YES_NO = {"yes": True, "no": False, "是": True, "否": False}


def _each_of(parse: sheet.Parser) -> sheet.Parser:
    """Return the parser of several words, with spaces or commas between."""
    return lambda cell: [parse(word) for word in re.split(r"[\s,，、;；]+", cell) if word]


def _further(cell: str) -> list[dict[str, Any]]:
    """Read further limits: stop_work:停工:Stop work:4 working_hours; fine:处罚:Fine:7 working_days.

    Raises
    ------
    NotFurther
    """
    found = [_further_limit(part) for part in re.split("[;；]", cell) if part.strip()]
    if len({each["key"] for each in found}) < len(found):
        raise NotFurther
    return found


def _further_limit(told: str) -> dict[str, Any]:
    parts = [part.strip() for part in re.split("[:：]", told)]
    if len(parts) != 4:
        raise NotFurther
    key, name_zh, name_en, limit = parts
    amount, _, unit = limit.partition(" ")
    if not key or key in STAGES or not name_zh or unit not in set(TimeUnit):
        raise NotFurther
    length = sheet.number(0.01, 10_000)(amount)
    return {"key": key, "zh": name_zh, "en": name_en or name_zh, "amount": float(length), "unit": unit}


@dataclass(frozen=True)
class CategoriesRead:
    """A table of categories as it was read: its rows, and what forbids publishing them."""

    rows: tuple[dict[str, Any], ...]
    errors: tuple[SheetError, ...]


def read_categories(content: bytes, filename: str) -> CategoriesRead:
    """Read a table of categories from CSV or XLSX, with every cell that cannot be used.

    Raises
    ------
    UnreadableTable, EmptyLayer, UnsafeArchive, TooLargeArchive, TooManyRows
        It is no such file.
    """
    told = sheet.read(content, filename, category_columns())
    seen: set[str] = set()
    errors = list(told.errors)
    for row in told.rows:
        if row["code"] in seen:
            errors.append(row.error("code", CodeTwice()))
        if (row["limit_amount"] is None) != (row["limit_unit"] is None):
            errors.append(row.error("limit_unit", UnitAlone()))
        seen.add(row["code"])
    return CategoriesRead(tuple(_category(row) for row in told.rows), tuple(errors))


def _category(row: Row) -> dict[str, Any]:
    lists = {name: list(row[name]) for name in ("filing_needs", "closing_needs", "further_limits")}
    return dict(row.values) | lists | {"name_en": row["name_en"] or row["name_zh"]}


def parse(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Return the categories of a CSV table.

    Raises
    ------
    BadSheet
        It names every cell that cannot be used.
    """
    read = read_categories("\n".join(line.rstrip("\r\n") for line in lines).encode(), "categories.csv")
    if read.errors:
        raise BadSheet(read.errors)
    return list(read.rows)


def plain_category(category: Category) -> dict[str, Any]:
    """Return a category as a table of categories says it."""
    return {name: getattr(category, name) for name in category_columns()}


def category_cells(category: Mapping[str, Any]) -> dict[str, Any]:
    """Return a category as it is written into the cells of a table that can be brought back."""
    limits = (
        ":".join((each["key"], each["zh"], each["en"], f"{each['amount']:g} {each['unit']}"))
        for each in category["further_limits"]
    )
    written = {name: " ".join(category[name]) for name in ("filing_needs", "closing_needs")}
    yes_no = "yes" if category["simple"] else "no"
    return dict(category) | written | {"simple": yes_no, "further_limits": "; ".join(limits)}


def word_of(
    table: Mapping[str, str], codes: Iterable[str], more: Mapping[str, str] | None = None
) -> sheet.Parser:
    """Return the parser of a code, written as itself or as people call it in either language."""
    spelled = {str(code): str(code) for code in codes} | dict(more or {})
    for language in LANGUAGES:
        spelled |= {catalogue(language).gettext(table[code]): str(code) for code in codes}
    return sheet.one_of(spelled)


@dataclass(frozen=True)
class Difference:
    """How a row of a new table differs from the one in force: added, changed or removed."""

    kind: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def category_changes(before: Iterable[Category], after: Iterable[Mapping]) -> list[Difference]:
    """Return what a table of categories would change, by code."""
    return differences(map(plain_category, before), after, lambda row: row["code"])


def orphaned(beginnings: Iterable[str], before: Collection[str], after: Collection[str]) -> Counter[str]:
    """Count those beginnings of codes that fit one of today's categories and none of a new table.

    >>> orphaned(["02", "02", "0201", "", "9"], ["0201", "0202"], ["0202"])
    Counter({'0201': 1})
    """
    fits = {each: (_fits(each, before), _fits(each, after)) for each in beginnings}
    return Counter(each for each in beginnings if fits[each] == (True, False))


def _fits(beginning: str, codes: Collection[str]) -> bool:
    return any(code.startswith(beginning) for code in codes)


def differences(
    before: Iterable[Mapping], after: Iterable[Mapping], key: Callable[[Mapping], Any]
) -> list[Difference]:
    """Return what a table would change, in the order of its keys."""
    old, new = ({key(row): row for row in each} for each in (before, after))
    found = []
    for each in sorted(old.keys() | new.keys()):
        was, will = old.get(each), new.get(each)
        if was != will:
            kind = "added" if was is None else "removed" if will is None else "changed"
            found.append(Difference(kind, was, will))
    return found


T = TypeVar("T")
_WEIGHTS = {"name_zh": 4, "name_en": 4, "department": 2, "filing_condition": 1, "group_zh": 1, "group_en": 1}
_PIECES = re.compile(r"[a-z0-9]+|[^\W\x00-\x7f]+")


def matching(words: str, categories: Iterable[Category]) -> list[Category]:
    """Return the matters that somebody's words speak of, the likeliest first."""
    return likeliest(words, categories, texts, lambda each: each.code)


def texts(category: Category) -> Iterator[tuple[str, int]]:
    """Yield what may be said of a category, and how much a word found there weighs."""
    return ((getattr(category, name), weight) for name, weight in _WEIGHTS.items())


def likeliest(
    words: str, things: Iterable[T], texts: Callable[[T], Iterable[tuple[str, int]]], code: Callable[[T], str]
) -> list[T]:
    """Return the things that somebody's words speak of, the likeliest first; `texts` says what is said of one.

    Chinese is compared by pairs of characters, since people do not type the name itself: 垃圾没人收 finds 暴露垃圾.
    Other words are compared by their beginnings. A code is found by its beginning.
    """
    asked, typed = _pieces(words), words.strip().casefold()
    scored = [
        (_score(asked, texts(each)) + 9 * (typed != "" and code(each).casefold().startswith(typed)), each)
        for each in things
    ]
    best = max((score for score, _ in scored), default=0)
    found = [(score, each) for score, each in scored if score > 0 and score * 3 >= best]
    return [each for _, each in sorted(found, key=lambda pair: (-pair[0], code(pair[1])))]


def _score(asked: frozenset[str], texts: Iterable[tuple[str, int]]) -> int:
    score = 0
    for text, weight in texts:
        there = _pieces(text)
        score += weight * sum(
            piece in there or (piece.isascii() and any(each.startswith(piece) for each in there))
            for piece in asked
        )
    return score


@lru_cache(maxsize=20_000)  # the same texts are looked through at every key that is pressed
def _pieces(text: str) -> frozenset[str]:
    runs = _PIECES.findall(unicodedata.normalize("NFKC", text).casefold())
    return frozenset(
        chain.from_iterable([r] if r.isascii() or len(r) == 1 else map("".join, pairwise(r)) for r in runs)
    )
