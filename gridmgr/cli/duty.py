"""`gridmgr duty`: who is on duty now and next, rosters, and leave."""

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _
from gridmgr.words import ROLES, word

app = typer.Typer(no_args_is_help=True, help="Duty: rosters, leave, who is there.")
At = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d %H:%M"], help="When; now if not given.")]


def _said(instant: datetime | None) -> str:
    return f"{clock.local(instant):%Y-%m-%d %H:%M}" if instant else ""


@app.command()
def now(code: str, at: At = None, as_json: Json = False) -> None:
    """Show who is on duty for a unit, at all its levels, and who is next."""
    from gridmgr.duty import queries

    with opened() as session:
        found = queries.on_duty(session, code, at.replace(tzinfo=clock.zone()) if at else None)
    if as_json:
        told = ({"begins": _said(each.begins), "ends": _said(each.ends)} for each in found)
        print_json([each._asdict() | times for each, times in zip(found, told, strict=True)])
        return
    rows = [
        (
            _("now") if each.now else _("next"), word(ROLES, each.role), each.code,
            f"{each.name} → {each.cover or '—'}" if each.away else each.name,
            _("substitute") if each.substitute else _("main"),
            _said(each.begins) or _("always"), _said(each.ends),
        )
        for each in found
    ]  # fmt: skip
    print_table("", [_("when"), _("role"), _("area"), _("name"), _("part"), _("from"), _("until")], rows)


@app.command("import")
def import_file(
    file: Path,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: Json = False,
) -> None:
    """Take a roster (CSV, XLSX), all or nothing; at each seat it replaces the turns from its first to its last."""
    from gridmgr import db, sheet
    from gridmgr.account.rules import SYSTEM
    from gridmgr.duty import service
    from gridmgr.duty.rules import SHIFTS
    from gridmgr.hierarchy import queries as hierarchy

    read = sheet.read(file.read_bytes(), file.name, SHIFTS)
    with opened() as session, db.rehearsed(session, keep=not dry_run):
        found = service.import_shifts(session, SYSTEM, read, partial(hierarchy.without_units, session))
    gaps = [
        {
            "role": word(ROLES, each.first.role), "area": each.first.code, "begins": _said(each.first.begins),
            "ends": _said(each.first.ends), "times": len(each.holes), "until": _said(each.holes[-1].ends),
        }
        for each in found.gaps
    ]  # fmt: skip
    if as_json:
        counts = {"turns": len(found.turns), "replaced": found.replaced}
        return print_json(counts | {"written": not dry_run, "gaps": gaps})
    say("{turns} turns of duty, in place of {replaced}.", turns=len(found.turns), replaced=found.replaced)
    if gaps:
        say("Nobody is there:")
        columns = [_("role"), _("area"), _("from"), _("until"), _("times"), _("the last until")]
        print_table("", columns, [tuple(each.values()) for each in gaps])
    if dry_run:
        say("Nothing has been written.")


@app.command("list")
def listing(
    area: Annotated[str, typer.Option(help="Code prefix; empty for the whole district.")] = "",
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days from now on.")] = 7,
    as_json: Json = False,
) -> None:
    """List turns of duty."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.duty import queries

    since = clock.now()
    with opened() as session:
        found = queries.listing(session, SYSTEM, since, since + timedelta(days=days), area, 100_000)
    rows = [
        (
            word(ROLES, each.role),
            each.code,
            name,
            username,
            _said(each.begins),
            _said(each.ends),
            each.substitute,
        )
        for each, username, name in found
    ]
    columns = [_("role"), _("area"), _("name"), _("username"), _("from"), _("until"), _("substitute")]
    if as_json:
        keys = ("role", "area", "name", "username", "begins", "ends", "substitute")
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
    else:
        print_table("", columns, [(*row[:-1], _("yes") if row[-1] else "") for row in rows])


@app.command()
def leave(
    username: str,
    begins: Annotated[str, typer.Argument(help="For example “2026-12-01 08:00”.")],
    ends: str,
    cover: Annotated[str, typer.Option(help="Who sits there meanwhile: a user name.")] = "",
    reason: str = "",
) -> None:
    """Let somebody be away."""
    from gridmgr import sheet
    from gridmgr.account.rules import SYSTEM
    from gridmgr.calendar.rules import instant
    from gridmgr.duty import service

    span = [instant(each, clock.zone()) for each in (begins, ends)]
    with opened() as session:
        found = service.grant_leave(session, SYSTEM, username, *span, cover, sheet.text(100)(reason))
        say("Leave {id} is noted.", id=found.id)


@app.command("end-leave")
def end_leave(leave_id: int) -> None:
    """Take leave back that has not begun, or let it end now."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.duty import service

    with opened() as session:
        service.end_leave(session, SYSTEM, leave_id)
