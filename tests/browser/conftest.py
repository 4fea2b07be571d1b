"""A small district behind a real server, and a Chromium that reports everything it stumbles over."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from walking import build_district, open_accounts

from gridmgr.settings import settings
from web import deps
from web.main import create_app

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
def home(
    patched: pytest.MonkeyPatch, database: str, run_folder: Path, request: pytest.FixtureRequest
) -> Path:
    """Let this process serve the database of the module, with a folder of its own for files."""
    folder = run_folder / f"home-{Path(request.node.nodeid).stem}"
    folder.mkdir(exist_ok=True)
    patched.setenv("GRIDMGR_DATABASE_URL", database)
    patched.setenv("GRIDMGR_HOME", str(folder))
    settings.cache_clear()
    deps.engine.cache_clear()
    yield folder
    deps.engine().dispose()
    deps.engine.cache_clear()
    settings.cache_clear()


@pytest.fixture(scope="module")
def district(home: Path, database: str) -> None:
    """Build the tiny district that the walks of a module share."""
    open_accounts(database)
    build_district(database)


@pytest.fixture(scope="module")
def site(home: Path, database: str) -> Iterator[str]:
    """Serve the application on a free port and return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(), host="127.0.0.1", port=port, log_level="warning"))
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
        context.on(
            "response",
            lambda answer: answer.status >= 400 and self.seen.append(f"{answer.status} {answer.url}"),
        )
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
    context.set_default_timeout(8000)
    trouble.watch(context)
    yield context.new_page()
    context.close()
    assert trouble.seen == []
