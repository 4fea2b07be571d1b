"""Comments of cases, and ready-made notes for steps."""

from typing import Annotated

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.discussion import queries, service
from gridmgr.discussion.model import LONGEST, Comment
from gridmgr.incident import queries as incidents
from gridmgr.life.model import Action
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import BigRowId, Code, RowId, Utc, text
from web.paging import Page, Paging, paged

routes = router("discussion")
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
Admin = Annotated[Actor, Depends(Allow("account.manage"))]


Said, Note, Prefix = text(LONGEST, 1), text(500, 1), text(32)


class CommentIn(BaseModel):
    """What is said; people are named with an @ before their name or user name."""

    text: Said = Field(examples=["@陈静 请协调物业到场"])


class CommentOut(BaseModel):
    """A comment; it is never changed."""

    id: int
    author: str = Field(examples=["王芳"])
    text: str
    mentions: list[int] = Field(description="The accounts it names who could see the case.", examples=[[7]])
    at: Utc


class CommentPage(Page[CommentOut]):
    """Comments, the oldest first."""


class PhraseIn(BaseModel):
    """A ready-made note for a step; `category` is the beginning of the codes it fits, empty for all."""

    action: Action
    category: Prefix = ""
    zh: Note = Field(examples=["已到场清理完毕，现场恢复整洁。"])
    en: text(500) = Field("", examples=["Cleared on site; the place is clean again."])


class PhraseOut(PhraseIn):
    """A kept phrase."""

    id: int


class PhrasePage(Page[PhraseOut]):
    """Phrases, by step."""


@routes.get("/incidents/{number}/comments", responses=problems(404))
def list_comments(
    number: Code,
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("comments", BigRowId))],
) -> CommentPage:
    """List what was said of a case."""
    incident = incidents.by_number(session, actor, number)
    found = queries.comments(session, incident.id, paging.fetch, paging.after or 0)
    return paging.page(CommentPage, found, lambda row: row.id, lambda rows: map(_out, rows))


@routes.post("/incidents/{number}/comments", status_code=201, responses=problems(404))
def comment(
    number: Code,
    said: CommentIn,
    session: Transaction,
    actor: Annotated[Actor, Depends(Allow("incident.comment"))],
) -> CommentOut:
    """Say something of a case; those named who may see it are told."""
    return _out(service.comment(session, actor, number, said.text))


@routes.get("/phrases")
def list_phrases(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("phrases", RowId))],
) -> PhrasePage:
    """List the ready-made notes."""
    found = paging.behind(queries.phrases(session), lambda row: row.id)
    return paging.page(
        PhrasePage, found, lambda row: row.id,
        lambda rows: (PhraseOut(id=r.id, action=r.action, category=r.category, zh=r.zh, en=r.en) for r in rows),
    )  # fmt: skip


@routes.post("/phrases", status_code=204)
def add_phrase(phrase: PhraseIn, session: Transaction, actor: Admin) -> Response:
    """Keep a ready-made note; the same one again takes the new English text."""
    service.set_phrase(session, phrase.action, phrase.category, phrase.zh, phrase.en)
    return Response(status_code=204)


@routes.delete("/phrases/{phrase_id}", status_code=204, responses=problems(404))
def drop_phrase(phrase_id: RowId, session: Transaction, actor: Admin) -> Response:
    """Remove a ready-made note."""
    service.drop_phrase(session, phrase_id)
    return Response(status_code=204)


def _out(made: Comment) -> CommentOut:
    return CommentOut(id=made.id, author=made.author_name, text=made.text, mentions=made.mentions, at=made.at)
