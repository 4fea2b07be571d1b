"""A small chart of days, drawn as plain shapes: bars of what was, a line of what was expected."""

from collections.abc import Sequence
from dataclasses import dataclass

HIGH, STEP, GAP = 100, 16, 3  # of the drawing, in its own units


@dataclass(frozen=True)
class Bars:
    """The shapes of a chart: bars as (x, y, width, height, in the window), a line as points, its size and scale."""

    bars: tuple[tuple[float, float, float, float, bool], ...]
    line: str
    wide: int
    high: int
    most: float


def bars(observed: Sequence[float], expected: Sequence[float], window: int) -> Bars:
    """Return the chart of days in order; the last `window` of them are told apart."""
    most = max((*observed, *expected, 1))
    scale, first = HIGH / most, len(observed) - window
    shapes = tuple(
        (n * STEP + GAP / 2, round(HIGH - value * scale, 2), STEP - GAP, round(value * scale, 2), n >= first)
        for n, value in enumerate(observed)
    )
    points = " ".join(f"{(n + 0.5) * STEP:g},{HIGH - value * scale:.2f}" for n, value in enumerate(expected))
    return Bars(shapes, points, len(observed) * STEP, HIGH, most)
