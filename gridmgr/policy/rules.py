"""Reading tables of policies, row by row; and which policy answers."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from gridmgr import sheet
from gridmgr.category import rules as tables
from gridmgr.category.model import Category, UnitAlone
from gridmgr.category.rules import Difference, word_of
from gridmgr.clock import TimeUnit
from gridmgr.errors import Problem
from gridmgr.i18n import LANGUAGES, _, catalogue
from gridmgr.policy.model import (
    HOLDING,
    LADDER,
    SHARE,
    Act,
    AnswerElsewhere,
    AnswerMissing,
    DraftTooLarge,
    HoldsNoCases,
    LimitElsewhere,
    LimitMissing,
    LimitUnlike,
    NobodyThere,
    NoBodyYet,
    NoLength,
    NoShare,
    NotAbove,
    NotADraft,
    NotRepeated,
    Policy,
    PolicyTwice,
    RepeatIncomplete,
    Rung,
    RungIncomplete,
    ShareFalls,
    Stage,
    TooManyRungs,
    UnknownPrefix,
    When,
    rungs,
    stored,
)
from gridmgr.sheet import Column, Row, Sheet, SheetError
from gridmgr.words import ACTS, HOLDERS, STAGES, UNITS, WHENS, word
from gridmgr.words import LADDER as LADDER_WORDS

MOST_SHARE, MOST_RUNGS, MOST_TIMES = 10, 20, 20
MOST_POLICIES, MOST_CELL = 500, 64
MOST_CLIMBED = 60  # rungs of one ladder, with all repetitions
ONCE = (Act.TAKE_OVER, Act.WHISTLE)
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


def length_of(cell: str, *, share: bool = False) -> tuple[float, str]:
    """Read a length of time, written as 4 working_hours or 4工作时, or if it may be one as a share: 25%.

    Raises
    ------
    NoLength
    """
    plain = unicodedata.normalize("NFKC", cell).strip()
    number = re.match(r"\d+(\.\d+)?", plain)
    unit = plain[number.end() :].strip().casefold() if number else ""
    if unit == "%" and share and 0 < float(number[0]) <= 100 * MOST_SHARE:
        return round(float(number[0]) / 100, 4), SHARE
    if not number or unit not in _units() or not 0.01 <= float(number[0]) <= 10_000:
        raise NoLength(share=" / 25%" if share else "")
    return float(number[0]), _units()[unit]


@cache
def _units() -> dict[str, str]:
    spelled = {str(each): str(each) for each in TimeUnit} | {
        "工作时": "working_hours",
        "工作小时": "working_hours",
    }
    for language in LANGUAGES:
        spelled |= {catalogue(language).gettext(UNITS[each]).casefold(): str(each) for each in TimeUnit}
    return spelled


@cache
def policy_columns() -> dict[str, Column]:
    """Return the columns of a table of policies, one rung a row."""
    return {
        "category": Column(("category", "事项编码"), sheet.text(32), default=""),
        "severity": Column(("severity", "紧急程度"), sheet.number(1, 3, whole=True), default=None),
        "holder": Column(("holder", "承办层级"), word_of(HOLDERS, HOLDING), default=None),
        "stage": Column(("stage", "环节"), word_of(STAGES, Stage)),
        "amount": Column(("amount", "时限"), sheet.number(0.01, 10_000), default=None),
        "unit": Column(("unit", "单位"), word_of(UNITS, TimeUnit, {"工作时": "working_hours"}), default=None),
        "share": Column(("share", "时限占比"), share_of, default=None),
        "act": Column(("act", "动作"), word_of(ACTS, Act), default=None),
        "level": Column(("level", "层级"), word_of(LADDER_WORDS, LADDER), default=None),
        "every": Column(("every", "重复间隔"), partial(length_of, share=True), default=None),
        "times": Column(("times", "次数"), sheet.number(1, MOST_TIMES, whole=True), default=None),
        "when": Column(("when", "时段"), word_of(WHENS, When), default=None),
        "answer": Column(("answer", "反馈时限"), length_of, default=None),
    }


KEY = ("category", "severity", "holder", "stage")
_LIMIT = ("amount", "unit")
_RUNG = ("share", "act", "level", "every", "times", "when", "answer")


@dataclass(frozen=True)
class PoliciesRead:
    """A table of policies as it was read: the policies, and what forbids publishing them."""

    policies: tuple[dict[str, Any], ...]
    errors: tuple[SheetError, ...]


def read_policies(told: Sheet, codes: Collection[str], seats: Collection[str]) -> PoliciesRead:
    """Return the policies of a table with the columns of `policy_columns`, one rung a row.

    Rows of the same category, severity, holder and stage are one policy; amount and unit may stand on the first
    of them alone. `codes` are those of the categories in force, `seats` the levels at which anybody works.
    """
    found: dict[tuple, dict[str, Any]] = {}
    last: dict[tuple, Row] = {}
    errors = list(told.errors)
    for row in told.rows:
        key = tuple(row[name] for name in KEY)
        policy = found.setdefault(key, {name: row[name] for name in (*KEY, *_LIMIT)} | {"ladder": []})
        first = key not in last and not told.errors  # a row that could not be read may have been its first
        faults = [row.error(column, reason) for column, reason in _faults(row, policy, codes, first)]
        errors += faults
        last[key] = row
        if row["share"] is not None and not faults:
            policy["ladder"].append(stored(_rung(row)))
    errors += [
        last[key].error("level", NobodyThere())
        for key, policy in found.items()
        if policy["ladder"] and policy["ladder"][-1]["level"] not in seats
    ]
    return PoliciesRead(tuple(found.values()), tuple(errors))


def _rung(row: Row) -> Rung:
    every, every_unit = row["every"] or (None, None)
    answer, answer_unit = row["answer"] or (None, None)
    return Rung(
        row["share"], Act(row["act"]), row["level"], every, every_unit, row["times"] or 1,
        When(row["when"] or When.ANY), answer, answer_unit,
    )  # fmt: skip


def _faults(row: Row, policy: Mapping, codes: Collection[str], first: bool) -> Iterator[tuple[str, Problem]]:
    """Yield what is wrong with a row that could be read: the column and the reason."""
    if row["category"] and not any(code.startswith(row["category"]) for code in codes):
        yield "category", UnknownPrefix()
    yield from _limit_faults(row, policy, first)
    if all(row[name] is None for name in _RUNG) and not policy["ladder"]:
        return
    if any(row[name] is None for name in ("share", "act", "level")):
        yield "share", RungIncomplete()
    else:
        yield from _rung_faults(row, policy["ladder"])
        yield from _more_faults(row)


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
    elif sum(each.get("times", 1) for each in below) + (row["times"] or 1) > MOST_CLIMBED:
        yield "times", TooManyRungs(most=MOST_CLIMBED)
    if row["level"] == "department" and row["stage"] in BEFORE_DISPATCH:
        yield "level", NoBodyYet()
    elif row["act"] == Act.TAKE_OVER:
        taken = [LADDER.index(each["level"]) for each in below if each["act"] == Act.TAKE_OVER]
        if row["level"] == "department":
            yield "level", HoldsNoCases()
        elif taken and LADDER.index(row["level"]) <= max(taken):
            yield "level", NotAbove()


def _more_faults(row: Row) -> Iterator[tuple[str, Problem]]:
    """Yield what is wrong with how often a rung is done, and with the time its order gives."""
    again = (row["times"] or 1) > 1
    if again != (row["every"] is not None):
        yield "times" if again else "every", RepeatIncomplete()
    elif again and row["act"] in ONCE:
        yield "times", NotRepeated()
    if row["act"] == Act.SUPERVISE and row["answer"] is None:
        yield "answer", AnswerMissing()
    elif row["act"] != Act.SUPERVISE and row["answer"] is not None:
        yield "answer", AnswerElsewhere()


# ---- the draft: a table as it is typed --------------------------------------------------------------


Cells = dict[str, Any]
"""A policy of the draft: a text for each of its columns, and `rungs`, each a text for each of theirs."""
HEAD, RUNG = (*KEY, *_LIMIT), _RUNG


@dataclass(frozen=True)
class DraftRead:
    """A draft as it was read, and what is wrong, by (policy, rung or None, column), counted from 0."""

    read: PoliciesRead
    faults: Mapping[tuple[int, int | None, str], Problem]


def cells_of(policy: Mapping[str, Any]) -> Cells:
    """Return a policy as it is typed."""
    told = {name: policy[name] for name in HEAD}
    return {name: _cell(value) for name, value in told.items()} | {
        "rungs": [rung_cells(each) for each in rungs(policy["ladder"])]
    }


def rung_cells(rung: Rung) -> dict[str, str]:
    """Return a rung as it is typed."""
    return {
        "share": f"{rung.share * 100:g}%", "act": rung.act.value, "level": rung.level,
        "every": _length(rung.every, rung.every_unit), "times": str(rung.times) if rung.times > 1 else "",
        "when": "" if rung.when is When.ANY else rung.when.value,
        "answer": _length(rung.answer_amount, rung.answer_unit),
    }  # fmt: skip


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _length(amount: float | None, unit: str | None) -> str:
    return "" if amount is None else f"{amount * 100:g}%" if unit == SHARE else f"{amount:g} {unit}"


def clean_cells(given: Any) -> list[Cells]:
    """Return a draft with nothing but texts of bearable length under the names we know.

    Raises
    ------
    DraftTooLarge, NotADraft
    """
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        raise NotADraft
    if len(given) > MOST_POLICIES:
        raise DraftTooLarge(most=MOST_POLICIES)
    return [_clean(each, HEAD) | {"rungs": _clean_rungs(each.get("rungs") or ())} for each in given]


def _clean_rungs(given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list | tuple) or not all(isinstance(each, Mapping) for each in given):
        raise NotADraft
    return [_clean(each, RUNG) for each in given[: MOST_RUNGS + 1]]


def _clean(given: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    return {name: _cell(given.get(name))[:MOST_CELL].replace("\0", "").strip() for name in names}


def read_draft(draft: Sequence[Cells], codes: Collection[str], seats: Collection[str]) -> DraftRead:
    """Return what a draft says, checked as a file is; what is wrong stands beside the cell it was typed in."""
    places, typed = [], []
    for n, policy in enumerate(draft):
        for m, rung in enumerate(policy["rungs"] or [{}]):
            head = policy if m == 0 else policy | {"amount": "", "unit": ""}
            places.append((n, m if policy["rungs"] else None))
            typed.append({name: head[name] for name in HEAD} | rung)
    read = read_policies(sheet.of_cells(typed, policy_columns()), codes, seats)
    faults = dict(_place_of(error, places) for error in reversed(read.errors))
    faults |= {(n, None, "stage"): PolicyTwice() for n in _twice(draft)}
    return DraftRead(read, faults)


def _place_of(
    error: SheetError, places: Sequence[tuple[int, int | None]]
) -> tuple[tuple[int, int | None, str], Problem]:
    n, m = places[error.details["row"] - 1]
    column = error.details["column"]
    return (n, m if column in RUNG else None, column), error.reason


def _twice(draft: Sequence[Cells]) -> Iterator[int]:
    seen = set()
    for n, policy in enumerate(draft):
        key = tuple(policy[name] for name in KEY)
        if key in seen:
            yield n
        seen.add(key)


def most_specific(
    policies: Iterable[Policy], category: str, severity: int, stage: str, holder: str | None = None
) -> Policy | None:
    """Return the policy that answers: the longest beginning of the code, then the severity, then the holder."""
    fitting = [
        each
        for each in policies
        if each.stage == stage
        and category.startswith(each.category)
        and each.severity in (None, severity)
        and each.holder in (None, holder)
    ]
    return max(
        fitting,
        key=lambda each: (len(each.category), each.severity is not None, each.holder is not None),
        default=None,
    )


def limit_of(category: Category, policy: Policy | None) -> tuple[float, TimeUnit] | None:
    """Return how long a whole case may take by the policy that answers for it, else by its category."""
    given = policy if policy and policy.amount is not None else None
    amount, unit = (given.amount, given.unit) if given else (category.limit_amount, category.limit_unit)
    return (amount, TimeUnit(unit)) if amount is not None else None


def plain(policy: Policy) -> dict[str, Any]:
    """Return a policy as a table of policies says it."""
    return {name: getattr(policy, name) for name in (*KEY, *_LIMIT, "ladder")}


def span(amount: float, unit: str) -> str:
    """Return how long something is, in words, or which share of the limit."""
    return f"{amount:.0%}" if unit == SHARE else f"{amount:g} {word(UNITS, unit)}"


def more(rung: Rung) -> str:
    """Return in words what a rung is beyond its share, act and level; empty if it is nothing more."""
    said = []
    if rung.again:
        said.append(_("repeated the {n}th time", n=rung.again))
        said += [_("{span} later", span=span(rung.again * rung.every, rung.every_unit))] if rung.every else []
    elif rung.times > 1:
        every = span(rung.every, rung.every_unit)
        said.append(_("every {span}, {n} times in all", span=every, n=rung.times))
    if rung.when is When.WORKED:
        said.append(word(WHENS, rung.when))
    if rung.answer_amount is not None:
        said.append(_("answered within {span}", span=span(rung.answer_amount, rung.answer_unit)))
    return _(", ").join(said)


def differences(before: Iterable[Mapping], after: Iterable[Mapping]) -> list[Difference]:
    """Return what a table of policies would change, by what each policy is for."""
    return tables.differences(before, after, _place)


def _place(row: Mapping[str, Any]) -> tuple:
    return row["category"], row["severity"] or 0, row["holder"] or "", row["stage"]
