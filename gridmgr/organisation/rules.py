"""What a register of bodies must be like, and who of it answers for a place. No session, no time of day."""

import re
from collections.abc import Iterable, Iterator, Mapping

from gridmgr.errors import Problem
from gridmgr.i18n import LANGUAGES, catalogue
from gridmgr.organisation.model import (
    Body,
    BodyKind,
    Described,
    HomeInCircle,
    HomeNeeded,
    LinesOfTeamsOnly,
    LineTaken,
    NameMissing,
    NameTaken,
    NoSuchBody,
    NotADepartment,
    RaisedElsewhere,
    RoomThere,
    StillNeeded,
    TerritoryNeeded,
)
from gridmgr.sheet import Column, one_of, text
from gridmgr.words.bodies import BODIES

KINDS = tuple(kind for kind in BodyKind if kind is not BodyKind.TASK_FORCE)
"""What people found; task forces are raised."""
_PLACED = (BodyKind.STATION, BodyKind.TEAM, BodyKind.COMMAND_ROOM)
_KIND_NAMES = {"派驻机构": BodyKind.STATION, "执法队": BodyKind.TEAM, "指挥室": BodyKind.COMMAND_ROOM} | {
    name: kind
    for kind in KINDS
    for name in (kind, BODIES[kind], *(catalogue(each).gettext(BODIES[kind]) for each in LANGUAGES))
}
_YES_NO = {"yes": True, "no": False, "是": True, "否": False, "启用": True, "停用": False}


def names_of(cell: str) -> tuple[str, ...]:
    """Read several names from a cell, with commas, semicolons or enumeration commas between."""
    read = text(100)
    return tuple(
        dict.fromkeys(read(part.strip()) for part in re.split(r"[,，;；、\n]", cell) if part.strip())
    )


TABLE = {
    "name": Column(("名称", "单位名称", "name"), text(100)),
    "kind": Column(("类型", "kind"), one_of(_KIND_NAMES)),
    "aliases": Column(("简称", "别名", "aliases"), names_of, default=()),
    "home": Column(("隶属单位", "派出部门", "home"), text(100), default=""),
    "territory": Column(("驻地编码", "辖区编码", "territory"), text(32), default=""),
    "phone": Column(("电话", "联系电话", "phone"), text(32), default=""),
    "lines": Column(("执法条线", "条线", "lines"), names_of, default=()),
    "active": Column(("启用", "active"), one_of(_YES_NO), default=True),
}
"""The columns of a table of bodies."""


def called(register: Iterable[Described]) -> dict[str, str]:
    """Return what each name and alias calls: the name of the body; a name goes before an alias."""
    bodies = list(register)
    aliases = {alias: each.name for each in bodies for alias in each.aliases}
    return aliases | {each.name: each.name for each in bodies}


def faults(register: Mapping[str, Described], touched: Iterable[str]) -> Iterator[tuple[str, str, Problem]]:
    """Yield what is wrong with the touched bodies of a register, as (name, field, problem).

    Rule: field.md §1, A6 and D2: a station has its department and its place, a place one command room and
    one team for each line; home bodies form no circle.
    """
    for each in (register[name] for name in touched):
        found = (*_named(each, register), *_kind(each), *_home(each, register), *_lines(each, register))
        yield from ((each.name, field, problem) for field, problem in found)


def _named(each: Described, register: Mapping[str, Described]) -> Iterator[tuple[str, Problem]]:
    if not each.name.strip():
        yield "name", NameMissing()
    for other in register.values():
        if other.name == each.name:
            continue
        if each.name in other.aliases:
            yield "name", NameTaken(name=each.name, other=other.name)
        for alias in each.aliases:
            if alias == other.name or alias in other.aliases:
                yield "aliases", NameTaken(name=alias, other=other.name)


def _kind(each: Described) -> Iterator[tuple[str, Problem]]:
    if each.kind is BodyKind.STATION and not each.home:
        yield "home", HomeNeeded()
    if each.kind in _PLACED and not each.territory:
        yield "territory", TerritoryNeeded()
    if each.kind is BodyKind.TASK_FORCE:
        yield "kind", RaisedElsewhere()


def _home(each: Described, register: Mapping[str, Described]) -> Iterator[tuple[str, Problem]]:
    if not each.home:
        return
    names = called(register.values())
    if each.home not in names:
        yield "home", NoSuchBody()
        return
    way, above = [each.name], names[each.home]
    while above and above not in way:
        way.append(above)
        above = names.get(register[above].home, "") if above in register else ""
    if above == each.name:
        yield "home", HomeInCircle(way=" → ".join([*way, above]))
    if not each.active:
        return
    if not register[names[each.home]].active:
        yield "home", NoSuchBody()


def _lines(each: Described, register: Mapping[str, Described]) -> Iterator[tuple[str, Problem]]:
    names = called(register.values())
    others = [
        other
        for other in register.values()
        if other.name != each.name and other.active and other.kind == each.kind
        and other.territory == each.territory
    ]  # fmt: skip
    if each.kind is BodyKind.COMMAND_ROOM and each.active and others:
        yield "territory", RoomThere(name=others[0].name)
    if each.lines and each.kind is not BodyKind.TEAM:
        yield "lines", LinesOfTeamsOnly()
        return
    for line in each.lines:
        if line not in names or register[names[line]].kind is not BodyKind.DEPARTMENT:
            yield "lines", NotADepartment(name=line)
        taken = [other.name for other in others if names.get(line) in map(names.get, other.lines)]
        if taken and each.active:
            yield "lines", LineTaken(line=line, name=taken[0])


def closing(each: Described, register: Iterable[Described], people: int) -> Problem | None:
    """Return why a body cannot be closed: somebody works for it, or bodies belong to it."""
    below = [other.name for other in register if other.active and other.home == each.name]
    if not below and not people:
        return None
    who = ", ".join([*below[:3], *(["…"] if below[3:] else []), *([str(people)] if people else [])])
    return StillNeeded(name=each.name, who=who)


def nearest(bodies: Iterable[Body], code: str) -> Body | None:
    """Return the body whose territory lies closest around a place, None if none does."""
    around = [each for each in bodies if code.startswith(each.territory)]
    return max(around, key=lambda each: (len(each.territory), -each.id), default=None)
