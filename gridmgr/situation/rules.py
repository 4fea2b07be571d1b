"""How far the records have been read, so that nothing is missed of what was written meanwhile."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gridmgr.account.rules import Actor


@dataclass(frozen=True, order=True)
class Mark:
    """How far both records have been read: the last steps of cases, and the last deeds on orders."""

    steps: int = 0
    deeds: int = 0

    def __str__(self) -> str:
        return f"{self.steps}-{self.deeds}"


def mark_of(told: str) -> Mark | None:
    """Return the mark a text tells, None if it tells none.

    >>> mark_of(str(Mark(7, 2))), mark_of("x"), mark_of("1-2-3")
    (Mark(steps=7, deeds=2), None, None)
    """
    parts = told.split("-")
    fits = len(parts) == 2 and all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts)
    return Mark(*map(int, parts)) if fits else None


@dataclass(frozen=True)
class Look:
    """One look at the records: the last rows seen, the oldest transaction under way then, and the next to begin."""

    mark: Mark
    oldest: int
    following: int


def safe(looks: Iterable[Look], now: Look) -> Mark | None:
    """Return the last mark up to which everything is seen now; None if no look tells one.

    Rows get their numbers when they are written and are seen when they are committed, so a lower number may
    come after a higher one. What cannot be seen now belongs to a transaction at least as young as the oldest
    one under way; if it began after an earlier look, its rows have higher numbers than that look's last ones.

    >>> first, second = Look(Mark(10), 100, 105), Look(Mark(20), 106, 110)
    >>> safe([first, second], Look(Mark(30), 108, 120)), safe([second], Look(Mark(30), 108, 120))
    (Mark(steps=10, deeds=0), None)
    """
    return max((look.mark for look in (*looks, now) if look.following <= now.oldest), default=None)


def shared(actor: Actor) -> Actor:
    """Return what all people see who have the same roles, leaving out what each of them alone may see besides."""
    grants = tuple(sorted(set(actor.grants), key=lambda grant: (grant.code, grant.role)))
    also = tuple(sorted(actor.also))
    return replace(actor, id=None, name="", username="", language=None, grants=grants, also=also)


def sees_all(actor: Actor) -> bool:
    """Tell whether there is no case that somebody may not see."""
    return "" in actor.scope
