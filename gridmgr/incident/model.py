"""Incidents, their history, and the words of their life."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Sequence,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.account.rules import Actor
from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound

Instant = TIMESTAMP(timezone=True)
NUMBERS = Sequence("incident_number", metadata=Base.metadata)


class State(StrEnum):
    """Where an incident stands."""

    REPORTED = "reported"  # 已上报: somebody told us
    ACCEPTED = "accepted"  # 已立案: it is ours and the clock runs
    DISPATCHED = "dispatched"  # 已派遣: a body has been told to handle it
    HANDLING = "handling"  # 处置中: somebody is at work
    FED_BACK = "fed_back"  # 待核查: said to be done, not yet checked
    VERIFIED = "verified"  # 已核查: checked on site
    CLOSED = "closed"  # 已结案
    EVALUATED = "evaluated"  # 已评价
    VOIDED = "voided"  # 已作废: no matter of ours
    MERGED = "merged"  # 已合并: the same as another one


class Action(StrEnum):
    """What is done to an incident; each appends one row of history."""

    REPORT = "report"  # 上报
    ACCEPT = "accept"  # 立案
    DISPATCH = "dispatch"  # 派遣
    HANDLE = "handle"  # 处置
    FEED_BACK = "feed_back"  # 反馈
    VERIFY = "verify"  # 核查通过
    REWORK = "rework"  # 返工: the check failed
    CLOSE = "close"  # 结案
    EVALUATE = "evaluate"  # 评价
    VOID = "void"  # 作废
    MERGE = "merge"  # 合并
    ADOPT = "adopt"  # 导入: another system says how far it had come
    REHOME = "rehome"  # 归属调整: the map changed under an open case


class Source(StrEnum):
    """Who noticed it."""

    PATROL = "patrol"  # 网格巡查
    RESIDENT = "resident"  # 居民
    HOTLINE = "hotline"  # 12345
    LEADER = "leader"  # 领导批示
    MEDIA = "media"  # 媒体
    SENSOR = "sensor"  # 传感器、视频
    SYSTEM = "system"  # 其他系统


class Incident(Base):
    """An incident as it stands: a cache of its history, with its place as found on its day."""

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("origin", "source_id"),
        Index("ix_incident_geom", "geom", postgresql_using="gist"),
        Index(
            "ix_incident_street", "street_code", "reported_at",
            postgresql_ops={"street_code": "text_pattern_ops"},
        ),
        Index(
            "ix_incident_community", "community_code", "reported_at",
            postgresql_ops={"community_code": "text_pattern_ops"},
        ),
        Index(
            "ix_incident_micro_grid", "micro_grid_code", "reported_at",
            postgresql_ops={"micro_grid_code": "text_pattern_ops"},
        ),
        Index("ix_incident_building", "building_code"),
        Index("ix_incident_reported", "reported_at", "id"),
        Index("ix_incident_state", "state", "due_at"),
        Index("ix_incident_words", "words", postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"}),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    source: Mapped[str] = mapped_column(String(16))
    origin: Mapped[str | None] = mapped_column(String(64))  # the system that gave the source_id
    source_id: Mapped[str | None] = mapped_column(String(64))
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), index=True)
    description: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(String(300))
    words: Mapped[str] = mapped_column(Text)  # what a search looks through
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    reporter_name: Mapped[str] = mapped_column(String(64))
    reporter_phone: Mapped[str] = mapped_column(String(32))
    reported_at: Mapped[datetime] = mapped_column(Instant)

    geom: Mapped[str] = mapped_column(Geometry("POINT", 4326, spatial_index=False))  # WGS-84
    datum: Mapped[str] = mapped_column(String(16))  # as declared by the source
    declared_lon: Mapped[float]
    declared_lat: Mapped[float]
    located: Mapped[str] = mapped_column(String(16))  # how: inside, border, gap, outside
    distance_m: Mapped[float]
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"))
    street_code: Mapped[str | None] = mapped_column(String(32))
    community_code: Mapped[str | None] = mapped_column(String(32))
    micro_grid_code: Mapped[str | None] = mapped_column(String(32))
    building_code: Mapped[str | None] = mapped_column(String(32))

    state: Mapped[str] = mapped_column(String(16))
    severity: Mapped[int] = mapped_column(SmallInteger)
    handler: Mapped[str | None] = mapped_column(String(100))
    accepted_at: Mapped[datetime | None] = mapped_column(Instant)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    satisfaction: Mapped[int | None] = mapped_column(SmallInteger)
    reworks: Mapped[int] = mapped_column(SmallInteger)
    last_seq: Mapped[int]
    last_hash: Mapped[bytes] = mapped_column(LargeBinary)


class IncidentEvent(Base):
    """One row of an incident's history; the database refuses to change or remove it."""

    __tablename__ = "incident_event"
    __table_args__ = (UniqueConstraint("incident_id", "seq"), Index("ix_incident_event_at", "occurred_at"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    seq: Mapped[int]
    action: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))  # after the action
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    actor_name: Mapped[str] = mapped_column(String(64))
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    payload: Mapped[dict] = mapped_column(JSONB)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True)
class Report:
    """What somebody tells us: what, where (with the datum they measured in), when, and who they are."""

    lon: float
    lat: float
    datum: str
    category_id: int
    source: Source
    description: str = ""
    address: str = ""
    severity: int = 1
    origin: str | None = None
    source_id: str | None = None
    reporter_name: str = ""
    reporter_phone: str = ""
    reported_at: datetime | None = None


@dataclass(frozen=True)
class Move:
    """One step somebody asks for: of which incident, with what, and when it was taken (None: now)."""

    actor: Actor
    number: str
    action: Action
    payload: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    expected_seq: int | None = None


@dataclass(frozen=True)
class Adopted:
    """How far another system had taken a case: the state, the times it gives, and when that was so."""

    payload: dict[str, Any]
    at: datetime


@dataclass(frozen=True)
class IncidentReported:
    """A new incident is there."""

    incident_id: int


@dataclass(frozen=True)
class IncidentMoved:
    """An incident went on in its life."""

    incident_id: int
    action: Action
    state: State


class UnknownIncident(NotFound):
    """There is no incident {number}, or it is outside your area."""


class IllegalMove(Conflict):
    """Incident {number} is {state}; {action} is not possible now."""


class IncidentMovedMeanwhile(Conflict):
    """Somebody else has moved incident {number} meanwhile; it is now {state}."""


class KnownElsewhere(Conflict):
    """The report {source_id} of {origin} is known already, outside your area."""


class MissingField(BadInput):
    """The step {action} needs the field {field}."""


class BadField(BadInput):
    """The field {field} cannot be {value}; expected {expected}."""


class OutsideDistrict(BadInput):
    """The place is {distance_km} km outside the district; the nearest micro-grid is {nearest}."""


class NoPlace(BadInput):
    """The place {lon}, {lat} is no place on earth; expected longitude and latitude in degrees."""


class HistoryBroken(Conflict):
    """The history of {count} incidents does not fit its chain."""
