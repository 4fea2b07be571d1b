"""`gridmgr accounts`: people, their roles and their tokens."""

from typing import Annotated

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _

app = typer.Typer(no_args_is_help=True, help="People who may log in.")

Grants = Annotated[list[str], typer.Option("--role", help="ROLE or ROLE:CODE, as often as needed.")]
Password = Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)]


@app.command("open")
def open_account(
    username: str, name: Annotated[str, typer.Option()], role: Grants, password: Password
) -> None:
    """Open an account with its roles, each on a code prefix or on the whole district."""
    from gridmgr.account import service

    with opened() as session:
        service.open_account(session, username, name, password, map(service.parse_grant, role))
    say("The account {username} is open.", username=username)


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
