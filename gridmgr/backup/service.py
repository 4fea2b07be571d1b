"""Verbs of backups: make one while everything runs, restore one beside what is there, then change places.

They open their own connections: `pg_dump` reads one snapshot, and a restore is another database until
the last moment.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import create_engine, func, make_url, select, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from gridmgr import clock, db, store
from gridmgr.account.model import Account
from gridmgr.account.rules import SYSTEM
from gridmgr.attachment import queries as attachment
from gridmgr.attachment.model import StoredFile
from gridmgr.audit import queries as audit
from gridmgr.backup.model import (
    Altered,
    BackupFailed,
    Manifest,
    NoBackup,
    NotEmpty,
    Restored,
    RestoreFailed,
    Unlike,
)
from gridmgr.casebook.queries import Search
from gridmgr.cluster_home import Home
from gridmgr.escalation.model import CaseClock, RungClimbed
from gridmgr.hierarchy.model import GridUnit
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.notice.model import Notice
from gridmgr.settings import settings
from gridmgr.statistics import queries as statistics

PREFIX = "gridmgr-"
PERIOD = timedelta(days=90)
WHOLE = ("--format=custom", "--exclude-table-data=spatial_ref_sys")  # which PostGIS itself brings along
AS_WE_ARE = ("--no-owner", "--no-comments", "--exit-on-error")  # whoever restores need not own the extensions
COUNTED = (Account, GridUnit, Incident, IncidentEvent, CaseClock, RungClimbed, StoredFile, Notice)


def backup(url: str, out: Path, keep: int | None = None) -> Path:
    """Make a backup in a folder of its own below `out`, while server and workers run; returns the folder.

    The database is one snapshot; files are copied after it, so that all it names are there. With `keep`
    only so many of the newest backups stay.

    Raises
    ------
    BackupFailed
        No part of it is left.
    """
    out.mkdir(parents=True, exist_ok=True)
    part = out / f".{PREFIX}{os.getpid()}"
    try:
        part.mkdir()
        with _snapshot(url) as (session, name):
            until = clock.today()
            told = _told(session, until - PERIOD, until)
            dump = part / "database.dump"
            _run("pg_dump", url, *WHOLE, f"--snapshot={name}", f"--file={dump}")
        _copy_files(part / "files")
        made = clock.now()
        manifest = Manifest(
            made.isoformat(), parts={"database.dump": _sha256(part / "database.dump")}, **told
        )
        (part / "manifest.json").write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=1))
        done = out / f"{PREFIX}{clock.local(made):%Y%m%d-%H%M%S}"
        part.rename(done)
    except (OSError, subprocess.CalledProcessError, store.StoreDown) as failed:
        shutil.rmtree(part, ignore_errors=True)
        raise BackupFailed(reason=_reason(failed)) from failed
    if keep:
        for old in sorted(out.glob(f"{PREFIX}*"))[:-keep]:
            shutil.rmtree(old)
    return done


def restore(url: str, folder: Path, *, replace: bool = False) -> Restored:
    """Restore a backup beside the database at `url`, compare it, and let it take that one's place.

    Raises
    ------
    NoBackup, Altered
        The backup is not whole; nothing was touched.
    NotEmpty
        The database holds incidents, and `replace` was not said.
    Unlike
        What was restored is not what was backed up; the database is as it was.
    RestoreFailed
    """
    manifest = _read(folder)
    count = _incidents(url)
    if count and not replace:
        raise NotEmpty(count=count)
    target = make_url(url)
    fresh = target.set(database=f"{target.database}_restored_{os.getpid()}")
    try:
        with _administration(target) as admin:
            admin.execute(text(f'CREATE DATABASE "{fresh.database}"'))
        _run(
            "pg_restore",
            _plain(fresh),
            "--no-owner",
            "--no-comments",
            "--exit-on-error",
            str(folder / "database.dump"),
        )
        _bring_files(folder / "files")
        found = _compare(_plain(fresh), manifest)
    except (OSError, subprocess.CalledProcessError, store.StoreDown) as failed:
        _drop(target, fresh.database)
        raise RestoreFailed(reason=_reason(failed)) from failed
    if found.differs:
        _drop(target, fresh.database)
        raise Unlike(names=", ".join(found.differs))
    _change_places(target, fresh.database)
    return found


@contextmanager
def _snapshot(url: str):
    """Open a session on one state of the database, and the name by which pg_dump reads the same one."""
    engine = create_engine(url, isolation_level="REPEATABLE READ")
    with Session(engine) as session:
        yield session, session.scalar(text("SELECT pg_export_snapshot()"))
    engine.dispose()


def _told(session: Session, since, until) -> dict:
    figures = statistics.total(session, SYSTEM, Search(since=since, until=until))
    return {
        "revision": session.scalar(text("SELECT version_num FROM alembic_version")),
        "counts": {t.__tablename__: session.scalar(select(func.count()).select_from(t)) for t in COUNTED},
        "figures": {name: figures.counts[name] for name in ("reported", "accepted", "closed", "closed_on_time")},
        "since": since.isoformat(), "until": until.isoformat(),
        "stored_files": session.scalar(select(func.count()).select_from(StoredFile)),
    }  # fmt: skip


def _compare(url: str, manifest: Manifest) -> Restored:
    """Look at a restored database with the eyes with which it was looked at before."""
    engine = create_engine(url)
    with Session(engine) as session:
        now = _told(session, date.fromisoformat(manifest.since), date.fromisoformat(manifest.until))
        chains, files = audit.verify(session), attachment.verify(session)
    engine.dispose()
    rows = [("revision", manifest.revision, now["revision"])]
    for kind in ("counts", "figures"):
        before, after = getattr(manifest, kind), now[kind]
        rows += [(name, before[name], after[name]) for name in before]
    rows += [
        ("histories broken", 0, len(chains.broken)),
        ("files missing", 0, len(files.missing)),
        ("files altered", 0, len(files.altered)),
    ]
    return Restored(tuple(rows))


def _read(folder: Path) -> Manifest:
    try:
        manifest = Manifest(**json.loads((folder / "manifest.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError) as wrong:
        raise NoBackup(folder=folder) from wrong
    for part, sha256 in manifest.parts.items():
        if not (folder / part).is_file() or _sha256(folder / part) != sha256:
            raise Altered(part=part)
    for path in (folder / "files").rglob("*"):
        if path.is_file() and path.suffix == "" and _sha256(path) != path.name:
            raise Altered(part=path.relative_to(folder))
    return manifest


def _copy_files(folder: Path) -> None:
    folder.mkdir()
    for key, _ in store.listing(""):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.get(key))


def _bring_files(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            store.put(path.relative_to(folder).as_posix(), path.read_bytes())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _incidents(url: str) -> int:
    """How many incidents a database holds; none, if it has no schema yet."""
    engine = create_engine(url)
    with engine.connect() as connection:
        there = connection.scalar(text("SELECT to_regclass('incident')"))
        count = connection.scalar(text("SELECT count(*) FROM incident")) if there else 0
    engine.dispose()
    return count


def _run(program: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on a database; its password goes by the environment."""
    parts = make_url(url)
    host = parts.query.get("host") or parts.host or ""
    words = {
        "PGHOST": host, "PGPORT": str(parts.port or 5432), "PGUSER": parts.username or "",
        "PGPASSWORD": parts.password or "", "PGDATABASE": parts.database or "",
    }  # fmt: skip
    place = Home(settings().home.resolve()).programs() / program
    target = [f"--dbname={parts.database}"] if program == "pg_restore" else []
    subprocess.run(
        [str(place), *target, *arguments], env=os.environ | {k: v for k, v in words.items() if v},
        check=True, capture_output=True, text=True,
    )  # fmt: skip


def _reason(failed: Exception) -> str:
    if isinstance(failed, subprocess.CalledProcessError):
        lines: Iterable[str] = filter(None, (failed.stderr or "").strip().splitlines())
        return next(iter(reversed(list(lines))), f"{failed.cmd[0]}: {failed.returncode}")
    return str(failed)


def _plain(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@contextmanager
def _administration(target: URL):
    engine = create_engine(target.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _drop(target: URL, database: str) -> None:
    with _administration(target) as admin:
        admin.execute(text(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'))


_TERMINATE = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")


def _change_places(target: URL, fresh: str) -> None:
    """The restored database takes the name of the old one, which is dropped only after that."""
    old = f"{target.database}_replaced_{os.getpid()}"
    with _administration(target) as admin:
        admin.execute(_TERMINATE, {"name": target.database})
        admin.execute(text(f'ALTER DATABASE "{target.database}" RENAME TO "{old}"'))
        admin.execute(text(f'ALTER DATABASE "{fresh}" RENAME TO "{target.database}"'))
        admin.execute(text(f'DROP DATABASE "{old}" WITH (FORCE)'))
    db.migrate(_plain(target))
