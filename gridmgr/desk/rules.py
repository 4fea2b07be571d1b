"""The worklists of each role, as a table: what it is called, what it holds, and what its being empty means."""

from collections.abc import Callable
from dataclasses import dataclass

from gridmgr.account.rules import Actor, Role
from gridmgr.casebook.queries import Search
from gridmgr.incident.rules import ON_THE_GROUND
from gridmgr.life.model import HOLDERS, State
from gridmgr.words import N_

WORK = (State.DISPATCHED, State.HANDLING)
PASSED_ON = (State.ACCEPTED, State.DISPATCHED)  # where a case waits for another body to take it


@dataclass(frozen=True)
class Worklist:
    """One list of a desk: what it holds for somebody, and what it means that it holds nothing."""

    name: str
    title: str
    search: Callable[[Actor], Search]

    @property
    def empty(self) -> str:
        """What is said where nothing lies."""
        return EMPTY[self.name]


EMPTY = {
    "late": N_("No case is past its due time."),
    "soon": N_("No case ends within the next four working hours."),
    "asked": N_("Nobody waits for an answer."),
    "check": N_("No finished work waits to be checked on site."),
    "unseen": N_("No report of the public waits to be looked at."),
    "suspended": N_("No case is suspended."),
    "accept": N_("Every report has been accepted or passed on."),
    "dispatch": N_("Every accepted case has been dispatched."),
    "close": N_("No checked case waits to be closed."),
    "ours": N_("Nothing has been given to your own people."),
    "mine": N_("All you have reported is finished. See something? Report it."),
    "orders": N_("No new order; what you have taken in hand stands under In work."),
    "work": N_("Nothing is in work."),
    "kept": N_("Nothing that you have passed on waits for another body."),
    "checks": N_("Nobody has sent you to look on site."),
    "tasks": N_("No other body's case waits for a part of yours."),
    "waiting": N_("None of your requests is waiting."),
    "street": N_("The street holds no case."),
    "forces": N_("Your task forces have no open case."),
    "district": N_("The district holds no case."),
    "urgent": N_("Nothing urgent is open."),
}


def homes(actor: Actor) -> tuple[str, ...]:
    """Return the codes of the areas somebody works in on the ground."""
    return tuple(grant.code for grant in actor.grants if grant.role in ON_THE_GROUND)


def _fixed(**narrowed: object) -> Callable[[Actor], Search]:
    return lambda actor: Search(**{"sort": "due"} | narrowed)


_SOON = Worklist("soon", N_("About to be late"), _fixed(open=True, soon=True))
_LATE = Worklist("late", N_("Late"), _fixed(open=True, overdue=True))
_ASKED = Worklist("asked", N_("Requests to answer"), _fixed(asked=True, ours=True))
_CHECK = Worklist("check", N_("To check on site"), _fixed(states=(State.FED_BACK,)))
_UNSEEN = Worklist(
    "unseen", N_("To look at on site"), _fixed(states=(State.REPORTED,), unseen=True, sort="oldest")
)
_SUSPENDED = Worklist("suspended", N_("Suspended"), _fixed(states=(State.SUSPENDED,)))
_CHECKS = Worklist(
    "checks", N_("Sent to look on site"),
    lambda actor: Search(checker=actor.id or 0, open=True, sort="oldest"),
)  # fmt: skip
TO_DISPATCH = _fixed(states=(State.ACCEPTED,), ours=True)
"""What lies on the dispatch desk; its page and the lists of My work count the same."""
_DISPATCH = Worklist("dispatch", N_("To dispatch"), TO_DISPATCH)
_OFFICE = (
    _LATE,
    _SOON,
    _ASKED,
    Worklist("accept", N_("To accept"), _fixed(states=(State.REPORTED,), ours=True, sort="oldest")),
    _DISPATCH,
    _CHECKS,
    _CHECK,
    Worklist("close", N_("To close"), _fixed(states=(State.VERIFIED,), ours=True)),
    _SUSPENDED,
)
_GRID = (
    _CHECKS,
    _UNSEEN,
    _CHECK,
    Worklist(
        "ours", N_("For us to do"),
        lambda actor: Search(states=WORK, own=homes(actor), sort="due"),
    ),
    Worklist(
        "mine", N_("What I have reported"), lambda actor: Search(open=True, mine=actor.id or 0)
    ),
)  # fmt: skip
_BODY = "∅"  # stands for somebody who works for no department: finds nothing


def _body(by: str = "handler", **narrowed: object) -> Callable[[Actor], Search]:
    return lambda actor: Search(**{by: actor.body or _BODY, "sort": "due"} | narrowed)


_DEPARTMENT = (
    Worklist("late", N_("Late"), _body("answers", states=(State.ACCEPTED, *WORK), overdue=True)),
    Worklist("orders", N_("New orders"), _body(states=(State.DISPATCHED,))),
    Worklist("work", N_("In work"), _body(states=(State.HANDLING,))),
    Worklist("kept", N_("Ours until another takes it"), _body("kept", states=PASSED_ON)),
    Worklist(
        "tasks", N_("Parts for us"),
        lambda actor: Search(open=True, task=actor.body or _BODY, sort="due"),
    ),
    Worklist("waiting", N_("Requests waiting for an answer"), _body(asked=True)),
    Worklist("suspended", N_("Suspended"), _body(states=(State.SUSPENDED,))),
)  # fmt: skip
_FORCES = Worklist(
    "forces", N_("My task forces"), lambda actor: Search(states=WORK, forces=actor.also, sort="due")
)
_DISTRICT = (
    _LATE,
    _SOON,
    _DISPATCH,
    Worklist("district", N_("Held by the district"), _fixed(open=True, level=HOLDERS[-1])),
    _ASKED,
    Worklist("urgent", N_("Urgent and open"), _fixed(open=True, severity=3)),
)

_LEADER = (
    _LATE,
    _SOON,
    Worklist("urgent", N_("Urgent and open"), _fixed(open=True, severity=3)),
    Worklist("street", N_("Held by the street"), _fixed(open=True, level="street")),
    Worklist("district", N_("Held by the district"), _fixed(open=True, level=HOLDERS[-1])),
    _ASKED,
)

DESKS: dict[Role, tuple[Worklist, ...]] = {
    Role.GRID_MEMBER: _GRID,
    Role.GRID_LEADER: _GRID,
    Role.COMMUNITY_CLERK: _OFFICE,
    Role.STREET_DISPATCHER: _OFFICE,
    Role.STREET_LEADER: _LEADER,
    Role.DEPARTMENT_HANDLER: _DEPARTMENT,
    Role.COMMAND_CENTRE: _DISTRICT,
    Role.ADMIN: _DISTRICT,
}


def desks(actor: Actor) -> list[tuple[Role, tuple[Worklist, ...]]]:
    """Return the desks somebody sits at, each set of worklists once."""
    seen: dict[int, tuple[Role, tuple[Worklist, ...]]] = {}
    for grant in actor.grants:
        if grant.role in DESKS:
            seen.setdefault(id(DESKS[grant.role]), (grant.role, DESKS[grant.role]))
    found = list(seen.values())
    if actor.also and found:
        role, worklists = found[0]
        found[0] = role, (*worklists, _FORCES)
    return found
