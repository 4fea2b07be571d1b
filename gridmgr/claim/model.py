"""Pieces of work, who has taken one up and how far each has come; what is done to a piece is never changed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base, Done
from gridmgr.errors import BadInput, Conflict, Forbidden, NotFound

Instant = TIMESTAMP(timezone=True)
MOST_PLACES = 99
LONGEST = 500  # characters of what is wanted, and of a note
MOST_FILES = 9


class Standing(StrEnum):
    """How a piece stands."""

    OPEN = "open"  # 进行中: to be taken up, or in work
    DONE = "done"  # 已完成: as many have done it as were wanted
    ENDED = "ended"  # 已收回: it is no longer wanted


class Part(StrEnum):
    """How far somebody has come with a piece."""

    AT_WORK = "at_work"  # 已认领
    REPORTED = "reported"  # 待验收
    ACCEPTED = "accepted"  # 已验收
    GIVEN_BACK = "given_back"  # 已退还
    ENDED = "ended"  # 已收回: the piece was ended meanwhile


class Deed(StrEnum):
    """What is done to a piece."""

    CUT = "cut"  # 分派
    HAND = "hand"  # 指派给某人
    CLAIM = "claim"  # 认领
    GIVE_BACK = "give_back"  # 退还
    REPORT = "report"  # 报完成
    ACCEPT = "accept"  # 验收
    RETURN = "return"  # 退回重做
    END = "end"  # 收回


HELD = (Part.AT_WORK, Part.REPORTED, Part.ACCEPTED)  # these fill a place


class Piece(Base):
    """A small piece of work: what, where, until when, and how many people may take it."""

    __tablename__ = "piece"
    __table_args__ = (
        CheckConstraint("places BETWEEN 1 AND 99", name="places"),
        CheckConstraint("due_at > cut_at", name="due"),
        Index("ix_piece_code", "code", "state", postgresql_ops={"code": "text_pattern_ops"}),
        Index("ix_piece_incident_id", "incident_id"),
        Index("ix_piece_cutter_id", "cutter_id", "state"),
        Index("ix_piece_state", "state", "id"),
        Index("ix_piece_near", "near_at", postgresql_where=text("state = 'open' AND near_told_at IS NULL")),
        Index("ix_piece_geom", "geom", postgresql_using="gist", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    what: Mapped[str] = mapped_column(String(500))
    code: Mapped[str] = mapped_column(
        String(32)
    )  # the unit whose people may take it; a building's micro-grid
    street_code: Mapped[str | None] = mapped_column(String(32))  # as it was when it was cut
    place: Mapped[str] = mapped_column(String(300))  # in words
    geom: Mapped[str | None] = mapped_column(Geometry("POINT", 4326, spatial_index=False))  # WGS-84
    places: Mapped[int] = mapped_column(SmallInteger)  # for how many people
    cutter_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    cutter_name: Mapped[str] = mapped_column(String(64))
    body: Mapped[str | None] = mapped_column(String(100))  # the department it was cut for
    cut_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    near_at: Mapped[datetime] = mapped_column(Instant)  # from when on a place that is left is told of
    near_told_at: Mapped[datetime | None] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(16))
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class PieceClaim(Base):
    """That somebody has taken a place of a piece, and how far that person has come."""

    __tablename__ = "piece_claim"
    __table_args__ = (
        Index(
            "ix_piece_claim_held", "piece_id", "account_id", unique=True,
            postgresql_where=text("state IN ('at_work', 'reported', 'accepted')"),
        ),
        Index("ix_piece_claim_account_id", "account_id", "state"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    piece_id: Mapped[int] = mapped_column(ForeignKey("piece.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    taken_at: Mapped[datetime] = mapped_column(Instant)
    reported_at: Mapped[datetime | None] = mapped_column(Instant)  # the last time
    returns: Mapped[int] = mapped_column(SmallInteger)


class ClaimDeed(Done, Base):
    """One thing done to a piece, and whose part of it; the database refuses to change or remove it."""

    __tablename__ = "claim_deed"
    __table_args__ = (
        UniqueConstraint("piece_id", "seq"),
        Index("ix_claim_deed_doer_id", "doer_id", "at"),
        Index("ix_claim_deed_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    piece_id: Mapped[int] = mapped_column(ForeignKey("piece.id"))
    seq: Mapped[int]
    doer_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))  # whose part it is about
    doer_name: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(500))
    files: Mapped[list] = mapped_column(JSONB)  # sha256, name, media_type


class PieceFile(Base):
    """A photo or document that shows what was done, found by its content."""

    __tablename__ = "piece_file"

    piece_id: Mapped[int] = mapped_column(ForeignKey("piece.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("stored_file.sha256"), primary_key=True, index=True)
    name: Mapped[str] = mapped_column(String(200))


@dataclass(frozen=True)
class Cutting:
    """A piece as somebody wants it cut: of a case, or at a unit; a point only if there is one."""

    what: str
    until: datetime
    number: str = ""
    code: str = ""
    places: int = 1
    place: str = ""
    point: tuple[float, float] | None = None  # longitude and latitude, WGS-84


class UnknownPiece(NotFound):
    """There is no piece of work {id}, or it is outside your area."""


class NotALeader(Forbidden):
    """Without a case of your own only a leader of the area cuts work into pieces."""


class NotYourCase(Forbidden):
    """Whoever is at work on {number}, or the desk that holds it, cuts it into pieces."""


class NotYourPiece(Forbidden):
    """{name} has cut this piece; only they, their department and the desks of the area decide on it."""


class NotOnDuty(Forbidden):
    """Only people of this area who are on duty now take a piece; you are not on duty here."""


class NotOfTheArea(BadInput):
    """{name} does not work in the area of this piece."""


class OwnWork(Forbidden):
    """Somebody else accepts what you have done yourself."""


class CaseFinished(Conflict):
    """Incident {number} is finished; there is nothing left to do on it."""


class PieceDeedImpossible(Conflict):
    """This piece is {state}; {deed} is not possible now."""


class NoPlaceLeft(Conflict):
    """All {places} places of this piece are taken; somebody was faster."""


class TakenAlready(Conflict):
    """{name} has this piece already."""


class HandsFull(Conflict):
    """{name} has {held} pieces in hand; finish or give back one first, {most} at once are the most."""


class TimeOver(Conflict):
    """The time of this piece was over at {due}; nobody takes it any more."""


class PieceNoteMissing(BadInput):
    """Say what is wanted, what was done, or why, in at most {most} characters."""


class PlacesWrong(BadInput):
    """A piece is for 1 to {most} people."""


class EndsBefore(BadInput):
    """A piece ends at a time to come, within {days} days."""


class PointElsewhere(BadInput):
    """The point lies in {found}, not in {code}."""


class TooManyPhotos(BadInput):
    """At most {most} photos and documents go with one report."""


class NoPlaceGiven(BadInput):
    """Say where: by a case, or by the code of a unit."""
