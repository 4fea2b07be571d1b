"""Policy tables: each a dated list of limits and ladders; a clock that runs keeps its own copy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from sqlalchemy import ForeignKey, SmallInteger, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput


class Stage(StrEnum):
    """A part of a case's life that has a time limit of its own."""

    ACCEPT = "accept"  # 受理: from the report until it is accepted, voided or settled
    DISPATCH = "dispatch"  # 派遣: from accepting until a body is told to handle it
    HANDLE = "handle"  # 处置: the limit of the case itself, from accepting until it is closed
    VERIFY = "verify"  # 核查: from the feedback until it is checked
    FURTHER = "further"  # 其他时限: each of the further limits its category names


class Act(StrEnum):
    """What happens at a rung of a ladder."""

    REMIND = "remind"  # 催办: those who should be at work are reminded
    TELL = "tell"  # 提级告知: a level is told how late it is
    TAKE_OVER = "take_over"  # 升级接管: a level answers for the case from now on


LADDER = ("micro_grid", "community", "street", "department", "district")
"""Whom a rung can reach, from below; `department` is the body at work, beside the levels that hold a case."""


@dataclass(frozen=True)
class Rung:
    """One step of a ladder: at which share of the limit, what happens, and whom it reaches."""

    share: float  # 0 at once, 1 when the limit is used up, at most 10
    act: Act
    level: str  # one of LADDER


def rungs(ladder: Iterable[Mapping[str, Any]]) -> tuple[Rung, ...]:
    """Return a stored ladder as rungs."""
    return tuple(Rung(each["share"], Act(each["act"]), each["level"]) for each in ladder)


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
        UniqueConstraint("table_id", "category", "severity", "stage", postgresql_nulls_not_distinct=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    table_id: Mapped[int] = mapped_column(ForeignKey("policy_table.id"))
    category: Mapped[str] = mapped_column(String(32))  # the beginning of their codes; empty: all
    severity: Mapped[int | None] = mapped_column(SmallInteger)  # None: any
    stage: Mapped[str] = mapped_column(String(16))
    amount: Mapped[float | None]  # None: as long as the category itself allows
    unit: Mapped[str | None] = mapped_column(String(16))
    ladder: Mapped[list[Mapping[str, Any]]] = mapped_column(JSONB)  # rungs, in order

    @cached_property
    def rungs(self) -> tuple[Rung, ...]:
        """The ladder as rungs; a policy that was published does not change."""
        return rungs(self.ladder)


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


class NobodyThere(BadInput):
    """Nobody works at this level yet, so this last rung would reach nobody."""
