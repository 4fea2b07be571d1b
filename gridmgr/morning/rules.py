"""What counts as worse, late and unusual on the morning page, each rule beside its words. No session, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import sqrt

from gridmgr import clock
from gridmgr.account.model import Role
from gridmgr.clock import WorkingCalendar
from gridmgr.errors import NotFound
from gridmgr.words import N_

WEEKS = 4  # of the same weekday, that yesterday is compared with
FEWEST = 3  # below this nothing is unusual
BACK = 15  # days within which work has closed at least once

WORSE = {
    "overdue": N_("open, and their due time has passed since then"),
    "climbed": N_("open, and a ladder has told or called a higher level since then; reminders do not count"),
    "ordered": N_("a supervision order was issued on them since then"),
    "unheard": N_("a whistle runs, and somebody called has neither answered nor reported in"),
    "returned": N_("opened again, or failed their check, since then"),
}
LATE = {
    "soon": N_("their time runs and ends within the next four working hours"),
    "today": N_("their time runs and ends before midnight"),
}
ITEMS = WORSE | LATE
USUAL = N_(
    "Reports of the last whole day, of any state: at least {fewest}, and at least the average of the same weekday in "
    "the {weeks} weeks before plus twice its square root (of 1, if it is less)."
)

SEATS: tuple[tuple[str, tuple[Role, ...]], ...] = (
    ("street", (Role.STREET_LEADER,)),
    ("street", (Role.STREET_DISPATCHER,)),
    ("community", (Role.COMMUNITY_CLERK,)),
    ("micro_grid", (Role.GRID_MEMBER, Role.GRID_LEADER)),
)
"""The seats that somebody should sit on each day: on every unit of a level, any of these roles."""


class UnknownItem(NotFound):
    """There is no list {item} on the morning page."""


@dataclass(frozen=True)
class Unusual:
    """What was reported more than usual: a category's code or a unit's, how often, and the usual average."""

    key: str
    count: int
    average: float


def closed_at(calendar: WorkingCalendar, now: datetime) -> datetime:
    """Return when work last closed on a day before this one; where none has for long, midnight before yesterday."""
    today = clock.local(now).date()
    for back in range(1, BACK + 1):
        day = today - timedelta(days=back)
        if calendar.works_on(day) and (spans := calendar.week_of(day).spans):
            return min(clock.midnight(day) + timedelta(minutes=max(end for _, end in spans)), now)
    return clock.midnight(today, -1)


def seated_at(calendar: WorkingCalendar, now: datetime) -> datetime:
    """Return the instant seats are looked at: when work opens today, or now if it has."""
    today = clock.local(now).date()
    spans = calendar.week_of(today).spans if calendar.works_on(today) else ()
    opening = clock.midnight(today) + timedelta(minutes=min(begin for begin, _ in spans)) if spans else now
    return max(opening, now)


def compared(day: date) -> list[date]:
    """Return the days that a day is compared with, the latest first."""
    return [day - timedelta(weeks=n) for n in range(1, WEEKS + 1)]


def unusual(now: Mapping[str, int], before: Sequence[Mapping[str, int]]) -> list[Unusual]:
    """Return what is unusual among the counts of a day, beside those of days of the same kind, the most unusual first.

    Of days on which nothing at all was reported nothing is known; without any other day nothing is unusual.
    """
    known = [each for each in before if each]
    if not known:
        return []
    found = []
    for key, count in now.items():
        average = sum(each.get(key, 0) for each in known) / len(known)
        if count >= FEWEST and count >= average + 2 * sqrt(max(average, 1)):
            found.append(Unusual(key, count, average))
    return sorted(found, key=lambda each: (each.average - each.count, each.key))
