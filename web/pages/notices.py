"""A person's inbox, what they wish to get by which way, and the badge that follows along while a page is open."""

import random
from collections.abc import AsyncIterable
from datetime import timedelta
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from gis.errors import Problem
from gridmgr import clock
from gridmgr.account import service as accounts
from gridmgr.account.rules import Actor
from gridmgr.notice import queries, rules, service
from gridmgr.notice.model import Kind, Notice, Way
from gridmgr.notice.queries import Inbox
from gridmgr.settings import settings
from web import deps, i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import BigRowId, text
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Reader = Annotated[Actor, Depends(Allow("notice.view"))]
Ticked = Annotated[list[Kind], Form(default_factory=list)]
PAGE = 50
MAILS_SHOWN = 3
RETRY_MS = (2000, 6000)  # browsers come back at different moments, not all at once


@router.get("/notices", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Reader, kind: str = "", unread: str = "", after: str = ""
) -> HTMLResponse:
    """Show one page of the inbox, the unread first."""
    inbox = Inbox(Kind(kind) if kind in set(Kind) else None, True if unread == "true" else None)
    found = queries.page(session, actor, inbox, PAGE + 1, _place(after))
    shown = found[:PAGE]
    chosen = {"kind": inbox.kind or "", "unread": "true" if inbox.fresh else ""}
    values = {
        "notices": [(notice, rules.sentence(notice.kind, notice.details)) for notice in shown],
        "more": _query(chosen, after=_mark(shown[-1])) if len(found) > PAGE else "",
        "query": _query(chosen),
        "again": _query(chosen, after=after),
        "first": not after,
        "chosen": chosen,
        "kinds": list(Kind),
        "fresh": queries.unread(session, [actor.id])[actor.id],
    }
    return render(request, "fragments/notices.html" if is_fragment(request) else "notices.html", values)


def _query(chosen: dict[str, str], **more: str) -> str:
    given = {name: value for name, value in (chosen | more).items() if value}
    return "?" + urlencode(given) if given else ""


def _mark(notice: Notice) -> str:
    fresh, notice_id = queries.place(notice)
    return f"{'u' if fresh else 'r'}{notice_id}"


def _place(mark: str) -> tuple[bool, int] | None:
    """Return what `_mark` made; anything else in the address begins again."""
    digits = mark[1:]
    return (mark[0] == "u", int(digits)) if digits.isdecimal() and len(digits) < 19 else None


@router.get("/notices/{notice_id:int}")
def go_to(session: Transaction, actor: Reader, notice_id: Annotated[BigRowId, Path()]) -> Response:
    """Read a notice by going to its case."""
    notice = queries.by_id(session, actor, notice_id)
    service.read(session, actor, [notice.id])
    number, page = notice.details.get("number"), str(notice.details.get("page") or "/notices")
    return RedirectResponse(f"/incidents/{quote(str(number), safe='')}" if number else page, 303)


@router.post("/notices/read")
def read(
    session: Transaction, actor: Reader, notice: Annotated[BigRowId | None, Form()] = None,
    kind: Annotated[str, Form()] = "", back: Annotated[str, Form(max_length=200)] = "",
) -> Response:  # fmt: skip
    """Mark one notice read, or all that are shown, and return to the list."""
    ids = [notice] if notice else None
    service.read(session, actor, ids, Kind(kind) if kind in set(Kind) and not notice else None)
    return RedirectResponse(f"/notices{back if back.startswith('?') and back.isprintable() else ''}", 303)


@router.get("/notices/stream", response_class=EventSourceResponse)
async def stream(request: Request, actor: Reader) -> AsyncIterable[ServerSentEvent]:
    """Send the number of unread notices, now and, to whoever goes on listening, whenever it changes."""
    listening = deps.wants_stream(request)
    request.state.endless = listening  # the server does not wait for its end when it stops
    _how, secret = deps.proof(request)
    async for number in request.app.state.live.follow(actor.id, accounts.digest(secret)):
        if number is None:
            yield ServerSentEvent(event="end", data="")
            return
        yield ServerSentEvent(event="unread", data=number, retry=random.randint(*RETRY_MS))
        if not listening:
            return


@router.get("/notices/wishes", response_class=HTMLResponse)
def wishes(request: Request, session: Transaction, actor: Reader, done: str = "") -> HTMLResponse:
    """Show what comes by which way."""
    return _wishes(request, session, actor, done=done)


@router.post("/notices/wishes")
def wish(session: Transaction, actor: Reader, inbox: Ticked, email: Ticked, sms: Ticked) -> Response:
    """Remember what the person wants; what is not ticked is not wanted."""
    ticked = {Way.INBOX: inbox, Way.EMAIL: email, Way.SMS: sms}
    choices = {(kind, way): kind in ticked[way] for kind in rules.WISHABLE for way in rules.PERSONAL}
    service.wish(session, actor, choices)
    return RedirectResponse("/notices/wishes?done=wishes", 303)


@router.post("/notices/wishes/address")
def address(
    request: Request, session: Transaction, actor: Reader, address: Annotated[text(254), Form()] = ""
) -> Response:
    """Keep the address for mail, or with an empty one take it back."""
    try:
        service.set_email(session, actor, address)
    except Problem as problem:
        return _wishes(request, session, actor, problem=problem, given=address)
    return RedirectResponse("/notices/wishes?done=address", 303)


@router.post("/notices/wishes/phone")
def phone(
    request: Request, session: Transaction, actor: Reader, phone: Annotated[text(40), Form()] = ""
) -> Response:
    """Keep the number for short messages, or with an empty one take it back."""
    try:
        service.set_phone(session, actor, phone)
    except Problem as problem:
        return _wishes(request, session, actor, problem=problem, given_phone=phone)
    return RedirectResponse("/notices/wishes?done=address", 303)


@router.post("/notices/wishes/quiet")
def quiet(
    request: Request, session: Transaction, actor: Reader, days: Annotated[list[int], Form(default_factory=list)],
    do: Annotated[text(8), Form()] = "keep", begins: Annotated[text(5), Form()] = "",
    ends: Annotated[text(5), Form()] = "",
) -> Response:  # fmt: skip
    """Keep when the person is not to be disturbed, or that they always may be."""
    try:
        service.set_quiet(session, actor, None if do == "off" else rules.check_quiet(begins, ends, days))
    except Problem as problem:
        return _wishes(request, session, actor, problem=problem)
    return RedirectResponse("/notices/wishes?done=quiet", 303)


@router.post("/notices/wishes/test")
def test(request: Request, session: Transaction, actor: Reader) -> Response:
    """Send the person a test mail."""
    try:
        service.try_email(session, actor)
    except Problem as problem:
        return _wishes(request, session, actor, problem=problem)
    return RedirectResponse("/notices/wishes?done=test", 303)


def _wishes(
    request, session, actor: Actor, *, done="", problem=None, given=None, given_phone=None
) -> HTMLResponse:
    wished = queries.wishes(session, actor.id)
    values = {
        "choices": rules.choices(wished),
        "kinds": rules.WISHABLE,
        "ways": rules.PERSONAL,
        "fixed": rules.fixed,
        "email": queries.email_of(session, actor) or "",
        "given": given,
        "phone": (queries.phone_of(session, actor) or "") if given_phone is None else given_phone,
        "gateway": bool(settings().sms_url),
        "quiet": queries.quiet_of(session, actor.id),
        "weekdays": [clock.today() + timedelta(n - clock.today().weekday()) for n in range(7)],
        "mail": bool(settings().smtp_url),
        "mails": queries.mails_to(session, actor, MAILS_SHOWN),
        "done": done,
        "problem": i18n.say(problem) if problem else "",
    }
    return render(request, "wishes.html", values, status_of(problem) if problem else 200)
