"""Vector tiles over HTTP, cold and warm, beside tipg on the same database and the same outlines."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from math import asinh, pi, radians, tan
from urllib.parse import quote

from sqlalchemy import make_url, text

from benchmarks.city import City
from benchmarks.table import Row
from gis.ground import COVERAGES
from gridmgr import db
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.rules import Grant, Role
from gridmgr.hierarchy import queries, service

LAYER = "micro_grid"
ZOOMS, FAR, A_ZOOM = range(12, 18), range(10, 13), 40
Tile = tuple[int, int, int]


def run(city: City) -> list[Row]:
    """Ask both servers for the same tiles one after the other, first cold, then warm; compare bytes at z10-12."""
    with db.transaction(city.engine) as session:
        edition = queries.edition_at(session)
        service.draw_tiles(session, edition)
        clerk = account_service.open_account(
            session, "bench", "bench", "x" * 12, [Grant(Role.COMMAND_CENTRE, "")]
        )
        token, _ = account_service.issue_token(session, accounts.actor_of(clerk), "bench")
        stamp = edition.stamp
    wanted = list(_tiles(city))
    ours = f"/tiles/{LAYER}/{stamp}/{{}}/{{}}/{{}}.pbf"
    theirs = (
        f"/collections/public.{LAYER}/tiles/WebMercatorQuad/{{}}/{{}}/{{}}?limit=10000&properties=code,name"
    )
    with _server("web.main:create_app", city, factory=True) as us, _server("tipg.main:app", city) as them:
        us.headers["Authorization"] = f"Bearer {token}"
        _ask(us, ours, wanted[:1])
        _ask(them, theirs, wanted[:1])
        cold, cold_tipg = _ask(us, ours, wanted), _ask(them, theirs, wanted)
        warm, warm_tipg = _ask(us, ours, wanted), _ask(them, theirs, wanted)
        far = list(_tiles(city, FAR))
        us.headers["Accept-Encoding"] = "identity"  # full detail is counted unpacked, too
        full = sum(_full_detail(city, level, far) for level in COVERAGES)
        drawn = sum(us.get(ours.replace(LAYER, level).format(*tile)) for level in COVERAGES for tile in far)
    each = len(wanted)
    return [
        Row(f"tile z12-17, cold, {each} tiles (tipg)", cold / each, cold_tipg / each, 3),
        Row("tile z12-17, warm (tipg)", warm / each, warm_tipg / each, 8),
        Row("tiles z10-12 of three levels, 1 MB counted as 1 s (full detail)", drawn / 1e6, full / 1e6, 5),
    ]


def _tiles(city: City, zooms: Sequence[int] = ZOOMS) -> Iterator[Tile]:
    west, south, east, north = city.frames["street"].total_bounds
    for z in zooms:
        left, right = (int((lon + 180) / 360 * 2**z) for lon in (west, east))
        top, bottom = (int((1 - asinh(tan(radians(lat))) / pi) / 2 * 2**z) for lat in (north, south))
        every = [(z, x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)]
        yield from every[:: max(len(every) // A_ZOOM, 1)]


def _ask(client: "Client", address: str, tiles: Sequence[Tile]) -> float:
    start = time.perf_counter()
    for tile in tiles:
        client.get(address.format(*tile))
    return time.perf_counter() - start


class Client:
    """One kept connection, as light as can be: what is timed is the server."""

    def __init__(self, port: int):
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Accept-Encoding": "gzip"}  # as every browser has it

    def get(self, path: str) -> int:
        """Ask for a path and return how many bytes came."""
        self._connection.request("GET", path, headers=self.headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise ConnectionError(f"{answer.status} {path} {content[:200]!r}")
        return len(content)


def _full_detail(city: City, level: str, tiles: Sequence[Tile]) -> int:
    """Bytes of the same tiles without simplification."""
    asked = text(
        f"SELECT length(ST_AsMVT(t, 'l', 4096, 'geom')) FROM (SELECT ST_AsMVTGeom(ST_Transform(geom, 3857), "
        f"ST_TileEnvelope(:z, :x, :y), 4096, 64) AS geom, code, name FROM {level} "
        "WHERE geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)) t"
    )
    with city.engine.connect() as connection:
        return sum(connection.scalar(asked, {"z": z, "x": x, "y": y}) for z, x, y in tiles)


@contextmanager
def _server(app: str, city: City, factory: bool = False) -> Iterator[Client]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = make_url(city.url)
    folder = quote(str(address.query["host"]), safe="")
    dsn = f"postgresql://{address.username}:{address.password}@{folder}/{address.database}"
    env = os.environ | {
        "GRIDMGR_DATABASE_URL": city.url,
        "GRIDMGR_HOME": str(city.folder / "home"),
        "DATABASE_URL": dsn,
    }
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        app,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--log-level",
        "error",
    ]
    process = subprocess.Popen(command + ["--factory"] * factory, env=env)
    try:
        _await(port)
        yield Client(port)
    finally:
        process.terminate()
        process.wait()


def _await(port: int, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"no server on port {port}")
