"""What is seen of a unit at one look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gridmgr.coapproval.model import Approval
from gridmgr.duty.queries import Duty
from gridmgr.hierarchy.model import GridUnit
from gridmgr.incident.model import Incident
from gridmgr.life.model import State
from gridmgr.supervision.model import SupervisionOrder
from gridmgr.whistle.model import Whistle


@dataclass(frozen=True)
class Cases:
    """How many cases an area has under some filters, and how they stand."""

    total: int = 0
    open: int = 0
    late: int = 0
    closed: int = 0  # in the period of the filters


@dataclass(frozen=True)
class Below:
    """A unit right below the one that is looked at, with its cases."""

    code: str
    name: str
    households: int | None
    population: int | None
    cases: Cases


@dataclass(frozen=True)
class Work:
    """A body at work, with its open cases."""

    body: str
    open: int
    late: int


@dataclass(frozen=True)
class Record:
    """What is known of a building for as long as there are records, whatever the filters."""

    total: int
    first: datetime | None
    last: datetime | None
    repeated: Sequence[tuple[int, int]]  # (category id, cases), of those met more than once
    permits: Sequence[Approval]


@dataclass(frozen=True)
class Glance:
    """One look at a unit; without one, at all the actor sees."""

    unit: GridUnit | None
    path: Sequence[GridUnit]  # from the street down to it
    units: Mapping[str, int]  # how many of each level lie below
    households: int | None
    population: int | None
    cases: Cases
    by_state: Mapping[State, int]
    bodies: Sequence[Work]
    level: str | None  # of the units right below
    below: Sequence[Below]
    apart: int  # cases that lie in none of them
    duty: Sequence[Duty]
    on_duty: int  # people with a seat in it now
    whistles: Sequence[tuple[Whistle, Incident]]
    orders: Sequence[tuple[SupervisionOrder, Incident]]
    record: Record | None  # of a building

    @property
    def code(self) -> str:
        """The unit's code; empty for the whole."""
        return self.unit.code if self.unit else ""

    @property
    def home(self) -> str:
        """The code of the lowest area it is, or lies in: the one whose people work there."""
        areas = [each for each in self.path if each.level != "building"]
        return areas[-1].code if areas else ""
