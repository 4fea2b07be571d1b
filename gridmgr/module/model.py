"""How the work of an area is regrouped into modules, with their posts; nothing is removed, it ends."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, SmallInteger, String, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound

Instant = TIMESTAMP(timezone=True)
NOW = text("until IS NULL")


class PostKind(StrEnum):
    """What a post in a module is; of the first two a module has one each, with one holder."""

    LEAD = "lead"  # 牵头人
    DEPUTY = "deputy"  # 副职
    POST = "post"  # 岗位


class Regrouping(Base):
    """That an area's work was regrouped by a template, from an instant until the next one."""

    __tablename__ = "regrouping"
    __table_args__ = (Index("ix_regrouping_area", "area", unique=True, postgresql_where=NOW),)

    id: Mapped[int] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(String(32))  # a street, or the beginning of the codes of many
    template: Mapped[str] = mapped_column(String(32))
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)
    by_name: Mapped[str] = mapped_column(String(64))


class Module(Base):
    """A module or, with `under`, a sub-module of an area, and the matters it takes by the beginnings of their codes."""

    __tablename__ = "module"
    __table_args__ = (
        Index("ix_module_code", "regrouping_id", "code", unique=True, postgresql_where=NOW),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    regrouping_id: Mapped[int] = mapped_column(ForeignKey("regrouping.id"))
    code: Mapped[str] = mapped_column(String(32))
    name_zh: Mapped[str] = mapped_column(String(64))
    name_en: Mapped[str] = mapped_column(String(64))
    under: Mapped[str | None] = mapped_column(String(32))  # the code of the module it is a part of
    place: Mapped[int] = mapped_column(SmallInteger)  # in the template
    prefixes: Mapped[list[str]] = mapped_column(ARRAY(String(32)))
    fallback: Mapped[bool]  # takes what no other module takes
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)

    def name(self, language: str) -> str:
        """Return the name in that language."""
        return self.name_en if language == "en" else self.name_zh


class ModulePost(Base):
    """A post (岗位) in a module."""

    __tablename__ = "module_post"

    id: Mapped[int] = mapped_column(primary_key=True)
    module_id: Mapped[int] = mapped_column(ForeignKey("module.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))  # of the first two kinds their word says it
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)


class PostHolder(Base):
    """Who holds a post, or held it."""

    __tablename__ = "post_holder"
    __table_args__ = (
        Index("ix_post_holder_now", "post_id", "account_id", unique=True, postgresql_where=NOW),
        Index("ix_post_holder_account", "account_id", postgresql_where=NOW),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("module_post.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)


class ModuleBody(Base):
    """Which bodies work in a module, or did."""

    __tablename__ = "module_body"
    __table_args__ = (Index("ix_module_body_now", "module_id", "body_id", unique=True, postgresql_where=NOW),)

    id: Mapped[int] = mapped_column(primary_key=True)
    module_id: Mapped[int] = mapped_column(ForeignKey("module.id"))
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"))
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True)
class Part:
    """A module of a template; `under` makes it a sub-module."""

    code: str
    zh: str
    en: str
    prefixes: tuple[str, ...] = ()
    under: str | None = None
    fallback: bool = False


@dataclass(frozen=True)
class Template:
    """A way to regroup the work: modules everybody has, and those of which each area picks some."""

    key: str
    zh: str
    en: str
    mains: tuple[Part, ...]
    picks: tuple[Part, ...] = ()
    least: int = 0
    most: int = 0

    def name(self, language: str) -> str:
        """Return the name in that language."""
        return self.en if language == "en" else self.zh


class UnknownTemplate(NotFound):
    """There is no template {key}; there are {known}."""


class UnknownModule(NotFound):
    """There is no such module, or it has ended."""


class UnknownPost(NotFound):
    """There is no such post, or it has ended."""


class NotRegrouped(NotFound):
    """The work of {area} has not been regrouped into modules."""


class NotAPick(BadInput):
    """{code} is none of what can be picked: {known}."""


class PicksOutOfRange(BadInput):
    """{least} to {most} sub-modules are to be picked; {count} are."""


class PeopleSeated(Conflict):
    """{count} posts are held in modules that would end: {names}. Confirm that they are to end; the record stays."""


class PrefixTaken(Conflict):
    """Matters that begin with {prefix} are taken by {name} already."""


class NameOfModuleMissing(BadInput):
    """A module and a post need a name."""


class PostThere(Conflict):
    """There is a post {name} in this module already."""


class SeatOfModule(BadInput):
    """The lead and the deputy of a module stay; only their holders change."""


class HoldsAlready(Conflict):
    """{name} holds this post already."""


class SeesNothingThere(BadInput):
    """{name} holds no role in the area {code} and would not see its cases."""


class WorksThereAlready(Conflict):
    """{name} works in this module already."""
