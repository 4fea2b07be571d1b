"""Photos and documents: sent before the step that names them, seen by whoever may see a case that holds them."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, File, Path, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.attachment import queries, service
from gridmgr.attachment.model import StoredFile, UnknownFile
from gridmgr.attachment.rules import INLINE, plain_name
from gridmgr.claim import queries as claims
from gridmgr.consultation import queries as consultations
from gridmgr.incident import queries as incidents
from gridmgr.public_notice import queries as notices
from web import etags, ranges
from web.api.schema import file, partial, problems, router
from web.deps import Allow, Transaction

routes = router("file")
Viewer = Annotated[Actor, Depends(Allow("file.view"))]
Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", examples=["0" * 64])]
FOREVER = "private, max-age=31536000, immutable"
SANDBOX = {  # a file that turns out to be a page runs nothing, belongs to no site, and is shown in none
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; media-src 'self'; "
    "style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
MOST = 20


class FileOut(BaseModel):
    """A stored file; a step names it by `sha256`, with a name of its own."""

    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    name: str = Field(examples=["现场.jpg"])
    media_type: str = Field(description="As found in its content.", examples=["image/jpeg"])
    size: int
    width: int | None = None
    height: int | None = None
    address: str
    thumbnail: str | None = Field(description="Address of a small picture of it.")


class FilesOut(BaseModel):
    """The files, in the order they were sent."""

    items: list[FileOut]


@routes.post("/files", status_code=201, responses=problems(413))
def send_files(
    files: Annotated[list[UploadFile], File(max_length=MOST)],
    session: Transaction,
    actor: Annotated[Actor, Depends(Allow("file.add"))],
) -> FilesOut:
    """Store photos or documents by their content, all or none; what a file is, is told from its bytes.

    A file that no step names within a day is removed.
    """
    taken = []
    for each in files:
        name = plain_name(each.filename or "")
        taken.append(told(service.store(session, actor, name, each.file), name))
    return FilesOut(items=taken)


@routes.get(
    "/files/{sha256}", response_class=Response,
    responses=problems(404, 416) | file("*/*", "The file as it was sent.") | partial("*/*"),
)  # fmt: skip
def show_file(
    sha256: Sha256, request: Request, session: Transaction, actor: Viewer, part: ranges.Range = None
) -> Response:
    """Return a file, or a part of it, to whoever sent it, or may see a case or piece of work that holds it."""
    return content(request, *readable(session, actor, sha256))


def content(request: Request, found: StoredFile, name: str) -> Response:
    """Answer with a file, or the part of it that is asked for."""
    sha256 = found.sha256
    headers = kept(sha256) | {"Content-Disposition": disposition(found, name), "Accept-Ranges": "bytes"}
    if known(request, headers):
        return Response(headers=headers)
    within = ranges.asked(request, found.size, headers["ETag"])
    start, end = within or (0, found.size)
    headers["Content-Length"] = str(end - start)
    if within:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
    status = HTTPStatus.PARTIAL_CONTENT if within else HTTPStatus.OK
    pieces = queries.content(sha256, start, end if within else None)
    return StreamingResponse(pieces, status, headers, found.media_type)


@routes.get(
    "/files/{sha256}/thumbnail", response_class=Response,
    responses=problems(404) | file("image/jpeg", "At most 480 pixels wide and high, upright, without EXIF."),
)  # fmt: skip
def show_thumbnail(sha256: Sha256, request: Request, session: Transaction, actor: Viewer) -> Response:
    """Return the small picture of a picture."""
    found, _ = readable(session, actor, sha256)
    if not found.is_picture:
        raise UnknownFile
    headers = kept(f"{sha256}-thumbnail")
    content = b"" if known(request, headers) else queries.thumbnail(sha256)
    return Response(content, headers=headers, media_type="image/jpeg")


def readable(session: Session, actor: Actor, sha256: str) -> tuple[StoredFile, str]:
    """Return a file and its name, if the actor sent it or may see what holds it.

    Raises
    ------
    UnknownFile
    """
    found = queries.by_hash(session, sha256)
    held = (
        incidents.shown_file(session, actor, sha256)
        or claims.shown_file(session, actor, sha256)
        or consultations.shown_file(session, actor, sha256)
        or notices.shown_file(session, actor, sha256)
    )
    if held is None and not queries.is_sender(session, actor, sha256):
        raise UnknownFile
    return found, held.name if held else ""


def told(found: StoredFile, name: str) -> FileOut:
    """Return a stored file as the API tells it."""
    address = f"/api/files/{found.sha256}"
    same = {name: getattr(found, name) for name in ("sha256", "media_type", "size", "width", "height")}
    thumbnail = f"{address}/thumbnail" if found.is_picture else None
    return FileOut(**same, name=name, address=address, thumbnail=thumbnail)


def kept(version: str) -> dict[str, str]:
    """Return the headers of what never changes: kept by its reader's browser, for this session alone."""
    return {"ETag": etags.etag(version), "Cache-Control": FOREVER, "Vary": "Authorization, Cookie", **SANDBOX}


def known(request: Request, headers: dict[str, str]) -> bool:
    """Tell whether the caller has it already: then nothing is fetched, and the route answers 304."""
    return etags.spared(request, Response(headers=headers)).status_code == HTTPStatus.NOT_MODIFIED


def disposition(found: StoredFile, name: str) -> str:
    """Return whether a browser shows a file or saves it, and under which name."""
    way = "inline" if found.media_type in INLINE else "attachment"
    return f"{way}; filename*=UTF-8''{quote(plain_name(name) or found.sha256[:12])}"
