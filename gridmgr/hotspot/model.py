"""What is found about where it hurts, each with the card that says how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd

from gridmgr.errors import BadInput


@dataclass(frozen=True)
class Found:
    """The numbers and the class of every unit of a level; `card` says how they were found.

    `units` has a row by code, with name, count and klass, and what its kind adds; lon and lat lie inside.
    """

    kind: str
    units: pd.DataFrame
    card: Mapping[str, Any]
    steps: pd.DataFrame | None = None  # of emerging hot spots: 1 hot, -1 cold, 0 neither, by period

    @property
    def classes(self) -> dict[str, int]:
        """How many units are of each class."""
        return self.units["klass"].value_counts().to_dict() if len(self.units) else {}


@dataclass(frozen=True)
class Bands:
    """The areas between even steps of a density, from the lowest; empty where nothing was reported."""

    areas: gpd.GeoDataFrame  # klass, low, high (incidents per km²), geometry in EPSG:4326
    card: Mapping[str, Any]
    kind: str = "density"


@dataclass(frozen=True)
class Case:
    """A case at a place that came back, and how many days after the one before it."""

    number: str
    reported_at: datetime
    after: float | None


@dataclass(frozen=True)
class Place:
    """A building where the same matter came up again and again."""

    building: str
    name: str
    address: str
    category: str  # code
    title: Mapping[str, str]  # by language
    count: int
    open: int
    first: datetime
    last: datetime
    between: float  # days between two cases, on average
    shortest: float  # days
    most: int  # cases within the days asked for
    lon: float | None
    lat: float | None
    cases: tuple[Case, ...] = field(default=())  # the latest ones, the latest first

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.building, self.category


@dataclass(frozen=True)
class Repeats:
    """Places that came back, the most cases first."""

    places: list[Place]
    card: Mapping[str, Any]
    kind: str = "repeat"


@dataclass(frozen=True)
class Span:
    """Periods of equal length: the day each begins on, and the day after the last one."""

    step: str
    begins: tuple[date, ...]
    until: date  # inclusive

    @property
    def since(self) -> date:
        """The first day."""
        return self.begins[0]


class UnknownStep(BadInput):
    """Periods are counted in {known}, not in {unit}."""


class TooManyPeriods(BadInput):
    """{given} periods are too many; at most {most} are looked at."""


class PeriodTooShort(BadInput):
    """{since} to {until} makes {given} periods, counted in {unit}; {needed} are needed: begin on {begin} or before."""


class RecordsTooYoung(BadInput):
    """Records begin on {begun}; up to {until} that makes {given} periods, counted in {unit}; {needed} are needed."""


class UnknownRateBase(BadInput):
    """Nothing is set against {base}; the bases are {known}."""


class NotAnAreaLevel(BadInput):
    """Hot spots are looked for among streets, communities or micro-grids, not {level}."""
