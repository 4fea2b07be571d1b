"""What the auditor can find wrong, and the spans of time in which it found any."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Identity, Index, String, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base

Instant = TIMESTAMP(timezone=True)


class UnservedEpisode(Base):
    """A span of time in which the auditor found clocks that nobody served; one at a time."""

    __tablename__ = "unserved_episode"
    __table_args__ = (Index("ix_unserved_episode_open", text("(ended_at IS NULL)"), unique=True,
                            postgresql_where=text("ended_at IS NULL")),)  # fmt: skip

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    began_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    most: Mapped[int]  # the largest number of clocks found at once


class Regular(StrEnum):
    """What must happen again and again, and is noted when it has."""

    BACKUP = "backup"
    SWEEP = "sweep"


class LastDone(Base):
    """When something regular was last done, by whichever process."""

    __tablename__ = "last_done"

    what: Mapped[str] = mapped_column(String(16), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)


class Overdue(NamedTuple):
    """A clock whose next rung was due long ago, and nobody has climbed it."""

    clock_id: int
    number: str
    stage: str
    rung: int
    at: datetime


class Missing(NamedTuple):
    """An open case that should have a clock and has none."""

    incident_id: int
    number: str
    stage: str
    at: datetime  # when the clock should have started


class Uneven(NamedTuple):
    """A clock that has climbed more or fewer rungs than it says."""

    clock_id: int
    number: str
    stage: str
    at: datetime  # when its next rung is due, or it started
    next_rung: int
    climbed: int


@dataclass(frozen=True)
class Unserved:
    """What the auditor finds wrong: three lists, all empty when all is well."""

    overdue: list[Overdue]
    missing: list[Missing]
    uneven: list[Uneven]

    def __len__(self) -> int:
        return len(self.overdue) + len(self.missing) + len(self.uneven)

    @property
    def first(self) -> Overdue | Missing | Uneven | None:
        """The finding that matters most."""
        return next(iter((*self.overdue, *self.missing, *self.uneven)), None)
