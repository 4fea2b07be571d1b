"""The application: middleware, errors, every router; nothing else knows them all."""

import asyncio
import secrets
from contextlib import AsyncExitStack
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridmgr.errors import Problem
from gridmgr.settings import settings
from web import errors, gate, i18n
from web.api import routers as api
from web.deps import deny_by_default, wants_stream
from web.interop import routers as interop
from web.live import Live
from web.packed import AS_IT_IS, LEAST, LEVEL
from web.pages import routers as pages
from web.pages.situation import paint
from web.situation import Situation
from web.watching import Watch

STATIC = Path(__file__).parent / "static"
OPENING = 10  # pages that begin to listen at a time
POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:{base_map}; connect-src 'self'; frame-ancestors 'self'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'"
)


class Envelope:
    """What every request and answer gets: a language, a nonce, protective headers, a limit on its size."""

    def __init__(self, app: ASGIApp):
        self.app, self.door = app, asyncio.Semaphore(OPENING)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request inside the envelope."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = Request(scope)
        chosen = request.cookies.get("lang", settings().language)
        token = i18n.language.set(chosen if chosen in i18n.LANGUAGES else settings().language)
        request.state.nonce = secrets.token_urlsafe(16)
        send = _sealed(send, request)
        if scope["method"] == "HEAD":  # whatever can be read can be asked for its headers alone
            scope, send = scope | {"method": "GET"}, _headers_alone(send)
        try:
            await self._served(Request(scope), receive, send)
        finally:
            i18n.language.reset(token)

    async def _served(self, request: Request, receive: Receive, send: Send) -> None:
        """Answer: what must not be read is refused unread, and what nobody foresaw is told as a problem."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            try:
                admitted = await gate.admitted(request, receive)
            except Problem as refusal:
                return await errors.answer(request, refusal)(request.scope, receive, watched)
            serve = self._in_turn if wants_stream(request) else self.app
            await serve(request.scope, admitted, watched)
        except Exception:
            if not started:
                await errors.unforeseen(request)(request.scope, receive, send)
            raise  # the server's log wants it

    async def _in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in those who will go on listening, few at a time until each has begun.

        When a server comes back all open pages come at once. Each takes a connection and, one after another,
        several threads: those that wait for a connection must not hold all threads that others need to end.
        """
        async with AsyncExitStack() as inside:
            await inside.enter_async_context(self.door)

            async def begun(message: Message) -> None:
                await inside.aclose()
                await send(message)

            await self.app(scope, receive, begun)


def _sealed(send: Send, request: Request) -> Send:
    base_map = " " + settings().base_map_url.split("{")[0] if settings().base_map_url else ""
    policy = POLICY.format(nonce=request.state.nonce, base_map=base_map)

    async def send_sealed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message["headers"],
                (b"content-security-policy", policy.encode()),
                (b"x-content-type-options", b"nosniff"),
                (b"referrer-policy", b"same-origin"),
                *getattr(request.state, "headers", ()),  # what the gate found
            ]
        await send(message)

    return send_sealed


def _headers_alone(send: Send) -> Send:
    """Return what ends an answer after its headers; whoever still streams then sees the caller gone."""

    async def send_start(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_start


def create_app() -> FastAPI:
    """Build the application; every route is denied unless it names who may use it."""
    app = FastAPI(
        title="gridmgr",
        version="0.1.0",
        summary="Urban grid governance: grids, incidents, figures.",
        dependencies=[Depends(deny_by_default)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.add_middleware(
        GZipMiddleware, minimum_size=LEAST, compresslevel=LEVEL, exclude_content_types=AS_IT_IS
    )
    app.add_middleware(Envelope)
    app.add_middleware(Watch)
    errors.install(app)
    for router in (*api, *interop, *pages):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return begun(app)


def begun(app: FastAPI) -> FastAPI:
    """Return an application as a server begins with it: nobody listens yet, and nothing is remembered."""
    app.state.live, app.state.situation = Live(), Situation(paint)
    app.middleware_stack = None
    return app
