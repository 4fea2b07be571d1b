"""Whether the service can work, and what it counts: for monitors on this machine or on a list of addresses."""

import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from threading import Lock
from typing import Any

from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from gridmgr import db, store
from gridmgr.audit import queries as audit
from gridmgr.audit.model import Regular
from gridmgr.errors import Forbidden, Problem
from gridmgr.settings import settings
from web import deps, watching
from web.api.schema import problems, router
from web.deps import Open

routes = router("about", prefix="")
FRESH = 10.0  # seconds that counted figures may be old, so that a monitor cannot hurt


class NotForYou(Forbidden):
    """Only monitors on this machine, or at the addresses of GRIDMGR_METRICS_FROM, may ask this."""


async def for_monitors(request: Request) -> None:
    """Let only loopback and the addresses of the setting pass.

    Raises
    ------
    NotForYou
    """
    host = request.client.host if request.client else ""
    allowed = [ip_network(each.strip()) for each in settings().metrics_from.split(",") if each.strip()]
    try:
        address = ip_address(host)
    except ValueError:  # a test client, or a socket without an address: this very machine
        return
    if not address.is_loopback and not any(address in network for network in allowed):
        raise NotForYou


class Ready(BaseModel):
    """Each part the service stands on: `ok`, or what is wrong."""

    database: str
    schema_: str
    files: str


ASKED = [Depends(Open("a monitor has no account; it is known by its address")), Depends(for_monitors)]


@routes.get("/readyz", responses=problems(503), dependencies=ASKED)
def readyz() -> Response:
    """Say whether the database answers, its schema is the newest, and files can be stored."""
    found = {"database": "ok", "schema": "ok", "files": "ok"}
    try:
        with db.transaction(deps.engine()) as session:
            if (revision := db.revision(session)) != db.newest_revision():
                found["schema"] = f"{revision}, not {db.newest_revision()}"
    except Problem as problem:
        found["database"] = found["schema"] = str(problem)
    try:
        store.put("ready", b"ok")
    except Problem as problem:
        found["files"] = str(problem)
    sound = all(each == "ok" for each in found.values())
    return JSONResponse(found, 200 if sound else 503)


@routes.get("/metrics", dependencies=ASKED, response_class=PlainTextResponse)
def metrics() -> Response:
    """Return what is counted, as Prometheus reads it."""
    return Response(generate_latest(watching.registry), media_type=CONTENT_TYPE_LATEST)


COUNTED = {
    "gridmgr_jobs": ("Jobs of the worker by status.", "status",
        "SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY 1"),
    "gridmgr_oldest_job_seconds": ("How long the oldest job has been waiting.", None,
        "SELECT coalesce(extract(epoch FROM now() - min(e.at)), 0) FROM procrastinate_jobs j "
        "JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred' WHERE j.status = 'todo'"),
    "gridmgr_open_incidents": ("Open incidents by state.", "state",
        "SELECT state, count(*) FROM incident WHERE closed_at IS NULL GROUP BY 1"),
    "gridmgr_overdue_incidents": ("Open incidents past their due time.", None,
        "SELECT count(*) FROM incident WHERE closed_at IS NULL AND due_at < coalesce(suspended_at, now())"),
    "gridmgr_deliveries": ("Notices on their way out, by state.", "state",
        "SELECT state, count(*) FROM delivery WHERE state <> 'sent' GROUP BY 1"),
}  # fmt: skip


AGES = {
    Regular.BACKUP: "How long ago the database was last backed up; absent, if it never was.",
    Regular.SWEEP: "How long ago all rungs that were due had last been climbed.",
}


class Figures:
    """Figures that the database counts, asked at most once in some seconds."""

    def __init__(self) -> None:
        self._lock, self._at, self._found = Lock(), 0.0, []

    def describe(self) -> list:
        """Return nothing: the figures are known once they are asked for."""
        return []

    def collect(self) -> Iterator[Any]:
        """Yield the figures, counted anew if they are old; nothing, if the database is away or not ours yet."""
        with self._lock:
            if time.monotonic() - self._at > FRESH:
                try:
                    with db.transaction(deps.engine()) as session:
                        self._found = list(_counted(session))
                except (Problem, ProgrammingError):
                    self._found = []
                self._at = time.monotonic()
            yield from self._found


def _counted(session: Session) -> Iterator[Any]:
    for name, (told, label, query) in COUNTED.items():
        family = GaugeMetricFamily(name, told, labels=[label] if label else [])
        for row in session.execute(text(query)):
            family.add_metric([str(row[0])] if label else [], float(row[-1]))
        yield family
    unserved = GaugeMetricFamily("gridmgr_overdue_unserved", "Clocks whose rung is due and nobody climbs.")
    unserved.add_metric([], float(audit.count_overdue(session)))
    yield unserved
    for what, seconds in audit.ages(session).items():
        age = GaugeMetricFamily(f"gridmgr_{what}_age_seconds", AGES[what])
        age.add_metric([], seconds)
        yield age
    pool = GaugeMetricFamily("gridmgr_pool_in_use", "Connections of this server in use.")
    pool.add_metric([], float(deps.engine().pool.checkedout()))
    yield pool


watching.registry.register(Figures())
