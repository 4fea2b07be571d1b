"""The grid members of the demonstration street walk their grids with a phone that says where they are."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from geoalchemy2.functions import ST_X, ST_Y, ST_PointOnSurface
from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.model import Account
from gridmgr.account.rules import Actor, Role
from gridmgr.duty import queries as duty
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING, GridUnit, NoEdition
from gridmgr.position import queries, service

WALKERS = 36  # people who share their position
SLOW = 6  # every so many has the phone in a pocket: what is known of that one grows old
PAUSE, LONG_PAUSE = timedelta(minutes=4), timedelta(minutes=50)


def walk(session: Session) -> int:
    """Let some grid members on duty send where they are: at a door of their own grid; returns how many did."""
    shown = accounts.by_username(session, "dispatcher")
    if shown is None:
        return 0
    members = _members(session, shown.grants[0].code)
    doors = _doors(session, set(members.values()))
    sent = 0
    for n, (account_id, grid) in enumerate(members.items()):
        actor = accounts.actor_of(session.get_one(Account, account_id))
        if doors.get(grid) and _due(session, actor, LONG_PAUSE if n % SLOW == SLOW - 1 else PAUSE, n):
            lon, lat = _door(doors[grid], n)
            service.send(session, actor, lon, lat, "wgs84", 6.0 + n % 20)
            sent += 1
    return sent


def _members(session: Session, street: str) -> Mapping[int, str]:
    """Return so many members on duty in a street, spread over its grids, with the grid of each."""
    seated = {
        min(people): code
        for (role, code), people in sorted(duty.seats(session).by_seat.items())
        if role is Role.GRID_MEMBER and code.startswith(street) and people
    }
    step = max(len(seated) // WALKERS, 1)
    return dict(list(seated.items())[::step][:WALKERS])


def _due(session: Session, actor: Actor, pause: timedelta, n: int) -> bool:
    """Tell whether somebody sends again now; who has not shared yet begins. No two have quite the same pace."""
    own = queries.shared(session, actor) or service.share(session, actor)
    return own.sent_at is None or clock.now() - own.sent_at > pause + timedelta(seconds=7 * (n % 17))


def _doors(session: Session, grids: set[str]) -> dict[str, list[tuple[float, float]]]:
    """Return a place inside each building of some micro-grids, by grid."""
    try:
        day = hierarchy.edition_at(session).effective
    except NoEdition:
        return {}
    inside = ST_PointOnSurface(GridUnit.geom)
    asked = select(GridUnit.parent_code, ST_X(inside), ST_Y(inside)).where(
        GridUnit.level == BUILDING, GridUnit.parent_code.in_(grids), hierarchy.valid_at(day)
    )
    found: dict[str, list[tuple[float, float]]] = {}
    for grid, lon, lat in session.execute(asked.order_by(GridUnit.code)):
        found.setdefault(grid, []).append((lon, lat))
    return found


def _door(doors: Sequence[tuple[float, float]], n: int) -> tuple[float, float]:
    """Return the door somebody is at now: another one every few minutes."""
    turn = int(clock.now().timestamp()) // int(PAUSE.total_seconds())
    return doors[(turn + n) % len(doors)]
