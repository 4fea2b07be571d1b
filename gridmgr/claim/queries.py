"""Reads of pieces of work; every one starts from those an actor may see."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from geoalchemy2 import Geography
from geoalchemy2.functions import ST_X, ST_Y, ST_Distance, ST_DWithin, ST_MakePoint, ST_SetSRID
from sqlalchemy import ColumnElement, Select, cast, func, literal, or_, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.claim import rules
from gridmgr.claim.model import (
    HELD,
    ClaimDeed,
    Part,
    Piece,
    PieceClaim,
    PieceFile,
    Standing,
    UnknownPiece,
)
from gridmgr.duty import queries as duty
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COVERAGES, GridUnit
from gridmgr.incident.model import Incident

REACH_M = 20_000  # what is farther away is not near


@dataclass(frozen=True)
class Search:
    """What a list of pieces is narrowed to; every field may be absent."""

    state: Standing | None = None
    free: bool = False  # a place is left, and time
    taken_by: int | None = None  # somebody is at work on it, or waits for its acceptance
    cut_by: int | None = None
    late: bool = False  # open past its time
    area: str = ""


def _taken() -> ColumnElement[int]:
    """Return how many places of a piece are taken, as a part of a statement."""
    held = select(func.count()).where(PieceClaim.piece_id == Piece.id, PieceClaim.state.in_(HELD))
    return held.correlate(Piece).scalar_subquery()


def free() -> ColumnElement[bool]:
    """Return the SQL condition that somebody may still take a piece."""
    return (Piece.state == Standing.OPEN) & (Piece.due_at > clock.now()) & (_taken() < Piece.places)


def visible(actor: Actor) -> Select:
    """Return the statement of the pieces at places in the actor's scope or around it, and of the actor's own."""
    above = [func.starts_with(literal(prefix), Piece.code) for prefix in actor.scope]
    mine: list[ColumnElement[bool]] = []
    if actor.id is not None:
        held = select(PieceClaim.id).where(PieceClaim.piece_id == Piece.id, PieceClaim.account_id == actor.id)
        mine = [Piece.cutter_id == actor.id, held.exists()]
    return select(Piece).where(or_(visible_to(actor, Piece.code), *above, *mine))


def _found(actor: Actor, search: Search) -> Select:
    asked = visible(actor)
    if search.state:
        asked = asked.where(Piece.state == search.state)
    if search.free:
        asked = asked.where(free())
    if search.taken_by is not None:
        held = select(PieceClaim.piece_id).where(
            PieceClaim.account_id == search.taken_by, PieceClaim.state.in_((Part.AT_WORK, Part.REPORTED))
        )
        asked = asked.where(Piece.id.in_(held))
    if search.cut_by is not None:
        asked = asked.where(Piece.cutter_id == search.cut_by)
    if search.late:
        asked = asked.where(Piece.state == Standing.OPEN, Piece.due_at <= clock.now())
    if search.area:
        asked = asked.where(Piece.code.startswith(search.area, autoescape=True))
    return asked


def page(session: Session, actor: Actor, search: Search, size: int, before: int | None = None) -> list[Piece]:
    """Return one page of pieces, the newest first, going on after the piece `before`."""
    asked = _found(actor, search)
    if before is not None:
        asked = asked.where(Piece.id < before)
    return list(session.scalars(asked.order_by(Piece.id.desc()).limit(size)))


def near(
    session: Session, actor: Actor, lon: float, lat: float, search: Search, size: int = 200
) -> list[tuple[Piece, float]]:
    """Return pieces within 20 km of a place (WGS-84) with their distance in metres, the nearest first."""
    here = cast(ST_SetSRID(ST_MakePoint(lon, lat), 4326), Geography)
    there = cast(Piece.geom, Geography)
    asked = _found(actor, search).where(Piece.geom.is_not(None), ST_DWithin(there, here, REACH_M))
    away = ST_Distance(there, here)
    rows = session.execute(asked.add_columns(away).order_by(away, Piece.id).limit(size))
    return [(piece, float(metres)) for piece, metres in rows]


def piece(session: Session, actor: Actor, piece_id: int) -> Piece:
    """Return one piece.

    Raises
    ------
    UnknownPiece
    """
    found = session.scalar(visible(actor).where(Piece.id == piece_id))
    if found is None:
        raise UnknownPiece(id=piece_id)
    return found


def locked(session: Session, actor: Actor, piece_id: int) -> Piece:
    """Return one piece, locked until the transaction ends: its places are counted by one at a time.

    Raises
    ------
    UnknownPiece
    """
    asked = visible(actor).where(Piece.id == piece_id).with_for_update(key_share=True)
    found = session.scalar(asked.execution_options(populate_existing=True))
    if found is None:
        raise UnknownPiece(id=piece_id)
    return found


def of_case(session: Session, incident_id: int) -> list[Piece]:
    """Return the pieces of a case, the oldest first."""
    return list(session.scalars(select(Piece).where(Piece.incident_id == incident_id).order_by(Piece.id)))


def open_of_case(session: Session, incident_id: int) -> int:
    """Return how many pieces of a case are not finished."""
    asked = select(func.count()).where(Piece.incident_id == incident_id, Piece.state == Standing.OPEN)
    return session.scalar(asked)


def held(session: Session, pieces: Iterable[int]) -> dict[int, list[PieceClaim]]:
    """Return who holds a place of which piece, in the order they took it."""
    asked = select(PieceClaim).where(PieceClaim.piece_id.in_(list(pieces)), PieceClaim.state.in_(HELD))
    found: dict[int, list[PieceClaim]] = {}
    for each in session.scalars(asked.order_by(PieceClaim.taken_at, PieceClaim.id)):
        found.setdefault(each.piece_id, []).append(each)
    return found


def in_hand(session: Session, account_id: int) -> int:
    """Return how many pieces somebody is at work on."""
    asked = select(func.count()).where(PieceClaim.account_id == account_id, PieceClaim.state == Part.AT_WORK)
    return session.scalar(asked)


def deeds(session: Session, pieces: Sequence[int]) -> dict[int, list[ClaimDeed]]:
    """Return what was done to pieces, in order."""
    asked = select(ClaimDeed).where(ClaimDeed.piece_id.in_(pieces))
    found: dict[int, list[ClaimDeed]] = {}
    for each in session.scalars(asked.order_by(ClaimDeed.piece_id, ClaimDeed.seq)):
        found.setdefault(each.piece_id, []).append(each)
    return found


def numbers(session: Session, pieces: Iterable[Piece]) -> dict[int, str]:
    """Return the numbers of the cases of pieces, by the ids of the cases."""
    ids = {each.incident_id for each in pieces if each.incident_id}
    if not ids:
        return {}
    return dict(session.execute(select(Incident.id, Incident.number).where(Incident.id.in_(ids))).all())


def points(session: Session, pieces: Iterable[int]) -> dict[int, tuple[float, float]]:
    """Return the longitude and latitude (WGS-84) of those pieces that have a point."""
    asked = select(Piece.id, ST_X(Piece.geom), ST_Y(Piece.geom)).where(
        Piece.id.in_(list(pieces)), Piece.geom.is_not(None)
    )
    return {piece_id: (lon, lat) for piece_id, lon, lat in session.execute(asked)}


def levels(session: Session, codes: Iterable[str], at: date) -> tuple[dict[str, str], set[str]]:
    """Return the levels of units, in force or not, and those of them, and of the units above, in force on a day."""
    wanted = set(codes)
    above = {code[:n] for code in wanted for n in range(1, len(code) + 1)}
    asked = select(GridUnit.code, GridUnit.level).where(
        GridUnit.code.in_(wanted), GridUnit.level.in_(COVERAGES)
    )
    there = select(GridUnit.code).where(
        GridUnit.code.in_(above), GridUnit.level.in_(COVERAGES), hierarchy.valid_at(at)
    )
    return dict(session.execute(asked).all()), set(session.scalars(there))


def seats_of(session: Session, account_id: int | None) -> tuple[str, ...]:
    """Return the areas somebody sits on at present, in a role that takes pieces: where that person is on duty."""
    if account_id is None:
        return ()
    seats = duty.seats(session).by_seat
    return tuple(
        code for (role, code), people in seats.items() if role in rules.TAKERS and account_id in people
    )


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """Return how many pieces an actor could take, has in hand, has cut, and has to accept or return."""
    seats = seats_of(session, actor.id)
    near_seats = [
        or_(Piece.code.startswith(seat, autoescape=True), func.starts_with(literal(seat), Piece.code))
        for seat in seats
    ]
    number = func.count()
    mine = _found(actor, Search(taken_by=actor.id or 0)).with_only_columns(number)
    cut = _found(actor, Search(cut_by=actor.id or 0, state=Standing.OPEN)).with_only_columns(number)
    waits = select(PieceClaim.piece_id).where(PieceClaim.state == Part.REPORTED)
    return {
        "free": session.scalar(
            _found(actor, Search(free=True)).where(or_(*near_seats)).with_only_columns(number)
        ) if seats else 0,
        "mine": session.scalar(mine),
        "cut": session.scalar(cut),
        "reported": session.scalar(cut.where(Piece.id.in_(waits))),
    }  # fmt: skip


def shown_file(session: Session, actor: Actor, sha256: str) -> PieceFile | None:
    """Return a file as one of the pieces the actor may see holds it, None if none does."""
    mine = visible(actor).with_only_columns(Piece.id).where(Piece.id == PieceFile.piece_id)
    return session.scalar(select(PieceFile).where(PieceFile.sha256 == sha256, mine.exists()).limit(1))


def attached(session: Session, hashes: Collection[str]) -> set[str]:
    """Return those of the hashes of files that a piece holds."""
    asked = select(PieceFile.sha256).where(PieceFile.sha256.in_(list(hashes))).distinct()
    return set(session.scalars(asked))
