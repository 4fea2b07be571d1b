"""Reads of accounts, and the one predicate every scoped read starts from."""

from collections.abc import Collection
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, false, func, or_, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from gridmgr import clock
from gridmgr.account.model import Account, ApiToken, LoginSession, RoleGrant, UnknownAccount
from gridmgr.account.rules import SYSTEM, Actor, Grant, Role
from gridmgr.kept import kept

T = TypeVar("T", LoginSession, ApiToken)


def visible_to(actor: Actor, *codes: InstrumentedAttribute) -> ColumnElement[bool]:
    """Return the SQL condition that any of the `codes` columns lies in the actor's scope.

    An actor without grants sees nothing; one with a grant on the empty prefix sees everything.
    """
    if "" in actor.scope:
        return true()
    conditions = [column.startswith(prefix, autoescape=True) for prefix in actor.scope for column in codes]
    return or_(*conditions) if conditions else false()


def actor_of(account: Account) -> Actor:
    """Return the account as the actor that rules and queries speak of."""
    grants = tuple(Grant(Role(grant.role), grant.code) for grant in account.grants)
    return Actor(
        account.id, account.name, grants, account.username, account.language, account.body,
        tuple(account.also),
    )  # fmt: skip


def actor_by_id(session: Session, account_id: int | None) -> Actor:
    """Return the actor of an account id; None is the system itself."""
    return SYSTEM if account_id is None else actor_of(session.get_one(Account, account_id))


def actors(session: Session, account_ids: Collection[int]) -> dict[int, Actor]:
    """Return the actors of account ids."""
    found = session.scalars(select(Account).where(Account.id.in_(account_ids)))
    return {account.id: actor_of(account) for account in found}


def actor(session: Session, username: str) -> Actor:
    """Return the actor of a user name.

    Raises
    ------
    UnknownAccount
    """
    found = by_username(session, username)
    if found is None:
        raise UnknownAccount(username=username)
    return actor_of(found)


def by_username(session: Session, username: str) -> Account | None:
    """Return the account of that user name, active or not."""
    return session.scalar(select(Account).where(Account.username == username))


def by_session(session: Session, token_hash: bytes) -> tuple[Account, LoginSession] | None:
    """Return the active account behind a session cookie and the session itself."""
    return _proved(session, LoginSession, token_hash)


def by_token(session: Session, token_hash: bytes) -> tuple[Account, ApiToken] | None:
    """Return the active account behind a bearer token and the token itself."""
    return _proved(session, ApiToken, token_hash)


def _proved(session: Session, proof: type[T], token_hash: bytes) -> tuple[Account, T] | None:
    """Return an active account and what proves it, with its grants in the same statement."""
    rows = session.execute(
        select(Account, proof)
        .join(proof, proof.account_id == Account.id)
        .where(proof.token_hash == token_hash, Account.active)
        .options(joinedload(Account.grants))
    )
    row = rows.unique().first()
    return tuple(row) if row else None


def listing(session: Session, words: str = "", role: str | None = None) -> list[Account]:
    """Return the accounts with their grants, by user name; those whose names hold the words, or one role's."""
    return list(session.scalars(_listed(words, role)))


def page(
    session: Session, words: str, role: str | None, size: int, after: str = ""
) -> tuple[list[Account], int]:
    """Return one page of accounts, going on after a user name, and how many there are in all."""
    asked = _listed(words, role)
    number = session.scalar(select(func.count()).select_from(asked.order_by(None).subquery()))
    return list(session.scalars(asked.where(Account.username > after).limit(size))), number


def _listed(words: str, role: str | None) -> Select:
    asked = select(Account).order_by(Account.username)
    if words:
        columns = (Account.username, Account.name, Account.body)
        asked = asked.where(or_(*(column.icontains(words, autoescape=True) for column in columns)))
    if role:
        asked = asked.where(Account.grants.any(RoleGrant.role == role))
    return asked


LEADING = (
    Role.STREET_LEADER, Role.STREET_DISPATCHER, Role.COMMUNITY_CLERK, Role.GRID_LEADER, Role.DEPARTMENT_HANDLER,
    Role.COMMAND_CENTRE,
)  # fmt: skip


def seated_around(session: Session, area: str, most: int = 200) -> list[tuple[str, str, str | None]]:
    """Return (user name, name, body) of open accounts with an office in an area or around it, which forms suggest."""
    around = [area[:length] for length in range(len(area) + 1)]
    inside = RoleGrant.code.startswith(area, autoescape=True) | RoleGrant.code.in_(around)
    asked = (
        select(Account.username, Account.name, Account.body)
        .where(Account.active, Account.grants.any(RoleGrant.role.in_(LEADING) & inside))
        .order_by(Account.username)
    )
    return [tuple(row) for row in session.execute(asked.limit(most))]


def open_ids(session: Session) -> frozenset[int]:
    """Return the ids of all open accounts."""
    return kept(session, "accounts", _read_open)[0]


def with_role(session: Session, role: Role) -> set[int]:
    """Return the ids of all open accounts that hold a role anywhere."""
    return kept(session, "accounts", _read_open)[1].get(role, set())


def _read_open(session: Session) -> tuple[frozenset[int], dict[Role, set[int]]]:
    ids = frozenset(session.scalars(select(Account.id).where(Account.active)))
    found: dict[Role, set[int]] = {}
    for role, account in session.execute(select(RoleGrant.role, RoleGrant.account_id)):
        if account in ids:
            found.setdefault(Role(role), set()).add(account)
    return ids, found


def living(session: Session, token_hashes: Collection[bytes]) -> set[bytes]:
    """Return those of these proofs, of sessions or bearer tokens, that still prove somebody."""
    login = (
        select(LoginSession.token_hash)
        .join(Account, Account.id == LoginSession.account_id)
        .where(LoginSession.token_hash.in_(token_hashes), LoginSession.expires_at > clock.now())
    )
    lasting = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > clock.now())
    token = (
        select(ApiToken.token_hash)
        .join(Account, Account.id == ApiToken.account_id)
        .where(ApiToken.token_hash.in_(token_hashes), lasting)
    )
    return set(session.scalars(union_all(login.where(Account.active), token.where(Account.active))))


def has_demo_accounts(session: Session) -> bool:
    """Tell whether any active account has a publicly known password."""
    return session.scalar(select(select(Account.id).where(Account.demo, Account.active).exists()))
