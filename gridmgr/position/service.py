"""Verbs of positions: share, send, stop, forget. They never commit."""

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis.datum import to_wgs84
from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.duty import queries as duty
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COVERAGES, NoEdition
from gridmgr.position import queries, rules
from gridmgr.position.model import NotShared, OffDuty, Position

NEAR_M = 1000.0  # so far outside somebody is still said to be at the edge of an area
NOWHERE = {"sent_at": None, "geom": None, "accuracy_m": None, "code": None}


def share(session: Session, actor: Actor) -> Position:
    """Let the own position be shared while on duty; nothing is known before it is sent.

    Raises
    ------
    NotGranted
    """
    require(actor, "position.share")
    row = {"account_id": actor.id, "since": clock.now()}
    session.execute(insert(Position).values(row).on_conflict_do_nothing())
    return queries.shared(session, actor)


def stop(session: Session, actor: Actor) -> None:
    """Share the own position no longer; the last one is forgotten at once."""
    session.execute(delete(Position).where(Position.account_id == actor.id))


def send(
    session: Session, actor: Actor, lon: float, lat: float, datum: str, accuracy_m: float | None = None
) -> Position:
    """Take the place where somebody is now instead of the one before.

    Raises
    ------
    NotGranted
    NotShared
        The switch is off.
    OffDuty
    UndeclaredDatum, UnknownDatum
    """
    require(actor, "position.share")
    own = session.get(Position, actor.id, with_for_update=True)
    if own is None:
        raise NotShared
    if actor.id not in duty.seats(session).people:
        raise OffDuty
    place = [float(part[0]) for part in to_wgs84([lon], [lat], datum)]
    own.sent_at, own.accuracy_m, own.code = clock.now(), accuracy_m, _around(session, *place)
    own.geom = "SRID=4326;POINT({!r} {!r})".format(*place)
    session.flush()
    return own


def _around(session: Session, lon: float, lat: float) -> str | None:
    """Return the lowest area that holds a place; None far outside, or before the first import."""
    try:
        found = hierarchy.locator(session).one(lon, lat, NEAR_M)
    except NoEdition:
        return None
    return next((code for level in reversed(COVERAGES) if (code := getattr(found, level))), None)


def forget_old(session: Session) -> int:
    """Forget every position that was sent too long ago; returns how many."""
    old = Position.sent_at <= rules.forgotten_before(clock.now())
    return session.execute(update(Position).where(old).values(NOWHERE)).rowcount
