"""Reads of modules: of an area, of a matter at a place; their posts, bodies and past."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr.account.model import Account
from gridmgr.kept import kept
from gridmgr.module import rules
from gridmgr.module.model import (
    Module,
    ModuleBody,
    ModulePost,
    NotRegrouped,
    PostHolder,
    PostKind,
    Regrouping,
    UnknownModule,
    UnknownPost,
)
from gridmgr.organisation import queries as organisation
from gridmgr.organisation.model import Body


@dataclass(frozen=True)
class Grouping:
    """How the work of an area is regrouped now: main modules each before its sub-modules."""

    id: int
    area: str
    template: str
    since: datetime
    modules: tuple[Module, ...]

    def subs(self, main: Module) -> list[Module]:
        """Return the sub-modules of a module."""
        return [each for each in self.modules if each.under == main.code]


def groupings(session: Session) -> dict[str, Grouping]:
    """Return how the work is regrouped now, by area."""
    return kept(session, "modules", _read)


def _read(session: Session) -> dict[str, Grouping]:
    modules: dict[int, list[Module]] = {}
    asked = select(Module).where(Module.until.is_(None)).order_by(Module.place, Module.id)
    for each in session.scalars(asked):
        modules.setdefault(each.regrouping_id, []).append(each)
    rows = session.scalars(select(Regrouping).where(Regrouping.until.is_(None)).order_by(Regrouping.area))
    return {
        row.area: Grouping(row.id, row.area, row.template, row.since, _ordered(modules.get(row.id, [])))
        for row in rows
    }


def _ordered(modules: list[Module]) -> tuple[Module, ...]:
    found: list[Module] = []
    for each in modules:
        if each.under is None:
            found += [each, *(sub for sub in modules if sub.under == each.code)]
    return tuple(found)


def grouping(session: Session, code: str) -> Grouping | None:
    """Return how the work of a place is regrouped: as its own area says, else as the nearest one around it."""
    around = [each for each in groupings(session).values() if code.startswith(each.area)]
    return max(around, key=lambda each: len(each.area), default=None)


def module_for(session: Session, category_code: str, unit_code: str) -> Module | None:
    """Return which module of a place takes a matter, None if its work is not regrouped.

    Rule: field.md §1, A1: a matter nobody owns goes to a module, not to a quarrel.
    """
    found = grouping(session, unit_code)
    return rules.taking(found.modules, category_code) if found else None


def own(session: Session, area: str) -> Grouping:
    """Return how an area itself is regrouped.

    Raises
    ------
    NotRegrouped
    """
    found = groupings(session).get(area)
    if found is None:
        raise NotRegrouped(area=area or "-")
    return found


def module(session: Session, module_id: int) -> tuple[Module, Grouping]:
    """Return a module there is now, with its grouping; it belongs to no session.

    Raises
    ------
    UnknownModule
    """
    for each in groupings(session).values():
        for found in each.modules:
            if found.id == module_id:
                return found, each
    raise UnknownModule


def overridden(session: Session, area: str) -> list[str]:
    """Return the areas inside an area whose work is regrouped in their own way."""
    return [each for each in groupings(session) if each != area and each.startswith(area)]


@dataclass(frozen=True)
class Seat:
    """A post of a module with who holds it: accounts, the longest there first."""

    post: ModulePost
    holders: tuple[Account, ...]


def seats(session: Session, module_ids: Iterable[int]) -> dict[int, list[Seat]]:
    """Return the posts there are now of modules, the lead first, then the deputy, with their holders."""
    ids = list(module_ids)
    posts = session.scalars(
        select(ModulePost)
        .where(ModulePost.module_id.in_(ids), ModulePost.until.is_(None))
        .order_by(ModulePost.id)
    ).all()
    held: dict[int, list[Account]] = {}
    asked = (
        select(PostHolder.post_id, Account)
        .join(Account, Account.id == PostHolder.account_id)
        .where(PostHolder.post_id.in_([post.id for post in posts]), PostHolder.until.is_(None))
        .order_by(PostHolder.since, PostHolder.id)
    )
    for post_id, account in session.execute(asked) if posts else ():
        held.setdefault(post_id, []).append(account)
    found: dict[int, list[Seat]] = {each: [] for each in ids}
    order = list(PostKind)
    for post in sorted(posts, key=lambda each: (order.index(PostKind(each.kind)), each.id)):
        found[post.module_id].append(Seat(post, tuple(held.get(post.id, ()))))
    return found


def post(session: Session, post_id: int) -> ModulePost:
    """Return a post there is now.

    Raises
    ------
    UnknownPost
    """
    found = session.get(ModulePost, post_id)
    if found is None or found.until is not None:
        raise UnknownPost
    return found


def lead(session: Session, module_id: int) -> Account | None:
    """Return who leads a module (牵头人), None if nobody does."""
    found = seats(session, [module_id])[module_id]
    return next((seat.holders[0] for seat in found if seat.post.kind == PostKind.LEAD and seat.holders), None)


def bodies(session: Session, module_ids: Iterable[int]) -> dict[int, list[Body]]:
    """Return the bodies that work in modules now."""
    ids, register = list(module_ids), organisation.register(session)
    found: dict[int, list[Body]] = {each: [] for each in ids}
    asked = select(ModuleBody).where(ModuleBody.module_id.in_(ids), ModuleBody.until.is_(None))
    for each in session.scalars(asked.order_by(ModuleBody.id)):
        found[each.module_id].append(register.by_id[each.body_id])
    return found


@dataclass(frozen=True)
class Past:
    """What an area's work was regrouped into for a time: the template, its modules, and who held which post."""

    regrouping: Regrouping
    modules: tuple[Module, ...]
    held: tuple[
        tuple[str, str, str, datetime, datetime | None], ...
    ]  # module, post's kind or name, who, from, until


def history(session: Session, area: str) -> list[Past]:
    """Return how an area's work was regrouped so far, the present one first."""
    rows = session.scalars(
        select(Regrouping)
        .where(Regrouping.area == area)
        .order_by(Regrouping.since.desc(), Regrouping.id.desc())
    ).all()
    modules: dict[int, list[Module]] = {}
    asked = select(Module).where(Module.regrouping_id.in_([row.id for row in rows]))
    for each in session.scalars(asked.order_by(Module.place, Module.id)):
        modules.setdefault(each.regrouping_id, []).append(each)
    names = {each.id: each.name_zh for found in modules.values() for each in found}
    held: dict[int, list] = {}
    holders = (
        select(Module.regrouping_id, Module.id, ModulePost.kind, ModulePost.name, Account.name, PostHolder)
        .join(ModulePost, ModulePost.module_id == Module.id)
        .join(PostHolder, PostHolder.post_id == ModulePost.id)
        .join(Account, Account.id == PostHolder.account_id)
        .where(Module.id.in_(names))
        .order_by(PostHolder.since, PostHolder.id)
    )
    for regrouping, module_id, kind, name, who, held_by in session.execute(holders) if names else ():
        told = (names[module_id], name or kind, who, held_by.since, held_by.until)
        held.setdefault(regrouping, []).append(told)
    return [Past(row, tuple(modules.get(row.id, ())), tuple(held.get(row.id, ()))) for row in rows]
