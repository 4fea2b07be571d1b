"""`gridmgr incidents`: bring in, hand out, and verify the history of cases."""

import csv
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.errors import BadInput
from gridmgr import i18n
from gridmgr.cli.output import Json, complain, err, opened, print_json, say, told, writable
from gridmgr.i18n import _

if TYPE_CHECKING:
    from gridmgr.importing.queries import Incidents

app = typer.Typer(no_args_is_help=True, help="Incidents and their history.")
SHOWN = 50
CATEGORIES_SHOWN = 10


class ForeignCategories(BadInput):
    """None of the {count} categories of this file is one of ours; the mapping may translate them: {first}"""


def _foreign(read: "Incidents", ours: set[str]) -> list[BadInput]:
    """Return a warning if no row's category is ours: the mapping lacks its table of categories."""
    theirs = Counter(entry.category for entry in read.entries)
    if not theirs or ours & set(theirs):
        return []
    first = ", ".join(name for name, _count in theirs.most_common(CATEGORIES_SHOWN))
    return [ForeignCategories(count=len(theirs), first=first)]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX.")],
    mapping: Annotated[Path, typer.Option("--map", help="TOML: columns, statuses, categories, datum, zone.")],
    errors: Annotated[
        Path | None, typer.Option(help="CSV to write the rows that could not be filed to.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    as_json: Json = False,
) -> None:
    """Import a file of incidents; rows already known by their source id are left alone."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.category.queries import in_force
    from gridmgr.importing import queries, service
    from gridmgr.importing.rules import incident_plan

    writable(errors)
    plan = incident_plan(mapping.read_text("utf-8"))
    with err.status(_("Reading, locating and filing {file} …", file=file.name)), opened() as session:
        read = queries.read_incidents(session, file, plan)
        read.warnings += _foreign(read, {category.code for category in in_force(session)})
        filed = [] if dry_run else service.load_incidents(session, SYSTEM, plan, read)
    problems = [{"row": problem.details.get("row"), "reason": i18n.say(problem)} for problem in read.problems]
    if errors:
        with errors.open("w", newline="", encoding="utf-8-sig") as handle:
            writer = csv.DictWriter(handle, ["row", "reason"])
            writer.writeheader()
            writer.writerows(problems)
    if as_json:
        report = {"rows": read.rows, "filed": len(filed), "known": read.known, "ready": len(read.entries)}
        print_json(report | {"problems": problems, "warnings": [i18n.say(each) for each in read.warnings]})
        return
    for warning in read.warnings:
        complain(warning)
    for each in problems[:SHOWN]:
        err.print(each["reason"], style="red", markup=False, highlight=False)
    if len(problems) > SHOWN:
        say("… and {count} more rows; --errors writes them all.", count=len(problems) - SHOWN)
    if dry_run:
        say(
            "Dry run: of {rows} rows, {ready} would be filed, {known} are known, {problems} are not usable.",
            rows=read.rows, ready=len(read.entries), known=read.known, problems=len(problems),
        )  # fmt: skip
        return
    say(
        "{rows} rows: {filed} filed, {known} known before, {problems} not usable.",
        rows=read.rows, filed=len(filed), known=read.known, problems=len(problems),
    )  # fmt: skip


@app.command()
def export(out: Path) -> None:
    """Write all incidents to a table, CSV or XLSX as the name ends."""
    from gridmgr import sheet
    from gridmgr.account.rules import SYSTEM
    from gridmgr.casebook import queries as casebook
    from gridmgr.casebook.queries import EXPORTED, Search

    writable(out)
    kind = sheet.Format.XLSX if out.suffix.lower() == ".xlsx" else sheet.Format.CSV
    columns = (*EXPORTED, "lon", "lat", "category", "name_zh")
    count = 0

    def rows(found):
        nonlocal count
        for row in found:
            count += 1
            yield [row[column] for column in columns]

    with opened() as session, out.open("wb") as handle:
        found = casebook.exported(session, SYSTEM, Search())
        handle.writelines(sheet.stream(kind, columns, rows(found)))
    say("{count} incidents written to {file}.", count=count, file=out)


@app.command()
def verify(as_json: Json = False) -> None:
    """Walk the hash chain of every history and compare what it says with how the case stands."""
    from gridmgr.audit import queries
    from gridmgr.incident.model import HistoryBroken

    with err.status(_("Verifying …")), opened() as session:
        found = queries.verify(session)
    broken = HistoryBroken(count=len(found.broken)) if found.broken else None
    if as_json:
        print_json(asdict(found) | ({"error": told(broken)} if broken else {}))
    else:
        say("{incidents} histories with {events} rows read.", incidents=found.incidents, events=found.events)
    if broken:
        err.print(
            _("Broken: {numbers}", numbers=", ".join(found.broken[:SHOWN])), markup=False, highlight=False
        )
        complain(broken)
        raise typer.Exit(1)
    if not as_json:
        say("Every chain holds.")
