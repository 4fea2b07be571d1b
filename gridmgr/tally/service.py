"""Verbs of the terms of figures. They never commit."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.tally import rules
from gridmgr.tally.model import FigureTerms


def set_terms(session: Session, actor: Actor, effective: date, stored: Mapping[str, Any]) -> FigureTerms:
    """Set the terms of figures from a day on; figures of days before it keep theirs.

    The day may be gone by, as for records taken over: figures of the days since are then told by these terms.

    Raises
    ------
    NotGranted, BadFigureTerms
    """
    require(actor, "figures.manage")
    terms = rules.plain(rules.terms_of(stored))
    row = FigureTerms(effective=effective, set_at=clock.now(), set_by=actor.name, terms=terms)
    session.add(row)
    session.flush()
    return row
