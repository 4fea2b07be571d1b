"""Dated terms as programs read and set them, the same for every noun that has some."""

from collections.abc import Mapping

from pydantic import BaseModel, Field

from gridmgr.terms.model import Term
from web.fields import Day, text
from web.i18n import _


class TermsOut(BaseModel):
    """The terms in force, or just set, and what each means."""

    terms: dict[str, float]
    meaning: dict[str, str]


class TermsIn(BaseModel):
    """Terms from a day on; what is left out is as the product comes."""

    effective: Day
    terms: dict[text(32), float] = Field(
        max_length=50, description="Their names are those of the terms in force."
    )


def meant(terms: Mapping[str, float], spec: Mapping[str, Term]) -> TermsOut:
    """Return terms with their meanings."""
    return TermsOut(terms=dict(terms), meaning={name: _(term.words) for name, term in spec.items()})
