"""Reads of duty: who sits where at present, who is on duty and next, turns and leave as they are kept."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select, text, tuple_
from sqlalchemy.orm import Session, aliased

from gridmgr import clock
from gridmgr.account.model import Account, Role, RoleGrant
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import LEVEL_OF, Actor
from gridmgr.db import statement
from gridmgr.duty import rules
from gridmgr.duty.model import Leave, Shift, Turn, UnknownLeave
from gridmgr.kept import kept


def _sql(name: str) -> str:
    found, part = (statement(Path(__file__).with_name(each)) for each in (name, "unrostered.sql"))
    return found.replace("{unrostered}", part)


SITTING = _sql("sitting.sql")
"""Who sits where at the instant :at, as a part of other statements too."""
_DUTY = text(_sql("duty.sql"))
_ALWAYS = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Seats:
    """Who sits where from an instant until anybody comes or goes."""

    since: datetime
    until: datetime
    by_seat: dict[tuple[Role, str], set[int]] = field(default_factory=dict)
    by_body: dict[str, set[tuple[int, str]]] = field(default_factory=dict)  # accounts, and codes they sit on

    @cached_property
    def people(self) -> frozenset[int]:
        """Everybody who sits anywhere."""
        return frozenset(account for accounts in self.by_seat.values() for account in accounts)

    def at(self, roles: Iterable[Role], code: str) -> set[int]:
        """Return who sits for one of the roles on a place, or on any area around it."""
        prefixes = [code[:length] for length in range(len(code) + 1)]
        found = (self.by_seat.get((role, prefix), ()) for role in roles for prefix in prefixes)
        return {account for accounts in found for account in accounts}

    def of(self, body: str, code: str) -> set[int]:
        """Return who is there of a department in a place, or of a task force, wherever they usually work."""
        return {account for account, area in self.by_body.get(body, ()) if code.startswith(area)}


def seats(session: Session) -> Seats:
    """Return who sits where at present."""
    return kept(session, "seats", _read_seats, lambda found: found.since <= clock.now() < found.until)


def _read_seats(session: Session) -> Seats:
    return seats_at(session, clock.now())


def seats_at(session: Session, at: datetime) -> Seats:
    """Return who sits where at an instant."""
    found = Seats(*_unchanged(session, at))
    for role, code, account, body, also in session.execute(text(SITTING), {"at": at}):
        found.by_seat.setdefault((Role(role), code), set()).add(account)
        if body:
            found.by_body.setdefault(body, set()).add((account, code))
        for force in also:  # its cases may lie anywhere
            found.by_body.setdefault(force, set()).add((account, ""))
    return found


def _unchanged(session: Session, at: datetime) -> tuple[datetime, datetime]:
    """Return from when until when nobody comes or goes: for good where there is neither roster nor leave."""
    ahead = [
        session.scalar(select(func.min(instant)).where(instant > at))
        for instant in (Shift.begins, Shift.ends, Leave.begins, Leave.ends)
    ]
    if any(ahead):
        return at, min(filter(None, ahead))
    behind = any(session.scalar(select(table.id).limit(1)) for table in (Shift, Leave))
    return (at if behind else _ALWAYS[0]), _ALWAYS[1]


class Duty(NamedTuple):
    """Somebody at a seat of a unit, now or next; without a roster it is always, and nothing begins or ends."""

    role: str
    code: str
    name: str
    body: str | None
    away: bool
    cover: str | None  # who sits there instead of whoever is away
    substitute: bool
    begins: datetime | None
    ends: datetime | None
    now: bool


def on_duty(session: Session, code: str, at: datetime | None = None) -> list[Duty]:
    """Return who is on duty for a unit at an instant (now), and who is next, the nearest seats first."""
    around = [code[:length] for length in range(len(code) + 1)]
    values = {
        "around": around, "at": at or clock.now(), "roles": list(rules.SEATED), "levels": list(LEVEL_OF),
    }  # fmt: skip
    return [Duty(*row) for row in session.execute(_DUTY, values)]


def next_turn(
    session: Session, roles: Iterable[Role], code: str, after: datetime, before: datetime
) -> datetime | None:
    """Return when somebody next comes on duty for one of the roles at a place, or on an area around it.

    Whoever is away then and covered by nobody does not come.
    """
    around = [code[:length] for length in range(len(code) + 1)]
    absent = select(Leave.id).where(
        Leave.account_id == Shift.account_id, Leave.cover_id.is_(None),
        Leave.begins <= Shift.begins, Leave.ends > Shift.begins,
    )  # fmt: skip
    asked = select(func.min(Shift.begins)).where(
        Shift.role.in_(list(roles)), Shift.code.in_(around), Shift.begins > after, Shift.begins < before,
        ~absent.exists(),
    )  # fmt: skip
    return session.scalar(asked)


def inside(actor: Actor, code: str = "") -> ColumnElement[bool]:
    """Return the SQL condition that a turn is at a seat the actor may see, inside an area."""
    return visible_to(actor, Shift.code) & Shift.code.startswith(code, autoescape=True)


class Seated(NamedTuple):
    """A turn with the name of whoever has it and, if that person is away at its beginning, of whoever covers."""

    shift: Shift
    name: str
    away: bool
    cover: str | None


def page(
    session: Session, actor: Actor, since: datetime, until: datetime, code: str, size: int,
    after: tuple[str, str] | None = None,
) -> dict[tuple[str, str], list[Seated]]:  # fmt: skip
    """Return one page of seats, as (code, role) → turns between two instants, by code."""
    within = inside(actor, code) & (Shift.begins < until) & (Shift.ends > since)
    seat = select(Shift.code, Shift.role).where(within).distinct().order_by(Shift.code, Shift.role)
    if after is not None:
        seat = seat.where(tuple_(Shift.code, Shift.role) > after)
    found = {tuple(row): [] for row in session.execute(seat.limit(size))}
    covering = aliased(Account)
    asked = (
        select(Shift, Account.name, Leave.id.is_not(None), covering.name)
        .join(Account, Account.id == Shift.account_id)
        .outerjoin(
            Leave,
            (Leave.account_id == Shift.account_id)
            & (Leave.begins <= Shift.begins)
            & (Leave.ends > Shift.begins),
        )
        .outerjoin(covering, covering.id == Leave.cover_id)
        .where(within, tuple_(Shift.code, Shift.role).in_(found))
        .order_by(Shift.begins, Shift.substitute, Account.name)
    )
    for row in session.execute(asked) if found else ():
        found[row[0].code, row[0].role].append(Seated(*row))
    return found


def listing(
    session: Session, actor: Actor, since: datetime, until: datetime, code: str, size: int, after: int = 0
) -> list[tuple[Shift, str, str]]:
    """Return turns that reach into a stretch of time, with user name and name, going on after an id."""
    asked = (
        select(Shift, Account.username, Account.name)
        .join(Account, Account.id == Shift.account_id)
        .where(inside(actor, code), Shift.begins < until, Shift.ends > since, Shift.id > after)
    )
    return [tuple(row) for row in session.execute(asked.order_by(Shift.id).limit(size))]


def turns(session: Session, seats: Iterable[tuple[str, str]], since: datetime, until: datetime) -> list[Turn]:
    """Return the turns at some seats (role, code) that reach into a stretch of time."""
    asked = (
        select(Account.username, Shift.role, Shift.code, Shift.substitute, Shift.begins, Shift.ends)
        .join(Account, Account.id == Shift.account_id)
        .where(tuple_(Shift.role, Shift.code).in_(list(seats)), Shift.begins < until, Shift.ends > since)
    )
    return [Turn(*row) for row in session.execute(asked)]


def leaves(session: Session, actor: Actor, since: datetime) -> list[tuple[Leave, Account, Account | None]]:
    """Return the leave that has not ended by an instant, of people in the actor's scope, with who covers."""
    mine, covering = Account.grants.any(visible_to(actor, RoleGrant.code)), aliased(Account)
    asked = (
        select(Leave, Account, covering)
        .join(Account, Account.id == Leave.account_id)
        .outerjoin(covering, covering.id == Leave.cover_id)
        .where(Leave.ends > since, mine)
    )
    return [tuple(row) for row in session.execute(asked.order_by(Leave.begins, Leave.id))]


def leave(session: Session, leave_id: int) -> Leave:
    """Return one leave.

    Raises
    ------
    UnknownLeave
    """
    found = session.get(Leave, leave_id)
    if found is None:
        raise UnknownLeave
    return found
