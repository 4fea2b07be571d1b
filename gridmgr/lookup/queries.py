"""Reads of a search: everything starts from what the actor may see, and is few."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, defer

from gridmgr.account.model import Account, RoleGrant
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor, can
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.duty import queries as duty
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import (
    BUILDING,
    COVERAGES,
    LEVELS,
    Crosswalk,
    GridUnit,
    Lineage,
    NoEdition,
    UnknownUnit,
)
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.lookup import rules
from gridmgr.lookup.model import Found, FoundPerson, FoundPlace, Spot
from gridmgr.notice.model import NoticeAddress, Way
from gridmgr.position import queries as positions

WIDE = 60  # units of the areas that are looked at before the best of them are chosen
SHORT = 2  # characters without which cases are not searched: nearly every one holds a single one


def find(session: Session, actor: Actor, typed: str, most: int = 5) -> Found:
    """Return what a text may mean, at most so many of each group; nothing for an empty one."""
    words = rules.tidied(typed)
    if not words:
        return Found(None, (), (), ())
    spot = _spot(session, actor, words)
    if spot:
        return Found(spot, (), (), ())
    return Found(
        None, _places(session, actor, words, most), _cases(session, actor, words, most),
        _people(session, actor, words, most),
    )  # fmt: skip


# ---- places ------------------------------------------------------------------------------------------


def _spot(session: Session, actor: Actor, words: str) -> Spot | None:
    place = rules.point(words)
    if place is None:
        return None
    try:
        found = hierarchy.locator(session).one(*place)
        code = next((each for level in reversed(LEVELS) if (each := getattr(found, level))), None)
        day = hierarchy.edition_at(session).effective
        unit = hierarchy.unit(session, actor, code, day) if code and found.how != "outside" else None
    except (NoEdition, UnknownUnit):
        unit = None
    return Spot(*place, unit)


def _places(session: Session, actor: Actor, words: str, most: int) -> list[FoundPlace]:
    try:
        day = hierarchy.edition_at(session).effective
    except NoEdition:
        return []
    found = {
        unit.code: FoundPlace(unit)
        for unit in (*_areas(session, actor, words, day), *_buildings(session, actor, words, day, most))
    }
    for each in _by_other_names(session, actor, words, day):
        found.setdefault(each.unit.code, each)
    levels = {level: n for n, level in enumerate(LEVELS)}
    best = sorted(
        found.values(),
        key=lambda each: rules.rank(words, each.unit.code, each.unit.name, levels[each.unit.level]),
    )
    return best[:most]


def _areas(session: Session, actor: Actor, words: str, day: date) -> Iterable[GridUnit]:
    """Return areas by name or code; of those that fit only in the middle, some."""
    named = GridUnit.level.in_(COVERAGES) & or_(
        GridUnit.name.icontains(words, autoescape=True), GridUnit.code.startswith(words, autoescape=True)
    )
    better = (GridUnit.code != words, GridUnit.name != words, func.length(GridUnit.code))
    return _units(session, actor, day, named, WIDE, *better)


def _buildings(session: Session, actor: Actor, words: str, day: date, most: int) -> list[GridUnit]:
    """Return buildings by code, then by name, then by address: each has an index of its own."""
    found: dict[str, GridUnit] = {}
    for fits in (
        GridUnit.code.startswith(words, autoescape=True),
        GridUnit.name.icontains(words, autoescape=True),
        GridUnit.address.icontains(words, autoescape=True),
    ):
        if len(found) < most:
            for unit in _units(session, actor, day, (GridUnit.level == BUILDING) & fits, most):
                found.setdefault(unit.code, unit)
    return list(found.values())[:most]


def _units(
    session: Session, actor: Actor, day: date, fits: ColumnElement[bool], most: int, *order: ColumnElement
) -> list[GridUnit]:
    asked = select(GridUnit).where(fits, hierarchy.valid_at(day), hierarchy.visible_units(actor))
    asked = asked.order_by(*order) if order else asked
    return list(session.scalars(asked.options(defer(GridUnit.geom)).limit(most)))


def _by_other_names(session: Session, actor: Actor, words: str, day: date) -> Iterable[FoundPlace]:
    """Yield the units that an earlier map, or another list, calls so, with that code or name; the exact ones first."""
    went = (
        select(GridUnit, Lineage.old_code)
        .join(Lineage, Lineage.new_code == GridUnit.code)
        .where(Lineage.old_code == words, Lineage.new_code != words, hierarchy.NET)
        .order_by(Lineage.id.desc())
    )
    name, code = Crosswalk.foreign_name, Crosswalk.foreign_code
    listed = (
        select(GridUnit, name + " " + code)
        .join(Crosswalk, Crosswalk.code == GridUnit.code)
        .where(or_(code == words, name.icontains(words, autoescape=True)))
        .order_by(code != words, name != words, func.length(name), GridUnit.code)
    )
    for asked in (went, listed):
        mine = asked.where(hierarchy.valid_at(day), hierarchy.visible_units(actor)).limit(WIDE)
        for unit, called in session.execute(mine.options(defer(GridUnit.geom))):
            yield FoundPlace(unit, called)


# ---- cases and people --------------------------------------------------------------------------------


def _cases(session: Session, actor: Actor, words: str, most: int) -> list[Incident]:
    """Return the case of that number, else cases by all of the words, the newest first."""
    exact = session.scalar(incidents.visible(actor).where(Incident.number == words))
    if exact is not None or len(words) < SHORT:
        return [exact] if exact is not None else []
    return casebook.page(session, actor, Search(words=words), most)


def _people(session: Session, actor: Actor, words: str, most: int) -> list[FoundPerson]:
    """Return people whose seats lie in the actor's area, by name or user name; offices find them by phone, too."""
    names = [column.icontains(words, autoescape=True) for column in (Account.name, Account.username)]
    figures = rules.phone(words)
    if figures and can(actor, "duty.manage"):
        phones = select(NoticeAddress.account_id).where(
            NoticeAddress.way == Way.SMS, NoticeAddress.address.contains(figures, autoescape=True)
        )
        names.append(Account.id.in_(phones))
    mine = Account.grants.any(visible_to(actor, RoleGrant.code))
    asked = select(Account).where(Account.active, mine, or_(*names))
    order = (Account.name != words, func.length(Account.name), Account.username)
    found = list(session.scalars(asked.order_by(*order).limit(most)))
    if not found:
        return []
    seated = duty.seats(session).people
    seen = positions.of(session, actor, [each.id for each in found])
    return [FoundPerson(each, each.id in seated, seen.get(each.id)) for each in found]
