"""What routes depend on: the transaction, the actor, and the permission every route must name."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from fastapi import Depends, Request, Response
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gridmgr import db
from gridmgr.account import service as accounts
from gridmgr.account.rules import Actor, can, require
from gridmgr.errors import Forbidden, Unauthenticated
from gridmgr.notice import queries as notices
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings
from web import rates

COOKIE = "gridmgr_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def give_cookie(answer: Response, secret: str, name: str = COOKIE) -> None:
    """Hand a secret to the browser: out of reach of scripts, and over HTTPS only in production."""
    secure = settings().environment == "production"
    answer.set_cookie(name, secret, httponly=True, samesite="lax", secure=secure, path="/")


class Undeclared(Forbidden):
    """This address names no permission, so nobody may use it."""


class ForgedForm(Forbidden):
    """This form has expired or did not come from our own page; load the page again."""


@lru_cache
def engine() -> Engine:
    """Return the engine of this process."""
    return db.engine(db.address())


def opened() -> Iterator[Session]:
    """Open the one transaction of this request; it is committed before the answer is sent."""
    with db.transaction(engine(), REACTIONS) as session:
        yield session


Transaction = Annotated[Session, Depends(opened, scope="function")]


async def form_secret(request: Request) -> str:
    """Return the secret a write carries: htmx sends it as a header, a plain form as a hidden field."""
    if request.method in SAFE or "x-csrf-token" in request.headers:
        return request.headers.get("x-csrf-token", "")
    if "form" not in request.headers.get("content-type", ""):
        return ""
    return str((await request.form()).get("csrf", ""))


def proof(request: Request) -> tuple[str, str] | None:
    """Return what a caller proves itself by, unchecked: ("bearer", token), ("cookie", secret), or None."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return "bearer", secret
    cookie = request.cookies.get(COOKIE)
    return ("cookie", cookie) if cookie else None


def wants_stream(request: Request) -> bool:
    """Tell whether the caller will go on listening: a page left open, which is no use of its session."""
    return "text/event-stream" in request.headers.get("accept", "")


def wants_page(request: Request) -> bool:
    """Tell whether a browser asks for a whole page, which shows what its reader has not read."""
    return "text/html" in request.headers.get("accept", "") and "hx-request" not in request.headers


def prover(request: Request, session: Session) -> tuple[Actor, str | None]:
    """Return whom the proof belongs to, and the forms' secret of a session.

    Raises
    ------
    Unauthenticated
        There is none, or it has ended.
    """
    given = proof(request)
    if given is None:
        raise Unauthenticated
    if given[0] == "bearer":
        actor, csrf = accounts.bearer(session, given[1]), None
    else:
        actor, login = accounts.resume(session, given[1], prolong=not wants_stream(request))
        csrf = login.csrf
    rates.remember(given, actor.id)
    return actor, csrf


def known_actor(request: Request, session: Transaction, given: Annotated[str, Depends(form_secret)]) -> Actor:
    """Return who is calling, by bearer token or session cookie; a cookie's writes need the form's secret.

    Raises
    ------
    Unauthenticated
        Neither is there, or it has ended.
    ForgedForm
        A write by cookie without the secret of that session.
    """
    actor, csrf = prover(request, session)
    if csrf is not None:
        request.state.csrf = csrf
        if request.method not in SAFE and not hmac.compare_digest(
            given.encode(errors="replace"), csrf.encode()
        ):
            raise ForgedForm
    request.state.actor = actor
    if wants_page(request):
        request.state.unread = notices.unread(session, [actor.id])[actor.id]
    return actor


CurrentActor = Annotated[Actor, Depends(known_actor, scope="function")]


@dataclass(frozen=True)
class Allow:
    """The permission a route names: a dependency that answers with the actor, or raises the reason.

    With `otherwise`, either of the two is enough.
    """

    action: str
    otherwise: str | None = None

    async def __call__(self, actor: CurrentActor) -> Actor:  # waits for nothing: no thread is spent on it
        return self.checked(actor)

    def checked(self, actor: Actor) -> Actor:
        """Return the actor if it may, else raise the reason."""
        if not (self.otherwise and can(actor, self.otherwise)):
            require(actor, self.action)
        return actor


@dataclass(frozen=True)
class Open:
    """The word of a route that it is open to everybody, logged in or not."""

    why: str

    async def __call__(self) -> None:
        return None


async def deny_by_default(request: Request) -> None:
    """Refuse every route that names neither `Allow` nor `Open` among its dependencies.

    Raises
    ------
    Undeclared
    """
    if permission(request.scope["route"]) is None:
        raise Undeclared


def permission(route: object) -> Allow | Open | None:
    """Return what a route names as its permission, the first one of its dependencies."""
    pending = list(route.dependant.dependencies)
    while pending:
        dependant = pending.pop(0)
        if isinstance(dependant.call, Allow | Open):
            return dependant.call
        pending += dependant.dependencies
    return None
