"""Positions of people on duty: the caller's own, and those of the people the caller leads."""

from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from gridmgr.account.model import Role
from gridmgr.account.rules import Actor
from gridmgr.position import queries, service
from gridmgr.position.model import Position, Seen
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import Datum, Lat, Lon, Utc, text
from web.paging import Page, Paging, paged

routes = router("position")
Leader = Annotated[Actor, Depends(Allow("position.view"))]
Person = Annotated[Actor, Depends(Allow("position.share"))]


class PositionOut(BaseModel):
    """Where somebody on duty was last; it is forgotten 12 hours after it was sent."""

    username: str = Field(examples=["wang"])
    name: str = Field(examples=["王芳"])
    roles: list[Role]
    lon: float = Field(description="WGS-84.", examples=[104.0512])
    lat: float = Field(examples=[30.6904])
    accuracy_m: float | None = Field(description="As the phone tells it.")
    code: str | None = Field(description="Of the lowest area around it.", examples=["510106001001001"])
    sent_at: Utc


class PositionPage(Page[PositionOut]):
    """Last positions, by user name."""


class PlaceIn(BaseModel):
    """Where the caller is now."""

    lon: Lon = Field(examples=[104.0512])
    lat: Lat = Field(examples=[30.6904])
    datum: Datum
    accuracy_m: float | None = Field(None, ge=0, le=1e6, examples=[12.0])


class SharingIn(BaseModel):
    """Whether the caller's position may be shared while on duty."""

    shared: bool


class SharingOut(SharingIn):
    """Whether it is shared, since when, and when it was last sent."""

    since: Utc | None
    sent_at: Utc | None


@routes.get("/positions")
def list_positions(
    session: Transaction,
    actor: Leader,
    paging: Annotated[Paging[str], Depends(paged("positions", text(64)))],
    area: Annotated[text(32), Query(description="Only within these codes.")] = "",
) -> PositionPage:
    """List where the people the caller leads were last, of those on duty now who share it."""
    found = queries.page(session, actor, area, paging.fetch, paging.after or "")
    return paging.page(
        PositionPage, found, lambda each: each.account.username, lambda rows: [_out(each) for each in rows]
    )


@routes.post("/positions", responses=problems(409))
def send_position(told: PlaceIn, session: Transaction, actor: Person) -> SharingOut:
    """Send where the caller is now; only the last place is kept, and only while sharing and on duty."""
    return _sharing(service.send(session, actor, **told.model_dump()))


@routes.put("/positions/sharing")
def share_position(told: SharingIn, session: Transaction, actor: Person) -> SharingOut:
    """Switch the sharing of the caller's own position on or off; off forgets the last one at once."""
    if told.shared:
        return _sharing(service.share(session, actor))
    service.stop(session, actor)
    return _sharing(None)


def _sharing(own: Position | None) -> SharingOut:
    return SharingOut(shared=own is not None, since=own and own.since, sent_at=own and own.sent_at)


def _out(seen: Seen) -> PositionOut:
    roles = list(dict.fromkeys(Role(grant.role) for grant in seen.account.grants))
    return PositionOut(
        username=seen.account.username, name=seen.account.name, roles=roles, lon=seen.lon, lat=seen.lat,
        accuracy_m=seen.accuracy_m, code=seen.code, sent_at=seen.sent_at,
    )  # fmt: skip
