"""How often one caller may ask: moving windows of a minute, held by this process, and what the headers say.

A caller is the account behind a token or session that has proved itself here before; whoever has not is
counted by network address. So a burst of one person is felt by nobody else.
"""

import hashlib
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
from math import ceil
from threading import Lock
from time import monotonic

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from gridmgr.errors import TooMany
from gridmgr.settings import settings
from web.remembered import Remembered

PROOF_SECONDS = 3600  # for so long a proof counts by its account, even if it has ended meanwhile
MOST_CALLERS = 50_000


class Kind(StrEnum):
    """What is counted apart."""

    READ = "reads"
    WRITE = "writes"
    UPLOAD = "uploads"


class TooFast(TooMany):
    """More than {limit} {kind} a minute; wait {seconds} seconds."""


class Windows(MemoryStorage):
    """The moments of each caller's last requests, of a bounded number of callers.

    The library's own storage starts a thread every 10 ms to look through all callers, and forgets none.
    """

    def __init__(self) -> None:
        super().__init__()
        self._moments: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count a request unless the window is full."""
        with self._lock:
            window = self._window(key, expiry)
            if len(window) + amount > limit:
                return False
            window.extend([monotonic()] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return the moment of the oldest request in the window, and how many there are."""
        with self._lock:
            window = self._window(key, expiry)
            return (window[0] if window else monotonic(), len(window))

    def _window(self, key: str, expiry: int) -> deque[float]:
        since = monotonic() - expiry
        window = self._moments.get(key)
        if window is None:
            self._make_room(since)
            window = self._moments[key] = deque()
        while window and window[0] <= since:
            window.popleft()
        self._moments.move_to_end(key)
        return window

    def _make_room(self, since: float) -> None:
        """Forget callers from the one heard of longest ago, as long as they are idle or there are too many."""
        while self._moments:
            window = next(iter(self._moments.values()))
            if window and window[-1] > since and len(self._moments) < MOST_CALLERS:
                break
            self._moments.popitem(last=False)


limiter = MovingWindowRateLimiter(Windows())
_accounts: Remembered[int] = Remembered(MOST_CALLERS, seconds=PROOF_SECONDS)


@dataclass(frozen=True)
class Standing:
    """How one caller stands after one more request of a kind."""

    kind: Kind
    limit: int
    remaining: int
    reset: int  # seconds until the oldest request counted leaves the window
    refused: bool

    def headers(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the headers that say so."""
        for name in ("limit", "remaining", "reset"):
            yield f"ratelimit-{name}".encode(), str(getattr(self, name)).encode()


def spend(kind: Kind, caller: str) -> Standing | None:
    """Count one request and say how the caller stands; None if the kind has no limit."""
    allowed = getattr(settings(), f"rate_{kind}")
    if allowed <= 0:
        return None
    item = _item(allowed)
    granted = limiter.hit(item, kind, caller)
    start, remaining = limiter.get_window_stats(item, kind, caller)
    return Standing(kind, allowed, remaining, max(1, ceil(start - monotonic())), not granted)


@lru_cache
def _item(allowed: int) -> RateLimitItemPerMinute:
    return RateLimitItemPerMinute(allowed)


def remember(proof: tuple[str, str], account: int) -> None:
    """Count whoever comes with this proof by the account it belongs to."""
    _accounts.put(_digest(proof), account)


def caller(request: Request, proof: tuple[str, str] | None) -> str:
    """Return by what a request is counted."""
    account = _accounts.get(_digest(proof)) if proof else None
    return f"account {account}" if account else f"address {_network(request)}"


def forget() -> None:
    """Forget all that was counted."""
    limiter.storage = Windows()
    _accounts.clear()


def _digest(proof: tuple[str, str]) -> bytes:
    return hashlib.blake2b(" ".join(proof).encode(errors="replace"), digest_size=16).digest()


def _network(request: Request) -> str:
    """Return the address that a caller cannot change at will: of IPv6, the network of one customer."""
    host = request.client.host[:64] if request.client else ""
    if ":" not in host:
        return host
    try:
        return ip_address(host.partition("%")[0]).exploded[:19]
    except ValueError:
        return host
