"""Pieces of work as cards show them: who has taken them, what is left, and what may be done now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.claim import queries, rules
from gridmgr.claim.model import ClaimDeed, Deed, Part, Piece, PieceClaim, Standing
from gridmgr.incident.model import Incident, NoPlace

NOTHING_YET = {
    "what": "",
    "code": "",
    "place": "",
    "until": "",
    "places": "1",
    "lon": "",
    "lat": "",
    "number": "",
}


@dataclass(frozen=True)
class Card:
    """One piece as somebody sees it."""

    piece: Piece
    number: str | None
    parts: list[PieceClaim]
    deeds: list[Deed]
    done: list[ClaimDeed]  # of whoever has reported, what was said and shown last comes last
    late: bool
    mine: Part | None
    metres: float | None

    @property
    def left(self) -> int:
        """How many places are free."""
        return max(self.piece.places - len(self.parts), 0)

    @property
    def accepted(self) -> int:
        """How many have done it."""
        return sum(each.state == Part.ACCEPTED for each in self.parts)

    def word_of(self, claim: PieceClaim) -> ClaimDeed | None:
        """Return what somebody has reported last."""
        own = (each for each in reversed(self.done) if each.doer_id == claim.account_id)
        return next((each for each in own if each.deed == Deed.REPORT), None)


def cards(
    session: Session, actor: Actor, pieces: Sequence[Piece], away: Mapping[int, float] | None = None
) -> list[Card]:
    """Return pieces as cards, in their order."""
    ids = [each.id for each in pieces]
    held, numbers = queries.held(session, ids), queries.numbers(session, pieces)
    done, seats, now = queries.deeds(session, ids), queries.seats_of(session, actor.id), clock.now()
    found = []
    for each in pieces:
        parts = held.get(each.id, [])
        standing = {one.account_id: Part(one.state) for one in parts}
        deeds = rules.deeds(actor, each, standing.items(), seats, each.due_at > now)
        late = each.state == Standing.OPEN and each.due_at <= now
        found.append(
            Card(
                each, numbers.get(each.incident_id), parts, deeds, done.get(each.id, []), late,
                standing.get(actor.id), (away or {}).get(each.id),
            )
        )  # fmt: skip
    return found


def values(session: Session, actor: Actor, case: Incident) -> dict[str, Any]:
    """Return what the section of a case's page shows: its pieces, and whether more may be cut."""
    found = cards(session, actor, queries.of_case(session, case.id))
    refused = rules.cutting_refused(actor, case.home, case) is not None or case.closed_at is not None
    return {
        "pieces": found, "may_cut": not refused,
        "open_pieces": sum(each.piece.state == Standing.OPEN for each in found),
        "until_usually": usually(clock.now()),
    }  # fmt: skip


def usually(now: datetime) -> str:
    """Return until when a piece usually runs, as a form's field wants it: tomorrow at this full hour."""
    return f"{clock.local(now + timedelta(days=1)):%Y-%m-%dT%H:00}"


def point(lon: str, lat: str) -> tuple[float, float]:
    """Return a typed place (WGS-84).

    Raises
    ------
    NoPlace
    """
    try:
        found = float(lon), float(lat)
    except ValueError:
        raise NoPlace(lon=lon[:20], lat=lat[:20]) from None
    if not (abs(found[0]) <= 180 and abs(found[1]) <= 90):  # refuses what is no number, too
        raise NoPlace(lon=lon[:20], lat=lat[:20])
    return found
