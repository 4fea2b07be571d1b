"""How time and lengths of time are cut, and what each number means. No session, no time of day."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from gridmgr.life.model import HOLDERS, State
from gridmgr.trend.model import Cell, Kind, Period, PeriodBackward, Place, Step
from gridmgr.words import N_

USUAL_DAYS = 30
MOST_STEPS = 370  # of one picture; a longer period is cut more coarsely
_LENGTH = {Step.DAY: 1, Step.WEEK: 7, Step.MONTH: 30}

HOURS = {"worked": (1, 2, 4, 8, 16, 40, 80), "running": (1, 2, 4, 8, 24, 72, 168, 336)}
"""The upper ends of the bars of handling time, in hours; one more bar holds what took longer."""
AGES = (1, 3, 7, 15, 30, 90)  # days
LATENESS = (1, 3, 7, 15, 30)  # days past the due time

MEASURES = ("reported", "closed", "open")
KEPT = ("in_time", "late", "free")  # closed by the due time, after it, or without one
LOOPS = ("small", "large")
CLOSERS = (*HOLDERS, "departments")

SERIES: dict[Kind, tuple[str, ...]] = {
    Kind.ACTIVITY: MEASURES,
    Kind.HANDLING: tuple(HOURS),
    Kind.AGEING: ("age_level", "age_body", "late_level", "late_body"),
    Kind.FLOW: ("cases", "moves"),
    Kind.LOOPS: ("closed",),
    Kind.LEVELS: ("closed",),
}

MEANING: dict[Kind, tuple[str, ...]] = {
    Kind.ACTIVITY: (
        N_("Reported: cases reported in the step. Closed: cases closed in it, whenever they were reported."),
        N_(
            "Open: cases reported by the end of the step and not closed by then; a reopened case counts as open."
        ),
    ),
    Kind.HANDLING: (
        N_("Of cases closed in the period: the time from acceptance to closing, suspended time included."),
        N_(
            "Worked hours are those of the working calendar of the case's own area; running hours are all hours."
        ),
        N_("Within the limit: closed by the due time, of those that have one."),
    ),
    Kind.AGEING: (
        N_("Open cases as they stand now, whenever they were reported. Age: days since the report."),
        N_("Lateness: days past the due time; the time of a suspended case stands still."),
    ),
    Kind.FLOW: (
        N_("Steps of the period that led from one state to another; what lies below the diagonal went back."),
        N_("A case that took the same way twice is one case and two steps."),
    ),
    Kind.LOOPS: (
        N_("Of cases closed in the period. Large loop: a department was at work, did a part, or was called."),
    ),
    Kind.LEVELS: (
        N_("Of cases closed in the period: the level that held them at the end; departments: a large loop."),
    ),
}
"""What is counted, as it is printed beside the picture."""

ORDER = tuple(State)  # of the axes of the flow: the order of a case's life


def period(since: date | None, until: date | None, step: str, today: date) -> Period:
    """Return what is looked at: the last 30 days unless said otherwise, in steps that fit one picture.

    Raises
    ------
    PeriodBackward
    """
    last = until or max(today, since or today)
    first = since or last - timedelta(days=USUAL_DAYS - 1)
    if first > last:
        raise PeriodBackward(since=first, until=last)
    days = (last - first).days + 1
    steps = list(Step)
    wanted = Step(step) if step in set(Step) else Step.DAY if days <= 2 * USUAL_DAYS else Step.WEEK
    fits = [each for each in steps[steps.index(wanted) :] if days / _LENGTH[each] <= MOST_STEPS]
    chosen = fits[0] if fits else Step.MONTH
    first = max(first, last - timedelta(days=_LENGTH[chosen] * MOST_STEPS))
    return Period(first, last, chosen)


def begins(day: date, step: Step) -> date:
    """Return the first day of the step a day lies in.

    >>> begins(date(2026, 9, 9), Step.WEEK)
    datetime.date(2026, 9, 7)
    """
    if step is Step.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if step is Step.WEEK else day


def after(day: date, step: Step) -> date:
    """Return the first day of the next step."""
    if step is Step.MONTH:
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return begins(day, step) + timedelta(days=_LENGTH[step])


def steps(period: Period) -> list[date]:
    """Return the first days of all steps of a period; the first and the last may be cut by its ends."""
    found, day = [], begins(period.since, period.step)
    while day <= period.until:
        found.append(day)
        day = after(day, period.step)
    return found


def bounds(period: Period, at: str | None) -> tuple[date, date]:
    """Return the first and the last day of a step inside a period, or of the whole period."""
    if at is None:
        return period.since, period.until
    day = date.fromisoformat(at)
    last = after(day, period.step) - timedelta(days=1)
    return max(day, period.since), min(last, period.until)


def bar(value: float, ends: Sequence[float]) -> int:
    """Return the number of the bar a value falls into; an end belongs to the bar above it.

    >>> [bar(each, (1, 2, 4)) for each in (0, 1, 3.9, 9)]
    [0, 1, 2, 3]
    """
    return bisect_right(ends, value)


def standing_open(
    now: dict[str, int],
    reported: dict[tuple[str, str], int],
    closed: dict[tuple[str, str], int],
    days: Sequence[str],
) -> Iterator[Cell]:
    """Yield how many stood open at the end of each step, by part, counted back from how many do now.

    `reported` and `closed` hold (step, part) → number, also of steps behind the last of `days`.
    """  # fmt: skip
    moves = {*reported, *closed}
    parts = {part for _at, part in moves} | set(now)
    for part in sorted(parts):
        mine = sorted({at for at, each in moves if each == part}, reverse=True)
        open_ones, behind = now.get(part, 0), 0
        for at in sorted(days, reverse=True):
            while behind < len(mine) and mine[behind] > at:
                key = mine[behind], part
                open_ones += closed.get(key, 0) - reported.get(key, 0)
                behind += 1
            if open_ones:
                yield Cell(Place("open", at, part), open_ones)


def total(cells: Iterable[Cell], **place: str) -> int:
    """Return the sum of the numbers at a place; what is left out counts with all its values."""
    return sum(
        cell.count
        for cell in cells
        if all(getattr(cell.place, name) == value for name, value in place.items())
    )


def parts(cells: Iterable[Cell], order: Sequence[str] = ()) -> list[str]:
    """Return the parts there are: in a given order, else the largest first."""
    sums: dict[str, int] = {}
    for cell in cells:
        sums[cell.place.part or ""] = sums.get(cell.place.part or "", 0) + cell.count
    if order:
        return [each for each in order if each in sums] + sorted(set(sums) - set(order))
    return sorted(sums, key=lambda each: (-sums[each], each))


def went_back(before: str, after: str) -> bool:
    """Tell whether a step led back in a case's life: a rework, a return, a reopening."""
    return ORDER.index(State(after)) < ORDER.index(State(before)) and State.SUSPENDED not in (before, after)
