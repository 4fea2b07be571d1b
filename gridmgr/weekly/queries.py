"""Reads of weeks: the work of people and of streets, and the hours on duty, kept or counted from the rosters."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.model import Account, RoleGrant
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.db import statement
from gridmgr.duty.model import Leave, Shift
from gridmgr.hierarchy.model import STREET, GridUnit
from gridmgr.hierarchy.queries import valid_at
from gridmgr.weekly import rules
from gridmgr.weekly.model import Away, Turn, WeekKept, WeekOnDuty, Work

_WEEK = text(statement(Path(__file__).with_name("week.sql")))
Rows = dict[tuple[int | None, str], Work]


def is_kept(session: Session, monday: date) -> bool:
    """Tell whether the hours on duty of a week are kept for ever."""
    return session.get(WeekKept, monday) is not None


def people(session: Session, actor: Actor, monday: date, area: str = "") -> list[Work]:
    """Return the weeks of the people an actor may see, who has done most first: one's own, and those one leads.

    People with nothing to report are left out, oneself excepted.
    """
    work: dict[int, Work] = {}
    for (account, _street), each in _rows(session, monday).items():
        if account is not None:
            work[account] = work.get(account, Work()) + each
    leader = rules.leading(actor)
    shown = Account.grants.any(
        visible_to(leader, RoleGrant.code) & RoleGrant.code.startswith(area, autoescape=True)
    )
    if actor.id is not None and not area:
        shown = or_(shown, Account.id == actor.id)
    asked = select(Account.id, Account.username, Account.name, Account.body).where(shown)
    found = [
        Work(username, name, body or "") + work.get(account, Work())
        for account, username, name, body in session.execute(asked)
        if account in work or account == actor.id
    ]
    return sorted(found, key=lambda each: (-each.steps - each.reports - each.pieces, -each.seconds, each.key))


def streets(session: Session, actor: Actor, monday: date, area: str = "") -> list[Work]:
    """Return the weeks of the streets an actor leads, by code: all that was done there, by whomever."""
    leader = rules.leading(actor)
    asked = select(GridUnit.code, GridUnit.name).where(
        GridUnit.level == STREET, valid_at(monday), visible_to(leader, GridUnit.code),
        GridUnit.code.startswith(area, autoescape=True),
    )  # fmt: skip
    work: dict[str, Work] = {}
    for (_account, street), each in _rows(session, monday).items():
        work[street] = work.get(street, Work()) + each
    found = session.execute(asked.order_by(GridUnit.code))
    return [Work(code, name) + work.get(code, Work()) for code, name in found]


def _rows(session: Session, monday: date) -> Rows:
    """Return all work of a week by account and street; without an account: reports of nobody we know."""
    begin, end = clock.midnight(monday), clock.midnight(monday, 7)
    found: Rows = {}
    for account, street, *numbers in session.execute(_WEEK, {"begin": begin, "end": end}):
        found[account, street] = Work("", "", "", *numbers)
    for (account, street), seconds in duty_of(session, monday).items():
        found[account, street] = found.get((account, street), Work()) + Work(seconds=seconds)
    return found


def duty_of(session: Session, monday: date) -> dict[tuple[int, str], int]:
    """Return the seconds on duty in a week by account and street: as kept, else by the rosters as they stand."""
    if is_kept(session, monday):
        kept = select(WeekOnDuty.account_id, WeekOnDuty.street_code, WeekOnDuty.seconds)
        rows = session.execute(kept.where(WeekOnDuty.monday == monday))
        return {(account, street): seconds for account, street, seconds in rows}
    return counted(session, monday)


def counted(session: Session, monday: date) -> dict[tuple[int, str], int]:
    """Return the seconds on duty in a week by account and street, counted from rosters and leave up to now."""
    begin, end = clock.midnight(monday), min(clock.midnight(monday, 7), clock.now())
    known = session.scalars(select(GridUnit.code).where(GridUnit.level == STREET, valid_at(monday))).all()
    found: dict[tuple[int, str], int] = {}
    for (account, (_role, code)), seconds in on_duty(session, begin, end).items():
        place = (account, _street(code, known))
        found[place] = found.get(place, 0) + seconds
    return found


def on_duty(
    session: Session, begin: datetime, end: datetime, roles: Collection[str] = ()
) -> dict[tuple[int, tuple[str, str]], int]:
    """Return how many seconds people were on duty between two instants by (account, (role, code)), by the rosters.

    With roles only at seats of these.
    """
    within = (Shift.begins < end, Shift.ends > begin, *((Shift.role.in_(roles),) if roles else ()))
    columns = (Shift.account_id, Shift.role, Shift.code, Shift.substitute, Shift.begins, Shift.ends)
    turns = [
        Turn(account, (role, code), *rest)
        for account, role, code, *rest in session.execute(select(*columns).where(*within))
    ]
    leaves = session.scalars(select(Leave).where(Leave.begins < end, Leave.ends > begin))
    away = [Away(each.account_id, each.cover_id, each.begins, each.ends) for each in leaves]
    return rules.on_duty(turns, away, begin, end)


def _street(code: str, known: Iterable[str]) -> str:
    return next((street for street in known if code.startswith(street)), "")
