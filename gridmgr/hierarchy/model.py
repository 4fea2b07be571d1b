"""The four levels and their editions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound

STREET, COMMUNITY, MICRO_GRID, BUILDING = LEVELS = ("street", "community", "micro_grid", "building")
COVERAGES = LEVELS[:3]  # no gap, no overlap; buildings only lie inside
PARENT = {COMMUNITY: STREET, MICRO_GRID: COMMUNITY, BUILDING: MICRO_GRID}

STORED_ATTRIBUTES = ("households", "population", "land_use", "address")


class Edition(Base):
    """A state of the map from `effective` on; `revision` is renewed by each load that completes it."""

    __tablename__ = "edition"

    id: Mapped[int] = mapped_column(primary_key=True)
    effective: Mapped[date] = mapped_column(unique=True)
    title: Mapped[str] = mapped_column(String(200))
    revision: Mapped[str] = mapped_column(String(16))  # random: a load rolled back never shares its name
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    followed: Mapped[str | None] = mapped_column(String(16))  # the revision that people have followed
    followed_step: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # of its corrections
    keep_in_hand: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # open cases being worked on

    @property
    def stamp(self) -> str:
        """The name of this exact state; it changes whenever a unit of the edition does."""
        return f"{self.id}.{self.revision}"


class GridUnit(Base):
    """One polygon of one level, in force from `valid_from` until before `valid_to` (or for good).

    The table is partitioned by level, so each level is a PostGIS layer of its own name.
    """

    __tablename__ = "grid_unit"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="validity"),
        Index("ix_grid_unit_geom", "geom", postgresql_using="gist"),
        Index("ix_grid_unit_code", "code", "valid_from", postgresql_ops={"code": "text_pattern_ops"}),
        Index("ix_grid_unit_parent", "parent_code"),
        Index("ix_grid_unit_name", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
        Index(
            "ix_grid_unit_address",
            "address",
            postgresql_using="gin",
            postgresql_ops={"address": "gin_trgm_ops"},
        ),
        {"postgresql_partition_by": "LIST (level)"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    level: Mapped[str] = mapped_column(String(16), primary_key=True)
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200))
    parent_code: Mapped[str | None] = mapped_column(String(32))
    households: Mapped[int | None]
    population: Mapped[int | None]
    land_use: Mapped[str | None] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(200))
    area_m2: Mapped[float]
    geom: Mapped[str] = mapped_column(Geometry("MULTIPOLYGON", 4326, spatial_index=False))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"))


class Lineage(Base):
    """What became of a unit in an edition, with the share of the old area and households that went there.

    Step 0 compares the day before with the edition as it stands. One that was in force already when it was
    corrected has also kept each step: 1 is what it did at first, 2 what its first correction did to that.
    """

    __tablename__ = "lineage"

    id: Mapped[int] = mapped_column(primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), index=True)
    step: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    level: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))  # a key of rules.LINEAGE_KINDS
    old_code: Mapped[str | None] = mapped_column(String(32), index=True)
    new_code: Mapped[str | None] = mapped_column(String(32), index=True)
    area_share: Mapped[float | None]
    household_share: Mapped[float | None]


class TileShape(Base):
    """A unit's outline in Web Mercator, simplified for a band of zooms, for one state of the map."""

    __tablename__ = "tile_shape"
    __table_args__ = (
        Index("ix_tile_shape_geom", "geom", postgresql_using="gist"),
        Index("ix_tile_shape_stamp", "stamp", "level", "band"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    stamp: Mapped[str] = mapped_column(String(24))
    level: Mapped[str] = mapped_column(String(16))
    band: Mapped[int]
    code: Mapped[str] = mapped_column(String(32))
    parent_code: Mapped[str | None] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200))
    geom: Mapped[str] = mapped_column(Geometry("MULTIPOLYGON", 3857, spatial_index=False))


class Crosswalk(Base):
    """The code another official list gives to one of our units."""

    __tablename__ = "crosswalk"
    __table_args__ = (UniqueConstraint("list_name", "foreign_code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_name: Mapped[str] = mapped_column(String(64))
    foreign_code: Mapped[str] = mapped_column(String(32))
    foreign_name: Mapped[str] = mapped_column(String(200))
    level: Mapped[str | None] = mapped_column(String(16))
    code: Mapped[str | None] = mapped_column(String(32), index=True)
    matched_by: Mapped[str] = mapped_column(String(16))  # code, name, or none


class CodeScheme(Base):
    """The code scheme in force: one row. `masks` holds a regular expression per level."""

    __tablename__ = "code_scheme"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64))
    masks: Mapped[dict] = mapped_column(JSONB)
    parent_length: Mapped[dict] = mapped_column(JSONB)


@dataclass(frozen=True)
class EditionPublished:
    """Units were opened or closed; `effective` says from which day."""

    edition_id: int
    effective: date


@dataclass(frozen=True)
class UnitsSucceeded:
    """An edition with other units is in force: whom that held is to follow, from that day on."""

    effective: date
    heirs: Mapping[str, str]  # of a retired code, the one that most of its households went to
    founded: Mapping[str, str]  # of a new code that is nobody's heir, the one that it was cut from
    fresh: frozenset[str] = frozenset()  # the codes that are new

    @property
    def models(self) -> dict[str, str]:
        """Return whose standing arrangements a new unit begins with; a unit that was there keeps its own."""
        begun = {new: old for old, new in sorted(self.heirs.items(), reverse=True) if new in self.fresh}
        return dict(self.founded) | begun  # of several that became one, those of the first code


class NoEdition(NotFound):
    """No grid has been imported yet."""


class UnknownUnit(NotFound):
    """There is no unit with the code {code}."""


class UnknownEdition(NotFound):
    """There is no edition {edition}."""


class UnknownLevel(BadInput):
    """There is no level {level}; the levels are {known}."""


class BackdatedEdition(Conflict):
    """An edition of {later} already follows {effective}; editions are added in order of time."""


class RetiredCode(Conflict):
    """Level {level} uses {count} retired codes again: {codes}. A retired code is never reused."""


class BadScheme(BadInput):
    """The code scheme {name} cannot be used: {reason}."""
