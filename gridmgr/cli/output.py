"""How commands speak: tables and sentences for people, JSON for programs, one transaction for both."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import db, i18n
from gridmgr.reactions import REACTIONS

out = Console()
err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@contextmanager
def opened() -> Iterator[Session]:
    """Open the one transaction of a command, on a schema brought up to date."""
    url = db.address()
    db.migrate(url)
    with db.transaction(db.engine(url), REACTIONS) as session:
        yield session


def complain(problem: Problem) -> None:
    """Say on standard error what is wrong, in the user's language."""
    err.print(i18n.say(problem), style="red", markup=False, highlight=False)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=_plain)
    sys.stdout.write("\n")


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return asdict(value)
    return value.item() if hasattr(value, "item") else str(value)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as a table; what comes from data is never read as markup."""
    table = Table(title=title, title_justify="left", show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
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
