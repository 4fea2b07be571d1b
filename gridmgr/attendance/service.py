"""Verbs of those a whistle calls: answer, report in, be excused, be rated; miss who stays away. They never commit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.datum import to_wgs84
from gridmgr import clock
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Actor
from gridmgr.attendance import queries
from gridmgr.clock import TimeUnit
from gridmgr.duty import queries as duty
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident
from gridmgr.incident.rules import check_degrees
from gridmgr.life.model import Action
from gridmgr.life.rules import OPEN as OPEN_CASES
from gridmgr.notice.model import Kind
from gridmgr.supervision import service as supervision
from gridmgr.supervision.model import SupervisedAlready
from gridmgr.whistle import queries as reads
from gridmgr.whistle import rules
from gridmgr.whistle import service as whistles
from gridmgr.whistle.model import (
    Call,
    CallSettled,
    Deed,
    PhotoMissing,
    RatingOver,
    Standing,
    Whistle,
)


def answer(session: Session, actor: Actor, whistle_id: int, call_id: int, note: str = "") -> Call:
    """Say that one is coming; the clock runs on until somebody reports in: a silent word is no presence.

    Raises
    ------
    UnknownWhistle, UnknownCall, DeedImpossible, CallSettled, NotCalled, NoteMissing
    """
    whistle, case, call = _called(session, actor, whistle_id, call_id, Deed.ANSWER, note)
    call.answered_at = clock.now()
    whistles.note_of(session, whistle, actor, Deed.ANSWER, note, call)
    whistles.tell(
        session,
        Kind.WHISTLE_ANSWERED,
        whistle,
        case,
        reads.callers(session, whistle, case),
        actor,
        note,
        call,
    )
    return call


def report_in(
    session: Session, actor: Actor, whistle_id: int, call_id: int, lon: float, lat: float, datum: str,
    files: Sequence[Mapping[str, str]], note: str = "",
) -> Call:  # fmt: skip
    """Report in (报到) with a place and a photo; whoever is elsewhere is taken at his word, and flagged.

    Raises
    ------
    UnknownWhistle, UnknownCall, DeedImpossible, CallSettled, NotCalled, NoteMissing, NoPlace, UnknownDatum,
    PhotoMissing, BadField
    """
    whistle, case, call = _called(session, actor, whistle_id, call_id, Deed.REPORT_IN, note)
    check_degrees(lon, lat)
    lon, lat = (float(each) for each in to_wgs84(lon, lat, datum))
    (described,) = incident.described(session, [files])
    if not any(each["media_type"].startswith("image/") for each in described):
        raise PhotoMissing
    call.arrived_at, call.arrived_name = clock.now(), actor.name
    call.answered_at = call.answered_at or call.arrived_at
    call.arrived_geom = reads.point(lon, lat)
    call.distance_m = round(queries.distance(session, whistle.id, lon, lat), 1)
    grid = queries.grid_of(session, lon, lat)
    same = grid is not None and grid == queries.grid_of(
        session, *reads.places(session, [whistle.id])[whistle.id]
    )
    call.far = rules.is_far(call.distance_m, same, rules.terms_of(whistle.terms))
    whistles.note_of(session, whistle, actor, Deed.REPORT_IN, note, call)
    more = {
        "body": call.body,
        "distance_m": call.distance_m,
        "far": call.far,
        "note": note,
        "files": described,
    }
    whistles.in_history(session, case, actor, Action.REPORT_IN, whistle, more)
    incident.attach(session, [(case.id, case.last_seq, described)])
    whistles.tell(
        session, Kind.REPORTED_IN, whistle, case, reads.callers(session, whistle, case), actor, note, call
    )
    return call


def excuse(session: Session, actor: Actor, whistle_id: int, call_id: int, note: str) -> Call:
    """Let one of the called stay away; its clock stops and counts for nothing.

    Raises
    ------
    UnknownWhistle, UnknownCall, DeedImpossible, CallSettled, NotBlower, NoteMissing
    """
    whistle, case, call = _called(session, actor, whistle_id, call_id, Deed.EXCUSE, note)
    call.excused_at = clock.now()
    whistles.note_of(session, whistle, actor, Deed.EXCUSE, note, call)
    _tell_called(session, Kind.WHISTLE_OVER, whistle, case, call, actor, note)
    return call


def rate(session: Session, actor: Actor, whistle_id: int, call_id: int, stars: int, note: str = "") -> Call:
    """Rate (评哨) one of the called, once: whoever came, and whoever stayed away.

    Raises
    ------
    UnknownWhistle, UnknownCall, DeedImpossible, CallSettled, NotBlower, NoteMissing, BadField, RatingOver
    """
    whistle, case, call = _called(session, actor, whistle_id, call_id, Deed.RATE, note)
    rules.check_stars(stars)
    days = rules.terms_of(whistle.terms).rating_days
    if whistle.ended_at is not None and (clock.now() - whistle.ended_at).days >= days:
        raise RatingOver(days=days)
    call.rating, call.rating_note, call.rated_at = stars, note, clock.now()
    whistles.note_of(session, whistle, actor, Deed.RATE, note, call)
    _tell_called(session, Kind.WHISTLE_RATED, whistle, case, call, actor, note)
    return call


# ---- those who stay away -----------------------------------------------------------------------------


def miss(session: Session, batch: int = 200) -> int:
    """Tell of calls whose time has passed, of each once, and order those supervised who still stay away.

    Rule: field.md §4: not answering goes to the district, and is counted against the department.
    """
    told = [_missed(session, each) for each in _late(session, Call.missed_at.is_(None), batch)]
    waiting = _late(session, Call.missed_at.is_not(None) & Call.order_id.is_(None), batch)
    ordered = [_ordered(session, *each) for each in _still_away(session, waiting)]
    return len(told) + sum(ordered)


def _late(session: Session, condition: Any, batch: int) -> list[Call]:
    blown = select(Whistle.id).where(Whistle.state == Standing.BLOWN)
    asked = (
        select(Call)
        .where(
            Call.arrived_at.is_(None), Call.excused_at.is_(None), Call.due_at < clock.now(), condition,
            Call.whistle_id.in_(blown),
        )
        .order_by(Call.due_at, Call.id)
        .limit(batch)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    return list(session.scalars(asked))


def _missed(session: Session, call: Call) -> None:
    whistle = session.get_one(Whistle, call.whistle_id)
    call.missed_at = clock.now()
    whistles.note_of(session, whistle, SYSTEM, Deed.MISS, "", call)
    case = session.get_one(Incident, whistle.incident_id)
    above = duty.seats(session).at([Role.COMMAND_CENTRE], case.home)
    people = above | reads.callers(session, whistle, case) | reads.those_called(session, [call], case)
    whistles.tell(session, Kind.WHISTLE_MISSED, whistle, case, people, SYSTEM, whistle.wanted, call)


def _still_away(session: Session, waiting: Iterable[Call]) -> list[tuple[Whistle, Call]]:
    pairs = [(session.get_one(Whistle, call.whistle_id), call) for call in waiting]
    now = clock.now()
    return [
        (whistle, call)
        for whistle, call in pairs
        if rules.order_at(call, rules.terms_of(whistle.terms)) < now
    ]


def _ordered(session: Session, whistle: Whistle, call: Call) -> bool:
    """Issue a supervision order for staying away; a case that is finished, or under one already, needs none."""
    case = session.get_one(Incident, whistle.incident_id)
    if case.state not in OPEN_CASES:
        return False
    try:
        with session.begin_nested():
            order = supervision.issue(
                session, SYSTEM, case.number, whistle.wanted, call.minutes / 60, TimeUnit.WORKING_HOURS,
                body=call.body, unit_code=call.unit_code,
            )  # fmt: skip
    except SupervisedAlready:
        return False
    call.order_id = order.id
    session.flush()
    return True


def _called(
    session: Session, actor: Actor, whistle_id: int, call_id: int, deed: Deed, note: str
) -> tuple[Whistle, Incident, Call]:
    whistle, case = whistles.taken(session, actor, whistle_id, deed, note)
    call = queries.call(session, whistle.id, call_id)
    if (reason := rules.refusal(actor, deed, whistle, case.home, call)) is not None:
        raise reason
    if not rules.open_to(deed, call):
        raise CallSettled(body=call.body)
    return whistle, case, call


def _tell_called(
    session: Session, kind: Kind, whistle: Whistle, case: Incident, call: Call, actor: Actor, note: str
) -> None:
    people = reads.those_called(session, [call], case)
    whistles.tell(session, kind, whistle, case, people, actor, note, call)


def _tell_caller(
    session: Session, kind: Kind, whistle: Whistle, case: Incident, call: Call, actor: Actor, note: str
) -> None:
    people = reads.callers(session, whistle, case)
    whistles.tell(session, kind, whistle, case, people, actor, note, call)
