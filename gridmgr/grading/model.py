"""Grades of micro-grids, kept week by week, and what they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base


class Grade(StrEnum):
    """How much attention a micro-grid needs."""

    RED = "red"  # 红: 重点
    YELLOW = "yellow"  # 黄: 关注
    GREEN = "green"  # 绿: 平稳


class GradedWeek(Base):
    """That the grades of a week were kept, once, with the terms they were formed by."""

    __tablename__ = "graded_week"
    __table_args__ = (CheckConstraint("extract(isodow from monday) = 1", name="monday"),)

    monday: Mapped[date] = mapped_column(primary_key=True)
    graded_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    terms: Mapped[Mapping[str, Any]] = mapped_column(JSONB)


class GridGrade(Base):
    """The grade of one micro-grid in a week, with its reasons; the database never changes it."""

    __tablename__ = "grid_grade"

    monday: Mapped[date] = mapped_column(ForeignKey("graded_week.monday"), primary_key=True)
    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    grade: Mapped[str] = mapped_column(String(8))
    points: Mapped[float]
    reasons: Mapped[list] = mapped_column(JSONB)  # Reason, as lists
    patrols: Mapped[float]  # a week


@dataclass(frozen=True)
class Signs:
    """What is known of a micro-grid: what the grade is formed from."""

    code: str
    overdue: int = 0  # open and past their due time
    repeats: int = 0  # buildings with the same matter time and again
    reports: int = 0  # in the days looked at
    households: int | None = None
    hazards: int = 0  # open and urgent
    serious: int = 0  # open and serious
    silent_days: int | None = None  # since the last report of a patrol; None: longer than anybody looks back


@dataclass(frozen=True)
class Reason:
    """Why points were given: for which sign, what was counted, and how many."""

    sign: str
    number: float
    points: float


@dataclass(frozen=True)
class Graded:
    """The grade of a micro-grid, its reasons with the weightiest first, and patrols suggested a week."""

    code: str
    grade: Grade
    points: float
    reasons: tuple[Reason, ...]
    patrols: float
    before: Grade | None = None  # the grade of the last week kept
