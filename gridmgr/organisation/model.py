"""Bodies: departments, their stations, teams and command rooms, each with one name that everything calls it by."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound


class BodyKind(StrEnum):
    """What a body is."""

    DEPARTMENT = "department"  # 部门
    STATION = "station"  # 派驻站所: people of a department who are stationed in a place
    TEAM = "team"  # 综合执法队: one team of a place for the matters of many departments
    COMMAND_ROOM = "command_room"  # 综合信息指挥室
    TASK_FORCE = "task_force"  # 专班: raised and disbanded by `gridmgr.task_force`


class Body(Base):
    """A body by its unique name: cases, accounts and categories name it so."""

    __tablename__ = "body"
    __table_args__ = (CheckConstraint("home_id <> id", name="home_is_another"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    aliases: Mapped[list[str]] = mapped_column(ARRAY(String(100)))  # short and former names
    home_id: Mapped[int | None] = mapped_column(ForeignKey("body.id"), index=True)  # whom it belongs to
    territory: Mapped[str] = mapped_column(String(32))  # the beginning of the codes it is there for
    phone: Mapped[str] = mapped_column(String(32))
    lines: Mapped[list[str]] = mapped_column(ARRAY(String(100)))  # of a team: departments it answers for
    active: Mapped[bool] = mapped_column(default=True)


@dataclass(frozen=True)
class Described:
    """A body as somebody tells it: home and lines by the names of other bodies."""

    name: str
    kind: BodyKind
    aliases: tuple[str, ...] = ()
    home: str = ""
    territory: str = ""
    phone: str = ""
    lines: tuple[str, ...] = ()
    active: bool = True


@dataclass(frozen=True)
class Fate:
    """What a row of a table of bodies does to which of them."""

    row: int
    name: str
    fate: str  # added, changed, unchanged


@dataclass(frozen=True)
class BodyRenamed:
    """A body has a new name; open cases and open accounts follow, what is finished keeps the old one."""

    before: str
    after: str


class UnknownBody(NotFound):
    """There is no body {name}."""


class BodyClosed(Conflict):
    """{name} is no more; give the case to somebody else."""


class NoSuchBody(BadInput):
    """There is no body of that name."""


class NameTaken(Conflict):
    """{name} is what another body is called, {other}."""


class NameMissing(BadInput):
    """A body needs a name."""


class BodyTwice(BadInput):
    """This body stands in an earlier row too."""


class HomeInCircle(BadInput):
    """It would belong to itself: {way}."""


class HomeNeeded(BadInput):
    """A station is of a department; name it."""


class TerritoryNeeded(BadInput):
    """It is there for a place; give the beginning of its codes."""


class NotADepartment(BadInput):
    """{name} is no department whose matters a team could take."""


class LinesOfTeamsOnly(BadInput):
    """Only a team answers for the matters of departments."""


class LineTaken(Conflict):
    """The matters of {line} are taken by {name} there already."""


class RoomThere(Conflict):
    """{name} is the command room of that place already."""


class RaisedElsewhere(BadInput):
    """A task force is raised and disbanded on its own page."""


class StillNeeded(Conflict):
    """{name} cannot be closed: {who} belong to it."""
