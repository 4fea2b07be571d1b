"""Dated terms of any noun, each a set of named numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Identity, Index, String
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput


class DatedTerms(Base):
    """The terms of one matter, in force from a day until the next ones."""

    __tablename__ = "dated_terms"
    __table_args__ = (Index("ix_dated_terms_matter", "matter", "effective", "id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    matter: Mapped[str] = mapped_column(String(16))  # the noun they are for
    effective: Mapped[date]
    set_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    set_by: Mapped[str] = mapped_column(String(64))
    numbers: Mapped[Mapping[str, Any]] = mapped_column(JSONB)


@dataclass(frozen=True)
class Term:
    """One number that can be set: what it means, what it is unless set, and between what it lies."""

    words: str
    usual: float
    low: float
    high: float
    whole: bool = False


class TermOutside(BadInput):
    """The term {term} cannot be {value}; expected {least} to {most}."""


class TermUnknown(BadInput):
    """There is no term {term}; the terms are {known}."""


class NoDayOfTerms(BadInput):
    """Terms begin on a day, such as 2026-01-31; {value} is none."""


class TermsContradict(BadInput):
    """The term {term} cannot be less than {other}."""
