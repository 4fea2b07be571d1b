"""Category tables and policy tables: each a dated list; an old case keeps the row it was filed under."""

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
from gridmgr.errors import BadInput, Conflict, NotFound


class CategoryKind(StrEnum):
    """The national classes, the four platforms, and what other systems call their own."""

    COMPONENT = "component"  # 部件
    EVENT = "event"  # 事件
    PLATFORM = "platform"  # 四平台
    FOREIGN = "foreign"  # another system's own list


NEEDS = ("photo", "on_site", "description", "address", "phone")
"""What a case must have before it is accepted or closed: 照片, 现场核实, 描述, 地址, 联系电话."""


class CategoryTable(Base):
    """One jurisdiction's table of categories, in force from `effective`."""

    __tablename__ = "category_table"
    __table_args__ = (UniqueConstraint("title", "effective"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    effective: Mapped[date]


class Category(Base):
    """A matter: what it is called, who handles it, how long that may take, when it is filed and closed."""

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("table_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    table_id: Mapped[int] = mapped_column(ForeignKey("category_table.id"))
    code: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(16))
    group_zh: Mapped[str] = mapped_column(String(100))
    group_en: Mapped[str] = mapped_column(String(100))
    name_zh: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    department: Mapped[str] = mapped_column(String(100))
    severity: Mapped[int]  # 1 ordinary, 2 serious, 3 urgent
    limit_amount: Mapped[float | None]
    limit_unit: Mapped[str | None] = mapped_column(String(16))
    filing_condition: Mapped[str] = mapped_column(String(500))
    closing_condition: Mapped[str] = mapped_column(String(500))
    filing_needs: Mapped[list] = mapped_column(
        JSONB, default=list
    )  # words of NEEDS, beside the condition in words
    closing_needs: Mapped[list] = mapped_column(JSONB, default=list)
    simple: Mapped[bool] = mapped_column(default=False)  # 简易: a grid member may settle it on the spot
    further_limits: Mapped[list] = mapped_column(JSONB, default=list)  # FurtherLimit, as dictionaries

    @property
    def policy_code(self) -> str:
        """The code that policies look at; another system's own codes mean nothing to ours."""
        return "" if self.kind == CategoryKind.FOREIGN else self.code

    def name(self, language: str) -> str:
        """Return the name in that language."""
        return self.name_en if language == "en" else self.name_zh

    def group(self, language: str) -> str:
        """Return the class's name in that language."""
        return self.group_en if language == "en" else self.group_zh


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


class UnknownCategory(NotFound):
    """There is no category {code} in the table in force."""


class NoCategories(BadInput):
    """The table of categories has no rows."""


class TitleTaken(Conflict):
    """A table “{title}” in force from {day} is there already; choose another title or another day."""


# What can be wrong with a cell of a table of categories.


class CodeTwice(BadInput):
    """This code stands in an earlier row."""


class NotFurther(BadInput):
    """Write a further limit as stop_work:停工:Stop work:4 working_hours, several with semicolons between."""


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


class UnitAlone(BadInput):
    """An amount and its unit go together."""


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
