"""`gridmgr views`: views of the command map that people keep."""

from typing import Annotated

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _

app = typer.Typer(no_args_is_help=True, help="Views of the command map that people keep.")
As = Annotated[str, typer.Option("--as", help="User name of whoever keeps them.")]


@app.command("list")
def listing(username: As, as_json: Json = False) -> None:
    """List the views somebody keeps."""
    from gridmgr.account import queries as accounts
    from gridmgr.saved_view import queries

    with opened() as session:
        found = queries.listing(session, accounts.actor(session, username))
        rows = [(each.id, each.name, f"/?{each.query}") for each in found]
    if as_json:
        print_json([dict(zip(("id", "name", "address"), row, strict=True)) for row in rows])
    else:
        print_table("", [_("Number"), _("name"), _("address")], rows)


@app.command("save")
def save(
    name: str,
    query: Annotated[str, typer.Argument(help="What stands behind the question mark of the map's address.")],
    username: As,
) -> None:
    """Keep a view under a name; the same name again takes the new one."""
    from gridmgr.account import queries as accounts
    from gridmgr.saved_view import service

    with opened() as session:
        kept = service.keep(session, accounts.actor(session, username), name, query)
        say("View {name} is kept: {address}", name=kept.name, address=f"/?{kept.query}")


@app.command("remove")
def remove(view_id: int, username: As) -> None:
    """Let a kept view go."""
    from gridmgr.account import queries as accounts
    from gridmgr.saved_view import service

    with opened() as session:
        service.let_go(session, accounts.actor(session, username), view_id)
    say("The view is gone.")
