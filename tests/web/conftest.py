"""The small city behind the real application, for all tests of the web."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from small_city import City, entered, small_city

from gridmgr.settings import settings
from web import deps, server
from web.interop import tiles
from web.main import begun


@pytest.fixture(scope="module")
def city(app: FastAPI, copied, prepared, run_folder: Path) -> Iterator[City]:
    """Return the small city, served by the real application from a database of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRIDMGR_HOME", str(run_folder / "home"))
        patch.setenv("GRIDMGR_UPLOAD_LIMIT_MB", "1")
        for kind in ("READS", "WRITES", "UPLOADS"):
            patch.setenv(f"GRIDMGR_RATE_{kind}", "0")
        settings.cache_clear()
        with copied(prepared(small_city)) as url:
            patch.setenv("GRIDMGR_DATABASE_URL", url)
            settings.cache_clear()
            deps.engine.cache_clear()
            tiles.tiles.clear()
            tiles.callers.clear()
            yield entered(begun(app), deps.engine())
            deps.engine().dispose()
    settings.cache_clear()
    deps.engine.cache_clear()


@pytest.fixture(scope="module")
def site(city: City) -> Iterator[str]:
    """Serve the small city on a free port, as people reach it, and return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(
        city.app, host="127.0.0.1", port=port, log_level="warning", http=server.Protocol, lifespan="off"
    )
    served = uvicorn.Server(config)
    thread = threading.Thread(target=served.run, daemon=True)
    thread.start()
    while not served.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    served.should_exit = True
    thread.join(10)


@pytest.fixture
def as_role(city: City) -> Callable[..., TestClient]:
    """Return what makes a client of a role; without one, a client of nobody."""
    return city.client
