"""Task forces: raised, joined, prolonged, given cases, disbanded; the record stays."""

from datetime import date
from functools import partial
from typing import Annotated

from fastapi import Depends, Path, Query, Response
from pydantic import BaseModel, Field

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.organisation.model import Body
from gridmgr.task_force import queries, rules, service
from gridmgr.task_force.model import Deed, Raised, Standing, TaskForce
from web import i18n
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import Day, Lat, Lon, RowId, Utc, text
from web.paging import Page, Paging, paged

routes = router("task_force")
Viewer = Annotated[Actor, Depends(Allow("task_force.view"))]
Keeper = Annotated[Actor, Depends(Allow("task_force.manage"))]
ForceId = Annotated[RowId, Path(description="Id of the task force.")]
Username = text(64, 1)


class ForceOut(BaseModel):
    """A task force; cases are dispatched to it by its name."""

    id: int
    name: str = Field(examples=["道路建设专班"])
    purpose: str = Field(examples=["推进西安路改造"])
    area: str = Field(examples=["510106001"])
    place: str = Field(examples=["西安中路 12 号联合值守点"])
    lon: float | None
    lat: float | None
    ends_on: date
    standing: Standing
    raised_at: Utc
    raised_by: str = Field(examples=["周涛"])
    disbanded_at: Utc | None = Field(examples=[None])
    handed_to: str | None = Field(description="Who got its open cases.", examples=[None])
    handed: int | None = Field(description="How many these were.", examples=[None])
    open_cases: int


class ForcePage(Page[ForceOut]):
    """Task forces, the newest first."""


class MemberOut(BaseModel):
    """Who is a member, or was."""

    username: str = Field(examples=["wang"])
    name: str = Field(examples=["王芳"])
    body: str | None = Field(examples=["环卫所"])
    lead: bool
    since: Utc
    until: Utc | None = Field(examples=[None])


class ForceDeedOut(BaseModel):
    """One thing done to a task force."""

    deed: Deed
    actor: str
    at: Utc
    note: str = Field(examples=["王芳"])


class WholeForceOut(ForceOut):
    """A task force with its members and its record."""

    members: list[MemberOut]
    deeds: list[ForceDeedOut]
    finished: int = Field(description="Cases finished while it was at work on them.")


class ForceIn(BaseModel):
    """What is to be raised."""

    name: text(100, 1) = Field(examples=["道路建设专班"])
    purpose: text(500, 1) = Field(examples=["推进西安路改造"])
    area: text(32) = Field(examples=["510106001"])
    ends_on: Day = Field(examples=["2026-12-31"])
    members: list[Username] = Field(max_length=200, examples=[["wang", "li"]])
    lead: text(64) = Field(examples=["wang"])
    place: text(200) = Field("", examples=["西安中路 12 号联合值守点"])
    lon: Lon | None = None
    lat: Lat | None = None


class MemberIn(BaseModel):
    """Somebody by user name."""

    username: Username = Field(examples=["wang"])


class EndIn(BaseModel):
    """Another last day."""

    ends_on: Day = Field(examples=["2026-12-31"])


class CasesIn(BaseModel):
    """Cases to be put under a task force."""

    numbers: list[text(32, 1)] = Field(min_length=1, max_length=200, examples=[["202601150000042"]])
    note: text(500) = ""


class PutOut(BaseModel):
    """What became of a case."""

    number: str
    refused: str | None = Field(description="Why it was not put under it; null if it was.", examples=[None])


class PutsOut(BaseModel):
    """What became of each case."""

    cases: list[PutOut]


class DisbandIn(BaseModel):
    """Who is to have the open cases: a body, or a unit whose people work on; needed if there are any."""

    owner: text(100) = Field("", description="Name of a body.", examples=["市政管理所"])
    unit: text(32) = Field("", description="Code of a unit, instead of a body.", examples=[""])
    note: text(500) = Field("", examples=["道路已通车"])


@routes.get("/task-forces")
def list_forces(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("task_forces", RowId))],
    standing: Standing | None = None,
    area: Annotated[text(32), Query(description="Code prefix.")] = "",
) -> ForcePage:
    """List the task forces of the caller's areas, and those the caller is a member of."""
    found = queries.page(session, actor, queries.Search(standing, area), paging.fetch, paging.after)
    return paging.page(ForcePage, found, lambda row: row[0].id, lambda rows: _outs(session, rows))


def _outs(session: Transaction, rows) -> list[ForceOut]:
    waiting = queries.open_cases(session, [body.name for _, body in rows])
    return [ForceOut(**_values(force, body, waiting.get(body.name, 0))) for force, body in rows]


def _values(force: TaskForce, body: Body, waiting: int) -> dict:
    same = {name: getattr(force, name) for name in ForceOut.model_fields if hasattr(force, name)}
    more = {"name": body.name, "open_cases": waiting, "standing": rules.standing(force, clock.today())}
    return same | more


def _whole(session: Transaction, actor: Actor, force_id: int) -> WholeForceOut:
    force, body = queries.force(session, actor, force_id)
    waiting = queries.open_cases(session, [body.name]).get(body.name, 0)
    members = [
        MemberOut(
            username=account.username, name=account.name, body=account.body, lead=each.lead, since=each.since,
            until=each.until,
        )
        for each, account in queries.members(session, [force.id], past=True)[force.id]
    ]  # fmt: skip
    deeds = [
        ForceDeedOut(deed=each.deed, actor=each.actor_name, at=each.at, note=each.note)
        for each in queries.deeds(session, force.id)
    ]
    finished = queries.finished(session, body.name)
    return WholeForceOut(**_values(force, body, waiting), members=members, deeds=deeds, finished=finished)


@routes.post("/task-forces", status_code=201, responses=problems(404, 409))
def raise_force(told: ForceIn, session: Transaction, actor: Keeper) -> WholeForceOut:
    """Raise a task force; its members see its cases and work on them, wherever they usually work."""
    wanted = Raised(**told.model_dump() | {"members": tuple(told.members)})
    force = service.raise_force(session, actor, wanted, partial(hierarchy.without_units, session))
    return _whole(session, actor, force.id)


@routes.get("/task-forces/{force_id}", responses=problems(404))
def show_force(force_id: ForceId, session: Transaction, actor: Viewer) -> WholeForceOut:
    """Show a task force with its members and its record."""
    return _whole(session, actor, force_id)


@routes.post("/task-forces/{force_id}/members", responses=problems(404, 409))
def join_force(force_id: ForceId, told: MemberIn, session: Transaction, actor: Viewer) -> WholeForceOut:
    """Let somebody be a member; its lead may say so, too."""
    service.join(session, actor, force_id, told.username)
    return _whole(session, actor, force_id)


@routes.delete("/task-forces/{force_id}/members/{username}", status_code=204, responses=problems(404, 409))
def leave_force(
    force_id: ForceId, username: Annotated[Username, Path()], session: Transaction, actor: Viewer
) -> Response:
    """Let a member leave; the lead only once another one leads."""
    service.leave(session, actor, force_id, username)
    return Response(status_code=204)


@routes.post("/task-forces/{force_id}/lead", responses=problems(404, 409))
def lead_force(force_id: ForceId, told: MemberIn, session: Transaction, actor: Viewer) -> WholeForceOut:
    """Let another member lead."""
    service.set_lead(session, actor, force_id, told.username)
    return _whole(session, actor, force_id)


@routes.post("/task-forces/{force_id}/end", responses=problems(404, 409))
def prolong_force(force_id: ForceId, told: EndIn, session: Transaction, actor: Viewer) -> WholeForceOut:
    """Give a task force another last day."""
    service.prolong(session, actor, force_id, told.ends_on)
    return _whole(session, actor, force_id)


@routes.post("/task-forces/{force_id}/cases", responses=problems(404, 409))
def put_cases(
    force_id: ForceId,
    told: CasesIn,
    session: Transaction,
    actor: Annotated[Actor, Depends(Allow("incident.dispatch"))],
) -> PutsOut:
    """Put cases under a task force: each is dispatched or redirected to it, or is refused with a reason."""
    found = service.put(session, actor, force_id, told.numbers, told.note)
    rows = [PutOut(number=number, refused=i18n.say(why) if why else None) for number, why in found]
    return PutsOut(cases=rows)


@routes.post("/task-forces/{force_id}/disband", responses=problems(404, 409))
def disband_force(force_id: ForceId, told: DisbandIn, session: Transaction, actor: Keeper) -> WholeForceOut:
    """Disband a task force; its open cases go to a named owner in the same moment, and its record stays."""
    service.disband(session, actor, force_id, told.owner, told.unit, told.note)
    return _whole(session, actor, force_id)
