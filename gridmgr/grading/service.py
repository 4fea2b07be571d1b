"""Verbs of grading: keep the grades of a week, and set the terms. They never commit."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Actor, require
from gridmgr.grading import queries, rules
from gridmgr.grading.model import GradedWeek, GridGrade
from gridmgr.terms import rules as terms_rules
from gridmgr.terms import service as dated


def keep(session: Session) -> date | None:
    """Keep the grades as they stand now for this week, once; None if somebody has done so already.

    They are what the patrols of the week are planned by, and what later weeks are compared with.
    """
    monday = rules.monday_of(clock.today())
    week = {"monday": monday, "graded_at": clock.now(), "terms": queries.terms(session)}
    first = upsert(GradedWeek).values(week).on_conflict_do_nothing().returning(GradedWeek.monday)
    if session.scalar(first) is None:
        return None
    rows = [
        {
            "monday": monday, "code": each.code, "grade": each.grade, "points": each.points,
            "reasons": rules.plain(each), "patrols": each.patrols,
        }
        for each in queries.graded(session, SYSTEM)
    ]  # fmt: skip
    if rows:
        session.execute(insert(GridGrade), rows)
    return monday


def set_terms(
    session: Session, actor: Actor, effective: date, given: Mapping[str, object]
) -> dict[str, float]:
    """Set the terms of grading from a day on; grades kept before stay as they are.

    Raises
    ------
    NotGranted, TermOutside, TermUnknown, TermsContradict
    """
    require(actor, "grading.manage")
    rules.check(terms_rules.read(rules.TERMS, given))
    return dated.put(session, actor, rules.MATTER, rules.TERMS, effective, given)
