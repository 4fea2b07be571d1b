"""All accounts, for the administrator: open, grant, close, give a new password."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gis.errors import Problem
from gridmgr import clock
from gridmgr.account import queries, service
from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.errors import BadInput
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.organisation import queries as organisation
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
BLANK = {"of": None, "username": "", "name": "", "role": "", "code": "", "body": ""}
PAGE = 50
Verb = Literal["grant", "take", "password", "body", "close", "open"]


@dataclass(frozen=True)
class Asked:
    """What the list is narrowed to, and the user name it goes on after."""

    words: str = ""
    role: str = ""
    after: str = ""


@router.get("/accounts", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Admin, words: Annotated[text(64), Query()] = "",
    role: Annotated[text(32), Query()] = "", after: Annotated[text(64), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """List the accounts, a page at a time."""
    return _page(request, session, asked=Asked(words.strip(), role, after))


@router.post("/accounts")
def open_account(
    request: Request, session: Transaction, actor: Admin, username: Annotated[text(64), Form()] = "",
    name: Annotated[text(64), Form()] = "", password: Annotated[str, Form(max_length=200)] = "",
    role: Annotated[str, Form()] = "", code: Annotated[text(32), Form()] = "",
    body: Annotated[text(100), Form()] = "",
) -> Response:  # fmt: skip
    """Open an account with its first role."""

    def work() -> None:
        if not username.strip() or not name.strip():
            raise NoName
        grant = service.parse_grant(f"{role}:{code}")
        service.open_account(
            session, username.strip(), name.strip(), password, [grant], body=body.strip() or None
        )

    given = {"username": username, "name": name, "role": role, "code": code, "body": body}
    return _done(request, session, work, given | {"of": ""})


@router.post("/accounts/{username}/{verb}")
def change(
    request: Request, session: Transaction, actor: Admin, username: Username, verb: Verb,
    role: Annotated[str, Form()] = "", code: Annotated[text(32), Form()] = "",
    password: Annotated[str, Form(max_length=200)] = "", body: Annotated[text(100), Form()] = "",
) -> Response:  # fmt: skip
    """Grant, take back, close, open again, name the department, or give a new password."""

    def work() -> None:
        if username == actor.username and verb not in ("password", "body"):
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
        elif verb == "body":
            service.set_body(session, username, body.strip() or None)
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
    asked: Asked | None = None,
) -> HTMLResponse:
    asked = asked or Asked()
    found, number = queries.page(session, asked.words, asked.role or None, PAGE + 1, asked.after)
    codes = {grant.code for account in found for grant in account.grants if grant.code}
    values = {
        "accounts": found[:PAGE], "number": number, "asked": asked,
        "more": found[PAGE - 1].username if len(found) > PAGE else "",
        "problem": i18n.say(problem) if problem else "", "given": BLANK | (given or {}),
        "bodies": organisation.offered(session, {each.department for each in matters.in_force(session)}),
        "unknown": sorted(hierarchy.without_units(session, codes)), "importing": False,
        "names": hierarchy.names(session, codes, clock.today()),
    }  # fmt: skip
    return render(request, "accounts.html", values, status_of(problem) if problem else 200)
