"""`gridmgr approvals`: permits that all bodies they touch are asked about."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _, moment
from gridmgr.words import FATES, word
from gridmgr.words.joint import APPROVAL_DEEDS, APPROVALS, SAID

app = typer.Typer(
    no_args_is_help=True, help="Permits that all bodies they touch are asked about (one window)."
)
By = Annotated[str, typer.Option("--by", help="Who does it: a user name.")]


@app.command("list")
def listing(
    area: Annotated[str, typer.Option(help="Code prefix of the place.")] = "",
    open_only: Annotated[bool, typer.Option("--open", help="Only those not decided yet.")] = False,
    size: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List the applications, the newest first."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.coapproval import queries, rules
    from gridmgr.coapproval.model import Standing

    with opened() as session:
        search = queries.Search(Standing.OPEN if open_only else None, area=area)
        found = queries.page(session, SYSTEM, search, size)
        opinions = queries.opinions(session, [each.id for each in found])
        rows = [
            {
                "id": each.id, "kind": each.kind, "applicant": each.applicant, "place": each.place,
                "body": each.body or each.asker_name, "due_at": each.due_at, "state": each.state,
                "asked": [one.body for one in opinions.get(each.id, [])],
                "objecting": rules.objecting(opinions.get(each.id, [])),
            }
            for each in found
        ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    columns = ["", _("permit"), _("applicant"), _("place"), _("by"), _("due"), _("state"), _("objects")]
    print_table(
        "", columns,
        [
            (
                str(row["id"]), row["kind"], row["applicant"], row["place"], row["body"], moment(row["due_at"]),
                word(APPROVALS, row["state"]), _(", ").join(row["objecting"]),
            )
            for row in rows
        ],
    )  # fmt: skip


@app.command()
def show(approval: int, as_json: Json = False) -> None:
    """Show who was asked about an application and what each says."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.coapproval import queries

    with opened() as session:
        found = queries.approval(session, SYSTEM, approval)
        state, conditions = found.state, found.conditions
        rows = [
            {
                "body": each.body, "said": each.said, "note": each.note, "law": each.law, "at": each.said_at,
                "overruled": each.overruled, "matters": each.matters,
            }
            for each in queries.opinions(session, [approval]).get(approval, [])
        ]  # fmt: skip
        done = [
            {"at": each.at, "deed": each.deed, "body": each.body, "actor": each.actor_name, "note": each.note}
            for each in queries.deeds(session, approval)
        ]
    if as_json:
        print_json({"state": state, "conditions": conditions, "opinions": rows, "done": done})
        return
    told = [
        (row["body"], word(SAID, row["said"]) if row["said"] else "—", row["note"], row["law"])
        for row in rows
    ]
    print_table(word(APPROVALS, state), [_("body"), _("says"), _("note"), _("law")], told)
    steps = [
        (moment(row["at"]), row["body"] or row["actor"], word(APPROVAL_DEEDS, row["deed"]), row["note"])
        for row in done
    ]
    print_table("", [_("when"), _("who says"), _("what"), _("note")], steps)


@app.command()
def ask(
    kind: str,
    code: Annotated[str, typer.Argument(help="Code of the building or unit.")],
    applicant: str,
    what: str,
    by: By,
    valid_until: Annotated[str, typer.Option(help="The last day: 2026-02-15.")] = "",
) -> None:
    """Ask all bodies that a permit touches."""
    from gridmgr import sheet
    from gridmgr.account import queries as accounts
    from gridmgr.coapproval import queries, service
    from gridmgr.coapproval.model import Application

    with opened() as session:
        until = sheet.day(valid_until) if valid_until else None
        told = Application(kind, applicant, what, code, valid_until=until)
        found = service.ask(session, accounts.actor(session, by), told)
        asked = [each.body for each in queries.opinions(session, [found.id]).get(found.id, [])]
        say("Application {id}: asked are {bodies}, until {due}.", id=found.id, bodies=_(", ").join(asked) or "—",
            due=moment(found.due_at))  # fmt: skip


@app.command()
def answer(
    approval: int,
    said: Annotated[str, typer.Argument(help="agree, conditions, object.")],
    by: By,
    note: str = "",
    law: str = "",
) -> None:
    """Say what somebody's body thinks of an application."""
    from gridmgr import sheet
    from gridmgr.account import queries as accounts
    from gridmgr.coapproval import rules, service

    found = sheet.one_of({each.value: each for each in rules.ANSWERS})(said)
    with opened() as session:
        service.say(session, accounts.actor(session, by), approval, found, note, law)
        say("Application {id}: {state}.", id=approval, state=word(SAID, found))


@app.command()
def overrule(approval: int, body: str, note: str, by: By) -> None:
    """Set a body's objection aside, with the reason."""
    from gridmgr.account import queries as accounts
    from gridmgr.coapproval import service

    with opened() as session:
        found = service.overrule(session, accounts.actor(session, by), approval, body, note)
        say("Application {id}: {state}.", id=found.id, state=word(APPROVALS, found.state))


@app.command()
def decide(
    approval: int,
    deed: Annotated[str, typer.Argument(help="grant, refuse, withdraw.")],
    by: By,
    note: str = "",
) -> None:
    """Grant, refuse or withdraw an application."""
    from gridmgr import sheet
    from gridmgr.account import queries as accounts
    from gridmgr.coapproval import service
    from gridmgr.coapproval.model import Deed

    found = sheet.one_of({each.value: each for each in (Deed.GRANT, Deed.REFUSE, Deed.WITHDRAW)})(deed)
    with opened() as session:
        done = service.decide(session, accounts.actor(session, by), approval, found, note)
        say("Application {id}: {state}.", id=done.id, state=word(APPROVALS, done.state))


@app.command()
def kinds(
    table: Annotated[
        Path | None, typer.Argument(help="A table (CSV or XLSX) to take; without it they are listed.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    as_json: Json = False,
) -> None:
    """List the kinds of permits, or take the whole table of them."""
    from gridmgr import db, sheet
    from gridmgr.account.rules import SYSTEM
    from gridmgr.coapproval import queries, rules, service

    if table is not None:
        read = sheet.read(table.read_bytes(), table.name, rules.KINDS)
        with opened() as session, db.rehearsed(session, keep=not dry_run):
            fates = service.import_kinds(session, SYSTEM, read)
        if as_json:
            print_json(dict(fates))
            return
        print_table("", [_("permit"), _("what happens")], [(name, word(FATES, fate)) for name, fate in fates])
        return
    with opened() as session:
        rows = [
            {
                "name": each.name, "prefixes": each.prefixes, "amount": each.amount, "unit": each.unit,
                "silence": each.silence,
            }
            for each in queries.kinds(session)
        ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    print_table("", [_("permit"), _("touches")], [(row["name"], " ".join(row["prefixes"])) for row in rows])


@app.command()
def figures(
    days: Annotated[int, typer.Option(min=1, max=3660, help="Applications asked in so many last days.")] = 90,
    as_json: Json = False,
) -> None:
    """Say how many were settled together, how long it took, and how each body answers."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.coapproval import queries

    with opened() as session:
        until = clock.now()
        found = queries.figures(session, SYSTEM, until - timedelta(days=days), until)
        bodies = queries.sayings(session, SYSTEM, until - timedelta(days=days), until)
    if as_json:
        print_json(vars(found) | {"bodies": [vars(each) for each in bodies]})
        return
    say(
        "{asked} asked, {settled} settled together, {granted} permitted, {questioned} questioned within 30 days; "
        "mean time {hours} hours.",
        asked=found.asked, settled=found.settled, granted=found.granted, questioned=found.questioned,
        hours="—" if found.mean_hours is None else f"{found.mean_hours:.1f}",
    )  # fmt: skip
    columns = [_("body"), _("asked"), _("agrees"), _("with conditions"), _("objected"), _("silent")]
    rows = [
        (each.body, each.asked, each.agreed, each.conditions, each.objected, each.silent) for each in bodies
    ]
    print_table("", columns, rows)
