"""`gridmgr phrases`: ready-made notes for steps."""

from pathlib import Path
from typing import Annotated

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _

app = typer.Typer(no_args_is_help=True, help="Ready-made notes for steps.")


@app.command("import")
def import_file(
    file: Path,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Add the notes of a table (CSV or XLSX: action, category, text, en), all or none."""
    from gridmgr import db, sheet
    from gridmgr.discussion import service
    from gridmgr.discussion.rules import PHRASES

    read = sheet.read(file.read_bytes(), file.name, PHRASES)
    with opened() as session, db.rehearsed(session, keep=not dry_run):
        count = service.import_phrases(session, read)
    say("{count} notes new or changed.", count=count)
    if dry_run:
        say("Nothing has been written.")


@app.command("list")
def listing(as_json: Json = False) -> None:
    """List the ready-made notes."""
    from gridmgr.discussion import queries

    with opened() as session:
        rows = [(each.action, each.category, each.zh, each.en) for each in queries.phrases(session)]
    if as_json:
        print_json([dict(zip(("action", "category", "zh", "en"), row, strict=True)) for row in rows])
    else:
        print_table("", [_("step"), _("category"), _("text"), _("in English")], rows)
