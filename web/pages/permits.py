"""What was permitted at the place of a case, as its page shows it before anything is enforced there."""

from typing import Any

from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.coapproval import queries
from gridmgr.incident.model import Incident


def values(session: Session, actor: Actor, case: Incident) -> dict[str, Any]:
    """Return the permits that a case's page warns of."""
    return {"permits": queries.permits_for(session, actor, case)}
