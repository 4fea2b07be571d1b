"""What leaves the house: webhooks, and the log of what was delivered by mail or to them."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from fastapi import Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.delivery import service as deliveries
from gridmgr.notice import queries, service
from gridmgr.notice.model import Delivery, Flavour, Kind, Progress, Way, Webhook
from gridmgr.notice.queries import Log
from web.api.headers import made
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import BigRowId, RowId, Utc, text
from web.paging import Page, Paging, paged

routes = router("delivery")
Manager = Annotated[Actor, Depends(Allow("notice.manage"))]


class WebhookIn(BaseModel):
    """A system that subscribes to facts of the district."""

    url: text(500, 1) = Field(
        description="http or https, of an intranet too; without name and password.",
        examples=["https://bus.intranet.example/gridmgr"],
    )
    kinds: list[Kind] = Field([], max_length=50, description="Which facts; none means all.")
    flavour: Flavour = Field(Flavour.JSON, description="A system of its own, or the robot of a group.")
    name: text(100) = ""
    area: text(32) = Field("", description="Of a robot: only cases of this unit.")
    body: text(100) = Field("", description="Of a robot: only cases this body works on.")
    secret: text(64) = Field("", description="Of DingTalk's robots: what signs; it is never shown again.")


class WebhookOut(BaseModel):
    """A subscription."""

    id: int = Field(examples=[3])
    url: str = Field(description="Of robots without their key.")
    flavour: Flavour
    name: str
    area: str
    body: str
    kinds: list[Kind]
    active: bool
    created_at: Utc


class WebhookPage(Page[WebhookOut]):
    """Webhooks, the oldest first."""


class NewWebhook(WebhookOut):
    """A new subscription with the secret that signs what it gets; it is shown this once."""

    secret: str = Field(examples=["whsec_Yk3…"])


class WebhookChange(BaseModel):
    """A paused webhook keeps what waits for it and gets nothing new."""

    active: bool


class DeliveryOut(BaseModel):
    """One thing on its way out, and how far it has come."""

    id: int = Field(examples=[77])
    way: Way
    webhook_id: int | None
    kind: Kind
    address: str
    state: Progress
    held: bool = Field(description="Until the quiet hours of its person end.")
    merged_into: int | None = Field(description="The delivery it goes together with.")
    attempts: int
    next_at: Utc = Field(description="When it is tried next, unless it is sent or given up.")
    last_error: str | None = Field(examples=["HTTP 500"])
    created_at: Utc
    sent_at: Utc | None


class DeliveryPage(Page[DeliveryOut]):
    """Deliveries, the newest first."""


class ReplayIn(BaseModel):
    """Which of the deliveries that were given up begin again; with neither, all of them."""

    way: Way | None = None
    webhook_id: RowId | None = None


class Replayed(BaseModel):
    """How many begin again."""

    replayed: int


@routes.get("/webhooks")
def list_webhooks(
    session: Transaction,
    actor: Manager,
    paging: Annotated[Paging[int], Depends(paged("webhooks", RowId))],
) -> WebhookPage:
    """List the systems that subscribed to facts of the district."""
    rows = paging.behind(queries.webhooks(session), lambda hook: hook.id)
    return paging.page(WebhookPage, rows, lambda hook: hook.id, lambda found: map(_hook, found))


@routes.post(
    "/webhooks",
    status_code=201,
    responses=made("webhook_id", "id", "changeWebhook", "tryWebhook", "removeWebhook", located=False),
)
def add_webhook(wanted: WebhookIn, session: Transaction, actor: Manager) -> NewWebhook:
    """Subscribe a system; the answer holds the secret by which it can tell our facts from others'."""
    hook = service.add_webhook(session, **wanted.model_dump())
    return NewWebhook(**_hook(hook).model_dump(), secret=hook.secret if hook.flavour == Flavour.JSON else "")


@routes.put("/webhooks/{webhook_id}", responses=problems(404))
def change_webhook(
    webhook_id: RowId, change: WebhookChange, session: Transaction, actor: Manager
) -> WebhookOut:
    """Pause a webhook, or let it go on."""
    return _hook(service.set_webhook_active(session, webhook_id, change.active))


@routes.delete("/webhooks/{webhook_id}", status_code=204)
def remove_webhook(webhook_id: RowId, session: Transaction, actor: Manager) -> Response:
    """Remove a webhook with the log of its deliveries; one that is gone already is no fault."""
    service.remove_webhook(session, webhook_id)
    return Response(status_code=204)


@routes.post("/webhooks/{webhook_id}/test", status_code=202, responses=problems(404))
def try_webhook(webhook_id: RowId, session: Transaction, actor: Manager) -> DeliveryOut:
    """Send a webhook a fact of the kind `test`; the worker delivers it within seconds."""
    (out,) = _outs(session, [service.try_webhook(session, webhook_id)])
    return out


@routes.get("/deliveries")
def list_deliveries(
    session: Transaction,
    actor: Manager,
    paging: Annotated[Paging[int], Depends(paged("deliveries", BigRowId))],
    state: Progress | None = None,
    way: Way | None = None,
    webhook_id: Annotated[RowId | None, Query()] = None,
) -> DeliveryPage:
    """List what left the house, or is to, the newest first."""
    found = queries.log(session, Log(state, way, webhook_id), paging.fetch, paging.after)
    return paging.page(DeliveryPage, found, lambda row: row.id, lambda rows: _outs(session, rows))


@routes.post("/deliveries/replay")
def replay_deliveries(which: ReplayIn, session: Transaction, actor: Manager) -> Replayed:
    """Let the deliveries that were given up begin again."""
    return Replayed(replayed=deliveries.replay(session, Log(way=which.way, webhook_id=which.webhook_id)))


@routes.post("/deliveries/{delivery_id}/replay", responses=problems(404))
def replay_delivery(delivery_id: BigRowId, session: Transaction, actor: Manager) -> Replayed:
    """Try one delivery at once that has failed or was given up; any other one is left as it is."""
    return Replayed(replayed=deliveries.replay(session, Log(), delivery_id))


def _hook(hook: Webhook) -> WebhookOut:
    told = {name: getattr(hook, name) for name in WebhookOut.model_fields}
    return WebhookOut(**told | {"url": hook.shown})  # a robot's address holds its key


def _outs(session: Session, found: Sequence[Delivery]) -> Iterable[DeliveryOut]:
    kinds = queries.kinds_of(session, found)
    for row in found:
        same = {name: getattr(row, name) for name in DeliveryOut.model_fields if name != "kind"}
        yield DeliveryOut(**same, kind=kinds[row.id])
