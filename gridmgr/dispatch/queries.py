"""Reads of dispatch: settings in force, whom cases should go to, the dispatch desk. Many cases cost what one does."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, false, func, literal, select, text, union_all
from sqlalchemy import case as when
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor, Role
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Place, Search
from gridmgr.category import queries as matters
from gridmgr.category.model import Category, UnknownCategory
from gridmgr.db import statement
from gridmgr.desk.rules import TO_DISPATCH
from gridmgr.dispatch import rules
from gridmgr.dispatch.model import (
    Basis,
    Cause,
    DispatchHold,
    DispatchSetting,
    Load,
    Mode,
    Named,
    Presence,
    Reason,
    Suggestion,
    UnknownSetting,
)
from gridmgr.duty import queries as duty
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COVERAGES, GridUnit, NoEdition
from gridmgr.i18n import language
from gridmgr.incident.model import Incident
from gridmgr.incident.rules import ON_THE_GROUND
from gridmgr.kept import kept
from gridmgr.life.rules import OPEN
from gridmgr.module import queries as modules
from gridmgr.organisation import queries as organisation
from gridmgr.responsibility import queries as responsibility
from gridmgr.responsibility.model import NoOwner, NotOnTheList, Owner

Body = tuple[str, str | None]
"""A body by its name; with a code, the own people of that unit."""
_ROSTER = text(statement(Path(__file__).with_name("roster.sql")))


# ---- settings ----------------------------------------------------------------------------------------


def settings(session: Session, at: date | None = None) -> list[DispatchSetting]:
    """Return for each area the setting that is in force on a day, those of narrower areas last."""
    day = at or clock.today()
    ruling = {each.code: each for each in kept(session, "dispatch", _read_settings) if each.effective <= day}
    return [ruling[code] for code in sorted(ruling)]


def _read_settings(session: Session) -> list[DispatchSetting]:
    return list(session.scalars(select(DispatchSetting).order_by(DispatchSetting.effective)))


def listing(session: Session, actor: Actor) -> list[DispatchSetting]:
    """Return all settings, past and to come, of areas in the actor's scope or around it; the last first."""
    around = [DispatchSetting.code == code[:n] for code in actor.scope for n in range(len(code))]
    mine = visible_to(actor, DispatchSetting.code)
    for each in around:
        mine |= each
    asked = select(DispatchSetting).where(mine)
    return list(session.scalars(asked.order_by(DispatchSetting.code, DispatchSetting.effective.desc())))


def setting(session: Session, setting_id: int) -> DispatchSetting:
    """Return a setting that has not begun yet.

    Raises
    ------
    UnknownSetting
    """
    found = session.get(DispatchSetting, setting_id)
    if found is None or found.effective <= clock.today():
        raise UnknownSetting
    return found


def in_areas(settings: Iterable[DispatchSetting], fits) -> ColumnElement[bool]:
    """Return the condition that the setting of a case's own area fits, for each area its narrowest setting."""
    found = sorted(settings, key=lambda each: len(each.code), reverse=True)
    rows = [
        (Incident.home.startswith(each.code, autoescape=True), literal(bool(fits(each)))) for each in found
    ]
    return when(*rows, else_=false()) if rows else false()


def automatic_anywhere(session: Session) -> bool:
    """Tell whether any area has automatic dispatch today."""
    return any(each.mode == Mode.AUTOMATIC for each in settings(session))


# ---- suggestions -------------------------------------------------------------------------------------


def suggestions(session: Session, cases: Sequence[Incident]) -> list[Suggestion]:
    """Return for each case who should get it, the best first, each with its reasons.

    Rule: `rules.candidates` over list × grid × roster × load.
    """
    if not cases:
        return []
    named, lacking = _named(session, cases)
    bodies = {(one.body, one.code) for each in named.values() for one in each}
    places = {(one.body, one.code, case.home) for case in cases for one in named[case.id]}
    present, loads = presences(session, places), load(session, bodies)
    modes, found = settings(session), []
    for case in cases:
        there = {(one.body, one.code): present[one.body, one.code, case.home] for one in named[case.id]}
        facts = rules.Facts(named[case.id], there, loads, (case.owner, case.owner_code))
        chosen = rules.setting_for(modes, case.home)
        mode = Mode(chosen.mode) if chosen else Mode.SUGGEST
        able = rules.candidates(facts)
        found.append(Suggestion(case.number, able, lacking.get(case.id, ()), mode))
    return found


def _named(
    session: Session, cases: Sequence[Incident]
) -> tuple[dict[int, list[Named]], dict[int, tuple[Reason, ...]]]:
    """Return by case whom the list names for it, and why a list names nobody."""
    categories, units = matters.by_id(session), _units(session, cases)
    owners: dict[tuple[str, str], list[Named] | Reason] = {}
    named, lacking = {}, {}
    for case in cases:
        category = categories[case.category_id]
        key = category.code, case.home
        if key not in owners:
            owners[key] = _by_list(session, category, case.home)
        found = owners[key]
        if isinstance(found, Reason):
            lacking[case.id], found = (found,), []
        named[case.id] = [*_placed(found, case, units), *_simple(session, category, case, units)]
    return named, lacking


def _by_list(session: Session, category: Category, home: str) -> list[Named] | Reason:
    """Return whom the list in force at a place names for a matter, or why nobody."""
    try:
        owner = responsibility.owner_of(session, category.policy_code, home)
    except NoOwner:
        return _by_module(session, category, home) or Reason(Cause.NO_OWNER)
    except UnknownCategory:  # of an older table, or another system's own
        if not category.department:
            return Reason(Cause.UNKNOWN_BODY)
        owner = Owner(category.department)
    item = {"edition": owner.edition, "item": owner.item, "clause": owner.clause}
    beside = [Named(each, Basis.COOPERATING, item=item) for each in owner.cooperating]
    if owner.territorial:
        own = Named("", Basis.TERRITORY, item=item)
        return [Named(owner.lead, Basis.LEAD, item=item), own, *beside]
    return [*_of_lead(session, owner.lead, home, item), *beside]


def _by_module(session: Session, category: Category, home: str) -> list[Named] | Reason | None:
    """Return the bodies of the module that takes a matter nobody owns, or at least which module that is.

    Rule: field.md §1, A1: a matter nobody owns goes to a module, not to a quarrel.
    """
    module = modules.module_for(session, category.policy_code, home)
    if module is None:
        return None
    lead = modules.lead(session, module.id)
    told = {"module": module.name(language.get()), "lead": lead.name if lead else "—"}
    bodies = modules.bodies(session, [module.id])[module.id]
    named = [Named(each.name, Basis.MODULE, item=told) for each in bodies if each.active]
    return named or Reason(Cause.MODULE, told)


def _of_lead(session: Session, lead: str, home: str, item: Mapping[str, str]) -> list[Named]:
    """Return the lead of a matter with the team or the station that does its work at a place."""
    lead = organisation.present_name(session, lead)
    team = organisation.enforcement(session, lead, home)
    station = organisation.station(session, lead, home)
    found = [Named(lead, Basis.LEAD, item=item)]
    if team:
        found = [Named(team[0], Basis.TEAM, item=item), Named(team[1], Basis.COOPERATING, item=item), *found]
    elif station:
        found.insert(0, Named(station.name, Basis.STATION, item=item | {"lead": lead}))
    return found


def _placed(found: Sequence[Named], case: Incident, units: Mapping[str, str]) -> list[Named]:
    """Return what a list names, its territory as the community whose people it means here."""
    code = case.community_code or case.home
    return [
        replace(one, body=units.get(code, code), code=code) if one.basis is Basis.TERRITORY else one
        for one in found
        if one.basis is not Basis.TERRITORY or code
    ]


def _simple(session: Session, category: Category, case: Incident, units: Mapping[str, str]) -> list[Named]:
    """Return the micro-grid's own people for what may be settled on the spot, unless no list gives it to them."""
    code = case.micro_grid_code
    if not category.simple or not code:
        return []
    try:
        responsibility.check_given(session, category, code)
    except NotOnTheList:
        return []
    return [Named(units.get(code, code), Basis.SIMPLE, code)]


def _units(session: Session, cases: Iterable[Incident]) -> dict[str, str]:
    codes = {code for case in cases for code in (case.micro_grid_code, case.community_code) if code}
    try:
        return hierarchy.names(session, codes, hierarchy.edition_at(session).effective)
    except NoEdition:
        return {}


def presences(
    session: Session, places: Collection[tuple[str, str | None, str]]
) -> dict[tuple[str, str | None, str], Presence]:
    """Return who is there of bodies for places (body, code of own people or None, code of the place)."""
    seats, at = duty.seats(session), clock.now()
    units = {code for _, code, _ in places if code}
    values = {
        "at": at, "bodies": sorted({body for body, code, _ in places if not code}), "roles": list(ON_THE_GROUND),
        "around": sorted({code[:n] for code in units for n in range(len(code) + 1)}),
    }  # fmt: skip
    turns: dict[str | None, list[tuple]] = {}
    for body, area, until, begins in session.execute(_ROSTER, values):
        turns.setdefault(body, []).append((area, until, begins))
    found = {}
    for body, code, home in places:
        around = code or home
        people = seats.at(ON_THE_GROUND, code) if code else seats.of(body, home)
        here = [turn for turn in turns.get(None if code else body, ()) if around.startswith(turn[0])]
        until = max((turn[1] for turn in here if turn[1]), default=None)
        begins = min((turn[2] for turn in here if turn[2]), default=None)
        found[body, code, home] = Presence(len(people), until if people else None, begins)
    return found


def load(session: Session, bodies: Collection[Body]) -> dict[Body, Load]:
    """Return how many open cases bodies have, at work or answered for until another takes them, and how many late."""
    if not bodies:
        return {}
    names = sorted({body for body, _ in bodies})
    open_ = Incident.closed_at.is_(None) & Incident.state.in_(OPEN)
    apart = Incident.owner.is_distinct_from(Incident.handler) | Incident.owner_code.is_distinct_from(
        Incident.handler_code
    )
    both = union_all(
        select(Incident.handler, Incident.handler_code, casebook.late().label("late")).where(
            open_, Incident.handler.in_(names)
        ),
        select(Incident.owner, Incident.owner_code, casebook.late()).where(
            open_, Incident.owner.in_(names), apart
        ),
    ).subquery()
    rows = session.execute(
        select(both.c[0], both.c[1], func.count(), func.count().filter(both.c.late)).group_by(
            both.c[0], both.c[1]
        )
    )
    counted = {(body, code): Load(number, late) for body, code, number, late in rows}
    return {body: counted.get(body, Load()) for body in bodies}


# ---- the desk ----------------------------------------------------------------------------------------


def queue(actor: Actor, **narrowed: object) -> Search:
    """Return what lies on somebody's dispatch desk, as the worklists of My work count it."""
    return replace(TO_DISPATCH(actor), **narrowed)


def page(
    session: Session, actor: Actor, search: Search, size: int, behind: Place | None = None
) -> list[tuple[Incident, Suggestion]]:
    """Return one page of the dispatch desk: cases with whom they should go to."""
    cases = casebook.page(session, actor, search, size, behind)
    return list(zip(cases, suggestions(session, cases), strict=True))


class Manned(NamedTuple):
    """A unit where people are on duty: of a body, or, without one, its grid members."""

    code: str
    name: str
    lon: float
    lat: float
    body: str
    people: int


def manned(session: Session, actor: Actor, search: Search) -> list[Manned]:
    """Return where people are on duty now in the communities of the cases found, and around them, as map points."""
    near = casebook.matching(session, actor, search).with_only_columns(Incident.community_code).distinct()
    communities = [code for code in session.scalars(near) if code]
    seats = duty.seats(session)
    found: dict[tuple[str, str], set[int]] = {}
    for (role, area), people in seats.by_seat.items():
        if role is Role.GRID_MEMBER:
            found.setdefault((area, ""), set()).update(people)
    for body, posts in seats.by_body.items():
        for account, area in posts:
            found.setdefault((area, body), set()).add(account)
    inside = GridUnit.geom.ST_PointOnSurface()
    asked = select(GridUnit.code, GridUnit.name, inside.ST_X(), inside.ST_Y()).where(
        GridUnit.level.in_(COVERAGES), hierarchy.valid_at(clock.today()), visible_to(actor, GridUnit.code),
        GridUnit.code.in_({area for area, _ in found if _near(area, communities)}),
    )  # fmt: skip
    units = {row[0]: row for row in session.execute(asked)}
    return [
        Manned(*units[area], body, len(people)) for (area, body), people in found.items() if area in units
    ]


def _near(area: str, communities: Iterable[str]) -> bool:
    return any(area.startswith(code) or code.startswith(area) for code in communities)


def holds(session: Session, ids: Collection[int]) -> dict[int, DispatchHold]:
    """Return why automatic dispatch has left cases to people, by case."""
    asked = select(DispatchHold).where(DispatchHold.incident_id.in_(list(ids)))
    return {each.incident_id: each for each in session.scalars(asked)}
