"""Logging in over HTTP: a failure is remembered in a transaction of its own, though the request fails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request
from sqlalchemy.orm import Session

from gridmgr import db
from gridmgr.account import queries, service
from gridmgr.account.model import WrongPassword
from gridmgr.account.rules import Actor
from web import deps

T = TypeVar("T")


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
