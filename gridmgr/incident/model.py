"""Incidents, their history, and the words of their life."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Sequence,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    and_,
    func,
    or_,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.account.rules import Actor
from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, Forbidden, NotFound
from gridmgr.life.model import Action, Source, State

Instant = TIMESTAMP(timezone=True)
NUMBERS = Sequence("incident_number", metadata=Base.metadata)


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
        Index("ix_incident_due", "due_at", "id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_incident_closed", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),
        Index("ix_incident_handler", "handler", "state"),
        Index("ix_incident_owner", "owner", postgresql_where=text("closed_at IS NULL")),
        Index("ix_incident_checker", "checker_id", postgresql_where=text("checker_id IS NOT NULL")),
        Index("ix_incident_words", "words", postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"}),
        Index(
            "ix_incident_characters",
            text("string_to_array(regexp_replace(words, '[ -~]+', '', 'g'), NULL)"), postgresql_using="gin",
        ),
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
    level: Mapped[str] = mapped_column(String(16))  # which level answers for it: one of HOLDERS
    handler: Mapped[str | None] = mapped_column(String(100))  # the body at work, by name
    handler_code: Mapped[str | None] = mapped_column(String(32))  # of a unit, if its own people do it
    owner: Mapped[str | None] = mapped_column(
        String(100)
    )  # who answers for it until another takes it: 首接负责
    owner_code: Mapped[str | None] = mapped_column(String(32))
    checker_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))  # who is sent to look on site
    accepted_at: Mapped[datetime | None] = mapped_column(Instant)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    limit_unit: Mapped[str | None] = mapped_column(String(16))  # how the way to due_at is counted
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    satisfaction: Mapped[int | None] = mapped_column(SmallInteger)
    confirmed: Mapped[bool | None]  # found on site or not; None: nobody has looked
    photos: Mapped[int] = mapped_column(SmallInteger)
    result_photos: Mapped[int] = mapped_column(SmallInteger)  # of what was done, since the last rework
    asked: Mapped[dict | None] = mapped_column(JSONB(none_as_null=True))  # the request that waits
    reworks: Mapped[int] = mapped_column(SmallInteger)
    extensions: Mapped[int] = mapped_column(SmallInteger)
    send_backs: Mapped[int] = mapped_column(SmallInteger)
    suspensions: Mapped[int] = mapped_column(SmallInteger)
    redirects: Mapped[int] = mapped_column(SmallInteger)
    reopens: Mapped[int] = mapped_column(SmallInteger)
    tasks: Mapped[int] = mapped_column(SmallInteger)
    open_tasks: Mapped[int] = mapped_column(SmallInteger)
    whistles: Mapped[int] = mapped_column(
        SmallInteger, server_default="0"
    )  # how often anybody was called to it
    suspended_from: Mapped[str | None] = mapped_column(String(16))
    suspended_at: Mapped[datetime | None] = mapped_column(Instant)
    last_seq: Mapped[int]
    last_hash: Mapped[bytes] = mapped_column(LargeBinary)

    @hybrid_property
    def home(self) -> str:
        """The code of the lowest unit that holds it, its building apart: the area whose people work on it."""
        return self.micro_grid_code or self.community_code or self.street_code or ""

    @home.inplace.expression
    @classmethod
    def _home(cls) -> ColumnElement[str]:
        return func.coalesce(cls.micro_grid_code, cls.community_code, cls.street_code, "")

    @hybrid_property
    def stopped_at(self) -> datetime | None:
        """When its time stopped: it was closed, or is suspended (挂账); None while it runs."""
        return self.closed_at or self.suspended_at

    @stopped_at.inplace.expression
    @classmethod
    def _stopped_at(cls) -> ColumnElement[datetime]:
        return func.coalesce(cls.closed_at, cls.suspended_at)

    @hybrid_property
    def large_loop(self) -> bool:
        """Whether departments took part (大闭环); else the street's own people closed it, or will (小闭环)."""
        return (self.handler is not None and self.handler_code is None) or self.tasks > 0 or self.whistles > 0

    @large_loop.inplace.expression
    @classmethod
    def _large_loop(cls) -> ColumnElement[bool]:
        department = and_(cls.handler.is_not(None), cls.handler_code.is_(None))
        return or_(department, cls.tasks > 0, cls.whistles > 0)


class IncidentEvent(Base):
    """One row of an incident's history; the database refuses to change or remove it."""

    __tablename__ = "incident_event"
    __table_args__ = (
        UniqueConstraint("incident_id", "seq"),
        Index("ix_incident_event_at", "occurred_at"),
        Index("ix_incident_event_recorded", "recorded_at", postgresql_using="brin"),
    )

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


class IncidentTask(Base):
    """A part of a case that another body does; the case's own history tells of it too."""

    __tablename__ = "incident_task"
    __table_args__ = (
        UniqueConstraint("incident_id", "no"),
        Index("ix_incident_task_open", "body", postgresql_where=text("done_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    no: Mapped[int] = mapped_column(SmallInteger)
    body: Mapped[str] = mapped_column(String(100))
    what: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    note: Mapped[str] = mapped_column(Text)


class IncidentFile(Base):
    """A file that belongs to a case: named by the step that brought it, found by its content."""

    __tablename__ = "incident_file"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("stored_file.sha256"), primary_key=True, index=True)
    seq: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))


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
    files: tuple[Mapping[str, str], ...] = ()  # sha256 and name of what is stored already


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
class Filed:
    """What others need to know of an incident that has just been filed."""

    id: int
    number: str
    category_id: int
    severity: int
    source: str
    address: str
    home: str
    reporter_id: int | None
    reported_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    word: "Adopted | None"  # of the system it was taken over from


@dataclass(frozen=True)
class IncidentsReported:
    """New incidents are there."""

    filed: tuple[Filed, ...]


@dataclass(frozen=True)
class Moved:
    """One step that was taken: of which incident, by whom, from where to where, with what, when."""

    incident_id: int
    action: Action
    before: State
    after: State
    at: datetime
    seq: int
    actor_id: int | None
    payload: Mapping[str, Any]
    actor_name: str = ""


@dataclass(frozen=True)
class IncidentsMoved:
    """Incidents went on in their lives, in the order of the steps."""

    moves: tuple[Moved, ...]


class UnknownIncident(NotFound):
    """There is no incident {number}, or it is outside your area."""


class IncidentMovedMeanwhile(Conflict):
    """Somebody else has moved incident {number} meanwhile; it is now {state}."""


class HeldAbove(Forbidden):
    """This incident is held by the {level}; whoever works below it can only look on."""


class NotYourOrder(Forbidden):
    """This incident is for {handler} to handle, not for {body}."""


class RankTooLow(Forbidden):
    """To do this for time number {number}, one of these roles is needed: {roles}."""


class ConditionUnmet(Conflict):
    """The step {action} needs this first: {need}."""


class Exhausted(Conflict):
    """The step {action} was taken {most} times already; that is the most there may be."""


class NothingAsked(Conflict):
    """Nobody has asked for anything here that could be refused."""


class TooLate(Conflict):
    """An incident can be opened again within {days} days after it was closed."""


class KnownElsewhere(Conflict):
    """The report {source_id} of {origin} is known already, outside your area."""


class OutsideDistrict(BadInput):
    """The place is {distance_km} km outside the district; the nearest micro-grid is {nearest}."""


class NoPlace(BadInput):
    """The place {lon}, {lat} is no place on earth; expected longitude and latitude in degrees."""


class HistoryBroken(Conflict):
    """The history of {count} incidents does not fit its chain."""
