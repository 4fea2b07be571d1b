"""Orders on cases, with their own deadline and their own record; what is done to one is never changed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base, Done
from gridmgr.errors import BadInput, Conflict, Forbidden, NotFound

Instant = TIMESTAMP(timezone=True)


class Standing(StrEnum):
    """How an order stands."""

    OPEN = "open"  # 待反馈
    ANSWERED = "answered"  # 待确认
    DONE = "done"  # 已办结
    WITHDRAWN = "withdrawn"  # 已撤销


class Deed(StrEnum):
    """What is done to an order."""

    ISSUE = "issue"  # 下达
    ANSWER = "answer"  # 反馈
    CONFIRM = "confirm"  # 确认办结
    RETURN = "return"  # 退回
    WITHDRAW = "withdraw"  # 撤销
    URGE = "urge"  # 催办: a ladder calls again while the order runs
    FOLLOW = "follow"  # 随网格调整: the street it is for is another one


RUNNING = (Standing.OPEN, Standing.ANSWERED)


class SupervisionOrder(Base):
    """One order on a case: what is wanted, of whom, by when, and how it stands."""

    __tablename__ = "supervision_order"
    __table_args__ = (
        Index(
            "ix_supervision_order_running", "incident_id", unique=True,
            postgresql_where=text("state IN ('open', 'answered') AND NOT apart"),
        ),
        Index(
            "ix_supervision_order_apart", "incident_id", "body", unique=True,
            postgresql_where=text("state IN ('open', 'answered') AND apart"),
        ),
        Index("ix_supervision_order_due", "due_at", postgresql_where=text("state = 'open'")),
        Index("ix_supervision_order_state", "state", "id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    issuer_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    issuer_name: Mapped[str] = mapped_column(String(64))
    issued_at: Mapped[datetime] = mapped_column(Instant)
    wanted: Mapped[str] = mapped_column(String(500))
    body: Mapped[str | None] = mapped_column(
        String(100)
    )  # who was at work when it was issued, or the body apart
    apart: Mapped[bool] = mapped_column(
        server_default="false"
    )  # for a body that owes something beside the case
    unit_code: Mapped[str | None] = mapped_column(String(32))  # of a street apart, whose desk it is for
    level: Mapped[str] = mapped_column(String(16))  # which level held the case then
    due_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(16))
    answered_at: Mapped[datetime | None] = mapped_column(Instant)  # the last time
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    returns: Mapped[int] = mapped_column(SmallInteger)
    late_told_at: Mapped[datetime | None] = mapped_column(Instant)  # those concerned heard that it is late


class SupervisionDeed(Done, Base):
    """One thing done to an order; the database refuses to change or remove it."""

    __tablename__ = "supervision_deed"
    __table_args__ = (UniqueConstraint("order_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("supervision_order.id"))
    seq: Mapped[int] = mapped_column(SmallInteger)
    note: Mapped[str] = mapped_column(String(500))


@dataclass(frozen=True)
class Answering:
    """How a body, or the people of a level, answer orders: how many, how many in time, late, and not yet."""

    body: str | None
    level: str
    orders: int
    in_time: int
    late: int
    open: int

    @property
    def rate(self) -> float | None:
        """Answered in time, of those answered or late; None if there are none."""
        return self.in_time / (self.in_time + self.late) if self.in_time + self.late else None


class UnknownOrder(NotFound):
    """There is no supervision order {id}, or its case is outside your area."""


class SupervisedAlready(Conflict):
    """A supervision order on {number} runs already, due {due}; confirm or withdraw it first."""


class NothingToSupervise(Conflict):
    """Incident {number} is finished; there is nothing to supervise."""


class DeedImpossible(Conflict):
    """This order is {state}; {deed} is not possible now."""


class NotAddressed(Forbidden):
    """This order is for {addressee} to answer."""


class NoteMissing(BadInput):
    """Say what is wanted, or what was done, in at most {most} characters."""


class DuePast(BadInput):
    """An order is due at a time to come."""
