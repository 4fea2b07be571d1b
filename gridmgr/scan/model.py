"""What a day's scan looked at and found; none of it is ever changed, and neither is who has looked at it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Date, ForeignKey, Identity, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base, Done
from gridmgr.errors import BadInput, NotFound

Instant = TIMESTAMP(timezone=True)


class Deed(StrEnum):
    """What is done about a cluster."""

    LOOK = "look"  # somebody has looked at it, and says what was found


class Scan(Base):
    """One scan: of the days up to `day`, over the units of a level, of one class of matters or of all (empty)."""

    __tablename__ = "scan"
    __table_args__ = (UniqueConstraint("day", "level", "matter"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    day: Mapped[date] = mapped_column(Date)  # the last one looked at, over when it is scanned
    level: Mapped[str] = mapped_column(String(16))
    matter: Mapped[str] = mapped_column(String(100))  # the Chinese name of a class of categories
    matter_en: Mapped[str] = mapped_column(String(100))
    first_day: Mapped[date] = mapped_column(Date)
    longest: Mapped[int] = mapped_column(SmallInteger)  # days a window may have
    most_units: Mapped[int] = mapped_column(SmallInteger)
    units: Mapped[int]
    cases: Mapped[int]
    outside: Mapped[int]  # cases that lie in no unit of the edition, and were left out
    permutations: Mapped[int]
    seed: Mapped[int] = mapped_column(BigInteger)
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"))
    stamp: Mapped[str] = mapped_column(String(32))  # of the edition's state then
    known_at: Mapped[datetime] = mapped_column(Instant)  # what was recorded by then was looked at


class Cluster(Base):
    """Neighbouring units with more cases than expected in a window that ends with the day of its scan."""

    __tablename__ = "scan_cluster"
    __table_args__ = (
        UniqueConstraint("scan_id", "rank"),
        Index("ix_scan_cluster_recurrence", "recurrence_days"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    scan_id: Mapped[int] = mapped_column(ForeignKey("scan.id"))
    rank: Mapped[int] = mapped_column(SmallInteger)  # 1 is the likeliest
    since: Mapped[date] = mapped_column(Date)  # the first day of its window
    observed: Mapped[int]
    expected: Mapped[float]
    llr: Mapped[float]  # natural logarithm of the likelihood ratio
    p: Mapped[float]
    recurrence_days: Mapped[float]
    daily: Mapped[list] = mapped_column(JSONB)  # [observed, expected] of each day from the scan's first


class ClusterUnit(Base):
    """A unit of a cluster; the first one is its centre."""

    __tablename__ = "scan_unit"

    cluster_id: Mapped[int] = mapped_column(ForeignKey("scan_cluster.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger)
    observed: Mapped[int]  # cases in the window
    cases: Mapped[int]  # cases in all days


class ClusterCase(Base):
    """A case of a cluster: in one of its units, in its window."""

    __tablename__ = "scan_case"

    cluster_id: Mapped[int] = mapped_column(ForeignKey("scan_cluster.id"), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True)


class ClusterDeed(Done, Base):
    """One thing done about a cluster; the database refuses to change or remove it."""

    __tablename__ = "scan_deed"
    __table_args__ = (UniqueConstraint("cluster_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    cluster_id: Mapped[int] = mapped_column(ForeignKey("scan_cluster.id"))
    seq: Mapped[int] = mapped_column(SmallInteger)
    note: Mapped[str] = mapped_column(String(500))


@dataclass(frozen=True)
class Found:
    """A cluster as a scan finds it, before it is stored: (code, observed, cases) of its units, its cases' ids."""

    since: date
    observed: int
    expected: float
    llr: float
    p: float
    recurrence_days: float
    daily: tuple[tuple[int, float], ...]
    units: tuple[tuple[str, int, int], ...]
    cases: tuple[int, ...]


class UnknownAlarm(NotFound):
    """There is no alarm {id}, or it lies outside your area."""


class NoteNeeded(BadInput):
    """Say what you have found, in at most {most} characters."""


class DayNotOver(BadInput):
    """The day {day} is not over yet; only whole days are scanned, up to {last}."""


class NotScanned(BadInput):
    """Level {level} is not scanned; the levels are {known}."""


class UnknownMatter(NotFound):
    """No case of the days up to {day} belongs to the class {matter}."""
