"""`gridmgr clocks`: the limits that run, the sweep that climbs their rungs, and the auditor."""

from typing import Annotated

import typer

from gridmgr import i18n
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _
from gridmgr.words import AUDITED, CLOCKS, STAGES, word

app = typer.Typer(no_args_is_help=True, help="Clocks of cases and the rungs they climb.")
PARTS = ("overdue", "missing", "uneven")


@app.command("list")
def listing(
    number: Annotated[str | None, typer.Argument(help="A case; without one, all clocks that run.")] = None,
    size: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: Json = False,
) -> None:
    """List the clocks of a case, or the running ones whose next rung is due first."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.escalation import queries
    from gridmgr.incident.queries import by_number

    with opened() as session:
        found = (
            queries.of_case(session, by_number(session, SYSTEM, number).id)
            if number
            else queries.next_due(session, size)
        )
        numbers = queries.numbers(session, found)
    rows = [
        {
            "number": numbers[each.incident_id], "stage": each.stage, "state": each.state,
            "started_at": each.started_at, "due_at": each.due_at, "next_rung": each.next_rung,
            "rungs": len(each.rung_times), "next_rung_at": each.next_rung_at,
        }
        for each in found
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    columns = [
        _("number"),
        _("stage"),
        _("state"),
        _("started"),
        _("due"),
        _("rungs climbed"),
        _("next rung"),
    ]
    cells = [
        (
            row["number"], word(STAGES, row["stage"]), word(CLOCKS, row["state"]),
            i18n.moment(row["started_at"]), i18n.moment(row["due_at"]),
            f"{row['next_rung']} / {row['rungs']}", i18n.moment(row["next_rung_at"]),
        )
        for row in rows
    ]  # fmt: skip
    print_table("", columns, cells)


@app.command()
def sweep(as_json: Json = False) -> None:
    """Climb the rungs that are due now, as the worker does every ten seconds."""
    from gridmgr.escalation import service

    served = batch = 0
    while batch in (0, service.BATCH):
        with opened() as session:
            batch = service.sweep(session)
        served += batch
        if not batch:
            break
    if as_json:
        print_json({"served": served})
    else:
        say("{served} clocks were served.", served=served)


@app.command()
def audit(
    mend: Annotated[bool, typer.Option("--mend", help="Start the clocks that are missing.")] = False,
    as_json: Json = False,
) -> None:
    """Look for clocks nobody serves, cases without a clock, and climbs that do not add up."""
    from gridmgr.audit import queries, service

    with opened() as session:
        started = service.mend(session) if mend else 0
        found = queries.unserved(session)
    if as_json:
        print_json(
            {part: [each._asdict() for each in getattr(found, part)] for part in PARTS} | {"started": started}
        )
    else:
        if mend:
            say("{started} clocks were started.", started=started)
        rows = [
            (word(AUDITED, part), each.number, word(STAGES, each.stage), i18n.moment(each.at))
            for part in PARTS
            for each in getattr(found, part)
        ]
        if rows:
            print_table("", [_("what"), _("number"), _("stage"), _("since")], rows)
        else:
            say("Every clock is served, no case lacks one, and all climbs add up.")
    if found:
        raise typer.Exit(1)
