"""Logging in and out, and the language of the interface."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gridmgr.account import queries, service
from gridmgr.account.model import TooManyLogins, WrongPassword
from gridmgr.settings import settings
from web import i18n
from web.deps import COOKIE, Allow, ForgedForm, Open, Transaction, give_cookie
from web.errors import status_of
from web.login import check_form, form_cookie, guarded, log_in
from web.render import render

router = APIRouter(include_in_schema=False)
YEAR = 365 * 24 * 3600


def own_path(path: str) -> str:
    """Return the path if it leads to a page of ours, else the first page."""
    return path if path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable() else "/"


def demo_accounts(session: Transaction) -> list:
    """Return the accounts whose password may be shown: those of a demonstration, in development."""
    if settings().environment != "development" or not queries.has_demo_accounts(session):
        return []
    return [account for account in queries.listing(session) if account.demo and account.active]


@router.get("/login", response_class=HTMLResponse, dependencies=[Depends(Open("to log in"))])
def ask(request: Request, session: Transaction, next: str = "/") -> HTMLResponse:
    """Show the login form."""
    return _form(request, session, next)


@router.post("/login", dependencies=[Depends(Open("to log in"))])
def enter(
    request: Request,
    session: Transaction,
    username: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=200)] = "",
    next: Annotated[str, Form()] = "/",
    csrf: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Log in and go where the person wanted to go; a failure shows the form again with its reason."""
    try:
        check_form(request, csrf)
        opened = log_in(request, username.strip(), password)
    except (ForgedForm, WrongPassword, TooManyLogins) as problem:
        return _form(request, session, next, username, problem)
    answer = RedirectResponse("/desk" if own_path(next) == "/" else own_path(next), 303)
    give_cookie(answer, opened.secret)
    if opened.language in i18n.LANGUAGES:
        _remember(answer, opened.language)
    return answer


def _form(request, session, next, username="", problem=None) -> HTMLResponse:
    request.state.csrf = guarded(request)
    values = {
        "next": own_path(next),
        "username": username,
        "error": i18n.say(problem) if problem else "",
        "demo": demo_accounts(session),
    }
    answer = render(request, "login.html", values, status_of(problem) if problem else 200)
    give_cookie(answer, request.state.csrf, form_cookie())
    if isinstance(problem, TooManyLogins):
        answer.headers["Retry-After"] = str(problem.details["seconds"])
    return answer


@router.post("/logout", dependencies=[Depends(Allow("account.self"))])
def leave(request: Request, session: Transaction) -> Response:
    """End the session of this browser."""
    service.log_out(session, request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.get("/language/{language}", dependencies=[Depends(Open("the login page has a language too"))])
def speak(request: Request, session: Transaction, language: str, next: str = "/") -> Response:
    """Choose a language, remember it for the person, and return to the page."""
    answer = RedirectResponse(own_path(next), 303)
    if language in i18n.LANGUAGES:
        _remember(answer, language)
        if COOKIE in request.cookies:
            _remember_for_person(session, request.cookies[COOKIE], language)
    return answer


def _remember(answer: Response, language: str) -> None:
    answer.set_cookie("lang", language, max_age=YEAR, samesite="lax", path="/")


def _remember_for_person(session: Transaction, secret: str, language: str) -> None:
    try:
        actor, _ = service.resume(session, secret)
    except service.SessionEnded:
        return
    service.set_language(session, actor, language)
