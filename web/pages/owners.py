"""Who answers for a case: the item it was accepted under, or the one that would answer today."""

from typing import Any

from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor, can
from gridmgr.category.model import Category
from gridmgr.errors import NotFound
from gridmgr.incident.model import Incident
from gridmgr.life.rules import OPEN
from gridmgr.responsibility import queries, rules


def values(session: Session, actor: Actor, case: Incident, category: Category) -> dict[str, Any]:
    """Return what the section of a case's page shows; nothing where no list speaks of it."""
    kept = queries.of_case(session, case.id)
    owner = kept
    if owner is None and case.accepted_at is None and case.state in OPEN:
        try:
            owner = (
                queries.owner_of(session, category.policy_code, case.home) if category.policy_code else None
            )
        except NotFound:
            owner = None
    return {
        "owner": owner if owner and (owner.item or owner.admission) else None, "owner_kept": kept is not None,
        "steps_of": rules.steps, "may_ask_admission": can(actor, "admission.ask", case.street_code or ""),
    }  # fmt: skip
