"""Verbs of what is bound to units: let it follow when an edition is in force. They never commit."""

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import SYSTEM
from gridmgr.following import queries
from gridmgr.following.model import Followed, Follower, Way
from gridmgr.following.rules import FOLLOW, FOLLOWERS, Row
from gridmgr.hierarchy.model import UnitsSucceeded


def follow_units(session: Session, event: UnitsSucceeded) -> None:
    """Let everything in `rules.FOLLOWERS` go over to the heirs, with a line in the record of what has one."""
    session.flush()
    for follower in FOLLOWERS:
        if not follower.own:
            for row, each in queries.moves(session, follower, event):
                _carry(session, follower, row, each)


def _carry(session: Session, follower: Follower, row: Row, each: Followed) -> None:
    here = update(follower.column.class_).where(queries.keys(follower)[0] == row.key)
    if each.way is Way.ENDS and follower.ends:
        session.execute(here.values({follower.ends: clock.now()}))
    elif each.way is Way.GOES:
        columns = (follower.column, *follower.also)
        session.execute(here.values(dict.fromkeys((column.key for column in columns), each.after)))
        if follower.record is not None:
            _note(session, follower, row.of, each)


def _note(session: Session, follower: Follower, of: int, each: Followed) -> None:
    table, column = follower.record.class_, follower.record
    done = session.scalar(select(func.coalesce(func.max(table.seq), 0)).where(column == of))
    line = {
        column.key: of, "seq": done + 1, "deed": FOLLOW, "note": f"{each.before} → {each.after}",
        "actor_id": None, "actor_name": SYSTEM.name, "at": clock.now(),
    }  # fmt: skip
    session.execute(insert(table).values(line | dict(follower.blank)))
