"""`gridmgr incidents`: bring in, hand out, and verify the history of cases."""

import csv
from pathlib import Path
from typing import Annotated

import typer

from gridmgr import i18n
from gridmgr.account.rules import SYSTEM
from gridmgr.cli.output import Json, complain, err, opened, print_json, say
from gridmgr.i18n import _
from gridmgr.importing import queries as importing
from gridmgr.importing import service as import_service
from gridmgr.importing.rules import incident_plan
from gridmgr.incident import queries
from gridmgr.incident.model import HistoryBroken
from gridmgr.incident.queries import Search

app = typer.Typer(no_args_is_help=True, help="Incidents and their history.")
SHOWN = 50


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
    plan = incident_plan(mapping.read_text("utf-8"))
    with err.status(_("Reading, locating and filing {file} …", file=file.name)), opened() as session:
        read = importing.read_incidents(session, file, plan)
        filed = [] if dry_run else import_service.load_incidents(session, SYSTEM, plan, read)
    told = [{"row": problem.details.get("row"), "reason": i18n.say(problem)} for problem in read.problems]
    if errors:
        with errors.open("w", newline="", encoding="utf-8-sig") as handle:
            writer = csv.DictWriter(handle, ["row", "reason"])
            writer.writeheader()
            writer.writerows(told)
    if as_json:
        report = {"rows": read.rows, "filed": len(filed), "known": read.known, "ready": len(read.entries)}
        print_json(report | {"problems": told, "warnings": [i18n.say(each) for each in read.warnings]})
        return
    for warning in read.warnings:
        complain(warning)
    for each in told[:SHOWN]:
        err.print(each["reason"], style="red", markup=False, highlight=False)
    if len(told) > SHOWN:
        say("… and {count} more rows; --errors writes them all.", count=len(told) - SHOWN)
    say(
        "{rows} rows: {filed} filed, {known} known before, {problems} not usable.",
        rows=read.rows, filed=len(filed), known=read.known, problems=len(told),
    )  # fmt: skip


@app.command()
def export(out: Path) -> None:
    """Write all incidents to a CSV table."""
    with opened() as session, out.open("w", newline="", encoding="utf-8-sig") as handle:
        count = queries.write_csv(session, SYSTEM, Search(), handle)
    say("{count} incidents written to {file}.", count=count, file=out)


@app.command()
def verify(as_json: Json = False) -> None:
    """Walk the hash chain of every history and compare what it says with how the case stands."""
    with err.status(_("Verifying …")), opened() as session:
        found = queries.verify(session)
    if as_json:
        print_json(found)
    else:
        say("{incidents} histories with {events} rows read.", incidents=found.incidents, events=found.events)
    if found.broken:
        say("Broken: {numbers}", numbers=", ".join(found.broken[:SHOWN]))
        raise HistoryBroken(count=len(found.broken))
    if not as_json:
        say("Every chain holds.")
