"""`gridmgr calendar`: holidays, make-up workdays, worked hours, and when a time limit ends."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.clock import TimeUnit
from gridmgr.i18n import _
from gridmgr.words import DAY_KINDS, word

app = typer.Typer(no_args_is_help=True, help="The working calendar: days, hours, due times.")

Area = Annotated[str, typer.Option("--area", help="Code prefix; empty for the whole district.")]


@app.command()
def show(year: Annotated[int | None, typer.Argument()] = None, as_json: Json = False) -> None:
    """Show the special days of a year and the hours of each area."""
    from gridmgr.calendar import queries

    with opened() as session:
        days = queries.days(session, year or clock.today().year)
        hours = queries.hours(session)
    told = [{"day": d.day.isoformat(), "area": d.code, "kind": d.kind, "name": d.name} for d in days]
    spans = [{"area": code, "weekdays": h.weekdays, "spans": h.spans} for code, h in hours.items()]
    if as_json:
        print_json({"days": told, "hours": spans})
        return
    columns = [_("day"), _("area"), _("kind"), _("name")]
    rows = [(each["day"], each["area"], word(DAY_KINDS, each["kind"]), each["name"]) for each in told]
    print_table("", columns, rows)
    lines = [
        (
            each["area"],
            " ".join(str(day + 1) for day in each["weekdays"]),
            ", ".join("-".join(s) for s in each["spans"]),
        )
        for each in spans
    ]
    print_table("", [_("area"), _("days of the week"), _("hours")], lines)


@app.command("import")
def import_file(
    file: Path,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Take the yearly notice of holidays from CSV or XLSX: it replaces the years it tells of, all or nothing."""
    from gridmgr import db, sheet
    from gridmgr.calendar import service
    from gridmgr.calendar.rules import DAYS
    from gridmgr.hierarchy import queries as hierarchy

    read = sheet.read(file.read_bytes(), file.name, DAYS)
    with opened() as session, db.rehearsed(session, keep=not dry_run):
        found = service.import_days(session, read, partial(hierarchy.without_units, session))
    columns = [_("day"), _("area"), _("before"), _("after")]
    rows = [
        (day.isoformat(), code, word(DAY_KINDS, old or "—"), word(DAY_KINDS, new or "—"))
        for day, code, old, new in found.rows
    ]
    print_table("", columns, rows)
    say(
        "{added} days added, {changed} changed, {removed} removed.",
        added=found.added, changed=found.changed, removed=found.removed,
    )  # fmt: skip
    if dry_run:
        say("Nothing has been written.")


@app.command()
def hours(
    spans: Annotated[str, typer.Argument(help="For example 09:00-12:00,14:00-18:00.")],
    area: Area = "",
    weekdays: Annotated[str, typer.Option(help="1 is Monday, 7 Sunday.")] = "1,2,3,4,5",
) -> None:
    """Set when an area works; a shift past midnight is written as two spans."""
    from gridmgr.calendar import service

    with opened() as session:
        service.set_hours(session, area, [int(day) - 1 for day in weekdays.split(",")], spans)


@app.command()
def due(
    amount: float,
    unit: TimeUnit = TimeUnit.WORKING_HOURS,
    area: Area = "",
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d %H:%M"], help="From when; now if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say when a time limit ends that begins now, or at a given time of the district's clock."""
    from gridmgr.calendar.queries import calendar_for

    start = since.replace(tzinfo=clock.zone()) if since else clock.now()
    with opened() as session:
        end = clock.local(calendar_for(session, area).due(start, amount, unit))
    if as_json:
        print_json({"due_at": end.isoformat()})
    else:
        typer.echo(f"{end:%Y-%m-%d %H:%M}")
