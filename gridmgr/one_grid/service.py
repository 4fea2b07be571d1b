"""Verbs of the one grid: merge the lists of single lines. They never commit."""

import secrets
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import service as accounts
from gridmgr.account.model import Account, RoleGrant
from gridmgr.account.rules import Actor, Grant, Role, require
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.one_grid import queries, rules
from gridmgr.one_grid.model import Entry, Member, MemberLine, Merged, NotAMicroGrid, Opened
from gridmgr.sheet import BadSheet, Sheet, SheetError


def merge(session: Session, actor: Actor, sheets: Mapping[str, Sheet]) -> Merged:
    """Merge the lists of single lines, by the names of their files, into the one list of each micro-grid.

    Rule: field.md §1, E4: whoever served one line is a member of the one grid, with that line kept. In the
    grids the lists name, what nobody serves any more ends; roles and accounts stay.

    Raises
    ------
    NotGranted, OutsideGrant
    BadSheet
        With every cell that cannot be used, named with its file; nothing is written.
    """
    require(actor, "account.manage", "")
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("gridmgr.one_grid"))))
    rows = [(file, row) for file, sheet in sheets.items() for row in sheet.rows]
    entries = [rules.entry(row) for _, row in rows]
    known = _accounts(session, {each.username for each in entries})
    wrong = [_of_file(file, error) for file, sheet in sheets.items() for error in sheet.errors]
    wrong += [
        _of_file(file, row.error("code", NotAMicroGrid(code=row["code"])))
        for (file, row), lost in zip(rows, _lost(session, entries), strict=True)
        if lost
    ]
    names = {username: account.name for username, account in known.items()}
    wrong += [
        _of_file(rows[place][0], rows[place][1].error(field, problem))
        for place, field, problem in rules.faults(entries, names)
    ]
    if wrong:
        raise BadSheet(wrong)
    grids = rules.merged(entries)
    opened = _open(session, grids, known)
    ended = _write(session, grids, known)
    return Merged(len(rows), grids, tuple(rules.hints(grids)), tuple(opened), ended)


def _of_file(file: str, error: SheetError) -> SheetError:
    """Return the error of a cell that names its file, too: several lists are read together."""
    return SheetError(**error.details | {"column": f"{file} · {error.details['column']}"})


def _lost(session: Session, entries: Sequence[Entry]) -> list[bool]:
    there = hierarchy.micro_grids(session, {each.code for each in entries})
    return [each.code not in there for each in entries]


def _accounts(session: Session, usernames: Iterable[str]) -> dict[str, Account]:
    asked = select(Account).where(Account.username.in_(list(usernames)))
    return {each.username: each for each in session.scalars(asked)}


def _open(
    session: Session, grids: Mapping[str, Sequence[Member]], known: dict[str, Account]
) -> Iterable[Opened]:
    """Open the accounts that are not there, and let everybody be a member of the own micro-grids."""
    opened, codes = [], _codes(grids)
    for username, (name, places) in codes.items():
        grants = [Grant(Role.GRID_MEMBER, code) for code in places]
        if username not in known:
            secret = secrets.token_urlsafe(9)
            known[username] = accounts.open_account(session, username, name, secret, grants)
            opened.append(Opened(username, name, secret))
            continue
        held = {each.code for each in known[username].grants if each.role == Role.GRID_MEMBER}
        for code in places:
            if not any(code.startswith(each) for each in held):
                known[username].grants.append(RoleGrant(role=Role.GRID_MEMBER, code=code))
    session.flush()
    return opened


def _codes(grids: Mapping[str, Sequence[Member]]) -> dict[str, tuple[str, list[str]]]:
    found: dict[str, tuple[str, list[str]]] = {}
    for code, members in grids.items():
        for each in members:
            found.setdefault(each.username, (each.name, []))[1].append(code)
    return found


def _write(session: Session, grids: Mapping[str, Sequence[Member]], known: Mapping[str, Account]) -> int:
    """Let the lines of these micro-grids be those of the lists; returns how many have ended."""
    now, before = clock.now(), queries.of(session, grids)
    held = {(c, each.username, line) for c, found in before.items() for each in found for line in each.lines}
    wanted = {(c, each.username, line) for c, found in grids.items() for each in found for line in each.lines}
    ids = {each.username: each.id for each in known.values()} | {
        each.username: each.id for each in _accounts(session, {name for _, name, _ in held}).values()
    }
    for code, username, line in sorted(held - wanted):
        gone = (
            MemberLine.code == code, MemberLine.account_id == ids[username], MemberLine.line == line,
            MemberLine.until.is_(None),
        )  # fmt: skip
        session.execute(update(MemberLine).where(*gone).values(until=now))
    new = [
        {"account_id": ids[username], "code": code, "line": line, "since": now}
        for code, username, line in sorted(wanted - held)
    ]
    if new:
        session.execute(insert(MemberLine), new)
    return len(held - wanted)


def follow_units(session: Session, heirs: Mapping[str, str], founded: Mapping[str, str]) -> None:
    """Let lines served in micro-grids that are no more go on in their heirs, and in what was cut from others."""
    now = clock.now()
    asked = select(MemberLine).where(
        MemberLine.until.is_(None), MemberLine.code.in_([*heirs, *heirs.values(), *founded.values()])
    )
    held = session.scalars(asked.with_for_update()).all()
    there = {(each.code, each.account_id, each.line) for each in held}
    for each in held:
        parts = [code for code, old in founded.items() if old == each.code]
        if each.code in heirs:
            each.until, parts = now, [heirs[each.code], *parts]
        for code in parts:
            if (code, each.account_id, each.line) not in there:
                there.add((code, each.account_id, each.line))
                session.add(MemberLine(account_id=each.account_id, code=code, line=each.line, since=now))
    session.flush()
