"""Verbs of talk: comment on a case, keep ready-made notes. They never commit."""

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.discussion import queries, rules
from gridmgr.discussion.model import (
    LONGEST,
    Comment,
    Mentioned,
    NothingSaid,
    Phrase,
    SaidTooMuch,
    UnknownPhrase,
)
from gridmgr.events import emit
from gridmgr.incident import queries as incidents
from gridmgr.sheet import Sheet


def comment(session: Session, actor: Actor, number: str, said: str) -> Comment:
    """Say something of a case; those named in it who may see the case are told.

    Raises
    ------
    UnknownIncident
        There is none of that number in the actor's scope.
    NothingSaid, SaidTooMuch
    NotGranted
    """
    require(actor, "incident.comment")
    incident = incidents.by_number(session, actor, number)
    said = said.strip()
    if not said:
        raise NothingSaid
    if len(said) > LONGEST:
        raise SaidTooMuch(most=LONGEST)
    made = Comment(
        incident_id=incident.id, author_id=actor.id, author_name=actor.name, text=said, at=clock.now()
    )
    session.add(made)
    session.flush()  # the caller shows its id
    named = [each for each in queries.who_see(session, incident, rules.named(said)) if each != actor.id]
    if named:
        emit(session, Mentioned(incident.id, tuple(named), actor.name, said))
    return made


def import_phrases(session: Session, sheet: Sheet) -> int:
    """Add the phrases of a table to those that are there; returns how many are new.

    Raises
    ------
    BadSheet
        With every cell that cannot be used; nothing is written.
    """
    rows = [dict(row.values) for row in sheet.accepted()]
    return len(_added(session, rows)) if rows else 0


def add_phrase(session: Session, action: str, category: str, text: str) -> None:
    """Keep a ready-made note for a step.

    Raises
    ------
    NotAStep, NothingSaid
    """
    if not text.strip():
        raise NothingSaid
    _added(
        session, [{"action": rules.step(action), "category": category.strip(), "text": text.strip()[:500]}]
    )


def _added(session: Session, rows: Sequence[dict]) -> list[int]:
    asked = insert(Phrase).on_conflict_do_nothing().returning(Phrase.id)
    return list(session.scalars(asked, rows))


def drop_phrase(session: Session, phrase_id: int) -> None:
    """Remove a phrase.

    Raises
    ------
    UnknownPhrase
    """
    if session.execute(delete(Phrase).where(Phrase.id == phrase_id)).rowcount == 0:
        raise UnknownPhrase
