"""Reads of positions: one's own, and those of the people an actor leads who are on duty now."""

from collections.abc import Iterable

from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.model import Account, RoleGrant
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.duty import queries as duty
from gridmgr.position import rules
from gridmgr.position.model import Position, Seen

_PLACE = (ST_X(Position.geom), ST_Y(Position.geom))


def shared(session: Session, actor: Actor) -> Position | None:
    """Return whether, and since when, somebody shares the own position; None if not."""
    return session.get(Position, actor.id) if actor.id is not None else None


def _visible(session: Session, actor: Actor) -> Select:
    """Return the statement of the positions an actor may see: of people whose seats lie in the actor's area.

    What is too old is nobody's to see even before the worker has forgotten it, nor is anybody off duty.
    """
    lasting = Position.sent_at > rules.forgotten_before(clock.now())
    there = list(session.scalars(select(Position.account_id).where(lasting)))
    seated = duty.seats(session).people.intersection(there)
    led = Account.grants.any(visible_to(rules.watching(actor), RoleGrant.code))
    return (
        select(Account, *_PLACE, Position.accuracy_m, Position.code, Position.sent_at)
        .join(Position, Position.account_id == Account.id)
        .where(lasting, Account.active, Account.id.in_(seated), led)
    )


def page(session: Session, actor: Actor, area: str, size: int, after: str = "") -> list[Seen]:
    """Return one page of the positions in an area, by user name, going on after one."""
    asked = _visible(session, actor).where(Account.username > after)
    if area:
        asked = asked.where(Position.code.startswith(area, autoescape=True))
    return [Seen(*row) for row in session.execute(asked.order_by(Account.username).limit(size))]


def of(session: Session, actor: Actor, accounts: Iterable[int]) -> dict[int, Seen]:
    """Return the positions of some people, of those the actor may see."""
    found = session.execute(_visible(session, actor).where(Account.id.in_(list(accounts))))
    return {row[0].id: Seen(*row) for row in found}
