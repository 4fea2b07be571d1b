"""The gate: how often, how large and from whom a request may be, before any of its content is read."""

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.types import Message, Receive

from gridmgr import db
from gridmgr.errors import BadInput, Problem, Unauthenticated
from gridmgr.importing.model import TooLarge
from gridmgr.settings import settings
from web import deps, rates
from web.deps import SAFE, proof
from web.rates import Kind, TooFast

MB = 1024 * 1024
ANYBODY = 64 * 1024  # bytes anybody may send: a login, a request for a token
DOCUMENT = 4 * MB  # what is no upload is read into memory whole


class NulInAddress(BadInput):
    """The address holds a NUL character, which no text here may hold."""


class BodyTooLarge(TooLarge):
    """The content is larger than {limit} MB."""


class AmbiguousLength(BadInput):
    """The request says in two ways where it ends; what follows could be taken for another request."""


async def admitted(request: Request, receive: Receive) -> Receive:
    """Return what the content may be read from, as far as it is accepted.

    Raises
    ------
    NulInAddress, AmbiguousLength, TooFast, TooLarge, Unauthenticated
    """
    if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise NulInAddress
    if "transfer-encoding" in request.headers and "content-length" in request.headers:
        raise AmbiguousLength
    _count(request)
    announced = _announced(request)
    most = _most(request)
    if announced is not None and announced > most:
        raise _too_large(request, most)
    if announced is None or announced > ANYBODY:
        if proof(request) is not None:
            await run_in_threadpool(_prove, request)
        elif announced is None:
            return _limited(receive, ANYBODY, Unauthenticated())
        else:
            raise Unauthenticated
    return _limited(receive, most, _too_large(request, most))


def _count(request: Request) -> None:
    """Count the request by its caller, and note what its answer says of that."""
    api = request.scope["path"].startswith("/api/")
    if request.method not in SAFE:
        kind = Kind.UPLOAD if _is_upload(request) else Kind.WRITE
    elif api:
        kind = Kind.READ
    else:
        return
    standing = rates.spend(kind, rates.caller(request, proof(request)))
    if standing is None:
        return
    if api:
        request.state.headers = list(standing.headers())
    if standing.refused:
        raise TooFast(limit=standing.limit, kind=kind.value, seconds=standing.reset)


def _is_upload(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/")


def _announced(request: Request) -> int | None:
    """Return how many bytes are announced; None if they come until they end."""
    if "transfer-encoding" in request.headers:
        return None
    announced = request.headers.get("content-length", "0")
    return int(announced[:16]) if announced.isdecimal() else 0


def _most(request: Request) -> int:
    allowed = settings().upload_limit_mb * MB
    return allowed if _is_upload(request) else min(allowed, DOCUMENT)


def _too_large(request: Request, most: int) -> TooLarge:
    return (TooLarge if _is_upload(request) else BodyTooLarge)(limit=most // MB)


def _prove(request: Request) -> None:
    """Return if whoever sends that much is known; raises Unauthenticated before any of it is read."""
    with db.transaction(deps.engine()) as session:
        deps.prover(request, session)


def _limited(receive: Receive, most: int, beyond: Problem) -> Receive:
    left = most

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise beyond
        return message

    return counted
