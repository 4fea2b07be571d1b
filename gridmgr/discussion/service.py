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
    LONGEST_NOTE,
    Comment,
    Commented,
    Mentioned,
    NoteTooLong,
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
    named = [each for each in queries.mentioned(session, incident, said) if each != actor.id]
    made = Comment(
        incident_id=incident.id, author_id=actor.id, author_name=actor.name, text=said, mentions=named,
        at=clock.now(),
    )  # fmt: skip
    session.add(made)
    session.flush()  # the caller shows its id
    emit(session, Commented(incident.id, made.at))
    if named:
        emit(session, Mentioned(incident.id, tuple(named), actor.name, said))
    return made


def import_phrases(session: Session, sheet: Sheet) -> int:
    """Add the phrases of a table to those that are there; returns how many are new or have a new English text.

    Raises
    ------
    BadSheet
        With every cell that cannot be used; nothing is written.
    """
    rows = [dict(row.values) for row in sheet.accepted()]
    return _kept(session, rows)


def set_phrase(session: Session, action: str, category: str, zh: str, en: str = "") -> None:
    """Keep a ready-made note for a step, or give the one that is there another English text.

    Raises
    ------
    NotAStep, NothingSaid, NoteTooLong
    """
    if not zh.strip():
        raise NothingSaid
    if max(len(zh.strip()), len(en.strip())) > LONGEST_NOTE:
        raise NoteTooLong(most=LONGEST_NOTE)
    row = {"action": rules.step(action), "category": category.strip(), "zh": zh.strip(), "en": en.strip()}
    _kept(session, [row])


def _kept(session: Session, rows: Sequence[dict]) -> int:
    rows = list({(row["action"], row["category"], row["zh"]): row for row in rows}.values())
    if not rows:
        return 0
    asked = insert(Phrase)
    asked = asked.on_conflict_do_update(
        index_elements=["action", "category", "zh"],
        set_={"en": asked.excluded.en},
        where=(asked.excluded.en != "") & (Phrase.en != asked.excluded.en),
    )
    return len(session.scalars(asked.returning(Phrase.id), rows).all())


def drop_phrase(session: Session, phrase_id: int) -> None:
    """Remove a phrase.

    Raises
    ------
    UnknownPhrase
    """
    if session.execute(delete(Phrase).where(Phrase.id == phrase_id)).rowcount == 0:
        raise UnknownPhrase
