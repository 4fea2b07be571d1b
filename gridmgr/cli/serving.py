"""`gridmgr serve` and `gridmgr worker`: the two processes of the product."""

from typing import Annotated

import typer
import uvicorn

from gridmgr import db
from gridmgr import worker as tasks
from gridmgr.account import queries as accounts
from gridmgr.cli.output import opened, say
from gridmgr.errors import Forbidden
from gridmgr.settings import settings


class DemoInProduction(Forbidden):
    """Accounts with publicly known passwords exist; close them or give them passwords before production."""


Port = Annotated[int | None, typer.Option(help="Port; GRIDMGR_PORT if not given.")]


def serve(port: Port = None) -> None:
    """Serve the pages and the API."""
    with opened() as session:
        if settings().environment == "production" and accounts.has_demo_accounts(session):
            raise DemoInProduction
    chosen = port or settings().port
    say("gridmgr listens on http://{host}:{port}", host=settings().host, port=chosen)
    uvicorn.run("web.main:create_app", factory=True, host=settings().host, port=chosen, log_level="warning")


def worker() -> None:
    """Run the tasks: imports, maps, nightly verification. As many as you like, on any machine."""
    with opened():
        pass
    tasks.run(db.address())
