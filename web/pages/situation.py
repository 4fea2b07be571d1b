"""The stream of a live map: what changes on it, as server-sent events."""

import random
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

import web.pages.colouring as colouring
from gridmgr.account import service as accounts
from gridmgr.account.rules import Actor
from gridmgr.hierarchy.model import COVERAGES
from gridmgr.situation.rules import mark_of
from web import deps, i18n
from web.api.search import query
from web.deps import Allow
from web.pages.command import Coded
from web.render import environment
from web.situation import View

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
RETRY_MS = (1000, 4000)  # screens come back at different moments, not all at once


@router.get("/situation/stream", response_class=StreamingResponse)
async def stream(
    request: Request, actor: Viewer, search: Coded, level: str = "micro_grid", colour: str = "none",
    after: str = "",
) -> StreamingResponse:  # fmt: skip
    """Send what changes on a map with these filters and colours; of one that was away, what it has missed."""
    listening = deps.wants_stream(request)
    request.state.endless = listening  # the server does not wait for its end when it stops
    _how, secret = deps.proof(request)
    view = View(
        search, level if level in COVERAGES else "micro_grid", colour if colour in colouring.KINDS else "none",
        i18n.language.get(),
    )  # fmt: skip
    behind = mark_of(request.headers.get("last-event-id", after))
    told = request.app.state.situation.follow(actor, accounts.digest(secret), view, behind)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(_sent(told, listening), media_type="text/event-stream", headers=headers)


async def _sent(told: AsyncIterator[bytes], listening: bool) -> AsyncIterator[bytes]:
    """Pass on what is told; to whoever does not go on listening, until it has begun."""
    yield b"retry: %d\n\n" % random.randint(*RETRY_MS)
    try:
        async for message in told:
            yield message
            if not listening and message.startswith(b"event: hello"):
                return
    finally:
        await told.aclose()


def paint(session: Session, eyes: Actor, view: View) -> dict | None:
    """Return the units' colours as a screen takes them, and their legend in its language; None without colours."""
    if colouring.KINDS.get(view.colour) is None:
        return None
    token = i18n.language.set(view.language)
    try:
        found = colouring.KINDS[view.colour](session, eyes, view.level, view.search)
        values = {"level": view.level, "search": view.search, "query": query(view.search), "live": True}
        legend = environment.get_template("fragments/colouring.html").render(values | found)
    finally:
        i18n.language.reset(token)
    return {"level": view.level, "values": found["values"], "palette": found["palette"], "legend": legend}
