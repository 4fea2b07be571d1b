"""Policy tables: each a dated list of limits and ladders; a clock that runs keeps its own copy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound


class Stage(StrEnum):
    """A part of a case's life that has a time limit of its own."""

    ACCEPT = "accept"  # 受理: from the report until it is accepted, voided or settled
    DISPATCH = "dispatch"  # 派遣: from accepting until a body is told to handle it
    HANDLE = "handle"  # 处置: the limit of the case itself, from accepting until it is closed
    VERIFY = "verify"  # 核查: from the feedback until it is checked
    SILENCE = "silence"  # 沉默: while somebody should be at work, since anything was last done on the case
    FURTHER = "further"  # 其他时限: each of the further limits its category names


class Act(StrEnum):
    """What happens at a rung of a ladder, from what weighs least."""

    REMIND = "remind"  # 催办: those who should be at work are reminded
    TELL = "tell"  # 提级告知: a level is told how late it is
    SUPERVISE = (
        "supervise"  # 督办: a supervision order with a deadline of its own is issued, and a level told
    )
    WHISTLE = "whistle"  # 吹哨: the departments are called, and a level told
    TAKE_OVER = "take_over"  # 升级接管: a level answers for the case from now on


CALLS = (Act.SUPERVISE, Act.WHISTLE)  # acts that others carry out, once the rung is climbed


class When(StrEnum):
    """At what time of day a rung may be climbed."""

    ANY = "any"  # 随时
    WORKED = "worked"  # 工作时间: in worked time alone, unless the case is urgent


LADDER = ("micro_grid", "community", "street", "department", "district")
"""Whom a rung can reach, from below; `department` is the body at work, beside the levels that hold a case."""
HOLDING = tuple(level for level in LADDER if level != "department")
"""The levels that hold a case."""
SHARE = "share"
"""The unit of a repetition that is counted in shares of the limit, beside those of time."""


@dataclass(frozen=True)
class Rung:
    """One step of a ladder: at which share of the limit, what happens, and whom it reaches.

    One that is `times` done, `every` so long or such a share of the limit, is as many rungs in the ladder of a
    clock; `again` says which of them this is, from 0.
    """

    share: float  # 0 at once, 1 when the limit is used up, at most 10
    act: Act
    level: str  # one of LADDER
    every: float | None = None
    every_unit: str | None = None  # a TimeUnit, or SHARE
    times: int = 1
    when: When = When.ANY
    answer_amount: float | None = None  # by when the order is to be answered, of SUPERVISE
    answer_unit: str | None = None
    again: int = 0


_USUAL = {each.name: each.default for each in fields(Rung)}


def rungs(ladder: Iterable[Mapping[str, Any]]) -> tuple[Rung, ...]:
    """Return a stored ladder as rungs."""
    return tuple(
        Rung(**{**each, "act": Act(each["act"]), "when": When(each.get("when", When.ANY))}) for each in ladder
    )


def stored(rung: Rung) -> dict[str, Any]:
    """Return a rung as it is stored: what is as usual is left out."""
    told = ((name, getattr(rung, name)) for name in _USUAL)
    return {name: getattr(value, "value", value) for name, value in told if value != _USUAL[name]}


def expanded(ladder: Iterable[Rung], urgent: bool = False) -> tuple[Rung, ...]:
    """Return a ladder with each repetition as a rung of its own; an urgent case waits for no worked time.

    Repetitions counted in time keep how long each is; those counted in shares of the limit have their share.
    """
    found = []
    for rung in ladder:
        whole = replace(rung, times=1, when=When.ANY if urgent else rung.when)
        for again in range(rung.times):
            if rung.every_unit == SHARE:
                share = round(rung.share + again * rung.every, 4)
                found.append(replace(whole, share=share, every=None, every_unit=None, again=again))
            elif again:
                found.append(replace(whole, again=again))
            else:
                found.append(replace(whole, every=None, every_unit=None))
    return tuple(found)


class PolicyTable(Base):
    """A table of limits and ladders, in force from `effective` until the next one."""

    __tablename__ = "policy_table"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    effective: Mapped[date]
    published_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class Policy(Base):
    """How long a stage may take for some categories at some severity, and who hears of it when."""

    __tablename__ = "policy"
    __table_args__ = (
        UniqueConstraint(
            "table_id", "category", "severity", "holder", "stage", postgresql_nulls_not_distinct=True
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    table_id: Mapped[int] = mapped_column(ForeignKey("policy_table.id"))
    category: Mapped[str] = mapped_column(String(32))  # the beginning of their codes; empty: all
    severity: Mapped[int | None] = mapped_column(SmallInteger)  # None: any
    holder: Mapped[str | None] = mapped_column(String(16))  # the level that holds the case; None: any
    stage: Mapped[str] = mapped_column(String(16))
    amount: Mapped[float | None]  # None: as long as the category itself allows
    unit: Mapped[str | None] = mapped_column(String(16))
    ladder: Mapped[list[Mapping[str, Any]]] = mapped_column(JSONB)  # rungs, in order

    @cached_property
    def climbed(self) -> Mapping[bool, tuple[tuple[Rung, ...], list[dict[str, Any]]]]:
        """The rungs a clock climbs, and how they are stored: for urgent cases, and for all others."""
        ladders = {urgent: expanded(self.rungs, urgent) for urgent in (False, True)}
        return {urgent: (ladder, [stored(each) for each in ladder]) for urgent, ladder in ladders.items()}

    @cached_property
    def rungs(self) -> tuple[Rung, ...]:
        """The ladder as rungs; a policy that was published does not change."""
        return rungs(self.ladder)


class PolicyDraft(Base):
    """The next table of policies while it is being written, as it was typed; one, on which all work together."""

    __tablename__ = "policy_draft"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    version: Mapped[int]
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)  # policies in cells, each with its rungs
    based_on: Mapped[str] = mapped_column(String(120))
    saved_by: Mapped[str] = mapped_column(String(64))
    saved_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class NoPolicies(BadInput):
    """The table of policies has no rows."""


# What can be wrong with a cell of a table of policies.


class UnknownPrefix(BadInput):
    """No category's code begins like this."""


class LimitMissing(BadInput):
    """This stage needs a limit of its own."""


class LimitElsewhere(BadInput):
    """The category itself gives these limits; leave this empty."""


class LimitUnlike(BadInput):
    """An earlier row of the same policy says otherwise."""


class NoShare(BadInput):
    """It is no share from 0 to 10, or from 0% to 1000%."""


class ShareFalls(BadInput):
    """It is less than on the rung before."""


class TooManyRungs(BadInput):
    """A ladder has at most {most} rungs."""


class RungIncomplete(BadInput):
    """A rung needs a share, an act and a level."""


class NoBodyYet(BadInput):
    """At this stage no department is at work yet."""


class HoldsNoCases(BadInput):
    """A department is told; it takes no case over."""


class NotAbove(BadInput):
    """An earlier rung has handed the case to this level, or to one above it."""


class PolicyTwice(BadInput):
    """An earlier policy is for the same cases and the same stage."""


class NotADraft(BadInput):
    """A draft is a list of policies, each with its rungs."""


class DraftTooLarge(BadInput):
    """A draft has at most {most} policies."""


class DraftMoved(Conflict):
    """{name} has saved this draft in the meantime, at {time}; look at it again, then change it."""


class NoDraft(NotFound):
    """There is no draft with changes to publish."""


class DraftFaulty(BadInput):
    """The draft has {count} faults; correct them before you publish it. {first}"""


class RepeatIncomplete(BadInput):
    """A repetition needs both: every how long or how large a share, and how many times in all."""


class NotRepeated(BadInput):
    """This is done once; it cannot be repeated."""


class NoLength(BadInput):
    """Write a length as 4 working_hours, 2 working_days or 12 hours{share}."""


class AnswerMissing(BadInput):
    """An order needs a time within which it is answered."""


class AnswerElsewhere(BadInput):
    """Only an order is answered within a time; leave this empty."""


class NobodyThere(BadInput):
    """Nobody works at this level yet, so this last rung would reach nobody."""
