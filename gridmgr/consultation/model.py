"""Kinds of consultations with their dated terms, who is asked and what each says; all that was said stays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Identity,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base, Done
from gridmgr.errors import BadInput, Conflict, Forbidden, NotFound

Instant = TIMESTAMP(timezone=True)
LONGEST = 500  # characters of a reason
LONGEST_WHAT = 4000  # characters of what is asked about
MOST_FILES = 20


class Sphere(StrEnum):
    """What a kind of consultation is about."""

    PLAN = "plan"  # 规划编制
    ACCEPTANCE = "acceptance"  # 项目验收
    DECISION = "decision"  # 重大决策
    APPOINTMENT = "appointment"  # 任免
    BOUNDARY = "boundary"  # 网格方案


class Who(StrEnum):
    """As what somebody is asked."""

    STREET = "street"  # 街道: its leader answers
    COMMUNITY = "community"  # 社区: its clerks answer
    RESIDENTS = "residents"  # 居民: the community's clerks bring what the residents' meeting said
    BODY = "body"  # 部门: its own people answer


class Silence(StrEnum):
    """What it means that somebody has said nothing by the due time; that they were silent is recorded either way."""

    AGREE = "agree"  # 逾期未答复视为同意
    WAIT = "wait"  # 逾期未答复仍须等待
    LAPSE = "lapse"  # 逾期未答复则未征求到意见: to be asked again


class Standing(StrEnum):
    """How a consultation stands, or what it came to."""

    OPEN = "open"  # 征求意见中
    AGREED = "agreed"  # 各方同意
    HEARD = "heard"  # 已征求，有不同意见
    STOPPED = "stopped"  # 一票否决
    LAPSED = "lapsed"  # 逾期未征求到
    WITHDRAWN = "withdrawn"  # 已撤回


class Said(StrEnum):
    """What somebody who was asked says."""

    AGREE = "agree"  # 同意
    OBJECT = "object"  # 不同意
    VETO = "veto"  # 否决


class Deed(StrEnum):
    """What is said or done in a consultation; what those asked say is called as `Said` calls it."""

    ASK = "ask"
    AGREE = "agree"
    OBJECT = "object"
    VETO = "veto"
    REMIND = "remind"  # 催办
    SILENT = "silent"  # 逾期未答复
    ADOPT = "adopt"  # 采纳意见
    DECLINE = "decline"  # 不采纳，说明理由
    WITHDRAW = "withdraw"
    END = "end"  # it has come to its outcome


class ConsultationKind(Base):
    """The terms of a kind of consultation from a day on; the last row of a code that is in force holds."""

    __tablename__ = "consultation_kind"
    __table_args__ = (Index("ix_consultation_kind_code", "code", "effective", "id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(40))
    effective: Mapped[date] = mapped_column(Date)
    sphere: Mapped[str] = mapped_column(String(16))
    name_zh: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100))
    asks: Mapped[list] = mapped_column(JSONB)  # as what those concerned are asked
    vetoes: Mapped[list] = mapped_column(JSONB)  # which of them may stop it
    amount: Mapped[float]
    unit: Mapped[str] = mapped_column(String(16))
    remind: Mapped[float]  # at this share of the time the silent are reminded
    silence: Mapped[str] = mapped_column(String(16))
    closed: Mapped[bool]  # only those concerned see it: it is about a person
    form: Mapped[list] = mapped_column(JSONB)  # `rules.field_of`
    active: Mapped[bool]
    set_at: Mapped[datetime] = mapped_column(Instant)
    set_by: Mapped[str] = mapped_column(String(64))

    def name(self, language: str) -> str:
        """Return the name in that language."""
        return self.name_en if language == "en" and self.name_en else self.name_zh


class Consultation(Base):
    """Somebody asks others about something before it is done; it keeps the terms under which it was asked."""

    __tablename__ = "consultation"
    __table_args__ = (
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
        Index("ix_consultation_area", "code", "id", postgresql_ops={"code": "text_pattern_ops"}),
        Index("ix_consultation_state", "state", "id"),
        Index("ix_consultation_next", "next_at", postgresql_where=text("state = 'open'")),
        Index("ix_consultation_subject", "subject_ref", "kind", "id"),
        Index(
            "uq_consultation_running", "kind", "subject_ref", unique=True,
            postgresql_where=text("state = 'open' AND subject_ref <> ''"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    sphere: Mapped[str] = mapped_column(String(16))
    name_zh: Mapped[str] = mapped_column(String(100))  # of the kind, as it was called then
    name_en: Mapped[str] = mapped_column(String(100))
    subject_ref: Mapped[str] = mapped_column(String(100))  # plan:12; empty: it stands for itself
    round: Mapped[int]  # the how-manieth time this is asked about
    title: Mapped[str] = mapped_column(String(200))
    what: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(String(32))  # the area it concerns
    facts: Mapped[dict] = mapped_column(JSONB)  # the asker's part of the form
    form: Mapped[list] = mapped_column(JSONB)
    silence: Mapped[str] = mapped_column(String(16))
    closed: Mapped[bool]
    asker_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    asker_name: Mapped[str] = mapped_column(String(64))
    body: Mapped[str | None] = mapped_column(String(100))  # for which the asker asks
    asked_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    next_at: Mapped[datetime | None] = mapped_column(Instant)  # when the worker looks at it next
    state: Mapped[str] = mapped_column(String(16))
    ended_at: Mapped[datetime | None] = mapped_column(Instant)

    def name(self, language: str) -> str:
        """Return what kind of consultation it is in that language."""
        return self.name_en if language == "en" and self.name_en else self.name_zh


class ConsultationParty(Base):
    """Somebody who was asked, and what they say as things stand: the last of their words."""

    __tablename__ = "consultation_party"
    __table_args__ = (
        UniqueConstraint("consultation_id", "who", "code", "name"),
        Index("ix_consultation_party_code", "code", postgresql_ops={"code": "text_pattern_ops"}),
        Index("ix_consultation_party_name", "name"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultation.id"))
    who: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(32))  # of the unit; empty: a body
    name: Mapped[str] = mapped_column(String(100))  # of the unit or body
    may_veto: Mapped[bool]
    said: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    answers: Mapped[dict] = mapped_column(JSONB)  # its part of the form
    speaker: Mapped[str | None] = mapped_column(String(64))
    said_at: Mapped[datetime | None] = mapped_column(Instant)
    silent: Mapped[bool]  # had said nothing by the due time
    adopted: Mapped[bool | None]  # how the asker took its objection
    reply: Mapped[str] = mapped_column(Text)


class ConsultationWord(Done, Base):
    """One thing said or done in a consultation; the database refuses to change or remove it."""

    __tablename__ = "consultation_word"
    __table_args__ = (UniqueConstraint("consultation_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultation.id"))
    seq: Mapped[int]
    party_id: Mapped[int | None] = mapped_column(ForeignKey("consultation_party.id"))
    party: Mapped[str] = mapped_column(String(100))  # as it was called then
    note: Mapped[str] = mapped_column(Text)
    answers: Mapped[dict] = mapped_column(JSONB)
    outcome: Mapped[str] = mapped_column(String(16))  # at the end; else empty


class ConsultationFile(Base):
    """A file that came with a word."""

    __tablename__ = "consultation_file"
    __table_args__ = (UniqueConstraint("word_id", "sha256"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultation.id"), index=True)
    word_id: Mapped[int] = mapped_column(ForeignKey("consultation_word.id"))
    sha256: Mapped[str] = mapped_column(ForeignKey("stored_file.sha256"), index=True)
    name: Mapped[str] = mapped_column(String(200))


@dataclass(frozen=True)
class Party:
    """Whom to ask: a unit by its code, or a body, and as what."""

    who: Who
    code: str
    name: str
    may_veto: bool = False


@dataclass(frozen=True)
class Asking:
    """What somebody wants opinions on, as it is told."""

    title: str
    what: str = ""
    area: str | None = None  # None: what all that are asked have in common
    facts: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[Mapping[str, str], ...] = ()  # sha256 and name
    again_of: int | None = None  # an ended consultation this one follows


@dataclass(frozen=True)
class ConsultationEnded:
    """A consultation has come to its outcome; whoever asked by `subject_ref` goes on, or stops."""

    consultation_id: int
    kind: str
    subject_ref: str
    outcome: Standing


@dataclass(frozen=True)
class Figures:
    """How the consultations of a sphere that were asked in a period went, and how those asked answered."""

    sphere: str
    asked: int
    running: int
    agreed: int
    heard: int
    stopped: int
    lapsed: int
    withdrawn: int
    parties: int = 0
    due: int = 0
    in_time: int = 0
    objections: int = 0
    vetoes: int = 0

    @property
    def share_in_time(self) -> float | None:
        """The share of answers that came in time, None if none was due."""
        return self.in_time / self.due if self.due else None


@dataclass(frozen=True)
class Answering:
    """How one party answers: how often it was asked, how often in time, what it said."""

    name: str
    asked: int
    due: int
    in_time: int
    silent: int
    agreed: int
    objected: int
    vetoed: int


class UnknownConsultation(NotFound):
    """There is no consultation {id}, or it is not for you to see."""


class UnknownConsultationKind(NotFound):
    """There is no kind of consultation called {name}."""


class AskedAlready(Conflict):
    """Opinions on this are being asked for already: consultation {id}."""


class NobodyToAsk(BadInput):
    """Name whom to ask: codes of streets or communities, or bodies."""


class NobodyOfThat(BadInput):
    """{name} is neither a unit of today nor a body."""


class TitleMissing(BadInput):
    """Say in one line, of at most {most} characters, what the opinions are wanted on."""


class SaidAtLength(BadInput):
    """This is longer than {most} characters."""


class ReasonNeeded(BadInput):
    """Say why, in at most {most} characters."""


class FieldMissing(BadInput):
    """{label} must be filled in."""


class FieldWrong(BadInput):
    """{label}: {value} does not fit; expected {expected}."""


class FieldUnknown(BadInput):
    """The form has no field {label}."""


class OverAlready(Conflict):
    """This consultation has ended: {state}; nothing more is said in it."""


class StillRunning(Conflict):
    """Opinions on this are still being asked for, until {due}."""


class NotConsulted(Conflict):
    """Those it concerns have to be asked first."""


class Vetoed(Conflict):
    """It was stopped by {name}: {note}"""


class NotYoursToAnswer(Forbidden):
    """Neither you nor a body you work for was asked, or its answer is not yours to give."""


class WhichParty(BadInput):
    """You may answer for several: say for whom: {names}."""


class NoVeto(Forbidden):
    """{name} is asked for its opinion; it may object, but not stop this."""


class NotTheAsker(Forbidden):
    """{name} asked for these opinions; only they, their body and the command centre go on with it."""


class NothingToReply(Conflict):
    """{name} has not objected; there is nothing to reply to."""


class OwnSubject(BadInput):
    """Opinions on {subject} are asked for where it is kept, not here."""


class TooManyFiles(BadInput):
    """At most {most} files go with one answer."""


# What can be wrong with a cell of a table of kinds.


class KindNamedTwice(BadInput):
    """This code stands in an earlier row too."""


class VetoUnasked(BadInput):
    """{who} may not stop what they are not asked about."""


class FieldUnreadable(BadInput):
    """“{field}” is no field of a form; expected such as asker.project!:text:项目名称|Project."""
