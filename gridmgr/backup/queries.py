"""What a database says of itself before it is backed up and after it is restored."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

from sqlalchemy import NullPool, create_engine, func, select, table, text
from sqlalchemy.orm import Session

from gridmgr import db
from gridmgr.account.rules import SYSTEM
from gridmgr.attachment import queries as attachment
from gridmgr.attachment.model import StoredFile
from gridmgr.audit import queries as audit
from gridmgr.casebook.queries import Search
from gridmgr.statistics import queries as statistics

# Ours are the tables of the schema that belong to no extension, no partitioned table and no job queue.
_TABLES = text("""
    SELECT relname FROM pg_class c
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
      AND relname NOT LIKE 'procrastinate\\_%' AND relname <> 'alembic_version'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY relname
""")
# Workers and triggers write there in an empty district too.
KEPT_BY_ITSELF = frozenset({"last_done", "unserved_episode", "list_version"})
FIGURES = ("reported", "accepted", "closed", "closed_on_time")


@contextmanager
def session_on(url: str, **options: str) -> Iterator[Session]:
    """Open a session on a database for reading, whose connection is closed in the end."""
    engine = create_engine(url, poolclass=NullPool, **options)
    with Session(engine) as session:
        yield session


def counts(session: Session) -> dict[str, int]:
    """Return how many rows each table holds, of whatever revision the schema is."""
    return {
        name: session.scalar(select(func.count()).select_from(table(name)))
        for name in session.scalars(_TABLES).all()
    }


def held(session: Session) -> dict[str, int]:
    """Return the tables in which something is that people put there, and how much."""
    return {name: rows for name, rows in counts(session).items() if rows and name not in KEPT_BY_ITSELF}


def figures(session: Session, since: date, until: date, has: Callable[[str], str | None]) -> dict[str, int]:
    """Return the figures of a period, and what is wrong in histories and files, of a schema as we know it.

    `has` gives the hash of what lies under the key of a stored file, None if nothing does.
    """
    totals = statistics.total(session, SYSTEM, Search(since=since, until=until)).counts
    rows = session.scalars(select(StoredFile.sha256).execution_options(yield_per=attachment.BATCH))
    states = Counter(
        "missing" if (own := has(attachment.key(each))) is None else own == each for each in rows
    )
    return {name: totals[name] for name in FIGURES} | {
        "histories broken": len(audit.verify(session).broken),
        "files missing": states["missing"],
        "files altered": states[False],
    }


def known(session: Session) -> bool:
    """Tell whether the schema is the one this gridmgr knows."""
    return db.revision(session) == db.newest_revision()
