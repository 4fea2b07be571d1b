"""Verbs of attachments: store a file, and sweep out what belongs to nothing. They never commit."""

import hashlib
import io
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from threading import BoundedSemaphore
from typing import BinaryIO

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr import store as objects
from gridmgr.account.rules import Actor
from gridmgr.attachment import queries, rules
from gridmgr.attachment.model import FileEmpty, FileSender, FileTooLarge, StoredFile
from gridmgr.settings import settings

GRACE = timedelta(days=1)  # a form may be open for long before its files belong to a case
MB = 1024 * 1024
_decoding = BoundedSemaphore(2)  # a picture may need 250 MB while it is decoded
_HASH = re.compile(r"(?:^|/)([0-9a-f]{64})(?:\.jpg)?$")  # in the keys of the store


def store(session: Session, actor: Actor, name: str, content: BinaryIO | bytes) -> StoredFile:
    """Store a photo or document by its content; the same content again is the same file.

    The content goes into the store before its row: a row never names what is not there. What has been
    lost from the store since is put back.

    Raises
    ------
    FileEmpty, FileTooLarge, FileRefused
        It cannot be taken.
    StoreDown
        The store is full or does not answer; nothing was written.
    """
    name = rules.plain_name(name)
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    size = _size(stream, name)
    stream.seek(0)
    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    found = queries.held(session, sha256)
    if found is None or objects.size(queries.key(sha256)) != size:
        found = _put(session, name, stream, sha256, size)
    found.uploaded_at = clock.now()  # somebody needs it again: the sweep lets it be
    if actor.id is not None:
        sender = {"sha256": sha256, "account_id": actor.id}
        session.execute(insert(FileSender).values(sender).on_conflict_do_nothing())
    return found


def keep(session: Session, content: bytes, media_type: str) -> StoredFile:
    """Store what the product itself has written, by its content: what it is need not be told from its bytes.

    Raises
    ------
    StoreDown
    """
    sha256 = hashlib.sha256(content).hexdigest()
    found = queries.held(session, sha256)
    if found is None or objects.size(queries.key(sha256)) != len(content):
        objects.put(queries.key(sha256), content)
    values = {"sha256": sha256, "media_type": media_type, "size": len(content), "uploaded_at": clock.now()}
    session.execute(insert(StoredFile).values(values).on_conflict_do_nothing())
    return session.get_one(StoredFile, sha256)


def _size(stream: BinaryIO, name: str) -> int:
    """Return how many bytes there are, before any of them is read."""
    stream.seek(0, io.SEEK_END)
    size = stream.tell()
    if not size:
        raise FileEmpty(name=name)
    if size > settings().file_limit_mb * MB:
        raise FileTooLarge(name=name, limit=settings().file_limit_mb)
    return size


def _put(session: Session, name: str, stream: BinaryIO, sha256: str, size: int) -> StoredFile:
    with _decoding:
        kind = rules.kind_of(stream, name)
    if kind.thumbnail:
        objects.put(queries.thumbnail_key(sha256), kind.thumbnail)
    stream.seek(0)
    objects.put(queries.key(sha256), stream)
    values = {
        "sha256": sha256, "media_type": kind.media_type, "size": size, "width": kind.width,
        "height": kind.height, "looks": kind.looks, "uploaded_at": clock.now(),
    }  # fmt: skip
    session.execute(insert(StoredFile).values(values).on_conflict_do_nothing())
    return session.get_one(StoredFile, sha256)


@dataclass(frozen=True)
class Swept:
    """How many files were forgotten, and how many contents that belong to no file were removed."""

    files: int
    contents: int


def sweep(session: Session, attached: Callable[[Collection[str]], set[str]]) -> Swept:
    """Forget files that belong to nothing a day after they came, and remove contents without a file.

    `attached` returns those of the hashes that a case holds. Contents are those of files forgotten by an
    earlier sweep, so that a backup under way finds all it needs and nothing is lost if this transaction
    fails; and those left by transactions that never committed.

    Raises
    ------
    StoreDown
    """
    old = clock.now() - GRACE
    contents = _drop_contents(session, old)
    return Swept(_forget(session, attached, old), contents)


def _drop_contents(session: Session, old: datetime) -> int:
    objects.drop_unfinished(old.timestamp())
    found = (_HASH.search(path) for path, at in objects.listing("") if at < old.timestamp())
    hashes = (match[1] for match in found if match)  # what is not ours is let be
    dropped = 0
    while batch := set(islice(hashes, queries.BATCH)):
        for sha256 in sorted(batch - set(queries.known(session, batch))):
            with queries.alone_with(session, sha256) as alone:
                if alone:
                    objects.drop([queries.thumbnail_key(sha256), queries.key(sha256)])
                    dropped += 1
    return dropped


def _forget(session: Session, attached: Callable[[Collection[str]], set[str]], old: datetime) -> int:
    forgotten, behind = 0, ""
    asked = select(StoredFile.sha256).where(StoredFile.uploaded_at < old)
    page = asked.order_by(StoredFile.sha256).limit(queries.BATCH)
    while batch := session.scalars(page.where(StoredFile.sha256 > behind)).all():
        behind = batch[-1]
        if not (loose := set(batch) - attached(batch)):
            continue
        held = session.scalars(
            asked.where(StoredFile.sha256.in_(loose)).with_for_update(skip_locked=True)
        ).all()
        doomed = set(held) - attached(held)  # a case may have taken one meanwhile
        session.execute(delete(StoredFile).where(StoredFile.sha256.in_(doomed)))
        forgotten += len(doomed)
    return forgotten
