"""One table for all benchmarks: what ran, ours, the peer's, how many times faster, what we aim for."""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One comparison: seconds of ours and of the peer, in turn in the same run."""

    work: str
    ours: float
    peer: float
    target: float

    @property
    def ratio(self) -> float:
        """How many times as fast as the peer we are."""
        return self.peer / self.ours

    @property
    def reached(self) -> bool:
        return self.ratio >= self.target


def in_turn(runs: Iterable[Callable[[], object]], rounds: int = 5) -> list[float]:
    """Return the median seconds of each run, taken A B C A B C …, so that a busy machine is busy for all.

    Example
    -------
    >>> quick, slow = in_turn([lambda: None, lambda: time.sleep(0.01)], rounds=3)
    >>> quick < slow
    True
    """
    runs = list(runs)
    taken = [[] for _ in runs]
    for _ in range(rounds):
        for run, seconds in zip(runs, taken, strict=True):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
    return [statistics.median(seconds) for seconds in taken]


def show(rows: Iterable[Row], title: str) -> None:
    """Print rows as a table."""
    table = Table("work", "ours", "peer", "ratio", "target", "", title=title)
    for row in rows:
        verdict = "reached" if row.reached else "missed"
        table.add_row(
            row.work,
            spell(row.ours),
            spell(row.peer),
            f"{row.ratio:.2g}x" if row.ratio < 1 else f"{row.ratio:.1f}x",
            f"{row.target:g}x",
            verdict,
        )
    Console(width=110).print(table)


def spell(seconds: float) -> str:
    """Return a duration in the unit that reads best.

    Example
    -------
    >>> spell(1.234), spell(0.0567), spell(0.00000891)
    ('1.23 s', '56.7 ms', '8.91 µs')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"
