"""How areas dispatch, whom a case could go to and why, and why automatic dispatch left one to people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, SmallInteger, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, NotFound
from gridmgr.words import N_

Instant = TIMESTAMP(timezone=True)


class Mode(StrEnum):
    """How the cases of an area are dispatched."""

    OFF = "off"  # 人工派遣: by people, and nothing is suggested
    SUGGEST = "suggest"  # 建议派遣: by people, who see whom the list names
    AUTOMATIC = "automatic"  # 自动派遣: by the system, wherever the list names exactly one


class Basis(StrEnum):
    """What makes a body a candidate, the strongest first."""

    TEAM = "team"  # 综合执法队: the street's one team for all enforcement
    STATION = "station"  # 派驻站所: the lead's station for the place
    LEAD = "lead"  # 牵头: the list, or the table of categories, names it
    TERRITORY = "territory"  # 属地: the list leaves the matter to the place's own people
    SIMPLE = "simple"  # 简易: the place's own people may settle it on the spot
    COOPERATING = "cooperating"  # 协同: the list names it beside the lead
    MODULE = "module"  # 模块: nobody owns the matter; the body works in the module that takes it


class Cause(StrEnum):
    """One reason in the explanation of a suggestion, or of why there is none; `CAUSES` says it."""

    ITEM = "item"  # of which item, clause and edition of a responsibility list
    TABLE = "table"  # no list is in force: the table of categories names it
    TEAM = "team"
    STATION = "station"
    TERRITORY = "territory"
    SIMPLE = "simple"
    COOPERATING = "cooperating"
    MODULE = "module"  # nobody owns it: which module takes it, who leads that
    ON_DUTY = "on_duty"  # how many, until when
    THERE = "there"  # how many, without a roster
    NEXT = "next"  # nobody now, who comes when
    NOBODY = "nobody"  # nobody works there for it
    LOAD = "load"  # how many open and late cases it has
    ANSWERS = "answers"  # answers for the case already, until another takes it
    NO_OWNER = "no_owner"  # no list item covers the matter at this place
    UNKNOWN_BODY = "unknown_body"  # the matter names no body
    WAS_WITH = "was_with"  # it has been with somebody before
    SEVERITY = "severity"  # automatic dispatch is not for cases so urgent here
    CHOSEN = "chosen"  # somebody chose it from the list of suggestions
    AUTOMATIC = "automatic"  # the system dispatched it by the area's setting


MODES = {
    "off": N_("By people, nothing suggested"),
    "suggest": N_("By people, with suggestions"),
    "automatic": N_("By the system"),
}
BASES = {
    "lead": N_("lead by list"),
    "team": N_("the street's enforcement team"),
    "station": N_("the lead's station here"),
    "territory": N_("the place's own people"),
    "simple": N_("the grid's own people"),
    "cooperating": N_("cooperating"),
    "module": N_("of the module that takes it"),
}
# Why a body is suggested, or nobody is; the braces are filled with the values of the reason.
CAUSES = {
    "item": N_("named by item {item} of {edition}, {clause}"),
    "table": N_("named by the table of categories"),
    "team": N_("enforcement of any line goes to the street's team; the competent body stands beside it"),
    "station": N_("station of {lead} for this place"),
    "territory": N_("the list leaves it to the place"),
    "simple": N_("a simple matter, it may be settled on the spot"),
    "cooperating": N_("the list names it beside the lead"),
    "module": N_("nobody owns this matter: it is for the module {module}, led by {lead}"),
    "on_duty": N_("{n} on duty now, until {until}"),
    "there": N_("{n} there now"),
    "next": N_("nobody on duty now, next {next}"),
    "nobody": N_("nobody works there for it"),
    "load": N_("{open} open, {late} late"),
    "answers": N_("answers for it already"),
    "no_owner": N_("no item of the list in force covers this matter here"),
    "unknown_body": N_("the matter names no single body"),
    "was_with": N_("it has been with {body} before"),
    "severity": N_("so urgent ones are dispatched by people here"),
    "chosen": N_("chosen from the suggestions"),
    "automatic": N_("dispatched by the system"),
}


class DispatchSetting(Base):
    """How the cases of an area are dispatched and looked at from a day on; the narrowest area counts."""

    __tablename__ = "dispatch_setting"
    __table_args__ = (UniqueConstraint("code", "effective"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32))
    effective: Mapped[date]
    mode: Mapped[str] = mapped_column(String(16))
    severities: Mapped[list] = mapped_column(JSONB)  # of cases that go automatically
    check_minutes: Mapped[int | None] = mapped_column(
        SmallInteger
    )  # to take a check on site; None: nobody is sent
    set_by: Mapped[str] = mapped_column(String(64))
    set_at: Mapped[datetime] = mapped_column(Instant)


class DispatchHold(Base):
    """Why automatic dispatch has left a case on the desk, as it stood after a step."""

    __tablename__ = "dispatch_hold"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    seq: Mapped[int]
    at: Mapped[datetime] = mapped_column(Instant)
    why: Mapped[list] = mapped_column(JSONB)


@dataclass(frozen=True)
class Reason:
    """One reason with its values, said in words where it is shown."""

    cause: Cause
    values: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Return it as it is kept with a step."""
        return {"cause": self.cause.value, **self.values}


@dataclass(frozen=True)
class Named:
    """Who should do a matter at a place: a body by name, or, with a code, the unit's own people."""

    body: str
    basis: Basis
    code: str | None = None
    item: Mapping[str, str] = field(default_factory=dict)  # edition, item, clause of the list that says so


@dataclass(frozen=True)
class Presence:
    """Who of a body is there for a place: how many now, until when if by roster, and when the next one comes."""

    now: int = 0
    until: datetime | None = None
    next: datetime | None = None


@dataclass(frozen=True)
class Load:
    """How many open cases a body has, and how many of them are late."""

    open: int = 0
    late: int = 0


@dataclass(frozen=True)
class Candidate:
    """Somebody who could get a case, and why."""

    body: str
    code: str | None
    basis: Basis
    presence: Presence
    load: Load
    why: tuple[Reason, ...]

    @property
    def key(self) -> str:
        """How a form names it: a body, or a unit with its code, as the form of a case does."""
        return f"unit:{self.code}:{self.body}" if self.code else self.body


@dataclass(frozen=True)
class Suggestion:
    """Whom a case should go to, the best first; without candidates, why there are none."""

    number: str
    candidates: tuple[Candidate, ...]
    why_not: tuple[Reason, ...] = ()
    mode: Mode = Mode.SUGGEST


@dataclass(frozen=True)
class Choice:
    """What somebody chose for a case: a candidate or any body, and how the case stood when it was shown."""

    number: str
    body: str
    code: str | None
    expected_seq: int | None = None


class BadMinutes(BadInput):
    """A check on site is taken within 1 to {most} minutes."""


class SettingPast(BadInput):
    """A setting begins today or later; what was in force stays on record."""


class NoSeverity(BadInput):
    """Automatic dispatch needs at least one urgency to be for."""


class UnknownSetting(NotFound):
    """There is no such setting, or it has begun already."""
