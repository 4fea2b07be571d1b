"""Who may see whose position, and how long it holds. Pure: no session, no clock."""

from dataclasses import replace
from datetime import datetime, timedelta

from gridmgr.account.rules import PERMISSIONS, Actor

KEPT = timedelta(hours=12)  # after which a position is forgotten
FRESH = timedelta(minutes=30)  # after which it is shown pale: who knows where that person is by now
EVERY = timedelta(minutes=1)  # how often an open page sends it


def watching(actor: Actor) -> Actor:
    """Return the actor with those grants alone that let see where people are.

    Whoever leads one street and works in another sees the people of the first.
    """
    seeing = PERMISSIONS["position.view"]
    return replace(actor, grants=tuple(grant for grant in actor.grants if grant.role in seeing))


def is_pale(sent_at: datetime, now: datetime) -> bool:
    """Tell whether a position is so old that it says little."""
    return now - sent_at > FRESH


def forgotten_before(now: datetime) -> datetime:
    """Return the instant before which nothing that was sent is kept."""
    return now - KEPT
