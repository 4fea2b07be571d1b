"""`gridmgr one-grid`: the lists of single lines, merged into the one list of each micro-grid."""

from pathlib import Path
from typing import Annotated

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _
from gridmgr.words.bodies import GRID_HINTS

app = typer.Typer(no_args_is_help=True, help="One grid: members of micro-grids and the lines they serve.")


@app.command()
def merge(
    files: list[Path],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: Json = False,
) -> None:
    """Merge lists of single lines (CSV, XLSX), all or none; new passwords are told this once."""
    from gridmgr import db, sheet
    from gridmgr.account.rules import SYSTEM
    from gridmgr.one_grid import rules, service

    read = {each.name: sheet.read(each.read_bytes(), each.name, rules.TABLE) for each in files}
    with opened() as session, db.rehearsed(session, keep=not dry_run):
        found = service.merge(session, SYSTEM, read)
    if as_json:
        print_json(
            {
                "written": not dry_run, "rows": found.rows, "grids": len(found.grids), "ended": found.ended,
                "hints": [vars(each) for each in found.hints], "opened": [vars(each) for each in found.opened],
            }
        )  # fmt: skip
        return
    say(
        "{rows} rows are {grids} lists; {ended} lines end.",
        rows=found.rows,
        grids=len(found.grids),
        ended=found.ended,
    )
    hints = [(each.code, _(GRID_HINTS[each.kind], what=each.what)) for each in found.hints]
    if hints:
        print_table("", [_("grid"), _("worth a look")], hints)
    if found.opened and not dry_run:
        rows = [(each.username, each.name, each.password) for each in found.opened]
        print_table("", [_("username"), _("name"), _("first password")], rows)
    if dry_run:
        say("Nothing has been written.")


@app.command("list")
def listing(
    area: Annotated[str, typer.Option(help="Code prefix.")] = "",
    as_json: Json = False,
) -> None:
    """List the micro-grids with their members and the lines they serve."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.one_grid import queries

    with opened() as session:
        found = queries.page(session, SYSTEM, area, 100_000)
    rows = [
        (code, each.name, each.username, each.lines) for code, members in found.items() for each in members
    ]
    if as_json:
        print_json([{"code": c, "name": n, "username": u, "lines": list(lines)} for c, n, u, lines in rows])
        return
    columns = [_("grid"), _("name"), _("username"), _("lines")]
    print_table("", columns, [(c, n, u, ", ".join(lines)) for c, n, u, lines in rows])
