"""Which lines a grid member serves in which micro-grid."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput

Instant = TIMESTAMP(timezone=True)


class MemberLine(Base):
    """That somebody serves a line (条线) in a micro-grid, from an instant until it ends."""

    __tablename__ = "member_line"
    __table_args__ = (
        Index(
            "ix_member_line_now", "code", "account_id", "line", unique=True,
            postgresql_where=text("until IS NULL"),
        ),
        Index("ix_member_line_account", "account_id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(32))
    line: Mapped[str] = mapped_column(String(32))
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True)
class Entry:
    """One row of a list of one line: who serves it in which micro-grid."""

    line: str
    code: str
    name: str
    username: str
    phone: str = ""


@dataclass(frozen=True)
class Member:
    """A member of a micro-grid's one list, with the lines served there."""

    username: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Hint:
    """What somebody should look at: a grid without anybody for a line, one with several people, people of many."""

    kind: str  # uncovered, several, many_grids
    code: str
    what: str


@dataclass(frozen=True)
class Opened:
    """An account that the merge has opened, with the first password, told this once."""

    username: str
    name: str
    password: str


@dataclass(frozen=True)
class Merged:
    """What some lists come to: rows, the one list of each micro-grid, hints, and accounts opened."""

    rows: int
    grids: dict[str, tuple[Member, ...]]
    hints: tuple[Hint, ...]
    opened: tuple[Opened, ...]
    ended: int  # lines served before in these grids that are in no list now


class NotAMicroGrid(BadInput):
    """There is no micro-grid {code}."""


class AnotherName(BadInput):
    """{username} is called {name} in another row."""


class AccountOfAnother(BadInput):
    """The account {username} is that of {name}."""


class LineTwice(BadInput):
    """This person serves that line there in an earlier row already."""


class NobodySaid(BadInput):
    """A row needs a phone or a user name to tell people of one name apart."""
