"""Reading tables of policies, row by row; and which policy answers."""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from gridmgr import sheet
from gridmgr.category import rules as tables
from gridmgr.category.model import UnitAlone
from gridmgr.category.rules import Difference, word_of
from gridmgr.clock import TimeUnit
from gridmgr.errors import Problem
from gridmgr.policy.model import (
    LADDER,
    Act,
    HoldsNoCases,
    LimitElsewhere,
    LimitMissing,
    LimitUnlike,
    NobodyThere,
    NoBodyYet,
    NoShare,
    NotAbove,
    Policy,
    RungIncomplete,
    ShareFalls,
    Stage,
    TooManyRungs,
    UnknownPrefix,
)
from gridmgr.sheet import Column, Row, Sheet, SheetError
from gridmgr.words import ACTS, STAGES, UNITS
from gridmgr.words import LADDER as LADDER_WORDS

MOST_SHARE, MOST_RUNGS = 10, 20
OWN_LIMIT = (Stage.ACCEPT, Stage.DISPATCH, Stage.VERIFY)  # stages whose limit only a policy can give
BEFORE_DISPATCH = (Stage.ACCEPT, Stage.DISPATCH)


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


@cache
def policy_columns() -> dict[str, Column]:
    """Return the columns of a table of policies, one rung a row."""
    return {
        "category": Column(("category", "事项编码"), sheet.text(32), default=""),
        "severity": Column(("severity", "紧急程度"), sheet.number(1, 3, whole=True), default=None),
        "stage": Column(("stage", "环节"), word_of(STAGES, Stage)),
        "amount": Column(("amount", "时限"), sheet.number(0.01, 10_000), default=None),
        "unit": Column(("unit", "单位"), word_of(UNITS, TimeUnit, {"工作时": "working_hours"}), default=None),
        "share": Column(("share", "时限占比"), share_of, default=None),
        "act": Column(("act", "动作"), word_of(ACTS, Act), default=None),
        "level": Column(("level", "层级"), word_of(LADDER_WORDS, LADDER), default=None),
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


def differences(before: Iterable[Mapping], after: Iterable[Mapping]) -> list[Difference]:
    """Return what a table of policies would change, by category, severity and stage."""
    return tables.differences(
        before, after, lambda row: (row["category"], row["severity"] or 0, row["stage"])
    )
