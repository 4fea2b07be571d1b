"""The supervision orders of a case, as the fragment `fragments/orders.html` shows them."""

from typing import Any

from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.clock import TimeUnit
from gridmgr.incident.model import Incident
from gridmgr.supervision import queries, rules

NOTHING_YET = {"wanted": "", "amount": "4", "unit": TimeUnit.WORKING_HOURS.value, "note": "", "order": 0}


def values(session: Session, actor: Actor, case: Incident) -> dict[str, Any]:
    """Return what the section of a case's page shows: its orders, what was done, and what may be done now."""
    found = queries.of_case(session, case.id)
    done = queries.deeds(session, [each.id for each in found])
    shown = [
        (each, queries.is_late(each), done.get(each.id, []), rules.deeds(actor, each, case)) for each in found
    ]
    return {
        "orders": shown, "order_given": NOTHING_YET, "order_problem": "", "units_of_time": TimeUnit,
        "may_order": rules.may_issue(actor, case, found),
        "wanting": rules.NEEDS_NOTE,
    }  # fmt: skip
