"""Clocks and the rungs they have climbed: one clock for each limit of a case, one row for each rung."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer, Interval, SmallInteger, String, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.policy.model import Act, Rung, rungs

Instant = TIMESTAMP(timezone=True)


class Running(StrEnum):
    """What a clock does."""

    RUNNING = "running"
    PAUSED = "paused"  # 已挂账: the case is suspended
    MET = "met"  # what it waited for was done in time
    MISSED = "missed"  # it was done, but too late
    CANCELLED = "cancelled"  # what it waited for is no longer wanted


LIVE = (Running.RUNNING, Running.PAUSED)


class CaseClock(Base):
    """A limit of a case: how much worked time it allows, how much is used up, and which rung comes next.

    `policy` holds the ladder in force when the clock started: editing the table never bends a running case.
    At the instant `since` the worked time `used` was used up; while it runs more is used, while it is paused
    none. All instants that follow from that are kept, so that the sweep only compares.
    """

    __tablename__ = "case_clock"
    __table_args__ = (
        Index(
            "ix_case_clock_due", "next_rung_at", "id",
            postgresql_where=text("state = 'running' AND next_rung_at IS NOT NULL"),
        ),
        Index(
            "ix_case_clock_live", "incident_id", "stage", unique=True,
            postgresql_where=text("state IN ('running', 'paused')"),
        ),
        Index("ix_case_clock_incident_id", "incident_id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    stage: Mapped[str] = mapped_column(String(32))  # a Stage, or the key of a further limit
    started_at: Mapped[datetime] = mapped_column(Instant)
    amount: Mapped[float | None]  # None: another system has set the due time
    unit: Mapped[str] = mapped_column(String(16))
    calendar: Mapped[str] = mapped_column(String(32))  # by which the working time is counted
    allowed: Mapped[timedelta] = mapped_column(
        Interval
    )  # worked time with all extensions; a working day is a day
    used: Mapped[timedelta] = mapped_column(Interval)  # worked time, up to `since`
    since: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    rung_times: Mapped[list[datetime]] = mapped_column(ARRAY(Instant))  # when each rung is due
    next_rung: Mapped[int] = mapped_column(SmallInteger)  # counted from 0
    next_rung_at: Mapped[datetime | None] = mapped_column(Instant)  # None: none is left, or it does not run
    state: Mapped[str] = mapped_column(String(16))
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    policy: Mapped[dict[str, Any]] = mapped_column(JSONB)


@dataclass(frozen=True)
class Clock:
    """A row of `CaseClock` as the rules see it; they change nothing, they return another one."""

    id: int | None
    incident_id: int
    stage: str
    started_at: datetime
    amount: float | None
    unit: str
    calendar: str
    allowed: timedelta
    used: timedelta
    since: datetime
    due_at: datetime
    rung_times: tuple[datetime, ...]
    next_rung: int
    next_rung_at: datetime | None
    state: Running
    ended_at: datetime | None
    policy: Mapping[str, Any]

    @property
    def waits_until(self) -> datetime | None:
        """Until when its next rung, which is due, waits for somebody to come on duty; None if it does not."""
        running = self.state is Running.RUNNING and self.next_rung < len(self.rung_times)
        waits = running and self.next_rung_at and self.next_rung_at > self.rung_times[self.next_rung]
        return self.next_rung_at if waits else None

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """The rungs as they were when the clock started."""
        return rungs(self.policy["ladder"])


@dataclass(frozen=True)
class LadderCalled:
    """A rung was climbed that others carry out: it supervises, or whistles; once for each case and act."""

    incident_id: int
    act: Act
    level: str  # the people of which are told
    share: float
    at: datetime
    answer_amount: float | None = None  # within what time an order is to be answered
    answer_unit: str | None = None


class RungClimbed(Base):
    """That a clock has climbed a rung, once; the database refuses to change or remove it."""

    __tablename__ = "rung_climbed"

    clock_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("case_clock.id"), primary_key=True)
    rung: Mapped[int] = mapped_column(SmallInteger, primary_key=True)  # counted from 0
    climbed_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    act: Mapped[str] = mapped_column(String(16))  # what was done; a level that held the case already was told
    level: Mapped[str] = mapped_column(String(16))
    reached: Mapped[int] = mapped_column(Integer)  # how many people of that level were told
    note: Mapped[str] = mapped_column(String(16))  # the level told instead, NOBODY, or WAITED


NOBODY = "nobody"
WAITED = "waited"  # the note of a rung that was climbed when somebody came on duty
URGENT = 3  # the severity from which a rung waits for nobody
PATIENCE = timedelta(days=3)  # for so long a rung waits for somebody to come on duty
