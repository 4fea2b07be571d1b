"""Reads of comments and phrases."""

from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from gridmgr.account import queries as accounts
from gridmgr.account.model import Account
from gridmgr.category import queries as matters
from gridmgr.category.rules import orphaned
from gridmgr.discussion import rules
from gridmgr.discussion.model import Comment, Orphan, Phrase
from gridmgr.incident.model import Incident
from gridmgr.policy import queries as policies


def comments(session: Session, incident_id: int, size: int = 500, after: int = 0) -> list[Comment]:
    """Return the comments of a case in the order they were made."""
    asked = select(Comment).where(Comment.incident_id == incident_id, Comment.id > after)
    return list(session.scalars(asked.order_by(Comment.id).limit(size)))


def phrases(session: Session) -> list[Phrase]:
    """Return all phrases, by step."""
    return list(session.scalars(select(Phrase).order_by(Phrase.action, Phrase.category, Phrase.id)))


def orphans(session: Session, after: Iterable[Mapping], day: date) -> list[Orphan]:
    """Return which policies and phrases fit a category of that day and none of a new table of categories."""
    codes = [row["code"] for row in after]
    before = [each.code for each in matters.in_force(session, day)]
    named = {"policy": policies.in_force(session, day), "phrase": phrases(session)}
    return [
        Orphan(kind, *each)
        for kind, rows in named.items()
        for each in sorted(orphaned([row.category for row in rows], before, codes).items())
    ]


def marked(session: Session, said: list[Comment]) -> list[tuple[Comment, list[tuple[str, bool]]]]:
    """Return comments, each with its text in pieces: plain, and the names of those it was found to mention."""
    ids = {each for comment in said for each in comment.mentions}
    asked = select(Account).where(Account.id.in_(ids))
    names = {each.id: (each.username, each.name) for each in session.scalars(asked)} if ids else {}
    return [
        (each, rules.pieces(each.text, {name for one in each.mentions for name in names.get(one, ())}))
        for each in said
    ]


def mentioned(session: Session, incident: Incident, said: str) -> list[int]:
    """Return the ids of those a comment names, by user name or name, who may see the case."""
    tried = list(rules.candidates(said))
    if not tried:
        return []
    either = or_(Account.username == func.any(tried), Account.name == func.any(tried))
    found = list(session.scalars(select(Account).where(Account.active, either).order_by(Account.id)))
    names = set(rules.named(said, {name for each in found for name in (each.username, each.name)}))
    return [each.id for each in found if {each.username, each.name} & names and _sees(each, incident)]


def _sees(account: Account, incident: Incident) -> bool:
    """Say of one account and one case what `incident.queries.visible` says of all."""
    codes = [incident.street_code or "", incident.community_code or "", incident.micro_grid_code or ""]
    scope = accounts.actor_of(account).scope
    return account.id == incident.reporter_id or any(c.startswith(prefix) for prefix in scope for c in codes)
