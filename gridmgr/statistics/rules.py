"""The formulas of the rates, as a table that is both computed from and printed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from gridmgr.tally.rules import WEIGHTED


@dataclass(frozen=True)
class Rate:
    """A share of counts, or a mean: what it divides, as it is printed beside the figure."""

    over: str
    under: str
    unit: str = "share"  # or hours: seconds divided by how many
    better: int = 1  # 1: more is better, -1: less is, 0: neither, there is a healthy band

    @property
    def formula(self) -> str:
        """The formula in the names of the counts."""
        return f"{self.over} ÷ {self.under}"

    def of(self, counts: Mapping[str, int]) -> float | None:
        """Return the rate from its counts, None where nothing is counted below."""
        if not counts.get(self.under) or self.over not in counts:
            return None
        return counts[self.over] / counts[self.under] / (3600 if self.unit == "hours" else 1)


# What is counted, for a period: of the incidents reported in it, as they stand.
COUNTS = {
    "reported": "reported in the period",  # 受理
    "accepted": "of these, accepted",  # 立案
    "due": "of these, whose due time has passed or that are closed",  # 应结
    "closed": "of the due ones, closed",  # 结案
    "closed_on_time": "of the due ones, closed before their due time",  # 按期
    "overdue": "of the due ones, open past their due time",
    "finished": "reported in the period and closed",
    "in_community": "of the finished ones, closed in the community, without street or department",
    "in_street": "of the finished ones, closed in the street, without department or district",
    "whistled": "of the accepted ones, those a whistle was blown on",
    "settled": "of the finished ones, settled on the spot by who found them",  # 自办自结
    "patrolled": "of the accepted ones, found on patrol",
    "dispatched": "of the accepted ones, given to a body or to the people of a unit",
    "sent_back": "of the dispatched ones, sent back at least once",
    "extended": "of the accepted ones, extended at least once",
    "paused": "of the accepted ones, suspended at least once",
    "fed_back": "of the dispatched ones, fed back at least once",
    "reworked": "of these, failed in a check at least once",
    "ended": "of all, closed at least once",
    "reopened": "of these, opened again",
    "rated": "of all, rated by who reported them",
    "satisfied": "of the rated ones, rated as satisfied",
    "called": "of all, reported by the public",
    "responded": "of the public ones, accepted within the time for a response",
    "called_due": "of the public ones, those that are due",
    "resolved": "of these, closed and never opened again",
    "timed": "of the finished ones, accepted before and not settled on the spot",
}
# Sums over the timed ones, in seconds from accepting to closing.
SUMS = {
    "running_seconds": "running time from accepting to closing, of the timed ones together",
    "worked_seconds": "worked time by the calendar of the area, of the timed ones together",
}

# Every rate of field.md §5, each with its formula.
RATES = {
    "acceptance_rate": Rate("accepted", "reported", better=0),  # 立案率
    "closing_rate": Rate("closed", "due"),  # 结案率
    "on_time_rate": Rate("closed_on_time", "due"),  # 按期结案率
    "community_rate": Rate("in_community", "finished"),  # 社区内办结率
    "street_rate": Rate("in_street", "finished"),  # 街道内办结率
    "whistle_rate": Rate("whistled", "accepted", better=0),  # 吹哨率
    "settled_rate": Rate("settled", "finished", better=0),  # 自办自结率
    "patrol_rate": Rate("patrolled", "accepted"),  # 巡查发现率
    "rework_rate": Rate("reworked", "fed_back", better=-1),  # 返工率
    "extension_rate": Rate("extended", "accepted", better=-1),  # 延期率
    "suspension_rate": Rate("paused", "accepted", better=-1),  # 挂账率
    "send_back_rate": Rate("sent_back", "dispatched", better=-1),  # 回退率
    "reopening_rate": Rate("reopened", "ended", better=-1),  # 重开率
    "response_rate": Rate("responded", "called"),  # 响应率
    "resolution_rate": Rate("resolved", "called_due"),  # 解决率
    "satisfaction_rate": Rate("satisfied", "rated"),  # 满意率
    "mean_hours": Rate("running_seconds", "timed", unit="hours", better=-1),  # 平均处置时长
    "mean_worked_hours": Rate("worked_seconds", "timed", unit="hours", better=-1),  # in working hours
}
# The three rates (三率) in one score; the weights are the district's.
SCORE = "three_rates"

# What stands side by side in one table: counts, and the rates formed from them.
TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "time": (
        ("reported", "accepted", "due", "closed", "closed_on_time", "overdue"),
        ("acceptance_rate", "closing_rate", "on_time_rate"),
    ),
    "loop": (
        ("accepted", "finished", "in_community", "in_street", "whistled", "settled", "patrolled"),
        ("community_rate", "street_rate", "whistle_rate", "settled_rate", "patrol_rate"),
    ),
    "quality": (
        (
            "accepted",
            "extended",
            "paused",
            "dispatched",
            "sent_back",
            "fed_back",
            "reworked",
            "ended",
            "reopened",
        ),
        ("extension_rate", "suspension_rate", "send_back_rate", "rework_rate", "reopening_rate"),
    ),
    "people": (
        ("called", "responded", "called_due", "resolved", "rated", "satisfied"),
        ("response_rate", "resolution_rate", "satisfaction_rate", SCORE),
    ),
    "speed": (
        ("finished", "settled", "timed"),
        ("mean_hours", "mean_worked_hours"),
    ),
}
UNITS = {name: each.unit for name, each in RATES.items()} | {SCORE: "share"}
BETTER = {name: each.better for name, each in RATES.items()} | {SCORE: 1}


def needed(counts: Iterable[str], rates: Iterable[str]) -> tuple[str, ...]:
    """Return all counts and sums that some counts and rates are made of, in the order they are printed."""
    wanted = set(counts)
    for name in rates:
        for each in WEIGHTED if name == SCORE else (name,):
            wanted |= {RATES[each].over, RATES[each].under}
    return tuple(name for name in (*COUNTS, *SUMS) if name in wanted)


def score(rates: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    """Return the three rates (三率) weighed into one, None while one that weighs anything is unknown.

    >>> score({"response_rate": 1.0, "resolution_rate": 0.5, "satisfaction_rate": None},
    ...       {"response_rate": 0.4, "resolution_rate": 0.6, "satisfaction_rate": 0.0})
    0.7
    """
    parts = [(rates.get(name), weights[name]) for name in WEIGHTED if weights[name]]
    if any(value is None for value, _weight in parts):
        return None
    return sum(value * weight for value, weight in parts)


def before(since: date, until: date) -> tuple[date, date]:
    """Return the period of the same length that ends the day before another one begins.

    >>> before(date(2026, 9, 7), date(2026, 9, 13))
    (datetime.date(2026, 8, 31), datetime.date(2026, 9, 6))
    """
    return since - (until - since) - timedelta(days=1), since - timedelta(days=1)


def ranks(values: Iterable[float | None], better: int) -> list[int | None]:
    """Return the rank of each value, 1 the best; equal ones share theirs, what has no value has none.

    >>> ranks([0.5, None, 0.9, 0.5], 1), ranks([0.5, 0.9], -1)
    ([2, None, 1, 2], [1, 2])
    """
    values = list(values)
    signed = sorted(-value if better >= 0 else value for value in values if value is not None)
    return [None if value is None else signed.index(-value if better >= 0 else value) + 1 for value in values]


def even_classes(counts: Mapping[str, int], most: int = 5) -> tuple[list[int], dict[str, int]]:
    """Return the lowest count of each class, and each key's class from 1 up, as even as ties allow.

    >>> even_classes({"a": 1, "b": 5, "c": 9}, 2)
    ([1, 5], {'a': 1, 'b': 2, 'c': 2})
    """
    if not counts:
        return [], {}
    shares = [rank / most for rank in range(most)]
    lows = np.unique(np.ceil(np.quantile(list(counts.values()), shares)).astype(int))
    ranks = np.searchsorted(lows, list(counts.values()), side="right")
    return lows.tolist(), dict(zip(counts, ranks.tolist(), strict=True))
