"""How what is bound to a unit follows it, and what cannot follow by rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Way(StrEnum):
    """What becomes of something bound to a unit that is no more, or that was divided."""

    GOES = "goes"  # 随之转移: it is of the heir from then on
    BEGINS = "begins"  # 照样适用: a new unit begins with the same
    STAYS = "stays"  # 须决定: it stays with the unit left, and the part cut off has none
    ENDS = "ends"  # 须决定: the heir keeps its own; this one ends with its unit


DECISIONS = (Way.STAYS, Way.ENDS)


def named(column: Any) -> str:
    """Return a mapped column as `table.column`."""
    return str(column.property.columns[0])


@dataclass(frozen=True, eq=False)
class Follower:
    """Rows that hold a unit's code and follow it: which are going on, and by which rule."""

    matter: str  # a key of words.FOLLOWED; empty: nobody needs to be told
    column: Any  # holds the code
    going: tuple[Any, ...] = ()  # conditions of the rows that still count (or what makes one of a day)
    title: Any = None  # what a row is called; None: whose it is concerns nobody
    also: tuple[Any, ...] = ()  # columns that hold the same code
    alone: tuple[Any, ...] | None = None  # a unit has one row with the same of these at most
    divided: bool = False  # somebody has to say whose it is when a part of its unit is cut off
    ends: str = ""  # the column that says when it ended, if it ends with its unit
    record: Any = None  # the column of its record that points to it: a line is written there
    blank: Mapping[str, Any] = field(default_factory=dict)  # other columns of that line
    of: Any = None  # the column of the row that the record points to; its id unless told
    own: bool = False  # its noun moves it itself; here it is only told beforehand

    @property
    def name(self) -> str:
        """The column as `table.column`."""
        return named(self.column)


@dataclass(frozen=True)
class Followed:
    """One thing and what becomes of it."""

    matter: str
    title: str
    before: str
    after: str
    way: Way

    @property
    def decision(self) -> bool:
        """Whether somebody has to decide it."""
        return self.way in DECISIONS
