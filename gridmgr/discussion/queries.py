"""Reads of comments and phrases."""

from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gridmgr.account import queries as accounts
from gridmgr.account.model import Account
from gridmgr.discussion.model import Comment, Phrase
from gridmgr.incident.model import Incident


def comments(session: Session, incident_id: int, size: int = 500, after: int = 0) -> list[Comment]:
    """Return the comments of a case in the order they were made."""
    asked = select(Comment).where(Comment.incident_id == incident_id, Comment.id > after)
    return list(session.scalars(asked.order_by(Comment.id).limit(size)))


def phrases(session: Session) -> list[Phrase]:
    """Return all phrases, by step."""
    return list(session.scalars(select(Phrase).order_by(Phrase.action, Phrase.category, Phrase.id)))


def who_see(session: Session, incident: Incident, names: Iterable[str]) -> list[int]:
    """Return the ids of those named, by user name or name, who may see a case."""
    names = list(names)
    if not names:
        return []
    asked = select(Account).where(Account.active, or_(Account.username.in_(names), Account.name.in_(names)))
    home = incident.micro_grid_code or incident.community_code or incident.street_code or ""
    return [
        account.id
        for account in session.scalars(asked.order_by(Account.id))
        if account.id == incident.reporter_id
        or any(home.startswith(code) for code in accounts.actor_of(account).scope)
    ]
