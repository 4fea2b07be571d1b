"""Lists that hardly ever change, kept by the process and read again as soon as anybody has written them.

Triggers give each list a new version whenever one of its tables is written, by whomever and from wherever.
A transaction asks for all versions in one statement, the first time it needs a list, and goes by them until
it ends or writes a list itself. What it has written is its own until it commits: nobody else is shown it.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, String, event, text
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, SessionTransaction, mapped_column

from gridmgr.db import Base, fingerprint

LISTS: dict[str, tuple[str, ...]] = {
    "editions": ("edition",),
    "categories": ("category_table", "category"),
    "policies": ("policy_table", "policy"),
    "calendar": ("worked_hours", "special_day"),
    "accounts": ("account", "role_grant"),
    "seats": ("account", "role_grant", "shift", "leave"),
    "wishes": ("notice_wish", "notice_address", "quiet_hours"),
    "webhooks": ("webhook",),
    "bodies": ("body",),
    "responsibility": ("responsibility_list", "list_edition", "list_item", "admission"),
    "modules": ("regrouping", "module"),
    "whistle_terms": ("whistle_terms",),
    "dispatch": ("dispatch_setting",),
    "figure_terms": ("figure_terms",),
}
"""Which tables a list is read from; the triggers on them are its other half."""

T = TypeVar("T")
MOST = 64  # lists kept by a process: those of a few databases
_TABLES = frozenset(table for tables in LISTS.values() for table in tables)
# By database and list: the version, and what was read of it.
_kept: dict[tuple[str, str], tuple[UUID | None, object]] = {}


class ListVersion(Base):
    """Which version a list has, and by which transaction; the triggers write it."""

    __tablename__ = "list_version"

    list: Mapped[str] = mapped_column(String(16), primary_key=True)
    version: Mapped[UUID]
    written_by: Mapped[int] = mapped_column(BigInteger)


def kept(
    session: Session, name: str, read: Callable[[Session], T], holds: Callable[[T], bool] = lambda found: True
) -> T:
    """Return what `read` returns of a list in its present version, read only if no one here has done so yet.

    What is returned is shared with other transactions: nobody may change it, and no row in it belongs to a
    session. `read` depends on nothing but the tables of the list, and on the time of day if `holds` tells
    when what was read no longer holds.
    """
    own = session.info.setdefault("kept", {})
    if name not in own or not holds(own[name]):
        own[name] = _shared(session, name, read, holds)
    return own[name]


def _shared(session: Session, name: str, read: Callable[[Session], T], holds: Callable[[T], bool]) -> T:
    versions = _versions(session)
    if versions.get(name) is OWN:
        return _detached(session, read)
    place, version = (fingerprint(session), name), versions.get(name)
    known = _kept.get(place)
    if known is not None and known[0] == version and holds(known[1]):
        return known[1]
    found = _detached(session, read)
    session.info.pop("versions")
    if _versions(session).get(name) == version:  # else somebody has written it meanwhile
        _kept[place] = (version, found)
        for oldest in list(_kept)[:-MOST]:
            _kept.pop(oldest, None)
    return found


def _detached(session: Session, read: Callable[[Session], T]) -> T:
    """Read in a session of its own within this transaction, so that what is read belongs to no session."""
    session.flush()
    with Session(
        session.connection(), expire_on_commit=False, join_transaction_mode="rollback_only"
    ) as apart:
        return read(apart)


OWN = object()  # the version of what this transaction has written itself
_VERSIONS = text("""
    SELECT list,
           CASE WHEN written_by IS DISTINCT FROM pg_current_xact_id_if_assigned()::text::bigint THEN version END
    FROM list_version
""")


def _versions(session: Session) -> dict[str, UUID | object]:
    if "versions" not in session.info:
        found = session.connection().execute(_VERSIONS).all()
        session.info["versions"] = {name: version or OWN for name, version in found}
    return session.info["versions"]


def written(session: Session, tables: Iterable[str]) -> None:
    """Forget in this session what it has read of lists, if one of these tables belongs to one.

    Sessions do so themselves for what they write; whoever writes past them says it here.
    """
    if not _TABLES.isdisjoint(tables):
        session.info.pop("kept", None)
        session.info.pop("versions", None)


@event.listens_for(Session, "do_orm_execute")
def _after_statement(state: ORMExecuteState) -> None:
    if not state.is_select and (mapper := state.bind_mapper) is not None:
        written(state.session, [mapper.local_table.name])


@event.listens_for(Session, "after_flush")
def _after_flush(session: Session, _context: object) -> None:
    changed = {type(each) for found in (session.new, session.dirty, session.deleted) for each in found}
    written(session, [each.__tablename__ for each in changed])


@event.listens_for(Session, "after_transaction_end")
def _after_end(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is None or ended.nested:  # else it was no more than a flush
        written(session, _TABLES)
