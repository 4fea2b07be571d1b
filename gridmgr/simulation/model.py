"""What the days of a fictional district are made of, and the accounts that try it out. No tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from gridmgr.account.model import Role
from gridmgr.clock import TimeUnit
from gridmgr.incident.model import Report
from gridmgr.life.model import Action


@dataclass(frozen=True)
class Matter:
    """A category as the days need it."""

    code: str
    name: str
    department: str
    severity: int
    amount: float
    unit: TimeUnit
    indoors: bool
    filing: str
    closing: str
    simple: bool = False


@dataclass(frozen=True)
class Hotspot:
    """Neighbouring micro-grids in which one theme is planted; the first is the centre."""

    theme: str
    grids: tuple[str, ...]


@dataclass(frozen=True)
class City:
    """The ground the days are played on: N micro-grids by code, their M buildings."""

    grids: tuple[str, ...]
    centres: np.ndarray  # (N, 2) metres east and north
    pull: np.ndarray  # (N,) how many reports an ordinary day draws from each, in shares
    middles: np.ndarray  # (N, 2) lon, lat, for places without a building
    first_door: np.ndarray  # (N + 1,) where each micro-grid's doors begin
    doors: np.ndarray  # (M, 2) lon, lat inside the buildings
    fronts: np.ndarray  # (M, 2) lon, lat before their walls, towards the street
    addresses: tuple[str, ...]  # (M,)
    names: tuple[str, ...]  # (N,) what a micro-grid without doors is called
    a_day: float  # reports on an ordinary day
    matters: Mapping[str, Matter]
    hotspots: tuple[Hotspot, ...] = ()


@dataclass(frozen=True)
class Act:
    """One thing somebody does at an instant: a report, or a later step of the case of the same key."""

    at: datetime
    key: str  # the case: its source_id
    action: Action
    payload: Mapping[str, Any] = field(default_factory=dict)
    category: str = ""
    department: str = ""
    report: Report | None = None


@dataclass(frozen=True)
class Played:
    """What a window of time has brought: reports filed, steps taken, acts that no longer fitted."""

    reports: int = 0
    moves: int = 0
    skipped: int = 0

    def __add__(self, other: "Played") -> "Played":
        return Played(self.reports + other.reports, self.moves + other.moves, self.skipped + other.skipped)


@dataclass(frozen=True)
class DemoAccount:
    """An account that anybody may try; `level` says of which unit around the first hotspot ('': all)."""

    username: str
    name: str
    role: Role
    level: str = ""
    body: str | None = None  # the department a handler works for

    @property
    def password(self) -> str:
        """The password is the user name: public knowledge."""
        return self.username


ACCOUNTS = (
    DemoAccount("member", "王秀英", Role.GRID_MEMBER, "micro_grid"),
    DemoAccount("leader", "刘建国", Role.GRID_LEADER, "micro_grid"),
    DemoAccount("clerk", "陈静", Role.COMMUNITY_CLERK, "community"),
    DemoAccount("dispatcher", "周涛", Role.STREET_DISPATCHER, "street"),
    DemoAccount("streetleader", "吴建国", Role.STREET_LEADER, "street"),
    DemoAccount("handler", "何志强", Role.DEPARTMENT_HANDLER, body="环卫所"),
    DemoAccount("command", "林晓燕", Role.COMMAND_CENTRE),
    DemoAccount("planner", "苏雨桐", Role.PLANNER),
    DemoAccount("admin", "郑明", Role.ADMIN),
)
