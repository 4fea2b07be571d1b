"""What is said and done about a request; the request itself stands with the lists, which it may become a part of."""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Identity, SmallInteger, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gridmgr.db import Base, Done
from gridmgr.errors import BadInput, Conflict, Forbidden, NotFound


class Deed(StrEnum):
    """What is done to a request for admission."""

    ASK = "ask"  # 申请
    ARGUE = "argue"  # 论证
    GRANT = "grant"  # 准入
    REFUSE = "refuse"  # 不予准入
    WITHDRAW = "withdraw"  # 撤回
    END = "end"  # 终止: of what was granted


class AdmissionDeed(Done, Base):
    """One thing said or done about a request; the database refuses to change or remove it."""

    __tablename__ = "admission_deed"
    __table_args__ = (UniqueConstraint("admission_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    admission_id: Mapped[int] = mapped_column(ForeignKey("admission.id"))
    seq: Mapped[int] = mapped_column(SmallInteger)
    note: Mapped[str] = mapped_column(Text)


class UnknownAdmission(NotFound):
    """There is no request for admission {id}, or it is outside your area."""


class MatterMissing(BadInput):
    """Say which matter is to be admitted, by a code that a category in force begins with."""


class WholeDistrict(BadInput):
    """A matter is admitted to the list of a street or of a unit below it; give its code."""


class ReasonMissing(BadInput):
    """Say why, in at most {most} characters."""


class OnTheListAlready(Conflict):
    """{category} is on the list of {unit} already."""


class AskedAlready(Conflict):
    """The admission of {category} to {unit} is asked for already: request {id}."""


class DeedImpossible(Conflict):
    """This request is {state}; {deed} is not possible now."""


class OwnRequest(Forbidden):
    """Nobody decides a request of their own."""


class NotTheAsker(Forbidden):
    """Only who asked can take the request back."""


class NotHeard(Conflict):
    """Nobody has argued yet; the street is heard before a matter is admitted to its list."""


class BadSpan(BadInput):
    """An admission needs a first day, and its last one does not come before it."""
