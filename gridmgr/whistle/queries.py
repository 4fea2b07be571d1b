"""Reads of whistles: those that concern an actor, how the called stand, and how they come when they are called."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from geoalchemy2.elements import WKTElement
from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.model import Account, Role
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.duty import queries as duty
from gridmgr.incident.model import Incident
from gridmgr.incident.queries import SCOPED
from gridmgr.kept import kept
from gridmgr.life.rules import OUT
from gridmgr.organisation import queries as organisation
from gridmgr.whistle import rules
from gridmgr.whistle.model import (
    OPEN,
    Call,
    Deed,
    Standing,
    Terms,
    UnknownWhistle,
    Whistle,
    WhistleDeed,
    WhistleTerms,
)

MOST_OPEN = 500  # open whistles that are looked through for what waits for somebody


@dataclass(frozen=True)
class Search:
    """What a list of whistles is narrowed to; every field may be absent."""

    state: Standing | None = None
    open: bool = False  # proposed or blown
    area: str = ""
    body: str = ""  # whom it calls


def visible(actor: Actor) -> Select:
    """Return the statement of the whistles that concern an actor, with their cases.

    They are those on cases in the actor's scope, and those that call the actor's own department or street: who is
    called from over a border has to know where to.
    """
    reach = or_(visible_to(actor, *SCOPED), Whistle.id.in_(select(Call.whistle_id).where(_calls(actor))))
    return select(Whistle, Incident).join(Incident, Incident.id == Whistle.incident_id).where(reach)


def _calls(actor: Actor) -> ColumnElement[bool]:
    mine = visible_to(actor, Call.unit_code)
    return or_(mine, Call.body == actor.body) if actor.body else mine


def page(
    session: Session, actor: Actor, search: Search, size: int, before: int | None = None
) -> list[tuple[Whistle, Incident]]:
    """Return one page of whistles with their cases, the newest first, going on after the whistle `before`."""
    asked = visible(actor)
    if search.state:
        asked = asked.where(Whistle.state == search.state)
    if search.open:
        asked = asked.where(Whistle.state.in_(OPEN))
    if search.area:
        asked = asked.where(Incident.home.startswith(search.area, autoescape=True))
    if search.body:
        asked = asked.where(Whistle.id.in_(select(Call.whistle_id).where(Call.body == search.body)))
    if before is not None:
        asked = asked.where(Whistle.id < before)
    return [tuple(row) for row in session.execute(asked.order_by(Whistle.id.desc()).limit(size))]


def whistle(session: Session, actor: Actor, whistle_id: int) -> tuple[Whistle, Incident]:
    """Return one whistle and its case.

    Raises
    ------
    UnknownWhistle
    """
    row = session.execute(visible(actor).where(Whistle.id == whistle_id)).first()
    if row is None:
        raise UnknownWhistle(id=whistle_id)
    return tuple(row)


def of_case(session: Session, incident_id: int) -> list[Whistle]:
    """Return the whistles on a case, the newest first."""
    asked = select(Whistle).where(Whistle.incident_id == incident_id)
    return list(session.scalars(asked.order_by(Whistle.id.desc())))


def calls(session: Session, whistles: Collection[int]) -> dict[int, list[Call]]:
    """Return whom whistles call, the one in the lead first."""
    asked = select(Call).where(Call.whistle_id.in_(whistles))
    found: dict[int, list[Call]] = {}
    for each in session.scalars(asked.order_by(Call.whistle_id, Call.lead.desc(), Call.id)):
        found.setdefault(each.whistle_id, []).append(each)
    return found


def deeds(session: Session, whistles: Collection[int]) -> dict[int, list[WhistleDeed]]:
    """Return what was done about whistles, in order."""
    asked = select(WhistleDeed).where(WhistleDeed.whistle_id.in_(whistles))
    found: dict[int, list[WhistleDeed]] = {}
    for each in session.scalars(asked.order_by(WhistleDeed.whistle_id, WhistleDeed.seq)):
        found.setdefault(each.whistle_id, []).append(each)
    return found


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """Return how many visible whistles stand in each way."""
    asked = visible(actor).with_only_columns(Whistle.state, func.count()).group_by(Whistle.state)
    return dict(tuple(row) for row in session.execute(asked))


def waiting_for(session: Session, actor: Actor) -> dict[str, list[tuple[Whistle, Incident]]]:
    """Return the whistles that wait for an actor: to be approved, to report in to, to be rated; the newest first."""
    found = page(session, actor, Search(open=True), MOST_OPEN)
    ended = visible(actor).where(
        Whistle.state == Standing.ENDED,
        Whistle.ended_at > clock.now() - timedelta(days=terms(session).rating_days),
    )
    found += [tuple(row) for row in session.execute(ended.order_by(Whistle.id.desc()).limit(MOST_OPEN))]
    called = calls(session, [whistle.id for whistle, _ in found])

    def those(fits: Callable[[Whistle, str, list[Call]], bool]) -> list[tuple[Whistle, Incident]]:
        return [(one, case) for one, case in found if fits(one, case.home, called.get(one.id, []))]

    def any_call(deed: Deed) -> Callable[[Whistle, str, list[Call]], bool]:
        return lambda one, home, each: any(deed in rules.call_deeds(actor, one, home, call) for call in each)

    return {
        "approve": those(lambda one, home, each: Deed.BLOW in rules.deeds(actor, one, home, each)),
        "report_in": those(any_call(Deed.REPORT_IN)),
        "rate": those(any_call(Deed.RATE)),
    }


def running(session: Session, caller: str, caller_code: str | None) -> int:
    """Return how many whistles of a caller are open, emergencies apart."""
    asked = select(func.count()).where(
        Whistle.caller == caller, Whistle.caller_code == caller_code, Whistle.state.in_(OPEN),
        Whistle.why != "emergency",
    )  # fmt: skip
    return session.scalar(asked)


def bodies(session: Session, home: str = "") -> list[str]:
    """Return whom a whistle can call to a place: the departments, and the stations and teams of its territory.

    Where no bodies are kept, they are those of the matters in force, and those people work for.
    """
    there = organisation.bodies(session)
    if there:
        return [name for name, body in there.items() if rules.can_be_called(body, home)]
    named = {each.department for each in matters.in_force(session)} - {""}
    staffed = select(Account.body).where(Account.active, Account.body.is_not(None)).distinct()
    return sorted(named | set(session.scalars(staffed)))


# ---- people ------------------------------------------------------------------------------------------


def approvers(session: Session, whistle: Whistle, case: Incident) -> set[int | None]:
    """Return who is asked to approve: the street's leader, or the command centre where there is none on duty."""
    seats = duty.seats(session)
    leaders = seats.at([Role.STREET_LEADER], case.home) if whistle.upward else set()
    return leaders - {whistle.proposer_id} or seats.at([Role.COMMAND_CENTRE], case.home)


def callers(session: Session, whistle: Whistle, case: Incident) -> set[int | None]:
    """Return the people of whoever called: the street's desk and leader, or the department's people."""
    seats = duty.seats(session)
    if whistle.caller_code is not None:
        return seats.at(rules.STREET, whistle.caller_code)
    return set(seats.of(whistle.caller, case.home))


def those_called(session: Session, found: Iterable[Call], case: Incident) -> set[int | None]:
    """Return the people of those called: of a department, whoever works around the place, or else all of them."""
    seats, people = duty.seats(session), set()
    for call in found:
        if call.unit_code is not None:
            people |= seats.at(rules.STREET, call.unit_code)
        else:
            everyone = {account for account, _ in seats.by_body.get(call.body, ())}
            people |= seats.of(call.body, case.home) or everyone
    return people


# ---- places ------------------------------------------------------------------------------------------


def places(session: Session, whistles: Collection[int]) -> dict[int, tuple[float, float]]:
    """Return where those called by whistles meet, as longitude and latitude in WGS-84."""
    asked = select(Whistle.id, ST_X(Whistle.geom), ST_Y(Whistle.geom)).where(Whistle.id.in_(whistles))
    return {row[0]: (row[1], row[2]) for row in session.execute(asked)}


def point(lon: float, lat: float) -> WKTElement:
    """Return a place in WGS-84 as it is stored."""
    return WKTElement(f"POINT({lon!r} {lat!r})", srid=4326)


# ---- terms -------------------------------------------------------------------------------------------


def terms(session: Session, at: date | None = None) -> Terms:
    """Return the terms in force on a day; those the product comes with, if a district has set none."""
    day = at or clock.today()
    found = kept(session, "whistle_terms", _read_terms)
    return next((each for effective, each in found if effective <= day), Terms())


def _read_terms(session: Session) -> list[tuple[date, Terms]]:
    asked = select(WhistleTerms).order_by(WhistleTerms.effective.desc(), WhistleTerms.id.desc())
    return [(each.effective, rules.terms_of(each.terms)) for each in session.scalars(asked)]


def terms_set(session: Session) -> list[WhistleTerms]:
    """Return all terms ever set, the latest first."""
    asked = select(WhistleTerms).order_by(WhistleTerms.effective.desc(), WhistleTerms.id.desc())
    return list(session.scalars(asked))


# ---- figures -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WhistleRate:
    """How many of the cases accepted in a period had a whistle blown on them, and whether that is healthy."""

    accepted: int
    whistled: int
    terms: Terms

    @property
    def rate(self) -> float | None:
        """Cases with a whistle per accepted case, None if none was accepted."""
        return self.whistled / self.accepted if self.accepted else None

    @property
    def verdict(self) -> str:
        """Where the rate lies: low, healthy, high, or unknown."""
        if self.rate is None:
            return "unknown"
        below, above = self.rate < self.terms.band_low, self.rate > self.terms.band_high
        return "low" if below else "high" if above else "healthy"


def whistle_rate(
    session: Session, actor: Actor, since: datetime, until: datetime, area: str = ""
) -> WhistleRate:
    """Return the whistle rate of the visible cases accepted between two instants."""
    asked = (
        select(func.count(), func.count().filter(Incident.whistles > 0))
        .select_from(Incident)
        .where(visible_to(actor, *SCOPED), Incident.accepted_at >= since, Incident.accepted_at < until)
        .where(Incident.state.not_in(OUT))
    )
    if area:
        asked = asked.where(Incident.home.startswith(area, autoescape=True))
    return WhistleRate(*session.execute(asked).one(), terms(session))
