"""Reads of the one list of each micro-grid."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr.account.model import Account
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.one_grid.model import Member, MemberLine


def page(
    session: Session, actor: Actor, area: str, size: int, after: str = ""
) -> dict[str, tuple[Member, ...]]:
    """Return one page of micro-grids in the actor's areas with their members and lines, going on after a code."""
    now = MemberLine.until.is_(None) & visible_to(actor, MemberLine.code)
    asked = select(MemberLine.code).where(
        now, MemberLine.code.startswith(area, autoescape=True), MemberLine.code > after
    )
    return of(session, session.scalars(asked.distinct().order_by(MemberLine.code).limit(size)))


def of(session: Session, codes: Iterable[str]) -> dict[str, tuple[Member, ...]]:
    """Return the members of micro-grids with the lines each serves, in the order of the codes."""
    found: dict[str, dict[str, tuple[str, list[str]]]] = {each: {} for each in codes}
    asked = (
        select(MemberLine, Account.username, Account.name)
        .join(Account, Account.id == MemberLine.account_id)
        .where(MemberLine.code.in_(found), MemberLine.until.is_(None))
        .order_by(MemberLine.code, Account.username, MemberLine.line)
    )
    for each, username, name in session.execute(asked):
        found[each.code].setdefault(username, (name, []))[1].append(each.line)
    return {
        code: tuple(Member(username, name, tuple(lines)) for username, (name, lines) in people.items())
        for code, people in found.items()
    }
