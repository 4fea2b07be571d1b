"""`gridmgr dispatch`: whom cases should go to, automatic dispatch, and what waits on somebody's desk."""

from datetime import date
from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _, moment
from gridmgr.words import word

app = typer.Typer(no_args_is_help=True, help="Dispatch by list, grid, roster and load.")
By = Annotated[str, typer.Option("--by", help="Who does it: a user name.")]


@app.command()
def suggest(number: str, as_json: Json = False) -> None:
    """Say whom a case should go to, and why."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.dispatch import queries
    from gridmgr.dispatch.model import BASES
    from gridmgr.dispatch.rules import said
    from gridmgr.incident import queries as incidents

    with opened() as session:
        (found,) = queries.suggestions(session, [incidents.by_number(session, SYSTEM, number)])
    rows = [
        {"body": one.body, "code": one.code, "basis": one.basis, "why": [each.told() for each in one.why]}
        for one in found.candidates
    ]
    if as_json:
        return print_json({"candidates": rows, "why_not": [each.told() for each in found.why_not]})
    if not rows:
        for each in found.why_not:
            typer.echo(said(each.told()))
    told = [
        (str(n), row["body"], word(BASES, row["basis"]), "; ".join(said(each) for each in row["why"]))
        for n, row in enumerate(rows, 1)
    ]
    print_table("", ["", _("body"), _("named as"), _("because")], told)


@app.command()
def auto(as_json: Json = False) -> None:
    """Dispatch now what areas let the system dispatch; the worker does so by itself."""
    from gridmgr.dispatch import service

    went = left = 0
    looked = service.BATCH
    while looked == service.BATCH:
        with opened() as session:
            more, held = service.dispatch_waiting(session)
        went, left, looked = went + more, left + held, more + held
    if as_json:
        return print_json({"dispatched": went, "left": left})
    say("{went} cases were dispatched, {left} were left to people.", went=went, left=left)


@app.command()
def desk(
    username: str,
    size: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    as_json: Json = False,
) -> None:
    """List what waits on somebody's dispatch desk, each case with its first suggestion."""
    from gridmgr.account import queries as accounts
    from gridmgr.dispatch import queries
    from gridmgr.dispatch.rules import said

    with opened() as session:
        actor = accounts.actor(session, username)
        found = queries.page(session, actor, queries.queue(actor), size)
        rows = [
            {
                "number": case.number, "due_at": case.due_at, "severity": case.severity,
                "to": told.candidates[0].body if told.candidates else None,
                "why": [each.told() for each in (told.candidates[0].why if told.candidates else told.why_not)],
            }
            for case, told in found
        ]  # fmt: skip
    if as_json:
        return print_json(rows)
    told = [
        (row["number"], moment(row["due_at"]), row["to"] or "—", "; ".join(said(each) for each in row["why"]))
        for row in rows
    ]
    print_table("", [_("number"), _("due"), _("to"), _("because")], told)


@app.command("set")
def set_area(
    code: Annotated[str, typer.Argument(help="Beginning of codes; empty is the whole district.")],
    mode: Annotated[str, typer.Argument(help="off, suggest, automatic.")],
    by: By,
    severity: Annotated[
        list[int] | None, typer.Option(min=1, max=3, help="Of cases that go automatically; may be repeated.")
    ] = None,
    check_minutes: Annotated[
        int | None, typer.Option(help="To take a check on site; without it nobody is sent.")
    ] = None,
    since: Annotated[str, typer.Option(help="From which day on; today if not given.")] = "",
) -> None:
    """Set how an area dispatches and looks on site."""
    from gridmgr import sheet
    from gridmgr.account import queries as accounts
    from gridmgr.dispatch import service
    from gridmgr.dispatch.model import Mode

    chosen = sheet.one_of({each.value: each for each in Mode})(mode)
    with opened() as session:
        day = date.fromisoformat(since) if since else clock.today()
        actor = accounts.actor(session, by)
        found = service.set_area(session, actor, code, day, chosen, severity or (), check_minutes)
        say("Set from {day} on.", day=found.effective.isoformat())
