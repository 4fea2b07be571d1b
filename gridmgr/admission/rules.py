"""What may be done to a request for admission, by whom. No session, no time of day."""

from gridmgr.account.rules import Actor, can
from gridmgr.admission.model import Deed, NotTheAsker, OwnRequest
from gridmgr.errors import Problem
from gridmgr.responsibility.model import Admission, Standing

MOST_NOTE = 2000
TRANSITIONS: dict[tuple[Standing, Deed], Standing] = {
    (Standing.ASKED, Deed.ARGUE): Standing.ASKED,
    (Standing.ASKED, Deed.GRANT): Standing.GRANTED,
    (Standing.ASKED, Deed.REFUSE): Standing.REFUSED,
    (Standing.ASKED, Deed.WITHDRAW): Standing.WITHDRAWN,
    (Standing.GRANTED, Deed.END): Standing.GRANTED,
}
_NEEDED = {
    Deed.ARGUE: "admission.argue", Deed.GRANT: "admission.decide", Deed.REFUSE: "admission.decide",
    Deed.END: "admission.decide", Deed.WITHDRAW: "admission.ask",
}  # fmt: skip


def refusal(actor: Actor, deed: Deed, request: Admission) -> Problem | None:
    """Return why an actor may not do this to a request; None if it is allowed.

    Rule: field.md D5, 准入: the department asks, the street argues, the command centre decides; nobody
    decides a request of their own.
    """
    if (reason := can(actor, _NEEDED[deed], request.code).reason) is not None:
        return reason
    own = actor.id == request.asker_id
    if deed is Deed.WITHDRAW and not own:
        return NotTheAsker()
    return OwnRequest() if own and deed in (Deed.GRANT, Deed.REFUSE) else None


def deeds(actor: Actor, request: Admission) -> list[Deed]:
    """Return what an actor may do now to a request."""
    return [
        deed
        for (before, deed) in TRANSITIONS
        if before == request.state and refusal(actor, deed, request) is None
    ]
