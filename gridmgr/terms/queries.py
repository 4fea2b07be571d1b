"""Reads of terms: those in force on a day, and all that were ever set."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.terms import rules
from gridmgr.terms.model import DatedTerms, Term


def in_force(
    session: Session, matter: str, spec: Mapping[str, Term], at: date | None = None
) -> dict[str, float]:
    """Return the terms of a matter on a day (today); those the product comes with, if none were set."""
    asked = (
        select(DatedTerms.numbers)
        .where(DatedTerms.matter == matter, DatedTerms.effective <= (at or clock.today()))
        .order_by(DatedTerms.effective.desc(), DatedTerms.id.desc())
        .limit(1)
    )
    kept = session.scalar(asked) or {}
    return rules.read(spec, {name: value for name, value in kept.items() if name in spec})


def ever_set(session: Session, matter: str) -> list[DatedTerms]:
    """Return all terms ever set for a matter, the latest first."""
    asked = select(DatedTerms).where(DatedTerms.matter == matter)
    return list(session.scalars(asked.order_by(DatedTerms.effective.desc(), DatedTerms.id.desc())))
