"""The words of trends: what kinds there are, and a number with the address of its cases."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gridmgr.errors import BadInput, NotFound


class Kind(StrEnum):
    """What a trend tells."""

    ACTIVITY = "activity"  # 上报、办结、在办: by day, week or month and class of category
    HANDLING = "handling"  # 处置时长分布: from acceptance to closing
    AGEING = "ageing"  # 在办件存续时间与超期
    FLOW = "flow"  # 状态流转
    LOOPS = "loops"  # 小闭环、大闭环
    LEVELS = "levels"  # 各级办结: 小事不出社区、大事不出街道


class Step(StrEnum):
    """How finely time is cut."""

    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"


@dataclass(frozen=True)
class Period:
    """What a trend looks at: both days are in it."""

    since: date
    until: date
    step: Step


@dataclass(frozen=True)
class Place:
    """Which number of a trend: its series, where on the axis, which part; None stands for all of them."""

    series: str
    at: str | None = None
    part: str | None = None


@dataclass(frozen=True)
class Cell:
    """One number of a trend; its place names its cases."""

    place: Place
    count: int


@dataclass(frozen=True)
class Spread:
    """How long closed cases took, in hours: how many, the middle one, nine in ten, and those within their limit."""

    unit: str  # worked or running
    cases: int
    median: float | None
    p90: float | None
    limited: int  # of these, with a due time
    within: int  # of these, closed by then


@dataclass(frozen=True)
class Trend:
    """A trend of a period: its numbers, and of handling times how they spread."""

    kind: Kind
    period: Period
    cells: tuple[Cell, ...]
    spreads: tuple[Spread, ...] = ()


class NoSuchNumber(NotFound):
    """The trend {kind} has no number {series}."""


class PeriodBackward(BadInput):
    """The period ends before it begins: {since} is later than {until}."""
