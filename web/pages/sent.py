"""What a case's page shows of dispatch: whom it should go to, why it waits, and who is sent to look on site."""

from typing import Any

from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor, can
from gridmgr.dispatch import queries as dispatch
from gridmgr.incident import rules as incident
from gridmgr.incident.model import Incident
from gridmgr.life.model import State
from gridmgr.onsite import queries
from gridmgr.onsite.rules import LONGEST_NOTE


def values(session: Session, actor: Actor, case: Incident) -> dict[str, Any]:
    """Return what a case's page shows of dispatch and checks: suggestions, why it waits, who is sent to look."""
    found = queries.of_case(session, case.id)
    check = next((each for each in found if each.ended_at is None), None)
    waits = case.state == State.ACCEPTED and can(actor, "dispatch.view", case.home)
    sent = incident.sent(actor, case)
    return {
        "suggestion": dispatch.suggestions(session, [case])[0] if waits else None,
        "hold": dispatch.holds(session, [case.id]).get(case.id) if case.state == State.ACCEPTED else None,
        "checks": found, "check": check, "may_take": check is not None and sent and check.taken_at is None,
        "may_give_back": check is not None and (sent or bool(can(actor, "incident.dispatch", case.home))),
        "passed_on": incident.passed_on(case), "check_problem": "", "check_note": "", "now": clock.now(),
        "longest_note": LONGEST_NOTE,
    }  # fmt: skip
