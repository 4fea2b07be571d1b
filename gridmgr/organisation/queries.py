"""Reads of bodies: by name, by place; the register is kept by the process."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gridmgr.account.model import Account
from gridmgr.kept import kept
from gridmgr.organisation import rules
from gridmgr.organisation.model import Body, BodyClosed, BodyKind, Described, UnknownBody


@dataclass(frozen=True)
class Register:
    """All bodies, closed ones too, by id, and whom each name or alias calls."""

    by_id: dict[int, Body]
    by_name: dict[str, Body]
    called: dict[str, Body]

    def described(self, body: Body) -> Described:
        """Return a body as somebody would tell it."""
        home = self.by_id[body.home_id].name if body.home_id else ""
        return Described(
            body.name, BodyKind(body.kind), tuple(body.aliases), home, body.territory, body.phone,
            tuple(body.lines), body.active,
        )  # fmt: skip


def register(session: Session) -> Register:
    """Return the register of bodies."""
    return kept(session, "bodies", _read)


def _read(session: Session) -> Register:
    order = list(BodyKind)
    found = sorted(
        session.scalars(select(Body)),
        key=lambda each: (order.index(BodyKind(each.kind)), each.territory, each.name),
    )
    by_name = {each.name: each for each in found}
    aliases = {alias: each for each in found for alias in each.aliases}
    return Register({each.id: each for each in found}, by_name, aliases | by_name)


def bodies(session: Session, kind: BodyKind | None = None) -> dict[str, Body]:
    """Return the bodies there are now by name, those of one kind or all: departments first."""
    return {
        name: each
        for name, each in register(session).by_name.items()
        if each.active and kind in (None, BodyKind(each.kind))
    }


def named(session: Session, name: str) -> Body | None:
    """Return the body of that name, or of that short or former name; None if there is none."""
    return register(session).called.get(name.strip())


def body(session: Session, name: str) -> Body:
    """Return the body of that name or alias.

    Raises
    ------
    UnknownBody
    """
    found = named(session, name)
    if found is None:
        raise UnknownBody(name=name)
    return found


def by_id(session: Session, body_id: int) -> Body:
    """Return the body of that id.

    Raises
    ------
    UnknownBody
    """
    found = register(session).by_id.get(body_id)
    if found is None:
        raise UnknownBody(name=body_id)
    return found


def present_name(session: Session, name: str) -> str:
    """Return what a body is called now, by whichever of its names; a name nobody knows stays as it is."""
    found = named(session, name)
    return found.name if found else name


def addressed(session: Session, name: str) -> str:
    """Return what a body that is given work is called now; a name nobody knows stays as it is.

    Raises
    ------
    BodyClosed
    """
    found = named(session, name)
    if found is not None and not found.active:
        raise BodyClosed(name=found.name)
    return found.name if found else name


def offered(session: Session, more: Iterable[str] = ()) -> list[str]:
    """Return the names a form offers: all bodies there are, and what else is named, by their present names."""
    known = list(bodies(session))
    others = {present_name(session, each) for each in more if each}
    return known + sorted(others - set(known))


def station(session: Session, department: str, unit_code: str) -> Body | None:
    """Return the station of a department that is there for a place, None if it has none there."""
    home = named(session, department)
    if home is None:
        return None
    found = (each for each in bodies(session, BodyKind.STATION).values() if each.home_id == home.id)
    return rules.nearest(found, unit_code)


def team(session: Session, department: str, unit_code: str) -> Body | None:
    """Return the team of a place that takes the matters of a department, None if none does."""
    name = present_name(session, department)
    teams = bodies(session, BodyKind.TEAM).values()
    taking = (each for each in teams if name in (present_name(session, line) for line in each.lines))
    return rules.nearest(taking, unit_code)


def enforcement(session: Session, department: str, unit_code: str) -> tuple[str, str] | None:
    """Return who enforces the matters of a department at a place: the one team, and the station beside it.

    Rule: field.md §1, A6: a matter of any line goes to the street's team with the competent station
    alongside; the department itself stands beside it where it has no station. None: no team takes it.
    """
    found = team(session, department, unit_code)
    if found is None:
        return None
    beside = station(session, department, unit_code)
    return found.name, beside.name if beside else present_name(session, department)


def room(session: Session, unit_code: str) -> Body | None:
    """Return the command room of a place, None if it has none."""
    return rules.nearest(bodies(session, BodyKind.COMMAND_ROOM).values(), unit_code)


def workplaces(session: Session) -> dict[str, tuple[str, str]]:
    """Return of each name and alias what that body is called and, of a station, where it is: as staff tables ask."""
    stations = (BodyKind.STATION, BodyKind.TEAM)
    return {
        name: (each.name, each.territory if each.kind in stations else "")
        for name, each in register(session).called.items()
        if each.active
    }


def people(session: Session) -> dict[str, int]:
    """Return how many open accounts work for each body, by name."""
    asked = select(Account.body, func.count()).where(Account.active, Account.body.is_not(None))
    return dict(tuple(row) for row in session.execute(asked.group_by(Account.body)))
