"""`gridmgr backup` and `gridmgr restore`: all that is kept, out and in again, while the product runs."""

from pathlib import Path
from typing import Annotated

import typer

from gridmgr.cli.output import err, print_table, say
from gridmgr.i18n import _


def backup(
    out: Annotated[Path, typer.Argument(help="A folder; each backup gets a folder of its own in it.")],
    keep: Annotated[int | None, typer.Option(min=1, help="Keep only so many of the newest.")] = None,
) -> None:
    """Back up database and files while server and workers run."""
    from gridmgr import db
    from gridmgr.backup import service

    with err.status(_("Backing up …")):
        url = db.address()
        db.migrate(url)
        made = service.backup(url, out, keep)
    say("The backup is in {folder}.", folder=made)


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of one backup.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of what is there.")] = False,
) -> None:
    """Restore a backup, compare it with what was backed up, and let it take the database's place."""
    from gridmgr import db
    from gridmgr.backup import service

    with err.status(_("Restoring …")):
        found = service.restore(db.address(), folder, replace=replace)
    print_table("", [_("what"), _("backup"), _("restored")], found.rows)
    say("The backup has been restored.")
