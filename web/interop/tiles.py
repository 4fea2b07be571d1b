"""Mapbox vector tiles of the four levels, each caller's own: what lies outside the scope is not in them.

A tile never changes: its address carries the stamp of the map's state, and its ETag the scope too. So a
browser keeps it for a year, this process keeps the ones in use, and a warm answer needs no database and
no thread; that is why these two functions alone are asynchronous.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from gis.tiles import MAX_ZOOM, MIN_ZOOM
from gridmgr import db
from gridmgr.account.rules import Actor
from gridmgr.errors import NotFound, Unavailable
from gridmgr.hierarchy import queries
from gridmgr.hierarchy.model import LEVELS, UnknownEdition
from web import deps
from web.api.schema import file, problems, router
from web.deps import COOKIE, Allow, known_actor
from web.packed import answer, packed
from web.remembered import Remembered

MEDIA = "application/vnd.mapbox-vector-tile"
STAMP = re.compile(r"[0-9]{1,9}\.[0-9a-f]{1,16}")  # it goes into a header: nothing else may
CALLER_SECONDS = 20  # a closed account or a changed grant may still see tiles for so long
OVERHEAD = 500  # bytes a held tile costs beside its content

tiles: Remembered[bytes] = Remembered(64 * 1024 * 1024, lambda tile: len(tile) + OVERHEAD)
callers: Remembered[Actor] = Remembered(1000, seconds=CALLER_SECONDS)
routes = router("tiles", prefix="/tiles")


class UnknownTile(NotFound):
    """There is no tile {z}/{x}/{y} of a level {level}."""


class NotDrawnYet(Unavailable):
    """This state of the map is still being drawn; try again in a moment."""


@dataclass(frozen=True)
class AllowCaller(Allow):
    """As `Allow`, but who a cookie or token belongs to is asked of the database once in 20 seconds.

    Only for tiles: a screen asks for dozens at once, they only read, and they change nothing.
    """

    async def __call__(self, request: Request) -> Actor:
        proof = (request.headers.get("authorization"), request.cookies.get(COOKIE))
        actor = callers.get(proof)
        if actor is None:
            actor = await run_in_threadpool(_caller, request)
            callers.put(proof, actor)
        request.state.actor = actor
        return self.checked(actor)


@routes.get(
    "/{level}/{stamp}/{z}/{x}/{y}.pbf",
    response_class=Response,
    responses=file(MEDIA, "The tile; empty where there is nothing to draw.")
    | {304: {"description": "The caller has it already."}}
    | problems(404),
)
async def show_tile(
    level: Annotated[str, Path(description="One of: " + ", ".join(LEVELS))],
    stamp: Annotated[str, Path(description="Of GET /api/editions.")],
    z: int,
    x: int,
    y: int,
    request: Request,
    actor: Annotated[Actor, Depends(AllowCaller("grid.view"))],
) -> Response:
    """Return one tile of a level; its features carry `code` and `name`."""
    if level not in LEVELS or not (0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise UnknownTile(level=level[:32], z=z, x=x, y=y)
    if not STAMP.fullmatch(stamp):
        raise UnknownEdition(edition=stamp[:32])
    etag = f'"{stamp}-{_scope_hash(actor.scope)}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, max-age=31536000, immutable",
        "Vary": "Cookie, Authorization, Accept-Encoding",  # two people at one browser do not see each other's tiles
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    key = (actor.scope, level, stamp, z, x, y)
    tile = tiles.get(key)
    if tile is None:
        tile = await run_in_threadpool(_drawn, *key)
        tiles.put(key, tile)
    return answer(request, tile, MEDIA, headers)


def _caller(request: Request) -> Actor:
    with db.transaction(deps.engine()) as session:
        return known_actor(request, session, "")


def _drawn(scope: tuple[str, ...], level: str, stamp: str, z: int, x: int, y: int) -> bytes:
    with db.transaction(deps.engine()) as session:
        queries.edition_by_stamp(session, stamp)
        tile = queries.tile(session, scope, level, stamp, z, x, y)
        if not tile and z >= MIN_ZOOM[level] and not queries.has_tiles(session, stamp):
            raise NotDrawnYet
    return packed(tile)


def _scope_hash(scope: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(scope).encode()).hexdigest()[:16]
