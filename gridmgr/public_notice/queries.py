"""Reads of public notices, for everybody: what is or was on notice, its files, and what residents say of it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.attachment import queries as attachments
from gridmgr.attachment.model import StoredFile, UnknownFile
from gridmgr.public_notice import rules
from gridmgr.public_notice.model import NoNotice, NoticeComment, NoticeFile, Standing
from gridmgr.publication import queries as publications
from gridmgr.publication.model import Publication, State


def notice(session: Session, publication_id: int) -> Publication:
    """Return a publication that is or was on public notice, for everybody.

    Raises
    ------
    NoNotice
    """
    found = session.get(Publication, publication_id)
    if found is None or found.notice_from is None or found.state == State.WITHDRAWN:
        raise NoNotice
    return found


def notices(session: Session, size: int = 50, after: int | None = None) -> list[Publication]:
    """Return what is or was on public notice, the newest first, going on behind one; for everybody."""
    asked = select(Publication).where(
        Publication.notice_from.is_not(None), Publication.state != State.WITHDRAWN
    )
    if after is not None:
        asked = asked.where(Publication.id < after)
    return list(session.scalars(asked.order_by(Publication.id.desc()).limit(size)))


def comments(
    session: Session, publication_id: int, *, shown: bool, size: int = 1000, after: int | None = None,
    only: int | None = None,
) -> list[tuple[NoticeComment, Any, Any]]:  # fmt: skip
    """Return the comments on a notice with their longitude and latitude, the newest first, going on behind one.

    Those that are `shown`, or all; or `only` one.
    """
    asked = select(NoticeComment, func.ST_X(NoticeComment.geom), func.ST_Y(NoticeComment.geom)).where(
        NoticeComment.publication_id == publication_id
    )
    if shown:
        asked = asked.where(NoticeComment.state == Standing.SHOWN)
    if after is not None:
        asked = asked.where(NoticeComment.id < after)
    if only is not None:
        asked = asked.where(NoticeComment.id == only)
    return [tuple(row) for row in session.execute(asked.order_by(NoticeComment.id.desc()).limit(size))]


def spoken(session: Session, sender: str, since: datetime) -> int:
    """Return how often somebody has commented on notices since an instant."""
    asked = select(func.count()).where(NoticeComment.sender == sender, NoticeComment.at > since)
    return session.scalar(asked)


def near_plan(session: Session, found: Publication, lon: float, lat: float) -> bool:
    """Tell whether a place lies near what a plan draws."""
    was, now = publications.borders(session, found)
    shapes = [*was.geometry, *now.geometry]
    return bool(shapes) and shapely.dwithin(shapely.union_all(shapes), shapely.Point(lon, lat), rules.NEAR)


def map_of(session: Session, found: Publication) -> gpd.GeoDataFrame:
    """Return the micro-grids that differ: code, name, parent_code, what changes, and on which side they are; EPSG:4326.

    `side` is now for what is to be, was for what is; of what is published, what became and what was.
    """
    was, now = publications.borders(session, found)
    after = now.assign(side="now", change=["redrawn" if code in was.index else "new" for code in now.index])
    before = was.assign(side="was", change=["redrawn" if code in now.index else "gone" for code in was.index])
    both = pd.concat([after, before]).rename_axis("code").reset_index()
    return both[["code", "name", "parent_code", "side", "change", "geometry"]]


def waiting(session: Session, publication_id: int) -> int:
    """Return how many comments nobody has read yet."""
    mine = (NoticeComment.publication_id == publication_id) & (NoticeComment.state == Standing.WAITING)
    return session.scalar(select(func.count()).where(mine))


def files(session: Session, publication_id: int) -> list[tuple[NoticeFile, StoredFile]]:
    """Return the files that belong to a plan on its way, the first first, each with what is stored of it."""
    asked = select(NoticeFile, StoredFile).join(StoredFile, StoredFile.sha256 == NoticeFile.sha256)
    asked = asked.where(NoticeFile.publication_id == publication_id)
    return [tuple(row) for row in session.execute(asked.order_by(NoticeFile.id))]


def file(session: Session, publication_id: int, sha256: str) -> tuple[NoticeFile, StoredFile]:
    """Return one file of a plan that is or was on public notice, for everybody.

    Raises
    ------
    NoNotice, UnknownFile
    """
    known = {
        held.sha256: (held, stored) for held, stored in files(session, notice(session, publication_id).id)
    }
    if sha256 not in known:
        raise UnknownFile
    return known[sha256]


def shown_file(session: Session, actor: Actor, sha256: str) -> NoticeFile | None:
    """Return a file as one of the publications the actor may see holds it, None if none does."""
    mine = publications.visible(actor).with_only_columns(Publication.id)
    mine = mine.where(Publication.id == NoticeFile.publication_id)
    return session.scalar(select(NoticeFile).where(NoticeFile.sha256 == sha256, mine.exists()).limit(1))


def attached(session: Session, hashes: Collection[str]) -> set[str]:
    """Return those of the hashes of files that belong to a plan on its way."""
    return set(
        session.scalars(select(NoticeFile.sha256).where(NoticeFile.sha256.in_(list(hashes))).distinct())
    )


def sent_by(session: Session, actor: Actor, sha256: str) -> bool:
    """Tell whether a file is stored, and the actor is one of those who sent it."""
    return attachments.held(session, sha256) is not None and attachments.is_sender(session, actor, sha256)
