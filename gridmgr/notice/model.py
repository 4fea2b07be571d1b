"""Notices and deliveries: what somebody is told, by which ways, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    String,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, NotFound

Instant = TIMESTAMP(timezone=True)


class Kind(StrEnum):
    """What a notice is about; `words.NOTICES` says it, `rules.KINDS` how much it matters."""

    REPORTED = "reported"  # 上报: a new case in your area
    ASSIGNED = "assigned"  # 派遣: a case was dispatched to your body
    HANDED = "handed"  # 移交: a case comes to your desk from another one, or back from the body at work
    REWORK = "rework"  # 返工: the check failed, the case comes back
    ASKED = "asked"  # 审批: a request awaits your answer
    ANSWERED = "answered"  # 批复: your request was granted or refused
    MENTIONED = "mentioned"  # somebody mentions you
    TASK = "task"  # 子任务: a part of a case is for your body
    REMIND = "remind"  # 催办: so much of the limit is used up
    TOLD = "told"  # 升级: a case was brought before your level
    LADDER_CALLED = "ladder_called"  # 升级督办、吹哨: a ladder calls for more than telling
    TAKEN_OVER = "taken_over"  # 接管: your level has taken a case over
    RETIMED = "retimed"  # the calendar was corrected, and the due time with it
    SUPERVISED = "supervised"  # 督办: an order on a case of yours
    ORDER_ANSWERED = "order_answered"  # 督办反馈: the order you gave was answered
    ORDER_RETURNED = "order_returned"  # 督办退回: your answer was not enough
    ORDER_LATE = "order_late"  # 督办超时: nobody answered in time
    PIECE_CUT = "piece_cut"  # 分派: a piece of work that people of your area may take
    PIECE_HANDED = "piece_handed"  # 指派: a piece of work was put into your hands
    PIECE_REPORTED = "piece_reported"  # 报完成: a piece you have cut waits for your acceptance
    PIECE_GIVEN_BACK = "piece_given_back"  # 退还: somebody does not go on with a piece you have cut
    PIECE_RETURNED = "piece_returned"  # 退回: what you have reported done is not enough
    PIECE_ENDED = "piece_ended"  # 收回: a piece in your hands is no longer wanted
    PIECE_UNCLAIMED = "piece_unclaimed"  # 无人认领: its time is nearly over and a place is left
    FORCE_JOINED = "force_joined"  # 专班: you are a member of it now
    FORCE_ENDED = "force_ended"  # 专班到期: it is past its last day and not disbanded
    WHISTLE_ASKED = "whistle_asked"  # 吹哨审批: a whistle awaits your approval
    WHISTLE_REFUSED = "whistle_refused"  # your whistle was not approved, or withdrawn
    WHISTLED = "whistled"  # 吹哨: your body, or street, is called
    WHISTLE_ANSWERED = "whistle_answered"  # 响应: one of those you called is coming
    REPORTED_IN = "reported_in"  # 报到: one of those you called is there
    WHISTLE_MISSED = "whistle_missed"  # 超时未报到
    WHISTLE_OVER = "whistle_over"  # you need not come any more
    WHISTLE_RATED = "whistle_rated"  # 评哨
    CHECK = "check"  # 核实核查: you are sent to look on site
    OPINION_ASKED = "opinion_asked"  # 一窗联办: your body is asked before something is permitted
    OPINION_GIVEN = "opinion_given"  # a body answers your application
    OPINION_OBJECTS = "opinion_objects"  # 异议: a body objects to your application
    OPINION_SILENT = "opinion_silent"  # 逾期未答复: bodies have said nothing in time
    OVERRULED = "overruled"  # 否决异议: an objection was set aside
    APPROVAL_DECIDED = "approval_decided"  # an application you were asked about is decided
    CONSULTED = "consulted"  # 征求意见: your unit or body is asked for its opinion
    CONSULT_SAID = "consult_said"  # one of those you asked agrees
    CONSULT_AGAINST = "consult_against"  # 异议、否决: one of those you asked objects, or stops it
    CONSULT_REMIND = "consult_remind"  # 催办: your opinion is still awaited
    CONSULT_LATE = "consult_late"  # 逾期未答复: some have said nothing in time and are still awaited
    CONSULT_REPLIED = "consult_replied"  # 意见采纳情况: how your objection was taken
    CONSULT_ENDED = "consult_ended"  # what a consultation came to
    PLAN_STEP = "plan_step"  # 网格方案: a plan you have submitted goes a step on, or comes back
    SEAT_MOVED = "seat_moved"  # 网格调整: your roles and turns follow a unit that was redrawn
    ADMISSION = "admission"  # 准入: a request that touches you was made, argued or decided
    SCAN_ALARM = "scan_alarm"  # 聚集预警: more has lately happened in a place than expected
    BULLETIN = "bulletin"  # 工作周报、月报: a report of your area, body or work was written
    REOPENED = "reopened"  # 重开
    CLOSED = "closed"  # 结案: the case you reported
    UNSERVED = "unserved"  # the auditor found clocks nobody served
    DEAD_LETTER = "dead_letter"  # deliveries were given up
    TEST = "test"  # somebody tries a way out


class Way(StrEnum):
    """How a fact reaches somebody."""

    INBOX = "inbox"  # 站内: on the pages
    EMAIL = "email"  # 邮件: to a person's address
    WEBHOOK = "webhook"  # to a system that subscribed
    SMS = "sms"  # 短信: to a person's phone, by a gateway
    ROBOT = "robot"  # 群机器人: to a group of people in their messenger


class Flavour(StrEnum):
    """What a subscriber understands."""

    JSON = "json"  # our own facts, signed
    WECOM = "wecom"  # 企业微信群机器人: text messages, the key in the address
    DINGTALK = "dingtalk"  # 钉钉群机器人: text messages, the address signed with the robot's secret


class Progress(StrEnum):
    """How far a delivery has come."""

    WAITING = "waiting"  # not tried yet, or being tried now
    SENT = "sent"  # the other side has taken it
    FAILED = "failed"  # tried in vain, will be tried again
    DEAD = "dead"  # given up until somebody replays it
    MERGED = "merged"  # it goes, or went, together with another one
    UNSENT = "unsent"  # there is no gateway to send it by


UNDELIVERED = (Progress.WAITING, Progress.FAILED)


class Notice(Base):
    """One thing one person is told; the words are made when it is read, from kind and details."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_inbox", "account_id", text("(read_at IS NULL)"), "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    details: Mapped[dict] = mapped_column(JSONB)
    important: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(Instant)
    read_at: Mapped[datetime | None] = mapped_column(Instant)


class NoticeWish(Base):
    """That a person wants, or does not want, one kind by one way; without a row the usual way holds."""

    __tablename__ = "notice_wish"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    way: Mapped[str] = mapped_column(String(16), primary_key=True)
    wanted: Mapped[bool]


class NoticeAddress(Base):
    """Where a way finds a person."""

    __tablename__ = "notice_address"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    way: Mapped[str] = mapped_column(String(16), primary_key=True)
    address: Mapped[str] = mapped_column(String(254))


class QuietHours(Base):
    """When a person is not to be disturbed: from `begins` to `ends` in minutes of the day, on the days it begins."""

    __tablename__ = "quiet_hours"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    begins: Mapped[int] = mapped_column(SmallInteger)
    ends: Mapped[int] = mapped_column(SmallInteger)  # not behind `begins`: the next day
    days: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))  # 0 is Monday


class Webhook(Base):
    """A system, or a group's robot, that is told of the district's facts; no kinds means all.

    A robot may be for an area or a body alone. The secret signs, so it is kept; it is shown to nobody again.
    """

    __tablename__ = "webhook"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(String(64))
    kinds: Mapped[list[str]] = mapped_column(JSONB)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    flavour: Mapped[str] = mapped_column(String(16), default=Flavour.JSON, server_default="json")
    name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    area: Mapped[str] = mapped_column(
        String(32), default="", server_default=""
    )  # the beginning of codes; empty: everywhere
    body: Mapped[str] = mapped_column(
        String(100), default="", server_default=""
    )  # only of cases it works on; empty: of all

    @property
    def shown(self) -> str:
        """The address as it may be seen: a robot's holds its key."""
        return self.url if self.flavour == Flavour.JSON else f"{self.url.partition('?')[0]}?…"

    @property
    def way(self) -> Way:
        """By which way it is told."""
        return Way.WEBHOOK if self.flavour == Flavour.JSON else Way.ROBOT


class Delivery(Base):
    """One thing on its way out of the house: a person's notice by mail, or a fact to a webhook."""

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("(notice_id IS NULL) = (webhook_id IS NOT NULL)", name="subject"),
        Index(
            "ix_delivery_due", "way", "webhook_id", "next_at",
            postgresql_where=text("state IN ('waiting', 'failed')"),
        ),
        Index("ix_delivery_state", "state", "id"),
        Index("ix_delivery_webhook", "webhook_id", "id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    way: Mapped[str] = mapped_column(String(16))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id", ondelete="CASCADE"), index=True)
    webhook_id: Mapped[int | None] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    fact: Mapped[dict | None] = mapped_column(JSONB)  # what a webhook is told
    address: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(SmallInteger)
    next_at: Mapped[datetime] = mapped_column(Instant)
    last_error: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    held: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # until the quiet hours of its person end
    merged_into: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("delivery.id", ondelete="CASCADE"), index=True
    )


class Silence(Base):
    """An outlet that does not answer, and until when it is left alone with all that waits for it."""

    __tablename__ = "silence"

    outlet: Mapped[str] = mapped_column(String(32), primary_key=True)
    failures: Mapped[int]
    until: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True)
class Message:
    """What a verb wants one person to be told; the details fill the kind's template.

    Details: number, category_zh, category_en, place, due (ISO), share (0.8), level, action, answer,
    note, name, count, address, error; each kind takes what its template names.
    """

    account_id: int
    kind: Kind
    incident_id: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    important: bool | None = None  # None: as the kind usually is


@dataclass(frozen=True)
class Quiet:
    """When somebody is not to be disturbed, in minutes of the day, on the days it begins; 0 is Monday."""

    begins: int
    ends: int
    days: frozenset[int] = frozenset(range(7))


@dataclass(frozen=True)
class Reader:
    """A person who may be told: what they wish, the addresses they gave, and when they are not to be disturbed."""

    wishes: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    addresses: Mapping[Way, str] = field(default_factory=dict)
    quiet: Quiet | None = None


@dataclass(frozen=True)
class Outlet:
    """Where deliveries leave the house: the mail server, or one webhook."""

    way: Way
    webhook_id: int | None = None

    def __str__(self) -> str:
        return self.way if self.webhook_id is None else f"{self.way}:{self.webhook_id}"


@dataclass(frozen=True)
class Parcel:
    """A claimed delivery, ready to be sent; `attempt` tells this claim from any other one."""

    id: int
    attempt: int
    outlet: Outlet
    address: str
    content: str
    subject: str = ""
    secret: str = ""
    flavour: str = ""
    shown: str = ""  # the address as it may be seen, where that is another one


class Word(StrEnum):
    """What the other side said to a parcel."""

    TAKEN = "taken"
    REFUSED = "refused"  # it answered, but did not take this one
    SILENT = "silent"  # it does not answer, or lets nobody in


@dataclass(frozen=True)
class Outcome:
    """What became of a parcel, and why; `final` if the other side will never take it."""

    word: Word
    reason: str = ""
    final: bool = False


class UnknownNotice(NotFound):
    """There is no notice {id} of yours."""


class UnknownWebhook(NotFound):
    """There is no webhook {id}."""


class UnknownDelivery(NotFound):
    """There is no delivery {id}."""


class BadAddress(BadInput):
    """{address} is no e-mail address."""


class BadUrl(BadInput):
    """The address {url} cannot be used; expected {expected}."""


class InnerKind(BadInput):
    """Facts of the kind {kind} stay inside; no webhook gets them."""


class BadPhone(BadInput):
    """{phone} is no number of a mobile phone."""


class BadQuiet(BadInput):
    """Quiet hours need a beginning and another end, such as 22:00 and 07:00, and at least one day."""


class NotForRobots(BadInput):
    """Only robots are told of one area or body alone, and only DingTalk's robots have a secret to be given."""


class NoMail(BadInput):
    """No mail server is set up here; the administrator names one with GRIDMGR_SMTP_URL."""


class NoAddress(BadInput):
    """You have given no e-mail address yet."""
