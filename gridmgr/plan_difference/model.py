"""What a comparison of plans is made of, and what can be wrong with one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from gridmgr.errors import BadInput

TODAY = "today"


class OtherGround(BadInput):
    """The plans {one} and {other} lie on different ground; only plans that share some can be compared."""


class NotComparable(BadInput):
    """A plan is compared with today or with another plan, by its number; {other} is neither."""


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two maps: its units inside the common ground, with their numbers, and what they sum up to."""

    title: str  # "" for today
    plan: int | None  # None for today
    units: gpd.GeoDataFrame  # by code: name, parent_code, geometry and all numbers
    buildings: gpd.GeoDataFrame  # by code: home and what is summed
    totals: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Difference:
    """What another map does otherwise: `was` is today or the plan compared with, `now` the plan itself."""

    was: Side
    now: Side
    ground: gpd.GeoDataFrame  # was, now, numbers and geometry: ground that would belong to another unit
    units: pd.DataFrame  # by code: name, fate, and each number on both sides (NaN: not there)
    buildings: gpd.GeoDataFrame  # by code: was, now, what is summed: those in another unit
