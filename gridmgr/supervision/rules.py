"""What may be done to an order, by whom. No session, no time of day."""

from collections.abc import Iterable

from gridmgr.account.model import Role
from gridmgr.account.rules import LEVEL_OF, Actor, can
from gridmgr.errors import Problem
from gridmgr.incident import rules as incident
from gridmgr.incident.model import Incident
from gridmgr.life.rules import OPEN
from gridmgr.supervision.model import RUNNING, Deed, NotAddressed, NoteMissing, Standing, SupervisionOrder

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


def refusal(
    actor: Actor, deed: Deed, case: Incident, order: SupervisionOrder | None = None
) -> Problem | None:
    """Return why an actor may not do this to an order on a case; None if it is allowed.

    Those who issue confirm, return and withdraw, in their area; the body at work answers, or else the desk of
    the level that holds the case. An order for a body apart is for that body alone to answer.
    """
    if deed is not Deed.ANSWER:
        return can(actor, "supervision.issue", case.home).reason
    roles = {grant.role for grant in actor.grants if case.home.startswith(grant.code)}
    if order is not None and order.apart:  # it may be for somebody over a border
        mine = actor.body == order.body or Role.ADMIN in roles or _of_street(actor, order.unit_code)
        return can(actor, "supervision.answer").reason if mine else NotAddressed(addressee=order.body)
    if (reason := can(actor, "supervision.answer", case.home).reason) is not None:
        return reason
    at_work = incident.works(actor, case) or incident.answers(actor, case)
    if Role.ADMIN in roles or at_work or incident.holds(roles, case):
        return None
    return NotAddressed(addressee=case.handler or case.level)


def _of_street(actor: Actor, code: str | None) -> bool:
    return code is not None and any(
        LEVEL_OF.get(grant.role) == "street" and code.startswith(grant.code) for grant in actor.grants
    )


def deeds(actor: Actor, order: SupervisionOrder, case: Incident) -> list[Deed]:
    """Return what an actor may do now to an order on a case."""
    possible = [deed for (before, deed) in TRANSITIONS if before == order.state]
    return [deed for deed in possible if refusal(actor, deed, case, order) is None]


def may_issue(actor: Actor, case: Incident, orders: Iterable[SupervisionOrder]) -> bool:
    """Tell whether an actor may issue an order on a case now that has these orders."""
    running = any(order.state in RUNNING and not order.apart for order in orders)
    return case.state in OPEN and not running and refusal(actor, Deed.ISSUE, case) is None
