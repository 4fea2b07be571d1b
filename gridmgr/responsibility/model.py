"""Lists of an area, their dated editions and items, admissions, and which item a case was accepted under."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound, Problem

Instant = TIMESTAMP(timezone=True)


class ListKind(StrEnum):
    """What a list says."""

    DIVISION = "division"  # 职责边界清单: which department or territory answers for each matter
    TERRITORIAL = "territorial"  # 属地管理事项清单: what a street or community answers for
    HANDED_DOWN = "handed_down"  # 下放（赋权）事项清单: what departments have handed to a territory
    POWERS = "powers"  # 权力清单: which powers a body may use
    GRID_SERVICES = "grid_services"  # 网格服务清单
    VILLAGE = "village"  # 村社清单


class Answering(StrEnum):
    """Which level answers for an item."""

    DEPARTMENT = "department"  # 部门
    STREET = "street"  # 街道
    COMMUNITY = "community"  # 社区
    VILLAGE = "village"  # 村


TERRITORY = frozenset({Answering.STREET, Answering.COMMUNITY, Answering.VILLAGE})


@dataclass(frozen=True)
class Nature:
    """What is true of all lists of a kind."""

    owns: bool = False  # an item names the one owner of the matters it covers
    complete: bool = False  # it must answer for every matter of the table in force
    gives: bool = False  # an item of a territory's level gives its matters to the territory
    closes: bool = False  # while one is in force, nothing outside the lists may be pushed down
    hands_down: bool = False  # an item says from which body it was handed down
    guided: bool = False  # an item needs its flow and its guide
    level: Answering = Answering.STREET  # which answers if an item does not say so


KINDS: dict[ListKind, Nature] = {
    ListKind.DIVISION: Nature(owns=True, complete=True, gives=True, level=Answering.DEPARTMENT),
    ListKind.TERRITORIAL: Nature(owns=True, gives=True, closes=True),
    ListKind.HANDED_DOWN: Nature(owns=True, gives=True, hands_down=True),
    ListKind.POWERS: Nature(level=Answering.DEPARTMENT),
    ListKind.GRID_SERVICES: Nature(gives=True, level=Answering.COMMUNITY),
    ListKind.VILLAGE: Nature(gives=True, guided=True, level=Answering.VILLAGE),
}


class ResponsibilityList(Base):
    """A list of an area: `code` is the beginning of the codes of its units, empty for the whole district."""

    __tablename__ = "responsibility_list"
    __table_args__ = (Unique("kind", "code", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(100))  # one area may have several lists of a kind


class ListEdition(Base):
    """An edition of a list: a draft until it is published; from then on the database refuses to change it."""

    __tablename__ = "list_edition"
    __table_args__ = (
        Index("ix_list_edition_list_id", "list_id", "effective"),
        CheckConstraint("(published_at IS NULL) = (effective IS NULL)", name="published"),
        CheckConstraint("retired_on IS NULL OR published_at IS NOT NULL", name="retired"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("responsibility_list.id"))
    title: Mapped[str] = mapped_column(String(100))
    basis: Mapped[str] = mapped_column(String(500))  # the document it rests on
    drafted_at: Mapped[datetime] = mapped_column(Instant)
    drafted_by: Mapped[str] = mapped_column(String(64))
    effective: Mapped[date | None]
    published_at: Mapped[datetime | None] = mapped_column(Instant)
    published_by: Mapped[str | None] = mapped_column(String(64))
    retired_on: Mapped[date | None]  # the first day on which it no longer holds
    retired_by: Mapped[str | None] = mapped_column(String(64))
    retired_why: Mapped[str | None] = mapped_column(String(500))

    def holds_on(self, day: date) -> bool:
        """Tell whether it was published, and not retired by that day; another one may have followed it."""
        if self.effective is None or self.effective > day:
            return False
        return self.retired_on is None or day < self.retired_on


class ListItem(Base):
    """One item of an edition: which matters it covers, who answers, on what ground and how."""

    __tablename__ = "list_item"
    __table_args__ = (Unique("edition_id", "code"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("list_edition.id", ondelete="CASCADE"))
    place: Mapped[int]  # in the list, from 1
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200))
    categories: Mapped[list[str]] = mapped_column(JSONB)  # beginnings of codes; a power may cover none
    lead: Mapped[str] = mapped_column(String(100))
    cooperating: Mapped[list[str]] = mapped_column(JSONB)
    level: Mapped[str] = mapped_column(String(16))
    handed_from: Mapped[str] = mapped_column(String(100))
    clause: Mapped[str] = mapped_column(Text)
    flow: Mapped[str] = mapped_column(Text)
    guide: Mapped[str] = mapped_column(Text)
    filing_condition: Mapped[str] = mapped_column(Text)
    closing_condition: Mapped[str] = mapped_column(Text)
    amount: Mapped[float | None]
    unit: Mapped[str | None] = mapped_column(String(16))
    evidence: Mapped[str] = mapped_column(Text)
    aliases: Mapped[list[str]] = mapped_column(JSONB)  # what people call it

    @property
    def territorial(self) -> bool:
        """Whether a territory answers for it, and not a department."""
        return self.level in TERRITORY


class Standing(StrEnum):
    """How a request for admission stands."""

    ASKED = "asked"  # 待论证、待决定
    GRANTED = "granted"  # 已准入
    REFUSED = "refused"  # 不予准入
    WITHDRAWN = "withdrawn"  # 已撤回


class Admission(Base):
    """A request that a matter be admitted to a territory's list; once decided only its end may be set."""

    __tablename__ = "admission"
    __table_args__ = (
        Index("ix_admission_state", "state", "id"),
        CheckConstraint("(state = 'granted') = (begins IS NOT NULL)", name="begins"),
        CheckConstraint("ends IS NULL OR ends >= begins", name="ends"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32))  # of the unit that is to answer
    category: Mapped[str] = mapped_column(String(32))  # beginning of the codes of the matters
    lead: Mapped[str] = mapped_column(String(100))  # who is to lead there
    reason: Mapped[str] = mapped_column(Text)
    asker_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    asker_name: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(String(100))  # the department it is asked for
    asked_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(16))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    begins: Mapped[date | None]
    ends: Mapped[date | None]  # the last day

    def holds_on(self, day: date) -> bool:
        """Tell whether it acts like an item of the list on that day."""
        if self.state != Standing.GRANTED or day < self.begins:
            return False
        return self.ends is None or day <= self.ends


class CaseItem(Base):
    """Under which item, or admission, a case was first accepted: later editions change nothing of it."""

    __tablename__ = "case_item"
    __table_args__ = (CheckConstraint("num_nonnulls(item_id, admission_id) = 1", name="one"),)

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("list_item.id"), index=True)
    admission_id: Mapped[int | None] = mapped_column(ForeignKey("admission.id"), index=True)


@dataclass(frozen=True)
class Owner:
    """The one who answers for a matter at a place; without a list it is the category's department alone."""

    lead: str
    cooperating: tuple[str, ...] = ()
    item: str = ""  # its code and name
    clause: str = ""
    edition: str = ""  # its title
    territorial: bool = False
    row: ListItem | None = None
    admission: Admission | None = None
    edition_id: int | None = None


class NoOwner(NotFound):
    """No list in force in {unit} answers for the matter {category}, and it names no department of its own."""


class NotOnTheList(Conflict):
    """{category} is not on the list “{title}”, so it cannot be handed to {unit}; ask for its admission first."""


class UnknownEdition(NotFound):
    """There is no edition {id} of a list."""


class UnknownList(NotFound):
    """There is no list {id}."""


class NoItems(BadInput):
    """The list has no items."""


class TitleMissing(BadInput):
    """An edition needs a title of at most {most} characters."""


class PublishedAlready(Conflict):
    """The edition “{title}” was published; only drafts can be thrown away or published."""


class NotInForce(Conflict):
    """The edition “{title}” is not in force on {day} and cannot be retired."""


class BeforeTheLast(BadInput):
    """The edition “{title}” is in force from {day}; a later one cannot begin before it."""


class DayPassed(BadInput):
    """{day} has passed already; what held before stays as it was."""


class OtherLists(BadInput):
    """“{one}” and “{other}” are editions of different kinds of list and cannot be compared."""


class NotPublishable(BadInput):
    """The edition cannot be published, it has {count} faults. {first}"""

    def __init__(self, faults: Iterable["Fault"]):
        self.faults = list(faults)
        super().__init__(count=len(self.faults), first=self.faults[0].reason)


@dataclass(frozen=True)
class Fault:
    """What forbids publishing an edition: the items concerned, by code, the matter, and the reason."""

    items: tuple[str, ...]
    category: str
    reason: Problem


# What can be wrong with a row of a list, or with an edition.


class ItemTwice(BadInput):
    """This code stands in an earlier row."""


class UnknownMatter(BadInput):
    """No category's code begins with {category}."""


class UnitAlone(BadInput):
    """An amount and its unit go together."""


class GiverMissing(BadInput):
    """Say from which body the item is handed down."""


class HandedToGiver(BadInput):
    """The item is handed down to the body that gives it."""


class NotGuided(BadInput):
    """The item {item} needs its flow and its guide."""


class TwoOwners(BadInput):
    """{category} has two owners: {one} ({lead}) and {other} ({other_lead}); each matter has one."""


class Unanswered(BadInput):
    """No item answers for {category} {name}."""


class HandedInACircle(BadInput):
    """{category} is handed down in a circle: {circle} (items {items})."""


def facts(item: ListItem) -> dict[str, Any]:
    """Return an item as its list says it, which is what two editions are compared by."""
    return {name: getattr(item, name) for name in FACTS}


FACTS = (
    "code", "name", "categories", "lead", "cooperating", "level", "handed_from", "clause", "flow", "guide",
    "filing_condition", "closing_condition", "amount", "unit", "evidence", "aliases",
)  # fmt: skip
