"""`gridmgr phrases`: ready-made notes for steps."""

from pathlib import Path

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _

app = typer.Typer(no_args_is_help=True, help="Ready-made notes for steps.")


@app.command("import")
def import_file(file: Path) -> None:
    """Add the notes of a table (CSV or XLSX: action, category, text), all or none."""
    from gridmgr import sheet
    from gridmgr.discussion import service
    from gridmgr.discussion.rules import PHRASES

    read = sheet.read(file.read_bytes(), file.name, PHRASES)
    with opened() as session:
        count = service.import_phrases(session, read)
    say("{count} notes added.", count=count)


@app.command("list")
def listing(as_json: Json = False) -> None:
    """List the ready-made notes."""
    from gridmgr.discussion import queries

    with opened() as session:
        rows = [(each.action, each.category, each.text) for each in queries.phrases(session)]
    if as_json:
        print_json([dict(zip(("action", "category", "text"), row, strict=True)) for row in rows])
    else:
        print_table("", [_("step"), _("category"), _("text")], rows)
