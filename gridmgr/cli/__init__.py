"""The `gridmgr` command: the product without a browser. Every reading command answers in JSON with `--json`.

Its modules load the heavy libraries inside the functions that work with them: help and mistyped
commands answer at once.
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command

from gridmgr import i18n
from gridmgr.cli import (
    accounts,
    approvals,
    backups,
    bulletins,
    calendar,
    categories,
    claims,
    clocks,
    comparing,
    consultations,
    database,
    desk,
    dispatch,
    duty,
    figures,
    files,
    flags,
    grading,
    grids,
    hotspots,
    incidents,
    lists,
    locate,
    lookup,
    modules,
    morning,
    notices,
    one_grid,
    organisation,
    phrases,
    plan_files,
    policies,
    positions,
    publications,
    redraw,
    scans,
    serving,
    supervision,
    task_forces,
    trends,
    views,
    weekly,
    whistles,
)
from gridmgr.cli.output import fail, problem_behind
from gridmgr.settings import settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=__doc__.partition("\n")[0],
)
app.add_typer(database.app, name="db")
app.add_typer(grids.app, name="grids")
app.add_typer(redraw.app, name="redraw")
app.add_typer(plan_files.app, name="plans")
app.add_typer(publications.app, name="publications")
app.add_typer(hotspots.app, name="hotspots")
app.add_typer(incidents.app, name="incidents")
app.add_typer(accounts.app, name="accounts")
app.add_typer(files.app, name="files")
app.add_typer(calendar.app, name="calendar")
app.add_typer(categories.app, name="categories")
app.add_typer(notices.app, name="notices")
app.add_typer(phrases.app, name="phrases")
app.add_typer(policies.app, name="policies")
app.add_typer(clocks.app, name="clocks")
app.add_typer(duty.app, name="duty")
app.add_typer(positions.app, name="positions")
app.add_typer(supervision.app, name="supervision")
app.add_typer(organisation.app, name="organisation")
app.add_typer(modules.app, name="modules")
app.add_typer(one_grid.app, name="one-grid")
app.add_typer(task_forces.app, name="task-forces")
app.add_typer(dispatch.app, name="dispatch")
app.add_typer(claims.app, name="claims")
app.add_typer(whistles.app, name="whistles")
app.add_typer(views.app, name="views")
app.add_typer(approvals.app, name="approvals")
app.add_typer(consultations.app, name="consultations")
app.add_typer(lists.app, name="lists")
app.add_typer(scans.app, name="scan")
app.command("morning")(morning.morning)
app.add_typer(bulletins.app, name="bulletins")
app.command("weekly")(weekly.weekly)
app.command("backup")(backups.backup)
app.command("restore")(backups.restore)
app.command("desk")(desk.desk)
app.command("search")(lookup.search)
app.command("look")(lookup.look)
app.command("locate")(locate.locate)
app.command("figures")(figures.figures)
app.add_typer(grading.app, name="grading")
app.add_typer(flags.app, name="flags")
app.command("trends")(trends.trends)
app.command("compare")(comparing.compare)
app.command("timeline")(comparing.timeline)
app.command("figure-terms")(figures.figure_terms)
app.command("map")(figures.write_map)
app.command("serve")(serving.serve)
app.command("worker")(serving.worker)
app.command("demo")(serving.demo)


def explained(command: Any) -> Iterator[Any]:
    """Yield every command and parameter below a command that has a help text, itself first."""
    for each in (command, *command.params):
        if getattr(each, "help", None):
            yield each
    for child in getattr(command, "commands", {}).values():
        yield from explained(child)


def main() -> None:
    """Run the command; whatever goes wrong is one clear line and a non-zero end, never a traceback."""
    try:
        i18n.language.set(settings().language)
        command = get_command(app)
        for each in explained(command):
            each.help = i18n._(each.help)
        command(prog_name="gridmgr")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("GRIDMGR_DEBUG"):
            raise
        fail(problem_behind(error), as_json="--json" in sys.argv)
        sys.exit(1)
