"""The `gridmgr` command: the product without a browser. Every reading command answers in JSON with `--json`."""

import sys

import typer

from gis.errors import Problem
from gridmgr import i18n
from gridmgr.cli import accounts, categories, database, demo, figures, grids, incidents, locate, serving
from gridmgr.cli.output import complain
from gridmgr.settings import settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(database.app, name="db")
app.add_typer(grids.app, name="grids")
app.add_typer(incidents.app, name="incidents")
app.add_typer(accounts.app, name="accounts")
app.add_typer(categories.app, name="categories")
app.command("locate")(locate.locate)
app.command("figures")(figures.figures)
app.command("map")(figures.write_map)
app.command("serve")(serving.serve)
app.command("worker")(serving.worker)
app.command("demo")(demo.demo)


def main() -> None:
    """Run the command; whatever goes wrong is one clear line and a non-zero end, never a traceback."""
    i18n.language.set(settings().language)
    try:
        app()
    except Problem as problem:
        complain(problem)
        sys.exit(1)
