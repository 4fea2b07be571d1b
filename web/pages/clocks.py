"""The clocks of a case, as the fragment `fragments/clocks.html` shows them: words, and a bar with its rungs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from gridmgr.escalation import queries
from gridmgr.escalation.model import LIVE, Clock, RungClimbed
from gridmgr.incident.model import Incident
from gridmgr.policy.model import Rung
from web import i18n, words

WIDTH = 100  # of a bar, in its own units


@dataclass(frozen=True)
class ShownRung:
    """A rung: when it is due, where it stands on the bar, and the row that says it was climbed."""

    rung: Rung
    at: datetime
    x: float
    climbed: RungClimbed | None
    waits_until: datetime | None  # somebody comes on duty


@dataclass(frozen=True)
class ShownClock:
    """A clock in words, and its bar: how far it has come, and where the limit and the rungs are."""

    clock: Clock
    title: str
    limit: str
    left: timedelta  # below zero when it is late
    x: float
    limit_x: float
    rungs: list[ShownRung]

    @property
    def live(self) -> bool:
        """Whether it runs or stands still."""
        return self.clock.state in LIVE


def values(session: Session, incident: Incident) -> dict[str, Any]:
    """Return what the fragment shows: the live clocks first, then those that have ended."""
    found = queries.of_case(session, incident.id)
    climbs, used = queries.climbs(session, found), queries.used(session, found)
    shown = [_shown(each, climbs.get(each.id, []), used[each.id]) for each in found]
    return {"clocks": sorted(shown, key=lambda each: not each.live)}


def _shown(clock: Clock, climbs: list[RungClimbed], used: timedelta) -> ShownClock:
    allowed = clock.allowed or timedelta(seconds=1)
    longest = max([1.0, used / allowed, *(rung.share for rung in clock.ladder)])
    climbed = {row.rung: row for row in climbs}
    rungs = [
        ShownRung(
            rung, at, round(WIDTH * rung.share / longest, 1), climbed.get(n),
            clock.waits_until if n == clock.next_rung else None,
        )
        for n, (rung, at) in enumerate(zip(clock.ladder, clock.rung_times, strict=True))
    ]  # fmt: skip
    x, limit_x = (round(WIDTH * share / longest, 1) for share in (min(used / allowed, longest), 1.0))
    return ShownClock(clock, title(clock), length(clock), clock.allowed - used, x, limit_x, rungs)


def title(clock: Clock) -> str:
    """Return what a clock is called: its stage, or the name of its further limit."""
    name = clock.policy.get(i18n.language.get()) or clock.policy.get("zh")
    return name or words.word(words.STAGES, clock.stage)


def length(clock: Clock) -> str:
    """Return the limit of a clock in words, empty if another system has set its due time."""
    return words.limit(clock.amount, clock.unit) if clock.amount else ""
