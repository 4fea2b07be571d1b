"""Verbs of bodies: found, change, rename, close one; take a table of them. They never commit."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from gridmgr.account.model import Account, NoSuchArea
from gridmgr.account.rules import Actor, can, require
from gridmgr.events import emit
from gridmgr.organisation import queries, rules
from gridmgr.organisation.model import Body, BodyKind, BodyRenamed, BodyTwice, Described, Fate, NameTaken
from gridmgr.sheet import Row, Sheet, SheetError

Areas = Callable[[Iterable[str]], Iterable[str]]
"""Returns those of some code prefixes that no unit's code begins with."""


def found(session: Session, actor: Actor, told: Described, areas: Areas) -> Body:
    """Found a body.

    Raises
    ------
    NotGranted, OutsideGrant, NoSuchArea, NameTaken, and all that `rules.faults` finds
    """
    _one_by_one(session)
    if (other := queries.named(session, told.name)) is not None:
        raise NameTaken(name=told.name, other=other.name)
    return _kept(session, actor, told, None, areas)


def change(session: Session, actor: Actor, name: str, told: Described, areas: Areas) -> Body:
    """Change a body, its name too: people and open cases follow, and the old name stays an alias.

    Raises
    ------
    UnknownBody, NotGranted, OutsideGrant, NoSuchArea, StillNeeded, NameTaken, and all that `rules.faults` finds
    """
    _one_by_one(session)
    return _kept(session, actor, told, queries.body(session, name), areas)


def _kept(session: Session, actor: Actor, told: Described, kept: Body | None, areas: Areas) -> Body:
    register = _described(session)
    before = register.pop(kept.name) if kept else None
    if told.name in register:
        raise NameTaken(name=told.name, other=told.name)
    if before and before.name != told.name:
        told = replace(told, aliases=tuple(dict.fromkeys([*told.aliases, before.name])))
        register = {name: _with_name(each, before.name, told.name) for name, each in register.items()}
    told = replace(told, aliases=tuple(each for each in told.aliases if each != told.name))
    for each in filter(None, (before, told)):
        require(actor, "organisation.manage", each.territory)
    if told.territory and set(areas([told.territory])):
        raise NoSuchArea(code=told.territory)
    register[told.name] = told
    for _, _, problem in rules.faults(register, [told.name]):
        raise problem
    if before and before.active and not told.active:
        people = queries.people(session).get(before.name, 0)
        if (reason := rules.closing(told, register.values(), people)) is not None:
            raise reason
    if before and before.name != told.name:
        _rename(session, before.name, told.name)
    return _write(session, [told], kept and {told.name: kept.id})[0]


def _with_name(each: Described, before: str, after: str) -> Described:
    lines = tuple(after if line == before else line for line in each.lines)
    return replace(each, home=after if each.home == before else each.home, lines=lines)


def _rename(session: Session, before: str, after: str) -> None:
    """Let everything that is not finished call a body by its new name."""
    session.execute(update(Account).where(Account.body == before).values(body=after))
    named = Body.lines.contains([before])
    renamed = func.array_replace(Body.lines, before, after)
    session.execute(update(Body).where(named).values(lines=renamed), execution_options=_PLAIN)
    emit(session, BodyRenamed(before, after))


_PLAIN = {"synchronize_session": False}


def import_bodies(session: Session, actor: Actor, sheet: Sheet, areas: Areas) -> list[Fate]:
    """Found and change the bodies of a table, all or none; nothing is closed by being left out.

    Raises
    ------
    BadSheet
        With every cell that cannot be used; nothing is written.
    """
    _one_by_one(session)
    before = _described(session)
    told = _plain({row["name"]: _told(row, before.get(row["name"])) for row in sheet.rows}, before)
    rows = sheet.accepted(_errors(session, actor, sheet.rows, before, told, set(areas(_codes(told)))))
    fates = [Fate(row.number, row["name"], _fate(before.get(row["name"]), told[row["name"]])) for row in rows]
    _write(session, [told[each.name] for each in fates if each.fate != "unchanged"], None)
    return fates


def _errors(
    session: Session, actor: Actor, rows: Iterable[Row], before: dict[str, Described],
    told: dict[str, Described], lost: set[str],
) -> Iterable[SheetError]:  # fmt: skip
    register, people = before | told, queries.people(session)
    found: dict[str, list] = {}
    for name, field, problem in rules.faults(register, told):
        found.setdefault(name, []).append((field, problem))
    seen: set[str] = set()
    for row in rows:
        name, territory = row["name"], row["territory"]
        if name in seen:
            yield row.error("name", BodyTwice())
            continue
        seen.add(name)
        if territory in lost:
            yield row.error("territory", NoSuchArea(code=territory))
        for code in {territory, before[name].territory if name in before else territory}:
            if (reason := can(actor, "organisation.manage", code).reason) is not None:
                yield row.error("territory", reason)
        closes = name in before and before[name].active and not row["active"]
        if closes and (reason := rules.closing(told[name], register.values(), people.get(name, 0))):
            yield row.error("active", reason)
        yield from (row.error(field, problem) for field, problem in found.get(name, ()))


def _told(row: Row, before: Described | None) -> Described:
    told = Described(**{name: row[name] for name in rules.TABLE})
    return told if told.aliases or before is None else replace(told, aliases=before.aliases)


def _plain(told: dict[str, Described], before: dict[str, Described]) -> dict[str, Described]:
    """Return bodies with home and lines by their names, where somebody used short ones."""
    names = rules.called((before | told).values())
    return {
        each.name: replace(
            each, home=names.get(each.home, each.home),
            lines=tuple(names.get(line, line) for line in each.lines),
        )
        for each in told.values()
    }  # fmt: skip


def _codes(told: dict[str, Described]) -> set[str]:
    return {each.territory for each in told.values() if each.territory}


def _fate(before: Described | None, after: Described) -> str:
    if before is None:
        return "added"
    return "unchanged" if before == after else "changed"


def _write(session: Session, told: Iterable[Described], ids: dict[str, int] | None) -> list[Body]:
    """Write bodies as they are told; those without an id are found by their names, or new."""
    bodies = []
    for each in told:
        known = (ids or {}).get(each.name)
        row = session.get(Body, known) if known else _by_name(session, each.name)
        row = row or Body(name=each.name)
        row.name, row.kind, row.aliases = each.name, each.kind, list(each.aliases)
        row.territory, row.phone, row.active = each.territory, each.phone, each.active
        row.lines = list(each.lines)
        session.add(row)
        bodies.append((row, each))
    session.flush()  # homes point to rows of the same table
    for row, each in bodies:
        row.home_id = queries.body(session, each.home).id if each.home else None
    session.flush()
    return [row for row, _ in bodies]


def _by_name(session: Session, name: str) -> Body | None:
    return session.scalar(select(Body).where(Body.name == name))


def _described(session: Session) -> dict[str, Described]:
    register = queries.register(session)
    return {name: register.described(each) for name, each in register.by_name.items()}


def raise_body(session: Session, name: str, territory: str) -> Body:
    """Add the body of a task force; its own noun says who may and what for.

    Raises
    ------
    NameTaken
    """
    _one_by_one(session)
    if (other := queries.named(session, name)) is not None:
        raise NameTaken(name=name, other=other.name)
    return _write(session, [Described(name, BodyKind.TASK_FORCE, territory=territory)], None)[0]


def close_body(session: Session, body_id: int) -> None:
    """Close the body of a task force; its name stays its own."""
    session.get_one(Body, body_id).active = False
    session.flush()


def _one_by_one(session: Session) -> None:
    """Let whoever else changes bodies wait until this transaction ends: two could give one name."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("gridmgr.organisation"))))
