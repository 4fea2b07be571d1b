"""`gridmgr db`: the private PostgreSQL cluster and the schema in it."""

from dataclasses import asdict

import typer

from gridmgr import cluster, db
from gridmgr.cli.output import Json, print_json, say
from gridmgr.i18n import _
from gridmgr.settings import settings

app = typer.Typer(no_args_is_help=True, help="The private database cluster.")


@app.command()
def start() -> None:
    """Create the private cluster if there is none, and start it."""
    cluster.start(settings().home)
    say("The database runs in {folder}.", folder=settings().home)


@app.command()
def stop() -> None:
    """Stop the private cluster."""
    stopped = cluster.stop(settings().home)
    say("The database has been stopped." if stopped else "The database was not running.")


@app.command()
def status(as_json: Json = False) -> None:
    """Say what is known of the private cluster, without touching it."""
    known = cluster.status(settings().home)
    if as_json:
        print_json(asdict(known))
    else:
        say(
            "The database is {state} (process {pid}, {data}).",
            state=_(known.state),
            pid=known.pid or "—",
            data=known.data,
        )


@app.command()
def migrate() -> None:
    """Bring the schema to the newest revision."""
    db.migrate(db.address())
    say("The schema is up to date.")
