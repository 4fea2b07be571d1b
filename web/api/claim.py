"""Pieces of work (ant work): their list, near or not, one with its history, and what is done to them."""

from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.claim import queries, rules, service
from gridmgr.claim.model import (
    LONGEST,
    MOST_FILES,
    MOST_PLACES,
    ClaimDeed,
    Cutting,
    Deed,
    Part,
    Piece,
    Standing,
)
from gridmgr.claim.queries import Search
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import BigRowId, Lat, Lon, Utc, text
from web.paging import Page, Paging, paged

routes = router("claim")
Viewer = Annotated[Actor, Depends(Allow("claim.view"))]
PieceId = Annotated[BigRowId, Path(description="Id of the piece.")]
Note = text(LONGEST)


class PartOut(BaseModel):
    """Somebody's part of a piece."""

    name: str = Field(examples=["王芳"])
    state: Part
    taken_at: Utc
    reported_at: Utc | None
    returns: int


class PieceOut(BaseModel):
    """A piece of work: what, where, until when, for how many, and who has taken it."""

    id: int
    what: str = Field(examples=["清点第三微网格独居老人，共 8 户"])
    code: str = Field(description="The unit whose people may take it.")
    place: str = Field(examples=["西安中路 12 号"])
    lon: float | None
    lat: float | None
    number: str | None = Field(description="Of its case, if it has one.", examples=["202601150000042"])
    places: int = Field(description="For how many people.", examples=[2])
    left: int = Field(description="Places still free.", examples=[1])
    cutter: str = Field(examples=["陈静"])
    body: str | None = Field(description="The department it was cut for.", examples=["环卫所"])
    cut_at: Utc
    due_at: Utc
    late: bool = Field(description="Open past its time.")
    state: Standing
    parts: list[PartOut]
    deeds: list[Deed] = Field(description="What the caller may do to it now.")
    distance_m: float | None = Field(None, description="From the place asked for.", examples=[180.5])


class PiecePage(Page[PieceOut]):
    """Pieces of work, the newest first, or the nearest if a place is given."""


class ClaimFileOut(BaseModel):
    """A photo or document that shows what was done; GET /api/files/{sha256} returns it."""

    sha256: str
    name: str = Field(examples=["现场.jpg"])
    media_type: str = Field(examples=["image/jpeg"])


class ClaimDeedOut(BaseModel):
    """One thing done to a piece."""

    deed: Deed
    actor: str
    doer: str | None = Field(description="Whose part it is about.", examples=["王芳"])
    at: Utc
    note: str
    files: list[ClaimFileOut]


class PieceWhole(PieceOut):
    """A piece with all that was done to it."""

    done: list[ClaimDeedOut]


class PieceIn(BaseModel):
    """What is wanted, where, until when, and for how many."""

    what: text(LONGEST, 1) = Field(examples=["清点第三微网格独居老人，共 8 户"])
    until: AwareDatetime = Field(examples=["2026-01-15T09:00:00Z"])
    number: text(32) = Field("", description="Of the case it is cut of.", examples=[""])
    code: text(32) = Field(
        "", description="A unit; that of the case if it is empty.", examples=["510106001001001"]
    )
    places: int = Field(1, ge=1, le=MOST_PLACES)
    place: text(300) = Field("", description="In words; the name of the unit if it is empty.")
    lon: Lon | None = Field(None, description="WGS-84.")
    lat: Lat | None = None


class ClaimFileIn(BaseModel):
    """A file sent before, and its name."""

    sha256: text(64, 64)
    name: text(200) = ""


class ClaimDeedIn(BaseModel):
    """What is done to a piece; taking it up and accepting need no note."""

    deed: Deed = Field(examples=["report"])
    note: Note = Field("", examples=["八户都走访了"])
    files: list[ClaimFileIn] = Field([], max_length=MOST_FILES, examples=[[]])
    username: text(64) = Field(
        "",
        description="To hand: to whom. To accept or return: whose part, if several have reported.",
        examples=[""],
    )


@routes.get("/claims")
def list_pieces(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("claims", BigRowId))],
    state: Standing | None = None,
    free: Annotated[bool, Query(description="Only those that may still be taken.")] = False,
    mine: Annotated[bool, Query(description="Only those the caller is at work on.")] = False,
    cut: Annotated[bool, Query(description="Only those the caller has cut.")] = False,
    area: Annotated[text(32), Query(description="Code prefix of the place.")] = "",
    lon: Annotated[
        Lon | None, Query(description="With `lat` (WGS-84): those within 20 km, the nearest first.")
    ] = None,
    lat: Annotated[Lat | None, Query()] = None,
) -> PiecePage:
    """List pieces of work in the caller's area, and the caller's own."""
    own = actor.id or 0
    search = Search(state, free, own if mine else None, own if cut else None, area=area)
    if lon is not None and lat is not None:
        away = queries.near(session, actor, lon, lat, search)
        found = paging.behind(away, lambda row: row[0].id)
        return paging.page(
            PiecePage, found, lambda row: row[0].id,
            lambda rows: _out(session, actor, [each for each, _ in rows], {each.id: metres for each, metres in rows}),
        )  # fmt: skip
    found = queries.page(session, actor, search, paging.fetch, paging.after)
    return paging.page(PiecePage, found, lambda each: each.id, lambda rows: _out(session, actor, rows))


@routes.post("/claims", status_code=201, responses=problems(404, 409))
def cut_piece(
    told: PieceIn, session: Transaction, actor: Annotated[Actor, Depends(Allow("claim.cut"))]
) -> PieceOut:
    """Cut a piece of work: of a case one works on or holds, or in an area one leads."""
    point = (told.lon, told.lat) if told.lon is not None and told.lat is not None else None
    cutting = Cutting(told.what, told.until, told.number, told.code, told.places, told.place, point)
    return _out(session, actor, [service.cut(session, actor, cutting)])[0]


@routes.get("/claims/{piece_id}", responses=problems(404))
def show_piece(piece_id: PieceId, session: Transaction, actor: Viewer) -> PieceWhole:
    """Show a piece of work and all that was done to it."""
    return _whole(session, actor, queries.piece(session, actor, piece_id))


@routes.post("/claims/{piece_id}", responses=problems(404, 409))
def do_to_piece(piece_id: PieceId, told: ClaimDeedIn, session: Transaction, actor: Viewer) -> PieceWhole:
    """Take up, give back, report, accept, return, hand or end a piece of work."""
    piece = act(
        session,
        actor,
        piece_id,
        told.deed,
        told.note,
        [each.model_dump() for each in told.files],
        told.username,
    )
    return _whole(session, actor, piece)


def act(
    session: Session, actor: Actor, piece_id: int, deed: Deed, note: str, files: list[dict[str, str]], username: str
) -> Piece:  # fmt: skip
    """Do what a caller asks to a piece, by the verb that fits."""
    if deed is Deed.CLAIM:
        return service.take(session, actor, piece_id)
    if deed is Deed.HAND:
        return service.hand(session, actor, piece_id, username, note)
    return service.do(session, actor, piece_id, deed, note, files, username)


def _whole(session: Session, actor: Actor, piece: Piece) -> PieceWhole:
    (out,) = _out(session, actor, [piece])
    done = [_deed(each) for each in queries.deeds(session, [piece.id]).get(piece.id, [])]
    return PieceWhole(**out.model_dump(), done=done)


def _deed(each: ClaimDeed) -> ClaimDeedOut:
    return ClaimDeedOut(
        deed=each.deed,
        actor=each.actor_name,
        doer=each.doer_name,
        at=each.at,
        note=each.note,
        files=each.files,
    )


def _out(
    session: Session, actor: Actor, pieces: list[Piece], away: dict[int, float] | None = None
) -> list[PieceOut]:
    ids = [each.id for each in pieces]
    held, numbers = queries.held(session, ids), queries.numbers(session, pieces)
    points, seats, now = queries.points(session, ids), queries.seats_of(session, actor.id), clock.now()
    found = []
    for each in pieces:
        parts = held.get(each.id, [])
        lon, lat = points.get(each.id, (None, None))
        standing = [(one.account_id, Part(one.state)) for one in parts]
        same = ("id", "what", "code", "place", "places", "body", "cut_at", "due_at", "state")
        found.append(
            PieceOut(
                **{name: getattr(each, name) for name in same}, lon=lon, lat=lat,
                number=numbers.get(each.incident_id), left=max(each.places - len(parts), 0), cutter=each.cutter_name,
                late=each.state == Standing.OPEN and each.due_at <= now,
                parts=[PartOut.model_validate(one, from_attributes=True) for one in parts],
                deeds=rules.deeds(actor, each, standing, seats, each.due_at > now),
                distance_m=round((away or {})[each.id], 1) if away else None,
            )
        )  # fmt: skip
    return found
