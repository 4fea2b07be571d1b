"""Flags, the cases they point at, and the reviews of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Forbidden, NotFound

Instant = TIMESTAMP(timezone=True)


class Kind(StrEnum):
    """Which pattern was seen."""

    INSTANT = "instant"  # 秒办: reported and closed within minutes by one person, several times a day
    FLOOD = "flood"  # 集中刷报: far more reports in an hour than this person and others usually make
    REUSED = "reused"  # 照片重复使用: the same photo on several cases
    ALIKE = "alike"  # 照片高度相似: photos of one person that look alike on several cases
    BARE = "bare"  # 缺少照片结案: closed without the photo its category asks for
    FAR = "far"  # 异地报到: reported in far from the place of the case
    FIVES = "fives"  # 满分评价: always the best mark, by the same person for the same handler
    COPIED = "copied"  # 描述雷同: the same description on several cases of one person


class Verdict(StrEnum):
    """What came of a look."""

    DISMISSED = "dismissed"  # 情况正常
    TALKED = "talked"  # 已谈话提醒
    REFERRED = "referred"  # 移交处理


class Flag(Base):
    """A pattern worth a look: whose records, between when, what was counted. It has no effect by itself."""

    __tablename__ = "flag"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_flag_open", "found_at", postgresql_where=text("verdict IS NULL")),
        Index("ix_flag_account_id", "account_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(200))  # the same pattern is flagged once
    code: Mapped[str] = mapped_column(String(32))  # the unit that holds all its cases; empty: the district
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))  # None: nobody with an account
    name: Mapped[str] = mapped_column(String(100))
    begins: Mapped[datetime] = mapped_column(Instant)
    ends: Mapped[datetime] = mapped_column(Instant)
    found_at: Mapped[datetime] = mapped_column(Instant)
    evidence: Mapped[Mapping[str, Any]] = mapped_column(JSONB)  # what was counted, and by which terms
    verdict: Mapped[str | None] = mapped_column(String(16))  # of the last review; None: nobody has looked


class FlagCase(Base):
    """A case a flag points at."""

    __tablename__ = "flag_case"

    flag_id: Mapped[int] = mapped_column(ForeignKey("flag.id"), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True, index=True)


class FlagReview(Base):
    """What somebody found when they looked at a flag; the database refuses to change or remove it."""

    __tablename__ = "flag_review"
    __table_args__ = (UniqueConstraint("flag_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    flag_id: Mapped[int] = mapped_column(ForeignKey("flag.id"))
    seq: Mapped[int]
    verdict: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(String(2000))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    actor_name: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True)
class Found:
    """A pattern as it was found, before it is known whether it was flagged already."""

    kind: Kind
    key: str
    account_id: int | None
    name: str
    begins: datetime
    ends: datetime
    cases: tuple[int, ...]
    evidence: Mapping[str, Any] = field(default_factory=dict)


class UnknownFlag(NotFound):
    """There is no flag {id}, or it is outside your area."""


class OwnFlag(Forbidden):
    """Nobody reviews what concerns himself; somebody else has to look."""


class ReviewNote(BadInput):
    """Say in 1 to {most} characters what was found."""
