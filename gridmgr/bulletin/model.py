"""Papers that were written, what they are made of, the plan they are written by, and those that are due."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Date,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound

Instant = TIMESTAMP(timezone=True)


class Progress(StrEnum):
    """How far a paper that is due has come."""

    WAITING = "waiting"  # 待编制
    WRITTEN = "written"  # 已编制
    FAILED = "failed"  # 编制失败: given up until somebody wants it again


class Bulletin(Base):
    """A paper that was written; the database never changes it. A corrected one is another issue beside it."""

    __tablename__ = "bulletin"
    __table_args__ = (
        UniqueConstraint("subject", "key", "period", "first", "issue"),
        Index("ix_bulletin_area", "area", "id", postgresql_ops={"area": "text_pattern_ops"}),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    subject: Mapped[str] = mapped_column(String(16))  # a `digest.model.Subject`
    key: Mapped[str] = mapped_column(String(100))  # a code, the id of a module, a body's name, a user name
    area: Mapped[str] = mapped_column(String(32))  # the beginning of the codes it tells of
    name: Mapped[str] = mapped_column(String(200))  # what its subject was called
    period: Mapped[str] = mapped_column(String(8))  # a `digest.model.Period`
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    issue: Mapped[int] = mapped_column(SmallInteger)
    why: Mapped[str] = mapped_column(String(500))  # it was written again; empty for the first issue
    as_of: Mapped[datetime] = mapped_column(Instant)  # the instant whose records it shows
    written_at: Mapped[datetime] = mapped_column(Instant)
    writer_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    writer_name: Mapped[str] = mapped_column(String(64))
    last_event: Mapped[int] = mapped_column(BigInteger)  # the newest row of all histories when it was written
    edition_id: Mapped[int | None] = mapped_column(ForeignKey("edition.id"))
    content: Mapped[Mapping[str, Any]] = mapped_column(JSONB)  # all its numbers
    content_hash: Mapped[str] = mapped_column(String(64))


class BulletinFile(Base):
    """A file of a paper, by its content: pictures, the map in one file, page and PDF of a language."""

    __tablename__ = "bulletin_file"

    bulletin_id: Mapped[int] = mapped_column(ForeignKey("bulletin.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("stored_file.sha256"), index=True)


class BulletinPlan(Base):
    """That papers of a subject are written every week or month, until the plan is ended."""

    __tablename__ = "bulletin_plan"
    __table_args__ = (
        Index(
            "uq_bulletin_plan_running", "subject", "key", "period", unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    subject: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(100))
    area: Mapped[str] = mapped_column(String(32))
    period: Mapped[str] = mapped_column(String(8))
    since: Mapped[date] = mapped_column(Date)  # the first day of the first period that is written of
    tell: Mapped[list[str]] = mapped_column(ARRAY(String(64)))  # user names; besides those who lead there
    set_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    set_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class BulletinDue(Base):
    """A paper that is to be written, on plan or because somebody wants it, and what came of it."""

    __tablename__ = "bulletin_due"
    __table_args__ = (
        Index(
            "uq_bulletin_due_planned", "subject", "key", "period", "first", unique=True,
            postgresql_where=text("plan_id IS NOT NULL"),
        ),
        Index(
            "uq_bulletin_due_wanted", "subject", "key", "period", "first", unique=True,
            postgresql_where=text("plan_id IS NULL AND state = 'waiting'"),
        ),
        Index("ix_bulletin_due_next", "next_at", postgresql_where=text("state = 'waiting'")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    subject: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(100))
    area: Mapped[str] = mapped_column(String(32))
    period: Mapped[str] = mapped_column(String(8))
    first: Mapped[date] = mapped_column(Date)
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("bulletin_plan.id"), index=True)
    wanted_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))  # without a plan
    wanted_at: Mapped[datetime] = mapped_column(Instant)
    why: Mapped[str] = mapped_column(String(500), default="")
    known_now: Mapped[bool] = mapped_column(default=False)  # by what is known now, not at the period's end
    state: Mapped[str] = mapped_column(String(16), default=Progress.WAITING)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    next_at: Mapped[datetime] = mapped_column(Instant)
    problem: Mapped[str] = mapped_column(Text, default="")  # why the last attempt failed
    bulletin_id: Mapped[int | None] = mapped_column(ForeignKey("bulletin.id"))


class UnknownBulletin(NotFound):
    """There is no such report, or it is not for you to see."""


class UnknownPlan(NotFound):
    """There is no such plan, or it is not for you to change."""


class UnknownDue(NotFound):
    """There is no such report to be written, or it is not for you to see."""


class PeriodRunning(BadInput):
    """The period from {first} to {last} has not ended yet."""


class TooLongAgo(BadInput):
    """Reports are written of periods since {first}; before that there are no records here."""


class WrittenAlready(Conflict):
    """This report is there already; say why it is written again, and both will stand side by side."""


class BeingWritten(Conflict):
    """This report is about to be written; wait for it."""


class PlannedAlready(Conflict):
    """These reports are planned already."""
