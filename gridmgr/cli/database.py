"""`gridmgr db`: the private PostgreSQL cluster and the schema in it."""

from dataclasses import asdict

import typer

from gridmgr.cli.output import Json, print_json, say
from gridmgr.settings import settings
from gridmgr.words import N_, word

app = typer.Typer(no_args_is_help=True, help="The private database cluster.")

STATES = {"absent": N_("absent"), "stopped": N_("stopped"), "running": N_("running")}
NOT_RUNNING = 3  # as service managers answer


@app.command()
def start() -> None:
    """Create the private cluster if there is none, and start it."""
    from gridmgr import cluster

    cluster.start(settings().home)
    say("The database runs in {folder}.", folder=settings().home)


@app.command()
def stop() -> None:
    """Stop the private cluster."""
    from gridmgr import cluster

    stopped = cluster.stop(settings().home)
    if stopped:
        say("The database has been stopped.")
    else:
        say("The database was not running.")


@app.command()
def status(as_json: Json = False) -> None:
    """Say what is known of the private cluster, without touching it."""
    from gridmgr import cluster

    known = cluster.status(settings().home)
    if as_json:
        print_json(asdict(known))
    else:
        say(
            "The database is {state} (process {pid}, {data}).",
            state=word(STATES, known.state),
            pid=known.pid or "—",
            data=known.data,
        )
    if known.state != "running":
        raise typer.Exit(NOT_RUNNING)


@app.command()
def migrate() -> None:
    """Bring the schema to the newest revision."""
    from gridmgr import db

    db.migrate(db.address())
    say("The schema is up to date.")
