"""The kinds of value a request may carry, so that nothing unstorable reaches the database.

PostgreSQL holds no NUL character, no lone surrogate and only so large a number; each kind says so once,
in the code and in the OpenAPI document alike.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

from gis.datum import DATUMS
from gridmgr import clock
from gridmgr.clock import FIRST_DAY, LAST_DAY
from gridmgr.hierarchy.model import COVERAGES, LEVELS

NO_NUL = r"^[^\x00]*$"
AHEAD = timedelta(minutes=5)  # how far a reporter's clock may be fast


def text(most: int, least: int = 0) -> object:
    """Return the type of a text of so many characters that the database can hold."""
    return Annotated[str, StringConstraints(min_length=least, max_length=most, pattern=NO_NUL)]


def _day(value: date) -> date:
    if not FIRST_DAY <= value <= LAST_DAY:
        raise ValueError(f"must lie between {FIRST_DAY} and {LAST_DAY}")
    return value


def _past(value: datetime) -> datetime:
    if not FIRST_DAY < value.date() < LAST_DAY or value > clock.now() + AHEAD:
        raise ValueError("must lie in the past, after 1900")
    return value


def _instant(value: datetime) -> datetime:
    if not FIRST_DAY < value.date() < LAST_DAY:
        raise ValueError(f"must lie between {FIRST_DAY} and {LAST_DAY}")
    return clock.local(value) if value.tzinfo else value.replace(tzinfo=clock.zone())


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _number(value: object) -> object:
    if isinstance(value, bool):  # JSON's true would count as 1
        raise ValueError("must be a number")
    return value


Code = text(32, 1)
Line = text(64)
Words = text(100)
Day = Annotated[date, AfterValidator(_day)]
Past = Annotated[AwareDatetime, AfterValidator(_past)]
Instant = Annotated[datetime, AfterValidator(_instant)]  # without a zone it is on the district's wall clock
Utc = Annotated[datetime, AfterValidator(_utc)]
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False), BeforeValidator(_number)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False), BeforeValidator(_number)]
RowId = Annotated[int, Field(ge=1, le=2**31 - 1)]
BigRowId = Annotated[int, Field(ge=1, le=2**63 - 1)]
Level = Literal[*LEVELS]
Coverage = Literal[*COVERAGES]
Datum = Literal[*DATUMS]
