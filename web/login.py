"""Logging in over HTTP: a failure is remembered in a transaction of its own, though the request fails.

Before there is a session, the login form is guarded by a secret of its own: the browser holds it as a
cookie, the form sends it along, and another site, which can read neither, can log nobody in.
"""

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request
from sqlalchemy.orm import Session

from gridmgr import db
from gridmgr.account import queries, service
from gridmgr.account.model import WrongPassword
from gridmgr.account.rules import Actor
from gridmgr.settings import settings
from web import deps

T = TypeVar("T")
SECRET = re.compile(r"[\w-]{32}", re.ASCII)


def form_cookie() -> str:
    """Return the name of the login form's cookie; in production no neighbour of our host can set it."""
    return "__Host-gridmgr_form" if settings().environment == "production" else "gridmgr_form"


def guarded(request: Request) -> str:
    """Return the secret of this browser's login form, a new one if it has none yet."""
    held = request.cookies.get(form_cookie(), "")
    return held if SECRET.fullmatch(held) else secrets.token_urlsafe(24)


def check_form(request: Request, given: str) -> None:
    """Return if the form was ours.

    Raises
    ------
    ForgedForm
    """
    held = request.cookies.get(form_cookie(), "")
    if not SECRET.fullmatch(held) or not hmac.compare_digest(held, given.encode("ascii", "replace").decode()):
        raise deps.ForgedForm


@dataclass(frozen=True)
class LoggedIn:
    """What the browser gets: the cookie's secret, the forms' secret, and the language of the account."""

    secret: str
    csrf: str
    language: str | None


def log_in(request: Request, username: str, password: str) -> LoggedIn:
    """Open a session for whoever knows the password, and count those who don't.

    Raises
    ------
    WrongPassword, TooManyLogins
    """

    def opened(session: Session) -> LoggedIn:
        secret, login = service.log_in(session, username, password)
        account = queries.by_username(session, username)
        return LoggedIn(secret, login.csrf, account.language)

    return _counted(request, username, opened)


def prove(request: Request, username: str, password: str) -> Actor:
    """Return who knows the password, without opening a session, and count those who don't.

    Raises
    ------
    WrongPassword, TooManyLogins
    """
    return _counted(
        request, username, lambda session: queries.actor_of(service.prove(session, username, password))
    )


def _counted(request: Request, username: str, attempt: Callable[[Session], T]) -> T:
    address = (request.client.host if request.client else "-")[:64]
    try:
        with db.transaction(deps.engine()) as session:
            service.check_login_rate(session, username, address)
            return attempt(session)
    except WrongPassword:
        with db.transaction(deps.engine()) as session:
            service.note_failed_login(session, username, address)
        raise
