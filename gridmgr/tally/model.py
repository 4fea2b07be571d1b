"""The terms of figures: what a district leaves out, and from where on something is fast or good enough."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Identity, String
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput


class FigureTerms(Base):
    """The terms of figures, in force from a day until the next ones."""

    __tablename__ = "figure_terms"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    effective: Mapped[date]
    set_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    set_by: Mapped[str] = mapped_column(String(64))
    terms: Mapped[Mapping[str, Any]] = mapped_column(JSONB)


@dataclass(frozen=True)
class Terms:
    """What a district leaves out of what is due, and its measures of speed and satisfaction."""

    without: tuple[str, ...] = ("voided", "merged", "unclocked")  # keys of rules.EXCLUSIONS
    satisfied_from: int = 4  # of 5: who gives so much is satisfied
    response_hours: float = 24.0  # running hours in which a public report is taken up
    weights: Mapping[str, float] = field(  # of the three rates (三率) in their score
        default_factory=lambda: {"response_rate": 0.2, "resolution_rate": 0.4, "satisfaction_rate": 0.4}
    )


class BadFigureTerms(BadInput):
    """The term {field} cannot be {value}; expected {expected}."""


class UnknownCount(BadInput):
    """Nothing called {name} is counted; expected one of {known}."""


class UnknownDimension(BadInput):
    """Figures cannot be told by {name}; expected one of {known}."""
