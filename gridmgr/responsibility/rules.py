"""Reading lists row by row, what forbids publishing one, and who answers."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import combinations
from typing import Any

from gridmgr import sheet
from gridmgr.category.rules import differences
from gridmgr.clock import TimeUnit
from gridmgr.errors import Problem
from gridmgr.i18n import LANGUAGES, catalogue
from gridmgr.responsibility.model import (
    FACTS,
    KINDS,
    Admission,
    Answering,
    Fault,
    GiverMissing,
    HandedInACircle,
    HandedToGiver,
    ItemTwice,
    ListEdition,
    ListItem,
    ListKind,
    Nature,
    NotGuided,
    ResponsibilityList,
    TwoOwners,
    Unanswered,
    UnitAlone,
    UnknownMatter,
)
from gridmgr.sheet import Column, Row, SheetError
from gridmgr.words import ANSWERING, UNITS

MOST_TITLE, MOST_NOTE = 100, 2000


@cache
def columns() -> dict[str, Column]:
    """Return the columns of a list; all but code, name and lead may be left out or empty."""
    return {
        "code": Column(("code", "事项编码", "编码"), sheet.text(32)),
        "name": Column(("name", "事项名称", "名称"), sheet.text(200)),
        "categories": Column(("categories", "事项类别", "类别编码"), _each(sheet.text(32)), default=()),
        "lead": Column(("lead", "牵头单位", "责任单位", "承接单位"), sheet.text(100)),
        "cooperating": Column(("cooperating", "配合单位"), _each(sheet.text(100)), default=()),
        "level": Column(("level", "责任层级"), _word_of(ANSWERING, Answering), default=None),
        "handed_from": Column(("handed_from", "下放单位"), sheet.text(100), default=""),
        "clause": Column(("clause", "依据"), sheet.text(2000), default=""),
        "flow": Column(("flow", "流程"), sheet.text(4000), default=""),
        "guide": Column(("guide", "指引", "办事指南"), sheet.text(4000), default=""),
        "filing_condition": Column(("filing_condition", "立案条件"), sheet.text(500), default=""),
        "closing_condition": Column(("closing_condition", "结案条件"), sheet.text(500), default=""),
        "amount": Column(("amount", "时限"), sheet.number(0.01, 10_000), default=None),
        "unit": Column(
            ("unit", "时限单位"), _word_of(UNITS, TimeUnit, {"工作时": "working_hours"}), default=None
        ),
        "evidence": Column(("evidence", "要件材料", "证据要求"), sheet.text(1000), default=""),
        "aliases": Column(("aliases", "别名示例", "别名"), _each(sheet.text(100)), default=()),
    }


def _each(parse: sheet.Parser) -> sheet.Parser:
    """Return the parser of several texts, with commas, semicolons or new lines between; one counts once."""
    return lambda cell: list(
        dict.fromkeys(parse(part.strip()) for part in re.split(r"[,，、;；\n]", cell) if part.strip())
    )


def _word_of(
    table: Mapping[str, str], codes: Iterable[str], more: Mapping[str, str] | None = None
) -> sheet.Parser:
    spelled = {str(code): str(code) for code in codes} | dict(more or {})
    for language in LANGUAGES:
        spelled |= {catalogue(language).gettext(table[code]): str(code) for code in codes}
    return sheet.one_of(spelled)


@dataclass(frozen=True)
class ItemsRead:
    """A list as it was read: its items, every row that cannot be used, the headings nobody asked for."""

    rows: tuple[dict[str, Any], ...]
    errors: tuple[SheetError, ...]
    ignored: tuple[str, ...]


def read_items(content: bytes, filename: str, kind: ListKind, codes: Sequence[str]) -> ItemsRead:
    """Return the items of a list in CSV or XLSX; `codes` are those of the categories in force.

    Raises
    ------
    UnreadableTable, EmptyLayer, UnsafeArchive, TooLargeArchive, TooManyRows
        It is no such file.
    """
    told, nature = sheet.read(content, filename, columns()), KINDS[kind]
    seen: set[str] = set()
    errors = list(told.errors)
    for row in told.rows:
        errors += [row.error(column, reason) for column, reason in _wrong(row, nature, codes, seen)]
        seen.add(row["code"])
    rows = (
        dict(row.values)
        | {name: list(row[name]) for name in ("categories", "cooperating", "aliases")}
        | {"place": place, "level": row["level"] or nature.level}
        for place, row in enumerate(told.rows, start=1)
    )
    return ItemsRead(tuple(rows), tuple(errors), told.ignored)


def _wrong(row: Row, nature: Nature, codes: Sequence[str], seen: set[str]) -> Iterator[tuple[str, Problem]]:
    if row["code"] in seen:
        yield "code", ItemTwice()
    if (row["amount"] is None) != (row["unit"] is None):
        yield "unit", UnitAlone()
    for each in row["categories"]:
        if not any(code.startswith(each) for code in codes):
            yield "categories", UnknownMatter(category=each)
    if nature.hands_down and not row["handed_from"]:
        yield "handed_from", GiverMissing()
    elif nature.hands_down and row["handed_from"] == row["lead"]:
        yield "handed_from", HandedToGiver()


def cells(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as it is written into a table that can be brought back."""
    return {name: "；".join(item[name]) if isinstance(item[name], list) else item[name] for name in columns()}


def compare(before: Iterable[Mapping], after: Iterable[Mapping]) -> list[tuple[str, str, str, list]]:
    """Return what differs between two editions, by code: kind, code, name, and (field, before, after)."""
    found = []
    for each in differences(before, after, lambda item: item["code"]):
        one = each.after or each.before
        fields = [
            (name, each.before[name], each.after[name])
            for name in FACTS
            if each.before and each.after and each.before[name] != each.after[name]
        ]
        found.append((each.kind, one["code"], one["name"], fields))
    return found


def steps(flow: str) -> list[str]:
    """Return the steps of a flow, as lists write them: 受理 → 核查 → 处置; a line each; or with semicolons.

    >>> steps("受理→核查 -> 处置")
    ['受理', '核查', '处置']
    """
    return [part.strip() for part in re.split(r"→|->|—>|[\n;；]", flow) if part.strip()]


@dataclass(frozen=True)
class Listed:
    """An edition of a list with its items."""

    list: ResponsibilityList
    edition: ListEdition
    items: Sequence[ListItem]

    @property
    def nature(self) -> Nature:
        """What is true of its kind."""
        return KINDS[ListKind(self.list.kind)]

    def reaches(self, unit: str) -> bool:
        """Tell whether a unit lies in the list's area."""
        return unit.startswith(self.list.code)


def in_force(editions: Iterable[Listed], day: date) -> list[Listed]:
    """Return of each list the edition in force on a day: its latest by then, unless that one was retired."""
    latest: dict[int, Listed] = {}
    for each in editions:
        edition = each.edition
        if edition.effective is None or edition.effective > day:
            continue
        known = latest.get(each.list.id)
        if known is None or (known.edition.effective, known.edition.id) < (edition.effective, edition.id):
            latest[each.list.id] = each
    return [each for each in latest.values() if each.edition.holds_on(day)]


# Of several answers of one area and one length, the later kind is the more particular one.
_RANK = (ListKind.DIVISION, ListKind.TERRITORIAL, ListKind.HANDED_DOWN)


def answer(
    category: str, unit: str, lists: Iterable[Listed], admissions: Iterable[Admission]
) -> tuple[Listed | None, ListItem | Admission] | None:
    """Return what answers for a matter in a unit: its list and item, or an admission; None if nothing does.

    Rule: the nearest area first, then the longest beginning of the matter's code, then what was handed
    down before what divides the duties, and an admission before all of them.
    """
    found: list[tuple[tuple, tuple[Listed | None, ListItem | Admission]]] = []
    for each in lists:
        if not (each.nature.owns and each.reaches(unit)):
            continue
        rank = _RANK.index(ListKind(each.list.kind))
        found += [
            ((len(each.list.code), len(prefix), rank, each.edition.id), (each, item))
            for item in each.items
            for prefix in item.categories
            if category.startswith(prefix)
        ]
    found += [
        ((len(each.code), len(each.category), len(_RANK), each.id), (None, each))
        for each in admissions
        if unit.startswith(each.code) and category.startswith(each.category)
    ]
    return max(found, key=lambda each: each[0])[1] if found else None


def served(category: str, unit: str, lists: Iterable[Listed]) -> bool:
    """Tell whether a list that owns nothing, of grid services or of a village, gives a matter to a unit."""
    return any(
        item.territorial and any(category.startswith(prefix) for prefix in item.categories)
        for each in lists
        if each.nature.gives and not each.nature.owns and each.reaches(unit)
        for item in each.items
    )


def faults(
    draft: Listed, others: Iterable[Listed], matters: Mapping[str, str], whole: str = ""
) -> list[Fault]:
    """Return all that forbids publishing an edition beside others in force; `matters` are names by code.

    Areas whose codes begin `whole` both hold the whole district and are one.

    Rule: a matter has exactly one owner in an area; a division of duties leaves none out; nothing is handed
    down in a circle.
    """
    others = list(others)
    found = [*_strays(draft, matters), *_doubles(draft), *_rivals(draft, others, whole)]
    if draft.nature.complete:
        covered = tuple({prefix for item in draft.items for prefix in item.categories})
        found += [
            Fault((), code, Unanswered(category=code, name=name))
            for code, name in matters.items()
            if not code.startswith(covered)
        ]
    if draft.nature.guided:
        found += [
            Fault((item.code,), "", NotGuided(item=item.code))
            for item in draft.items
            if not (item.flow and item.guide)
        ]
    if draft.nature.hands_down:
        near = [each for each in others if each.nature.hands_down and _overlap(each, draft)]
        found += _circles(draft, [draft, *near])
    return found


def _strays(draft: Listed, matters: Mapping[str, str]) -> Iterator[Fault]:
    for item in draft.items:
        for prefix in item.categories:
            if not any(code.startswith(prefix) for code in matters):
                yield Fault((item.code,), prefix, UnknownMatter(category=prefix))


def _doubles(draft: Listed) -> Iterator[Fault]:
    if not draft.nature.owns:
        return
    for prefix, items in _by_prefix(draft.items).items():
        for one, other in combinations(items, 2):
            yield _two(prefix, one, other)


def _rivals(draft: Listed, others: Iterable[Listed], whole: str) -> Iterator[Fault]:
    """Yield the items of other lists of the same area that give a matter to somebody else.

    What was handed down goes before a division of duties, so these two do not quarrel.
    """
    own, kind = _by_prefix(draft.items), ListKind(draft.list.kind)
    for each in others:
        pair = {kind, ListKind(each.list.kind)}
        both = (each.list.code, draft.list.code)
        if both[0] != both[1] and not all(whole.startswith(code) for code in both):
            continue
        if not (draft.nature.owns and each.nature.owns):
            continue
        if pair == {ListKind.DIVISION, ListKind.HANDED_DOWN}:
            continue
        for prefix, theirs in _by_prefix(each.items).items():
            for one in own.get(prefix, ()):
                for other in theirs:
                    if one.lead != other.lead:
                        yield _two(prefix, one, other)


def _by_prefix(items: Iterable[ListItem]) -> dict[str, list[ListItem]]:
    found: dict[str, list[ListItem]] = {}
    for item in items:
        for prefix in item.categories:
            found.setdefault(prefix, []).append(item)
    return found


def _two(prefix: str, one: ListItem, other: ListItem) -> Fault:
    reason = TwoOwners(
        category=prefix, one=_named(one), lead=one.lead, other=_named(other), other_lead=other.lead
    )
    return Fault((one.code, other.code), prefix, reason)


def _named(item: ListItem) -> str:
    return f"{item.code} {item.name}"


def _overlap(one: Listed, other: Listed) -> bool:
    return one.list.code.startswith(other.list.code) or other.list.code.startswith(one.list.code)


def _circles(draft: Listed, handed: Sequence[Listed]) -> Iterator[Fault]:
    """Yield each circle in which a matter is handed down, if the draft has a part in it.

    What covers no matter is known by the code of its item.
    """
    edges = [
        (key, item) for each in handed for item in each.items for key in (item.categories or [item.code])
    ]
    own, seen = {id(item) for item in draft.items}, set()
    for matter in sorted({key for key, _item in edges}, key=len):
        giving: dict[str, list[ListItem]] = {}
        for key, item in edges:
            if matter == key or (item.categories and matter.startswith(key)):
                giving.setdefault(item.handed_from, []).append(item)
        for circle in _loops(giving):
            parts = frozenset(id(item) for item in circle)
            if parts & own and parts not in seen:
                seen.add(parts)
                codes = tuple(item.code for item in circle)
                path = " → ".join([circle[0].handed_from, *(item.lead for item in circle)])
                reason = HandedInACircle(category=matter, circle=path, items=", ".join(codes))
                yield Fault(codes, matter, reason)


def _loops(giving: Mapping[str, Sequence[ListItem]]) -> Iterator[list[ListItem]]:
    """Yield the ways along which something comes back to who gave it; from each body the first one found."""
    for start in giving:
        way, ways = [], [iter(giving[start])]
        been = {start}
        while ways:
            item = next(ways[-1], None)
            if item is None:
                ways.pop()
                if way:
                    way.pop()
            elif item.lead == start:
                yield [*way, item]
                break
            elif item.lead in giving and item.lead not in been:
                been.add(item.lead)
                way.append(item)
                ways.append(iter(giving[item.lead]))


def texts(item: ListItem) -> Iterator[tuple[str, int]]:
    """Yield what may be said of an item, and how much a word found there weighs."""
    yield from ((item.name, 4), (item.lead, 2), (item.filing_condition, 1), (item.clause, 1))
    yield from ((alias, 4) for alias in item.aliases)
