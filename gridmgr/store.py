"""Where files lie: a folder of the product's home, or any S3-compatible store; one behind the other's words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store
from pydantic import SecretStr

from gridmgr.errors import NotFound, Unavailable
from gridmgr.settings import settings

CHUNK = 256 * 1024
LIMITS = {"connect_timeout": "3s", "timeout": "30s"}  # of one request
RETRIES = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
AT_ONCE = 16  # a store that hangs takes so many threads of a process, and no more:
PATIENCE = 1.0  # whoever finds no place for so many seconds is told so, and all other work goes on
_places = BoundedSemaphore(AT_ONCE)


class StoreDown(Unavailable):
    """The store of files ({store}) does not answer, or is full; nothing was stored."""


class NotStored(NotFound):
    """The store of files does not hold {key}."""


def _folder() -> Path:
    return settings().home / "files"


@lru_cache
def _local(folder: Path) -> LocalStore:
    return LocalStore(folder, mkdir=True)


@lru_cache
def _s3(
    url: str, endpoint: str | None, key: str | None, secret: SecretStr | None, region: str | None
) -> S3Store:
    given = {
        "endpoint": endpoint, "access_key_id": key, "region": region,
        "secret_access_key": secret.get_secret_value() if secret else None,
        "disable_bulk_delete": True,  # not every store knows it, and one is removed at a time
    }  # fmt: skip
    plain = {"allow_http": (endpoint or "").startswith("http://")}
    config = {name: value for name, value in given.items() if value}
    return S3Store.from_url(url, config=config, client_options=LIMITS | plain, retry_config=RETRIES)


def _opened() -> ObjectStore:
    given = settings()
    if given.store_url is None:
        return _local(_folder())
    return _s3(given.store_url, given.store_endpoint, given.store_key, given.store_secret, given.store_region)


@contextmanager
def _reached(key: str) -> Iterator[ObjectStore]:
    """Give the store for one request to it, and say in our words what goes wrong."""
    name = settings().store_url or _folder()
    if not _places.acquire(timeout=PATIENCE):
        raise StoreDown(store=name)
    try:
        yield _opened()
    except FileNotFoundError as missing:
        raise NotStored(key=key) from missing
    except (BaseError, OSError) as lost:
        raise StoreDown(store=name) from lost
    finally:
        _places.release()


def put(key: str, content: bytes | BinaryIO) -> None:
    """Store a file under its key, whole or not at all, and for good; the same again is no harm.

    Raises
    ------
    StoreDown
    """
    with _reached(key) as store:
        # in one piece, held once: what is sent in parts leaves parts behind when it breaks off
        obstore.put(store, key, content, use_multipart=False)
        if isinstance(store, LocalStore):
            _settle(_folder() / key)


def _settle(path: Path) -> None:
    """Wait until a file and its name are on the disk: its row will be."""
    for each in (path, *path.relative_to(_folder()).parents):
        handle = os.open(_folder() / each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def get(key: str) -> bytes:
    """Return a stored file whole.

    Raises
    ------
    NotStored, StoreDown
    """
    with _reached(key) as store:
        return bytes(obstore.get(store, key).bytes())


def read(key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Return the pieces of a stored file, or of its bytes from `start` until before `end`.

    It is opened at once: what cannot be read is told before the first piece.

    Raises
    ------
    NotStored, StoreDown
    """
    options = {"range": {"offset": start} if end is None else (start, end)}
    with _reached(key) as store:
        stream = obstore.get(store, key, options=options if (start, end) != (0, None) else None).stream(CHUNK)
    return _each(key, stream)


def _each(key: str, stream: Iterator[Any]) -> Iterator[Any]:
    """Yield what comes from the store, holding a place only while it is waited for."""
    while True:
        with _reached(key):
            piece = next(stream, None)
        if piece is None:
            return
        yield piece


def size(key: str) -> int | None:
    """Return how many bytes a stored file has; None if it is not there.

    Raises
    ------
    StoreDown
    """
    try:
        with _reached(key) as store:
            return obstore.head(store, key)["size"]
    except NotStored:
        return None


def drop(keys: list[str]) -> None:
    """Remove files; those that are gone already are no fault.

    Raises
    ------
    StoreDown
    """
    for key in keys:
        try:
            with _reached(key) as store:
                obstore.delete(store, key)
        except NotStored:
            continue


def listing(prefix: str) -> Iterator[tuple[str, float]]:
    """Yield the key of every file below a prefix, and when it was stored (seconds since 1970).

    Raises
    ------
    StoreDown
    """
    with _reached(prefix) as store:
        portions = obstore.list(store, prefix)
    for portion in _each(prefix, portions):
        for each in portion:
            yield each["path"], each["last_modified"].timestamp()


def drop_unfinished(before: float) -> None:
    """Remove from the folder what processes killed while they wrote have left; S3 keeps no such thing."""
    if settings().store_url is None:
        for each in _folder().rglob("*#*"):
            if each.is_file() and each.stat().st_mtime < before:
                each.unlink(missing_ok=True)
