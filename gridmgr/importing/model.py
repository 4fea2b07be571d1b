"""Batches: a file somebody handed over, how to read it, what was found, and what became of it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound

Instant = TIMESTAMP(timezone=True)


class BatchKind(StrEnum):
    """What a file holds."""

    GRIDS = "grids"
    INCIDENTS = "incidents"


class BatchStatus(StrEnum):
    """How far a batch has come."""

    UPLOADED = "uploaded"  # the file is here, nobody has said how to read it
    CHECKING = "checking"  # the worker reads and checks it
    CHECKED = "checked"  # the findings can be looked at; nothing is loaded
    LOADING = "loading"  # the worker loads it, in one transaction
    LOADED = "loaded"
    FAILED = "failed"  # `error` says why; nothing was loaded


class ImportBatch(Base):
    """One file on its way in."""

    __tablename__ = "import_batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    filename: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(16))
    plan: Mapped[dict] = mapped_column(JSONB)
    report: Mapped[dict] = mapped_column(JSONB)
    error: Mapped[dict | None] = mapped_column(JSONB)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True)
class LayerPlan:
    """How to read one level out of a file: the layer, and which column is which of ours."""

    level: str
    code: str
    name: str
    parent: str | None = None
    layer: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)  # ours → theirs


@dataclass(frozen=True)
class GridPlan:
    """How to read a file of grids, and from which day it is in force."""

    layers: tuple[LayerPlan, ...]
    datum: str | None  # None: the file's own CRS is taken at its word
    effective: date
    encoding: str = "auto"
    crs: str | None = None
    repair_m: float = 0.0
    title: str = ""


@dataclass(frozen=True)
class IncidentPlan:
    """How to read a file of incidents: ours → theirs, for columns, statuses and categories."""

    origin: str
    datum: str
    columns: dict[str, str]
    statuses: dict[str, str] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)
    zone: str = "Asia/Shanghai"
    source: str = "system"


class UnknownBatch(NotFound):
    """There is no import {batch}."""


class NoFindings(NotFound):
    """Import {batch} has no findings to show."""


class OtherKind(BadInput):
    """Import {batch} is a file of {kind}; the plan is for {given}."""


class BatchNotReady(Conflict):
    """Import {batch} is {status}; it can be loaded once it has been checked."""


class FaultyLayer(BadInput):
    """Level {level} cannot be loaded: {count} faults, first row {row}: {reason} ({code})."""


class CrossedOutlines(FaultyLayer):
    """Level {level} cannot be loaded: {count} crossed outlines, first row {row} ({code}). Repair may mend them."""


class BadMapping(BadInput):
    """The mapping cannot be used: {field}: {reason}."""


class TooLarge(BadInput):
    """The file is larger than {limit} MB."""
