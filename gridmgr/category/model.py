"""Category tables: each a dated list; an old case keeps the row it was filed under."""

from datetime import date
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound


class CategoryKind(StrEnum):
    """The national classes, the four platforms, and what other systems call their own."""

    COMPONENT = "component"  # 部件
    EVENT = "event"  # 事件
    PLATFORM = "platform"  # 四平台
    FOREIGN = "foreign"  # another system's own list


NEEDS = ("photo", "on_site", "description", "address", "phone")
"""What a case must have before it is accepted or closed: 照片, 现场核实, 描述, 地址, 联系电话."""


class CategoryTable(Base):
    """One jurisdiction's table of categories, in force from `effective`."""

    __tablename__ = "category_table"
    __table_args__ = (UniqueConstraint("title", "effective"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    effective: Mapped[date]


class Category(Base):
    """A matter: what it is called, who handles it, how long that may take, when it is filed and closed."""

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("table_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    table_id: Mapped[int] = mapped_column(ForeignKey("category_table.id"))
    code: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(16))
    group_zh: Mapped[str] = mapped_column(String(100))
    group_en: Mapped[str] = mapped_column(String(100))
    name_zh: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    department: Mapped[str] = mapped_column(String(100))
    severity: Mapped[int]  # 1 ordinary, 2 serious, 3 urgent
    limit_amount: Mapped[float | None]
    limit_unit: Mapped[str | None] = mapped_column(String(16))
    filing_condition: Mapped[str] = mapped_column(String(500))
    closing_condition: Mapped[str] = mapped_column(String(500))
    filing_needs: Mapped[list] = mapped_column(
        JSONB, default=list
    )  # words of NEEDS, beside the condition in words
    closing_needs: Mapped[list] = mapped_column(JSONB, default=list)
    simple: Mapped[bool] = mapped_column(default=False)  # 简易: a grid member may settle it on the spot
    further_limits: Mapped[list] = mapped_column(JSONB, default=list)  # FurtherLimit, as dictionaries

    @property
    def policy_code(self) -> str:
        """The code that policies look at; another system's own codes mean nothing to ours."""
        return "" if self.kind == CategoryKind.FOREIGN else self.code

    def name(self, language: str) -> str:
        """Return the name in that language."""
        return self.name_en if language == "en" else self.name_zh

    def group(self, language: str) -> str:
        """Return the class's name in that language."""
        return self.group_en if language == "en" else self.group_zh


class UnknownCategory(NotFound):
    """There is no category {code} in the table in force."""


class NoCategories(BadInput):
    """The table of categories has no rows."""


class TitleTaken(Conflict):
    """A table “{title}” in force from {day} is there already; choose another title or another day."""


# What can be wrong with a cell of a table of categories.


class CodeTwice(BadInput):
    """This code stands in an earlier row."""


class NotFurther(BadInput):
    """Write a further limit as stop_work:停工:Stop work:4 working_hours, several with semicolons between."""


class UnitAlone(BadInput):
    """An amount and its unit go together."""
