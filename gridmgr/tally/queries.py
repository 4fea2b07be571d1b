"""Counts and rows of figures as conditions over cases: what a figure counts and what its list shows is one thing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, case, cast, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from gridmgr import clock
from gridmgr.category import queries as matters
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.incident.rules import PUBLIC
from gridmgr.kept import kept
from gridmgr.life.model import Action, Source, State
from gridmgr.life.rules import CLOSED, OUT
from gridmgr.module import queries as modules
from gridmgr.module.model import UnknownModule
from gridmgr.module.rules import taking
from gridmgr.tally import rules
from gridmgr.tally.model import FigureTerms, Terms, UnknownCount, UnknownDimension

# 小事不出社区、大事不出街道 (C7): closed by the people of these levels, without any department.
CLOSED_IN = {"community": ("micro_grid", "community"), "street": ("micro_grid", "community", "street")}


def closed_in(level: str) -> ColumnElement[bool]:
    """Return the SQL condition that a case was closed inside a community, or inside a street."""
    closed = Incident.state.in_(CLOSED)
    return and_(closed, ~Incident.large_loop, Incident.level.in_(CLOSED_IN[level]))


# ---- terms -------------------------------------------------------------------------------------------


def terms(session: Session, at: date | None = None) -> Terms:
    """Return the terms of figures in force on a day; those the product comes with, if a district has set none."""
    day = at or clock.today()
    found = kept(session, "figure_terms", _read_terms)
    return next((each for effective, each in found if effective <= day), Terms())


def _read_terms(session: Session) -> list[tuple[date, Terms]]:
    known = rules.plain(Terms()).keys()
    return [
        (each.effective, rules.terms_of({name: each.terms[name] for name in known & each.terms.keys()}))
        for each in terms_set(session)
    ]


def terms_set(session: Session) -> list[FigureTerms]:
    """Return all terms ever set, the latest first."""
    asked = select(FigureTerms).order_by(FigureTerms.effective.desc(), FigureTerms.id.desc())
    return list(session.scalars(asked))


# ---- what is counted ---------------------------------------------------------------------------------

_EXCLUDED: dict[str, Callable[[], ColumnElement[bool]]] = {
    "suspended": lambda: Incident.state == State.SUSPENDED,
    "voided": lambda: Incident.state == State.VOIDED,
    "merged": lambda: Incident.state == State.MERGED,
    "unclocked": lambda: Incident.due_at.is_(None),
}


def conditions(given: Terms, without: tuple[str, ...] = ()) -> Mapping[str, ColumnElement[bool]]:
    """Return what each count counts, as conditions on cases as they stand at `clock.now()`.

    `without` is what a reader asked to leave out of what is due; () leaves out what the terms do.
    """
    now, case_ = clock.now(), Incident
    left = (~_EXCLUDED[name]() for name in rules.left_out(without, given.without))
    accepted = case_.accepted_at.is_not(None)
    finished = case_.state.in_(CLOSED)
    due = and_(accepted, finished | (case_.due_at <= now), *left)
    running = case_.state.not_in((*CLOSED, *OUT))
    settled = and_(
        finished, case_.due_at.is_(None), case_.handler.is_(None), case_.accepted_at == case_.closed_at
    )
    given_back = or_(case_.send_backs > 0, and_(case_.reopens > 0, _given_once()))
    dispatched = and_(accepted, or_(case_.handler.is_not(None), given_back))
    checked = or_(
        case_.state.in_((State.FED_BACK, State.VERIFIED)), finished, case_.reworks > 0, case_.reopens > 0
    )
    fed_back = and_(dispatched, checked)
    called = case_.source.in_(PUBLIC)
    rated = case_.satisfaction.is_not(None)
    soon = case_.accepted_at <= case_.reported_at + timedelta(hours=given.response_hours)
    return {
        "reported": true(),
        "accepted": accepted,
        "due": due,
        "closed": and_(due, finished),
        "closed_on_time": and_(due, finished, or_(case_.due_at.is_(None), case_.closed_at <= case_.due_at)),
        "overdue": and_(due, running, case_.due_at <= func.coalesce(case_.suspended_at, now)),
        "finished": finished,
        "in_community": closed_in("community"),
        "in_street": closed_in("street"),
        "whistled": and_(accepted, case_.whistles > 0),
        "settled": settled,
        "patrolled": and_(accepted, case_.source == Source.PATROL),
        "dispatched": dispatched,
        "sent_back": and_(dispatched, case_.send_backs > 0),
        "extended": and_(accepted, case_.extensions > 0),
        "paused": and_(accepted, case_.suspensions > 0),
        "fed_back": fed_back,
        "reworked": and_(fed_back, case_.reworks > 0),
        "ended": or_(finished, case_.reopens > 0),
        "reopened": case_.reopens > 0,
        "rated": rated,
        "satisfied": and_(rated, case_.satisfaction >= given.satisfied_from),
        "called": called,
        "responded": and_(called, soon),
        "called_due": and_(called, due),
        "resolved": and_(called, due, finished, case_.reopens == 0),
        "timed": and_(finished, accepted, ~settled),
    }


def _given_once() -> ColumnElement[bool]:
    """Return the condition that somebody was ever given the case, as recorded by now: opened again, nobody has it."""
    given = (
        select(IncidentEvent.id)
        .where(
            IncidentEvent.incident_id == Incident.id,
            IncidentEvent.action.in_((Action.DISPATCH, Action.REDIRECT, Action.ADOPT)),
            IncidentEvent.payload["handler"].astext.is_not(None),
            IncidentEvent.recorded_at <= clock.now(),
        )
        .limit(1)
    )
    return given.scalar_subquery().is_not(None)


def counted(session: Session, name: str, without: tuple[str, ...] = ()) -> ColumnElement[bool]:
    """Return the condition that a case is in a count, by the terms in force at `clock.now()`.

    Raises
    ------
    UnknownCount
    """
    found = conditions(terms(session), without)
    if name not in found:
        raise UnknownCount(name=name, known=", ".join(found))
    return found[name]


# ---- by what it is told ------------------------------------------------------------------------------

AREAS: dict[str, InstrumentedAttribute] = {
    "street": Incident.street_code,
    "community": Incident.community_code,
    "micro_grid": Incident.micro_grid_code,
    "building": Incident.building_code,
}


def worker() -> ColumnElement[int | None]:
    """Return the account that did the work last: who fed back, or settled it on the spot; as recorded by now."""
    return (
        select(IncidentEvent.actor_id)
        .where(
            IncidentEvent.incident_id == Incident.id,
            IncidentEvent.action.in_((Action.FEED_BACK, Action.SETTLE)),
            IncidentEvent.recorded_at <= clock.now(),
        )
        .order_by(IncidentEvent.seq.desc())
        .limit(1)
        .scalar_subquery()
    )


@dataclass(frozen=True)
class Dimension:
    """By what figures are told: the columns cases are grouped by, and the key of a row made of their values."""

    columns: Callable[[Session], list[ColumnElement]]
    key: Callable[[Session, tuple], str | None]
    holds: Callable[[Session, str], ColumnElement[bool]]
    """The condition that a case has this key; the empty key: that it has none."""


def _plain(column: Callable[[], ColumnElement], of: type = str) -> Dimension:
    def holds(session: Session, key: str) -> ColumnElement[bool]:
        if not key:
            return column().is_(None)
        return column() == key if of is str else column() == int(key) if key.isdecimal() else false()

    def text(session: Session, row: tuple) -> str | None:
        return None if row[0] is None else str(row[0])

    return Dimension(lambda session: [column()], text, holds)


def _body() -> ColumnElement[str | None]:
    return case((Incident.handler_code.is_(None), Incident.handler))


def _category_key(session: Session, row: tuple) -> str:
    return matters.by_id(session)[row[0]].code


def _of_category(session: Session, key: str) -> ColumnElement[bool]:
    ids = [each.id for each in matters.by_id(session).values() if each.code == key]
    return Incident.category_id.in_(ids)


def _regrouped(session: Session) -> ColumnElement[str | None]:
    """The area whose regrouping a case falls under, None outside all."""
    areas = sorted(modules.groupings(session), key=len, reverse=True)
    found = [(Incident.home.startswith(area, autoescape=True), area) for area in areas]
    return case(*found) if found else cast(None, Incident.handler.type)


def _module_key(session: Session, row: tuple) -> str | None:
    area, category_id = row
    if area is None:
        return None
    found = taking(modules.groupings(session)[area].modules, matters.by_id(session)[category_id].policy_code)
    return None if found is None else str(found.id)


def _of_module(session: Session, key: str) -> ColumnElement[bool]:
    if key:
        return taken(session, int(key)) if key.isdecimal() else false()
    every = (
        taken(session, each.id) for found in modules.groupings(session).values() for each in found.modules
    )
    return ~or_(false(), *every)


def taken(session: Session, module_id: int) -> ColumnElement[bool]:
    """Return the condition that a module takes a case: such matters, in its area, but for places of another way."""
    try:
        found, grouping = modules.module(session, module_id)
    except UnknownModule:
        return false()
    ids = [
        each.id
        for each in matters.by_id(session).values()
        if taking(grouping.modules, each.policy_code) is found
    ]
    apart = (
        Incident.home.startswith(each, autoescape=True) for each in modules.overridden(session, grouping.area)
    )
    inside = Incident.home.startswith(grouping.area, autoescape=True)
    return Incident.category_id.in_(ids) & inside & ~or_(false(), *apart)


DIMENSIONS: dict[str, Dimension] = {
    **{level: _plain(lambda level=level: AREAS[level]) for level in AREAS},
    "body": _plain(_body),
    "module": Dimension(lambda session: [_regrouped(session), Incident.category_id], _module_key, _of_module),
    "post": _plain(worker, int),
    "reporter": _plain(lambda: Incident.reporter_id, int),
    "category": Dimension(lambda session: [Incident.category_id], _category_key, _of_category),
    "source": _plain(lambda: Incident.source),
}
PEOPLE = ("post", "reporter")  # those that tell of persons


def dimension(by: str) -> Dimension:
    """Return by what figures are told.

    Raises
    ------
    UnknownDimension
    """
    if by not in DIMENSIONS:
        raise UnknownDimension(name=by, known=", ".join(DIMENSIONS))
    return DIMENSIONS[by]


def in_row(session: Session, by: str, key: str) -> ColumnElement[bool]:
    """Return the condition that a case stands in the row `key` of figures by `by`; the empty key: in none.

    Raises
    ------
    UnknownDimension
    """
    return dimension(by).holds(session, key)
