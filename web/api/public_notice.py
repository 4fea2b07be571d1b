"""Public notices for programs, without an account: the plans, their map and files, and what residents say."""

from hashlib import sha256 as digest
from typing import Annotated

from fastapi import Depends, Path, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.public_notice import queries, rules, service
from gridmgr.public_notice.model import LONGEST_COMMENT, LONGEST_NAME, PlaceUnfit
from gridmgr.publication.model import Publication, State
from web import ranges, rates
from web.api.files import Sha256, content
from web.api.geojson import MEDIA, collection
from web.api.schema import FEATURES, file, partial, problems, router
from web.deps import Open, Transaction, proof
from web.fields import BigRowId, Lat, Lon, RowId, Utc, text
from web.once import keyless
from web.paging import Page, Paging, paged

EVERYBODY = Depends(Open("a public notice is for everybody"))
routes = router("public_notice")
NoticeId = Annotated[RowId, Path(description="Id of the public notice.")]


class PublicNoticeOut(BaseModel):
    """A plan that is or was on public notice."""

    id: int
    title: str
    area_code: str = Field(description="Empty: the whole district.")
    area: str = Field(description="The name of the area.")
    state: State
    since: Utc
    until: Utc
    runs: bool = Field(description="Whether comments are taken.")
    new: int = Field(description="Units it draws anew.")
    redrawn: int
    gone: int = Field(description="Units that would be no more.")
    files: int


class PublicNoticePage(Page[PublicNoticeOut]):
    """One page of public notices, the newest first."""


class PublicCommentOut(BaseModel):
    """What somebody said of a plan, and the reply."""

    id: int
    at: Utc
    name: str = Field(description="As it was given; may be empty.")
    text: str
    lon: float | None
    lat: float | None
    reply: str


class PublicCommentPage(Page[PublicCommentOut]):
    """One page of comments that are shown to everybody, the newest first."""


class PublicCommentIn(BaseModel):
    """What somebody thinks of a plan, and of which place if one is meant: WGS-84, near the plan."""

    name: text(LONGEST_NAME) = Field("", examples=["李阿姨"])
    text: Annotated[text(LONGEST_COMMENT, 1), Field(examples=["边界最好沿着小路走。"])]
    lon: Lon | None = None
    lat: Lat | None = None


class PublicCommentTaken(BaseModel):
    """It was taken; it is shown once somebody has read it."""

    id: int
    state: str = Field(examples=["waiting"])


class NoticeFileOut(BaseModel):
    """A file that belongs to a plan on public notice."""

    sha256: str
    name: str = Field(examples=["方案说明.pdf"])
    media_type: str = Field(examples=["application/pdf"])
    size: int
    address: str


class NoticeFilesOut(BaseModel):
    """The files, the first first."""

    files: list[NoticeFileOut]


def sender(request: Request) -> str:
    """Return by what the comments of a caller are counted; it does not tell who that is."""
    return digest(rates.caller(request, proof(request)).encode()).hexdigest()


@routes.get("/public-notices", dependencies=[EVERYBODY])
def list_public_notices(
    session: Transaction, paging: Annotated[Paging[int], Depends(paged("public_notices", RowId))]
) -> PublicNoticePage:
    """List the plans that are or were on public notice."""
    found = queries.notices(session, paging.fetch, paging.after)
    return paging.page(
        PublicNoticePage, found, lambda each: each.id, lambda rows: [_out(session, row) for row in rows]
    )


@routes.get("/public-notices/{notice_id}", dependencies=[EVERYBODY], responses=problems(404))
def show_public_notice(notice_id: NoticeId, session: Transaction) -> PublicNoticeOut:
    """Return a plan that is or was on public notice."""
    return _out(session, queries.notice(session, notice_id))


@routes.get(
    "/public-notices/{notice_id}/map.geojson",
    dependencies=[EVERYBODY],
    response_class=Response,
    responses=problems(404) | file(MEDIA, "A FeatureCollection, EPSG:4326.", FEATURES),
)
def show_public_notice_map(notice_id: NoticeId, session: Transaction) -> StreamingResponse:
    """Return the micro-grids that differ as they are to be, and as they are; `side` tells which."""
    return collection(
        queries.map_of(session, queries.notice(session, notice_id)), name="public_notice.geojson"
    )


@routes.get("/public-notices/{notice_id}/comments", dependencies=[EVERYBODY], responses=problems(404))
def list_public_comments(
    notice_id: NoticeId, session: Transaction,
    paging: Annotated[Paging[int], Depends(paged("public_comments", BigRowId))],
) -> PublicCommentPage:  # fmt: skip
    """List what was said of a plan and is shown to everybody."""
    of = queries.notice(session, notice_id).id
    found = queries.comments(session, of, shown=True, size=paging.fetch, after=paging.after)

    def told(rows) -> list[PublicCommentOut]:
        return [
            PublicCommentOut(
                id=each.id, at=each.at, name=each.name, text=each.text, lon=lon, lat=lat, reply=each.reply
            )
            for each, lon, lat in rows
        ]

    return paging.page(PublicCommentPage, found, lambda row: row[0].id, told)


@routes.post(
    "/public-notices/{notice_id}/comments",
    dependencies=[EVERYBODY],
    status_code=201,
    responses=problems(404, 409),
)
@keyless("whoever speaks has no account, to which a key would belong")
def comment_on_public_notice(
    notice_id: NoticeId, said: PublicCommentIn, request: Request, session: Transaction
) -> PublicCommentTaken:
    """Say what you think of a plan on public notice; so often an hour as the terms of publications allow."""
    if (said.lon is None) != (said.lat is None):
        raise PlaceUnfit
    place = None if said.lon is None else (said.lon, said.lat)
    taken = service.comment(session, notice_id, sender(request), said.name, said.text, place)
    return PublicCommentTaken(id=taken.id, state=taken.state)


@routes.get("/public-notices/{notice_id}/files", dependencies=[EVERYBODY], responses=problems(404))
def list_public_files(notice_id: NoticeId, session: Transaction) -> NoticeFilesOut:
    """List the files that belong to a plan on public notice."""
    return files_out(session, queries.notice(session, notice_id).id)


@routes.get(
    "/public-notices/{notice_id}/files/{sha256}", dependencies=[EVERYBODY], response_class=Response,
    responses=problems(404, 416) | file("*/*", "The file as it was sent.") | partial("*/*"),
)  # fmt: skip
def show_public_file(
    notice_id: NoticeId, sha256: Sha256, request: Request, session: Transaction, part: ranges.Range = None
) -> Response:
    """Return a file that belongs to a plan on public notice, or a part of it."""
    held, stored = queries.file(session, notice_id, sha256)
    return content(request, stored, held.name)


def files_out(session: Session, publication_id: int) -> NoticeFilesOut:
    """Return the files of a plan on its way as the API tells them; everybody may read them while it is on notice."""
    found = queries.files(session, publication_id)
    at = f"/api/public-notices/{publication_id}/files"
    return NoticeFilesOut(
        files=[
            NoticeFileOut(
                sha256=held.sha256, name=held.name, media_type=stored.media_type, size=stored.size,
                address=f"{at}/{held.sha256}",
            )
            for held, stored in found
        ]
    )  # fmt: skip


def _out(session: Session, found: Publication) -> PublicNoticeOut:
    names = hierarchy.names(session, {found.area_code}, clock.today())
    return PublicNoticeOut(
        id=found.id, title=found.title, area_code=found.area_code, area=names.get(found.area_code, ""),
        state=State(found.state), since=found.notice_from, until=found.notice_until,
        runs=rules.runs(found.state, found.notice_until, clock.now()),
        files=len(queries.files(session, found.id)),
        **{name: len(found.changes[name]) for name in ("new", "redrawn", "gone")},
    )  # fmt: skip
