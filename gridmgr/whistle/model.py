"""Whistles on cases, whom each calls, and what was done; the terms a district sets for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base, Done
from gridmgr.errors import BadInput, Conflict, Forbidden, NotFound

Instant = TIMESTAMP(timezone=True)


class Why(StrEnum):
    """The three kinds of whistle."""

    CONCERN = "concern"  # 民生诉求: what the caller cannot solve alone
    JOINT = "joint"  # 综合执法
    EMERGENCY = "emergency"  # 应急处置


class Standing(StrEnum):
    """How a whistle stands."""

    PROPOSED = "proposed"  # 待审批
    BLOWN = "blown"  # 已吹哨
    ENDED = "ended"  # 已结束
    REFUSED = "refused"  # 未批准
    WITHDRAWN = "withdrawn"  # 已撤回


class Deed(StrEnum):
    """What is done about a whistle, or about one of those it calls."""

    PROPOSE = "propose"  # 申请吹哨
    BLOW = "blow"  # 吹哨
    REFUSE = "refuse"  # 不予吹哨
    WITHDRAW = "withdraw"  # 撤回
    CALL = "call"  # 加呼
    ANSWER = "answer"  # 响应
    REPORT_IN = "report_in"  # 报到
    EXCUSE = "excuse"  # 免到
    MISS = "miss"  # 超时未到
    RECORD = "record"  # 会商记录
    RATE = "rate"  # 评哨
    END = "end"  # 结束
    FOLLOW = "follow"  # 随网格调整: a street it names is another one


class Presence(StrEnum):
    """How one of the called stands."""

    WAITING = "waiting"  # 待报到
    ANSWERED = "answered"  # 已响应
    IN_TIME = "in_time"  # 按时报到
    LATE = "late"  # 超时报到
    ABSENT = "absent"  # 未报到
    EXCUSED = "excused"  # 免到


OPEN = (Standing.PROPOSED, Standing.BLOWN)


class Whistle(Base):
    """One whistle on a case: who calls, why, what is wanted, where all meet, and how it stands."""

    __tablename__ = "whistle"
    __table_args__ = (
        Index(
            "ix_whistle_open", "incident_id", unique=True,
            postgresql_where=text("state IN ('proposed', 'blown')"),
        ),
        Index("ix_whistle_incident", "incident_id"),
        Index("ix_whistle_state", "state", "id"),
        Index("ix_whistle_blown", "blown_at"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    why: Mapped[str] = mapped_column(String(16))
    caller: Mapped[str] = mapped_column(String(100))  # the street, or the department, by name
    caller_code: Mapped[str | None] = mapped_column(String(32))  # of the street; None: a department calls
    wanted: Mapped[str] = mapped_column(String(500))
    geom: Mapped[str] = mapped_column(Geometry("POINT", 4326, spatial_index=False))  # where all meet, WGS-84
    state: Mapped[str] = mapped_column(String(16))
    proposer_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    proposer_name: Mapped[str] = mapped_column(String(64))
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    decider_name: Mapped[str | None] = mapped_column(String(64))
    blown_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    terms: Mapped[Mapping[str, Any]] = mapped_column(JSONB)  # as they were when it was proposed

    @property
    def upward(self) -> bool:
        """Whether a street calls departments; else a department calls streets."""
        return self.caller_code is not None


class Call(Base):
    """One department, or one street, that a whistle calls: its own clock, where it reported in, its rating."""

    __tablename__ = "whistle_call"
    __table_args__ = (
        UniqueConstraint("whistle_id", "body"),
        Index("ix_whistle_call_body", "body", "whistle_id"),
        Index(
            "ix_whistle_call_waiting", "due_at",
            postgresql_where=text("arrived_at IS NULL AND excused_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    whistle_id: Mapped[int] = mapped_column(ForeignKey("whistle.id"))
    body: Mapped[str] = mapped_column(String(100))
    unit_code: Mapped[str | None] = mapped_column(String(32))  # of the street that is called
    lead: Mapped[bool]
    minutes: Mapped[int] = mapped_column(SmallInteger)
    called_at: Mapped[datetime | None] = mapped_column(Instant)  # None: not blown yet
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    arrived_at: Mapped[datetime | None] = mapped_column(Instant)
    arrived_name: Mapped[str | None] = mapped_column(String(64))
    arrived_geom: Mapped[str | None] = mapped_column(Geometry("POINT", 4326, spatial_index=False))
    distance_m: Mapped[float | None]
    far: Mapped[bool] = mapped_column(default=False)  # reported in from elsewhere
    missed_at: Mapped[datetime | None] = mapped_column(Instant)  # those concerned heard that it is late
    excused_at: Mapped[datetime | None] = mapped_column(Instant)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("supervision_order.id"))  # for staying away
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    rating_note: Mapped[str] = mapped_column(String(500), default="")
    rated_at: Mapped[datetime | None] = mapped_column(Instant)


class WhistleDeed(Done, Base):
    """One thing done about a whistle; the database refuses to change or remove it."""

    __tablename__ = "whistle_deed"
    __table_args__ = (UniqueConstraint("whistle_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    whistle_id: Mapped[int] = mapped_column(ForeignKey("whistle.id"))
    seq: Mapped[int] = mapped_column(SmallInteger)
    body: Mapped[str | None] = mapped_column(String(100))  # whose call it is about
    note: Mapped[str] = mapped_column(String(2000))


class WhistleTerms(Base):
    """The terms of whistles, in force from a day until the next ones."""

    __tablename__ = "whistle_terms"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    effective: Mapped[date]
    set_at: Mapped[datetime] = mapped_column(Instant)
    set_by: Mapped[str] = mapped_column(String(64))
    terms: Mapped[Mapping[str, Any]] = mapped_column(JSONB)


@dataclass(frozen=True)
class Rule:
    """How one kind of whistle goes."""

    minutes: int  # until whoever is called is there
    worked: bool  # counted in working time; else they run day and night
    approved: bool  # whether somebody of higher rank has to approve


@dataclass(frozen=True)
class Terms:
    """Conditions and limits of command (C3), clocks, and the band in which whistles are healthy."""

    kinds: Mapping[str, Rule] = field(
        default_factory=lambda: {
            Why.CONCERN: Rule(120, True, True),
            Why.JOINT: Rule(60, True, True),
            Why.EMERGENCY: Rule(30, False, False),
        }
    )
    most_called: int = 16  # bodies that one whistle may call
    most_open: int = 5  # whistles of one caller at a time, emergencies apart
    radius_m: int = 300  # a report-in from within is on the spot
    grace: float = 1.0  # of the minutes: after so much more an absent body gets a supervision order
    rating_days: int = 15  # after the end
    band_low: float = 0.005  # whistles per accepted case: fewer are as odd as more
    band_high: float = 0.05


@dataclass(frozen=True)
class Called:
    """Whom a whistle shall call: a department by name, or a street by code; None: the minutes of its kind."""

    body: str = ""
    unit_code: str | None = None
    lead: bool = False
    minutes: int | None = None


@dataclass(frozen=True)
class Attendance:
    """How one body, or street, came when it was called in a period; times in minutes, None where there are none."""

    body: str
    called: int
    answered: int
    in_time: int
    late: int
    absent: int
    waiting: int
    far: int
    orders: int
    answer_minutes: float | None
    arrival_minutes: float | None
    rating: float | None
    ratings: int

    @property
    def rate(self) -> float | None:
        """Reported in in time, of those who did, came late, or stayed away."""
        due = self.in_time + self.late + self.absent
        return self.in_time / due if due else None


class UnknownWhistle(NotFound):
    """There is no whistle {id}, or it neither calls you nor concerns your area."""


class UnknownCall(NotFound):
    """This whistle does not call {id}."""


class BlownAlready(Conflict):
    """A whistle on {number} is open already; end it first, or let it call more."""


class DeedImpossible(Conflict):
    """This whistle is {state}; {deed} is not possible now."""


class CallSettled(Conflict):
    """{body} has reported in, was excused, or was rated already."""


class NotCalled(Forbidden):
    """This call is for {body} to answer."""


class OwnProposal(Forbidden):
    """Nobody approves what he has proposed; somebody else of that rank has to."""


class CentreApproves(Forbidden):
    """When a department calls streets, the command centre approves."""


class NotBlower(Forbidden):
    """Only a street in whose area the case lies, or the department at work on it, may blow the whistle."""


class NoteMissing(BadInput):
    """Say what is wanted, or what was found, in at most {most} characters."""


class NobodyCalled(BadInput):
    """Name at least {least} to call."""


class TooManyCalled(BadInput):
    """One whistle calls {most} at most."""


class CalledTwice(BadInput):
    """{body} is called twice."""


class OneLead(BadInput):
    """Exactly one of those called takes the lead."""


class UnknownBody(BadInput):
    """There is no department “{body}”; the departments are {known}."""


class UnknownStreet(BadInput):
    """There is no street {code}."""


class CallsItself(BadInput):
    """{body} cannot call itself."""


class StreetsOnly(BadInput):
    """A department calls streets; to other departments it has its own ways."""


class MinutesBeyond(BadInput):
    """Minutes lie between {least} and {most}."""


class NotAcceptedYet(Conflict):
    """Case {number} has not been accepted; before that a whistle is only for emergencies."""


class NotHeldByStreet(Conflict):
    """Case {number} is held below the street; let it be handed up first."""


class NotUrgent(Conflict):
    """An emergency is a case of the highest severity; {number} is none."""


class TooManyOpen(Conflict):
    """{caller} has {most} whistles open; that is the most there may be, emergencies apart."""


class CaseFinished(Conflict):
    """Case {number} is finished."""


class PhotoMissing(BadInput):
    """A report-in needs a photo of the place."""


class NoRecord(Conflict):
    """Write down first what was found and agreed; then the whistle can end."""


class RatingOver(Conflict):
    """Ratings are given within {days} days after the end."""


class BadTerms(BadInput):
    """{field} cannot be {value}; expected {expected}."""
