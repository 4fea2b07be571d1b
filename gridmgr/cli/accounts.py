"""`gridmgr accounts`: people, their roles and their tokens."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _
from gridmgr.words import FATES, word

app = typer.Typer(no_args_is_help=True, help="People who may log in.")

Grants = Annotated[list[str], typer.Option("--role", help="ROLE or ROLE:CODE, as often as needed.")]
Password = Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)]


@app.command("open")
def open_account(
    username: str,
    name: Annotated[str, typer.Option()],
    role: Grants,
    password: Password,
    body: Annotated[str | None, typer.Option(help="The department worked for.")] = None,
) -> None:
    """Open an account with its roles, each on a code prefix or on the whole district."""
    from gridmgr.account import service

    with opened() as session:
        service.open_account(session, username, name, password, map(service.parse_grant, role), body=body)
    say("The account {username} is open.", username=username)


@app.command("import")
def import_file(
    file: Path,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: Json = False,
) -> None:
    """Open and change accounts from a table (CSV or XLSX), all or none; new passwords are told this once."""
    from gridmgr import db, sheet
    from gridmgr.account import service
    from gridmgr.account.rules import PEOPLE, SYSTEM
    from gridmgr.hierarchy import queries as hierarchy
    from gridmgr.organisation import queries as organisation

    read = sheet.read(file.read_bytes(), file.name, PEOPLE)
    with opened() as session, db.rehearsed(session, keep=not dry_run):
        areas = partial(hierarchy.without_units, session)
        bodies = organisation.workplaces(session)
        people = service.import_people(session, SYSTEM, read, areas, bodies)
    if as_json:
        print_json([asdict(each) for each in people])
        return
    rows = [
        (each.row, each.username, each.name, word(FATES, each.fate), each.password or "")
        for each in people
        if each.fate != "unchanged"
    ]
    columns = [_("row"), _("username"), _("name"), _("what happens"), _("first password")]
    print_table("", columns, rows)
    if dry_run:
        say("Nothing has been written.")


@app.command("grant")
def grant(username: str, role: Grants) -> None:
    """Replace the roles of an account."""
    from gridmgr.account import service

    with opened() as session:
        service.set_grants(session, username, list(map(service.parse_grant, role)))


@app.command()
def password(username: str, password: Password) -> None:
    """Set a password and end all sessions of the account."""
    from gridmgr.account import service

    with opened() as session:
        service.set_password(session, username, password)


@app.command()
def close(username: str) -> None:
    """Close an account; it keeps its name in history."""
    from gridmgr.account import service

    with opened() as session:
        service.set_active(session, username, False)


@app.command()
def token(username: str, name: str = "cli", days: int | None = None) -> None:
    """Issue a bearer token for the API; it is shown once."""
    from gridmgr.account import queries, service

    with opened() as session:
        secret, _token = service.issue_token(session, queries.actor(session, username), name, days)
    typer.echo(secret)


@app.command("list")
def listing(as_json: Json = False) -> None:
    """List all accounts."""
    from gridmgr.account import queries

    with opened() as session:
        rows = [
            {"username": a.username, "name": a.name, "active": a.active, "demo": a.demo,
             "roles": [f"{g.role}:{g.code}" for g in a.grants]}
            for a in queries.listing(session)
        ]  # fmt: skip
    if as_json:
        print_json(rows)
    else:
        columns = [_("username"), _("name"), _("active"), _("roles")]
        print_table(
            "", columns, [(r["username"], r["name"], r["active"], " ".join(r["roles"])) for r in rows]
        )
