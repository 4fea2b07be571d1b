"""A person's own notices: read them, and wish which kinds come by which way."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.notice import queries, rules, service
from gridmgr.notice.model import Kind, Notice, Quiet
from gridmgr.notice.queries import Inbox
from gridmgr.settings import settings
from web.api.schema import router
from web.deps import Allow, Transaction
from web.fields import BigRowId, Utc, text
from web.paging import Page, Paging, paged

routes = router("notice")
Reader = Annotated[Actor, Depends(Allow("notice.view"))]


class NoticeOut(BaseModel):
    """One thing the caller was told; `text` says it in the language of the `lang` cookie."""

    id: int = Field(examples=[1042])
    kind: Kind
    text: str = Field(examples=["催办：202611270000042 暴露垃圾 的时限已用 80%，办结时限：2026-11-30 11:30"])
    important: bool
    incident: str | None = Field(description="The number of its case.", examples=["202611270000042"])
    details: dict[str, Any]
    created_at: Utc
    read_at: Utc | None


class NoticePage(Page[NoticeOut]):
    """Notices, the unread first, then the newest."""


class Unread(BaseModel):
    """How many the caller has not read; counted no further than 1000."""

    unread: int = Field(examples=[3])


class ReadIn(BaseModel):
    """Which notices have been read: these, all of one kind, or with neither all of them."""

    ids: list[BigRowId] | None = Field(None, max_length=1000)
    kind: Kind | None = None


class ReadOut(BaseModel):
    """How many of them were unread."""

    read: int


class Wish(BaseModel):
    """Whether one kind comes by one way."""

    kind: Kind
    way: Literal[*rules.PERSONAL]
    wanted: bool


class WishOut(Wish):
    """Whether one kind comes by one way; nobody may choose where it is `fixed`."""

    fixed: bool


class QuietHours(BaseModel):
    """When the caller is not to be disturbed; what is important comes all the same."""

    begins: text(5, 1) = Field(examples=["22:00"])
    ends: text(5, 1) = Field(description="Not later than the beginning: the next day.", examples=["07:00"])
    days: list[int] = Field(
        list(range(7)),
        max_length=7,
        description="On which days they begin; 0 is Monday.",
        examples=[[0, 1, 2, 3, 4]],
    )


class WishesOut(BaseModel):
    """What comes to the caller by which way."""

    email: str | None = Field(examples=["li@city.example"])
    mail: bool = Field(description="Whether a mail server is set up here; without one no mails are made.")
    phone: str | None = Field(examples=["13812345678"])
    gateway: bool = Field(description="Whether a gateway for short messages is set up here.")
    quiet: QuietHours | None
    wishes: list[WishOut]


class WishesIn(BaseModel):
    """What to change; what is not named stays as it is."""

    email: text(254) | None = Field(None, description="An empty one takes the address back.")
    phone: text(40) | None = Field(None, description="A mobile phone's number; an empty one takes it back.")
    quiet: QuietHours | Literal["none"] | None = Field(
        None, description="Quiet hours, or `none` to have none any more."
    )
    wishes: list[Wish] = Field([], max_length=200)


@routes.get("/notices")
def list_notices(
    session: Transaction,
    actor: Reader,
    paging: Annotated[Paging[tuple[bool, int]], Depends(paged("notices", tuple[bool, BigRowId]))],
    kind: Kind | None = None,
    unread: Annotated[bool | None, Query(description="Only the unread, or only the others.")] = None,
) -> NoticePage:
    """List the caller's own notices, the unread first, then the newest."""
    found = queries.page(session, actor, Inbox(kind, unread), paging.fetch, paging.after)
    return paging.page(NoticePage, found, queries.place, lambda rows: map(_out, rows))


@routes.get("/notices/unread")
def count_unread(session: Transaction, actor: Reader) -> Unread:
    """Say how many notices the caller has not read."""
    return Unread(unread=queries.unread(session, [actor.id])[actor.id])


@routes.post("/notices/read")
def read_notices(which: ReadIn, session: Transaction, actor: Reader) -> ReadOut:
    """Mark notices of the caller read; those of others, and unknown ones, are passed over."""
    return ReadOut(read=service.read(session, actor, which.ids, which.kind))


@routes.get("/notices/wishes")
def show_wishes(session: Transaction, actor: Reader) -> WishesOut:
    """Show which kinds of notices come to the caller by which way."""
    return _wishes(session, actor)


@routes.put("/notices/wishes")
def change_wishes(wishes: WishesIn, session: Transaction, actor: Reader) -> WishesOut:
    """Change the caller's address for mail, and which kinds come by which way."""
    if wishes.email is not None:
        service.set_email(session, actor, wishes.email)
    if wishes.phone is not None:
        service.set_phone(session, actor, wishes.phone)
    if wishes.quiet is not None:
        given = wishes.quiet
        quiet = None if given == "none" else rules.check_quiet(given.begins, given.ends, given.days)
        service.set_quiet(session, actor, quiet)
    service.wish(session, actor, {(each.kind, each.way): each.wanted for each in wishes.wishes})
    return _wishes(session, actor)


@routes.post("/notices/test", status_code=202)
def try_mail(session: Transaction, actor: Reader) -> Response:
    """Send the caller a mail of no other meaning than that mail arrives."""
    service.try_email(session, actor)
    return Response(status_code=202)


def _out(notice: Notice) -> NoticeOut:
    return NoticeOut(
        id=notice.id, kind=notice.kind, text=rules.sentence(notice.kind, notice.details),
        important=notice.important, incident=notice.details.get("number"), details=notice.details,
        created_at=notice.created_at, read_at=notice.read_at,
    )  # fmt: skip


def _wishes(session: Session, actor: Actor) -> WishesOut:
    wished, quiet = queries.wishes(session, actor.id), queries.quiet_of(session, actor.id)
    return WishesOut(
        phone=queries.phone_of(session, actor),
        gateway=bool(settings().sms_url),
        quiet=quiet and _quiet(quiet),
        email=queries.email_of(session, actor),
        mail=bool(settings().smtp_url),
        wishes=[
            WishOut(kind=kind, way=way, wanted=wanted, fixed=rules.fixed(kind, way))
            for (kind, way), wanted in rules.choices(wished).items()
        ],
    )


def _quiet(quiet: Quiet) -> QuietHours:
    begins, ends = (f"{each // 60:02d}:{each % 60:02d}" for each in (quiet.begins, quiet.ends))
    return QuietHours(begins=begins, ends=ends, days=sorted(quiet.days))
