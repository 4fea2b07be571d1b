"""Verbs of accounts: open, grant, log in and out, issue tokens. They never commit."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import queries
from gridmgr.account.model import (
    Account,
    ApiToken,
    BeyondStation,
    Imported,
    LoginAttempt,
    LoginSession,
    NoRoleLeft,
    NoSuchArea,
    PersonTwice,
    RoleGrant,
    SessionEnded,
    TooManyLogins,
    UnknownAccount,
    UnknownRole,
    UnknownWorkplace,
    UsernameTaken,
    WeakPassword,
    WrongPassword,
)
from gridmgr.account.rules import Actor, Grant, Role
from gridmgr.settings import settings
from gridmgr.sheet import Row, Sheet, SheetError

PASSWORD_MINIMUM = 10
ATTEMPT_WINDOW = timedelta(minutes=5)
hasher = PasswordHasher()


def open_account(
    session: Session, username: str, name: str, password: str, grants: Iterable[Grant],
    *, body: str | None = None, demo: bool = False,
) -> Account:  # fmt: skip
    """Open an account with its grants; a demonstration account may have a short password.

    Raises
    ------
    UsernameTaken
        Somebody has that user name.
    WeakPassword
        The password is shorter than the minimum.
    """
    if queries.by_username(session, username):
        raise UsernameTaken(username=username)
    account = Account(
        username=username,
        name=name,
        password_hash=_hash(password, demo),
        body=body,
        demo=demo,
        created_at=clock.now(),
    )
    account.grants = [RoleGrant(role=grant.role, code=grant.code) for grant in grants]
    session.add(account)
    session.flush()  # the caller needs the id
    return account


def open_many(session: Session, people: Sequence[tuple[str, str, str | None, Iterable[Grant]]]) -> None:
    """Open accounts that nobody can log in to, as (user name, name, department, grants), in two statements."""
    if not people:
        return
    nobody = hasher.hash(secrets.token_hex(16))
    opened = session.scalars(
        insert(Account).returning(Account.id, sort_by_parameter_order=True),
        [
            {
                "username": username,
                "name": name,
                "body": body,
                "password_hash": nobody,
                "created_at": clock.now(),
            }
            for username, name, body, _ in people
        ],
    ).all()
    session.execute(
        insert(RoleGrant),
        [
            {"account_id": number, "role": grant.role, "code": grant.code}
            for number, (*_, grants) in zip(opened, people, strict=True)
            for grant in grants
        ],
    )


def set_password(session: Session, username: str, password: str) -> None:
    """Give the account a new password and end all its sessions.

    Raises
    ------
    UnknownAccount, WeakPassword
    """
    account = _known(session, username)
    account.password_hash = _hash(password, demo=False)
    account.demo = False
    session.execute(delete(LoginSession).where(LoginSession.account_id == account.id))


def set_grants(session: Session, username: str, grants: Iterable[Grant]) -> None:
    """Replace all grants of an account.

    Raises
    ------
    UnknownAccount
    """
    account = _known(session, username)
    account.grants = []
    session.flush()  # deletes go before the inserts that may repeat them
    account.grants = [RoleGrant(role=grant.role, code=grant.code) for grant in grants]


def set_body(session: Session, username: str, body: str | None) -> None:
    """Say which department somebody works for; None for none.

    Raises
    ------
    UnknownAccount
    """
    _known(session, username).body = body


def set_active(session: Session, username: str, active: bool) -> None:
    """Open or close an account; a closed one has no sessions.

    Raises
    ------
    UnknownAccount
    """
    account = _known(session, username)
    account.active = active
    if not active:
        session.execute(delete(LoginSession).where(LoginSession.account_id == account.id))


def set_language(session: Session, actor: Actor, language: str) -> None:
    """Remember the language the person has chosen."""
    session.get_one(Account, actor.id).language = language


def check_login_rate(session: Session, username: str, address: str) -> None:
    """Return if one more login may be tried now from this address for this name.

    Raises
    ------
    TooManyLogins
        Too many failures by name or by address within the window.
    """
    since = clock.now() - ATTEMPT_WINDOW
    for column, value in ((LoginAttempt.username, username[:64]), (LoginAttempt.address, address)):
        recent = select(func.count(), func.min(LoginAttempt.at)).where(
            column == value, LoginAttempt.at > since
        )
        failures, first = session.execute(recent).one()
        limit = settings().login_attempts * (1 if column is LoginAttempt.username else 4)
        if failures >= limit:
            raise TooManyLogins(seconds=int((first - since).total_seconds()) + 1)


def note_failed_login(session: Session, username: str, address: str) -> None:
    """Remember one failed login, and forget those outside the window."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < clock.now() - ATTEMPT_WINDOW))
    session.add(LoginAttempt(username=username[:64], address=address, at=clock.now()))


def prove(session: Session, username: str, password: str) -> Account:
    """Return the account of whoever knows its password.

    Raises
    ------
    WrongPassword
        Unknown name, closed account or wrong password: the caller is not told which.
    """
    account = queries.by_username(session, username)
    if not _matches(account, password) or not account.active:
        raise WrongPassword
    return account


def log_in(session: Session, username: str, password: str) -> tuple[str, LoginSession]:
    """Return a new session and the secret its cookie carries.

    Raises
    ------
    WrongPassword
    """
    account = prove(session, username, password)
    secret = secrets.token_urlsafe(32)
    opened = LoginSession(
        token_hash=digest(secret),
        account_id=account.id,
        csrf=secrets.token_urlsafe(24),
        expires_at=_session_end(),
    )
    session.execute(delete(LoginSession).where(LoginSession.expires_at < clock.now()))
    session.add(opened)
    return secret, opened


def log_out(session: Session, secret: str) -> None:
    """End the session of that cookie."""
    session.execute(delete(LoginSession).where(LoginSession.token_hash == digest(secret)))


def resume(session: Session, secret: str, *, prolong: bool = True) -> tuple[Actor, LoginSession]:
    """Return who the cookie belongs to, and prolong the session, unless nobody really uses it now.

    Raises
    ------
    SessionEnded
        The cookie is unknown, expired, or its account closed.
    """
    found = queries.by_session(session, digest(secret))
    if not found or found[1].expires_at < clock.now():
        raise SessionEnded
    account, opened = found
    if prolong and _session_end() - opened.expires_at > timedelta(minutes=5):  # not a write on every request
        opened.expires_at = _session_end()
    return queries.actor_of(account), opened


def issue_token(session: Session, actor: Actor, name: str, days: int | None = None) -> tuple[str, ApiToken]:
    """Issue a bearer token to the actor's own account; the secret is returned once and never stored."""
    secret = "gm_" + secrets.token_urlsafe(32)
    expires = clock.now() + timedelta(days=days) if days else None
    token = ApiToken(
        token_hash=digest(secret), account_id=actor.id, name=name, created_at=clock.now(), expires_at=expires
    )
    session.add(token)
    session.flush()  # the caller shows the id
    return secret, token


def revoke_token(session: Session, actor: Actor, token_id: int) -> None:
    """Take back a token of the actor's own."""
    session.execute(delete(ApiToken).where(ApiToken.id == token_id, ApiToken.account_id == actor.id))


def bearer(session: Session, secret: str) -> Actor:
    """Return who the bearer token belongs to.

    Raises
    ------
    SessionEnded
        The token is unknown, expired, or its account closed.
    """
    found = queries.by_token(session, digest(secret))
    if not found or (found[1].expires_at and found[1].expires_at < clock.now()):
        raise SessionEnded
    return queries.actor_of(found[0])


def import_people(
    session: Session, actor: Actor, sheet: Sheet, areas: Callable[[Iterable[str]], Iterable[str]],
    bodies: Mapping[str, tuple[str, str]] | None = None,
) -> list[Imported]:  # fmt: skip
    """Open or change the accounts of a table of people, all or none; nobody is closed by being left out.

    `areas` returns those of the code prefixes that no unit's code begins with. An account without a
    password in the table gets one that is told this once. `bodies` tells of each name what that body is called
    now and, of a station, where it is; without any, nothing is asked of the names of bodies.

    Raises
    ------
    BadSheet
        With every cell that cannot be used; nothing is written.
    """
    lost = set(areas({grant.code for row in sheet.rows for grant in row["roles"] if grant.code}))
    wrong = (*_people_errors(sheet.rows, actor, lost), *_strange_bodies(sheet.rows, bodies or {}))
    return [_imported(session, row, bodies or {}) for row in sheet.accepted(wrong)]


def _strange_bodies(rows: Sequence[Row], bodies: Mapping[str, tuple[str, str]]) -> Iterator[SheetError]:
    """Yield the bodies nobody knows, and the roles of stationed people that reach beyond their station."""
    for row in rows if bodies else ():
        if row["body"] is None:
            continue
        if row["body"] not in bodies:
            yield row.error("body", UnknownWorkplace())
            continue
        name, territory = bodies[row["body"]]
        handling = (grant for grant in row["roles"] if grant.role is Role.DEPARTMENT_HANDLER)
        if any(not grant.code.startswith(territory) for grant in handling):
            yield row.error("roles", BeyondStation(body=name, territory=territory))


def _people_errors(rows: Sequence[Row], actor: Actor, lost: set[str]) -> Iterator[SheetError]:
    seen: set[str] = set()
    for row in rows:
        if row["username"] in seen:
            yield row.error("username", PersonTwice())
        seen.add(row["username"])
        for grant in row["roles"]:
            if grant.code in lost:
                yield row.error("roles", NoSuchArea(code=grant.code))
        if row["password"] is not None and len(row["password"]) < PASSWORD_MINIMUM:
            yield row.error("password", WeakPassword(minimum=PASSWORD_MINIMUM))
        admin = any(grant.role is Role.ADMIN for grant in row["roles"])
        if row["username"] == actor.username and not (admin and row["active"]):
            yield row.error("roles", NoRoleLeft())


def _imported(session: Session, row: Row, bodies: Mapping[str, tuple[str, str]]) -> Imported:
    body = bodies[row["body"]][0] if row["body"] in bodies else row["body"]
    account = queries.by_username(session, row["username"])
    told = (row.number, row["username"], row["name"])
    if account is None:
        secret = row["password"] or secrets.token_urlsafe(9)
        account = open_account(session, row["username"], row["name"], secret, row["roles"], body=body)
        account.active = row["active"]
        return Imported(*told, "added", None if row["password"] else secret)
    held = tuple(Grant(Role(grant.role), grant.code) for grant in account.grants)
    before = (account.name, account.body, account.active, set(held))
    if before == (row["name"], body, row["active"], set(row["roles"])):
        return Imported(*told, "unchanged")
    account.name, account.body = row["name"], body
    set_active(session, row["username"], row["active"])
    set_grants(session, row["username"], row["roles"])
    return Imported(*told, "changed")


def parse_grant(text: str) -> Grant:
    """Read `role:code`, or `role` alone for the whole district.

    Raises
    ------
    UnknownRole
    """
    role, _, code = text.partition(":")
    if role not in set(Role):
        raise UnknownRole(role=role, known=", ".join(Role))
    return Grant(Role(role), code.strip())


def _known(session: Session, username: str) -> Account:
    account = queries.by_username(session, username)
    if account is None:
        raise UnknownAccount(username=username)
    return account


def _hash(password: str, demo: bool) -> str:
    if len(password) < PASSWORD_MINIMUM and not demo:
        raise WeakPassword(minimum=PASSWORD_MINIMUM)
    return hasher.hash(password)


def _matches(account: Account | None, password: str) -> bool:
    try:
        return hasher.verify(account.password_hash if account else _nobody(), password)
    except VerifyMismatchError:
        return False


@cache
def _nobody() -> str:
    """Return the hash that is verified for unknown names, so that timing tells nothing."""
    return hasher.hash(secrets.token_hex(16))


def digest(secret: str) -> bytes:
    """Return what is stored of a cookie's or token's secret."""
    return hashlib.sha256(secret.encode()).digest()


def _session_end() -> datetime:
    return clock.now() + timedelta(hours=settings().session_hours)


def follow_units(
    session: Session, heirs: Mapping[str, str], founded: Mapping[str, str]
) -> set[tuple[int, str, str]]:
    """Move roles from units that are no more to their heirs, and give those of a unit for what was cut from it too.

    Returns who now holds what: (account, code before, code after).
    """
    held = session.scalars(
        select(RoleGrant).where(RoleGrant.code.in_([*heirs, *founded.values()])).with_for_update()
    ).all()
    before = [(each.account_id, each.role, each.code) for each in held]
    gains = {(who, role, heirs[code]): code for who, role, code in before if code in heirs}
    for new, old in founded.items():
        gains |= {(who, role, new): old for who, role, code in before if code == old}
    there = select(RoleGrant.account_id, RoleGrant.role, RoleGrant.code).where(
        RoleGrant.code.in_([code for *_, code in gains])
    )
    known = {tuple(row) for row in session.execute(there)}
    session.execute(delete(RoleGrant).where(RoleGrant.code.in_(list(heirs))))
    rows = [{"account_id": w, "role": r, "code": c} for w, r, c in gains if (w, r, c) not in known]
    if rows:
        session.execute(insert(RoleGrant), rows)
    return {(who, old, code) for (who, _, code), old in gains.items()}
