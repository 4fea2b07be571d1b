"""What the auditor looks at: hash chains of histories, clocks nobody serves, climbs that do not add up."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import func, literal, or_, select, true, tuple_
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.audit.model import LastDone, Missing, Overdue, Uneven, Unserved
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.escalation.model import LIVE, CaseClock, RungClimbed, Running
from gridmgr.escalation.queries import moment
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.life import rules as life
from gridmgr.life.model import HOLDERS, Action, State
from gridmgr.life.rules import OPEN, Standing
from gridmgr.policy import queries as policies
from gridmgr.policy.model import Stage
from gridmgr.settings import settings


@dataclass(frozen=True)
class Verification:
    """How many histories were read, and the numbers of the incidents whose chain does not hold."""

    incidents: int
    events: int
    broken: list[str]


def verify(session: Session) -> Verification:
    """Walk every history: each row's hash, the last one kept on the case, and fold(history) == state."""
    columns = [Incident.number, Incident.last_seq, Incident.last_hash, *_STANDING_COLUMNS]
    steps = [
        getattr(IncidentEvent, name)
        for name in ("seq", "action", "actor_name", "occurred_at", "payload", "hash")
    ]
    rows = session.execute(
        select(Incident.id, *columns, *steps)
        .outerjoin(IncidentEvent, IncidentEvent.incident_id == Incident.id)
        .order_by(Incident.id, IncidentEvent.seq)
        .execution_options(yield_per=5000)
    )
    incidents = events = 0
    broken: list[str] = []
    for _, group in groupby(rows, key=lambda row: row[0]):
        history = list(group)
        cached, told = history[0][1 : 1 + len(columns)], [row[1 + len(columns) :] for row in history]
        incidents += 1
        events += len(told)
        if not _holds(cached, told):
            broken.append(cached[0])
    return Verification(incidents, events, broken)


_STANDING_COLUMNS = [getattr(Incident, f.name) for f in fields(Standing)]


def _holds(cached: Sequence, told: Sequence[Sequence]) -> bool:
    """Tell whether a history is whole, unchanged, and says what the incident's row says."""
    number, last_seq, last_hash, *standing = cached
    digest = b""
    for expected, (seq, action, actor, at, payload, stored) in enumerate(told, start=1):
        if seq != expected:
            return False
        digest = life.chain(digest, number, seq, action, actor, at, payload)
        if digest != stored:
            return False
    folded = life.fold((Action(action), payload, at) for _, action, _, at, payload, _ in told)
    return digest == last_hash and len(told) == last_seq and list(life.cached(folded).values()) == standing


# ---- clocks ------------------------------------------------------------------------------------------

SHOWN = 1000  # findings of each kind that are named


def unserved(session: Session) -> Unserved:
    """Return the clocks nobody serves, the cases without one, and the climbs that do not add up."""
    return Unserved(overdue(session), missing(session), uneven(session))


def _late(session: Session) -> Any:
    """Return the condition that the next rung of a clock was due long ago, by the clock all sweepers share."""
    long_ago = moment(session) - timedelta(minutes=settings().unserved_minutes)
    return (CaseClock.state == Running.RUNNING) & (CaseClock.next_rung_at < long_ago)


def count_overdue(session: Session) -> int:
    """Return how many clocks have a next rung that was due long ago."""
    return session.scalar(select(func.count()).select_from(CaseClock).where(_late(session)))


def overdue(session: Session) -> list[Overdue]:
    """Return the clocks whose next rung was due long ago, the longest overdue first."""
    asked = (
        select(CaseClock.id, Incident.number, CaseClock.stage, CaseClock.next_rung, CaseClock.next_rung_at)
        .join(Incident, Incident.id == CaseClock.incident_id)
        .where(_late(session))
        .order_by(CaseClock.next_rung_at, CaseClock.id)
    )
    return [Overdue(*row) for row in session.execute(asked.limit(SHOWN))]


# The stage whose clock a case in a state has beside that of the case itself, and since when.
_OWN_STAGE = {
    State.REPORTED: (Stage.ACCEPT, Incident.reported_at),
    State.ACCEPTED: (Stage.DISPATCH, Incident.accepted_at),
    State.DISPATCHED: (Stage.SILENCE, Incident.accepted_at),
    State.HANDLING: (Stage.SILENCE, Incident.accepted_at),
    State.FED_BACK: (Stage.VERIFY, Incident.accepted_at),
}


def missing(session: Session) -> list[Missing]:
    """Return the open cases that should have a clock and have none.

    That is the clock of the case itself, if it has a due time, and that of the stage it is in, if a policy
    in force since before the stage began limits it.
    """
    under_way = [state for state in OPEN if state is not State.REPORTED]
    found = _without(
        session,
        Stage.HANDLE,
        Incident.accepted_at,
        Incident.state.in_(under_way),
        Incident.due_at.is_not(None),
    )
    table = policies.policy_table(session)
    if table is None:
        return found
    since = max(table.published_at, clock.midnight(table.effective))
    for state, (stage, began) in _OWN_STAGE.items():
        kinds = session.execute(
            select(Incident.category_id, Incident.severity)
            .where(Incident.state == state, began >= since)
            .distinct()
        ).all()
        known = matters.by_id(session)
        limited = [
            (category, severity)
            for category, severity in kinds
            if _limits(session, known[category], severity, stage)
        ]
        kind = tuple_(Incident.category_id, Incident.severity).in_(limited)
        found += _without(session, stage, began, Incident.state == state, began >= since, kind)
    return found


def _limits(session: Session, category: Category, severity: int, stage: Stage) -> bool:
    """Tell whether a stage of such a case is limited, whichever level held the case when it began."""
    for holder in HOLDERS:
        policy = policies.policy_for(session, category.policy_code, severity, stage, holder=holder)
        own = policy is not None and policy.amount is not None
        shares = policy is not None and stage is Stage.SILENCE and not own
        if not own and not (shares and policies.limit_of(session, category, severity, holder=holder)):
            return False
    return True


def _without(session: Session, stage: Stage, began: Any, *conditions: Any) -> list[Missing]:
    """Return the cases under some conditions that have no live clock of a stage."""
    has = select(CaseClock.id).where(
        CaseClock.incident_id == Incident.id, CaseClock.stage == stage, CaseClock.state.in_(LIVE)
    )
    asked = select(Incident.id, Incident.number, literal(stage.value), began).where(
        *conditions, ~has.exists()
    )
    return [Missing(*row) for row in session.execute(asked.order_by(Incident.id).limit(SHOWN))]


def uneven(session: Session) -> list[Uneven]:
    """Return the live clocks that have climbed more or fewer rungs than they say."""
    climbed = (
        select(func.count(), func.coalesce(func.max(RungClimbed.rung) + 1, 0))
        .where(RungClimbed.clock_id == CaseClock.id)
        .lateral("climbed")
    )
    number, last = climbed.c
    asked = (
        select(
            CaseClock.id,
            Incident.number,
            CaseClock.stage,
            func.coalesce(CaseClock.next_rung_at, CaseClock.started_at),
            CaseClock.next_rung,
            number,
        )
        .join(Incident, Incident.id == CaseClock.incident_id)
        .join(climbed, true())
        .where(CaseClock.state.in_(LIVE), or_(number != CaseClock.next_rung, last != CaseClock.next_rung))
        .order_by(CaseClock.id)
    )
    return [Uneven(*row) for row in session.execute(asked.limit(SHOWN))]


def ages(session: Session) -> dict[str, float]:
    """Return how many seconds ago each regular thing was last done; what never was is not there."""
    age = func.extract("epoch", func.now() - LastDone.at)
    return {what: float(seconds) for what, seconds in session.execute(select(LastDone.what, age))}
