"""Walking the hash chains of all histories."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.life import rules as life
from gridmgr.life.model import Action
from gridmgr.life.rules import Standing


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
