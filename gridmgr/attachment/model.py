"""Files that belong to cases, who sent them, and what can be wrong with one."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base
from gridmgr.errors import BadInput, NotFound


class StoredFile(Base):
    """A file by its content; how it is called in a case is the case's matter."""

    __tablename__ = "stored_file"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(100))  # as found in its bytes, never as declared
    size: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int | None]  # of pictures, as people see them
    height: Mapped[int | None]
    looks: Mapped[int | None] = mapped_column(BigInteger)  # of pictures: alike where few of its bits differ
    uploaded_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), index=True)  # the last time

    @property
    def is_picture(self) -> bool:
        """Whether there is a thumbnail of it."""
        return self.width is not None


class FileSender(Base):
    """Somebody who has sent a file: two who send the same bytes may both look at them."""

    __tablename__ = "file_sender"

    sha256: Mapped[str] = mapped_column(
        ForeignKey("stored_file.sha256", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)


class UnknownFile(NotFound):
    """There is no such file, or it belongs to no case you may see."""


class FileEmpty(BadInput):
    """The file {name} is empty."""


class FileTooLarge(BadInput):
    """The file {name} has more than {limit} MB."""


class FileRefused(BadInput):
    """The file {name} is refused: {reason}."""
