"""What is kept of weeks: the hours on duty, because rosters can be brought anew; all else is history anyway."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Integer, String
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base


class WeekKept(Base):
    """That the hours on duty of a week were kept, once, after it had ended."""

    __tablename__ = "week_kept"
    __table_args__ = (CheckConstraint("extract(isodow from monday) = 1", name="monday"),)

    monday: Mapped[date] = mapped_column(Date, primary_key=True)
    kept_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class WeekOnDuty(Base):
    """How long somebody was on duty in a street in a week that has ended; the database never changes it."""

    __tablename__ = "week_on_duty"

    monday: Mapped[date] = mapped_column(ForeignKey("week_kept.monday"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    street_code: Mapped[str] = mapped_column(String(32), primary_key=True)  # empty: the whole district
    seconds: Mapped[int] = mapped_column(Integer)


@dataclass(frozen=True)
class Turn:
    """A turn of duty as it is counted."""

    account: int
    seat: tuple[str, str]  # role and code
    substitute: bool
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Away:
    """That somebody was away, and who covered."""

    account: int
    cover: int | None
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Work:
    """What was done in a week, by a person or in a street."""

    key: str = ""  # the user name, or the code of the street
    name: str = ""
    body: str = ""
    reports: int = 0
    steps: int = 0
    pieces: int = 0
    met: int = 0
    missed: int = 0
    seconds: int = 0

    def __add__(self, other: "Work") -> "Work":
        return replace(
            self, reports=self.reports + other.reports, steps=self.steps + other.steps,
            pieces=self.pieces + other.pieces, met=self.met + other.met, missed=self.missed + other.missed,
            seconds=self.seconds + other.seconds,
        )  # fmt: skip

    @property
    def hours(self) -> float:
        """Hours on duty, to a tenth."""
        return round(self.seconds / 3600, 1)

    @property
    def rate(self) -> float | None:
        """The share of time limits that were met; None if none ended."""
        return self.met / (self.met + self.missed) if self.met + self.missed else None

    @property
    def idle(self) -> bool:
        """Whether there is nothing to report."""
        return not (self.reports or self.steps or self.pieces or self.met or self.missed or self.seconds)
