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
    """When an area works from a day on: days of the week (0 is Monday) and spans of the day.

    Of an area the last row that has begun holds; of a unit's areas that of the longest prefix. A span that
    ends before it begins is a night's and belongs to the day it begins on. No spans at all: from that day on
    the area works as the one around it does.
    """

    __tablename__ = "worked_hours"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    first_day: Mapped[date] = mapped_column(primary_key=True)
    weekdays: Mapped[list] = mapped_column(JSONB)  # [0, 1, 2, 3, 4]
    spans: Mapped[list] = mapped_column(JSONB)  # [["09:00", "12:00"], ["14:00", "18:00"]]


@dataclass(frozen=True)
class CalendarCorrected:
    """The calendar of an area has changed on some days: due times counted over them are no longer right."""

    code: str
    first_day: date
    last_day: date


@dataclass(frozen=True)
class Change:
    """What becomes of a special day of an area: its (kind, name) before and after, None: it is not there."""

    day: date
    code: str
    before: tuple[str, str] | None
    after: tuple[str, str] | None

    @property
    def fate(self) -> str:
        """Whether it is added, changed or removed."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"


@dataclass(frozen=True)
class Differences:
    """What a table of days changes, by day and area."""

    rows: tuple[Change, ...]

    def count(self, fate: str) -> int:
        """Return how many days are added, changed or removed."""
        return sum(each.fate == fate for each in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        """How many days are added, changed and removed."""
        return {fate: self.count(fate) for fate in ("added", "changed", "removed")}


class NotAKind(BadInput):
    """“{kind}” is no kind of day; expected {known}."""


class DayTwice(BadInput):
    """This day stands in an earlier row with another kind."""


class EndsBeforeItBegins(BadInput):
    """The range ends before it begins."""


class RangeTooLong(BadInput):
    """A range has at most {most} days."""


class WorkedAlready(BadInput):
    """This day is worked already, so it cannot be a make-up workday."""


class BadHours(BadInput):
    """The worked hours “{text}” cannot be used; expected spans such as 09:00-12:00, 14:00-18:00 or 22:00-06:00."""


class SpansOverlap(BadInput):
    """The worked hours {first} and {second} overlap; what ends past midnight ends on the next day."""


class BadWeekdays(BadInput):
    """“{text}” are no days of the week; expected numbers from 1 (Monday) to 7 (Sunday), at least one."""


class NothingAround(BadInput):
    """Nothing lies around the whole district; give its hours."""


class BadAmount(BadInput):
    """A limit is a number above 0 and at most {most}, not “{value}”."""


class NoSuchMoment(BadInput):
    """“{value}” is no day and time of the calendar; write them as 2026-02-15 16:30."""


class UnknownDay(NotFound):
    """The calendar says nothing of {day} in the area {code}."""


class UnknownHours(NotFound):
    """The area {code} has no hours of its own that begin on {day}."""
