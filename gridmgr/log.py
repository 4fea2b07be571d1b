"""What the processes say of themselves: one line of JSON an entry, on a terminal a readable one.

What people wrote, their phones, passwords, tokens and files never stand here.
"""

import logging
import sys
from typing import Any

import structlog

from gridmgr.settings import settings

QUIET = ("httpx", "httpcore", "fiona", "pyogrio", "multipart", "PIL")  # whose ordinary words help nobody


def set_up(**always: Any) -> None:
    """Let our own logs and those of the libraries come out in one form on stderr; `always` stands in each."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.stdlib.ExtraAdder(),
    ]
    readable = settings().log_format == "console" or (settings().log_format == "auto" and sys.stderr.isatty())
    last = (
        structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    told = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if not readable:
        told.append(structlog.processors.format_exc_info)
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*told, last])
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings().log_level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "procrastinate"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
    structlog.contextvars.bind_contextvars(**always)
