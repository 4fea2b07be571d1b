"""Verbs of backups: make one while everything runs, restore one beside what is there, then change places.

They open their own connections: `pg_dump` reads one snapshot, and a restore is another database until
the last moment. What a killed one leaves is known by its name, and removed by the next.
"""

import fcntl
import hashlib
import json
import logging
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gridmgr import clock, db, store
from gridmgr.audit import service as audit
from gridmgr.audit.model import Regular
from gridmgr.backup import queries, rules
from gridmgr.backup.model import (
    Altered,
    BackupFailed,
    Manifest,
    NoBackup,
    NotEmpty,
    NothingThere,
    Restored,
    RestoreFailed,
    RestoreRuns,
    Step,
    Tell,
    TooNew,
    Unlike,
)
from gridmgr.cluster_home import Home
from gridmgr.settings import settings

log = logging.getLogger(__name__)
PERIOD = timedelta(days=90)
MANIFEST, DUMP, FILES = "manifest.json", "database.dump", "files"
SUMS, SUM_OF_SUMS = "SHA256SUMS", "SHA256SUMS.sha256"  # as `sha256sum --check` reads them
WHOLE = ("--format=custom", "--exclude-table-data=spatial_ref_sys")  # which PostGIS itself brings along
AS_WE_ARE = ("--no-owner", "--no-comments", "--exit-on-error")  # whoever restores need not own the extensions
FAILURES = (OSError, subprocess.CalledProcessError, SQLAlchemyError, store.StoreDown)


def _nobody(step: Step, done: int) -> None:
    """Tell nobody."""


# ---- out -----------------------------------------------------------------------------------------------


def backup(url: str, out: Path, keep: int | None = None, tell: Tell = _nobody) -> Path:
    """Make a backup in a folder of its own below `out`, while server and workers run; returns the folder.

    The database is one snapshot; files are copied after it, so that all it names are there. With `keep`
    only so many of the newest backups stay. Nobody but the user who runs this may read it.

    Raises
    ------
    NothingThere
    BackupFailed
        No part of it is left.
    """
    before = os.umask(0o077)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _alone_in(out):
            part = out / rules.UNFINISHED
            shutil.rmtree(part, ignore_errors=True)  # nobody else works here: one that was killed left it
            try:
                done = _made(url, part, tell)
            finally:
                shutil.rmtree(part, ignore_errors=True)
            _forget_all_but(out, keep)
    except FAILURES as failed:
        raise BackupFailed(reason=_reason(failed)) from failed
    finally:
        os.umask(before)
    return done


def _made(url: str, part: Path, tell: Tell) -> Path:
    part.mkdir()
    with queries.session_on(url, isolation_level="REPEATABLE READ") as session:
        made, until = clock.now(), clock.today()
        revision = db.revision(session)
        if revision is None:
            raise NothingThere
        tell(Step.DATABASE, 0)
        name = session.scalar(text("SELECT pg_export_snapshot()"))
        _run("pg_dump", url, *WHOLE, f"--snapshot={name}", f"--file={part / DUMP}")
        sums = {DUMP: _sha256(part / DUMP)} | _copy_files(part / FILES, tell)
        tell(Step.LOOK, 0)
        period = (until - PERIOD, until)
        figures = (
            queries.figures(session, *period, lambda key: sums.get(f"{FILES}/{key}"))
            if queries.known(session)
            else {}
        )
        manifest = Manifest(
            made.isoformat(), revision, *map(date.isoformat, period), queries.counts(session), figures
        )
    (part / MANIFEST).write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=1), "utf-8")
    seal(part, sums)
    os.sync()  # older ones may be removed for it
    taken = {each.name for each in part.parent.iterdir()}
    done = part.rename(part.parent / rules.folder_name(clock.local(made), taken))
    if figures:
        _note(url)
    return done


def seal(folder: Path, sums: dict[str, str]) -> None:
    """Write down the hashes of all parts of a backup, and the hash of that list."""
    sums = sums | {MANIFEST: _sha256(folder / MANIFEST)}
    (folder / SUMS).write_text("".join(f"{sums[part]}  {part}\n" for part in sorted(sums)), "utf-8")
    (folder / SUM_OF_SUMS).write_text(f"{_sha256(folder / SUMS)}  {SUMS}\n", "utf-8")


def _copy_files(folder: Path, tell: Tell) -> dict[str, str]:
    """Copy what the store holds; returns the hash of each copy."""
    folder.mkdir()
    sums: dict[str, str] = {}
    for key, _ in store.listing(""):
        with suppress(store.NotStored):  # swept meanwhile: no row of the snapshot names it
            content = store.get(key)
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            sums[f"{FILES}/{key}"] = hashlib.sha256(content).hexdigest()
            tell(Step.FILES, len(sums))
    return sums


def _forget_all_but(out: Path, keep: int | None) -> None:
    """Remove the oldest whole backups but for so many; what is not one of ours is let be."""
    if not keep:
        return
    ours = []
    for folder in out.iterdir():
        if rules.is_backup_name(folder.name) and not folder.is_symlink():
            with suppress(NoBackup):
                ours.append((datetime.fromisoformat(manifest(folder).made_at), folder.name))
    for _, name in sorted(ours)[:-keep]:
        shutil.rmtree(out / name)


def _note(url: str) -> None:
    """Note in the database itself when it was last backed up, for whoever watches it."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        with db.transaction(engine) as session:
            audit.note(session, Regular.BACKUP)
    except Exception:
        log.exception("the backup is made, but the database does not know of it")


# ---- in ------------------------------------------------------------------------------------------------


def restore(url: str, folder: Path, *, replace: bool = False, tell: Tell = _nobody) -> Restored:
    """Restore a backup beside the database at `url`, compare it, and let it take that one's place.

    Raises
    ------
    NoBackup, Altered, TooNew
        The backup is not whole, or not for this gridmgr; nothing was touched.
    NotEmpty
        The database holds something, and `replace` was not said.
    RestoreRuns
    Unlike
        What was restored is not what was backed up; the database is as it was.
    RestoreFailed
    """
    tell(Step.CHECK, 0)
    told, sums = manifest(folder), _checked(folder)
    if told.revision > db.newest_revision():
        raise TooNew(revision=told.revision, known=db.newest_revision())
    target = make_url(url)
    fresh = target.set(database=rules.aside(target.database, "restored", os.getpid()))
    try:
        with _administration(target) as admin, _alone_with(admin, target.database):
            with queries.session_on(url) as session:
                held = queries.held(session)
            if held and not replace:
                raise NotEmpty(held=", ".join(f"{name}: {rows}" for name, rows in held.items()))
            try:
                found = _filled(admin, fresh, folder, told, sums, tell)
                if found.differs:
                    raise Unlike(names=", ".join(found.differs))
                tell(Step.PLACES, 0)
                _change_places(target, fresh.database)
            finally:
                _clear_aside(admin, target.database)
    except FAILURES as failed:
        raise RestoreFailed(reason=_reason(failed)) from failed
    return found


def _filled(
    admin: Connection, fresh: URL, folder: Path, told: Manifest, sums: dict[str, str], tell: Tell
) -> Restored:
    """Fill a database aside from a backup, look whether all is there, and bring it to the newest schema."""
    url = fresh.render_as_string(hide_password=False)
    tell(Step.DATABASE, 0)
    admin.execute(text(f'CREATE DATABASE "{fresh.database}"'))
    _run("pg_restore", url, *AS_WE_ARE, str(folder / DUMP))
    with queries.session_on(url) as session:  # before the schema is brought up to date
        rows = [("revision", told.revision, db.revision(session))]
        counted = queries.counts(session)
        rows += [(name, told.counts.get(name), counted.get(name)) for name in sorted(told.counts | counted)]
    for done, part in enumerate(sorted(part for part in sums if part.startswith(f"{FILES}/")), start=1):
        store.put(part.removeprefix(f"{FILES}/"), (folder / part).read_bytes())
        tell(Step.FILES, done)
    tell(Step.LOOK, 0)
    db.migrate(url)
    period = (date.fromisoformat(told.since), date.fromisoformat(told.until))
    with queries.session_on(url) as session:
        now = queries.figures(session, *period, _stored)
    sound = dict.fromkeys(("histories broken", "files missing", "files altered"), 0)
    before = told.figures or sound  # an older schema could not be asked
    rows += [(name, before[name], now[name]) for name in before]
    return Restored(tuple(rows))


def _stored(key: str) -> str | None:
    try:
        return hashlib.sha256(store.get(key)).hexdigest()
    except store.NotStored:
        return None


def manifest(folder: Path) -> Manifest:
    """Return what a backup says of itself.

    Raises
    ------
    NoBackup
    """
    try:
        return Manifest(**json.loads((folder / MANIFEST).read_text("utf-8")))
    except (OSError, ValueError, TypeError) as wrong:
        raise NoBackup(folder=folder) from wrong


def _checked(folder: Path) -> dict[str, str]:
    """Return the hash of every part of a backup, each compared with the part itself, the list first."""
    sums: dict[str, str] = {}
    for listing in (SUM_OF_SUMS, SUMS):
        try:
            lines = (folder / listing).read_text("utf-8").splitlines()
            listed = {part: sha256 for sha256, part in (line.split("  ", 1) for line in lines)}
        except (OSError, ValueError) as wrong:
            raise Altered(part=listing) from wrong
        for part, sha256 in listed.items():
            if not (folder / part).is_file() or _sha256(folder / part) != sha256:
                raise Altered(part=part)
        sums |= listed
    if missing := {SUMS, MANIFEST, DUMP} - set(sums):
        raise Altered(part=min(missing))
    return sums


# ---- databases -----------------------------------------------------------------------------------------


@contextmanager
def _administration(target: URL) -> Iterator[Connection]:
    engine = create_engine(target.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


@contextmanager
def _alone_with(admin: Connection, database: str) -> Iterator[None]:
    """Keep other restores to a database out, and clear away what a killed one has left."""
    if not admin.scalar(
        text("SELECT pg_try_advisory_lock(hashtext(:name))"), {"name": f"gridmgr {database}"}
    ):
        raise RestoreRuns
    _clear_aside(admin, database)
    yield  # the lock ends with the connection


def _clear_aside(admin: Connection, database: str) -> None:
    for name in admin.scalars(text("SELECT datname FROM pg_database")).all():
        if rules.is_aside(database, name):
            admin.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


_TERMINATE = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (:here, :there)")
_TRIES = 5


def _change_places(target: URL, fresh: str) -> None:
    """Let the restored database take the name of the old one: both renamed in one transaction, or neither.

    While a rename waits for the sessions of a database to end, no new ones begin; those that are there
    are sent away meanwhile. A server that was reconnected in between makes it begin again.
    """
    old = rules.aside(target.database, "replaced", os.getpid())
    engine = create_engine(target.set(database="postgres"), poolclass=NullPool)
    renames = ((target.database, old), (fresh, target.database))
    for attempt in range(1, _TRIES + 1):
        try:
            with _sent_away(target, fresh), engine.begin() as both:
                for before, after in renames:
                    both.execute(text(f'ALTER DATABASE "{before}" RENAME TO "{after}"'))
            return
        except DBAPIError:
            if attempt == _TRIES:
                raise


@contextmanager
def _sent_away(target: URL, fresh: str) -> Iterator[None]:
    """Send all sessions of two databases away, again and again until this ends."""
    ended = threading.Event()

    def send_away() -> None:
        with suppress(DBAPIError), _administration(target) as admin:  # the rename says what is in its way
            while not ended.wait(0.02):
                admin.execute(_TERMINATE, {"here": target.database, "there": fresh})

    usher = threading.Thread(target=send_away)
    usher.start()
    try:
        yield
    finally:
        ended.set()
        usher.join()


# ---- programs and folders ------------------------------------------------------------------------------


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other backup is being made in a folder, and let none begin."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run(program: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on a database."""
    address, env = rules.libpq(url, os.environ)
    place = Home(settings().home.resolve()).programs() / program
    command = [str(place), f"--dbname={address}", *arguments]
    subprocess.run(command, env=env, check=True, capture_output=True, text=True, errors="replace")


def _reason(failed: Exception) -> str:
    if isinstance(failed, subprocess.CalledProcessError):
        lines = [line for line in (failed.stderr or "").splitlines() if line.strip()]
        return lines[-1] if lines else f"{Path(failed.cmd[0]).name}: {failed.returncode}"
    return str(getattr(failed, "orig", failed)).partition("\n")[0]
