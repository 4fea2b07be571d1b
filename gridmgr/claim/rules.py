"""Who may do what to a piece, where each deed leads, when a free place is told of. No session, no time of day."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from gridmgr.account.model import Role
from gridmgr.account.rules import LEVEL_OF, PERMISSIONS, Actor, can
from gridmgr.claim.model import (
    LONGEST,
    MOST_PLACES,
    Cutting,
    Deed,
    EndsBefore,
    NotALeader,
    NotYourCase,
    NotYourPiece,
    Part,
    Piece,
    PieceNoteMissing,
    PlacesWrong,
    Standing,
)
from gridmgr.errors import Problem
from gridmgr.incident import rules as incident
from gridmgr.incident.model import Incident

# Where a deed takes somebody's part; None is somebody who has none.
PARTS: dict[tuple[Part | None, Deed], Part] = {
    (None, Deed.CLAIM): Part.AT_WORK,
    (None, Deed.HAND): Part.AT_WORK,
    (Part.AT_WORK, Deed.GIVE_BACK): Part.GIVEN_BACK,
    (Part.AT_WORK, Deed.REPORT): Part.REPORTED,
    (Part.REPORTED, Deed.ACCEPT): Part.ACCEPTED,
    (Part.REPORTED, Deed.RETURN): Part.AT_WORK,
    (Part.AT_WORK, Deed.END): Part.ENDED,
    (Part.REPORTED, Deed.END): Part.ENDED,
}
NEEDS_NOTE = frozenset({Deed.CUT, Deed.GIVE_BACK, Deed.REPORT, Deed.RETURN, Deed.END})
OWN = frozenset({Deed.CLAIM, Deed.GIVE_BACK, Deed.REPORT})  # of whoever does the work
AUTHORS = frozenset({Deed.HAND, Deed.ACCEPT, Deed.RETURN, Deed.END})  # of whoever has cut it
LONGEST_TIME = timedelta(days=92)
NEAR = 4  # the last quarter of its time

TAKERS = PERMISSIONS["claim.take"] - {Role.ADMIN}
"""The roles whose seats count as being on duty for a piece."""
_DESKS = PERMISSIONS["claim.accept"]


def overlap(one: str, other: str) -> bool:
    """Tell whether one of two areas lies in the other: a seat around a place, or inside the area of a piece.

    >>> overlap("510106001", "510106001002"), overlap("510106001001", "510106001002")
    (True, False)
    """
    return one.startswith(other) or other.startswith(one)


def works_in(actor: Actor, code: str) -> bool:
    """Tell whether somebody may take pieces in an area at all, on duty or not."""
    return any(grant.role in TAKERS and overlap(grant.code, code) for grant in actor.grants)


def on_duty(seats: Iterable[str], code: str) -> bool:
    """Tell whether one of the seats somebody sits at is around a place, or inside the area of a piece."""
    return any(overlap(seat, code) for seat in seats)


def near_at(cut: datetime, due: datetime) -> datetime:
    """Return from when on a place that nobody has taken is told of: the last quarter of its time."""
    return due - (due - cut) / NEAR


def check(cutting: Cutting, now: datetime) -> None:
    """Return if a piece says what, for how many, and until when.

    Raises
    ------
    PieceNoteMissing, PlacesWrong, EndsBefore
    """
    check_note(Deed.CUT, cutting.what)
    if not 1 <= cutting.places <= MOST_PLACES:
        raise PlacesWrong(most=MOST_PLACES)
    if not now < cutting.until <= now + LONGEST_TIME:
        raise EndsBefore(days=LONGEST_TIME.days)


def check_note(deed: Deed, note: str) -> None:
    """Refuse a note that is missing where one is needed, or too long.

    Raises
    ------
    PieceNoteMissing
    """
    if len(note) > LONGEST or (deed in NEEDS_NOTE and not note.strip()):
        raise PieceNoteMissing(most=LONGEST)


def cutting_refused(actor: Actor, code: str, case: Incident | None) -> Problem | None:
    """Return why somebody may not cut work there; None if it is allowed.

    Of a case: the body at work, or the desk of the level that holds it. Without one: a leader of the area.
    """
    if (reason := can(actor, "claim.cut", case.home if case else code).reason) is not None:
        return reason
    home = case.home if case else code
    roles = {grant.role for grant in actor.grants if home.startswith(grant.code)} & PERMISSIONS["claim.cut"]
    if Role.ADMIN in roles:
        return None
    if case is None:
        return None if roles & set(LEVEL_OF) else NotALeader()
    held = incident.works(actor, case) or incident.holds(roles, case)
    return None if held else NotYourCase(number=case.number)


def decides(actor: Actor, piece: Piece) -> bool:
    """Tell whether somebody decides on a piece: its author, their department, or a desk of the area."""
    if actor.id is not None and actor.id == piece.cutter_id:
        return True
    roles = {grant.role for grant in actor.grants if piece.code.startswith(grant.code)}
    return bool(roles & _DESKS) or (
        piece.body is not None and piece.body in actor.bodies and bool(roles & PERMISSIONS["claim.cut"])
    )


def refusal(actor: Actor, deed: Deed, piece: Piece) -> Problem | None:
    """Return why somebody may not do this to a piece at all; how it stands is another matter."""
    if deed in AUTHORS:
        return None if decides(actor, piece) else NotYourPiece(name=piece.cutter_name)
    return can(actor, "claim.take").reason


def deeds(
    actor: Actor, piece: Piece, parts: Iterable[tuple[int, Part]], seats: Iterable[str], open_still: bool
) -> list[Deed]:
    """Return what somebody may do now to a piece: with their own part, and as who decides on it.

    `parts` are the account and state of all who hold a place, `seats` those the actor sits at now; `open_still`
    tells that its time is not over.
    """
    if piece.state != Standing.OPEN:
        return []
    held = dict(parts)
    mine = held.get(actor.id) if actor.id is not None else None
    left = open_still and piece.places > len(held)
    found = []
    if mine is None and left and can(actor, "claim.take") and on_duty(seats, piece.code):
        found.append(Deed.CLAIM)
    if mine is Part.AT_WORK:
        found += [Deed.REPORT, Deed.GIVE_BACK]
    if decides(actor, piece):
        reported = [account for account, part in held.items() if part is Part.REPORTED]
        if any(account != actor.id for account in reported):
            found.append(Deed.ACCEPT)
        if reported:
            found.append(Deed.RETURN)
        if left:
            found.append(Deed.HAND)
        found.append(Deed.END)
    return found
