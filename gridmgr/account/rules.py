"""What each role may do, as one table, and the decision made from it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gridmgr.account.model import NotARole, NotGranted, OutsideGrant, Role
from gridmgr.errors import Forbidden
from gridmgr.i18n import LANGUAGES, catalogue
from gridmgr.sheet import Column, one_of, text
from gridmgr.words import ROLES

_EVERYBODY = frozenset(Role)
_STREET = frozenset({Role.STREET_DISPATCHER, Role.STREET_LEADER, Role.COMMAND_CENTRE, Role.ADMIN})
_OFFICE = _STREET | {Role.COMMUNITY_CLERK}
_SITE = frozenset({Role.GRID_MEMBER, Role.GRID_LEADER, Role.COMMUNITY_CLERK, Role.ADMIN})
_WORKERS = _SITE | {Role.DEPARTMENT_HANDLER}

# The level of the hierarchy a role works for; departments and planners stand beside it.
LEVEL_OF: dict[Role, str] = {
    Role.GRID_MEMBER: "micro_grid",
    Role.GRID_LEADER: "micro_grid",
    Role.COMMUNITY_CLERK: "community",
    Role.STREET_DISPATCHER: "street",
    Role.STREET_LEADER: "street",
    Role.COMMAND_CENTRE: "district",
}

PERMISSIONS: dict[str, frozenset[Role]] = {
    "grid.view": _EVERYBODY,
    "grid.import": frozenset({Role.PLANNER, Role.ADMIN}),
    "grid.export": frozenset({Role.PLANNER, Role.COMMAND_CENTRE, Role.ADMIN}),
    "plan.view": _OFFICE | {Role.PLANNER},
    "plan.draw": frozenset({Role.PLANNER, Role.STREET_LEADER, Role.ADMIN}),
    "plan.approve": frozenset({Role.COMMAND_CENTRE, Role.ADMIN}),
    "plan.manage": frozenset({Role.ADMIN}),
    "redraw.propose": frozenset({Role.PLANNER, Role.STREET_LEADER, Role.COMMAND_CENTRE, Role.ADMIN}),
    "incident.view": _EVERYBODY,
    "incident.import": frozenset({Role.COMMAND_CENTRE, Role.ADMIN}),
    "incident.export": _OFFICE,
    "incident.report": _EVERYBODY,
    "incident.confirm": _SITE,
    "incident.settle": frozenset({Role.GRID_MEMBER, Role.GRID_LEADER, Role.ADMIN}),
    "incident.accept": _OFFICE,
    "incident.void": _OFFICE,
    "incident.merge": _OFFICE,
    "incident.dispatch": _OFFICE,
    "dispatch.view": _OFFICE,
    "dispatch.manage": _STREET,
    "incident.redirect": _OFFICE,
    "incident.send_back": _OFFICE,
    "incident.extend": _STREET,
    "incident.suspend": _STREET,
    "incident.resume": _OFFICE | {Role.DEPARTMENT_HANDLER},
    "incident.ask": _OFFICE | _WORKERS,
    "incident.refuse": _OFFICE,
    "incident.handle": _WORKERS,
    "incident.feed_back": _WORKERS,
    "incident.verify": _SITE,
    "incident.rework": _SITE,
    "incident.close": _OFFICE,
    "incident.evaluate": frozenset(
        {Role.COMMUNITY_CLERK, Role.STREET_LEADER, Role.COMMAND_CENTRE, Role.ADMIN}
    ),
    "incident.reopen": _EVERYBODY,
    "incident.hand_up": _OFFICE | {Role.GRID_MEMBER, Role.GRID_LEADER},
    "incident.hand_down": _OFFICE,
    "incident.assign_task": _OFFICE,
    "incident.finish_task": _OFFICE | _WORKERS,
    "incident.meet": _OFFICE | _WORKERS,
    "incident.attach": _EVERYBODY - {Role.PLANNER},
    "file.add": _EVERYBODY,
    "file.view": _EVERYBODY,
    "incident.comment": _EVERYBODY,
    "calendar.view": _EVERYBODY,
    "calendar.manage": frozenset({Role.ADMIN}),
    "duty.view": _EVERYBODY,
    "duty.manage": _OFFICE,
    "position.view": _STREET,
    "position.share": _EVERYBODY - {Role.PLANNER},
    "category.manage": frozenset({Role.ADMIN}),
    "weekly.view": _EVERYBODY,
    "weekly.lead": _OFFICE | {Role.GRID_LEADER},
    "bulletin.view": _EVERYBODY,
    "bulletin.write": frozenset({Role.STREET_LEADER, Role.COMMAND_CENTRE, Role.ADMIN}),
    "claim.view": _EVERYBODY,
    "claim.cut": _OFFICE | {Role.GRID_LEADER, Role.DEPARTMENT_HANDLER},
    "claim.take": _WORKERS,
    "claim.accept": _OFFICE,
    "organisation.view": _EVERYBODY,
    "organisation.manage": _STREET,
    "module.view": _EVERYBODY,
    "module.manage": _STREET,
    "task_force.view": _EVERYBODY,
    "task_force.manage": _STREET,
    "approval.view": _EVERYBODY,
    "approval.ask": _STREET | {Role.DEPARTMENT_HANDLER},
    "approval.answer": frozenset({Role.DEPARTMENT_HANDLER, Role.ADMIN}),
    "approval.decide": _STREET | {Role.DEPARTMENT_HANDLER},
    "approval.overrule": frozenset({Role.STREET_LEADER, Role.COMMAND_CENTRE, Role.ADMIN}),
    "approval.manage": frozenset({Role.COMMAND_CENTRE, Role.ADMIN}),
    "consultation.view": _EVERYBODY,
    "consultation.ask": _OFFICE | {Role.PLANNER, Role.DEPARTMENT_HANDLER},
    "consultation.answer": _OFFICE | {Role.DEPARTMENT_HANDLER},
    "consultation.manage": frozenset({Role.COMMAND_CENTRE, Role.ADMIN}),
    "supervision.view": _EVERYBODY,
    "supervision.issue": _STREET,
    "supervision.answer": _OFFICE | _WORKERS,
    "list.view": _EVERYBODY,
    "list.manage": frozenset({Role.COMMAND_CENTRE, Role.ADMIN}),
    "admission.ask": frozenset({Role.DEPARTMENT_HANDLER, Role.COMMAND_CENTRE, Role.ADMIN}),
    "admission.argue": _STREET,
    "admission.decide": frozenset({Role.COMMAND_CENTRE, Role.ADMIN}),
    "whistle.view": _EVERYBODY,
    "whistle.blow": frozenset({Role.STREET_DISPATCHER, Role.STREET_LEADER, Role.DEPARTMENT_HANDLER}),
    "whistle.approve": frozenset({Role.STREET_LEADER, Role.COMMAND_CENTRE, Role.ADMIN}),
    "whistle.manage": frozenset({Role.ADMIN}),
    "policy.view": _EVERYBODY,
    "policy.manage": frozenset({Role.ADMIN}),
    "clock.audit": frozenset({Role.COMMAND_CENTRE, Role.ADMIN}),
    "figures.view": _EVERYBODY,
    "figures.people": _OFFICE | {Role.GRID_LEADER},
    "figures.manage": frozenset({Role.COMMAND_CENTRE, Role.ADMIN}),
    "grading.view": _EVERYBODY,
    "grading.manage": frozenset({Role.COMMAND_CENTRE, Role.ADMIN}),
    "flag.view": frozenset({Role.STREET_LEADER, Role.COMMAND_CENTRE, Role.ADMIN}),
    "flag.review": frozenset({Role.STREET_LEADER, Role.COMMAND_CENTRE, Role.ADMIN}),
    "flag.manage": frozenset({Role.ADMIN}),
    "scan.view": _OFFICE | {Role.GRID_LEADER, Role.DEPARTMENT_HANDLER, Role.PLANNER},
    "scan.look": _OFFICE,
    "notice.view": _EVERYBODY,
    "notice.manage": frozenset({Role.ADMIN}),
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
    body: str | None = None  # the department somebody works for
    also: tuple[str, ...] = ()  # task forces somebody is a member of

    @property
    def bodies(self) -> tuple[str, ...]:
        """The names of all bodies somebody works for now."""
        return (*filter(None, (self.body,)), *self.also)

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


def roles_of(cell: str) -> tuple[Grant, ...]:
    """Read the roles of a person in a table: 网格员:510106001001001; community_clerk:510106001.

    Raises
    ------
    NotARole
    """
    grants = []
    for part in filter(None, map(str.strip, re.split(r"[;；\n]", cell))):
        role, _, code = re.sub("[：:]", ":", part).partition(":")
        if role.strip().casefold() not in ROLE_NAMES:
            raise NotARole(role=role.strip(), known=", ".join(Role))
        grants.append(Grant(ROLE_NAMES[role.strip().casefold()], code.strip()))
    return tuple(dict.fromkeys(grants))


# A role may be written as its code, or by its name in any language of the interface.
ROLE_NAMES = {
    name.casefold(): role
    for role in Role
    for name in (role, ROLES[role], *(catalogue(each).gettext(ROLES[role]) for each in LANGUAGES))
}
_YES_NO = {"yes": True, "no": False, "是": True, "否": False, "启用": True, "停用": False}

PEOPLE = {
    "username": Column(("用户名", "账号", "username"), text(64)),
    "name": Column(("姓名", "name"), text(64)),
    "roles": Column(("角色", "roles"), roles_of),
    "body": Column(("单位", "部门", "body"), text(100), default=None),
    "active": Column(("启用", "active"), one_of(_YES_NO), default=True),
    "password": Column(("初始密码", "password"), text(200), default=None),
}
"""The columns of a table of people."""
