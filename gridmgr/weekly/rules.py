"""Which week a day belongs to, how long people were on duty, who sees whose week. No session, no time of day."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from gridmgr.account.rules import PERMISSIONS, Actor
from gridmgr.weekly.model import Away, Turn
from gridmgr.words import N_

Span = tuple[datetime, datetime]

FORMULAS = {
    "reports": N_("Reports = cases reported in the week."),
    "steps": N_("Steps = all other steps of cases that were taken in the week."),
    "pieces": N_("Pieces done = pieces of work accepted as done in the week, whoever did them."),
    "met": N_("Limits met = time limits that a step of the week ended in time; missed: ended too late."),
    "rate": N_("Met = limits met ÷ (limits met + limits missed)."),
    "hours": N_(
        "Hours on duty = hours of turns in rosters without leave, with those covered for others; a substitute's "
        "hours count while no main sits there; nobody is counted twice at a time."
    ),
    "week": N_(
        "A week is Monday to Sunday of the district's clock. A record counts in the week it was entered in, so "
        "that the numbers of a week that has ended stay the same for ever."
    ),
}
"""What each number means, as it is printed beside it."""


def monday_of(day: date) -> date:
    """Return the Monday of the week of a day."""
    return day - timedelta(days=day.weekday())


def leading(actor: Actor) -> Actor:
    """Return an actor with those grants alone by which others' weeks are seen: those of leaders."""
    return replace(actor, grants=tuple(g for g in actor.grants if g.role in PERMISSIONS["weekly.lead"]))


def on_duty(
    turns: Iterable[Turn], leaves: Iterable[Away], begin: datetime, end: datetime
) -> dict[tuple, int]:
    """Return how many seconds people were on duty at seats between two instants, as (account, seat) → seconds.

    Whoever is away is not; who covers is, instead. A substitute is while no main sits there. A moment at two
    seats counts at the first of them by code.
    """
    away = list(leaves)
    found: dict[tuple[str, str], list[tuple[int, Span]]] = {}
    kept = [turn for turn in turns if turn.begins < end and turn.ends > begin]
    for substitute in (False, True):
        for turn in (each for each in kept if each.substitute is substitute):
            spans = _present(turn, away, (max(turn.begins, begin), min(turn.ends, end)))
            if substitute:
                mains = [span for _, span in found.get((*turn.seat, False), ())]
                spans = [(who, part) for who, span in spans for part in minus([span], mains)]
            found.setdefault((*turn.seat, substitute), []).extend(spans)
    return _counted(found)


def _present(turn: Turn, leaves: Sequence[Away], whole: Span) -> list[tuple[int, Span]]:
    """Return who sits during a turn: its holder, or whoever covers."""
    own = [each for each in leaves if each.account == turn.account]
    gone = [(each.begins, each.ends) for each in own]
    present = [(turn.account, span) for span in minus([whole], gone)]
    for each in own:
        begin, end = max(each.begins, whole[0]), min(each.ends, whole[1])
        if each.cover is not None and begin < end:
            present.append((each.cover, (begin, end)))
    return present


def _counted(found: dict[tuple, list[tuple[int, Span]]]) -> dict[tuple, int]:
    counted: dict[tuple, int] = {}
    before: dict[int, list[Span]] = {}
    for role, code, substitute in sorted(found, key=lambda seat: (seat[1], seat[0], seat[2])):
        for who, span in sorted(found[role, code, substitute], key=lambda each: each[1]):
            fresh = minus([span], before.get(who, []))
            before.setdefault(who, []).extend(fresh)
            seconds = int(sum((end - begin).total_seconds() for begin, end in fresh))
            if seconds:
                counted[who, (role, code)] = counted.get((who, (role, code)), 0) + seconds
    return counted


def minus(spans: Iterable[Span], gone: Iterable[Span]) -> list[Span]:
    """Return what is left of stretches of time without others."""
    left = list(spans)
    for begin, end in gone:
        left = [
            part
            for first, last in left
            for part in ((first, min(last, begin)), (max(first, end), last))
            if part[0] < part[1]
        ]
    return left
