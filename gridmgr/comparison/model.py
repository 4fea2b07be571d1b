"""The words of a comparison: what is counted, on which units, and what stands on each side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from gridmgr.errors import BadInput
from gridmgr.hierarchy.model import Edition


class Basis(StrEnum):
    """On which units a past period is counted, where the grids have changed since."""

    WAS = "was"  # on the units of its own day
    NOW = "now"  # every case located anew by its point, in the newest of the two maps


class Measure(StrEnum):
    """What is counted of a period, as it was known at its end."""

    REPORTED = "reported"
    CLOSED = "closed"
    OPEN = "open"
    LATE = "late"


class Period(NamedTuple):
    """From the first day to the last, both whole."""

    since: date
    until: date


@dataclass(frozen=True)
class Side:
    """One of the two: its period, its map, and what each unit (None: outside all) counts."""

    period: Period
    edition: Edition
    counts: Mapping[str | None, Mapping[Measure, int]]

    def total(self, measure: Measure) -> int:
        """Return what all units count together."""
        return sum(each[measure] for each in self.counts.values())


@dataclass(frozen=True)
class Row:
    """One unit on both sides; None where it was not there. `fate`: what became of it from one map to the other."""

    code: str | None
    name: str | None
    first: int | None
    second: int | None
    fate: str | None = None
    origin: tuple[tuple[str, float], ...] = ()  # whose ground it got, and what share of that was passed on

    @property
    def difference(self) -> int | None:
        """By how much the second is more than the first, None where one of them was not there."""
        return None if self.first is None or self.second is None else self.second - self.first

    @property
    def share(self) -> float | None:
        """The difference as a share of the first, None without one."""
        return self.difference / self.first if self.first and self.difference is not None else None


@dataclass(frozen=True)
class Comparison:
    """Two sides on one level, and their units."""

    level: str
    measure: Measure
    basis: Basis
    first: Side
    second: Side
    rows: Sequence[Row]

    @property
    def total(self) -> Row:
        """All units together."""
        return Row(None, None, self.first.total(self.measure), self.second.total(self.measure))


class EndsBeforeItBegins(BadInput):
    """A period must not end before it begins; {until} lies before {since}."""


class NotYet(BadInput):
    """A period that is compared must have begun; {since} has not come yet."""


class OneEdition(BadInput):
    """Two different editions are needed to compare; there is {known}."""
