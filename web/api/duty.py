"""Duty: who is on duty for a unit now and next, rosters, and leave."""

from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import Depends, File, Form, Query, Response, UploadFile
from pydantic import AwareDatetime, BaseModel, Field

from gridmgr import clock, db, sheet
from gridmgr.account.model import Account, Role
from gridmgr.account.rules import Actor, require
from gridmgr.duty import queries, rules, service
from gridmgr.duty.model import Leave
from gridmgr.hierarchy import queries as hierarchy
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import Code, RowId, Utc, text
from web.paging import Page, Paging, paged

routes = router("duty")
Viewer = Annotated[Actor, Depends(Allow("duty.view"))]
Leader = Annotated[Actor, Depends(Allow("duty.manage"))]
Area = Annotated[text(32), Query(description="Code prefix; empty for all the caller may see.")]
WEEK = timedelta(days=7)


class SeatOut(BaseModel):
    """A role on an area."""

    role: Role
    area: str = Field(description="Code prefix of the seat.", examples=["510106001001001"])


class DutyOut(SeatOut):
    """Somebody at a seat of the unit; without a roster it is always, and nothing begins or ends."""

    name: str = Field(examples=["王芳"])
    body: str | None = Field(description="The department worked for.")
    away: bool
    cover: str | None = Field(description="Who sits there instead of whoever is away.")
    substitute: bool = Field(description="Sits only while no main does.")
    begins: Utc | None
    ends: Utc | None


class OnDuty(BaseModel):
    """Who is on duty for a unit, the nearest seats first, and who is next at each of them."""

    now: list[DutyOut]
    next: list[DutyOut]


class ShiftOut(SeatOut):
    """One turn of duty."""

    id: int
    username: str = Field(examples=["wang"])
    name: str = Field(examples=["王芳"])
    substitute: bool
    begins: Utc
    ends: Utc


class ShiftPage(Page[ShiftOut]):
    """Turns of duty in the order they were brought."""


class GapOut(SeatOut):
    """A stretch of time in which nobody sits at a seat, the first of as many at the same hours of the day."""

    begins: Utc
    ends: Utc
    times: int = Field(examples=[6])
    until: Utc = Field(description="When the last of them ends.")


class BroughtOut(BaseModel):
    """What a roster comes to, or would come to."""

    turns: int
    replaced: int
    written: bool
    gaps: list[GapOut]


class LeaveIn(BaseModel):
    """Somebody is away, and who covers meanwhile."""

    username: text(64, 1) = Field(examples=["wang"])
    begins: AwareDatetime
    ends: AwareDatetime
    cover: text(64) = Field("", description="A user name; nobody covers if empty.", examples=["li"])
    reason: text(100) = Field("", examples=["年休"])


class LeaveOut(BaseModel):
    """A leave as it is kept."""

    id: int
    username: str = Field(examples=["wang"])
    name: str = Field(examples=["王芳"])
    cover: str | None = Field(examples=["li"])
    begins: Utc
    ends: Utc
    reason: str = Field(examples=["年休"])


class LeavePage(Page[LeaveOut]):
    """Leave that has not ended, by its beginning."""


@routes.get("/duty")
def show_duty(
    session: Transaction,
    actor: Viewer,
    area: Annotated[Code, Query(description="Code of a unit.", examples=["510106001001001"])],
    at: Annotated[AwareDatetime | None, Query(description="When; now if not given.")] = None,
) -> OnDuty:
    """Show who is on duty for a unit at an instant, at all its levels, and who is next."""
    require(actor, "duty.view", area)
    found = queries.on_duty(session, area, at)
    shown = [(each.now, DutyOut(area=each.code, **each._asdict())) for each in found]
    return OnDuty(now=[one for now, one in shown if now], next=[one for now, one in shown if not now])


@routes.get("/duty/shifts")
def list_shifts(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("shifts", RowId))],
    area: Area = "",
    since: Annotated[AwareDatetime | None, Query(description="From when; now if not given.")] = None,
    until: Annotated[
        AwareDatetime | None, Query(description="Until when; a week later if not given.")
    ] = None,
) -> ShiftPage:
    """List the turns of duty that reach into a stretch of time, at the seats the caller may see."""
    begin = since or clock.now()
    found = queries.listing(
        session, actor, begin, until or begin + WEEK, area, paging.fetch, paging.after or 0
    )
    return paging.page(ShiftPage, found, lambda row: row[0].id, lambda rows: [_shift(*row) for row in rows])


def _shift(shift, username: str, name: str) -> ShiftOut:
    return ShiftOut(
        id=shift.id, username=username, name=name, role=shift.role, area=shift.code, substitute=shift.substitute,
        begins=shift.begins, ends=shift.ends,
    )  # fmt: skip


@routes.post("/duty/shifts", responses=problems(413))
def import_shifts(
    file: Annotated[UploadFile, File()],
    session: Transaction,
    actor: Leader,
    dry_run: Annotated[bool, Form()] = False,
) -> BroughtOut:
    """Take a roster (CSV or XLSX), all or nothing: at each seat it names it replaces the turns from first to last.

    Gaps it leaves are told, not refused. With `dry_run` nothing is written.
    """
    read = sheet.read(file.file.read(), file.filename or "", rules.SHIFTS)
    with db.rehearsed(session, keep=not dry_run):
        found = service.import_shifts(session, actor, read, partial(hierarchy.without_units, session))
    gaps = [
        GapOut(
            role=each.first.role, area=each.first.code, begins=each.first.begins, ends=each.first.ends,
            times=len(each.holes), until=each.holes[-1].ends,
        )
        for each in found.gaps
    ]  # fmt: skip
    return BroughtOut(turns=len(found.turns), replaced=found.replaced, written=not dry_run, gaps=gaps)


@routes.get("/duty/leave")
def list_leave(
    session: Transaction,
    actor: Leader,
    paging: Annotated[Paging[int], Depends(paged("leave", RowId))],
) -> LeavePage:
    """List the leave that has not ended, of people in the caller's areas."""
    found = paging.behind(queries.leaves(session, actor, clock.now()), lambda row: row[0].id)
    return paging.page(LeavePage, found, lambda row: row[0].id, lambda rows: [_leave(*row) for row in rows])


@routes.post("/duty/leave", status_code=201, responses=problems(404, 409))
def grant_leave(told: LeaveIn, session: Transaction, actor: Leader) -> LeaveOut:
    """Let somebody be away; whoever covers sits at all the seats of that person meanwhile."""
    found = service.grant_leave(
        session, actor, told.username, told.begins, told.ends, told.cover, told.reason
    )
    cover = session.get_one(Account, found.cover_id) if found.cover_id else None
    return _leave(found, session.get_one(Account, found.account_id), cover)


@routes.delete("/duty/leave/{leave_id}", status_code=204, responses=problems(404))
def end_leave(leave_id: RowId, session: Transaction, actor: Leader) -> Response:
    """Take leave back that has not begun, or let it end now."""
    service.end_leave(session, actor, leave_id)
    return Response(status_code=204)


def _leave(found: Leave, person: Account, cover: Account | None) -> LeaveOut:
    return LeaveOut(
        id=found.id, username=person.username, name=person.name, cover=cover.username if cover else None,
        begins=found.begins, ends=found.ends, reason=found.reason,
    )  # fmt: skip
