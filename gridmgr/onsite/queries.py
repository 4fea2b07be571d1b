"""Reads of checks on site: who could go, who is sent, and what became of it; of cases the actor may see."""

from collections.abc import Collection
from pathlib import Path

from sqlalchemy import Select, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor, Role
from gridmgr.db import statement
from gridmgr.duty import queries as duty
from gridmgr.duty.queries import Seats
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.life.model import Action
from gridmgr.onsite.model import How, NoSuchCheck, SiteCheck
from gridmgr.onsite.rules import Walker

NEIGHBOURS = 12  # micro-grids around a place that somebody is sent from, at most
_NEAREST = text(statement(Path(__file__).with_name("nearest.sql")))


def walkers(session: Session, cases: Collection[Incident]) -> dict[int, list[Walker]]:
    """Return for each case who is on duty and could look at it, from the own grid up to the community."""
    seats = duty.seats(session)
    found = {case.id: _own(seats, case) for case in cases}
    members: dict[str, set[int]] = {
        code: people for (role, code), people in seats.by_seat.items() if role is Role.GRID_MEMBER
    }
    values = {
        "ids": [case.id for case in cases], "manned": list(members), "day": clock.today(), "most": NEIGHBOURS,
    }  # fmt: skip
    homes = {case.id: case.home for case in cases}
    for case_id, code, metres in session.execute(_NEAREST, values) if members else ():
        if not homes[case_id].startswith(code):
            found[case_id] += [Walker(each, How.NEIGHBOUR, metres) for each in members[code]]
    return found


def _own(seats: Seats, case: Incident) -> list[Walker]:
    posts = (
        (Role.GRID_MEMBER, How.SEAT),
        (Role.GRID_LEADER, How.LEADER),
        (Role.COMMUNITY_CLERK, How.CLERK),
    )
    return [Walker(each, how) for role, how in posts for each in seats.at([role], case.home)]


def workers(session: Session, ids: Collection[int]) -> dict[int, int | None]:
    """Return who has fed back each of the cases last."""
    asked = (
        select(IncidentEvent.incident_id, IncidentEvent.actor_id)
        .where(IncidentEvent.incident_id.in_(list(ids)), IncidentEvent.action == Action.FEED_BACK)
        .order_by(IncidentEvent.incident_id, IncidentEvent.seq.desc())
        .ext(distinct_on(IncidentEvent.incident_id))
    )
    return dict(tuple(row) for row in session.execute(asked))


def of_case(session: Session, incident_id: int) -> list[SiteCheck]:
    """Return who was and is sent to look at a case, the last first."""
    asked = select(SiteCheck).where(SiteCheck.incident_id == incident_id)
    return list(session.scalars(asked.order_by(SiteCheck.id.desc())))


def open_of(session: Session, ids: Collection[int]) -> dict[int, SiteCheck]:
    """Return the open checks of cases, by case."""
    asked = select(SiteCheck).where(SiteCheck.incident_id.in_(list(ids)), SiteCheck.ended_at.is_(None))
    return {each.incident_id: each for each in session.scalars(asked)}


def open_check(session: Session, case: Incident) -> SiteCheck:
    """Return the open check of a case.

    Raises
    ------
    NoSuchCheck
    """
    found = open_of(session, [case.id]).get(case.id)
    if found is None:
        raise NoSuchCheck(number=case.number)
    return found


def _visible(actor: Actor) -> Select:
    cases = incidents.visible(actor).with_only_columns(Incident.id)
    return (
        select(SiteCheck, Incident)
        .join(Incident, Incident.id == SiteCheck.incident_id)
        .where(SiteCheck.incident_id.in_(cases))
    )


def page(
    session: Session, actor: Actor, size: int, *, mine: bool = False, running: bool = False,
    before: int | None = None,
) -> list[tuple[SiteCheck, Incident]]:  # fmt: skip
    """Return one page of checks with their cases, the newest first, going on after the check `before`."""
    asked = _visible(actor)
    if mine:
        asked = asked.where(SiteCheck.assignee_id == actor.id)
    if running:
        asked = asked.where(SiteCheck.ended_at.is_(None))
    if before is not None:
        asked = asked.where(SiteCheck.id < before)
    return [tuple(row) for row in session.execute(asked.order_by(SiteCheck.id.desc()).limit(size))]
