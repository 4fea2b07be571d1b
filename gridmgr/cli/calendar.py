"""`gridmgr calendar`: holidays, make-up workdays, worked hours, and when a time limit ends."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.clock import FIRST_DAY, TimeUnit
from gridmgr.i18n import _
from gridmgr.words import DAY_KINDS, FATES, word

if TYPE_CHECKING:
    from gridmgr.calendar.model import Change, Differences, WorkedHours

app = typer.Typer(no_args_is_help=True, help="The working calendar: days, hours, due times.")

Area = Annotated[str, typer.Option("--area", help="Code prefix; empty for the whole district.")]


@app.command()
def show(year: Annotated[int | None, typer.Argument()] = None, as_json: Json = False) -> None:
    """Show the special days of a year and the hours of each area."""
    from gridmgr.calendar import queries

    with opened() as session:
        days, kept = queries.days(session, year or clock.today().year), queries.hours(session)
    if as_json:
        told = [
            {"day": each.day.isoformat(), "area": each.code, "kind": each.kind, "name": each.name}
            for each in days
        ]
        print_json({"days": told, "hours": [_plain(each) for each in kept]})
        return
    columns = [_("day"), _("area"), _("kind"), _("name")]
    rows = [(each.day.isoformat(), each.code, word(DAY_KINDS, each.kind), each.name) for each in days]
    print_table("", columns, rows)
    _print_hours(kept)


def _plain(kept: "WorkedHours") -> dict[str, object]:
    return {
        "area": kept.code, "first_day": kept.first_day.isoformat(), "weekdays": kept.weekdays, "spans": kept.spans,
    }  # fmt: skip


def _print_hours(kept: Iterable["WorkedHours"]) -> None:
    rows = [
        (
            each.code,
            _("always") if each.first_day == FIRST_DAY else each.first_day.isoformat(),
            " ".join(str(day + 1) for day in each.weekdays),
            ", ".join("-".join(span) for span in each.spans) or _("as the area around it"),
        )
        for each in kept
    ]
    print_table("", [_("area"), _("from"), _("days of the week"), _("hours")], rows)


@app.command("import")
def import_file(
    file: Path,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: Json = False,
) -> None:
    """Take a notice of holidays (CSV, XLSX), all or nothing; of each area it names it replaces the years named."""
    from gridmgr import db, sheet
    from gridmgr.calendar import service
    from gridmgr.calendar.rules import DAYS

    read = sheet.read(file.read_bytes(), file.name, DAYS)
    with opened() as session, db.rehearsed(session, keep=not dry_run):
        found = service.import_days(session, read)
    if as_json:
        print_json(found.counts | {"written": not dry_run, "rows": [_change(each) for each in found.rows]})
        return
    _print_changes(found)
    if dry_run:
        say("Nothing has been written.")


def _change(change: "Change") -> dict[str, object]:
    said = {
        name: one and dict(zip(("kind", "name"), one, strict=True))
        for name, one in (("before", change.before), ("after", change.after))
    }
    return {"day": change.day.isoformat(), "area": change.code, "fate": change.fate} | said


def _print_changes(found: "Differences") -> None:
    def told(one: tuple[str, str] | None) -> str:
        return f"{word(DAY_KINDS, one[0])} {one[1]}".strip() if one else "—"

    rows = [
        (each.day.isoformat(), each.code, word(FATES, each.fate), told(each.before), told(each.after))
        for each in found.rows
    ]
    print_table("", [_("day"), _("area"), _("change"), _("before"), _("after")], rows)
    say("{added} days added, {changed} changed, {removed} removed.", **found.counts)


@app.command()
def day(
    day: Annotated[str, typer.Argument(help="For example 2026-11-21.")],
    kind: Annotated[str, typer.Argument(help="holiday, makeup (放假, 调休上班).")] = "",
    area: Area = "",
    name: Annotated[str, typer.Option(help="Why: for example 春节.")] = "",
    drop: Annotated[bool, typer.Option("--drop", help="Let the day be as the week says again.")] = False,
) -> None:
    """Make one day of an area a holiday or a make-up workday, or take that back; all others stay."""
    from gridmgr import sheet
    from gridmgr.calendar import rules, service

    found = sheet.day(day)
    with opened() as session:
        if drop:
            service.drop_day(session, found, area)
        else:
            changes = service.set_day(session, found, area, rules.kind_of(kind), sheet.text(64)(name))
            _print_changes(changes)


@app.command()
def hours(
    spans: Annotated[
        str, typer.Argument(help="For example 09:00-12:00,14:00-18:00 or 22:00-06:00; none: show them.")
    ] = "",
    area: Area = "",
    first_day: Annotated[
        str, typer.Option("--from", help="The first day they hold; today if not given.")
    ] = "",
    weekdays: Annotated[str, typer.Option(help="1 is Monday, 7 Sunday.")] = "1,2,3,4,5",
    as_around: Annotated[
        bool, typer.Option("--as-around", help="From that day on work as the area around it does.")
    ] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="Take back the hours that begin on that day, as if they had never.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show when areas work, or set it for one from a day on; its hours before that day stay those of the past."""
    from gridmgr import sheet
    from gridmgr.calendar import queries, service

    begins = sheet.day(first_day) if first_day else clock.today()
    with opened() as session:
        if drop:
            service.drop_hours(session, area, begins)
        elif as_around:
            service.follow_around(session, area, begins)
        elif spans:
            service.set_hours(session, area, begins, weekdays.split(","), spans)
        kept = [each for each in queries.hours(session) if each.code == area or not area]
        if as_json:
            print_json([_plain(each) for each in kept])
        else:
            _print_hours(kept)


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
    from gridmgr.calendar import queries

    start = since.replace(tzinfo=clock.zone()) if since else clock.now()
    with opened() as session:
        end = clock.local(queries.due(session, area, amount, unit, start))
    if as_json:
        print_json({"due_at": end.isoformat()})
    else:
        typer.echo(f"{end:%Y-%m-%d %H:%M}")
