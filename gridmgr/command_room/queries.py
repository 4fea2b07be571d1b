"""What a street's command room sees: each number has the search that finds its cases."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr.account.model import Account
from gridmgr.account.rules import Actor
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.duty import queries as duty
from gridmgr.life.model import State
from gridmgr.module import queries as modules
from gridmgr.module.model import Module, PostKind
from gridmgr.module.queries import Grouping
from gridmgr.organisation import queries as organisation
from gridmgr.organisation.model import Body, BodyKind
from gridmgr.task_force import queries as forces
from gridmgr.task_force.model import Standing, TaskForce

STATIONED = (BodyKind.COMMAND_ROOM, BodyKind.TEAM, BodyKind.STATION)
MOST_FORCES = 50


@dataclass(frozen=True)
class Pile:
    """Open cases: the search that finds them, how many, and how many of them are late."""

    search: Search
    open: int = 0
    late: int = 0


@dataclass(frozen=True)
class Line:
    """A module of the street: who leads it, which bodies work in it, and its open cases."""

    module: Module
    lead: str | None
    deputy: str | None
    bodies: tuple[str, ...]
    pile: Pile


@dataclass(frozen=True)
class Post:
    """A body of the street: who of it is there now, and its open cases; `body` is None if nobody has founded it."""

    name: str
    body: Body | None
    present: tuple[str, ...]
    pile: Pile


@dataclass(frozen=True)
class Room:
    """One look at a street."""

    area: str
    grouping: Grouping | None
    lines: tuple[Line, ...]
    posts: tuple[Post, ...]  # stationed in the street
    others: tuple[Post, ...]  # departments, and people of units, with open cases in it
    forces: tuple[tuple[TaskForce, Post], ...]
    whole: Pile
    waiting: Pile  # nobody is at work on them yet


def room(session: Session, actor: Actor, street: str) -> Room:
    """Return what the command room of a street sees, of the cases the actor may see.

    Rule: field.md §1, D2: one command room directs all stationed teams.
    """
    base = Search(open=True, code=street)
    waiting = replace(base, states=(State.REPORTED, State.ACCEPTED))
    grouping = modules.grouping(session, street)
    own = grouping.modules if grouping else ()
    piles = _piles(
        session, actor,
        {"": base, "waiting": waiting} | {str(each.id): replace(base, module=each.id) for each in own},
    )  # fmt: skip
    work = _work(session, actor, base)
    present = _present(session, street)
    here = [each for each in organisation.bodies(session).values() if _meets(each.territory, street)]
    stationed = [each for each in here if each.territory and each.kind in STATIONED]
    running = [
        (force, body)
        for standing in (Standing.RUNNING, Standing.ENDED)
        for force, body in forces.page(session, actor, forces.Search(standing), MOST_FORCES)
        if _meets(force.area, street)
    ]

    def post(name: str, body: Body | None) -> Post:
        found = work.get(name, Pile(replace(base, handler=name)))
        return Post(name, body, tuple(sorted(present.get(name, ()))), found)

    known = {each.name for each in stationed} | {body.name for _, body in running}
    register = organisation.bodies(session)
    return Room(
        street, grouping, tuple(_lines(session, own, piles)), tuple(post(each.name, each) for each in stationed),
        tuple(post(name, register.get(name)) for name in sorted(work) if name not in known),
        tuple((force, post(body.name, body)) for force, body in running), piles[""], piles["waiting"],
    )  # fmt: skip


def _meets(territory: str, street: str) -> bool:
    return territory.startswith(street) or street.startswith(territory)


def _piles(session: Session, actor: Actor, searches: dict[str, Search]) -> dict[str, Pile]:
    late = {f"{key}/late": replace(search, overdue=True) for key, search in searches.items()}
    counts = casebook.counted(session, actor, searches | late)
    return {
        key: Pile(search, counts[key], counts[f"{key}/late"]) for key, search in searches.items()
    }  # fmt: skip


def _work(session: Session, actor: Actor, base: Search) -> dict[str, Pile]:
    """Return the open cases of each body at work, by its name."""
    found = casebook.work(session, actor, base)
    return {name: Pile(replace(base, handler=name), open, late) for name, open, late in found}


def _present(session: Session, street: str) -> dict[str, set[str]]:
    """Return the names of those on duty now in a street, by the bodies they work for."""
    seats = duty.seats(session).by_body
    found = {
        body: {account for account, area in seated if _meets(area, street)} for body, seated in seats.items()
    }
    names = _names(session, {account for accounts in found.values() for account in accounts})
    return {body: {names[each] for each in accounts} for body, accounts in found.items()}


def _names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    asked = select(Account.id, Account.name).where(Account.id.in_(list(ids)))
    return dict(tuple(row) for row in session.execute(asked))


def _lines(session: Session, own: tuple[Module, ...], piles: dict[str, Pile]) -> Iterable[Line]:
    ids = [each.id for each in own]
    seats, bodies = modules.seats(session, ids), modules.bodies(session, ids)
    for each in own:
        held = {seat.post.kind: seat.holders[0].name for seat in seats[each.id] if seat.holders}
        names = tuple(body.name for body in bodies[each.id])
        yield Line(each, held.get(PostKind.LEAD), held.get(PostKind.DEPUTY), names, piles[str(each.id)])
