"""`gridmgr positions`: where people on duty were last, of those who share it."""

from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table
from gridmgr.i18n import _

app = typer.Typer(no_args_is_help=True, help="Positions of people on duty.")


@app.callback()
def _named() -> None:
    """Let the one command keep its name."""


@app.command("list")
def listing(
    area: Annotated[str, typer.Option(help="Code prefix; empty for the whole district.")] = "",
    as_json: Json = False,
) -> None:
    """List where people on duty were last; each is forgotten after 12 hours."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.position import queries
    from gridmgr.words.places import ago

    with opened() as session:
        found = queries.page(session, SYSTEM, area, 100_000)
    keys = ("username", "name", "code", "lon", "lat", "accuracy_m", "sent_at")
    rows = [
        (
            each.account.username, each.account.name, each.code, round(each.lon, 6), round(each.lat, 6),
            each.accuracy_m, each.sent_at,
        )
        for each in found
    ]  # fmt: skip
    if as_json:
        return print_json([dict(zip(keys, row, strict=True)) for row in rows])
    columns = [_("username"), _("name"), _("area"), _("longitude"), _("latitude"), _("metres"), _("sent")]
    now = clock.now()
    told = [(*row[:3], str(row[3]), str(row[4]), row[5], ago(now - row[6])) for row in rows]
    print_table("", columns, told)
