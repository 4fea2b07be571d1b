"""Files of a form: those its script has sent already, named by hash, and those the form itself brings."""

import re
from collections.abc import Sequence

from fastapi import UploadFile
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.attachment import service
from gridmgr.attachment.rules import plain_name

_KEPT = re.compile(r"([0-9a-f]{64}):(.*)", re.DOTALL)


def files_of(
    session: Session, actor: Actor, kept: Sequence[str], brought: Sequence[UploadFile]
) -> list[dict[str, str]]:
    """Return the files of a form as a step names them: `kept` are hash:name, `brought` are stored now.

    Raises
    ------
    FileEmpty, FileTooLarge, FileRefused, StoreDown
        A file the form brings cannot be taken.
    """
    found = {match[1]: plain_name(match[2]) for match in map(_KEPT.fullmatch, kept) if match}
    for each in brought:
        if each.filename:  # an empty file field sends an empty part
            name = plain_name(each.filename)
            found[service.store(session, actor, name, each.file).sha256] = name
    return [{"sha256": sha256, "name": name} for sha256, name in found.items()]
