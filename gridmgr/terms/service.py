"""The one verb of terms: set them from a day on. It never commits."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.terms import rules
from gridmgr.terms.model import DatedTerms, Term


def put(
    session: Session, actor: Actor, matter: str, spec: Mapping[str, Term], effective: date,
    given: Mapping[str, object],
) -> dict[str, float]:  # fmt: skip
    """Set the terms of a matter from a day on; returns them whole.

    Raises
    ------
    TermOutside, TermUnknown
    """
    numbers = rules.read(spec, given)
    session.add(
        DatedTerms(matter=matter, effective=effective, set_at=clock.now(), set_by=actor.name, numbers=numbers)
    )
    session.flush()
    return numbers
