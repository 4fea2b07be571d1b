"""Reads of stored files: what is known of them, their content, and whether it is still what it was."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gridmgr import store
from gridmgr.account.rules import Actor
from gridmgr.attachment.model import FileSender, StoredFile, UnknownFile

BATCH = 1000
_LOCKS = 3  # tells the locks of contents from those of others


def known(session: Session, hashes: Iterable[str]) -> dict[str, StoredFile]:
    """Return those of the files that are stored, by hash."""
    found = session.scalars(select(StoredFile).where(StoredFile.sha256.in_(list(hashes))))
    return {each.sha256: each for each in found}


def by_hash(session: Session, sha256: str) -> StoredFile:
    """Return a stored file.

    Raises
    ------
    UnknownFile
    """
    found = session.get(StoredFile, sha256)
    if found is None:
        raise UnknownFile
    return found


def is_sender(session: Session, actor: Actor, sha256: str) -> bool:
    """Tell whether the actor has sent this file."""
    return actor.id is not None and session.get(FileSender, (sha256, actor.id)) is not None


def held(session: Session, sha256: str) -> StoredFile | None:
    """Return a stored file to whoever stores its content again, safe from the sweep until the transaction ends.

    Without a row the content itself is safe: it may be put into the store, and its row added.
    """
    session.execute(select(func.pg_advisory_xact_lock_shared(func.hashtextextended(sha256, _LOCKS))))
    return session.scalar(
        select(StoredFile)
        .where(StoredFile.sha256 == sha256)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


@contextmanager
def alone_with(session: Session, sha256: str) -> Iterator[bool]:
    """Tell whether a content belongs to no file and nobody is storing it; nobody will, until this ends."""
    lock = func.hashtextextended(sha256, _LOCKS)
    if not session.scalar(select(func.pg_try_advisory_lock(lock))):
        yield False
        return
    try:
        yield not session.scalar(select(StoredFile.sha256).where(StoredFile.sha256 == sha256))
    finally:
        session.execute(select(func.pg_advisory_unlock(lock)))


def key(sha256: str) -> str:
    """Return under which key of the store a content lies."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def thumbnail_key(sha256: str) -> str:
    """Return under which key of the store the small picture of a content lies."""
    return f"thumbnails/{key(sha256)}.jpg"


def content(sha256: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Return the pieces of a file's content, or of its bytes from `start` until before `end`.

    Raises
    ------
    NotStored, StoreDown
    """
    return store.read(key(sha256), start, end)


def thumbnail(sha256: str) -> bytes:
    """Return the small picture of a picture, a JPEG.

    Raises
    ------
    NotStored, StoreDown
    """
    return store.get(thumbnail_key(sha256))


@dataclass(frozen=True)
class Checked:
    """How many files were looked at, and the hashes of those that are missing or no longer what they were."""

    files: int
    missing: list[str]
    altered: list[str]


def verify(session: Session) -> Checked:
    """Read every stored file and compare it to its hash.

    Raises
    ------
    StoreDown
    """
    files, missing, altered = 0, [], []
    hashes = select(StoredFile.sha256).order_by(StoredFile.sha256).execution_options(yield_per=BATCH)
    for sha256 in session.scalars(hashes):
        files += 1
        digest = hashlib.sha256()
        try:
            for piece in content(sha256):
                digest.update(piece)
        except store.NotStored:
            missing.append(sha256)
            continue
        if digest.hexdigest() != sha256:
            altered.append(sha256)
    return Checked(files, missing, altered)
