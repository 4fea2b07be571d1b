"""How commands speak: tables and sentences for people, JSON for programs, one transaction for both."""

import errno
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from gis.errors import BadInput, Problem
from gridmgr import i18n
from gridmgr.words import N_

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

WIDE = 200  # into a pipe or a file, where nothing is too wide

out = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE)
err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

REASONS = {
    errno.ENOENT: N_("there is no such file or folder"),
    errno.EACCES: N_("this user may not"),
    errno.EPERM: N_("this user may not"),
    errno.EISDIR: N_("it is a folder"),
    errno.ENOTDIR: N_("a part of its path is no folder"),
    errno.ENOSPC: N_("the disk is full"),
    errno.EROFS: N_("the disk is read-only"),
}


class CannotOpen(BadInput):
    """{file} cannot be opened: {reason}."""


class Unforeseen(Problem):
    """Nobody foresaw this: {kind}: {reason} (GRIDMGR_DEBUG=1 shows where it happened)."""


@contextmanager
def opened() -> "Iterator[Session]":
    """Open the one transaction of a command, on a schema brought up to date."""
    from gridmgr import db
    from gridmgr.reactions import REACTIONS

    url = db.address()
    db.migrate(url)
    with db.transaction(db.engine(url), REACTIONS) as session:
        yield session


def writable(path: Path | None) -> None:
    """Refuse a file that could not be written, before the work is done.

    Raises
    ------
    CannotOpen
    """
    if path is None:
        return
    if path.is_dir():
        raise CannotOpen(file=path, reason=REASONS[errno.EISDIR])
    if not path.parent.is_dir():
        raise CannotOpen(file=path, reason=REASONS[errno.ENOENT])
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise CannotOpen(file=path, reason=REASONS[errno.EACCES])


def problem_behind(error: Exception) -> Problem:
    """Return what went wrong as a problem that can be told in one line."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, OSError) and error.filename is not None:
        return CannotOpen(file=error.filename, reason=REASONS.get(error.errno, error.strerror))
    return Unforeseen(kind=type(error).__name__, reason=str(error).partition("\n")[0])


def told(problem: Problem) -> dict[str, str]:
    """Return a problem as programs read it."""
    return {"kind": type(problem).__name__, "detail": i18n.say(problem)}


def fail(problem: Problem, as_json: bool) -> None:
    """Say what ended the command: to people on standard error, to programs on standard output as well."""
    complain(problem)
    if as_json:
        print_json({"error": told(problem)})


def complain(problem: Problem) -> None:
    """Say on standard error what is wrong, in the user's language."""
    err.print(i18n.say(problem), style="red", markup=False, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value as JSON; what is no number is null."""
    json.dump(_plain(value), sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return None if str(value) in ("NaT", "<NA>") else str(value)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as a table; what comes from data is never read as markup."""
    table = Table(title=title, title_justify="left", show_edge=False)
    for column in columns:
        widest = max((cell_len(word) for word in column.split()), default=None)
        table.add_column(column, overflow="fold", min_width=widest)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    out.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "—"
    text = f"{value:,.2f}" if isinstance(value, float) else str(value)
    return text.replace("[", r"\[")


def say(message: str, /, **values: Any) -> None:
    """Print a translated sentence."""
    out.print(i18n._(message, **values), markup=False, highlight=False)
