"""What hot spots are looked for by: periods, bases of rates, classes, and the cards of the methods."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from gis.emerging import LEAST
from gridmgr.hotspot.model import (
    PeriodTooShort,
    RecordsTooYoung,
    Span,
    TooManyPeriods,
    UnknownRateBase,
    UnknownStep,
)
from gridmgr.words.methods import PERIODS

STEPS = {"day": 1, "week": 7}  # days
USUAL = {"day": 30, "week": 12}  # periods, where no first day is given
MOST_PERIODS = 400
REPEAT_LEAST, REPEAT_DAYS = 3, 30
LATEST = 3  # cases named with a place that came back
BANDWIDTH, BANDWIDTHS = 300, (100, 200, 300, 500, 800, 1200, 2000)  # metres


@dataclass(frozen=True)
class RateBase:
    """What cases are set against."""

    per: float  # of its unit of measure, so that the rate is a number one can say
    minimum: float  # below it there is too little to say anything


BASES = {
    "households": RateBase(100, 30),
    "area": RateBase(1, 0.01),
    "hours": RateBase(100, 8),
}
FEW, UNKNOWN = "few", "unknown"
RATE_CLASSES = ("1", "2", "3", "4", "5", FEW, UNKNOWN)


def spans(
    step: str, since: date | None, until: date | None, today: date, number: int | None = None, begun: date | None = None
) -> Span:  # fmt: skip
    """Return the periods asked for, up to the last day that is over; what is left over at the beginning is cut off.

    None begins before there are records (`begun`): a place would look as if it had become hot on that day.

    Raises
    ------
    UnknownStep, TooManyPeriods
    PeriodTooShort, RecordsTooYoung
        There are fewer whole periods than a class needs.
    """
    if step not in STEPS:
        raise UnknownStep(unit=step, known=", ".join(STEPS))
    days, yesterday = STEPS[step], today - timedelta(days=1)
    last = min(until or yesterday, yesterday)  # a day under way would look cold
    if since is not None:
        number = max(((last - since).days + 1) // days, 0)
    number = USUAL[step] if number is None else number
    recorded = number if begun is None else max(((last - begun).days + 1) // days, 0)
    if recorded < LEAST <= number:
        raise RecordsTooYoung(begun=begun, until=last, given=recorded, unit=PERIODS[step], needed=LEAST)
    number = min(number, recorded)
    if number > MOST_PERIODS:
        raise TooManyPeriods(given=number, most=MOST_PERIODS)
    if number < LEAST:
        begin = last - timedelta(days=days * LEAST - 1)
        first = since or last - timedelta(days=days * number - 1)
        raise PeriodTooShort(
            since=first, until=last, given=number, unit=PERIODS[step], needed=LEAST, begin=begin
        )
    begins = (last - timedelta(days=days * n - 1) for n in range(number, 0, -1))
    return Span(step, tuple(begins), last)


def base_of(name: str) -> RateBase:
    """Return what cases are set against.

    Raises
    ------
    UnknownRateBase
    """
    if name not in BASES:
        raise UnknownRateBase(base=name, known=", ".join(BASES))
    return BASES[name]


def rate_classes(smoothed: pd.Series, few: pd.Series) -> pd.Series:
    """Return five even classes of rates, "few" where the base is too small or 0, "unknown" where it is not known.

    >>> rate_classes(pd.Series([0.1, 0.2, 0.9, np.nan]), pd.Series([False, False, True, False])).tolist()
    ['3', '5', 'few', 'unknown']
    """
    said = smoothed[smoothed.notna() & ~few]
    fifth = np.ceil(said.rank(pct=True) * 5).astype(int).astype(str)
    return fifth.reindex(smoothed.index).mask(smoothed.isna(), UNKNOWN).mask(few, FEW)


def held(hours: Iterable[tuple[str, int]], codes: Iterable[str]) -> dict[str, float]:
    """Return the hours at seats of the units, or of areas inside them, from (code, seconds).

    Seats of an area larger than the unit are left out: where in it the time was spent is not known.

    >>> held([("330104001", 3600), ("330104001001", 7200)], ["330104001001", "330104001002"])
    {'330104001001': 2.0}
    """
    units = set(codes)
    lengths = sorted({len(code) for code in units}, reverse=True)
    found: dict[str, float] = {}
    for code, seconds in hours:
        unit = next((code[:n] for n in lengths if len(code) >= n and code[:n] in units), None)
        if unit is not None:
            found[unit] = found.get(unit, 0.0) + seconds / 3600
    return found
