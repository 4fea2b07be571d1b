"""Every request leaves a trace: an id, a line in the log, and its part in the metrics."""

import logging
import re
import secrets
import time

import structlog
from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("gridmgr.requests")
SANE = re.compile(r"[A-Za-z0-9._:-]{1,64}")

registry = CollectorRegistry()
requests = Counter(
    "gridmgr_requests_total", "Requests answered.", ["method", "route", "status"], registry=registry
)
latency = Histogram(
    "gridmgr_request_seconds", "How long answers took.", ["method", "route"], registry=registry,
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)  # fmt: skip
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})  # asked every few seconds; the log need not say so


class Watch:
    """The outermost layer: it gives each request its id and notes how it was answered."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and note it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        given = Request(scope).headers.get("x-request-id", "")
        request_id = given if SANE.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        status, began = 499, time.perf_counter()  # 499: hung up before there was an answer

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, noted)
            except Exception:
                status = 500
                raise
            finally:
                _note(scope, status, time.perf_counter() - began)


def _note(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", None) or (
        "/static" if scope["path"].startswith("/static/") else "-"
    )
    method = scope["method"] if scope["method"].isalpha() and len(scope["method"]) < 12 else "-"
    requests.labels(method, route, str(status)).inc()
    latency.labels(method, route).observe(seconds)
    if route in QUIET or route == "/static":
        return
    actor = scope["state"].get("actor")
    log.log(
        logging.ERROR if status >= 500 else logging.INFO,
        "request",
        extra={
            "method": method, "route": route, "status": status, "duration_ms": round(seconds * 1000, 1),
            "actor_id": getattr(actor, "id", None),
        },
    )  # fmt: skip
