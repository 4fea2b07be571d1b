"""Who is asked, what stands in the way of a permit, who may say and decide what. No session, no time of day."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from gridmgr.account.model import Role
from gridmgr.account.rules import PERMISSIONS, Actor, can
from gridmgr.category.model import Category
from gridmgr.clock import TimeUnit
from gridmgr.coapproval.model import (
    LONGEST,
    Approval,
    Deed,
    KindTwice,
    NoMatters,
    NoSuchMatters,
    NotYourWindow,
    Said,
    SayWhy,
    Silence,
)
from gridmgr.errors import Problem
from gridmgr.sheet import Column, Row, SheetError, number, one_of, text

ANSWERS = {Said.AGREE: Deed.AGREE, Said.CONDITIONS: Deed.CONDITIONS, Said.OBJECT: Deed.OBJECT}
NEEDS_NOTE = frozenset({Deed.ASK, Deed.CONDITIONS, Deed.OBJECT, Deed.OVERRULE, Deed.REFUSE, Deed.WITHDRAW})
_DESKS = PERMISSIONS["approval.decide"] - {Role.DEPARTMENT_HANDLER}


class Word(Protocol):
    """What the decision looks at of an opinion."""

    body: str
    said: str | None
    overruled: bool


def touched(code: str, prefixes: Iterable[str]) -> bool:
    """Tell whether a matter is one of those a permit touches."""
    return any(code.startswith(prefix) for prefix in prefixes)


def bodies_of(
    matters: Iterable[Category], prefixes: Sequence[str], owners: Callable[[Category], Iterable[str]], asker: str | None
) -> dict[str, list[str]]:  # fmt: skip
    """Return whom to ask, each with the codes of its matters that the permit touches; the asker asks itself nothing.

    Rule: field.md A6, 一窗联办: all whose lists touch that kind of building are asked before it is permitted.
    """
    found: dict[str, list[str]] = {}
    for matter in matters:
        if touched(matter.code, prefixes):
            for body in owners(matter):
                if body and body != asker:
                    codes = found.setdefault(body, [])
                    if matter.code not in codes:
                        codes.append(matter.code)
    return dict(sorted(found.items()))


def objecting(opinions: Iterable[Word]) -> list[str]:
    """Return the bodies whose objection stands: said, and not set aside."""
    return [each.body for each in opinions if each.said == Said.OBJECT and not each.overruled]


def waiting(opinions: Iterable[Word], silence: str, late: bool) -> list[str]:
    """Return the bodies a grant still waits for: those with time left, and silent ones whose silence is no consent."""
    if late and silence == Silence.AGREE:
        return []
    return [each.body for each in opinions if each.said is None or (each.said == Said.SILENT and late)]


def conditions(opinions: Iterable[tuple[str, str | None, str]], note: str) -> str:
    """Return the conditions of a grant: those of each body (body, what it says, note), and the station's own.

    >>> conditions([("公安分局", "conditions", "22 点后停工"), ("环卫所", "agree", "")], "")
    '公安分局：22 点后停工'
    """
    told = [f"{body}：{said_note}" for body, said, said_note in opinions if said == Said.CONDITIONS]
    return "\n".join([*told, *([note] if note else [])])


def check_note(deed: Deed, *notes: str) -> None:
    """Refuse a note that is missing where one is needed, or too long.

    Raises
    ------
    SayWhy
    """
    if any(len(note) > LONGEST or (deed in NEEDS_NOTE and not note.strip()) for note in notes):
        raise SayWhy(most=LONGEST)


def decides(actor: Actor, approval: Approval) -> Problem | None:
    """Return why somebody may not decide on an application; None if it is allowed.

    Whoever asked decides, and everybody of the body that would permit it; what a desk asked, a desk of the place.
    """
    if (reason := can(actor, "approval.decide", approval.code).reason) is not None:
        return reason
    roles = {grant.role for grant in actor.grants if approval.code.startswith(grant.code)}
    own = actor.body == approval.body if approval.body else bool(roles & _DESKS)
    if own or Role.ADMIN in roles or (actor.id is not None and actor.id == approval.asker_id):
        return None
    return NotYourWindow(name=approval.body or approval.asker_name)


_SILENCES = {
    "agree": Silence.AGREE, "视为同意": Silence.AGREE, "wait": Silence.WAIT,
    "继续等待": Silence.WAIT, "等待": Silence.WAIT,
}  # fmt: skip
_UNITS = {each.value: each for each in TimeUnit} | {
    "工作时": TimeUnit.WORKING_HOURS, "工作日": TimeUnit.WORKING_DAYS, "小时": TimeUnit.HOURS,
}  # fmt: skip


def prefixes_of(cell: str) -> list[str]:
    """Read beginnings of codes: S0202；S0203.

    Raises
    ------
    NoMatters
    """
    found = list(dict.fromkeys(part.strip() for part in re.split(r"[;；,，、\s]+", cell) if part.strip()))
    if not found:
        raise NoMatters
    return found


KINDS = {
    "name": Column(("许可事项", "名称", "name"), text(100)),
    "name_en": Column(("英文名称", "name_en"), text(100), default=""),
    "prefixes": Column(("涉及事项编码", "涉及事项", "matters", "prefixes"), prefixes_of),
    "amount": Column(("答复时限", "amount"), number(0.25, 1000), default=2.0),
    "unit": Column(("时限单位", "unit"), one_of(_UNITS), default=TimeUnit.WORKING_DAYS),
    "silence": Column(("逾期未答复", "silence"), one_of(_SILENCES), default=Silence.WAIT),
}
"""The columns of a table of kinds of permits."""


def faults(rows: Iterable[Row], codes: Sequence[str]) -> Iterator[SheetError]:
    """Yield what only other rows, or the matters in force, show to be wrong."""
    seen: set[str] = set()
    for row in rows:
        if row["name"] in seen:
            yield row.error("name", KindTwice())
        seen.add(row["name"])
        for prefix in row["prefixes"]:
            if not any(code.startswith(prefix) for code in codes):
                yield row.error("prefixes", NoSuchMatters(prefix=prefix))
