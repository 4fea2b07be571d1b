"""Task forces, their members, and what was done to them; the record stays when one is disbanded."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base, Done
from gridmgr.errors import BadInput, Conflict, Forbidden, NotFound

Instant = TIMESTAMP(timezone=True)


class Deed(StrEnum):
    """What is done to a task force."""

    RAISE = "raise"  # 组建
    JOIN = "join"  # 加入
    LEAVE = "leave"  # 退出
    LEAD = "lead"  # 更换牵头人
    PROLONG = "prolong"  # 延长
    PUT = "put"  # 交办案件
    DISBAND = "disband"  # 解散
    FOLLOW = "follow"  # 随网格调整: its area is another unit


class Standing(StrEnum):
    """How a task force stands."""

    RUNNING = "running"  # 运行中
    ENDED = "ended"  # 已到期: past its end, not disbanded yet
    DISBANDED = "disbanded"  # 已解散


class TaskForce(Base):
    """A task force: its name is its body's, which cases are dispatched to."""

    __tablename__ = "task_force"
    __table_args__ = (
        CheckConstraint("(lon IS NULL) = (lat IS NULL)", name="placed"),
        Index("ix_task_force_ends", "ends_on", postgresql_where=text("disbanded_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"), unique=True)
    purpose: Mapped[str] = mapped_column(String(500))
    area: Mapped[str] = mapped_column(String(32))
    place: Mapped[str] = mapped_column(String(200))  # where its people meet: 联合值守点
    lon: Mapped[float | None]  # WGS-84
    lat: Mapped[float | None]
    ends_on: Mapped[date]  # its last day
    raised_at: Mapped[datetime] = mapped_column(Instant)
    raised_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    raised_by: Mapped[str] = mapped_column(String(64))
    told_at: Mapped[datetime | None] = mapped_column(Instant)  # its lead heard that it is past its end
    disbanded_at: Mapped[datetime | None] = mapped_column(Instant)
    handed_to: Mapped[str | None] = mapped_column(String(100))  # who got its open cases
    handed: Mapped[int | None]  # how many


class TaskForceMember(Base):
    """Who is a member of a task force, or was."""

    __tablename__ = "task_force_member"
    __table_args__ = (
        Index(
            "ix_task_force_member_now", "force_id", "account_id", unique=True,
            postgresql_where=text("until IS NULL"),
        ),
        Index("ix_task_force_member_account", "account_id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    force_id: Mapped[int] = mapped_column(ForeignKey("task_force.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    lead: Mapped[bool]
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)


class TaskForceDeed(Done, Base):
    """One thing done to a task force; the database refuses to change or remove it."""

    __tablename__ = "task_force_deed"
    __table_args__ = (UniqueConstraint("force_id", "seq"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    force_id: Mapped[int] = mapped_column(ForeignKey("task_force.id"))
    seq: Mapped[int] = mapped_column(SmallInteger)
    note: Mapped[str] = mapped_column(String(500))


@dataclass(frozen=True)
class Raised:
    """A task force as somebody wants it: members by user name, one of them its lead."""

    name: str
    purpose: str
    area: str
    ends_on: date
    members: tuple[str, ...]
    lead: str
    place: str = ""
    lon: float | None = None
    lat: float | None = None


class UnknownForce(NotFound):
    """There is no task force {id}, or it is outside your area."""


class NoMembers(BadInput):
    """A task force needs members: at least one."""


class LeadNeeded(BadInput):
    """One of the members leads; name who."""


class PurposeMissing(BadInput):
    """Say in at most {most} characters what the task force is for, and what it is called."""


class EndPast(BadInput):
    """The last day, {day}, has passed already."""


class EndTooFar(BadInput):
    """A task force is for a time: {most} days at most."""


class PlaceWrong(BadInput):
    """A place on the map is a longitude and a latitude."""


class NotTheirForce(Forbidden):
    """This is for whoever leads the task force, or for those who raise them in {area}."""


class DisbandedAlready(Conflict):
    """{name} was disbanded on {day}."""


class MemberAlready(Conflict):
    """{name} is a member already."""


class NoMember(NotFound):
    """{name} is no member of it."""


class LastMember(Conflict):
    """The lead stays as long as there is no other one; let another member lead, or disband it."""


class OwnerNeeded(Conflict):
    """{count} of its cases are open; say who is to have them."""


class OwnerItself(BadInput):
    """Its cases cannot be handed to the task force itself."""


class CasesElsewhere(Conflict):
    """These cases do not lie in {code}: {numbers}."""


class OutsideItsArea(Conflict):
    """{number} lies outside the area of the task force, {area}."""


class NotInWork(Conflict):
    """{number} is {state}; only what was accepted and is not done yet can be put under a task force."""
