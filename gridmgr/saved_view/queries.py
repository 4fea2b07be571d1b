"""Reads of the views people keep; everybody sees their own alone."""

from sqlalchemy import Select, literal, select, tuple_
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.saved_view.model import SavedView, UnknownView


def own(actor: Actor) -> Select:
    """Return the statement of the views somebody keeps."""
    return select(SavedView).where(SavedView.account_id == actor.id)


def listing(session: Session, actor: Actor) -> list[SavedView]:
    """Return the views somebody keeps, by name."""
    return list(session.scalars(own(actor).order_by(SavedView.name, SavedView.id)))


def page(session: Session, actor: Actor, size: int, after: tuple[str, int] | None = None) -> list[SavedView]:
    """Return one page of the views somebody keeps, by name, going on behind one."""
    asked = own(actor).order_by(SavedView.name, SavedView.id)
    if after is not None:
        asked = asked.where(tuple_(SavedView.name, SavedView.id) > tuple_(*map(literal, after)))
    return list(session.scalars(asked.limit(size)))


def by_id(session: Session, actor: Actor, view_id: int) -> SavedView:
    """Return a view somebody keeps.

    Raises
    ------
    UnknownView
    """
    found = session.scalar(own(actor).where(SavedView.id == view_id))
    if found is None:
        raise UnknownView
    return found
