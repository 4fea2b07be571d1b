"""The table of who is told of which step, and which roles that means on a case."""

from enum import StrEnum

from gridmgr.account.rules import LEVEL_OF, PERMISSIONS, Role
from gridmgr.incident import rules as incident
from gridmgr.incident.model import Incident, Moved
from gridmgr.incident.rules import PUBLIC
from gridmgr.life.model import HOLDERS, Action
from gridmgr.notice.model import Kind


class Who(StrEnum):
    """Whom a step concerns."""

    BODY = "body"  # who is to do the work: people of the department, or of the unit
    TASK = "task"  # people of the department that does a part
    GRANTERS = "granters"  # who may grant what is asked for, on the nearest level
    ASKER = "asker"  # who had asked
    REPORTER = "reporter"
    HOLDERS = "holders"  # the desk of the level that holds it


LEADERS = frozenset({Role.STREET_LEADER})
TOLD: dict[Action, tuple[Kind, Who]] = {
    Action.DISPATCH: (Kind.ASSIGNED, Who.BODY),
    Action.REDIRECT: (Kind.ASSIGNED, Who.BODY),
    Action.RESUME: (Kind.ASSIGNED, Who.BODY),
    Action.HAND_OVER: (Kind.ASSIGNED, Who.BODY),
    Action.REWORK: (Kind.REWORK, Who.BODY),
    Action.ASSIGN_TASK: (Kind.TASK, Who.TASK),
    Action.ASK: (Kind.ASKED, Who.GRANTERS),
    Action.SEND_BACK: (Kind.HANDED, Who.HOLDERS),
    Action.HAND_UP: (Kind.HANDED, Who.HOLDERS),
    Action.HAND_DOWN: (Kind.HANDED, Who.HOLDERS),
    Action.CLOSE: (Kind.CLOSED, Who.REPORTER),
    Action.REOPEN: (Kind.REOPENED, Who.HOLDERS),
}


def told_of(step: Moved) -> list[tuple[Kind, Who]]:
    """Return the notices a step makes: those of the table, and the answer to whoever had asked."""
    found = [TOLD[step.action]] if step.action in TOLD and not step.payload.get("renamed") else []
    return [*found, (Kind.ANSWERED, Who.ASKER)] if step.payload.get("asked_by") else found


def granters(way: Action, case: Incident) -> list[Role]:
    """Return the roles that may grant a request, of the nearest level that can."""
    roles = incident.rank(way, case) if way in incident.RANKS else PERMISSIONS[f"incident.{way}"]
    desks = [role for role in roles - LEADERS if role in LEVEL_OF]
    able = [role for role in desks if height(LEVEL_OF[role]) >= height(case.level)]
    lowest = min((height(LEVEL_OF[role]) for role in able), default=None)
    return [role for role in able if height(LEVEL_OF[role]) == lowest]


def height(level: str) -> int:
    """Return how high a level stands, 0 the lowest."""
    return HOLDERS.index(level)


def sitting(level: str) -> list[Role]:
    """Return the roles that work on a level; leaders hear of what climbs, not of what is passed on."""
    return [role for role, each in LEVEL_OF.items() if each == level and role not in LEADERS]


def first_desk(source: str) -> list[Role]:
    """Return who hears of a new case: the grid for the public's, to look on site; else the community."""
    return sitting("micro_grid") if source in PUBLIC else sitting("community")
