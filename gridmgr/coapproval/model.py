"""Kinds of permits, applications, what each body asked says to them; what was said and decided is never changed."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Identity,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base, Done
from gridmgr.errors import BadInput, Conflict, Forbidden, NotFound

Instant = TIMESTAMP(timezone=True)
LONGEST = 500  # characters of a note


class Silence(StrEnum):
    """What it means that a body has said nothing by the due time; that it was silent is recorded either way."""

    AGREE = "agree"  # 逾期未答复视为同意
    WAIT = "wait"  # 逾期未答复仍须等待


class Standing(StrEnum):
    """How an application stands."""

    OPEN = "open"  # 征求意见中
    GRANTED = "granted"  # 已准予
    REFUSED = "refused"  # 不予许可
    WITHDRAWN = "withdrawn"  # 已撤回


class Said(StrEnum):
    """What a body says to an application."""

    AGREE = "agree"  # 同意
    CONDITIONS = "conditions"  # 附条件同意
    OBJECT = "object"  # 不同意
    SILENT = "silent"  # 逾期未答复


class Deed(StrEnum):
    """What is done to an application; what a body says is called as `Said` calls it."""

    ASK = "ask"  # 发起联办
    AGREE = "agree"
    CONDITIONS = "conditions"
    OBJECT = "object"
    SILENT = "silent"
    OVERRULE = "overrule"  # 否决异议: the street's leader or the command centre sets an objection aside
    GRANT = "grant"  # 准予
    REFUSE = "refuse"  # 不予许可
    WITHDRAW = "withdraw"  # 撤回
    FOLLOW = "follow"  # 随网格调整: it lies in another unit


class PermitKind(Base):
    """A kind of permit: which matters it touches, how long the bodies have, and what silence means."""

    __tablename__ = "permit_kind"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    name_en: Mapped[str] = mapped_column(String(100))
    prefixes: Mapped[list] = mapped_column(JSONB)  # the beginnings of the codes of matters
    amount: Mapped[float]
    unit: Mapped[str] = mapped_column(String(16))
    silence: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool] = mapped_column(default=True)

    def said(self, language: str) -> str:
        """Return the name in that language."""
        return self.name_en if language == "en" and self.name_en else self.name


class Approval(Base):
    """An application: who wants what, where, which bodies' matters it touches, and how it was decided."""

    __tablename__ = "approval"
    __table_args__ = (
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
        Index("ix_approval_code", "code", "state", postgresql_ops={"code": "text_pattern_ops"}),
        Index("ix_approval_building_code", "building_code"),
        Index("ix_approval_state", "state", "id"),
        Index("ix_approval_due", "due_at", postgresql_where=text("state = 'open' AND silence_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(String(100))  # as it was called then
    kind_en: Mapped[str] = mapped_column(String(100))
    prefixes: Mapped[list] = mapped_column(JSONB)
    silence: Mapped[str] = mapped_column(String(16))
    applicant: Mapped[str] = mapped_column(String(100))
    what: Mapped[str] = mapped_column(String(500))
    code: Mapped[str] = mapped_column(String(32))  # of the area: a building's micro-grid
    street_code: Mapped[str | None] = mapped_column(String(32))
    building_code: Mapped[str | None] = mapped_column(String(32))
    place: Mapped[str] = mapped_column(String(300))  # in words
    asker_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    asker_name: Mapped[str] = mapped_column(String(64))
    body: Mapped[str | None] = mapped_column(String(100))  # the station that would permit it
    asked_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    valid_until: Mapped[date | None] = mapped_column(
        Date
    )  # the last day it is permitted, if it is not for good
    silence_at: Mapped[datetime | None] = mapped_column(Instant)  # who had said nothing by then was noted
    state: Mapped[str] = mapped_column(String(16))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decider_name: Mapped[str | None] = mapped_column(String(64))
    conditions: Mapped[str] = mapped_column(Text)  # under which it was granted, or why it was not

    def named(self, language: str) -> str:
        """Return what kind of permit it is in that language."""
        return self.kind_en if language == "en" and self.kind_en else self.kind


class Opinion(Base):
    """A body that was asked, and what it says as things stand: the last of its words."""

    __tablename__ = "opinion"
    __table_args__ = (UniqueConstraint("approval_id", "body"), Index("ix_opinion_body", "body", "said"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    approval_id: Mapped[int] = mapped_column(ForeignKey("approval.id"))
    body: Mapped[str] = mapped_column(String(100))
    matters: Mapped[list] = mapped_column(JSONB)  # the codes for which it was asked
    said: Mapped[str | None] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(String(500))
    law: Mapped[str] = mapped_column(String(300))
    name: Mapped[str | None] = mapped_column(String(64))  # who said so
    said_at: Mapped[datetime | None] = mapped_column(Instant)
    overruled: Mapped[bool]  # its objection was set aside


class ApprovalDeed(Done, Base):
    """One thing said or done to an application; the database refuses to change or remove it."""

    __tablename__ = "approval_deed"
    __table_args__ = (UniqueConstraint("approval_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    approval_id: Mapped[int] = mapped_column(ForeignKey("approval.id"))
    seq: Mapped[int]
    body: Mapped[str | None] = mapped_column(String(100))  # who says it, or whose objection is set aside
    note: Mapped[str] = mapped_column(Text)
    law: Mapped[str] = mapped_column(String(300))


@dataclass(frozen=True)
class Application:
    """What somebody asks to be permitted, as it is told."""

    kind: str
    applicant: str
    what: str
    code: str  # of a building, or another unit
    place: str = ""
    valid_until: date | None = None


@dataclass(frozen=True)
class Figures:
    """How applications were settled in a period, and how often the permitted was in question again soon."""

    asked: int
    settled: int
    granted: int
    mean_hours: float | None
    questioned: int


@dataclass(frozen=True)
class Saying:
    """How a body answers: how often it was asked, what it says now, how often it ever objected."""

    body: str
    asked: int
    agreed: int
    conditions: int
    objects: int
    silent: int
    waiting: int
    objected: int


class UnknownApproval(NotFound):
    """There is no application {id}, or it is outside your area."""


class UnknownPermitKind(NotFound):
    """There is no kind of permit called {name}."""


class Decided(Conflict):
    """This application is {state}; nothing more is said to it."""


class StillObjected(Conflict):
    """{bodies} object; settle it with them, or have the street's leader or the command centre set that aside."""


class StillWaiting(Conflict):
    """{bodies} have not answered yet; they have until {due}."""


class StillSilent(Conflict):
    """{bodies} said nothing by {due}; for this kind of permit silence is no consent."""


class NotAsked(Forbidden):
    """{body} was not asked about this."""


class NotYourWindow(Forbidden):
    """{name} has asked for this permit; only they, their body and the administrators decide on it."""


class NoObjection(Conflict):
    """{body} does not object; there is nothing to set aside."""


class SayWhy(BadInput):
    """Say who, what, under which conditions or why, in at most {most} characters."""


class OverBefore(BadInput):
    """A permit ends on a day to come."""


# What can be wrong with a cell of a table of kinds.


class KindTwice(BadInput):
    """This name stands in an earlier row too."""


class NoSuchMatters(BadInput):
    """No matter in force has a code that begins with {prefix}."""


class NoMatters(BadInput):
    """Name at least one beginning of codes of matters."""
