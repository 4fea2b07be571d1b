"""`gridmgr backup` and `gridmgr restore`: all that is kept, out and in again, while the product runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status

from gridmgr.cli.output import Json, err, print_json, print_table, say
from gridmgr.i18n import _


def backup(
    out: Annotated[Path, typer.Argument(help="A folder; each backup gets a folder of its own in it.")],
    keep: Annotated[int | None, typer.Option(min=1, help="Keep only so many of the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Back up database and files while server and workers run."""
    from gridmgr import db
    from gridmgr.backup import service

    with err.status(_("Backing up …")) as status:
        made = service.backup(db.address(), out, keep, _told(status, _("Backing up …")))
    if as_json:
        print_json({"folder": str(made), **vars(service.manifest(made))})
    else:
        say("The backup is in {folder}.", folder=made)


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of one backup.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of what is there.")] = False,
    as_json: Json = False,
) -> None:
    """Restore a backup, compare it with what was backed up, and let it take the database's place."""
    from gridmgr import db
    from gridmgr.backup import service

    with err.status(_("Restoring …")) as status:
        told = _told(status, _("Restoring …"))
        found = service.restore(db.address(), folder, replace=replace, tell=told)
    if as_json:
        print_json([{"what": name, "backup": then, "restored": now} for name, then, now in found.rows])
    else:
        print_table("", [_("what"), _("backup"), _("restored")], found.rows)
        say("The backup has been restored.")


def _told(status: Status, doing: str) -> Callable[[str, int], None]:
    """Return what shows on a terminal how far it has come."""

    def tell(step: str, done: int) -> None:
        status.update(f"{doing} {_(str(step))}{f': {done}' if done else ''}")

    return tell
