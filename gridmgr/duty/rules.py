"""Reading rosters, and the holes they leave. No session, no time of day."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from gridmgr.account.model import Role
from gridmgr.account.rules import LEVEL_OF, ROLE_NAMES
from gridmgr.calendar.rules import days_of, minutes, spans_of
from gridmgr.duty.model import Gap, Hole, NoSeatOfRole, SeatTaken, Turn, TurnTwice
from gridmgr.sheet import Column, Row, SheetError, one_of, text

SEATED = (*LEVEL_OF, Role.DEPARTMENT_HANDLER)
"""The roles that sit somewhere: those of the four levels, and the departments' own."""
LONGEST_LEAVE = 366  # days


def role_of(cell: str) -> Role:
    """Read the role of a seat, by its code or its name in any language.

    Raises
    ------
    NoSeatOfRole
    """
    role = ROLE_NAMES.get(cell.strip().casefold())
    if role not in SEATED:
        raise NoSeatOfRole(known=", ".join(SEATED))
    return role


_PARTS = {
    "main": False,
    "主岗": False,
    "主": False,
    "substitute": True,
    "副岗": True,
    "替补": True,
    "副": True,
}

SHIFTS = {
    "username": Column(("用户名", "账号", "username"), text(64)),
    "role": Column(("岗位", "角色", "role"), role_of),
    "code": Column(("辖区编码", "辖区", "area", "code"), text(32), default=""),
    "days": Column(("日期", "date", "days"), days_of),
    "spans": Column(("时段", "班次", "hours"), spans_of),
    "substitute": Column(("主副岗", "part"), one_of(_PARTS), default=False),
}
"""The columns of a roster: each row is a person at a seat, on a day or some days, at some hours."""


def turns(row: Row, zone: ZoneInfo) -> Iterator[Turn]:
    """Yield the turns of a row, on the clock of the district; a night belongs to the day it begins on."""
    seat = (row["username"], row["role"].value, row["code"], row["substitute"])
    for day in row["days"]:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        for begin, end in minutes(row["spans"]):
            yield Turn(*seat, midnight + timedelta(minutes=begin), midnight + timedelta(minutes=end))


def clashes(
    rows: Sequence[tuple[Row, Sequence[Turn]]], kept: Iterable[Turn], names: Mapping[str, str]
) -> Iterator[SheetError]:
    """Yield what only other rows, or the turns that stay, show to be wrong: two at once where one can be.

    A person sits at a seat once at a time, and a seat has one main at a time; `names` are those of user names.
    """
    told = [(turn, None) for turn in kept] + [(turn, row) for row, found in rows for turn in found]
    told.sort(key=lambda each: (each[0].seat, each[0].begins, each[1].number if each[1] else 0))
    blamed: set[int] = set()
    for _, at_seat in groupby(told, key=lambda each: each[0].seat):
        before: list[Turn] = []
        for turn, row in at_seat:
            before = [each for each in before if each.ends > turn.begins]
            fault = next((_clash(each, turn, names) for each in before if _clash(each, turn, names)), None)
            if fault and row and row.number not in blamed:
                blamed.add(row.number)
                yield row.error("days", fault)
            before.append(turn)


def _clash(one: Turn, other: Turn, names: Mapping[str, str]) -> TurnTwice | SeatTaken | None:
    if one.username == other.username:
        return TurnTwice()
    if one.substitute or other.substitute:
        return None
    name = names.get(one.username, one.username)
    return SeatTaken(name=name, begins=f"{one.begins:%Y-%m-%d %H:%M}", ends=f"{one.ends:%Y-%m-%d %H:%M}")


def holes(found: Iterable[Turn]) -> list[Hole]:
    """Return when nobody sits at seats that have turns, between the first of them and the last."""
    left = []
    ordered = sorted(found, key=lambda each: (each.seat, each.begins))
    for seat, at_seat in groupby(ordered, key=lambda each: each.seat):
        manned = None
        for turn in at_seat:
            if manned is not None and turn.begins > manned:
                left.append(Hole(*seat, manned, turn.begins))
            manned = max(manned or turn.ends, turn.ends)
    return left


def gaps(found: Iterable[Hole]) -> list[Gap]:
    """Return holes gathered by seat and hours of the day: the odd ones first, then those that come again and again."""
    alike: dict[tuple, list[Hole]] = {}
    for hole in found:
        alike.setdefault((hole.role, hole.code, hole.begins.timetz(), hole.ends - hole.begins), []).append(
            hole
        )
    gathered = [Gap(tuple(holes)) for holes in alike.values()]
    return sorted(gathered, key=lambda gap: (gap.regular, gap.first.code, gap.first.role, gap.first.begins))
