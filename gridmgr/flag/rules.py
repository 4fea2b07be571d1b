"""Which patterns are worth a look, by which numbers, and who may look. No session, no time of day."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from gridmgr.account.rules import PERMISSIONS, Actor
from gridmgr.flag.model import Flag, Kind, OwnFlag, ReviewNote
from gridmgr.terms.model import Term
from gridmgr.words import N_

MATTER = "flag"
NOTE_LIMIT = 2000
MOST_DAYS = 31  # that one look may go back

TERMS: dict[str, Term] = {
    "look_days": Term(N_("Days looked at each night"), 3, 1, MOST_DAYS, whole=True),
    "instant_minutes": Term(
        N_("Closed at once: within so many minutes of the report"), 5, 1, 120, whole=True
    ),
    "instant_least": Term(N_("Closed at once: so many times on a day by one person"), 3, 1, 1000, whole=True),
    "flood_least": Term(N_("Many reports: at least so many in an hour"), 10, 2, 1000, whole=True),
    "flood_times": Term(N_("Many reports: so many times the usual of the person and of others"), 3, 1, 100),
    "flood_days": Term(N_("Many reports: days the usual is taken from"), 28, 7, 180, whole=True),
    "alike_bits": Term(N_("Photos alike: so many of 64 marks may differ"), 4, 0, 16, whole=True),
    "alike_days": Term(N_("Photos alike: days looked back"), 30, 1, 180, whole=True),
    "fives_least": Term(N_("Best marks: at least so many evaluations"), 10, 3, 1000, whole=True),
    "fives_days": Term(N_("Best marks: days looked back"), 30, 7, 180, whole=True),
    "copied_least": Term(N_("Same description: on at least so many cases"), 4, 2, 1000, whole=True),
    "copied_length": Term(N_("Same description: at least so many characters"), 8, 1, 500, whole=True),
}

FINDERS: dict[Kind, str] = {kind: f"{kind.value}.sql" for kind in Kind}
"""Each pattern is one statement beside this file; it names its cases, whose they are, and what it counted."""

MEANING = (
    N_("A flag says that a pattern in the records is worth a look; it proves nothing and has no effect by itself."),
    N_("There may be good reasons: a clean-up day brings many reports, a small matter is settled at once."),
    N_("Somebody else than the person concerned looks, and writes down what was found; that stays for ever."),
)  # fmt: skip


def leading(actor: Actor) -> Actor:
    """Return an actor with those grants alone by which flags are seen."""
    return replace(actor, grants=tuple(g for g in actor.grants if g.role in PERMISSIONS["flag.view"]))


def area(homes: Sequence[str]) -> str:
    """Return the beginning that the areas of all cases have in common: who leads it may see the flag.

    >>> area(["510106001001", "510106001002"])
    '51010600100'
    """
    pairs = zip(min(homes, default=""), max(homes, default=""), strict=False)
    return "".join(first for first, _last in takewhile(lambda pair: pair[0] == pair[1], pairs))


def check_review(actor: Actor, flag: Flag, note: str) -> None:
    """Refuse a review by the person concerned, or one that says nothing.

    Raises
    ------
    OwnFlag, ReviewNote
    """
    if actor.id is not None and actor.id == flag.account_id:
        raise OwnFlag
    if not 0 < len(note.strip()) <= NOTE_LIMIT:
        raise ReviewNote(most=NOTE_LIMIT)
