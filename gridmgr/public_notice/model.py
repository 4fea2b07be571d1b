"""What residents say of a plan on public notice, and the files that belong to it."""

from datetime import datetime
from enum import StrEnum

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound, TooMany

Instant = TIMESTAMP(timezone=True)
LONGEST_REPLY, LONGEST_COMMENT, LONGEST_NAME, MOST_FILES = 500, 1_000, 50, 20


class Standing(StrEnum):
    """What became of a comment."""

    WAITING = "waiting"  # 待审核
    SHOWN = "shown"
    HIDDEN = "hidden"


class NoticeComment(Base):
    """What somebody says of a plan on public notice, with the place meant; shown once somebody has read it."""

    __tablename__ = "notice_comment"
    __table_args__ = (
        Index("ix_notice_comment_publication", "publication_id", "id"),
        Index("ix_notice_comment_sender", "sender", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    text: Mapped[str] = mapped_column(Text)
    geom: Mapped[str | None] = mapped_column(Geometry("POINT", 4326, spatial_index=False))
    sender: Mapped[str] = mapped_column(String(64))  # a hash: how often one address speaks, not which one
    state: Mapped[str] = mapped_column(String(16))
    reply: Mapped[str] = mapped_column(Text)
    read_by: Mapped[str | None] = mapped_column(String(64))
    read_at: Mapped[datetime | None] = mapped_column(Instant)


class NoticeFile(Base):
    """A file that belongs to a plan on its way: everybody may read it once the plan is on public notice."""

    __tablename__ = "notice_file"
    __table_args__ = (UniqueConstraint("publication_id", "sha256"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    sha256: Mapped[str] = mapped_column(ForeignKey("stored_file.sha256"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(Instant)
    by: Mapped[str] = mapped_column(String(64))


class NoNotice(NotFound):
    """There is no such public notice."""


class UnknownComment(NotFound):
    """There is no comment {comment} on this notice."""


class NoticeOver(Conflict):
    """The public notice has ended; no more comments are taken."""


class CommentUnfit(BadInput):
    """Say what you mean in at most {most} characters."""


class PlaceUnfit(BadInput):
    """The place of a comment has to lie near the plan."""


class SpokenOften(TooMany):
    """You have said {most} things within an hour; wait {seconds} seconds."""


class FilesClosed(Conflict):
    """Files are added before the public notice ends: residents have to see what they speak of."""


class NoticeFilesFull(BadInput):
    """At most {most} files belong to one plan."""
