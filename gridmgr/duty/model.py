"""Turns of duty at the seats of areas, and leave; a seat is a role on the beginning of a code."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound

Instant = TIMESTAMP(timezone=True)


class Shift(Base):
    """One turn of duty (班次): somebody sits at a seat from an instant to another, as its main or a substitute."""

    __tablename__ = "shift"
    __table_args__ = (
        CheckConstraint("ends > begins AND ends <= begins + interval '24 hours'", name="lasts"),
        Index("ix_shift_seat", "role", "code", "begins", postgresql_ops={"code": "text_pattern_ops"}),
        Index("ix_shift_account", "account_id", "role", "begins"),
        Index("ix_shift_begins", "begins"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(String(32))
    substitute: Mapped[bool]  # sits only while no main does
    begins: Mapped[datetime] = mapped_column(Instant)
    ends: Mapped[datetime] = mapped_column(Instant)


class Leave(Base):
    """That somebody is away (请假), and who covers all of that person's seats meanwhile, if anybody does."""

    __tablename__ = "leave"
    __table_args__ = (
        CheckConstraint("ends > begins", name="lasts"),
        CheckConstraint("cover_id <> account_id", name="covered_by_another"),
        Index("ix_leave_account", "account_id", "ends"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    cover_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    begins: Mapped[datetime] = mapped_column(Instant)
    ends: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(String(100))


@dataclass(frozen=True)
class Turn:
    """A turn of duty as a roster tells it."""

    username: str
    role: str
    code: str
    substitute: bool
    begins: datetime
    ends: datetime

    @property
    def seat(self) -> tuple[str, str]:
        """The role and the code of the area."""
        return self.role, self.code


@dataclass(frozen=True)
class Hole:
    """A stretch of time in which nobody sits at a seat that has a roster around it."""

    role: str
    code: str
    begins: datetime
    ends: datetime


OFTEN = 3  # times: what happens so often is the way the seat is held


@dataclass(frozen=True)
class Gap:
    """Holes of a seat at the same hours of the day, as one."""

    holes: tuple[Hole, ...]

    @property
    def first(self) -> Hole:
        """The first of them."""
        return self.holes[0]

    @property
    def regular(self) -> bool:
        """Whether it is how the seat is held, such as every night of a seat that has day turns alone."""
        return len(self.holes) >= OFTEN


@dataclass(frozen=True)
class Brought:
    """What a table of turns comes to: the turns it brings, how many it replaces, and the gaps it leaves."""

    turns: tuple[Turn, ...]
    replaced: int
    gaps: tuple[Gap, ...]


class UnknownLeave(NotFound):
    """There is no such leave."""


class AwayAlready(Conflict):
    """{name} is away already from {begins} to {ends}."""


class CoverAway(Conflict):
    """{name} is away at that time and cannot cover for anybody."""


class CoversThen(Conflict):
    """{name} covers for somebody else at that time; find another cover first."""


class CoverElsewhere(BadInput):
    """{name} holds no role in the area {code} and would not see its cases."""


class CoversNobody(BadInput):
    """Nobody covers for oneself."""


class EndsFirst(BadInput):
    """It ends before it begins."""


class LeaveTooLong(BadInput):
    """A leave lasts {most} days at most."""


# What can be wrong with a cell of a table of turns.


class NobodyOfThatName(BadInput):
    """There is no open account of that name."""


class NotTheirSeat(BadInput):
    """This person does not hold that role there."""


class NoSeatOfRole(BadInput):
    """Nobody sits for that role; the roles are {known}."""


class TurnTwice(BadInput):
    """This person has that seat at that time already."""


class SeatTaken(BadInput):
    """{name} is the main at that seat from {begins} to {ends}."""
