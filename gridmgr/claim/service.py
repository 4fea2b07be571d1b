"""Verbs of ant work: cut, take, hand, give back, report, accept, return, end a piece. They never commit."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from geoalchemy2.shape import from_shape
from shapely import Point
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.model import UnknownAccount
from gridmgr.account.rules import Actor
from gridmgr.attachment.rules import plain_name
from gridmgr.claim import queries, rules
from gridmgr.claim.model import (
    MOST_FILES,
    CaseFinished,
    ClaimDeed,
    Cutting,
    Deed,
    HandsFull,
    NoPlaceGiven,
    NoPlaceLeft,
    NotOfTheArea,
    NotOnDuty,
    OwnWork,
    Part,
    Piece,
    PieceClaim,
    PieceDeedImpossible,
    PieceFile,
    PointElsewhere,
    Standing,
    TakenAlready,
    TimeOver,
    TooManyPhotos,
)
from gridmgr.duty import queries as duty
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING
from gridmgr.incident import queries as incidents
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident
from gridmgr.incident.rules import ON_THE_GROUND
from gridmgr.life.rules import OPEN
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message
from gridmgr.settings import settings
from gridmgr.words import joint

Files = Sequence[Mapping[str, str]]
_HANDS = 7  # tells the locks of people's hands from those of others


def cut(session: Session, actor: Actor, cutting: Cutting) -> Piece:
    """Cut a piece of work that people on duty may take; those of the place are told.

    Rule: field.md A4, 蚂蚁分工. Of a case, the body at work or the desk that holds it cuts; else a leader of the area.

    Raises
    ------
    UnknownIncident, UnknownUnit, NoPlaceGiven, NotGranted, OutsideGrant, NotALeader, NotYourCase, CaseFinished
    PieceNoteMissing, PlacesWrong, EndsBefore, PointElsewhere
    """
    now = clock.now()
    case = incidents.by_number(session, actor, cutting.number) if cutting.number else None
    code, street, name = _place(session, actor, cutting, case)
    if (reason := rules.cutting_refused(actor, code, case)) is not None:
        raise reason
    if case is not None and case.state not in OPEN:
        raise CaseFinished(number=case.number)
    what = cutting.what.strip()
    rules.check(cutting, now)
    if cutting.point is not None:
        _check_point(session, cutting.point, code)
    geom = from_shape(Point(cutting.point), 4326) if cutting.point else (case.geom if case else None)
    piece = Piece(
        incident_id=case.id if case else None, what=what, code=code, street_code=street,
        place=(cutting.place.strip() or name)[:300], geom=geom, places=cutting.places, cutter_id=actor.id,
        cutter_name=actor.name, body=actor.body, cut_at=now, due_at=cutting.until,
        near_at=rules.near_at(now, cutting.until), state=Standing.OPEN,
    )  # fmt: skip
    session.add(piece)
    session.flush()  # its deeds point to it
    _note(session, piece, actor, Deed.CUT, what, now)
    _tell(session, Kind.PIECE_CUT, piece, duty.seats(session).at(ON_THE_GROUND, code), actor, what)
    return piece


def _place(
    session: Session, actor: Actor, cutting: Cutting, case: Incident | None
) -> tuple[str, str | None, str]:
    """Return the unit whose people may take a piece, its street, and what the place is called."""
    if not cutting.code and case is not None:
        return case.home, case.street_code, case.address
    if not cutting.code:
        raise NoPlaceGiven
    today = clock.today()
    unit = hierarchy.unit(session, actor, cutting.code, today)
    path = hierarchy.path_to(session, unit, today)
    home = path[-2] if unit.level == BUILDING and len(path) > 1 else unit
    name = unit.address or unit.name
    return home.code, path[0].code, (case.address if case and case.address else name)


def _check_point(session: Session, point: tuple[float, float], code: str) -> None:
    located = hierarchy.locator(session).locate([point[0]], [point[1]])
    found = next((located.codes(level)[0] for level in ("micro_grid", "community", "street")), None) or "∅"
    if not found.startswith(code):
        raise PointElsewhere(found=found, code=code)


def take(session: Session, actor: Actor, piece_id: int) -> Piece:
    """Take a place of a piece: whoever is on duty around it or inside it, as long as a place is left.

    Raises
    ------
    UnknownPiece, NotGranted, NotOnDuty, HandsFull, TakenAlready, NoPlaceLeft, TimeOver, PieceDeedImpossible
    """
    _hold_hands(session, actor.id)
    piece = queries.locked(session, actor, piece_id)
    if (reason := rules.refusal(actor, Deed.CLAIM, piece)) is not None:
        raise reason
    if actor.id is None or not rules.on_duty(queries.seats_of(session, actor.id), piece.code):
        raise NotOnDuty
    _give_place(session, piece, actor, actor, Deed.CLAIM, "")
    return piece


def hand(session: Session, actor: Actor, piece_id: int, username: str, note: str = "") -> Piece:
    """Hand a place of a piece to somebody who works in its area, on duty or not; that person is told.

    Raises
    ------
    UnknownPiece, NotYourPiece, UnknownAccount, NotOfTheArea, HandsFull, TakenAlready, NoPlaceLeft, TimeOver
    PieceDeedImpossible, PieceNoteMissing
    """
    account = accounts.by_username(session, username.strip())
    if account is None or not account.active:
        raise UnknownAccount(username=username)
    person = accounts.actor_of(account)
    _hold_hands(session, person.id)
    piece = queries.locked(session, actor, piece_id)
    if (reason := rules.refusal(actor, Deed.HAND, piece)) is not None:
        raise reason
    if not rules.works_in(person, piece.code):
        raise NotOfTheArea(name=person.name)
    rules.check_note(Deed.HAND, note)
    _give_place(session, piece, actor, person, Deed.HAND, note.strip())
    _tell(session, Kind.PIECE_HANDED, piece, {person.id}, actor, note.strip() or piece.what)
    return piece


def do(
    session: Session, actor: Actor, piece_id: int, deed: Deed, note: str = "", files: Files = (), whose: str = ""
) -> Piece:  # fmt: skip
    """Give back, report, accept, return or end; `whose` part by user name, if the piece is for several people.

    Raises
    ------
    UnknownPiece, PieceDeedImpossible, PieceNoteMissing, NotYourPiece, NotGranted, OwnWork, TooManyPhotos, BadField
    """
    piece = queries.locked(session, actor, piece_id)
    if (reason := rules.refusal(actor, deed, piece)) is not None:
        raise reason
    note = note.strip()
    rules.check_note(deed, note)
    if deed not in (Deed.GIVE_BACK, Deed.REPORT, Deed.ACCEPT, Deed.RETURN, Deed.END):
        raise _impossible(piece, deed)
    if piece.state != Standing.OPEN:
        raise _impossible(piece, deed)
    if deed is Deed.END:
        end(session, actor, piece, note)
        return piece
    claim = _part(session, actor, piece, deed, whose)
    now = clock.now()
    claim.state = rules.PARTS[Part(claim.state), deed]
    if deed is Deed.REPORT:
        claim.reported_at = now
    elif deed is Deed.RETURN:
        claim.returns, claim.reported_at = claim.returns + 1, None
    described = _attach(session, piece, files) if deed is Deed.REPORT else []
    _note(session, piece, actor, deed, note, now, claim, described)
    _finish(session, piece, now)
    author = {piece.cutter_id}
    for told, kind, people in (
        (Deed.REPORT, Kind.PIECE_REPORTED, author), (Deed.GIVE_BACK, Kind.PIECE_GIVEN_BACK, author),
        (Deed.RETURN, Kind.PIECE_RETURNED, {claim.account_id}),
    ):  # fmt: skip
        if deed is told:
            _tell(session, kind, piece, people, actor, note)
    return piece


def end(session: Session, actor: Actor, piece: Piece, note: str) -> None:
    """End a locked piece: what is not accepted yet ends with it, and whoever was at work is told."""
    now = clock.now()
    at_work = session.scalars(
        select(PieceClaim).where(
            PieceClaim.piece_id == piece.id, PieceClaim.state.in_((Part.AT_WORK, Part.REPORTED))
        )
    ).all()
    for claim in at_work:
        claim.state = Part.ENDED
    session.flush()
    accepted = any(
        each.state == Part.ACCEPTED for each in queries.held(session, [piece.id]).get(piece.id, ())
    )
    piece.state, piece.ended_at = (Standing.DONE if accepted else Standing.ENDED), now
    _note(session, piece, actor, Deed.END, note, now)
    _tell(session, Kind.PIECE_ENDED, piece, {claim.account_id for claim in at_work}, actor, note)


def end_with_cases(session: Session, actor: Actor, incident_ids: Iterable[int], note: str) -> int:
    """End the open pieces of cases that are finished; returns how many."""
    found = session.scalars(
        select(Piece)
        .where(Piece.incident_id.in_(list(incident_ids)), Piece.state == Standing.OPEN)
        .order_by(Piece.id)
        .with_for_update(key_share=True)
    ).all()
    for piece in found:
        end(session, actor, piece, note)
    return len(found)


def follow_name(session: Session, before: str, after: str) -> None:
    """Let open pieces call the body they were cut for by its new name."""
    renamed = update(Piece).where(Piece.body == before, Piece.state == Standing.OPEN)
    session.execute(renamed.values(body=after))


def tell_unclaimed(session: Session, batch: int = 500) -> int:
    """Tell the authors of pieces that near their end with a place left, of each once; returns how many pieces."""
    asked = select(Piece).where(Piece.near_at <= clock.now(), Piece.near_told_at.is_(None), queries.free())
    found = session.scalars(
        asked.order_by(Piece.near_at, Piece.id).limit(batch).with_for_update(skip_locked=True)
    ).all()
    for piece in found:
        _tell(session, Kind.PIECE_UNCLAIMED, piece, {piece.cutter_id}, None, piece.what)
        piece.near_told_at = clock.now()
    session.flush()
    return len(found)


def rehome_open(session: Session) -> int:
    """Give open pieces the units of the map now in force, so that those who work there may take them; returns how many.

    A piece with a point goes to the unit around it, of the level it was cut for; one without whose unit is no
    more goes to the nearest unit above that still is.
    """
    asked = select(Piece).where(Piece.state == Standing.OPEN).order_by(Piece.id)
    found = session.scalars(asked.with_for_update(skip_locked=True, key_share=True)).all()
    if not found:
        return 0
    levels, now = queries.levels(session, [each.code for each in found], clock.today())
    points = queries.points(session, [each.id for each in found])
    placed = {}
    if points:
        lonlat = list(points.values())
        located = hierarchy.locator(session).locate([lon for lon, _ in lonlat], [lat for _, lat in lonlat])
        placed = {
            level: dict(zip(points, located.codes(level), strict=True)) for level in set(levels.values())
        }
    moved = 0
    for piece in found:
        code = placed.get(levels.get(piece.code), {}).get(piece.id) or next(
            (piece.code[:n] for n in range(len(piece.code), 0, -1) if piece.code[:n] in now), piece.code
        )
        moved += code != piece.code
        piece.code = code
    return moved


def _hold_hands(session: Session, account_id: int | None) -> None:
    """Let one transaction at a time put pieces into somebody's hands, so that they are counted rightly."""
    session.execute(select(func.pg_advisory_xact_lock(_HANDS, account_id or 0)))


def _give_place(session: Session, piece: Piece, actor: Actor, person: Actor, deed: Deed, note: str) -> None:
    """Give a place of a locked piece to somebody whose hands are held."""
    now, most = clock.now(), settings().pieces_at_once
    held = queries.held(session, [piece.id]).get(piece.id, [])
    if piece.state != Standing.OPEN:
        raise _impossible(piece, deed)
    if any(each.account_id == person.id for each in held):
        raise TakenAlready(name=person.name)
    if piece.due_at <= now:
        raise TimeOver(due=f"{clock.local(piece.due_at):%Y-%m-%d %H:%M}")
    if len(held) >= piece.places:
        raise NoPlaceLeft(places=piece.places)
    if (number := queries.in_hand(session, person.id)) >= most:
        raise HandsFull(name=person.name, held=number, most=most)
    claim = PieceClaim(
        piece_id=piece.id, account_id=person.id, name=person.name, state=Part.AT_WORK, taken_at=now, returns=0
    )
    session.add(claim)
    _note(session, piece, actor, deed, note, now, claim)


def _part(session: Session, actor: Actor, piece: Piece, deed: Deed, whose: str) -> PieceClaim:
    """Return the part a deed is about: one's own, or for who decides the one named, or the only one it fits."""
    held = queries.held(session, [piece.id]).get(piece.id, [])
    fitting = [each for each in held if (Part(each.state), deed) in rules.PARTS]
    if deed in rules.OWN:
        fitting = [each for each in fitting if each.account_id == actor.id]
    elif whose:
        account = accounts.by_username(session, whose)
        fitting = [each for each in fitting if account is not None and each.account_id == account.id]
    elif deed is Deed.ACCEPT:
        fitting = [each for each in fitting if each.account_id != actor.id] or fitting
    if not fitting:
        raise _impossible(piece, deed)
    if deed is Deed.ACCEPT and fitting[0].account_id == actor.id:
        raise OwnWork
    return fitting[0]


def _impossible(piece: Piece, deed: Deed) -> PieceDeedImpossible:
    return PieceDeedImpossible(state=joint.PIECES[piece.state], deed=joint.CLAIM_DEEDS[deed])


def _finish(session: Session, piece: Piece, now: datetime) -> None:
    """A piece is done once as many have done it as were wanted."""
    held = queries.held(session, [piece.id]).get(piece.id, [])
    if sum(each.state == Part.ACCEPTED for each in held) >= piece.places:
        piece.state, piece.ended_at = Standing.DONE, now


def _attach(session: Session, piece: Piece, files: Files) -> list[dict[str, str]]:
    if not files:
        return []
    if len(files) > MOST_FILES:
        raise TooManyPhotos(most=MOST_FILES)
    named = [{"sha256": each["sha256"], "name": plain_name(each.get("name", ""))} for each in files]
    (described,) = incident.described(session, [named])
    rows = [{"piece_id": piece.id, "sha256": each["sha256"], "name": each["name"]} for each in described]
    session.execute(insert(PieceFile).on_conflict_do_nothing(), rows)
    return described


def _note(
    session: Session, piece: Piece, actor: Actor, deed: Deed, note: str, at: datetime,
    claim: PieceClaim | None = None, files: Sequence[Mapping[str, str]] = (),
) -> None:  # fmt: skip
    done = select(func.count()).where(ClaimDeed.piece_id == piece.id)
    session.add(
        ClaimDeed(
            piece_id=piece.id, seq=session.scalar(done) + 1, deed=deed, actor_id=actor.id, actor_name=actor.name,
            doer_id=claim.account_id if claim else None, doer_name=claim.name if claim else None, at=at, note=note,
            files=list(files),
        )
    )  # fmt: skip
    session.flush()  # the next one counts it


def _tell(
    session: Session, kind: Kind, piece: Piece, people: Iterable[int | None], actor: Actor | None, note: str
) -> None:
    facts = {
        "page": f"/claims/{piece.id}", "place": piece.place, "due": piece.due_at.isoformat(),
        "name": actor.name if actor else "", "note": note[:200],
    }  # fmt: skip
    concerned = {each for each in people if each is not None} - {actor.id if actor else None}
    notice.tell(session, [Message(account, kind, piece.incident_id, facts) for account in sorted(concerned)])
