"""Reading the lists of single lines, what is wrong in them together, and the one list they make. No session."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gridmgr.errors import Problem
from gridmgr.one_grid.model import AccountOfAnother, AnotherName, Entry, Hint, LineTwice, Member, NobodySaid
from gridmgr.sheet import Column, Row, text

TABLE = {
    "line": Column(("条线", "网格类型", "line"), text(32)),
    "code": Column(("网格编码", "微网格编码", "code"), text(32)),
    "name": Column(("姓名", "name"), text(64)),
    "phone": Column(("电话", "手机号", "联系电话", "phone"), text(32), default=""),
    "username": Column(("用户名", "账号", "username"), text(64), default=""),
}
"""The columns of the list of a line; several lines may stand in one list."""
MANY = 3  # micro-grids one person may be in before it is pointed out


def entry(row: Row) -> Entry:
    """Return a row as an entry; a person without a user name is called by the phone."""
    username = row["username"] or (f"wg{row['phone']}" if row["phone"] else "")
    return Entry(row["line"], row["code"], row["name"], username, row["phone"])


def faults(entries: Sequence[Entry], names: Mapping[str, str]) -> Iterator[tuple[int, str, Problem]]:
    """Yield what is wrong with entries as (place, field, problem); `names` are those of accounts there are.

    Rule: field.md §1, E4: one person is one account, whatever the line; nobody is merged by name alone.
    """
    called: dict[str, str] = {}
    seen: set[tuple[str, str, str]] = set()
    for place, each in enumerate(entries):
        if not each.username:
            yield place, "name", NobodySaid()
            continue
        known = called.setdefault(each.username, each.name)
        if known != each.name:
            yield place, "name", AnotherName(username=each.username, name=known)
        if each.username in names and names[each.username] != each.name:
            yield place, "name", AccountOfAnother(username=each.username, name=names[each.username])
        key = each.username, each.code, each.line
        if key in seen:
            yield place, "line", LineTwice()
        seen.add(key)


def merged(entries: Iterable[Entry]) -> dict[str, tuple[Member, ...]]:
    """Return the one list of each micro-grid: every person once, with all lines served there."""
    grids: dict[str, dict[str, tuple[str, list[str]]]] = {}
    for each in entries:
        _, lines = grids.setdefault(each.code, {}).setdefault(each.username, (each.name, []))
        if each.line not in lines:
            lines.append(each.line)
    return {
        code: tuple(
            Member(username, name, tuple(lines)) for username, (name, lines) in sorted(people.items())
        )
        for code, people in sorted(grids.items())
    }


def hints(grids: Mapping[str, Sequence[Member]]) -> Iterator[Hint]:
    """Yield what should be looked at: a line nobody serves, several people in one grid, one person in many."""
    lines = sorted({line for members in grids.values() for each in members for line in each.lines})
    places: dict[str, list[str]] = {}
    for code, members in grids.items():
        served = {line for each in members for line in each.lines}
        if missing := [line for line in lines if line not in served]:
            yield Hint("uncovered", code, ", ".join(missing))
        if len(members) > 1:
            yield Hint("several", code, ", ".join(each.name for each in members))
        for each in members:
            places.setdefault(each.name, []).append(code)
    for name, codes in sorted(places.items()):
        if len(codes) > MANY:
            yield Hint("many_grids", codes[0], f"{name}: {', '.join(codes)}")
