"""`gridmgr categories`: the table of matters."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _, language

app = typer.Typer(no_args_is_help=True, help="Matters, their limits and departments.")


@app.command("import")
def import_file(
    file: Path,
    title: Annotated[str, typer.Option(help="Whose table it is.")] = "",
    effective: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day in force; today.")
    ] = None,
) -> None:
    """Publish a table of categories from CSV; cases filed before keep their old rows."""
    from gis.encoding import as_utf8
    from gridmgr.responsibility import rules, service

    rows = list(rules.parse(as_utf8(file.read_bytes())[0].splitlines()))
    with opened() as session:
        service.publish(session, title or file.stem, effective.date() if effective else clock.today(), rows)
    say("{count} categories published.", count=len(rows))


@app.command("list")
def listing(as_json: Json = False) -> None:
    """List the categories in force."""
    from gridmgr.responsibility import queries

    with opened() as session:
        found = queries.in_force(session)
    rows = [
        {"code": c.code, "group": c.group(language.get()), "name": c.name(language.get()),
         "department": c.department, "limit": c.limit_amount, "unit": c.limit_unit}
        for c in found
    ]  # fmt: skip
    if as_json:
        print_json(rows)
    else:
        columns = [_("code"), _("class"), _("name"), _("department"), _("limit"), _("unit")]
        print_table("", columns, [[*list(row.values())[:5], _(row["unit"] or "")] for row in rows])
