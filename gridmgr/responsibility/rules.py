"""Reading tables of categories and of policies, row by row; and which policy answers."""

import csv
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from gridmgr import sheet
from gridmgr.clock import TimeUnit
from gridmgr.errors import Problem
from gridmgr.i18n import LANGUAGES, catalogue
from gridmgr.responsibility.model import (
    LADDER,
    NEEDS,
    Act,
    BadCategory,
    CategoryKind,
    HoldsNoCases,
    LimitElsewhere,
    LimitMissing,
    LimitUnlike,
    MissingCategoryColumn,
    NobodyThere,
    NoBodyYet,
    NoShare,
    NotAbove,
    Policy,
    RungIncomplete,
    ShareFalls,
    Stage,
    TooManyRungs,
    UnitAlone,
    UnknownPrefix,
)
from gridmgr.sheet import Column, Row, Sheet, SheetError
from gridmgr.words import ACTS, STAGES, UNITS
from gridmgr.words import LADDER as LADDER_WORDS

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
        if not key or key in set(Stage) or not name_zh or not _positive(amount) or unit not in _UNITS:
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


def share_of(cell: str) -> float:
    """Read a share of a limit, written as 0.5 or 50%.

    Raises
    ------
    NoShare
    """
    plain = unicodedata.normalize("NFKC", cell)
    number, whole = (plain[:-1], 100) if plain.endswith("%") else (plain, 1)
    try:
        share = float(number) / whole
    except ValueError:
        raise NoShare from None
    if not 0 <= share <= MOST_SHARE:
        raise NoShare
    return round(share, 4)


def _word_of(
    table: Mapping[str, str], codes: Iterable[str], more: Mapping[str, str] | None = None
) -> sheet.Parser:
    """Return the parser of a code, written as itself or as people call it in either language."""
    spelled = {str(code): str(code) for code in codes} | dict(more or {})
    for language in LANGUAGES:
        spelled |= {catalogue(language).gettext(table[code]): str(code) for code in codes}
    return sheet.one_of(spelled)


MOST_SHARE, MOST_RUNGS = 10, 20
OWN_LIMIT = (Stage.ACCEPT, Stage.DISPATCH, Stage.VERIFY)  # stages whose limit only a policy can give
BEFORE_DISPATCH = (Stage.ACCEPT, Stage.DISPATCH)


@cache
def policy_columns() -> dict[str, Column]:
    """Return the columns of a table of policies, one rung a row."""
    return {
        "category": Column(("category", "事项编码"), sheet.text(32), default=""),
        "severity": Column(("severity", "紧急程度"), sheet.number(1, 3, whole=True), default=None),
        "stage": Column(("stage", "环节"), _word_of(STAGES, Stage)),
        "amount": Column(("amount", "时限"), sheet.number(0.01, 10_000), default=None),
        "unit": Column(
            ("unit", "单位"), _word_of(UNITS, TimeUnit, {"工作时": "working_hours"}), default=None
        ),
        "share": Column(("share", "时限占比"), share_of, default=None),
        "act": Column(("act", "动作"), _word_of(ACTS, Act), default=None),
        "level": Column(("level", "层级"), _word_of(LADDER_WORDS, LADDER), default=None),
    }


@dataclass(frozen=True)
class PoliciesRead:
    """A table of policies as it was read: the policies, what forbids publishing them, what only looks odd."""

    policies: tuple[dict[str, Any], ...]
    errors: tuple[SheetError, ...]
    warnings: tuple[SheetError, ...]


def read_policies(told: Sheet, codes: Collection[str], seats: Collection[str]) -> PoliciesRead:
    """Return the policies of a table with the columns of `policy_columns`, one rung a row.

    Rows of the same category, severity and stage are one policy; amount and unit may stand on the first of
    them alone. `codes` are those of the categories in force, `seats` the levels at which anybody works.
    """
    found: dict[tuple, dict[str, Any]] = {}
    last: dict[tuple, Row] = {}
    errors = list(told.errors)
    for row in told.rows:
        key = (row["category"], row["severity"], row["stage"])
        policy = found.setdefault(
            key,
            {name: row[name] for name in ("category", "severity", "stage", "amount", "unit")}
            | {"ladder": []},
        )
        first = key not in last and not told.errors  # a row that could not be read may have been its first
        faults = [row.error(column, reason) for column, reason in _faults(row, policy, codes, first)]
        errors += faults
        last[key] = row
        if row["share"] is not None and not faults:
            policy["ladder"].append({name: row[name] for name in ("share", "act", "level")})
    lonely = [
        last[key].error("level", NobodyThere())
        for key, policy in found.items()
        if policy["ladder"] and policy["ladder"][-1]["level"] not in seats
    ]
    return PoliciesRead(tuple(found.values()), tuple(errors), tuple(lonely))


def _faults(row: Row, policy: Mapping, codes: Collection[str], first: bool) -> Iterator[tuple[str, Problem]]:
    """Yield what is wrong with a row that could be read: the column and the reason."""
    if row["category"] and not any(code.startswith(row["category"]) for code in codes):
        yield "category", UnknownPrefix()
    yield from _limit_faults(row, policy, first)
    rung = (row["share"], row["act"], row["level"])
    if all(value is None for value in rung) and not policy["ladder"]:
        return
    if any(value is None for value in rung):
        yield "share", RungIncomplete()
    else:
        yield from _rung_faults(row, policy["ladder"])


def _limit_faults(row: Row, policy: Mapping, first: bool) -> Iterator[tuple[str, Problem]]:
    if (row["amount"] is None) != (row["unit"] is None):
        yield "unit", UnitAlone()
    elif row["amount"] is None:
        if first and row["stage"] in OWN_LIMIT:
            yield "amount", LimitMissing()
    elif row["stage"] == Stage.FURTHER:
        yield "amount", LimitElsewhere()
    elif (row["amount"], row["unit"]) != (policy["amount"], policy["unit"]):
        yield "amount", LimitUnlike()


def _rung_faults(row: Row, below: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Problem]]:
    if below and row["share"] < below[-1]["share"]:
        yield "share", ShareFalls()
    if len(below) >= MOST_RUNGS:
        yield "share", TooManyRungs(most=MOST_RUNGS)
    if row["level"] == "department" and row["stage"] in BEFORE_DISPATCH:
        yield "level", NoBodyYet()
    elif row["act"] == Act.TAKE_OVER:
        taken = [LADDER.index(each["level"]) for each in below if each["act"] == Act.TAKE_OVER]
        if row["level"] == "department":
            yield "level", HoldsNoCases()
        elif taken and LADDER.index(row["level"]) <= max(taken):
            yield "level", NotAbove()


def most_specific(policies: Iterable[Policy], category: str, severity: int, stage: str) -> Policy | None:
    """Return the policy that answers: the longest beginning of the code wins, then the named severity."""
    fitting = [
        each
        for each in policies
        if each.stage == stage and category.startswith(each.category) and each.severity in (None, severity)
    ]
    return max(fitting, key=lambda each: (len(each.category), each.severity is not None), default=None)


def plain(policy: Policy) -> dict[str, Any]:
    """Return a policy as a table of policies says it."""
    return {
        name: getattr(policy, name) for name in ("category", "severity", "stage", "amount", "unit", "ladder")
    }


@dataclass(frozen=True)
class Difference:
    """How a policy of a new table differs from the one in force: added, changed or removed."""

    kind: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def differences(before: Iterable[Mapping], after: Iterable[Mapping]) -> list[Difference]:
    """Return what a table of policies would change, in the order of its keys."""
    old, new = (
        {(p["category"], p["severity"] or 0, p["stage"]): p for p in each} for each in (before, after)
    )
    found = []
    for key in sorted(old.keys() | new.keys()):
        was, will = old.get(key), new.get(key)
        if was != will:
            kind = "added" if was is None else "removed" if will is None else "changed"
            found.append(Difference(kind, was, will))
    return found
