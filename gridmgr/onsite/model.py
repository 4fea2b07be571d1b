"""Who is sent to look at a case on site, one turn after the other."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, Forbidden, NotFound
from gridmgr.words import N_

Instant = TIMESTAMP(timezone=True)


class Kind(StrEnum):
    """What a check on site is for."""

    CONFIRM = "confirm"  # 核实: before a report of the public is accepted
    VERIFY = "verify"  # 核查: after a case was fed back


class How(StrEnum):
    """How whoever is sent to look was found."""

    SEAT = "seat"  # the member on duty of the place's own micro-grid
    NEIGHBOUR = "neighbour"  # the nearest other member on duty
    LEADER = "leader"  # the grid leader
    CLERK = "clerk"  # the clerk of the community
    NOBODY = "nobody"  # nobody is on duty: it waits for whoever comes next


class Ending(StrEnum):
    """How the turn of somebody sent to look has ended."""

    DONE = "done"  # somebody has looked
    PASSED = "passed"  # handed on: not taken in time, gone off duty, or given back
    DROPPED = "dropped"  # the case went on without it


CHECKS = {
    "confirm": N_("Look before it is accepted"),
    "verify": N_("Look at what was done"),
}
SENT = {
    "seat": N_("on duty in this micro-grid"),
    "neighbour": N_("the nearest on duty"),
    "leader": N_("the grid leader"),
    "clerk": N_("the community's clerk"),
    "nobody": N_("nobody is on duty; whoever comes next is sent"),
}
ENDINGS = {
    "done": N_("has looked"),
    "passed": N_("handed on"),
    "dropped": N_("no longer needed"),
}


class SiteCheck(Base):
    """That somebody is sent to look at a case on site: one row for each who was, the last one open."""

    __tablename__ = "site_check"
    __table_args__ = (
        Index("ix_site_check_open", "incident_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index(
            "ix_site_check_take_by", "take_by",
            postgresql_where=text("ended_at IS NULL AND taken_at IS NULL"),
        ),
        Index("ix_site_check_incident_id", "incident_id"),
        Index("ix_site_check_assignee_id", "assignee_id", "id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    kind: Mapped[str] = mapped_column(String(16))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    assignee_name: Mapped[str] = mapped_column(String(64))
    how: Mapped[str] = mapped_column(String(16))
    distance_m: Mapped[float]  # from the assignee's area to the place
    asked_at: Mapped[datetime] = mapped_column(Instant)
    take_by: Mapped[datetime] = mapped_column(Instant)  # else it is handed on
    taken_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ending: Mapped[str | None] = mapped_column(String(16))
    ended_by: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(200))


class NoSuchCheck(NotFound):
    """Nobody is being sent to look at incident {number} on site."""


class NotSent(Forbidden):
    """{name} is sent to look there, not you."""


class TakenAlready(Conflict):
    """{name} has taken this check already, at {time}."""


class WhyNot(BadInput):
    """Say in at most {most} characters why you cannot go."""
