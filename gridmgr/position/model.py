"""Who shares a position while on duty, and the last one sent; nothing of the way there is kept."""

from dataclasses import dataclass
from datetime import datetime

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.account.model import Account
from gridmgr.db import Base
from gridmgr.errors import Conflict

Instant = TIMESTAMP(timezone=True)


class Position(Base):
    """That somebody shares a position (共享位置), since when, and the last one, until it is forgotten."""

    __tablename__ = "position"
    __table_args__ = (
        CheckConstraint("(geom IS NULL) = (sent_at IS NULL)", name="whole"),
        Index("ix_position_sent", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
    )

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    since: Mapped[datetime] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    geom: Mapped[str | None] = mapped_column(Geometry("POINT", 4326, spatial_index=False))  # WGS-84
    accuracy_m: Mapped[float | None]  # as the phone tells it
    code: Mapped[str | None] = mapped_column(String(32))  # of the lowest area around it, buildings apart


@dataclass(frozen=True)
class Seen:
    """Somebody's last position, as those who may see it do."""

    account: Account
    lon: float
    lat: float
    accuracy_m: float | None
    code: str | None
    sent_at: datetime


class NotShared(Conflict):
    """You do not share your position; switch that on first. Nothing was kept."""


class OffDuty(Conflict):
    """You are not on duty now, so nothing was kept of where you are."""
