"""Where a private cluster lives, whom it belongs to, and which PostgreSQL serves it.

    home/                 belongs to whoever runs gridmgr
      secret              password of the role gridmgr
      cluster.lock        one start or stop at a time
      cluster/            belongs to the owner: the user postgres under root, else the user himself
        data/             the data folder of PostgreSQL; it appears only when complete
        log  log.old      what the server said
        socket/           the one place where it listens

No other cluster is ever looked at: a server counts as ours when it works in our own data folder.
"""

import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gis.errors import Problem

MINIMUM = 15
SOCKET_LIMIT = 90  # bytes; the kernel takes 107 with the file name


class ClusterProblem(Problem):
    """The private PostgreSQL cluster is not usable."""


class NoServer(ClusterProblem):
    """PostgreSQL {minimum} or newer with PostGIS is not installed; on Debian 12 an administrator runs:
    apt-get install postgresql-15 postgresql-15-postgis-3"""


class OtherVersion(ClusterProblem):
    """{folder} was made by PostgreSQL {made}, which is not installed with PostGIS; found: {found}.
    Install PostgreSQL {made}, or name another folder in GRIDMGR_HOME."""


class NoOwner(ClusterProblem):
    """PostgreSQL does not run as root and the user postgres does not exist; install PostgreSQL from Debian,
    or run gridmgr as an ordinary user."""


class UnreachableHome(ClusterProblem):
    """The user {owner} cannot enter {home}; set GRIDMGR_HOME to a folder that it can,
    such as /var/lib/gridmgr."""


class ForeignHome(ClusterProblem):
    """{folder} is closed to {user} or open to others; run gridmgr as its owner, or set GRIDMGR_HOME
    to a folder of your own."""


@dataclass(frozen=True)
class Home:
    """The folders of one cluster and the user they belong to."""

    path: Path

    @property
    def folder(self) -> Path:
        return self.path / "cluster"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def socket(self) -> Path:
        """Return the socket's folder: inside the home, unless its path is too long or needs quoting."""
        inside = self.folder / "socket"
        if len(os.fsencode(inside)) <= SOCKET_LIMIT and re.fullmatch(r"[\w/.+-]+", str(inside), re.ASCII):
            return inside
        digest = hashlib.sha256(os.fsencode(inside)).hexdigest()[:12]
        return Path(f"/tmp/gridmgr-{self.owner.pw_uid}-{digest}")

    @cached_property
    def owner(self) -> pwd.struct_passwd:
        """Return the user who owns the cluster and runs its server; never root, whom PostgreSQL refuses."""
        kept = self.folder.stat().st_uid if self.folder.exists() else os.geteuid()
        try:
            return pwd.getpwuid(kept) if kept else pwd.getpwnam("postgres")
        except KeyError:
            raise NoOwner from None

    @property
    def version(self) -> int | None:
        """Return the major version that made the data folder, if there is one."""
        written = self.data / "PG_VERSION"
        return int(written.read_text()) if written.exists() else None

    @property
    def pid(self) -> int | None:
        """Return the process of our server, if it lives; a number taken over by a stranger is not it."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return pid if self.serves(pid) else None

    @property
    def orphans(self) -> list[int]:
        """Return the processes that serve our data: all of a live server, or what a killed one left."""
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self.serves(int(entry.name))]

    def serves(self, pid: int) -> bool:
        """Return whether process `pid` is a PostgreSQL process at work in our data folder."""
        try:
            program = Path(os.readlink(f"/proc/{pid}/exe")).name
            return program.startswith("postgres") and os.readlink(f"/proc/{pid}/cwd") == str(self.data)
        except OSError:
            return False

    def run(self, *command: str | Path, text: str | None = None) -> subprocess.CompletedProcess:
        """Run `command` as the owner, out of reach of the terminal's Ctrl-C and of foreign PG* variables."""
        owner = self.owner
        as_owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        return subprocess.run(
            [str(part) for part in command],
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": owner.pw_dir},
            start_new_session=True,
            **(as_owner if os.geteuid() == 0 else {}),
        )

    def give(self, path: Path) -> None:
        """Hand `path` to the owner."""
        if os.geteuid() == 0:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid, follow_symlinks=False)

    def claim(self) -> None:
        """Make the folders and see that their owner, and only he, can use them.

        Raises
        ------
        ForeignHome, UnreachableHome, NoOwner
            The folder cannot be used by the user who has to own it.
        """
        if os.geteuid() not in (0, self.owner.pw_uid):
            raise self.foreign(self.folder)
        for folder in self.folder, self.socket:
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
                found = folder.lstat()
            except (PermissionError, FileExistsError, NotADirectoryError) as refused:
                raise self.foreign(folder) from refused
            if found.st_uid == os.geteuid():
                self.give(folder)
            elif found.st_uid != self.owner.pw_uid:
                raise self.foreign(folder)
            if not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077:
                raise self.foreign(folder)
        if self.run("test", "-x", self.folder).returncode:
            raise UnreachableHome(owner=self.owner.pw_name, home=self.path)

    def foreign(self, folder: Path) -> ForeignHome:
        """Return the error that `folder` is not for the user of this process."""
        return ForeignHome(folder=folder, user=pwd.getpwuid(os.geteuid()).pw_name)

    def programs(self) -> Path:
        """Return the folder of PostgreSQL's programs: of the version that made the data, else the newest.

        Raises
        ------
        NoServer, OtherVersion
            The right PostgreSQL is not installed.
        """
        found = {}
        for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin")) + _on_the_path():
            with_postgis = Path(_tell(folder / "pg_config", "--sharedir"), "extension", "postgis.control")
            version = re.search(r"\d+", _tell(folder / "postgres", "--version"))
            if version and int(version[0]) >= MINIMUM and with_postgis.exists():
                found[int(version[0])] = folder
        if self.version in found:
            return found[self.version]
        if self.version is not None:
            raise OtherVersion(folder=self.data, made=self.version, found=", ".join(map(str, found)) or "-")
        if not found:
            raise NoServer(minimum=MINIMUM)
        return found[max(found)]


def _on_the_path() -> list[Path]:
    """Return the programs' folder of a PostgreSQL on the search path, as a list of one or none."""
    program = shutil.which("pg_config")
    return [Path(_tell(Path(program), "--bindir"))] if program else []


def _tell(program: Path, question: str) -> str:
    """Return what `program` answers, or nothing if there is no such program."""
    if not program.exists():
        return ""
    return subprocess.run([program, question], capture_output=True, text=True).stdout.strip()
