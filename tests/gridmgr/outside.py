"""The world outside, for tests: a mail server and a receiver of webhooks, real ones on this machine."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from aiosmtpd.controller import Controller


class Postbox:
    """A handler of aiosmtpd that keeps the mails it gets, and refuses some recipients."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refusals: dict[str, str] = {}

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        """Take a recipient, or answer as `refusals` says."""
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        """Keep a mail."""
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """Return the mails to an address."""
        return [mail for mail in self.mails if mail["To"] == address]


class _AnyPort(Controller):
    """A controller that listens wherever there is room."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(**options) -> Iterator[tuple[Postbox, str]]:
    """Run a mail server; yields its box and its host and port."""
    box = Postbox()
    controller = _AnyPort(box, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield box, f"127.0.0.1:{controller.port}"
    finally:
        controller.stop()


class Receiver:
    """What a receiver of webhooks got: headers and body of every request, answered by `answer`."""

    def __init__(self, answer: Callable[[int], int | tuple[int, bytes]]) -> None:
        self.paths: list[str] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answer = answer
        self.url = ""
        self.released = Event()


@contextmanager
def receiver(
    answer: Callable[[int], int | tuple[int, bytes]] = lambda n: 200, delay: float = 0
) -> Iterator[Receiver]:
    """Run a receiver; `answer` gives the status for the n-th request, or with it a text; `delay` lets it hang first."""
    outside = Receiver(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            outside.got.append((dict(self.headers), body))
            outside.paths.append(self.path)
            outside.released.wait(delay)
            told = outside.answer(len(outside.got))
            status, said = told if isinstance(told, tuple) else (told, b"")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    outside.url = f"http://127.0.0.1:{server.server_port}/hook?key=1"
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield outside
    finally:
        outside.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
