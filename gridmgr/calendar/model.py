"""Days that differ from the week, and the hours that are worked, each for an area or for all."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, NotFound


class DayKind(StrEnum):
    """Why a day differs from the week."""

    HOLIDAY = "holiday"  # 放假
    MAKEUP = "makeup"  # 调休上班


class SpecialDay(Base):
    """A day that is not worked though the week says so, or the other way round; `code` empty: everywhere."""

    __tablename__ = "special_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32), primary_key=True)  # the beginning of the units' codes
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))


class WorkedHours(Base):
    """When an area works: days of the week (0 is Monday) and spans of the day; the longest prefix wins."""

    __tablename__ = "worked_hours"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    weekdays: Mapped[list] = mapped_column(JSONB)  # [0, 1, 2, 3, 4]
    spans: Mapped[list] = mapped_column(JSONB)  # [["09:00", "12:00"], ["14:00", "18:00"]]


@dataclass(frozen=True)
class CalendarCorrected:
    """The calendar of an area has changed: due times counted by it are no longer right."""

    code: str


@dataclass(frozen=True)
class Differences:
    """What a table of days changes: days with their kind and name before (None: not there) and after."""

    added: int
    changed: int
    removed: int
    rows: tuple[tuple[date, str, str | None, str | None], ...]  # day, area, before, after


class NotAKind(BadInput):
    """“{kind}” is no kind of day; expected {known}."""


class DayTwice(BadInput):
    """This day stands in an earlier row with another kind."""


class EndsBeforeItBegins(BadInput):
    """The range ends before it begins."""


class RangeTooLong(BadInput):
    """A range has at most {most} days."""


class WorkedAlready(BadInput):
    """The week works on this day already, so it cannot be a make-up workday."""


class BadHours(BadInput):
    """The worked hours “{text}” cannot be used; expected spans in order such as 09:00-12:00, 14:00-18:00."""


class NoWeekdays(BadInput):
    """At least one day of the week must be worked."""


class UnknownDay(NotFound):
    """The calendar says nothing of {day} in the area {code}."""


class UnknownHours(NotFound):
    """The area {code} has no hours of its own."""
