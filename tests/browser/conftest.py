"""A small district behind a real server, and a Chromium that reports everything it stumbles over."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from walking import peopled_district

from gridmgr.settings import settings
from web import deps
from web.main import begun

expect.set_options(timeout=30_000)  # as long as a page waits anyway: a busy machine tells nothing of us
FLAGS = [
    f"--{flag}"
    for flag in (
        "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
        "disable-component-update", "disable-sync",
    )
]  # fmt: skip


@pytest.fixture(scope="module")
def patched() -> Iterator[pytest.MonkeyPatch]:
    """Return a monkeypatch that lasts as long as the server."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def filled() -> Callable[[str], None]:
    """Return what fills the database of a module; some modules begin with less."""
    return peopled_district


@pytest.fixture(scope="module")
def home(
    patched: pytest.MonkeyPatch, copied, prepared, filled, run_folder: Path, request: pytest.FixtureRequest
) -> Iterator[Path]:
    """Let this process serve a database of the module's own, with a folder of its own for files."""
    folder = run_folder / f"home-{Path(request.node.nodeid).stem}"
    patched.setenv("GRIDMGR_HOME", str(folder))
    settings.cache_clear()
    with copied(prepared(filled)) as url:
        patched.setenv("GRIDMGR_DATABASE_URL", url)
        settings.cache_clear()
        deps.engine.cache_clear()
        yield folder
        deps.engine().dispose()
    deps.engine.cache_clear()
    settings.cache_clear()


@pytest.fixture(scope="module")
def database(home: Path) -> str:
    """Return the address of the database of a module."""
    return settings().database_url


@pytest.fixture(scope="module")
def district(home: Path) -> None:
    """Stand for the tiny district that the walks of a module share."""


@pytest.fixture(scope="module")
def site(home: Path, app: FastAPI) -> Iterator[str]:
    """Serve the application on a free port and return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(begun(app), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return Debian's Chromium, with nothing of its own on the network."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Trouble:
    """What went wrong in the browser while a person walked through the pages."""

    site: str
    seen: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Note failed, refused and foreign requests, and whatever the console complains of."""
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfailed", self._failed)
        context.on("console", lambda said: said.type == "error" and self.seen.append(f"console: {said.text}"))
        context.on("weberror", lambda error: self.seen.append(f"script: {error.error}"))

    def _request(self, request) -> None:
        if not request.url.startswith((self.site, "data:", "blob:")):
            self.seen.append(f"off our origin: {request.url}")

    def _response(self, answer) -> None:
        if answer.status >= 400:
            self.seen.append(f"{answer.status} {answer.url}")

    def _failed(self, request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a page left behind drops what it still waited for
            self.seen.append(f"{request.failure} {request.url}")


@pytest.fixture
def trouble(site: str) -> Trouble:
    """Return the list that must stay empty."""
    return Trouble(site)


@pytest.fixture
def page(chromium: Browser, site: str, trouble: Trouble, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Return a page of a fresh browser, wide as a desk or as a phone where the test is so marked."""
    size = getattr(request, "param", {"width": 1366, "height": 768})
    context = chromium.new_context(viewport=size, base_url=site, locale="zh-CN", accept_downloads=True)
    trouble.watch(context)
    yield context.new_page()
    context.close()
    assert trouble.seen == []
