"""The post: what is due leaves the house, by mail, short message, or to webhooks and robots; its fate is noted.

A delivery is claimed in one short transaction, sent outside of any, and its outcome noted in another one:
no lock waits for a foreign server. A worker that dies in between leaves its delivery to be sent again, so
something may arrive twice; each carries its number (`X-Gridmgr-Delivery`) by which receivers can tell.
"""

import asyncio
import logging
import smtplib
import ssl
import time
from collections import Counter
from contextlib import suppress
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Protocol, Self
from urllib.parse import SplitResult, unquote, urlsplit

import httpx
from sqlalchemy import Engine

from gridmgr import clock, db
from gridmgr.delivery import rules, service
from gridmgr.notice import queries
from gridmgr.notice.model import Flavour, Outcome, Outlet, Parcel, Way, Word
from gridmgr.notice.rules import signature
from gridmgr.settings import settings

log = logging.getLogger(__name__)
ROUND_SECONDS = 5  # how long one call delivers; the rest is for the next one
TURN_SECONDS = 2  # how long one outlet has its turn before the others have theirs
CONNECT_SECONDS = 3
ANSWER_SECONDS = 10  # the whole exchange with a webhook, however slowly it trickles
MAIL_SECONDS = 10
READ = 2000  # bytes of an answer
HEADER = "X-Gridmgr-Delivery"


class Carrier(Protocol):
    """What carries parcels to one outlet, kept open for the parcels of one turn."""

    def __enter__(self) -> Self:
        """Begin a turn."""

    def __exit__(self, *stopped: object) -> None:
        """End it."""

    def carry(self, parcel: Parcel) -> Outcome:
        """Bring one parcel to its address and return what became of it."""


def deliver(on: Engine, seconds: float = ROUND_SECONDS, only: Outlet | None = None) -> Counter[str]:
    """Deliver what is due, outlet by outlet in turns, until nothing is or the time is up; returns the outcomes.

    Any number of workers may do so at once. An outlet that does not answer costs one wait and is then left
    alone for a while, so the others, and the worker's other tasks, go on.
    """
    end, outcomes = time.monotonic() + seconds, Counter()
    while time.monotonic() < end:
        with db.transaction(on) as session:
            outlets = queries.due_outlets(session, clock.now())
        outlets = [outlet for outlet in outlets if only in (None, outlet)]
        if not outlets:
            break
        for outlet in outlets:
            outcomes += _turn(on, outlet, min(end, time.monotonic() + TURN_SECONDS))
    return outcomes


def _turn(on: Engine, outlet: Outlet, end: float) -> Counter[str]:
    """Carry the parcels of one outlet until none is due, it falls silent, or its turn is over."""
    outcomes = Counter()
    with _carrier(outlet) as carrier:
        while time.monotonic() < end:
            with db.transaction(on) as session:
                parcel = service.claim(session, outlet)
            if parcel is None:
                break
            outcome = _carried(carrier, parcel)
            with db.transaction(on) as session:
                service.settle(session, parcel, outcome)
            outcomes[outcome.word] += 1
            if outcome.word is Word.SILENT:
                break
    return outcomes


def _carried(carrier: Carrier, parcel: Parcel) -> Outcome:
    try:
        return carrier.carry(parcel)
    except Exception as unforeseen:  # a parcel nobody can send must not stop those behind it
        log.exception("delivery %s", parcel.id)
        return Outcome(Word.REFUSED, _reason(unforeseen))


def _carrier(outlet: Outlet) -> Carrier:
    return {Way.EMAIL: Mail, Way.SMS: Gateway, Way.ROBOT: Robots}.get(outlet.way, Webhooks)()


@lru_cache
def _trusted() -> ssl.SSLContext:
    """Return whom we trust: the system's authorities, or those of SSL_CERT_FILE."""
    return ssl.create_default_context()


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


class Mail:
    """Mails over one connection to the mail server that `GRIDMGR_SMTP_URL` names."""

    def __init__(self) -> None:
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *stopped: object) -> None:
        self._hang_up()

    def carry(self, parcel: Parcel) -> Outcome:
        """Send one mail; a connection that the server closed after earlier ones is opened again once."""
        used = self._server is not None
        try:
            self._server = self._server or _call(settings().smtp_url)
            self._server.send_message(_mail(parcel), to_addrs=[parcel.address])
        except smtplib.SMTPRecipientsRefused as refused:
            ((code, words),) = refused.recipients.values()
            return Outcome(Word.REFUSED, f"{code} {words.decode(errors='replace')}", final=code >= 500)
        except smtplib.SMTPDataError as refused:
            return Outcome(Word.REFUSED, _reason(refused), final=refused.smtp_code >= 500)
        except (OSError, smtplib.SMTPException) as lost:
            self._hang_up()
            if used and isinstance(lost, smtplib.SMTPServerDisconnected):
                return self.carry(parcel)
            return Outcome(Word.SILENT, _reason(lost))
        return Outcome(Word.TAKEN)

    def _hang_up(self) -> None:
        if self._server:
            with suppress(OSError, smtplib.SMTPException):
                self._server.quit()
        self._server = None


def _call(url: str | None) -> smtplib.SMTP:
    """Return a connection to the mail server, encrypted and logged in as its address says."""
    if url is None:
        raise ConnectionError("GRIDMGR_SMTP_URL is not set")
    parts = urlsplit(url)
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(parts.hostname, parts.port or 465, timeout=MAIL_SECONDS, context=_trusted())
    else:
        usual = 587 if parts.scheme == "smtp+starttls" else 25
        server = smtplib.SMTP(parts.hostname, parts.port or usual, timeout=MAIL_SECONDS)
    try:
        _greet(server, parts)
    except BaseException:
        server.close()
        raise
    return server


def _greet(server: smtplib.SMTP, parts: SplitResult) -> None:
    if parts.scheme == "smtp+starttls":
        server.starttls(context=_trusted())
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))


def _mail(parcel: Parcel) -> EmailMessage:
    sender = settings().smtp_from
    mail = EmailMessage()
    mail["Subject"] = " ".join(parcel.subject.split())
    mail["From"], mail["To"] = sender, parcel.address
    mail["Date"] = format_datetime(clock.local(clock.now()))
    mail["Message-ID"] = f"<delivery-{parcel.id}@{parseaddr(sender)[1].partition('@')[2] or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"  # out-of-office replies stay away
    mail[HEADER] = str(parcel.id)
    mail.set_content(parcel.content)
    return mail


class Webhooks:
    """Facts to one webhook, each signed when it is sent; an exchange has an end, however slow the other side."""

    reads = False  # what is answered beyond the status

    def __init__(self) -> None:
        self._loop = asyncio.Runner()
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS), verify=_trusted(),
            headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": "gridmgr"},
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *stopped: object) -> None:
        self._loop.run(self._client.aclose())
        self._loop.close()

    def carry(self, parcel: Parcel) -> Outcome:
        """Post one fact; any answer of the two hundreds has taken it, and no redirection is followed."""
        try:
            status, said = self._loop.run(self._post(parcel))
        except TimeoutError:
            return Outcome(Word.SILENT, f"no answer within {ANSWER_SECONDS} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as lost:
            return Outcome(Word.SILENT, _reason(lost))
        if not 200 <= status < 300:
            return Outcome(Word.REFUSED, f"HTTP {status}")
        wrong = self.refusal(said)
        return Outcome(Word.REFUSED, wrong) if wrong else Outcome(Word.TAKEN)

    def refusal(self, said: str) -> str | None:
        """Return why an answer that looks well has taken nothing; a webhook's is not read."""
        return None

    def letter(self, parcel: Parcel) -> tuple[str, bytes, dict[str, str]]:
        """Return where a parcel is posted, what, and under which headers."""
        body, at = parcel.content.encode(), int(clock.now().timestamp())
        return parcel.address, body, {"X-Gridmgr-Signature": signature(parcel.secret, body, at)}

    async def _post(self, parcel: Parcel) -> tuple[int, str]:
        address, body, headers = self.letter(parcel)
        asked = self._client.stream("POST", address, content=body, headers=headers | {HEADER: str(parcel.id)})
        async with asyncio.timeout(ANSWER_SECONDS), asked as answer:
            return answer.status_code, await _beginning(answer) if self.reads else ""


async def _beginning(answer: httpx.Response) -> str:
    """Return the first thousands of letters of an answer; no more of it is read."""
    said = b""
    async for part in answer.aiter_bytes(READ):
        said += part
        if len(said) >= READ:
            break
    return said[:READ].decode(errors="replace")


class Robots(Webhooks):
    """Text messages to the robot of a group; it answers well even to what it does not take, and says so inside."""

    reads = True

    def refusal(self, said: str) -> str | None:
        """Return what the robot says is wrong."""
        return rules.answered(said)

    def letter(self, parcel: Parcel) -> tuple[str, bytes, dict[str, str]]:
        """Return the message; DingTalk's address is signed with the time it is sent."""
        address = parcel.address
        if parcel.flavour == Flavour.DINGTALK:
            address = rules.signed(address, parcel.secret, int(clock.now().timestamp() * 1000))
        return address, parcel.content.encode(), {}


class Gateway(Webhooks):
    """Short messages to the gateway that `GRIDMGR_SMS_URL` names."""

    def letter(self, parcel: Parcel) -> tuple[str, bytes, dict[str, str]]:
        """Return what the gateway is posted, as the settings have it."""
        url, token = settings().sms_url, settings().sms_token
        if url is None:
            raise ConnectionError("GRIDMGR_SMS_URL is not set")
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        return url, rules.gateway_body(settings().sms_body, parcel.address, parcel.content), headers
