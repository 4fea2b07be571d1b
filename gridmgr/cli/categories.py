"""`gridmgr categories`: the table of matters."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, complain, opened, print_json, print_table, say
from gridmgr.i18n import _, language
from gridmgr.words import FATES, ORPHANS, word

app = typer.Typer(no_args_is_help=True, help="Matters, their limits and departments.")
SHOWN = 50


@app.command("import")
def import_file(
    file: Path,
    title: Annotated[str, typer.Option(help="Whose table it is.")] = "",
    effective: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day in force; today.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Publish a table of categories from CSV or XLSX, all or nothing; cases filed before keep their old rows."""
    from gridmgr import db
    from gridmgr.category import queries, rules, service
    from gridmgr.discussion import queries as discussion
    from gridmgr.sheet import BadSheet

    day = effective.date() if effective else clock.today()
    read = rules.read_categories(file.read_bytes(), file.name)
    if read.errors:
        for each in read.errors[:SHOWN]:
            complain(each)
        raise BadSheet(read.errors)
    with opened() as session:
        changes = rules.category_changes(queries.in_force(session, day), read.rows)
        left = discussion.orphans(session, read.rows, day)
        with db.rehearsed(session, keep=not dry_run):
            service.publish(session, title or file.stem, day, read.rows)
    rows = [
        (word(FATES, c.kind), (c.after or c.before)["code"], (c.after or c.before)["name_zh"])
        for c in changes
    ]
    print_table("", [_("change"), _("code"), _("name")], rows)
    for each in left:
        say(ORPHANS[each.kind], n=each.count, category=each.category)
    if dry_run:
        say("Nothing has been written.")
    else:
        say("{count} categories published.", count=len(read.rows))


@app.command()
def whose(
    words: str,
    area: Annotated[str, typer.Option(help="Code of a place; the whole district.")] = "",
    as_json: Json = False,
) -> None:
    """Say whose a matter is, by whatever words one has for it."""
    from gridmgr.responsibility import queries

    with opened() as session:
        rows = [
            {
                "code": each.code, "name": each.category.name(language.get()) if each.category else each.owner.item,
                "department": each.owner.lead, "limit": each.category.limit_amount if each.category else None,
                "unit": each.category.limit_unit if each.category else None, "item": each.owner.item,
                "cooperating": list(each.owner.cooperating), "clause": each.owner.clause,
            }
            for each in queries.whose(session, words, area)
        ]  # fmt: skip
    if as_json:
        print_json(rows)
    else:
        columns = [_("code"), _("name"), _("whose"), _("limit"), _("unit"), _("item")]
        cells = [[*list(row.values())[:4], _(row["unit"] or ""), row["item"] or "—"] for row in rows]
        print_table("", columns, cells)


@app.command("list")
def listing(as_json: Json = False) -> None:
    """List the categories in force."""
    from gridmgr.category import queries

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
