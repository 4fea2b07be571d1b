"""Reads of requests for admission; every one starts from those that touch the actor's area."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.orm import Session

from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor, can
from gridmgr.admission import rules
from gridmgr.admission.model import AdmissionDeed, Deed, UnknownAdmission
from gridmgr.responsibility.model import Admission, Standing


def _touching(actor: Actor) -> ColumnElement[bool]:
    """Return the SQL condition that a request lies in the actor's scope, or its area holds the scope."""
    if "" in actor.scope:
        return true()
    above = {code[:length] for code in actor.scope for length in range(1, len(code) + 1)}
    return or_(visible_to(actor, Admission.code), Admission.code.in_(above))


def _visible(actor: Actor) -> Select:
    return select(Admission).where(_touching(actor))


def page(
    session: Session, actor: Actor, state: str = "", size: int = 100, before: int | None = None
) -> list[Admission]:
    """Return one page of requests, the newest first, going on after the request `before`."""
    asked = _visible(actor)
    if state:
        asked = asked.where(Admission.state == state)
    if before is not None:
        asked = asked.where(Admission.id < before)
    return list(session.scalars(asked.order_by(Admission.id.desc()).limit(size)))


def request(session: Session, actor: Actor, admission_id: int) -> Admission:
    """Return one request.

    Raises
    ------
    UnknownAdmission
    """
    found = session.scalar(_visible(actor).where(Admission.id == admission_id))
    if found is None:
        raise UnknownAdmission(id=admission_id)
    return found


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """Return how many visible requests stand in each way."""
    asked = select(Admission.state, func.count()).where(_touching(actor)).group_by(Admission.state)
    return dict(session.execute(asked).all())


def deeds(session: Session, requests: Sequence[int]) -> dict[int, list[AdmissionDeed]]:
    """Return what was said and done about requests, in order."""
    asked = select(AdmissionDeed).where(AdmissionDeed.admission_id.in_(requests))
    found: dict[int, list[AdmissionDeed]] = {}
    for each in session.scalars(asked.order_by(AdmissionDeed.admission_id, AdmissionDeed.seq)):
        found.setdefault(each.admission_id, []).append(each)
    return found


def waiting(session: Session, actor: Actor) -> tuple[int, int]:
    """Return how many requests wait for an actor's opinion, and how many for an actor's decision."""
    asked = list(session.scalars(_visible(actor).where(Admission.state == Standing.ASKED)))
    said = deeds(session, [each.id for each in asked]) if asked else {}
    argue = decide = 0
    for each in asked:
        argued = any(
            one.deed == Deed.ARGUE and one.actor_id != each.asker_id for one in said.get(each.id, ())
        )
        may = rules.deeds(actor, each)
        decide += argued and Deed.GRANT in may
        argue += not argued and Deed.ARGUE in may and not can(actor, "admission.decide", each.code)
    return argue, decide


def heard(session: Session, found: Admission) -> bool:
    """Tell whether somebody else than who asked has argued."""
    said = deeds(session, [found.id]).get(found.id, [])
    return any(each.deed == Deed.ARGUE and each.actor_id != found.asker_id for each in said)
