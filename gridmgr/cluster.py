"""The private PostgreSQL cluster: made, started and stopped in a home folder, open to nobody else."""

import fcntl
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from psycopg2.extensions import make_dsn
from sqlalchemy import URL

from gridmgr.cluster_home import ClusterProblem, Home

ROLE = DATABASE = "gridmgr"
PATIENCE = 300  # seconds; the recovery after a power cut may take minutes
LOG_LIMIT = 10_000_000  # bytes

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "synchronous_commit": "on",
    "timezone": "Asia/Shanghai",
    "log_timezone": "Asia/Shanghai",
    "log_checkpoints": "off",
    "lc_messages": "C",
}

ACCESS = """\
local all postgres peer map=owner
local all all scram-sha-256
"""

# Extensions go into template1, so that each database made later has them without a superuser.
PROVISION = """\
SELECT 'CREATE ROLE {role} LOGIN CREATEDB'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec
ALTER ROLE {role} PASSWORD '{password}';
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
SELECT 'CREATE DATABASE {database} OWNER {role}'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec
"""


class CannotCreate(ClusterProblem):
    """No database cluster can be made in {folder}: {words}"""


class CannotStart(ClusterProblem):
    """The database server in {folder} does not start. Its last words: {words}"""


class CannotStop(ClusterProblem):
    """The database server in {folder}, process {pid}, does not stop."""


@dataclass(frozen=True)
class Cluster:
    """A running private cluster: where it listens, and the password of its role."""

    socket: Path
    password: str = field(repr=False)

    def url(self, database: str = DATABASE) -> str:
        """Return the address of `database` for SQLAlchemy."""
        where = URL.create(
            "postgresql+psycopg2", ROLE, self.password, database=database, query={"host": str(self.socket)}
        )
        return where.render_as_string(hide_password=False)

    def conninfo(self, database: str = DATABASE) -> str:
        """Return the address of `database` for libpq, as psycopg takes it."""
        return make_dsn(host=str(self.socket), user=ROLE, password=self.password, dbname=database)


@dataclass(frozen=True)
class Status:
    """What is known of a private cluster without touching it."""

    state: Literal["absent", "stopped", "running"]
    pid: int | None
    version: int | None
    data: Path
    log: Path
    socket: Path


def start(folder: Path, **settings: str) -> Cluster:
    """Return the private cluster in `folder`, made and started if it was not; many may ask at once.

    `settings` are words of postgresql.conf that differ from ours; they take effect when the server starts.

    Raises
    ------
    NoServer, OtherVersion
        The right PostgreSQL is not installed.
    NoOwner, UnreachableHome, ForeignHome
        The folder cannot be used by the user who has to own it.
    CannotCreate, CannotStart
        PostgreSQL refused; its own words are in the message.
    """
    try:
        with _locked(folder) as home:
            home.claim()
            programs = home.programs()
            if home.version is None:
                _create(home, programs, lasting=settings.get("fsync") != "off")
            if home.pid is None:
                _launch(home, programs, settings)
            _await(home, programs)
            password = _password(home)
            _provision(home, programs, password)
            return Cluster(home.socket, password)
    except OSError as refused:  # a full or read-only disk
        raise CannotStart(folder=folder, words=refused) from refused


def stop(folder: Path) -> bool:
    """Stop the private cluster in `folder`; return whether one was running.

    Raises
    ------
    CannotStop
        The server outlived the request; nothing else was tried.
    """
    if not folder.is_dir():
        return False
    with _locked(folder) as home:
        pid = home.pid
        if pid is None:
            return False
        os.kill(pid, signal.SIGINT)  # the fast shutdown: open transactions roll back
        if not _until(lambda: home.pid is None):
            raise CannotStop(folder=home.folder, pid=pid)
        return True


def status(folder: Path) -> Status:
    """Return what is known of the private cluster in `folder`; nothing is made or started."""
    home = Home(folder.resolve())
    try:
        version, pid = home.version, home.pid
    except PermissionError:
        raise home.foreign(home.folder) from None
    state = "running" if pid else "stopped" if version else "absent"
    return Status(state, pid, version, home.data, home.log, home.socket)


@contextmanager
def _locked(folder: Path) -> Iterator[Home]:
    home = Home(folder.resolve())
    try:
        home.path.mkdir(parents=True, exist_ok=True)
        lock = (home.path / "cluster.lock").open("w")
    except (PermissionError, NotADirectoryError, FileExistsError):
        raise home.foreign(home.path) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield home


def _create(home: Home, programs: Path, lasting: bool) -> None:
    """Make the data folder aside and rename it when it is complete, so that half a folder is never used."""
    for leftover in home.folder.glob("new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix="new-", dir=home.folder))
    home.give(new)
    locale = ("--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums")
    sync = () if lasting else ("--no-sync",)
    made = home.run(programs / "initdb", "-D", new, "-U", "postgres", "--auth=peer", *locale, *sync)
    if made.returncode:
        shutil.rmtree(new, ignore_errors=True)
        raise CannotCreate(folder=home.folder, words=_last(made.stderr or made.stdout))
    new.rename(home.data)


def _configure(home: Home, settings: dict[str, str]) -> None:
    """Write the server's three configuration files, so that they always say what this version means."""
    words = SETTINGS | {"unix_socket_directories": str(home.socket)} | settings
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in words.items()]
    head = "# Written by gridmgr at each start; settings of your own go into local.conf beside this file."
    files = {
        "postgresql.conf": "\n".join([head, *lines, "include_if_exists = 'local.conf'", ""]),
        "pg_hba.conf": ACCESS,
        "pg_ident.conf": f'owner "{home.owner.pw_name}" postgres\n',
    }
    for name, text in files.items():
        (home.data / name).write_text(text)


def _launch(home: Home, programs: Path, settings: dict[str, str]) -> None:
    """Start the server, in its own session and with its own log."""
    if home.log.exists() and home.log.stat().st_size > LOG_LIMIT:
        home.log.rename(home.folder / "log.old")
    _configure(home, settings)
    # What a killed server leaves behind needs a moment to notice; two servers on one folder would ruin it.
    if not _until(lambda: not home.orphans, seconds=30):
        raise CannotStart(folder=home.folder, words=f"orphaned processes {home.orphans} still use its data")
    # Nobody is there, yet PostgreSQL would believe a stranger or a zombie that has the old process number.
    for stale in home.data / "postmaster.pid", *home.socket.glob(".s.PGSQL.*"):
        stale.unlink(missing_ok=True)
    before = home.log.stat().st_size if home.log.exists() else 0
    wait = ("-s", "-w", "-t", str(PATIENCE))
    done = home.run(programs / "pg_ctl", "start", *wait, "-D", home.data, "-l", home.log)
    if done.returncode:
        raise CannotStart(folder=home.folder, words=_last(_said(home, before) or done.stderr))


def _await(home: Home, programs: Path) -> None:
    """Wait until the server takes connections: one found running may still be recovering."""

    def ready() -> bool:
        if home.pid is None:
            raise CannotStart(folder=home.folder, words=_last(_said(home)))
        return home.run(programs / "pg_isready", "-q", "-h", home.socket).returncode == 0

    if not _until(ready):
        raise CannotStart(folder=home.folder, words=_last(_said(home)))


def _password(home: Home) -> str:
    """Return the password of the role, made at the first start and kept where only its owner reads it."""
    secret = home.path / "secret"
    if not secret.exists() or not secret.read_text().strip():
        secret.touch(mode=0o600)
        secret.chmod(0o600)
        secret.write_text(secrets.token_urlsafe(24))
    return secret.read_text().strip()


def _provision(home: Home, programs: Path, password: str) -> None:
    """Make the role, the extensions and the database that are missing."""
    command = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", home.socket, "-U", "postgres", "-d", "template1")
    script = PROVISION.format(role=ROLE, password=password, database=DATABASE)
    done = home.run(programs / "psql", *command, text=script)
    if done.returncode:
        raise CannotStart(folder=home.folder, words=_last(done.stderr))


def _until(true: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Ask `true` again and again; return whether it came true within `seconds`."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _said(home: Home, since: int = 0) -> str:
    """Return what the server's log says from byte `since` on."""
    try:
        with home.log.open(errors="replace") as log:
            log.seek(since)
            return log.read()
    except FileNotFoundError:
        return ""


def _last(words: str, lines: int = 8) -> str:
    """Return the last `lines` of `words`."""
    return "\n".join(words.strip().splitlines()[-lines:])
