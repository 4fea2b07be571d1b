"""Verbs of public notices: say something of a plan, read what was said, add files. They never commit."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.attachment.model import UnknownFile
from gridmgr.attachment.rules import plain_name
from gridmgr.public_notice import queries, rules
from gridmgr.public_notice.model import (
    LONGEST_REPLY,
    MOST_FILES,
    FilesClosed,
    NoticeComment,
    NoticeFile,
    NoticeFilesFull,
    NoticeOver,
    PlaceUnfit,
    SpokenOften,
    Standing,
    UnknownComment,
)
from gridmgr.publication import queries as publications
from gridmgr.publication.model import Publication, State


def comment(
    session: Session, publication_id: int, sender: str, name: str, told: str,
    place: tuple[float, float] | None = None,
) -> NoticeComment:  # fmt: skip
    """Say something of a plan on public notice, of a place near it if one is meant; shown once it has been read.

    Raises
    ------
    NoNotice, NoticeOver, CommentUnfit, PlaceUnfit, SpokenOften
    """
    found, now = queries.notice(session, publication_id), clock.now()
    if not rules.runs(found.state, found.notice_until, now):
        raise NoticeOver
    name, told = rules.comment(name, told)
    most = int(publications.terms(session)["comments"])
    if queries.spoken(session, sender, now - timedelta(hours=1)) >= most:
        raise SpokenOften(most=most, seconds=3600)
    if place is not None and not queries.near_plan(session, found, *place):
        raise PlaceUnfit
    said = NoticeComment(
        publication_id=found.id, at=now, name=name, text=told, sender=sender, state=Standing.WAITING, reply="",
        geom=None if place is None else f"SRID=4326;POINT({place[0]} {place[1]})",
    )  # fmt: skip
    session.add(said)
    session.flush()
    return said


def moderate(
    session: Session, actor: Actor, publication_id: int, comment_id: int, shown: bool, reply: str = ""
) -> NoticeComment:
    """Show a comment to everybody, with a reply if one is given, or keep it back.

    Raises
    ------
    UnknownPublication, NotGranted, OutsideGrant, UnknownComment
    """
    found = publications.by_id(session, actor, publication_id)
    require(actor, "plan.draw", found.area_code)
    said = session.get(NoticeComment, comment_id, with_for_update=True)
    if said is None or said.publication_id != found.id:
        raise UnknownComment(comment=comment_id)
    said.state, said.reply = (
        (Standing.SHOWN if shown else Standing.HIDDEN),
        reply.strip()[:LONGEST_REPLY],
    )
    said.read_by, said.read_at = actor.name, clock.now()
    session.flush()
    return said


def add_files(
    session: Session, actor: Actor, publication_id: int, files: Sequence[Mapping[str, str]]
) -> list[NoticeFile]:
    """Let files the actor has sent belong to a plan on its way: a map, the reasoning; what is added stays.

    Raises
    ------
    UnknownPublication, NotGranted, OutsideGrant, FilesClosed, NoticeFilesFull, UnknownFile
    """
    found = publications.by_id(session, actor, publication_id, locked=True)
    require(actor, "plan.draw", found.area_code)
    if not open_for_files(found):
        raise FilesClosed
    known = {held.sha256: held for held, _stored in queries.files(session, found.id)}
    told = {each["sha256"]: each.get("name", "") for each in files}
    fresh = {sha256: name for sha256, name in told.items() if sha256 not in known}
    if len(known) + len(fresh) > MOST_FILES:
        raise NoticeFilesFull(most=MOST_FILES)
    for sha256, name in fresh.items():
        if not queries.sent_by(session, actor, sha256):
            raise UnknownFile
        name = plain_name(name) or sha256[:12]
        known[sha256] = NoticeFile(
            publication_id=found.id, sha256=sha256, name=name, at=clock.now(), by=actor.name
        )
        session.add(known[sha256])
    session.flush()
    return [known[sha256] for sha256 in told]


def open_for_files(found: Publication) -> bool:
    """Tell whether files may still be added: before the notice, and while it runs."""
    return found.state == State.CHECKED or rules.runs(found.state, found.notice_until, clock.now())
