"""Verbs of duty: bring a roster, grant and take back leave. They never commit."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, tuple_
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.model import Account, NoSuchArea, UnknownAccount
from gridmgr.account.rules import Actor, can, require
from gridmgr.clock import FIRST_DAY, LAST_DAY, BeyondCalendar
from gridmgr.duty import queries, rules
from gridmgr.duty.model import (
    AwayAlready,
    Brought,
    CoverAway,
    CoverElsewhere,
    CoversNobody,
    CoversThen,
    EndsFirst,
    Leave,
    LeaveTooLong,
    NobodyOfThatName,
    NotTheirSeat,
    Shift,
    Turn,
)
from gridmgr.sheet import Row, Sheet, SheetError


def import_shifts(
    session: Session, actor: Actor, sheet: Sheet, areas: Callable[[Iterable[str]], Iterable[str]]
) -> Brought:
    """Take a roster, all or nothing: at each seat it names, it replaces the turns from its first to its last one.

    `areas` returns those of the code prefixes that no unit's code begins with. Holes are told, not refused:
    who leaves a night empty may mean it.

    Raises
    ------
    BadSheet
        With every cell that cannot be used; nothing is written.
    """
    _one_by_one(session)
    people = _people(session, (row["username"] for row in sheet.rows))
    lost = set(areas({row["code"] for row in sheet.rows if row["code"]}))
    strange = list(_strange(actor, sheet.rows, people, lost))
    told = [(row, list(rules.turns(row, clock.zone()))) for row in sheet.rows]
    spans = _spans(turn for _, found in told for turn in found)
    around = _kept_around(session, spans)
    names = {username: account.name for username, account in people.items()}
    sheet.accepted([*strange, *rules.clashes(told, around, names)])
    brought = [turn for _, found in told for turn in found]
    replaced = sum(_clear(session, seat, *span) for seat, span in spans.items())
    if brought:
        session.execute(insert(Shift), [_values(turn, people[turn.username].id) for turn in brought])
    gaps = rules.gaps(rules.holes([*brought, *around]))
    return Brought(tuple(brought), replaced, tuple(gaps))


def _people(session: Session, usernames: Iterable[str]) -> dict[str, Account]:
    asked = select(Account).where(Account.username.in_(set(usernames)), Account.active)
    return {each.username: each for each in session.scalars(asked)}


def _strange(
    actor: Actor, rows: Sequence[Row], people: dict[str, Account], lost: set[str]
) -> Iterator[SheetError]:
    for row in rows:
        account, role, code = people.get(row["username"]), row["role"], row["code"]
        if code in lost:
            yield row.error("code", NoSuchArea(code=code))
        elif reason := can(actor, "duty.manage", code).reason:
            yield row.error("code", reason)
        if account is None:
            yield row.error("username", NobodyOfThatName())
        elif not any(each.role == role and code.startswith(each.code) for each in account.grants):
            yield row.error("role", NotTheirSeat())


def _spans(turns: Iterable[Turn]) -> dict[tuple[str, str], tuple[datetime, datetime]]:
    """Return from when until when a roster speaks of each seat."""
    found: dict[tuple[str, str], tuple[datetime, datetime]] = {}
    for turn in turns:
        begins, ends = found.get(turn.seat, (turn.begins, turn.ends))
        found[turn.seat] = min(begins, turn.begins), max(ends, turn.ends)
    return found


def _kept_around(session: Session, spans: dict[tuple[str, str], tuple[datetime, datetime]]) -> list[Turn]:
    """Return the turns that stay and reach into what a roster speaks of: those that begin before it or after."""
    if not spans:
        return []
    first, last = min(begins for begins, _ in spans.values()), max(ends for _, ends in spans.values())
    found = queries.turns(session, spans, first, last)
    return [turn for turn in found if not spans[turn.seat][0] <= turn.begins < spans[turn.seat][1]]


def _clear(session: Session, seat: tuple[str, str], begins: datetime, ends: datetime) -> int:
    gone = delete(Shift).where(
        tuple_(Shift.role, Shift.code) == seat, Shift.begins >= begins, Shift.begins < ends
    )
    return session.execute(gone).rowcount


def _values(turn: Turn, account_id: int) -> dict:
    return {
        "account_id": account_id, "role": turn.role, "code": turn.code, "substitute": turn.substitute,
        "begins": turn.begins, "ends": turn.ends,
    }  # fmt: skip


def grant_leave(
    session: Session, actor: Actor, username: str, begins: datetime, ends: datetime, cover: str = "",
    reason: str = "",
) -> Leave:  # fmt: skip
    """Let somebody be away; `cover` sits at all the seats of that person meanwhile.

    Raises
    ------
    UnknownAccount, BeyondCalendar, EndsFirst, LeaveTooLong, CoversNobody, AwayAlready, CoversThen, CoverAway,
    CoverElsewhere
    NotGranted, OutsideGrant
        The actor leads nobody in the areas of that person.
    """
    _one_by_one(session)
    person = _led(session, actor, username)
    if not all(FIRST_DAY.year < each.year < LAST_DAY.year for each in (begins, ends)):
        raise BeyondCalendar(most=clock.MOST_YEARS)
    if ends <= begins:
        raise EndsFirst
    if ends - begins > timedelta(days=rules.LONGEST_LEAVE):
        raise LeaveTooLong(most=rules.LONGEST_LEAVE)
    covering = _known(session, cover) if cover else None
    if covering is person:
        raise CoversNobody
    if other := _away(session, person, begins, ends):
        raise AwayAlready(name=person.name, begins=_said(other.begins), ends=_said(other.ends))
    if _away(session, person, begins, ends, Leave.cover_id):
        raise CoversThen(name=person.name)
    if covering:
        _check_cover(session, person, covering, begins, ends)
    granted = Leave(
        account_id=person.id, cover_id=covering.id if covering else None, begins=begins, ends=ends, reason=reason,
    )  # fmt: skip
    session.add(granted)
    session.flush()  # whoever asks next in this transaction sees it, and its id
    return granted


def end_leave(session: Session, actor: Actor, leave_id: int) -> None:
    """Take leave back that has not begun, or let it end now.

    Raises
    ------
    UnknownLeave, NotGranted, OutsideGrant
    """
    found = queries.leave(session, leave_id)
    _led(session, actor, session.get_one(Account, found.account_id).username)
    now = clock.now()
    if found.begins >= now:
        session.delete(found)
    else:
        found.ends = min(found.ends, now)
    session.flush()


def _led(session: Session, actor: Actor, username: str) -> Account:
    """Return the account of somebody the actor leads: on every area that person holds a role on."""
    person = _known(session, username)
    require(actor, "duty.manage")
    for grant in person.grants:
        require(actor, "duty.manage", grant.code)
    return person


def _known(session: Session, username: str) -> Account:
    found = accounts.by_username(session, username.strip())
    if found is None or not found.active:
        raise UnknownAccount(username=username.strip())
    return found


def _check_cover(
    session: Session, person: Account, covering: Account, begins: datetime, ends: datetime
) -> None:
    """Refuse a cover who is away, or who would be told of cases that are hidden from that person."""
    if _away(session, covering, begins, ends):
        raise CoverAway(name=covering.name)
    for grant in person.grants:
        if not any(grant.code.startswith(own.code) for own in covering.grants):
            raise CoverElsewhere(name=covering.name, code=grant.code)


def _away(
    session: Session, account: Account, begins: datetime, ends: datetime, who: Any = Leave.account_id
) -> Leave | None:
    """Return leave that overlaps a time and in which an account is the one away, or in the column `who`."""
    asked = select(Leave).where(who == account.id, Leave.begins < ends, Leave.ends > begins)
    return session.scalar(asked.limit(1))


def _said(instant: datetime) -> str:
    return f"{clock.local(instant):%Y-%m-%d %H:%M}"


def _one_by_one(session: Session) -> None:
    """Let whoever else changes rosters wait until this transaction ends: two could take one seat."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("gridmgr.duty"))))


def follow_units(
    session: Session, heirs: Mapping[str, str], founded: Mapping[str, str]
) -> set[tuple[int, str, str]]:
    """Move turns that have not ended from units that are no more to their heirs; who sits at a unit sits at its parts.

    Where the heir's seat has a main already, who comes to it is a substitute. Returns (account, before, after).
    """
    asked = select(Shift).where(Shift.ends > clock.now(), Shift.code.in_([*heirs, *founded.values()]))
    held = session.scalars(asked.order_by(Shift.begins, Shift.id).with_for_update()).all()
    taken = select(Shift).where(Shift.ends > clock.now(), Shift.code.in_([*heirs.values()]))
    seated = [each for each in session.scalars(taken) if not each.substitute]
    moved = set()
    for each in held:
        for new in (code for code, old in founded.items() if old == each.code):
            told = {name: getattr(each, name) for name in _SHIFT}
            session.add(Shift(**told | {"code": new}))
            moved.add((each.account_id, each.code, new))
        if each.code in heirs:
            moved.add((each.account_id, each.code, heirs[each.code]))
            each.code = heirs[each.code]
            each.substitute = each.substitute or any(_meet(each, other) for other in seated)
            seated += [] if each.substitute else [each]
    session.flush()
    return moved


_SHIFT = ("account_id", "role", "code", "substitute", "begins", "ends")


def _meet(one: Shift, other: Shift) -> bool:
    same = (one.role, one.code) == (other.role, other.code)
    return same and one.begins < other.ends and other.begins < one.ends
