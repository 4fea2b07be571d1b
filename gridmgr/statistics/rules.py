"""The formulas of the rates, as a table that is both computed from and printed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rate:
    """A share of counts: what it divides, as it is printed beside the figure."""

    over: str
    under: str

    @property
    def formula(self) -> str:
        """The formula in the names of the counts."""
        return f"{self.over} ÷ {self.under}"


# What is counted, for a period: of the incidents reported in it, as they stand now.
COUNTS = {
    "reported": "reported in the period",
    "accepted": "of these, accepted",
    "due": "of these, whose due time has passed or that are closed",
    "closed": "of the due ones, closed",
    "closed_on_time": "of the due ones, closed before their due time",
    "overdue": "of the due ones, open past their due time",
    "finished": "reported in the period and closed",
    "in_community": "of the finished ones, closed in the community, without street or department",
    "in_street": "of the finished ones, closed in the street, without department or district",
    "whistled": "of the accepted ones, those a whistle was blown on",
}

RATES = {
    "acceptance_rate": Rate("accepted", "reported"),  # 立案率
    "closing_rate": Rate("closed", "due"),  # 结案率
    "on_time_rate": Rate("closed_on_time", "due"),  # 按期结案率
    "community_rate": Rate("in_community", "finished"),  # 社区内办结率
    "street_rate": Rate("in_street", "finished"),  # 街道内办结率
    "whistle_rate": Rate("whistled", "accepted"),  # 吹哨率
}

# What stands side by side in one table: counts, and the rates formed from them.
TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "time": (
        ("reported", "accepted", "due", "closed", "closed_on_time", "overdue"),
        ("acceptance_rate", "closing_rate", "on_time_rate"),
    ),
    "loop": (
        ("accepted", "finished", "in_community", "in_street", "whistled"),
        ("community_rate", "street_rate", "whistle_rate"),
    ),
}


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


def rate(name: str, counts: dict[str, int]) -> float | None:
    """Return a rate of field.md §5 from its counts, None where nothing was due.

    Rule: 结案率 = closed / due, 按期结案率 = closed in time / due.
    """
    formula = RATES[name]
    under = counts[formula.under]
    return counts[formula.over] / under if under else None
