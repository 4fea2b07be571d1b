"""What each role may do, as one table, and the decision made from it."""

from collections.abc import Iterable
from dataclasses import dataclass

from gridmgr.account.model import NotGranted, OutsideGrant, Role
from gridmgr.errors import Forbidden

_OFFICE = {Role.COMMUNITY_CLERK, Role.STREET_DISPATCHER, Role.COMMAND_CENTRE, Role.ADMIN}
_EVERYBODY = frozenset(Role)

PERMISSIONS: dict[str, frozenset[Role]] = {
    "grid.view": _EVERYBODY,
    "grid.import": frozenset({Role.PLANNER, Role.ADMIN}),
    "grid.export": frozenset({Role.PLANNER, Role.COMMAND_CENTRE, Role.ADMIN}),
    "incident.view": _EVERYBODY,
    "incident.import": frozenset({Role.COMMAND_CENTRE, Role.ADMIN}),
    "incident.export": frozenset(_OFFICE),
    "incident.report": _EVERYBODY,
    "incident.accept": frozenset(_OFFICE),
    "incident.void": frozenset(_OFFICE),
    "incident.merge": frozenset(_OFFICE),
    "incident.dispatch": frozenset({Role.STREET_DISPATCHER, Role.COMMAND_CENTRE, Role.ADMIN}),
    "incident.handle": frozenset({Role.DEPARTMENT_HANDLER, Role.GRID_MEMBER, Role.GRID_LEADER, Role.ADMIN}),
    "incident.feed_back": frozenset(
        {Role.DEPARTMENT_HANDLER, Role.GRID_MEMBER, Role.GRID_LEADER, Role.ADMIN}
    ),
    "incident.verify": frozenset({Role.GRID_MEMBER, Role.GRID_LEADER, Role.COMMUNITY_CLERK, Role.ADMIN}),
    "incident.rework": frozenset({Role.GRID_MEMBER, Role.GRID_LEADER, Role.COMMUNITY_CLERK, Role.ADMIN}),
    "incident.close": frozenset({Role.STREET_DISPATCHER, Role.COMMAND_CENTRE, Role.ADMIN}),
    "incident.evaluate": frozenset({Role.COMMUNITY_CLERK, Role.COMMAND_CENTRE, Role.ADMIN}),
    "figures.view": _EVERYBODY,
    "account.self": _EVERYBODY,
    "account.manage": frozenset({Role.ADMIN}),
}


@dataclass(frozen=True)
class Grant:
    """One role on one code prefix."""

    role: Role
    code: str


@dataclass(frozen=True)
class Actor:
    """Whoever acts: a person with grants, or the system itself."""

    id: int | None
    name: str
    grants: tuple[Grant, ...]
    username: str = ""
    language: str | None = None

    @property
    def scope(self) -> tuple[str, ...]:
        """The code prefixes this actor may see, without those another one already covers."""
        return covering(grant.code for grant in self.grants)


SYSTEM = Actor(None, "gridmgr", (Grant(Role.ADMIN, ""),))


@dataclass(frozen=True)
class Decision:
    """Yes, or no with its reason."""

    allowed: bool
    reason: Forbidden | None = None

    def __bool__(self) -> bool:
        return self.allowed


def can(actor: Actor, action: str, code: str | None = None) -> Decision:
    """Decide whether `actor` may do `action`, on the unit `code` if one is given.

    Rule: each grant is a role on a code prefix; it reaches every unit whose code begins with it.
    """
    roles = PERMISSIONS[action]
    granted = [grant for grant in actor.grants if grant.role in roles]
    if not granted:
        names = ", ".join(sorted({grant.role.value for grant in actor.grants})) or "-"
        return Decision(False, NotGranted(roles=names, action=action))
    if code is None or any(code.startswith(grant.code) for grant in granted):
        return Decision(True)
    return Decision(False, OutsideGrant(codes=", ".join(grant.code for grant in granted), code=code))


def require(actor: Actor, action: str, code: str | None = None) -> None:
    """Return if `actor` may, else raise the reason.

    Raises
    ------
    NotGranted
        No role of the actor allows the action anywhere.
    OutsideGrant
        The action is allowed, but not on this unit.
    """
    decision = can(actor, action, code)
    if decision.reason:
        raise decision.reason


def covering(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the shortest prefixes that together reach all that `codes` reach, sorted."""
    kept: list[str] = []
    for code in sorted(set(codes)):
        if not any(code.startswith(shorter) for shorter in kept):
            kept.append(code)
    return tuple(kept)
