"""Whistles of the demonstration: some that ended yesterday, one that runs, one that waits to be approved."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.rules import SYSTEM, Actor, Grant, Role
from gridmgr.attachment import service as attachment
from gridmgr.attendance import service as attendance
from gridmgr.calendar.queries import calendar_for
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.life.model import State
from gridmgr.simulation import photos
from gridmgr.whistle import queries, service
from gridmgr.whistle.model import Call, Called, Standing, TooManyOpen, Whistle, Why

WORKED_ON = (State.ACCEPTED, State.DISPATCHED, State.HANDLING)
MINUTE, DEGREE = timedelta(minutes=1), 111_000.0  # metres of latitude


def blow_whistles(session: Session, seed: int) -> int:
    """Blow the whistles of the demonstration street, once; returns how many."""
    shown, leading = (accounts.by_username(session, name) for name in ("dispatcher", "streetleader"))
    if shown is None or leading is None or queries.page(session, SYSTEM, queries.Search(Standing.ENDED), 1):
        return 0
    desk, leader = accounts.actor_of(shown), accounts.actor_of(leading)
    stored = attachment.store(session, SYSTEM, "报到.jpg", photos.photo(seed, 0))
    photo = {"sha256": stored.sha256, "name": "报到.jpg"}
    now, street = clock.now(), shown.grants[0].code
    day = _workday(session, street)
    plans = [
        (day + timedelta(hours=10), _over, "占道经营反复回潮，需联合整治"),
        (day + timedelta(hours=15), _over, "油烟扰民，多次协调未果"),
        (now - 25 * MINUTE, _running, "工地夜间施工扬尘，请到场会商"),
    ]
    blown = 0
    with suppress(TooManyOpen):  # ladders may have blown all that a street may have open
        for at, course, wanted in plans:
            case = _quiet(session, street, at)
            bodies = _bodies(session, case)
            if case is not None and len(bodies) == 3:
                with clock.travel(at):
                    called = [Called(body, lead=n == 0, minutes=30) for n, body in enumerate(bodies)]
                    whistle = service.propose(session, leader, case.number, Why.JOINT, wanted, called)
                course(session, whistle, case, leader, photo)
                blown += 1
        if (case := _quiet(session, street, now)) is not None:
            called = [Called(body, lead=n == 0) for n, body in enumerate(_bodies(session, case)[:2])]
            service.propose(session, desk, case.number, Why.JOINT, "违建复查，请多部门到场", called)
            blown += 1
    return blown


def _workday(session: Session, street: str) -> datetime:
    """Return the beginning of the last workday before today."""
    calendar, day = calendar_for(session, street), clock.today() - timedelta(days=1)
    while not calendar.works_on(day):
        day -= timedelta(days=1)
    return clock.midnight(day)


def _quiet(session: Session, street: str, at: datetime) -> Incident | None:
    """Return a case the street works on whose last step was before an instant, and that nobody was called to."""
    last = select(func.max(IncidentEvent.occurred_at)).where(IncidentEvent.incident_id == Incident.id)
    asked = select(Incident).where(
        Incident.street_code == street, Incident.level.in_(("street", "district")), Incident.whistles == 0,
        Incident.state.in_(WORKED_ON), last.scalar_subquery() < at,
        Incident.id.not_in(select(Whistle.incident_id)),
    )  # fmt: skip
    return session.scalar(asked.order_by(Incident.severity.desc(), Incident.reported_at.desc()).limit(1))


def _bodies(session: Session, case: Incident | None) -> list[str]:
    """Return three departments that could be called to a case, its own first."""
    known = queries.bodies(session, case.home if case is not None else "")
    own = case.handler if case is not None and case.handler in known else known[0] if known else ""
    return [own, *(body for body in known if body != own)][:3]


def _over(session: Session, whistle: Whistle, case: Incident, leader: Actor, photo: dict) -> None:
    """One came in time, one late and from elsewhere, one not at all; all were rated."""
    first, second, third = _calls(session, whistle)
    _come(session, whistle, case, first, photo, 12, 40)
    _come(session, whistle, case, second, photo, 55, 900)
    with clock.travel(whistle.blown_at + 70 * MINUTE):
        attendance.miss(session)
        service.record(session, leader, whistle.id, "现场会商：当场清理，立案一起，明日复查。")
        for call, stars, said in ((first, 5, "到得快，办得实"), (second, 3, "迟到"), (third, 1, "未到场")):
            attendance.rate(session, leader, whistle.id, call.id, stars, said)
        service.end(session, leader, whistle.id, "")


def _running(session: Session, whistle: Whistle, case: Incident, leader: Actor, photo: dict) -> None:
    """One is there, one is coming, one has not said a word."""
    first, second, _third = _calls(session, whistle)
    _come(session, whistle, case, first, photo, 9, 60)
    with clock.travel(whistle.blown_at + 4 * MINUTE):
        attendance.answer(session, _person(second), whistle.id, second.id, "已出发")


def _calls(session: Session, whistle: Whistle) -> Sequence[Call]:
    return queries.calls(session, [whistle.id])[whistle.id]


def _come(
    session: Session, whistle: Whistle, case: Incident, call: Call, photo: dict, minutes: int, metres: float
) -> None:
    lon, lat = incidents.position(case)
    with clock.travel(whistle.blown_at + minutes * MINUTE):
        place = lon, lat + metres / DEGREE
        attendance.report_in(
            session, _person(call), whistle.id, call.id, *place, "wgs84", [photo], "已到现场"
        )


def _person(call: Call) -> Actor:
    """Return somebody of a department that is called."""
    return Actor(None, call.body, (Grant(Role.DEPARTMENT_HANDLER, ""),), body=call.body)
