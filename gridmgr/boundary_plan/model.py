"""Plans, the edits they are made of, and what can be wrong with one."""

from datetime import date, datetime
from enum import StrEnum

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound

Instant = TIMESTAMP(timezone=True)
LONGEST_NAME, MOST_CODES, MOST_POINTS = 100, 10_000, 2_000


class Status(StrEnum):
    """How far a plan is."""

    DRAFT = "draft"  # 草案
    SUBMITTED = "submitted"  # 送审: on its way to be the map
    PUBLISHED = "published"  # 已发布
    DISCARDED = "discarded"


class BoundaryPlan(Base):
    """A draft of other borders on the ground of an area: a base edition, and the edit it has come to.

    `top` is the last edit made, to which undone ones can be done again; `tip` is where the plan stands.
    """

    __tablename__ = "boundary_plan"
    __table_args__ = (
        Index("ix_boundary_plan_area", "area_code", "id", postgresql_ops={"area_code": "text_pattern_ops"}),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    area_code: Mapped[str] = mapped_column(String(32))  # a street, a community, or "" for the district
    base: Mapped[str] = mapped_column(String(24))  # the edition's stamp
    base_day: Mapped[date]
    base_mark: Mapped[int] = mapped_column(BigInteger)  # the last row of the map that was there then
    tip_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("plan_edit.id"))
    top_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("plan_edit.id"))
    locked: Mapped[list[str]] = mapped_column(ARRAY(String(32)))
    status: Mapped[str] = mapped_column(String(16))
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    claim_name: Mapped[str | None] = mapped_column(String(64))
    claim_until: Mapped[datetime | None] = mapped_column(Instant)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    created_name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Instant)
    origin_id: Mapped[int | None] = mapped_column(ForeignKey("boundary_plan.id"))  # a branch of which plan


class PlanEdit(Base):
    """One edit after another one, kept for ever: plans share those before they branched."""

    __tablename__ = "plan_edit"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    before_id: Mapped[int | None] = mapped_column(ForeignKey("plan_edit.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    args: Mapped[dict] = mapped_column(JSONB)
    homes: Mapped[dict] = mapped_column(JSONB)  # building: the unit it lies in from now on
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    account_name: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)


class PlanChange(Base):
    """How an edit left one unit; without a geometry it is gone."""

    __tablename__ = "plan_change"

    edit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("plan_edit.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str | None] = mapped_column(String(200))
    parent_code: Mapped[str | None] = mapped_column(String(32))
    geom: Mapped[str | None] = mapped_column(Geometry("GEOMETRY", 4326, spatial_index=False))


class UnknownPlan(NotFound):
    """There is no plan {plan}, or it is outside your area."""


class NotAnArea(BadInput):
    """A plan is drawn for a community, a street, or the whole district; {code} is none of them."""


class PlanUnnamed(BadInput):
    """Give the plan a name of at most {most} characters."""


class PlanMoved(Conflict):
    """The plan has moved on: {by} changed it at {at}. Load it again, then draw."""


class Claimed(Conflict):
    """{by} is drawing on this plan until {until}."""


class PlanClosed(Conflict):
    """The plan {name} is no draft any more, so nothing is drawn on it."""


class BaseRedrawn(Conflict):
    """The edition of {day} that this plan stands on has been corrected since; take the plan to the new state first."""
