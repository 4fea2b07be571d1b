"""Photos and documents: sent before the step that names them, seen by whoever may see a case that holds them."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, File, Path, Request, Response, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr import store
from gridmgr.account.rules import Actor
from gridmgr.attachment import queries, service
from gridmgr.attachment.model import StoredFile, UnknownFile
from gridmgr.attachment.rules import INLINE, plain_name
from gridmgr.incident import queries as incidents
from web.api.schema import file, problems, router
from web.deps import Allow, Transaction

routes = router("file")
Viewer = Annotated[Actor, Depends(Allow("file.view"))]
Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", examples=["0" * 64])]
FOREVER = "private, max-age=31536000, immutable"
SANDBOX = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox"
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
        taken.append(told(service.store(session, actor, name, each.file.read()), name))
    return FilesOut(items=taken)


@routes.get(
    "/files/{sha256}",
    response_class=Response,
    responses=problems(404) | file("*/*", "The file as it was sent."),
)
def show_file(sha256: Sha256, request: Request, session: Transaction, actor: Viewer) -> Response:
    """Return a file to whoever sent it, or may see a case that holds it."""
    found, name = readable(session, actor, sha256)
    way = "inline" if found.media_type in INLINE else "attachment"
    headers = {"Content-Disposition": f"{way}; filename*=UTF-8''{quote(name or sha256[:12])}"}
    return served(request, queries.key(sha256), found.media_type, headers)


@routes.get(
    "/files/{sha256}/thumbnail", response_class=Response,
    responses=problems(404) | file("image/jpeg", "At most 480 pixels wide and high, upright, without EXIF."),
)  # fmt: skip
def show_thumbnail(sha256: Sha256, request: Request, session: Transaction, actor: Viewer) -> Response:
    """Return the small picture of a picture."""
    found, _ = readable(session, actor, sha256)
    if not found.is_picture:
        raise UnknownFile
    return served(request, queries.thumbnail_key(sha256), "image/jpeg", {})


def readable(session: Session, actor: Actor, sha256: str) -> tuple[StoredFile, str]:
    """Return a file and its name in a case, if the actor sent it or may see a case that holds it.

    Raises
    ------
    UnknownFile
    """
    found = queries.by_hash(session, sha256)
    held = incidents.shown_file(session, actor, sha256)
    if held is None and (actor.id is None or found.uploaded_by != actor.id):
        raise UnknownFile
    return found, held.name if held else ""


def told(found: StoredFile, name: str) -> FileOut:
    """Return a stored file as the API tells it."""
    address = f"/api/files/{found.sha256}"
    same = {name: getattr(found, name) for name in ("sha256", "media_type", "size", "width", "height")}
    thumbnail = f"{address}/thumbnail" if found.is_picture else None
    return FileOut(**same, name=name, address=address, thumbnail=thumbnail)


def served(request: Request, key: str, media_type: str, headers: dict[str, str]) -> Response:
    """Return stored bytes that never change, in a sandbox of their own."""
    tag = f'"{key.rpartition("/")[2]}"'
    headers |= {"ETag": tag, "Cache-Control": FOREVER, "Content-Security-Policy": SANDBOX}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(store.get(key), media_type=media_type, headers=headers)
