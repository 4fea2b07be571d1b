"""The answer given to a request under a key of the caller's own."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, LargeBinary, SmallInteger, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict


class Answered(Base):
    """What one caller was answered under one key; it is written in the transaction of the work itself.

    `status` is null only inside that transaction. `body` is null if there was none, or it was too long
    to keep.
    """

    __tablename__ = "answered"
    __table_args__ = (UniqueConstraint("account_id", "key"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(64))
    request: Mapped[str]  # method and path
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)  # of query and body
    status: Mapped[int | None] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), index=True)


class KeyReused(BadInput):
    """The Idempotency-Key {key} was used for another request ({request}); give each request a key of its own."""


class OtherBody(BadInput):
    """The Idempotency-Key {key} was used for {request} with other content; give each request a key of its own."""


class StillAnswering(Conflict):
    """The first request with the Idempotency-Key {key} is still being worked on; send it again in a moment."""
