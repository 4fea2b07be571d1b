"""The working calendar: special days, worked hours, and when a time limit ends."""

from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import Depends, File, Form, Query, Response, UploadFile
from pydantic import AwareDatetime, BaseModel, Field

from gridmgr import clock, db, sheet
from gridmgr.account.rules import Actor
from gridmgr.calendar import queries, service
from gridmgr.calendar.rules import DAYS
from gridmgr.clock import TimeUnit
from gridmgr.hierarchy import queries as hierarchy
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import Code, Day, Utc, text

routes = router("calendar")
Viewer = Annotated[Actor, Depends(Allow("calendar.view"))]
Admin = Annotated[Actor, Depends(Allow("calendar.manage"))]
Area = Annotated[text(32), Query(description="Code prefix; empty for the whole district.")]
Year = Annotated[int, Query(ge=1900, le=2999, examples=[2026])]


class DayOut(BaseModel):
    """A day that differs from the week."""

    day: Day = Field(examples=["2026-02-16"])
    area: str = Field(description="Code prefix; empty for the whole district.", examples=[""])
    kind: Literal["holiday", "makeup"]
    name: str = Field(examples=["春节"])


class HoursOut(BaseModel):
    """When an area works."""

    area: str = Field(examples=["510106001"])
    weekdays: list[int] = Field(description="0 is Monday.", examples=[[0, 1, 2, 3, 4]])
    spans: list[tuple[str, str]] = Field(examples=[[["09:00", "12:00"], ["14:00", "18:00"]]])


class CalendarOut(BaseModel):
    """The special days of a year, and the hours of every area that has its own."""

    days: list[DayOut]
    hours: list[HoursOut]


class HoursIn(BaseModel):
    """When an area works; a shift past midnight is written as two spans."""

    area: text(32) = Field("", examples=["510106001"])
    weekdays: list[Annotated[int, Field(ge=0, le=6)]] = Field(
        min_length=1, max_length=7, examples=[[0, 1, 2, 3, 4]]
    )
    spans: text(100, 1) = Field(examples=["09:00-12:00,14:00-18:00"])


class DueOut(BaseModel):
    """When a time limit ends."""

    due_at: Utc


class Changed(BaseModel):
    """What a notice changes, or would change."""

    added: int
    changed: int
    removed: int
    written: bool


@routes.get("/calendar")
def show_calendar(session: Transaction, actor: Viewer, year: Year) -> CalendarOut:
    """Show the special days of a year and the worked hours."""
    days = [DayOut(day=d.day, area=d.code, kind=d.kind, name=d.name) for d in queries.days(session, year)]
    hours = [
        HoursOut(area=code, weekdays=kept.weekdays, spans=kept.spans)
        for code, kept in queries.hours(session).items()
    ]
    return CalendarOut(days=days, hours=hours)


@routes.get("/calendar/due")
def show_due(
    session: Transaction,
    actor: Viewer,
    amount: Annotated[float, Query(gt=0, le=1000, allow_inf_nan=False, examples=[4])],
    unit: TimeUnit = TimeUnit.WORKING_HOURS,
    area: Area = "",
    since: Annotated[AwareDatetime | None, Query(description="From when; now if not given.")] = None,
) -> DueOut:
    """Say when a time limit ends in an area."""
    start = _bounded(since) if since else clock.now()
    return DueOut(due_at=queries.calendar_for(session, area).due(start, amount, unit))


def _bounded(since: datetime) -> datetime:
    """Keep far away years out of the reckoning: nobody counts working hours there."""
    year = min(max(since.year, clock.FIRST_DAY.year + 1), clock.LAST_DAY.year - 20)
    return since if year == since.year else since.replace(year=year, month=1, day=1)


@routes.post("/calendar/days", responses=problems(413))
def import_days(
    file: Annotated[UploadFile, File()],
    session: Transaction,
    actor: Admin,
    dry_run: Annotated[bool, Form()] = False,
) -> Changed:
    """Take the yearly notice of holidays (CSV or XLSX): it replaces the years it tells of, all or nothing."""
    read = sheet.read(file.file.read(), file.filename or "", DAYS)
    with db.rehearsed(session, keep=not dry_run):
        found = service.import_days(session, read, partial(hierarchy.without_units, session))
    return Changed(added=found.added, changed=found.changed, removed=found.removed, written=not dry_run)


@routes.put("/calendar/hours")
def set_hours(hours: HoursIn, session: Transaction, actor: Admin) -> HoursOut:
    """Set when an area works; open due times counted by it are worked out anew."""
    kept = service.set_hours(session, hours.area, hours.weekdays, hours.spans)
    return HoursOut(area=kept.code, weekdays=kept.weekdays, spans=kept.spans)


@routes.delete("/calendar/hours/{area}", status_code=204, responses=problems(404))
def drop_hours(area: Code, session: Transaction, actor: Admin) -> Response:
    """Let an area work as the one around it does."""
    service.drop_hours(session, area)
    return Response(status_code=204)
