"""Reads of what is bound to units that are no more, or were divided: what becomes of each thing, told beforehand."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import inspect, literal, select
from sqlalchemy.orm import Session

from gridmgr.following import rules
from gridmgr.following.model import Followed, Follower
from gridmgr.following.rules import BEGINNERS, FOLLOWERS, UNDECIDED, Row
from gridmgr.hierarchy.model import UnitsSucceeded


def foreseen(session: Session, event: UnitsSucceeded) -> list[Followed]:
    """Return what becomes of everything bound to units that have followers: what needs a decision first.

    What concerns one person alone, such as a kept view, is not told; nor are roles, turns and open cases, which
    have a number of their own.
    """
    found = [each for follower in FOLLOWERS for _row, each in moves(session, follower, event)]
    for table, becomes in ((BEGINNERS, rules.begins), (UNDECIDED, rules.undecided)):
        for follower in table:
            found += becomes(follower, rows(session, follower, event), event)
    found = [each for each in dict.fromkeys(found) if each.matter]
    return sorted(
        found, key=lambda each: (not each.decision, each.matter, each.before, each.after, each.title)
    )


def moves(session: Session, follower: Follower, event: UnitsSucceeded) -> list[tuple[Row, Followed]]:
    """Return the rows that follow, each with what becomes of it."""
    found = rows(session, follower, event)
    there: set[tuple] = set()
    if found and follower.alone is not None:
        heirs = _read(session, follower, event.heirs.values(), event.effective)
        there = {(each.code, *each.alike) for each in heirs}
    return rules.goes(follower, found, there, event)


def rows(session: Session, follower: Follower, event: UnitsSucceeded) -> list[Row]:
    """Return the rows of a column that are going on and hold the code of a unit that is no more, or was divided."""
    return _read(session, follower, {*event.heirs, *event.founded.values()}, event.effective)


def _read(session: Session, follower: Follower, codes: Iterable[str], day: date) -> list[Row]:
    key, alone = keys(follower)[0], follower.alone or ()
    told = literal("") if follower.title is None else follower.title
    asked = select(key, follower.column, told, follower.of or key, *alone).where(
        follower.column.in_(sorted(codes)), *(each(day) if _of_day(each) else each for each in follower.going)
    )
    return [
        Row(each[0], each[1], each[2] or "", tuple(each[4:]), each[3])
        for each in session.execute(asked.order_by(follower.column, key))
    ]


def _of_day(condition: Any) -> bool:
    return type(condition) is type(_of_day)


def keys(follower: Follower) -> Sequence[Any]:
    """Return the columns that name a row of the table that holds the code."""
    return inspect(follower.column.class_).primary_key
