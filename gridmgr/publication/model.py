"""Publications of plans, the steps each has taken, and what each has done to the map."""

from datetime import date, datetime
from enum import StrEnum

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base, Done
from gridmgr.errors import BadInput, Conflict, Forbidden, NotFound

Instant = TIMESTAMP(timezone=True)
LONGEST_NOTE = 500


class State(StrEnum):
    """How far a publication is."""

    CHECKED = "checked"  # 已检查
    NOTICE = "notice"  # 公示
    CONSULTING = "consulting"  # 征求意见
    APPROVED = "approved"  # 已批准
    PUBLISHED = "published"  # 已发布
    STOPPED = "stopped"  # 一票否决
    WITHDRAWN = "withdrawn"  # 已撤回


class Deed(StrEnum):
    """A step of a publication."""

    SUBMIT = "submit"  # 提交: the plan is closed, and checked
    ANNOUNCE = "announce"  # 公示
    CONSULT = "consult"  # 征求意见
    HEAR = "hear"  # the opinions are in
    STOP = "stop"  # a veto
    APPROVE = "approve"  # 批准
    REBASE = "rebase"  # taken to a newer state of the map
    PUBLISH = "publish"  # 发布
    RECALL = "recall"  # 当日撤销发布: it waits for another day
    FAIL = "fail"  # could not be published on its day
    WITHDRAW = "withdraw"  # 撤回


class Publication(Base):
    """One way of a plan towards the map in force; a plan that came back goes another one."""

    __tablename__ = "publication"
    __table_args__ = (
        Index("ix_publication_plan", "plan_id", "id"),
        Index("ix_publication_due", "effective", postgresql_where=text("state = 'approved'")),
        Index("ix_publication_area", "area_code", "id", postgresql_ops={"area_code": "text_pattern_ops"}),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("boundary_plan.id"))
    tip_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("plan_edit.id"))
    area_code: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(16))
    changes: Mapped[dict] = mapped_column(JSONB)  # what it was going to change when it was submitted
    warnings: Mapped[list] = mapped_column(JSONB)  # findings that do not stop it
    notice_from: Mapped[datetime | None] = mapped_column(Instant)
    notice_until: Mapped[datetime | None] = mapped_column(Instant)
    consultation_id: Mapped[int | None] = mapped_column(ForeignKey("consultation.id"))
    effective: Mapped[date | None]  # the day from which it is to be the map
    keep_in_hand: Mapped[bool]  # open cases that somebody works on stay in the unit they were in
    edition_id: Mapped[int | None] = mapped_column(ForeignKey("edition.id"))
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("publication.id"))
    problem: Mapped[dict | None] = mapped_column(JSONB)  # why it could not be published
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    submitted_name: Mapped[str] = mapped_column(String(64))
    submitted_at: Mapped[datetime] = mapped_column(Instant)
    published_at: Mapped[datetime | None] = mapped_column(Instant)


class PublicationStep(Done, Base):
    """One step of a publication; the database refuses to change or remove it."""

    __tablename__ = "publication_step"
    __table_args__ = (UniqueConstraint("publication_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    seq: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))  # after it
    note: Mapped[str] = mapped_column(Text)


class PublicationGround(Base):
    """A unit a publication has changed, as it was and as it became; of a building whose it was, and whose since.

    An edition knows days, not hours: what is corrected on its day is nowhere else. `seq` is the step it was
    published by: what was recalled may be published again.
    """

    __tablename__ = "publication_ground"
    __table_args__ = (Index("ix_publication_ground_publication_id", "publication_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    seq: Mapped[int]
    before: Mapped[bool]
    level: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200))
    parent_code: Mapped[str | None] = mapped_column(String(32))
    households: Mapped[int | None]
    population: Mapped[int | None]
    land_use: Mapped[str | None] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(200))
    geom: Mapped[str | None] = mapped_column(Geometry("MULTIPOLYGON", 4326, spatial_index=False))


class UnknownPublication(NotFound):
    """There is no publication {publication}, or it is outside your area."""


class NotNow(Conflict):
    """This cannot be done now: the plan is at the step {state}."""


class NothingToPublish(Conflict):
    """The plan {name} changes nothing, so there is nothing to publish."""


class FindingsLeft(Conflict):
    """{count} faults have to be mended first: {first}"""


class BaseTaken(Conflict):
    """The map has changed meanwhile where this plan draws: {codes}. Take the plan back and draw those anew."""


class NoticeRuns(Conflict):
    """The public notice runs until {until}; go on after it."""


class NoticeShort(Forbidden):
    """Plans are on public notice for at least {days} days; only who sets that term may shorten it."""


class OpinionsIn(Conflict):
    """The opinions on this plan are in already; nobody is asked twice."""


class OwnPlan(Forbidden):
    """You have submitted this plan yourself; somebody else has to approve it."""


class NotSubmitter(Forbidden):
    """{name} has submitted this plan; only they, or whoever may approve it, take it back."""


class RecallOver(Conflict):
    """Only what came into force today can be recalled at once; what did so before is rolled back, step by step."""


class DrawnSince(Conflict):
    """Since it was published the map has changed here: {codes}. Roll back what came later first."""


class DayPast(BadInput):
    """{day} is past; a plan comes into force today or later."""


class NotPublished(Conflict):
    """Only what was published last can be rolled back, and this was not."""


class NoteUnfit(BadInput):
    """Say why, in at most {most} characters."""
