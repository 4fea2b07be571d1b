"""Verbs of policies: publish a table of them, and keep the draft of the next one. They never commit."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.policy import queries, rules
from gridmgr.policy.model import (
    DraftFaulty,
    DraftMoved,
    NoDraft,
    NoPolicies,
    Policy,
    PolicyDraft,
    PolicyTable,
)
from gridmgr.policy.rules import DraftRead, PoliciesRead
from gridmgr.sheet import BadSheet


def publish(session: Session, title: str, effective: date, read: PoliciesRead) -> PolicyTable:
    """Publish a table of limits and ladders, in force from `effective`; clocks that run keep their own copy.

    Rule: field.md §4, the ladder in force is copied onto the case when its clock starts.

    Raises
    ------
    BadSheet
        It lists all that is wrong with the table; nothing is written.
    NoPolicies
    """
    if read.errors:
        raise BadSheet(read.errors)
    if not read.policies:
        raise NoPolicies
    table = PolicyTable(title=title[:100], effective=effective, published_at=clock.now())
    session.add(table)
    session.flush()  # the policies need its id
    session.execute(insert(Policy), [row | {"table_id": table.id} for row in read.policies])
    return table


def save_draft(session: Session, actor: Actor, cells: Sequence[Any], version: int) -> PolicyDraft:
    """Keep the draft as it was typed, faults and all; `version` is the one it was changed from.

    Raises
    ------
    DraftMoved
        Somebody else has saved it meanwhile.
    NotADraft, DraftTooLarge
    """
    rows = rules.clean_cells(cells)
    saved = _locked(session, version)
    if saved is None:
        based_on = queries.draft(session).based_on
        first = {
            "id": 1, "version": 0, "rows": [], "based_on": based_on, "saved_by": "", "saved_at": clock.now(),
        }  # fmt: skip
        session.execute(upsert(PolicyDraft).values(first).on_conflict_do_nothing())
        saved = _locked(session, version)  # whoever was quicker to save the first one has version 1
    saved.rows, saved.version = rows, version + 1
    saved.saved_by, saved.saved_at = actor.name, clock.now()
    session.flush()  # the caller shows it
    return saved


def discard_draft(session: Session, version: int) -> None:
    """Begin again from the table in force; without a draft there is nothing to do.

    Raises
    ------
    DraftMoved
    """
    if (saved := _locked(session, version)) is not None:
        session.delete(saved)
        session.flush()  # whoever reads it next in this transaction finds it gone


def publish_draft(
    session: Session, title: str, effective: date, version: int, read: DraftRead
) -> PolicyTable:
    """Publish the draft, as `read` from its cells, and be done with it.

    Raises
    ------
    NoDraft, DraftMoved, DraftFaulty, NoPolicies
    """
    if _locked(session, version) is None:
        raise NoDraft
    if read.faults:
        raise DraftFaulty(count=len(read.faults), first=next(iter(read.faults.values())))
    table = publish(session, title, effective, read.read)
    discard_draft(session, version)
    return table


def _locked(session: Session, version: int) -> PolicyDraft | None:
    """Return the draft, locked, if it is the one that was changed."""
    asked = select(PolicyDraft).where(PolicyDraft.id == 1).with_for_update()
    saved = session.scalar(asked.execution_options(populate_existing=True))
    if saved is not None and saved.version != version:
        raise DraftMoved(name=saved.saved_by, time=f"{clock.local(saved.saved_at):%Y-%m-%d %H:%M}")
    if saved is None and version:
        raise NoDraft
    return saved
