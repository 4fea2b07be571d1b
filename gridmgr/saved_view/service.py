"""Verbs of saved views: keep one, let one go. They never commit."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.saved_view import queries, rules
from gridmgr.saved_view.model import LONGEST_QUERY, MOST, SavedView, TooManyViews


def keep(session: Session, actor: Actor, name: str, query: str) -> SavedView:
    """Keep a view of the map under a name; the same name again takes the new view.

    Raises
    ------
    ViewUnnamed, ViewTooLong, TooManyViews
    """
    name, query = rules.named(name), rules.kept(query)
    others = queries.own(actor).where(SavedView.name != name).subquery()
    if session.scalar(select(func.count()).select_from(others)) >= MOST:
        raise TooManyViews(most=MOST)
    values = {"account_id": actor.id, "name": name, "query": query, "saved_at": clock.now()}
    asked = insert(SavedView).values(values)
    asked = asked.on_conflict_do_update(
        index_elements=["account_id", "name"], set_={"query": query, "saved_at": values["saved_at"]}
    )
    return session.scalars(asked.returning(SavedView), execution_options={"populate_existing": True}).one()


def let_go(session: Session, actor: Actor, view_id: int) -> None:
    """Remove a view.

    Raises
    ------
    UnknownView
    """
    session.delete(queries.by_id(session, actor, view_id))


def follow_units(session: Session, heirs: Mapping[str, str]) -> None:
    """Let kept views go on with the heirs of units that are no more."""
    for each in session.scalars(select(SavedView).where(SavedView.query.contains("="))) if heirs else ():
        if (told := rules.followed(each.query, heirs)) != each.query and len(told) <= LONGEST_QUERY:
            each.query = told
