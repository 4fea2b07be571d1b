"""Verbs of modules: regroup an area, change a module, fill its posts, let bodies work in it. They never commit."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, inspect, select, update
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.model import Account, NoSuchArea, UnknownAccount
from gridmgr.account.rules import Actor, require
from gridmgr.hierarchy.model import UnitsSucceeded
from gridmgr.module import queries, rules
from gridmgr.module.model import (
    HoldsAlready,
    Module,
    ModuleBody,
    ModulePost,
    NameOfModuleMissing,
    Part,
    PeopleSeated,
    PostHolder,
    PostKind,
    PostThere,
    Regrouping,
    SeatOfModule,
    SeesNothingThere,
    WorksThereAlready,
)
from gridmgr.organisation import queries as organisation

Areas = Callable[[Iterable[str]], Iterable[str]]
LONGEST = 64


def regroup(
    session: Session, actor: Actor, area: str, template: str, picks: Sequence[str], areas: Areas,
    *, agreed: bool = False,
) -> Regrouping:  # fmt: skip
    """Regroup the work of an area by a template with the sub-modules picked; what it had before ends today.

    Rule: field.md §1, D1: as many are picked as the template says. Modules that stay keep their people; if
    posts of modules that end are held, this must be `agreed`.

    Raises
    ------
    NotGranted, OutsideGrant, NoSuchArea, UnknownTemplate, NotAPick, PicksOutOfRange, PeopleSeated
    """
    require(actor, "module.manage", area)
    if area and set(areas([area])):
        raise NoSuchArea(code=area)
    wanted = rules.parts(rules.template(template), picks)
    _one_by_one(session)
    now, before = clock.now(), queries.groupings(session).get(area)
    same = before is not None and before.template == template
    codes = {each.code for each in wanted} if same else set()
    ending = [each for each in (before.modules if before else ()) if each.code not in codes]
    _check_seated(session, ending, agreed)
    _end(session, [each.id for each in ending], now)
    row = session.get_one(Regrouping, before.id) if same else None
    if row is None:
        if before:
            session.get_one(Regrouping, before.id).until = now
            session.flush()  # one at a time is in force
        row = Regrouping(area=area, template=template, since=now, by_name=actor.name)
        session.add(row)
        session.flush()  # its modules point to it
    there = {each.code for each in before.modules} if same else set()
    for place, part in enumerate(wanted):
        if part.code not in there:
            _begin(session, row, part, place, now)
    session.flush()
    return row


def _check_seated(session: Session, ending: Sequence[Module], agreed: bool) -> None:
    seated = queries.seats(session, [each.id for each in ending])
    names = [account.name for found in seated.values() for seat in found for account in seat.holders]
    if names and not agreed:
        shown = ", ".join(dict.fromkeys(names[:5])) + (" …" if names[5:] else "")
        raise PeopleSeated(count=len(names), names=shown)


def _begin(session: Session, row: Regrouping, part: Part, place: int, now: datetime) -> None:
    module = Module(
        regrouping_id=row.id, code=part.code, name_zh=part.zh, name_en=part.en, under=part.under, place=place,
        prefixes=list(part.prefixes), fallback=part.fallback, since=now,
    )  # fmt: skip
    session.add(module)
    session.flush()  # its posts point to it
    for kind in (PostKind.LEAD, PostKind.DEPUTY):
        session.add(ModulePost(module_id=module.id, kind=kind, name="", since=now))


def _end(session: Session, module_ids: Sequence[int], now: datetime) -> None:
    """Let modules end, with their posts, those who hold them and the bodies in them."""
    posts = select(ModulePost.id).where(ModulePost.module_id.in_(module_ids)).scalar_subquery()
    for table, within in (
        (PostHolder, PostHolder.post_id.in_(posts)),
        (ModulePost, ModulePost.module_id.in_(module_ids)),
        (ModuleBody, ModuleBody.module_id.in_(module_ids)),
        (Module, Module.id.in_(module_ids)),
    ):
        session.execute(update(table).where(within, table.until.is_(None)).values(until=now))


def follow_units(session: Session, event: UnitsSucceeded) -> None:
    """Let the work of what is new be grouped as in the unit it is in the place of; what a unit had ends with it.

    A unit that was there keeps how its own work is grouped, or that it is not.
    """
    asked = select(Regrouping).where(
        Regrouping.until.is_(None), Regrouping.area.in_({*event.heirs, *event.models.values()})
    )
    found = session.scalars(asked.order_by(Regrouping.id)).all()
    if not found:
        return
    _one_by_one(session)
    now, there = clock.now(), queries.groupings(session)
    for each in found:
        for new in (new for new, old in event.models.items() if old == each.area and new not in there):
            row = Regrouping(area=new, template=each.template, since=now, by_name=each.by_name)
            session.add(row)
            session.flush()  # its modules point to it
            _like(session, each.id, row.id, now)
        if each.area in event.heirs:
            ending = select(Module.id).where(Module.regrouping_id == each.id, Module.until.is_(None))
            _end(session, list(session.scalars(ending)), now)
            each.until = now
    session.flush()


def _like(session: Session, before: int, after: int, now: datetime) -> None:
    """Let a grouping have the modules of another one, with their posts, those who hold them and their bodies."""
    for module, new in _copies(session, Module, Module.regrouping_id, before, after, now):
        for post, seat in _copies(session, ModulePost, ModulePost.module_id, module, new, now):
            _copies(session, PostHolder, PostHolder.post_id, post, seat, now)
        _copies(session, ModuleBody, ModuleBody.module_id, module, new, now)


def _copies(
    session: Session, table: type, of: Any, before: int, after: int, now: datetime
) -> list[tuple[int, int]]:
    """Copy the rows of a table that have not ended from one owner to another; returns (id, id of the copy)."""
    pairs = []
    for row in session.scalars(
        select(table).where(of == before, table.until.is_(None)).order_by(table.id)
    ).all():
        told = {each.key: getattr(row, each.key) for each in inspect(table).columns}
        pairs.append((row, table(**{**told, "id": None, of.key: after, "since": now})))
        session.add(pairs[-1][1])
    session.flush()
    return [(row.id, copy.id) for row, copy in pairs]


def change(
    session: Session, actor: Actor, module_id: int, zh: str, en: str, prefixes: Iterable[str]
) -> Module:
    """Call a module otherwise, or let it take other matters.

    Raises
    ------
    UnknownModule, NotGranted, OutsideGrant, NameOfModuleMissing, PrefixTaken
    """
    _one_by_one(session)
    kept, grouping = _managed(session, actor, module_id)
    wanted = list(dict.fromkeys(filter(None, (each.strip() for each in prefixes))))
    others = [(each.name_zh, each.prefixes) for each in grouping.modules if each.id != kept.id]
    rules.check_prefixes(wanted, others)
    row = session.get_one(Module, module_id)
    row.name_zh, row.name_en, row.prefixes = _name(zh), _name(en), wanted
    session.flush()
    return row


def appoint(session: Session, actor: Actor, post_id: int, username: str) -> PostHolder:
    """Give somebody a post; whoever led, or was deputy, until now ends that.

    Raises
    ------
    UnknownPost, NotGranted, OutsideGrant, UnknownAccount, SeesNothingThere, HoldsAlready
    """
    post = queries.post(session, post_id)
    _, grouping = _managed(session, actor, post.module_id)
    account = _person(session, username, grouping.area)
    now = clock.now()
    _one_by_one(session)
    (seat,) = [
        each for each in queries.seats(session, [post.module_id])[post.module_id] if each.post.id == post_id
    ]
    if account in seat.holders:
        raise HoldsAlready(name=account.name)
    if post.kind != PostKind.POST:
        for holder in seat.holders:
            _leave(session, post_id, holder.id, now)
    held = PostHolder(post_id=post_id, account_id=account.id, since=now)
    session.add(held)
    session.flush()
    return held


def dismiss(session: Session, actor: Actor, post_id: int, username: str) -> None:
    """Take a post from somebody; the record of who held it stays.

    Raises
    ------
    UnknownPost, NotGranted, OutsideGrant, UnknownAccount
    """
    post = queries.post(session, post_id)
    _managed(session, actor, post.module_id)
    account = accounts.by_username(session, username.strip())
    if account is None:
        raise UnknownAccount(username=username.strip())
    _leave(session, post_id, account.id, clock.now())


def _leave(session: Session, post_id: int, account_id: int, now: datetime) -> None:
    held = PostHolder.post_id == post_id, PostHolder.account_id == account_id, PostHolder.until.is_(None)
    session.execute(update(PostHolder).where(*held).values(until=now))


def add_post(session: Session, actor: Actor, module_id: int, name: str) -> ModulePost:
    """Add a post to a module.

    Raises
    ------
    UnknownModule, NotGranted, OutsideGrant, NameOfModuleMissing, PostThere
    """
    _managed(session, actor, module_id)
    named = _name(name)
    _one_by_one(session)
    if any(seat.post.name == named for seat in queries.seats(session, [module_id])[module_id]):
        raise PostThere(name=named)
    post = ModulePost(module_id=module_id, kind=PostKind.POST, name=named, since=clock.now())
    session.add(post)
    session.flush()
    return post


def end_post(session: Session, actor: Actor, post_id: int) -> None:
    """Let a post end, and whoever holds it leave it.

    Raises
    ------
    UnknownPost, SeatOfModule, NotGranted, OutsideGrant
    """
    post = queries.post(session, post_id)
    _managed(session, actor, post.module_id)
    if post.kind != PostKind.POST:
        raise SeatOfModule
    now = clock.now()
    held = update(PostHolder).where(PostHolder.post_id == post_id, PostHolder.until.is_(None))
    session.execute(held.values(until=now))
    post.until = now
    session.flush()


def join(session: Session, actor: Actor, module_id: int, body: str) -> None:
    """Let a body work in a module.

    Raises
    ------
    UnknownModule, NotGranted, OutsideGrant, UnknownBody, WorksThereAlready
    """
    _managed(session, actor, module_id)
    found = organisation.body(session, body)
    _one_by_one(session)
    if found.id in (each.id for each in queries.bodies(session, [module_id])[module_id]):
        raise WorksThereAlready(name=found.name)
    session.add(ModuleBody(module_id=module_id, body_id=found.id, since=clock.now()))
    session.flush()


def leave(session: Session, actor: Actor, module_id: int, body: str) -> None:
    """Let a body no longer work in a module.

    Raises
    ------
    UnknownModule, NotGranted, OutsideGrant, UnknownBody
    """
    _managed(session, actor, module_id)
    found = organisation.body(session, body)
    there = ModuleBody.module_id == module_id, ModuleBody.body_id == found.id, ModuleBody.until.is_(None)
    session.execute(update(ModuleBody).where(*there).values(until=clock.now()))


def _managed(session: Session, actor: Actor, module_id: int) -> tuple[Module, queries.Grouping]:
    found, grouping = queries.module(session, module_id)
    require(actor, "module.manage", grouping.area)
    return found, grouping


def _person(session: Session, username: str, area: str) -> Account:
    """Return an open account whose holder sees the area or something inside it."""
    found = accounts.by_username(session, username.strip())
    if found is None or not found.active:
        raise UnknownAccount(username=username.strip())
    if not any(area.startswith(each.code) or each.code.startswith(area) for each in found.grants):
        raise SeesNothingThere(name=found.name, code=area)
    return found


def _name(typed: str) -> str:
    if not (found := typed.strip()) or len(found) > LONGEST:
        raise NameOfModuleMissing
    return found


def _one_by_one(session: Session) -> None:
    """Let whoever else changes modules wait until this transaction ends: two could take one seat."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("gridmgr.module"))))
