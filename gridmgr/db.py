"""The database: its base class, its one transaction helper, and its migrations."""

import io
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import psycopg2
import shapely
from sqlalchemy import Engine, ForeignKey, MetaData, String, create_engine, event, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, make_transient_to_detached, mapped_column

from gridmgr import cluster
from gridmgr.errors import BadInput, Conflict, Unavailable
from gridmgr.events import Reactions, drain
from gridmgr.settings import settings

# A connection that only listens sends nothing, so the network is asked whether the other end is still there.
LISTENING = {
    "connect_timeout": 5, "keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10,
    "keepalives_count": 3,
}  # fmt: skip
T = TypeVar("T", bound="Base")
FEW = 8  # rows that are sent with their statement
MOMENT = 0.1  # seconds over which notifications are gathered
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


class Unstorable(BadInput):
    """The database cannot hold a value: {reason}"""


class Overtaken(Conflict):
    """Somebody else has just written the same thing, or removed what this stands on; look again."""


class NoAnswer(Unavailable):
    """The database does not answer: {reason}"""


class Base(DeclarativeBase):
    """Base of all tables, with one naming convention for constraints."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Done:
    """What tables of things done to something have in common: what was done, by whom, when."""

    deed: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    actor_name: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


def address() -> str:
    """Return where the database is: as the settings say, or the private cluster, started if need be.

    Raises
    ------
    ClusterProblem
        The private cluster cannot be made or started.
    """
    return settings().database_url or cluster.start(settings().home).url()


def engine(url: str) -> Engine:
    """Return a pooled engine on `url`; a connection that died while idle is replaced unseen.

    PostgreSQL compiles none of our statements: that takes longer than they do.
    """
    made = create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=30)
    event.listen(made, "connect", _compile_nothing)
    return made


def _compile_nothing(connection: psycopg2.extensions.connection, _record: object) -> None:
    """Say so to each connection itself: a pooler in between may take no options at its start."""
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")
    connection.commit()


@contextmanager
def transaction(on: Engine, reactions: Reactions | None = None) -> Iterator[Session]:
    """Open the one transaction of a request or a job; drain its events; commit all or nothing.

    Raises
    ------
    Unavailable
        The database went away, or its disk is full; nothing was written.
    Unstorable, Overtaken
        The database refuses a value, or a row that contradicts another one.
    """
    session = Session(on, expire_on_commit=False)
    try:
        yield session
        drain(session, reactions or {})
        session.commit()
    except (OperationalError, psycopg2.OperationalError) as lost:
        session.invalidate()
        raise Unavailable from lost
    except (DataError, psycopg2.DataError) as refused:
        raise Unstorable(reason=_first_line(refused)) from refused
    except (IntegrityError, psycopg2.IntegrityError) as refused:
        raise Overtaken from refused
    finally:
        session.close()


@contextmanager
def apart(session: Session) -> Iterator[None]:
    """Do a part of a transaction that may fail without the rest.

    Raises
    ------
    Unavailable
        The database went away; the rest fails too.
    """
    try:
        with session.begin_nested():
            yield
    except (OperationalError, psycopg2.OperationalError) as lost:
        raise Unavailable from lost


@contextmanager
def rehearsed(session: Session, *, keep: bool) -> Iterator[None]:
    """Do a piece of work inside a transaction, to see what it would do: it is undone again unless `keep`.

    What goes wrong undoes it too, and goes on.
    """
    told = list(session.info.get("events", ()))
    savepoint = session.begin_nested()
    try:
        yield
        session.flush()  # what the database refuses is refused in the rehearsal
    except BaseException:
        keep = False
        raise
    finally:
        if keep:
            savepoint.commit()
        else:
            savepoint.rollback()
            session.expire_all()
            session.info["events"] = told


async def listen(on: Engine, channel: str, patience: float) -> AsyncIterator[set[str]]:
    """Yield what is notified on a channel, gathered over moments, from one connection beside the pool.

    An empty set comes when listening begins, and whenever nothing came for `patience` seconds.

    Raises
    ------
    Unavailable
        The database does not answer, or went away; whatever was notified since is lost.
    """
    import psycopg  # only the server listens

    address = on.url.translate_connect_args(username="user", database="dbname") | dict(on.url.query)
    try:
        async with await psycopg.AsyncConnection.connect(
            **LISTENING | address, autocommit=True
        ) as connection:
            await connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
            yield set()
            while True:
                first = connection.notifies(timeout=patience, stop_after=1)
                heard = {note.payload async for note in first}
                if heard:
                    heard |= {note.payload async for note in connection.notifies(timeout=MOMENT)}
                yield heard
    except psycopg.OperationalError as lost:
        raise Unavailable from lost


def _first_line(error: Exception) -> str:
    """Return what the driver says; rows that are copied meet it without SQLAlchemy in between."""
    return str(getattr(error, "orig", error)).partition("\n")[0]


def migrate(url: str, target: str = "head") -> None:
    """Bring the schema at `url` to the newest revision, or to an older one; several processes may ask at once.

    Raises
    ------
    NoAnswer
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    try:
        command.upgrade(config, target)
    except OperationalError as lost:
        raise NoAnswer(reason=_first_line(lost)) from lost


def revision(session: Session) -> str | None:
    """Return the revision of the schema; None if there is none."""
    if session.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    return session.scalar(text("SELECT version_num FROM alembic_version"))


@lru_cache
def newest_revision() -> str:
    """Return the newest revision of the schema that this code knows."""
    return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def copy_rows(session: Session, table: type[Base], columns: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Append rows to a table in one stream (COPY), the fastest way PostgreSQL knows; None is NULL.

    A few go as one INSERT of the same texts: a stream costs two more ways to the server and back.
    """
    rows, into = list(rows), f"{table.__tablename__} ({', '.join(columns)})"
    with session.connection().connection.cursor() as cursor:
        if len(rows) > FEW:
            stream = io.StringIO("".join("\t".join(map(_copied, row)) + "\n" for row in rows))
            cursor.copy_expert(f"COPY {into} FROM STDIN", stream)
        elif rows:
            places = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(rows))
            values = [_told(value) for row in rows for value in row]
            cursor.execute(f"INSERT INTO {into} VALUES {places}", values)


def copied(session: Session, row: T) -> T:
    """Return a row that was copied as one the session has read: it holds all that the database holds."""
    make_transient_to_detached(row)
    session.add(row)
    return row


def _told(value: object) -> str | None:
    if value is None:
        return None
    return rf"\x{value.hex()}" if isinstance(value, bytes) else str(value).replace("\0", "")


def _copied(value: object) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, bytes):
        return r"\\x" + value.hex()
    if isinstance(value, str):
        return value.translate(_COPY_ESCAPES) if _COPY_SPECIAL.search(value) else value
    return str(value)


_COPY_SPECIAL = re.compile(r"[\\\t\n\r\0]")  # looking is cheaper than translating
_COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\0": None})


def copy_frame(session: Session, table: type[Base], rows: pd.DataFrame) -> None:
    """Append a frame whose columns carry the table's names; missing values are NULL."""
    plain = rows.astype(object)
    plain = plain.where(plain.notna(), None)
    copy_rows(session, table, list(rows.columns), plain.itertuples(index=False, name=None))


def ewkb(shapes: np.ndarray, srid: int) -> np.ndarray:
    """Return geometries as PostGIS reads them in text: hexadecimal EWKB."""
    return shapely.to_wkb(shapely.set_srid(shapes, srid), hex=True, include_srid=True)


def statement(path: Path) -> str:
    """Return the SQL of a file without its comments: what is told of a parameter there must not become one."""
    return re.sub(r"^\s*--.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)


def fingerprint(session: Session) -> str:
    """Return a short name of this very database, for what is derived from it; each connection asks once."""
    connection = session.connection()
    if "fingerprint" not in connection.info:
        connection.info["fingerprint"] = "{:x}-{}".format(*connection.execute(FINGERPRINT).one())
    return connection.info["fingerprint"]


FINGERPRINT = text("""
    SELECT system_identifier, pg_database.oid FROM pg_control_system(), pg_database
    WHERE datname = current_database()
""")
