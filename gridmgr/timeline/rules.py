"""Pure decisions of a time line: its instants, how a case stands at each, what is to be seen, what units count."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise

from gridmgr.life.model import Action, State
from gridmgr.life.rules import FINAL, OPEN
from gridmgr.timeline.model import (
    MOST_STEPS,
    BackwardPeriod,
    Change,
    Passage,
    Step,
    Timeline,
    TooManySteps,
    Total,
)

LENGTH = {Step.HOUR: timedelta(hours=1), Step.DAY: timedelta(days=1), Step.WEEK: timedelta(weeks=1)}

# Steps that set a case's due time, say where it is, begin it, end it: what `life.rules.apply` does with them.
TIMING = (Action.ACCEPT, Action.REOPEN, Action.EXTEND, Action.RETIME, Action.RESUME, Action.ADOPT)
PLACING = (Action.REPORT, Action.REHOME)
BEGINNING = (Action.REPORT, Action.REOPEN)
ENDING = (Action.SETTLE, Action.CLOSE, Action.VOID, Action.MERGE)

PAUSE = timedelta(minutes=1)  # no two instants are nearer


def instants(since: datetime, until: datetime, step: Step) -> list[datetime]:
    """Return the instants of a period in its zone: its beginning, then a step each, at last its end.

    Days and weeks go by the wall clock, so each begins at the same time of day; hours by the hour.

    >>> [at.day for at in instants(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, 9, tzinfo=UTC), Step.DAY)]
    [1, 2, 3, 3]

    Raises
    ------
    BackwardPeriod, TooManySteps
    """
    if since >= until:
        raise BackwardPeriod(since=since.isoformat(), until=until.isoformat())
    many = int((until - since) / LENGTH[step]) + 1
    if many > MOST_STEPS:
        raise TooManySteps(steps=many, most=MOST_STEPS)
    zone = since.tzinfo
    begin = since.astimezone(UTC) if step is Step.HOUR else since
    found = [(begin + n * LENGTH[step]).astimezone(zone) for n in range(many)]
    kept = [at for at in found if until - at >= PAUSE]
    return [*kept, until]


def passages(rows: Iterable[tuple]) -> list[Passage]:
    """Return the steps of one case with what holds after each, as `life.rules.fold` has it.

    A row is (action, state, when it counts, when it was taken, due time, closing time, code of the unit), times in
    seconds, what the step does not tell None. A history is read in its order: no step counts before an earlier one.
    """
    due = closed = suspended = place = None
    since = float("-inf")
    found = []
    for action, state, counts, taken, told_due, told_closed, told_place in rows:
        since = max(since, counts)
        due = told_due if action in TIMING else due
        place = told_place if action in PLACING else place
        if action == Action.ADOPT:
            closed = told_closed if told_closed is not None or state not in FINAL else taken
        elif action in (*ENDING, Action.REOPEN):
            closed = None if action == Action.REOPEN else taken
        elif action in (Action.SUSPEND, Action.RESUME):
            suspended = taken if action == Action.SUSPEND else None
        found.append(Passage(since, State(state), due, suspended if closed is None else closed, place))
    return found


def begins(moments: Sequence[float], step: Step) -> float:
    """Return when the first step began: one step before the first instant."""
    return moments[0] - LENGTH[step].total_seconds()


def reported_step(moments: Sequence[float], step: Step, known: float) -> int:
    """Return the step in which a case came in: the first instant that knows it; -1 if before them all."""
    return bisect_left(moments, known) if known > begins(moments, step) else -1


def changes(moments: Sequence[float], history: Sequence[Passage]) -> Iterator[Change]:
    """Yield how a case stood, from the first instant that knew it, whenever that is another than before.

    Rule: what was recorded up to an instant holds at it. A case is late at an instant past its due time, as long
    as its time runs; once that has stopped (closed, 挂账) as it was then.

    Parameters
    ----------
    moments : sequence of float
        The instants in seconds, rising.
    history : sequence of Passage
        In the order of its rows.
    """
    last = None
    for passage, following in pairwise([*history, None]):
        first = bisect_left(moments, passage.at)
        behind = bisect_left(moments, following.at) if following else len(moments)
        for step, late in _lateness(moments, passage, first, behind):
            change = Change(step, passage.state, late, passage.place)
            if change[1:] != last:
                last = change[1:]
                yield change


def _lateness(
    moments: Sequence[float], passage: Passage, first: int, behind: int
) -> Iterator[tuple[int, bool]]:
    """Yield the steps of a span of the history from which on the case is, or is not, late."""
    if first >= behind:
        return
    if passage.due is None:
        yield first, False
    elif passage.stopped is not None:
        yield first, passage.due < passage.stopped
    else:
        turns = max(bisect_right(moments, passage.due), first)
        if turns > first:
            yield first, False
        if turns < behind:
            yield turns, True


def is_seen(found: Sequence[Change], reported: int) -> bool:
    """Tell whether a case is to be seen at any instant: it was open at one, or reported in a step."""
    return reported >= 0 or any(change.state in OPEN for change in found)


def backwards(now: int, opened: Iterable[int], ended: Iterable[int]) -> tuple[int, ...]:
    """Return how many cases were open at each instant, from how many are open now and the steps in between.

    `opened` and `ended` count what happened in each step, the last one being from the last instant until now.

    >>> backwards(5, [9, 2, 1], [9, 0, 3])
    (5, 7)
    """
    gained = [more - less for more, less in zip(opened, ended, strict=True)][1:]
    return tuple(accumulate(reversed(gained), lambda total, gain: total - gain, initial=now))[::-1][:-1]


def totals(played: Timeline) -> list[Total]:
    """Return the numbers of each instant; of cases too many to be played, without the states they were in."""
    if played.cases is None:
        units = (played.numbers or {}).values()
        return [
            Total(
                at, sum(each.reported[n] for each in units), sum(each.open[n] for each in units), None, None
            )
            for n, at in enumerate(played.instants)
        ]
    reported = Counter(case.reported for case in played.cases)
    standing: dict[int, Change] = {}
    by_step: dict[int, list[tuple[int, Change]]] = {}
    for number, case in enumerate(played.cases):
        for change in case.changes:
            by_step.setdefault(change.step, []).append((number, change))
    found, late, states = [], 0, Counter()
    for step, at in enumerate(played.instants):
        for number, change in by_step.get(step, ()):
            for sign, each in ((-1, standing.get(number)), (1, change)):
                if each and each.state in OPEN:
                    late += sign * each.late
                    states[each.state] += sign
            standing[number] = change
        found.append(Total(at, reported[step], states.total(), late, dict(+states)))
    return found
