"""Accounts, their grants, and the proofs of who is calling."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gridmgr.db import Base
from gridmgr.errors import BadInput, Conflict, Forbidden, NotFound, TooMany, Unauthenticated

Instant = TIMESTAMP(timezone=True)


class Role(StrEnum):
    """What a person is, in the words of the field."""

    GRID_MEMBER = "grid_member"  # 网格员
    GRID_LEADER = "grid_leader"  # 网格长
    COMMUNITY_CLERK = "community_clerk"  # 社区坐席
    STREET_DISPATCHER = "street_dispatcher"  # 街道派遣员
    STREET_LEADER = "street_leader"  # 街道负责人
    DEPARTMENT_HANDLER = "department_handler"  # 部门处置员
    COMMAND_CENTRE = "command_centre"  # 指挥中心
    PLANNER = "planner"  # 规划员
    ADMIN = "admin"  # 管理员


class Account(Base):
    """A person who can log in; `demo` marks one whose password is public knowledge."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str] = mapped_column(String(255))
    language: Mapped[str | None] = mapped_column(String(2))
    body: Mapped[str | None] = mapped_column(String(100), index=True)  # the department worked for
    also: Mapped[list[str]] = mapped_column(  # task forces, for a time, beside it
        ARRAY(String(100)), default=list, server_default=text("'{}'")
    )
    active: Mapped[bool] = mapped_column(default=True)
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Instant)
    grants: Mapped[list["RoleGrant"]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", order_by="RoleGrant.id"
    )


class RoleGrant(Base):
    """A role on every unit whose code begins with `code`; the empty code is the whole district."""

    __tablename__ = "role_grant"
    __table_args__ = (UniqueConstraint("account_id", "role", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(String(32))


class LoginSession(Base):
    """A browser that has logged in; the cookie's secret is stored as its hash only."""

    __tablename__ = "login_session"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(Instant)


class ApiToken(Base):
    """A bearer token for programs; its secret is shown once and stored as its hash only."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)


class LoginAttempt(Base):
    """A failed login, kept to slow down guessing by name and by network address."""

    __tablename__ = "login_attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), index=True)
    address: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(Instant)


class WrongPassword(Unauthenticated):
    """The user name or the password is wrong."""


class SessionEnded(Unauthenticated):
    """The session has ended; log in again."""


class TooManyLogins(TooMany):
    """Too many failed logins; wait {seconds} seconds."""


class NotGranted(Forbidden):
    """None of your roles ({roles}) allows this: {action}."""


class OutsideGrant(Forbidden):
    """Your roles allow this only in {codes}, not in {code}."""


class UnknownAccount(NotFound):
    """There is no account {username}."""


class UsernameTaken(Conflict):
    """The user name {username} is taken."""


class WeakPassword(BadInput):
    """A password needs at least {minimum} characters."""


class UnknownRole(BadInput):
    """There is no role {role}; the roles are {known}."""


class NotARole(BadInput):
    """“{role}” is no role; the roles are {known}."""


class NoSuchArea(BadInput):
    """No unit's code begins with {code}."""


class PersonTwice(BadInput):
    """This user name stands in an earlier row too."""


class UnknownWorkplace(BadInput):
    """There is no body of that name; found it first."""


class BeyondStation(BadInput):
    """{body} is stationed in {territory}; this role reaches beyond."""


class NoRoleLeft(BadInput):
    """The administrator who imports must stay one."""


@dataclass(frozen=True)
class Imported:
    """What a row of a table of people does: to whom, and the first password of a new account, shown once."""

    row: int
    username: str
    name: str
    fate: str  # added, changed, unchanged
    password: str | None = None
