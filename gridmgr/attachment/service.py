"""Verbs of attachments: store a file, and sweep out what belongs to nothing. They never commit."""

import hashlib
from collections.abc import Callable, Collection
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr import store as objects
from gridmgr.account.rules import Actor
from gridmgr.attachment import queries, rules
from gridmgr.attachment.model import FileEmpty, FileTooLarge, StoredFile
from gridmgr.settings import settings

GRACE = timedelta(days=1)  # a form may be open for long before its files belong to a case


def store(session: Session, actor: Actor, name: str, content: bytes) -> StoredFile:
    """Store a photo or document by its content; the same content again is the same file.

    The content goes into the store before its row: a row never names what is not there.

    Raises
    ------
    FileEmpty, FileTooLarge, FileRefused
        It cannot be taken.
    StoreDown
        The store is full or does not answer; nothing was written.
    """
    name = rules.plain_name(name)
    if not content:
        raise FileEmpty(name=name)
    if len(content) > settings().file_limit_mb * 1024 * 1024:
        raise FileTooLarge(name=name, limit=settings().file_limit_mb)
    sha256 = hashlib.sha256(content).hexdigest()
    found = session.get(StoredFile, sha256)
    if found is not None:
        found.uploaded_at = clock.now()  # somebody needs it again: the sweep lets it be
        return found
    kind = rules.kind_of(content, name)
    objects.put(queries.key(sha256), content)
    if kind.thumbnail:
        objects.put(queries.thumbnail_key(sha256), kind.thumbnail)
    values = {
        "sha256": sha256, "media_type": kind.media_type, "size": len(content), "width": kind.width,
        "height": kind.height, "uploaded_by": actor.id, "uploaded_at": clock.now(),
    }  # fmt: skip
    session.execute(insert(StoredFile).values(values).on_conflict_do_nothing())
    return session.get_one(StoredFile, sha256)


def sweep(session: Session, attached: Callable[[Collection[str]], set[str]]) -> int:
    """Remove files that belong to nothing a day after they came; returns how many.

    `attached` returns those of the hashes that a case holds. Objects without a row, left by transactions
    that never committed, go too.
    """
    old = clock.now() - GRACE
    rows = session.scalars(
        select(StoredFile.sha256).where(StoredFile.uploaded_at < old).with_for_update(skip_locked=True)
    ).all()
    loose = set(rows) - attached(rows)
    session.execute(delete(StoredFile).where(StoredFile.sha256.in_(loose)))
    present = set(session.scalars(select(StoredFile.sha256)))
    orphans = {
        path.rpartition("/")[2].removesuffix(".jpg")
        for path, at in objects.listing("")
        if at < old.timestamp()
    } - present
    gone = loose | orphans
    objects.drop([path for sha256 in gone for path in (queries.key(sha256), queries.thumbnail_key(sha256))])
    return len(gone)
