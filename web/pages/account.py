"""A person's own account: password and tokens for programs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select

from gis.errors import Problem
from gridmgr import clock
from gridmgr.account import service
from gridmgr.account.model import ApiToken, WrongPassword
from gridmgr.account.rules import Actor
from gridmgr.errors import BadInput
from gridmgr.hierarchy import queries as hierarchy
from web import i18n
from web.deps import Allow, Transaction, give_cookie
from web.errors import status_of
from web.fields import Line
from web.login import log_in
from web.render import render

router = APIRouter(include_in_schema=False)
Person = Annotated[Actor, Depends(Allow("account.self"))]


class PasswordsDiffer(BadInput):
    """The two new passwords are not the same."""


@router.get("/account", response_class=HTMLResponse)
def show(request: Request, session: Transaction, actor: Person, done: str = "") -> HTMLResponse:
    """Show the account."""
    return _page(request, session, actor, done=done)


@router.post("/account/password")
def change(
    request: Request, session: Transaction, actor: Person, old: Annotated[str, Form(max_length=200)] = "",
    new: Annotated[str, Form(max_length=200)] = "", again: Annotated[str, Form(max_length=200)] = "",
) -> Response:  # fmt: skip
    """Change the password; every other browser is logged out, this one goes on."""
    try:
        if new != again:
            raise PasswordsDiffer
        log_in(request, actor.username, old)  # counts wrong guesses like a login does
        with session.begin_nested():
            service.set_password(session, actor.username, new)
            secret, _opened = service.log_in(session, actor.username, new)
    except Problem as problem:
        return _page(request, session, actor, problem=problem)
    answer = RedirectResponse("/account?done=password", 303)
    give_cookie(answer, secret)
    return answer


@router.post("/account/tokens", response_class=HTMLResponse)
def issue(
    request: Request, session: Transaction, actor: Person, name: Annotated[Line, Form()],
    days: Annotated[int, Form(ge=1, le=3650)] = 90,
) -> HTMLResponse:  # fmt: skip
    """Issue a token and show its secret, this once."""
    secret, _token = service.issue_token(session, actor, name.strip() or "—", days)
    return _page(request, session, actor, secret=secret)


@router.post("/account/tokens/{token}/revoke")
def revoke(session: Transaction, actor: Person, token: int) -> Response:
    """Revoke one of the person's own tokens."""
    service.revoke_token(session, actor, token)
    return RedirectResponse("/account?done=revoked", 303)


def _page(request, session, actor, *, problem=None, secret="", done="") -> HTMLResponse:
    told = i18n.say(problem) if problem else ""
    if isinstance(problem, WrongPassword):
        told = i18n._("The present password is wrong.")
    tokens = select(ApiToken).where(ApiToken.account_id == actor.id).order_by(ApiToken.id)
    values = {
        "tokens": list(session.scalars(tokens)), "problem": told, "secret": secret, "done": done,
        "names": hierarchy.names(session, {each.code for each in actor.grants}, clock.today()),
    }  # fmt: skip
    return render(request, "account.html", values, status_of(problem) if problem else 200)
