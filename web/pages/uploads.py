"""Files of a form: those sent already, named by hash, and those the form brings; a refused form keeps both."""

import re
from collections.abc import Sequence

from fastapi import UploadFile
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr.account.rules import Actor
from gridmgr.attachment import queries, service
from gridmgr.attachment.model import StoredFile
from gridmgr.attachment.rules import plain_name

_KEPT = re.compile(r"([0-9a-f]{64}):(.*)", re.DOTALL)
MOST_KEPT = 100


def files_of(
    session: Session, actor: Actor, kept: Sequence[str], brought: Sequence[UploadFile]
) -> tuple[list[dict[str, str]], Problem | None]:
    """Return the files of a form as a step names them, and why one of those it brings cannot be taken.

    `kept` are hash:name. What is brought is stored each for itself, before the step: whatever is refused
    later, nobody has to choose it again.
    """
    found = {match[1]: plain_name(match[2]) for match in map(_KEPT.fullmatch, kept) if match}
    refused = None
    for each in brought:
        if each.filename:  # an empty file field sends an empty part
            name = plain_name(each.filename)
            try:
                with session.begin_nested():
                    found[service.store(session, actor, name, each.file).sha256] = name
            except Problem as problem:
                refused = refused or problem
    return [{"sha256": sha256, "name": name} for sha256, name in found.items()], refused


def shown_again(
    session: Session, actor: Actor, files: Sequence[dict[str, str]]
) -> list[tuple[StoredFile, str]]:
    """Return those files of a refused form that the actor has sent and are still stored, with their names."""
    files = files[:MOST_KEPT]
    known = queries.known(session, [each["sha256"] for each in files])
    mine = [each for each in files if queries.is_sender(session, actor, each["sha256"])]
    return [(known[each["sha256"]], each["name"]) for each in mine if each["sha256"] in known]
