"""Which days are scanned and how, and what a cluster must be to raise an alarm. No session, no time of day."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd

from gis.scan import Zones, prospective
from gridmgr.scan.model import DayNotOver, Found, NoteNeeded, NotScanned
from gridmgr.words import N_

LEVELS = ("micro_grid", "community")
EVERYTHING = ""  # the scan of all matters together
EVERY_MATTER = {"category_zh": "各类事项", "category_en": "matters of all classes"}
PERIOD, LONGEST = 30, 7  # days looked back on, and the longest window, as in the method's own study
BEGINS = time(5, 30)  # on the district's clock: when the day before is scanned
LONGEST_NOTE = 500
CARD = (
    N_("Method: prospective space-time permutation scan (Kulldorff et al. 2005)."),
    N_("How to read it: chance alone brings a cluster as strong about once in the days of its recurrence interval."),
    N_("Several scans run each day, one a class of matters and one of all: together they err as often as their sum."),
    N_("What is always so in a place, or everywhere at that time, raises no alarm; a change of reporting does."),
    N_("What it cannot say: why; whether more happened or only more was reported; who is to blame."),
)  # fmt: skip


def last_day(local: datetime) -> date:
    """Return the last day that is due to be scanned at an instant on the district's clock."""
    return local.date() - timedelta(days=1 if local.time() >= BEGINS else 2)


def check(day: date, level: str, today: date) -> None:
    """Refuse a day that is not over, and a level that is not scanned.

    Raises
    ------
    DayNotOver, NotScanned
    """
    if day >= today:
        raise DayNotOver(day=day, last=today - timedelta(days=1))
    if level not in LEVELS:
        raise NotScanned(level=level, known=", ".join(LEVELS))


def first_day(day: date) -> date:
    """Return the first day of a scan whose last day is `day`."""
    return day - timedelta(days=PERIOD - 1)


def days(begins: date) -> list[date]:
    """Return the days of a scan that begins with a day."""
    return [begins + timedelta(days=n) for n in range(PERIOD)]


def seed(day: date) -> int:
    """Return what the permutations of a day are drawn from: the same for ever."""
    return day.toordinal()


def check_note(note: str) -> None:
    """Refuse a note that is missing or too long.

    Raises
    ------
    NoteNeeded
    """
    if not 0 < len(note) <= LONGEST_NOTE:
        raise NoteNeeded(most=LONGEST_NOTE)


def find(zones: Zones, cases: pd.DataFrame, day: date, permutations: int) -> list[Found]:
    """Return the clusters of a day among `cases` (id, unit, period), the likeliest first."""
    rows = prospective(
        zones, cases, PERIOD, longest=LONGEST, permutations=permutations, seed=seed(day)
    ).itertuples()
    a_day = np.bincount(cases["period"], minlength=PERIOD) if len(cases) else np.zeros(PERIOD)
    return [_found(row, cases, a_day, first_day(day)) for row in rows]


def _found(row, cases: pd.DataFrame, a_day: np.ndarray, begins: date) -> Found:
    inside = cases[cases["unit"].isin(row.units)]
    lately = inside[inside["period"] >= row.first]
    total, late = inside["unit"].value_counts(), lately["unit"].value_counts()
    own = np.bincount(inside["period"], minlength=PERIOD)
    expected = len(inside) * a_day / len(cases)
    return Found(
        since=begins + timedelta(days=int(row.first)), observed=int(row.observed), expected=float(row.expected),
        llr=float(row.llr), p=float(row.p), recurrence_days=float(row.recurrence),
        daily=tuple((int(o), round(float(e), 3)) for o, e in zip(own, expected, strict=True)),
        units=tuple((code, int(late.get(code, 0)), int(total.get(code, 0))) for code in row.units),
        cases=tuple(int(each) for each in lately["id"]),
    )  # fmt: skip


def streets(codes: Sequence[str], known: Iterable[str]) -> list[str]:
    """Return those of the known streets whose units these are."""
    return [street for street in known if any(code.startswith(street) for code in codes)]
