"""Reads of stored files: what is known of them, their content, and whether it is still what it was."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import store
from gridmgr.attachment.model import StoredFile, UnknownFile


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


def key(sha256: str) -> str:
    """Return under which key of the store a content lies."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def thumbnail_key(sha256: str) -> str:
    """Return under which key of the store the small picture of a content lies."""
    return f"thumbnails/{key(sha256)}.jpg"


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
    for sha256 in session.scalars(select(StoredFile.sha256).order_by(StoredFile.sha256)):
        files += 1
        try:
            if hashlib.sha256(store.get(key(sha256))).hexdigest() != sha256:
                altered.append(sha256)
        except store.NotStored:
            missing.append(sha256)
    return Checked(files, missing, altered)
