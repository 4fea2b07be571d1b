"""All accounts, for the administrator: open, grant, close, give a new password."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gis.errors import Problem
from gridmgr.account import queries, service
from gridmgr.account.model import Role
from gridmgr.account.rules import Actor, Grant
from gridmgr.errors import BadInput
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import text
from web.render import render

router = APIRouter(include_in_schema=False)
Admin = Annotated[Actor, Depends(Allow("account.manage"))]
Username = Annotated[text(64, 1), Path()]


class NotYourself(BadInput):
    """You cannot close or regrant your own account; ask another administrator."""


class NoGrant(BadInput):
    """An account needs at least one role."""


@router.get("/accounts", response_class=HTMLResponse)
def show(request: Request, session: Transaction, actor: Admin) -> HTMLResponse:
    """List the accounts."""
    return _page(request, session)


@router.post("/accounts")
def open_account(
    request: Request, session: Transaction, actor: Admin, username: Annotated[text(64), Form()] = "",
    name: Annotated[text(64), Form()] = "", password: Annotated[str, Form(max_length=200)] = "",
    role: Annotated[str, Form()] = "", code: Annotated[text(32), Form()] = "",
) -> Response:  # fmt: skip
    """Open an account with its first role."""

    def work() -> None:
        if not username.strip() or not name.strip():
            raise NoGrant
        grant = service.parse_grant(f"{role}:{code}")
        service.open_account(session, username.strip(), name.strip(), password, [grant])

    return _done(request, session, work)


@router.post("/accounts/{username}/{verb}")
def change(
    request: Request, session: Transaction, actor: Admin, username: Username, verb: str,
    role: Annotated[str, Form()] = "", code: Annotated[text(32), Form()] = "",
    password: Annotated[str, Form(max_length=200)] = "",
) -> Response:  # fmt: skip
    """Grant, take back, close, open again, or give a new password."""

    def work() -> None:
        if username == actor.username and verb != "password":
            raise NotYourself
        held = list(queries.actor(session, username).grants)
        if verb == "grant":
            added = service.parse_grant(f"{role}:{code}")
            service.set_grants(session, username, [*(each for each in held if each != added), added])
        elif verb == "take":
            kept = [each for each in held if each != Grant(Role(role), code)]
            if not kept:
                raise NoGrant
            service.set_grants(session, username, kept)
        elif verb == "password":
            service.set_password(session, username, password)
        else:
            service.set_active(session, username, verb == "open")

    return _done(request, session, work)


def _done(request: Request, session: Transaction, work) -> Response:
    try:
        with session.begin_nested():
            work()
    except Problem as problem:
        session.expire_all()
        return _page(request, session, problem)
    return RedirectResponse("/accounts", 303)


def _page(request: Request, session: Transaction, problem: Problem | None = None) -> HTMLResponse:
    values = {"accounts": queries.listing(session), "problem": i18n.say(problem) if problem else ""}
    return render(request, "accounts.html", values, status_of(problem) if problem else 200)
