"""`gridmgr serve`, `gridmgr worker` and `gridmgr demo`: the two processes of the product, and all of it."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from gridmgr.cli.output import complain, opened, say
from gridmgr.errors import Forbidden, Unavailable
from gridmgr.settings import settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class DemoInProduction(Forbidden):
    """Accounts with publicly known passwords exist; close them or give them passwords before production."""


START_SECONDS = 60  # in which the database of a machine that is just starting may come up


def _when_the_database_answers(check: Callable[["Session"], None]) -> None:
    """Bring the schema up to date and check it, as soon as there is a database; say once that it is waited for."""
    end, said = time.monotonic() + START_SECONDS, False
    while True:
        try:
            with opened() as session:
                return check(session)
        except Unavailable as problem:
            if time.monotonic() > end:
                raise
            if not said:
                complain(problem)
            said = True
            time.sleep(1)


Port = Annotated[int | None, typer.Option(help="Port; GRIDMGR_PORT if not given.")]


def serve(port: Port = None) -> None:
    """Serve the pages and the API."""
    import uvicorn

    from gridmgr import log
    from gridmgr.account import queries as accounts

    def check(session: "Session") -> None:
        if settings().environment == "production" and accounts.has_demo_accounts(session):
            raise DemoInProduction

    _when_the_database_answers(check)
    log.set_up(process="serve")
    chosen = port or settings().port
    say("gridmgr listens on http://{host}:{port}", host=settings().host, port=chosen)
    uvicorn.run(
        "web.main:create_app", factory=True, host=settings().host, port=chosen, log_level="warning",
        log_config=None, access_log=False, http="web.server:Protocol",
        timeout_graceful_shutdown=settings().shutdown_seconds,
    )  # fmt: skip


def worker() -> None:
    """Run the tasks: imports, maps, nightly verification. As many as you like, on any machine."""
    from gridmgr import db, log
    from gridmgr import worker as tasks

    _when_the_database_answers(lambda session: None)
    log.set_up(process="worker")
    tasks.run(db.address())


def demo(
    scale: Annotated[
        str, typer.Option(help="tiny | small | street | district, or 1 to 10 districts.")
    ] = "district",
    days: Annotated[int, typer.Option(min=1, max=365, help="How many days of incidents to play.")] = 30,
    port: Annotated[int | None, typer.Option(help="Port; GRIDMGR_PORT, or the next free one.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="How many workers climb side by side.")] = 1,
) -> None:
    """Build a fictional district, play its days through the real verbs, and serve it until Ctrl-C."""
    from gridmgr.cli.demo import run

    run(scale, days, port, workers)
