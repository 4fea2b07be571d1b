"""Requests that may be sent again: under one Idempotency-Key the work is done once and answered every time.

The key is claimed in the request's own transaction and the answer is kept in it, so both stand or fall
with the work. Twins in one process wait in a queue that costs neither a thread nor a connection; twins in
other processes wait on the unique index.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Annotated, TypeVar
from weakref import WeakValueDictionary

from fastapi import Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from gridmgr.answered import service
from gridmgr.answered.model import Answered
from web.deps import SAFE, CurrentActor, Transaction, permission, proof

T = TypeVar("T", bound=Callable)
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = ("content-type", "location", "etag")  # of the headers of an answer
Key = Annotated[
    str | None,
    Header(
        alias=HEADER,
        min_length=1,
        max_length=64,
        pattern=r"^[!-~]+$",
        description="A name of your own for this request. Sent again with the same key within 48 hours, it is "
        "answered as the first time (`Idempotency-Replayed: true`) and not done again; with other content "
        "it is refused (422). A request that failed may be repeated with its key. Of answers over 256 kB "
        "only status and headers are repeated.",
        examples=["0198c2f4-9d1e-7a53-8f0e-2b6c1d4e5f60"],
    ),
]

_queues: WeakValueDictionary[tuple, asyncio.Lock] = WeakValueDictionary()


class Replay(Exception):
    """The request was answered before: the work is not begun."""

    def __init__(self, given: Answered):
        self.given = given

    def response(self) -> Response:
        """Return the answer given then."""
        headers = self.given.headers | {REPLAYED: "true"}
        return Response(self.given.body or b"", self.given.status, headers)


def queue(request: Request) -> AbstractAsyncContextManager:
    """Return the queue of this caller's requests with this key."""
    key = request.headers.get(HEADER)
    if key is None or request.method in SAFE:
        return nullcontext()
    return _queues.setdefault((asyncio.get_running_loop(), proof(request), key), asyncio.Lock())


async def fingerprint(request: Request, key: Key = None) -> bytes:
    """Return what tells this request from others with the same key: a digest of its query and its content."""
    if key is None:
        return b""
    seen = hashlib.sha256()
    _add(seen, request.scope["query_string"])
    if "form" in request.headers.get("content-type", ""):
        for name, value in (await request.form()).multi_items():
            if name != "csrf":  # belongs to the session, not to what is asked
                _add(seen, name.encode(errors="replace"))
                _add(seen, await _content(value))
    else:
        _add(seen, await request.body())
    return seen.digest()


def _add(seen: "hashlib._Hash", part: bytes) -> None:
    seen.update(len(part).to_bytes(8, "big") + part)


async def _content(value: str | UploadFile) -> bytes:
    """Return a form's value, or a file's name and digest: its boundary differs each time it is sent."""
    if isinstance(value, str):
        return value.encode(errors="replace")
    digest = await run_in_threadpool(hashlib.file_digest, value.file, "sha256")
    await value.seek(0)
    return (value.filename or "").encode(errors="replace") + b"\0" + digest.digest()


async def once(
    request: Request,
    session: Transaction,
    actor: CurrentActor,
    printed: Annotated[bytes, Depends(fingerprint)],
    key: Key = None,
) -> None:
    """Claim the key of this request, if it has one, for a caller who may do what is asked.

    Raises
    ------
    Replay
        It was answered before.
    KeyReused, OtherBody, StillAnswering
    """
    if key is None:
        return
    permission(request.scope["route"]).checked(actor)
    asked = f"{request.method} {request.scope['path']}"
    row = await run_in_threadpool(service.claim, session, actor, key, asked, printed)
    if row.status is not None:
        raise Replay(row)
    request.state.claimed = (session, row)


def claimed(request: Request) -> bool:
    """Tell whether this request has claimed a key."""
    return hasattr(request.state, "claimed")


def keep(request: Request, response: Response) -> None:
    """Keep the answer to a request that has claimed a key; a refusal gives the key back."""
    session, row = request.state.claimed
    if response.status_code >= 400:
        return service.release(session, row)
    headers = {name: response.headers[name] for name in KEPT if name in response.headers}
    service.keep(session, row, response.status_code, headers, getattr(response, "body", None))


def keyless(why: str) -> Callable[[T], T]:
    """Mark a writing route that takes no keys, and say why; a key that comes with it is ignored."""

    def marked(endpoint: T) -> T:
        endpoint.keyless = why
        return endpoint

    return marked


def takes_key(endpoint: Callable, methods: Iterable[str]) -> bool:
    """Tell whether a route takes keys: every one that writes, unless it is marked."""
    return not set(methods) <= SAFE and not hasattr(endpoint, "keyless")
