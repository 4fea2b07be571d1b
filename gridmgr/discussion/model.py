"""Comments, written once, and phrases for the notes of steps."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, NotFound

LONGEST = 2000
LONGEST_NOTE = 500


class Comment(Base):
    """What somebody said of a case; the database refuses to change or remove it."""

    __tablename__ = "incident_comment"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    author_name: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    mentions: Mapped[list[int]] = mapped_column(JSONB)  # the accounts it names that could see the case then
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class Phrase(Base):
    """A ready-made note for a step, for all categories or those whose code begins so."""

    __tablename__ = "phrase"
    __table_args__ = (UniqueConstraint("action", "category", "zh"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str] = mapped_column(String(16))
    category: Mapped[str] = mapped_column(String(32))
    zh: Mapped[str] = mapped_column(String(LONGEST_NOTE))
    en: Mapped[str] = mapped_column(String(LONGEST_NOTE))

    def said(self, language: str) -> str:
        """Return the note in a language; without an English text it is the Chinese one."""
        return self.en or self.zh if language == "en" else self.zh


@dataclass(frozen=True)
class Orphan:
    """How many policies or phrases are for categories that a new table no longer has."""

    kind: str  # a code of ORPHANS
    category: str
    count: int


@dataclass(frozen=True)
class Commented:
    """Something was said of a case."""

    incident_id: int
    at: datetime


@dataclass(frozen=True)
class Mentioned:
    """Somebody was named in a comment."""

    incident_id: int
    account_ids: tuple[int, ...]
    author: str
    text: str


class NothingSaid(BadInput):
    """A comment needs some words."""


class SaidTooMuch(BadInput):
    """A comment has at most {most} characters."""


class NoteTooLong(BadInput):
    """A ready-made note has at most {most} characters in each language."""


class UnknownPhrase(NotFound):
    """There is no such phrase."""


class NotAStep(BadInput):
    """“{step}” is no step of a case; the steps are {known}."""
