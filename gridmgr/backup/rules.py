"""How PostgreSQL's programs are addressed, and how backups and unfinished things are named."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime

from psycopg2.extensions import make_dsn
from sqlalchemy import make_url

PREFIX = "gridmgr-"
UNFINISHED = f".{PREFIX}unfinished"
_NAME = re.compile(rf"{PREFIX}\d{{8}}-\d{{6}}(-\d+)?")
_LONGEST = 63  # bytes of a name in PostgreSQL


def libpq(url: str, around: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the address of a database as libpq's programs take it, and the environment to run them in.

    All that the address says is in it (sslmode and the like too), but for the password: others see the
    arguments of a process, not its environment. Of PG* variables `around` none is handed on: they speak
    of another server.
    """
    parts = make_url(url)
    _, words = parts.get_dialect()().create_connect_args(parts)
    password = words.pop("password", None)
    env = {name: value for name, value in around.items() if not name.startswith("PG")}
    return make_dsn(**words), env | ({"PGPASSWORD": password} if password else {})


def folder_name(made: datetime, taken: Collection[str]) -> str:
    """Return the name of a backup made at an instant; a second one of that second gets a number."""
    name = f"{PREFIX}{made:%Y%m%d-%H%M%S}"
    further = (f"{name}-{n}" for n in range(2, len(taken) + 3))
    return next(each for each in (name, *further) if each not in taken)


def is_backup_name(name: str) -> bool:
    """Tell whether a folder is named as backups are."""
    return _NAME.fullmatch(name) is not None


def aside(database: str, what: str, process: int) -> str:
    """Return the name of a database that stands beside another one while a backup is restored."""
    ending = f"_{what}_{process}"
    return database.encode()[: _LONGEST - len(ending)].decode(errors="ignore") + ending


def is_aside(database: str, name: str) -> bool:
    """Tell whether a database stood beside another one while a backup was restored."""
    found = re.fullmatch(r"(.+)_(restored|replaced)_(\d+)", name)
    return found is not None and aside(database, found[2], int(found[3])) == name
