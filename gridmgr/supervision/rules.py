"""What may be done to an order, by whom. No session, no time of day."""

from collections.abc import Iterable

from gridmgr.account.model import Role
from gridmgr.account.rules import Actor, can
from gridmgr.errors import Problem
from gridmgr.incident import rules as incident
from gridmgr.incident.model import Incident
from gridmgr.life.rules import OPEN
from gridmgr.supervision.model import RUNNING, Deed, NotAddressed, NoteMissing, Standing

TRANSITIONS: dict[tuple[Standing, Deed], Standing] = {
    (Standing.OPEN, Deed.ANSWER): Standing.ANSWERED,
    (Standing.ANSWERED, Deed.CONFIRM): Standing.DONE,
    (Standing.ANSWERED, Deed.RETURN): Standing.OPEN,
    (Standing.OPEN, Deed.WITHDRAW): Standing.WITHDRAWN,
    (Standing.ANSWERED, Deed.WITHDRAW): Standing.WITHDRAWN,
}
NEEDS_NOTE = frozenset({Deed.ISSUE, Deed.ANSWER, Deed.RETURN})
LONGEST_NOTE = 500


def check_note(deed: Deed, note: str) -> None:
    """Refuse a note that is missing where one is needed, or too long.

    Raises
    ------
    NoteMissing
    """
    if len(note) > LONGEST_NOTE or (deed in NEEDS_NOTE and not note):
        raise NoteMissing(most=LONGEST_NOTE)


def refusal(actor: Actor, deed: Deed, case: Incident) -> Problem | None:
    """Return why an actor may not do this to an order on a case; None if it is allowed.

    Those who issue confirm, return and withdraw, in their area; the body at work answers, or else the desk of
    the level that holds the case.
    """
    if deed is not Deed.ANSWER:
        return can(actor, "supervision.issue", case.home).reason
    if (reason := can(actor, "supervision.answer", case.home).reason) is not None:
        return reason
    roles = {grant.role for grant in actor.grants if case.home.startswith(grant.code)}
    if Role.ADMIN in roles or incident.works(actor, case) or incident.holds(roles, case):
        return None
    return NotAddressed(addressee=case.handler or case.level)


def deeds(actor: Actor, state: Standing, case: Incident) -> list[Deed]:
    """Return what an actor may do now to an order on a case."""
    return [deed for (before, deed) in TRANSITIONS if before == state and refusal(actor, deed, case) is None]


def may_issue(actor: Actor, case: Incident, standings: Iterable[Standing]) -> bool:
    """Tell whether an actor may issue an order on a case now, whose orders stand in these ways."""
    return (
        case.state in OPEN and not set(RUNNING) & set(standings) and refusal(actor, Deed.ISSUE, case) is None
    )
