"""The badge follows along: one connection listens for all open pages, through losses, ends and a server that stops."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from small_city import City
from sqlalchemy import text, update

from gridmgr import clock, db
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import LoginSession, Role
from gridmgr.notice import service
from gridmgr.notice.model import Kind, Message
from web import deps, live
from web.main import begun, create_app

SHORT = httpx.Timeout(10)


class Site:
    """The application behind a real server, which can be stopped."""

    def __init__(self, app: FastAPI) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = uvicorn.Config(
            begun(app), host="127.0.0.1", port=port, log_level="warning", http="web.server:Protocol"
        )
        self.address, self.server = f"http://127.0.0.1:{port}", uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop as an administrator does; who waits for a page that never ends would wait for ever."""
        self.server.should_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture(scope="module")
def another() -> FastAPI:
    """Another application than the city's own, as if in another process."""
    return create_app()


@pytest.fixture
def site(city: City, another: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The small city behind a real server that looks after its sessions more often."""
    monkeypatch.setattr(live, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(live, "RETRY_SECONDS", 0.2)
    site = Site(another)
    yield site
    site.stop()


class Page:
    """An open page: what it has heard so far."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer, self.lines = answer, answer.iter_lines()

    def next(self) -> tuple[str, object]:
        """Wait for the next event and return its name and data."""
        event = ""
        for line in self.lines:
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            if line.startswith("data: "):
                return event, json.loads(line.removeprefix("data: "))
        return "closed", None


@contextmanager
def opened(site: Site, city: City, role: Role) -> Iterator[Page]:
    """Open a page of somebody who has just logged in."""
    browser, _csrf = city.browser(role)
    cookie = browser.cookies[deps.COOKIE]
    headers = {"Accept": "text/event-stream", "Cookie": f"{deps.COOKIE}={cookie}"}
    with (
        httpx.Client(timeout=SHORT, trust_env=False) as client,
        client.stream("GET", site.address + "/notices/stream", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Page(answer)


def reader(city: City, role: Role):
    """Return somebody as an actor."""
    with db.transaction(city.engine) as session:
        return accounts.actor(session, role)


def tell(city: City, *roles: Role) -> None:
    """Tell people something new."""
    with db.transaction(city.engine) as session:
        for role in roles:
            service.tell(
                session, [Message(accounts.actor(session, role).id, Kind.CLOSED, None, {"number": "1"})]
            )


def read_all(city: City, role: Role) -> None:
    """Let somebody read it all."""
    with db.transaction(city.engine) as session:
        service.read(session, accounts.actor(session, role))


@pytest.fixture(autouse=True)
def nothing_unread(city: City) -> None:
    """Everybody has read everything when a test begins."""
    for role in Role:
        read_all(city, role)


def test_the_number_goes_up_and_down_for_whom_it_concerns(site: Site, city: City):
    tell(city, Role.PLANNER)
    with opened(site, city, Role.PLANNER) as planner, opened(site, city, Role.GRID_MEMBER) as member:
        assert (planner.next(), member.next()) == (("unread", 1), ("unread", 0))
        tell(city, Role.PLANNER)
        assert planner.next() == ("unread", 2)
        read_all(city, Role.PLANNER)
        assert planner.next() == ("unread", 0)
        tell(city, Role.GRID_MEMBER)
        assert member.next() == ("unread", 1)


def test_one_connection_listens_for_all_pages_and_none_waits_in_a_transaction(site: Site, city: City):
    with opened(site, city, Role.ADMIN) as first:
        first.next()
        with opened(site, city, Role.ADMIN) as second, opened(site, city, Role.PLANNER) as third:
            second.next()
            third.next()
            tell(city, Role.ADMIN, Role.PLANNER)
            assert [page.next() for page in (first, second, third)] == [("unread", 1)] * 3
            with city.engine.connect() as connection:
                asked = text(
                    "SELECT query, state FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                found = connection.execute(asked).all()
            assert sum(query.startswith("LISTEN") for query, _state in found) == 1
            assert not [state for _query, state in found if (state or "").startswith("idle in")]


def test_a_page_hears_the_end_of_its_session_and_nothing_more(site: Site, city: City):
    with opened(site, city, Role.PLANNER) as page:
        assert page.next() == ("unread", 0)
        with db.transaction(city.engine) as session:
            account_service.set_password(session, Role.PLANNER, "another long password")
        assert page.next()[0] == "end"
        assert page.next()[0] == "closed"
    with db.transaction(city.engine) as session:
        account_service.set_password(session, Role.PLANNER, "correct horse battery")


def test_a_page_left_open_is_no_use_of_its_session(site: Site, city: City):
    soon = clock.now() + timedelta(minutes=30)
    with db.transaction(city.engine) as session:
        session.execute(update(LoginSession).values(expires_at=soon))
    browser, _csrf = city.browser(Role.COMMAND_CENTRE)
    with db.transaction(city.engine) as session:
        session.execute(update(LoginSession).values(expires_at=soon))
    cookie = {"Cookie": f"{deps.COOKIE}={browser.cookies[deps.COOKIE]}"}

    def ends() -> set:
        with db.transaction(city.engine) as session:
            return set(session.execute(text("SELECT expires_at FROM login_session")).scalars())

    with httpx.Client(timeout=SHORT, trust_env=False) as client:
        address = site.address + "/notices/stream"
        with client.stream("GET", address, headers=cookie | {"Accept": "text/event-stream"}) as answer:
            assert Page(answer).next() == ("unread", 0)
        assert ends() == {soon}
        client.get(site.address + "/notices", headers=cookie)
        assert max(ends()) > soon


def test_after_a_loss_of_the_database_open_pages_are_told_what_they_missed(site: Site, city: City):
    with opened(site, city, Role.PLANNER) as page:
        assert page.next() == ("unread", 0)
        with city.engine.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        tell(city, Role.PLANNER)
        assert page.next() == ("unread", 1)
        tell(city, Role.PLANNER)
        assert page.next() == ("unread", 2)


def test_a_server_that_is_asked_to_stop_waits_for_no_open_page(city: City, another: FastAPI):
    site = Site(another)
    with opened(site, city, Role.PLANNER) as page:
        page.next()
        site.stop()
        with pytest.raises(httpx.HTTPError):
            page.next()


def test_whoever_does_not_go_on_listening_gets_the_number_once(city: City):
    tell(city, Role.PLANNER)
    answer = city.client(Role.PLANNER).get("/notices/stream")
    assert answer.text.splitlines()[:2] == ["event: unread", "data: 1"]


@pytest.mark.parametrize("stream", ["/notices/stream", "/situation/stream?colour=open&level=street"])
def test_whoever_listens_without_logging_in_is_told_that_it_is_over(city: City, stream: str):
    answer = city.client().get(stream, headers={"Accept": "text/event-stream"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == "event: end\ndata: null\n\n"


def test_whoever_only_asks_for_a_stream_is_shown_the_login(city: City):
    assert city.client().get("/notices/stream").status_code == 303


def test_without_any_script_the_number_is_right_on_each_page(city: City):
    browser, csrf = city.browser(Role.PLANNER)
    browser.headers["Accept"] = "text/html"
    tell(city, Role.PLANNER, Role.PLANNER, Role.ADMIN)
    assert "2 条未读通知" in browser.get("/figures").text
    browser.post("/notices/read", data={"csrf": csrf})
    assert "0 条未读通知" in browser.get("/figures").text
