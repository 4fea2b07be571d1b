"""The working calendar: special days, worked hours, and when a time limit ends."""

from typing import Annotated, Literal

from fastapi import Depends, File, Form, Query, Response, UploadFile
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr import clock, db, sheet
from gridmgr.account.rules import Actor
from gridmgr.calendar import queries, service
from gridmgr.calendar.model import DayKind, Differences, SpecialDay, WorkedHours
from gridmgr.calendar.rules import DAYS
from gridmgr.clock import TimeUnit
from gridmgr.hierarchy import queries as hierarchy
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import Day, Utc, text

routes = router("calendar")
Viewer = Annotated[Actor, Depends(Allow("calendar.view"))]
Admin = Annotated[Actor, Depends(Allow("calendar.manage"))]
Area = Annotated[text(32), Query(description="Code prefix; empty for the whole district.")]
Year = Annotated[int, Query(ge=1900, le=2999, examples=[2026])]
Pair = Annotated[list[str], Field(min_length=2, max_length=2)]
WEEKDAYS = [0, 1, 2, 3, 4]


class Placed(BaseModel):
    """What an area has to itself."""

    area: str = Field(description="Code prefix; empty for the whole district.", examples=["510106001"])
    area_name: str | None = Field(
        description="Of the unit with this very code, if there is one.", examples=["荷花池街道"]
    )


class DayOut(Placed):
    """A day that differs from the week."""

    day: Day = Field(examples=["2026-02-16"])
    kind: DayKind
    name: str = Field(examples=["春节"])


class HoursOut(Placed):
    """When an area works from a day on, until its next hours begin."""

    first_day: Day = Field(description="1900-01-01: since always.", examples=["2026-05-01"])
    weekdays: list[int] = Field(description="0 is Monday.", examples=[WEEKDAYS])
    spans: list[Pair] = Field(
        description="A span that ends before it begins ends on the next day. None: as the area around it works.",
        examples=[[["09:00", "12:00"], ["14:00", "18:00"]]],
    )


class CalendarOut(BaseModel):
    """The special days of a year, and the hours of every area that has its own."""

    days: list[DayOut]
    hours: list[HoursOut]


class DayIn(BaseModel):
    """What a day is, and why."""

    kind: DayKind = Field(examples=["makeup"])
    name: text(64) = Field("", examples=["春节"])


class HoursIn(BaseModel):
    """When an area works."""

    weekdays: list[Annotated[int, Field(ge=0, le=6)]] = Field(
        [], max_length=7, description="0 is Monday.", examples=[WEEKDAYS]
    )
    spans: text(100) = Field(
        "", description="22:00-06:00 ends on the next day.", examples=["09:00-12:00,14:00-18:00"]
    )
    as_around: bool = Field(False, description="Instead: work as the area around it does from that day on.")


class DueOut(BaseModel):
    """When a time limit ends."""

    due_at: Utc


class Said(BaseModel):
    """What the calendar says of a day."""

    kind: DayKind
    name: str = Field(examples=["春节"])


class ChangeOut(BaseModel):
    """What becomes of a day of an area."""

    day: Day = Field(examples=["2026-02-16"])
    area: str = Field(examples=[""])
    fate: Literal["added", "changed", "removed"]
    before: Said | None
    after: Said | None


class Changed(BaseModel):
    """What a notice changes, or would change."""

    added: int
    changed: int
    removed: int
    written: bool
    rows: list[ChangeOut]


@routes.get("/calendar")
def show_calendar(session: Transaction, actor: Viewer, year: Year) -> CalendarOut:
    """Show the special days of a year and the worked hours."""
    days, hours = queries.days(session, year), queries.hours(session)
    names = _names(session, *days, *hours)
    return CalendarOut(
        days=[_day(each, names) for each in days], hours=[_hours(each, names) for each in hours]
    )


def _names(session: Session, *kept: SpecialDay | WorkedHours) -> dict[str, str]:
    return hierarchy.names(session, {each.code for each in kept}, clock.today())


def _day(kept: SpecialDay, names: dict[str, str]) -> DayOut:
    return DayOut(
        day=kept.day, area=kept.code, area_name=names.get(kept.code), kind=kept.kind, name=kept.name
    )


def _hours(kept: WorkedHours, names: dict[str, str]) -> HoursOut:
    return HoursOut(
        area=kept.code, area_name=names.get(kept.code), first_day=kept.first_day, weekdays=kept.weekdays,
        spans=kept.spans,
    )  # fmt: skip


@routes.get("/calendar/due")
def show_due(
    session: Transaction,
    actor: Viewer,
    amount: Annotated[float, Query(gt=0, le=queries.MOST_AMOUNT, allow_inf_nan=False, examples=[4])],
    unit: TimeUnit = TimeUnit.WORKING_HOURS,
    area: Area = "",
    since: Annotated[AwareDatetime | None, Query(description="From when; now if not given.")] = None,
) -> DueOut:
    """Say when a time limit ends in an area; of years the calendar does not know, or without any work, a 422."""
    return DueOut(due_at=queries.due(session, area, amount, unit, since or clock.now()))


@routes.post("/calendar/days", responses=problems(413))
def import_days(
    file: Annotated[UploadFile, File()],
    session: Transaction,
    actor: Admin,
    dry_run: Annotated[bool, Form()] = False,
) -> Changed:
    """Take a notice of holidays (CSV or XLSX), all or nothing: of each area it names it replaces the years it names.

    The answer says of every day what becomes of it; with `dry_run` nothing is written.
    """
    read = sheet.read(file.file.read(), file.filename or "", DAYS)
    with db.rehearsed(session, keep=not dry_run):
        found = service.import_days(session, read)
    return _changed(found, written=not dry_run)


def _changed(found: Differences, *, written: bool) -> Changed:
    said = [
        [Said(kind=one[0], name=one[1]) if one else None for one in (each.before, each.after)]
        for each in found.rows
    ]
    rows = [
        ChangeOut(day=each.day, area=each.code, fate=each.fate, before=before, after=after)
        for each, (before, after) in zip(found.rows, said, strict=True)
    ]
    return Changed(**found.counts, written=written, rows=rows)


@routes.put("/calendar/days/{day}")
def set_day(day: Day, what: DayIn, session: Transaction, actor: Admin, area: Area = "") -> Changed:
    """Make one day of an area a holiday or a make-up workday; all others stay as they are."""
    return _changed(service.set_day(session, day, area, what.kind, what.name), written=True)


@routes.delete("/calendar/days/{day}", status_code=204, responses=problems(404))
def drop_day(day: Day, session: Transaction, actor: Admin, area: Area = "") -> Response:
    """Let a day of an area be as the week and the areas around it say."""
    service.drop_day(session, day, area)
    return Response(status_code=204)


@routes.put("/calendar/hours/{first_day}")
def set_hours(
    first_day: Day, hours: HoursIn, session: Transaction, actor: Admin, area: Area = ""
) -> HoursOut:
    """Set when an area works from a day on; the past stays, and open due times are worked out anew."""
    if hours.as_around:
        kept = service.follow_around(session, area, first_day)
    else:
        week = [str(day + 1) for day in hours.weekdays]
        kept = service.set_hours(session, area, first_day, week, hours.spans)
    return _hours(kept, _names(session, kept))


@routes.delete("/calendar/hours/{first_day}", status_code=204, responses=problems(404))
def drop_hours(first_day: Day, session: Transaction, actor: Admin, area: Area = "") -> Response:
    """Take back hours of an area as if they had never begun; those before them go on."""
    service.drop_hours(session, area, first_day)
    return Response(status_code=204)
