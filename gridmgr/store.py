"""Where files lie: a folder of the product's home, or any S3-compatible store; one behind the other's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from gridmgr.errors import NotFound, Unavailable
from gridmgr.settings import settings

CHUNK = 256 * 1024


class StoreDown(Unavailable):
    """The store of files ({store}) does not answer, or is full; nothing was stored."""


class NotStored(NotFound):
    """The store of files does not hold {key}."""


@lru_cache
def _opened(url: str | None, home: str) -> ObjectStore:
    if url is None:
        return LocalStore(f"{home}/files", mkdir=True)
    given = settings()
    options = {
        "endpoint": given.store_endpoint, "access_key_id": given.store_key,
        "secret_access_key": given.store_secret and given.store_secret.get_secret_value(),
        "region": given.store_region,
    }  # fmt: skip
    plain = {"allow_http": True} if (given.store_endpoint or "").startswith("http://") else {}
    config = {name: value for name, value in options.items() if value}
    return from_url(url, config=config, client_options=plain | {"timeout": "30s", "connect_timeout": "5s"})


@contextmanager
def _reached(key: str) -> Iterator[ObjectStore]:
    try:
        yield _opened(settings().store_url, str(settings().home))
    except FileNotFoundError as missing:
        raise NotStored(key=key) from missing
    except (BaseError, OSError) as lost:
        raise StoreDown(store=settings().store_url or settings().home / "files") from lost


def put(key: str, content: bytes) -> None:
    """Store a file under its key, whole or not at all; the same again is no harm.

    Raises
    ------
    StoreDown
    """
    with _reached(key) as store:
        obstore.put(store, key, content)


def get(key: str) -> bytes:
    """Return a stored file.

    Raises
    ------
    NotStored, StoreDown
    """
    with _reached(key) as store:
        return bytes(obstore.get(store, key).bytes())


def drop(keys: list[str]) -> None:
    """Remove files; those that are gone already are no fault.

    Raises
    ------
    StoreDown
    """
    for key in keys:
        with _reached(key) as store:
            try:
                obstore.delete(store, key)
            except FileNotFoundError:
                continue


def listing(prefix: str) -> Iterator[tuple[str, float]]:
    """Yield the key of every file below a prefix, and when it was stored (seconds since 1970).

    Raises
    ------
    StoreDown
    """
    with _reached(prefix) as store:
        for portion in obstore.list(store, prefix):
            for each in portion:
                yield each["path"], each["last_modified"].timestamp()
