"""What a search finds, in the groups it is shown in."""

from collections.abc import Sequence
from dataclasses import dataclass

from gridmgr.account.model import Account
from gridmgr.hierarchy.model import GridUnit
from gridmgr.incident.model import Incident
from gridmgr.position.model import Seen


@dataclass(frozen=True)
class FoundPlace:
    """A unit, and by which other name or code it was found, if by one."""

    unit: GridUnit
    alias: str = ""


@dataclass(frozen=True)
class FoundPerson:
    """Somebody, the seats held and whether now, and where that person was last, for those who may know."""

    account: Account
    on_duty: bool
    seen: Seen | None


@dataclass(frozen=True)
class Spot:
    """Coordinates as they were typed (WGS-84), and the unit they lie in."""

    lon: float
    lat: float
    unit: GridUnit | None


@dataclass(frozen=True)
class Found:
    """What a search finds, the best of each group first."""

    spot: Spot | None
    places: Sequence[FoundPlace]
    cases: Sequence[Incident]
    people: Sequence[FoundPerson]
