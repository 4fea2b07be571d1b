"""The words of a time line: how far one step goes, what is played, and what cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from gridmgr.errors import BadInput
from gridmgr.life.model import State

MOST_STEPS = 1000  # in one time line
MOST_CASES = 20_000  # that a page plays one by one; of more only the numbers are shown


class Step(StrEnum):
    """How far the slider goes at once."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


class Passage(NamedTuple):
    """One row of a case's history as far as a time line asks: seconds since 1970, and how it stood after it."""

    at: float
    state: State
    due: float | None  # its due time after the row
    stopped: float | None  # when its time stopped: closed, or suspended; None while it runs
    place: str | None  # the code of the unit that held it


class Change(NamedTuple):
    """From this step on a case stands so."""

    step: int
    state: State
    late: bool
    place: str | None


@dataclass(frozen=True)
class Played:
    """One case of a time line: where it is, the step in which it was reported (-1: before), how it stood when."""

    number: str
    lon: float
    lat: float
    category_id: int
    reported: int
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Numbers:
    """What a unit counts at each step, where the cases are too many to be played one by one."""

    reported: tuple[int, ...]
    open: tuple[int, ...]


@dataclass(frozen=True)
class Timeline:
    """A period played again; without cases where they were too many, then by numbers of units alone."""

    level: str
    step: Step
    instants: Sequence[datetime]
    editions: Sequence[tuple[int, str]]  # from this step on, the map of that stamp
    total: int  # cases found
    cases: Sequence[Played] | None
    numbers: dict[str, Numbers] | None


@dataclass(frozen=True)
class Total:
    """The numbers of one instant: reported in its step, open then, and of these late, and in which states."""

    at: datetime
    reported: int
    open: int
    late: int | None
    states: dict[State, int] | None


class BackwardPeriod(BadInput):
    """The period must end after it begins; {since} is not before {until}."""


class TooManySteps(BadInput):
    """That would be {steps} steps; at most {most} can be played. Choose a shorter period or a longer step."""
