"""A view of the command map somebody keeps, and what can be wrong with one."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, NotFound

LONGEST_NAME, LONGEST_QUERY, MOST = 80, 2000, 100


class SavedView(Base):
    """One view: whose it is, what they call it, and the part of its address behind the question mark."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    query: Mapped[str] = mapped_column(String(LONGEST_QUERY))
    saved_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class UnknownView(NotFound):
    """You keep no such view."""


class ViewUnnamed(BadInput):
    """Give the view a name of at most {most} characters."""


class ViewTooLong(BadInput):
    """The filters of this view are too long to keep: {length} characters of at most {most}."""


class TooManyViews(Conflict):
    """You keep {most} views already; remove one first."""
