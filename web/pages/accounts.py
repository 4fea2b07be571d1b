"""All accounts, for the administrator: open, grant, close, give a new password."""

from collections.abc import Iterable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import func, select

from gis.errors import Problem
from gridmgr.account import queries, service
from gridmgr.account.rules import Actor
from gridmgr.errors import BadInput
from gridmgr.hierarchy.model import GridUnit
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


class NoName(BadInput):
    """An account needs a user name and a name."""


# What a form is filled with before anybody has sent it; `of` names the account it is about, "" a new one.
BLANK = {"of": None, "username": "", "name": "", "role": "", "code": ""}
Verb = Literal["grant", "take", "password", "close", "open"]


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
            raise NoName
        grant = service.parse_grant(f"{role}:{code}")
        service.open_account(session, username.strip(), name.strip(), password, [grant])

    return _done(
        request, session, work, {"of": "", "username": username, "name": name, "role": role, "code": code}
    )


@router.post("/accounts/{username}/{verb}")
def change(
    request: Request, session: Transaction, actor: Admin, username: Username, verb: Verb,
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
            kept = [each for each in held if each != service.parse_grant(f"{role}:{code}")]
            if not kept:
                raise NoGrant
            service.set_grants(session, username, kept)
        elif verb == "password":
            service.set_password(session, username, password)
        else:
            service.set_active(session, username, verb == "open")

    return _done(request, session, work, {"of": username, "role": role, "code": code})


def _done(request: Request, session: Transaction, work, given: dict[str, str]) -> Response:
    try:
        with session.begin_nested():
            work()
    except Problem as problem:
        session.expire_all()
        return _page(request, session, problem, given)
    return RedirectResponse("/accounts", 303)


def _page(
    request: Request,
    session: Transaction,
    problem: Problem | None = None,
    given: dict[str, str] | None = None,
) -> HTMLResponse:
    accounts = queries.listing(session)
    codes = {grant.code for account in accounts for grant in account.grants if grant.code}
    values = {
        "accounts": accounts, "problem": i18n.say(problem) if problem else "", "given": BLANK | (given or {}),
        "unknown": sorted(_without_units(session, codes)),
    }  # fmt: skip
    return render(request, "accounts.html", values, status_of(problem) if problem else 200)


def _without_units(session: Transaction, codes: Iterable[str]) -> set[str]:
    """Return the code prefixes no unit's code begins with: grants on them allow nothing."""
    left = set(codes)
    for length in {len(code) for code in left}:
        prefix = func.left(GridUnit.code, length)
        left -= set(session.scalars(select(prefix).where(prefix.in_(left)).distinct()))
    return left
