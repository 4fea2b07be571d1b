"""Further commands of `gridmgr plans`: a plan beside another map, and files to take away and bring back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridmgr.cli.output import Json, err, opened, print_json, print_table, say, writable
from gridmgr.cli.plans import As, PlanId, _actor, app
from gridmgr.errors import BadInput
from gridmgr.i18n import _, number
from gridmgr.words import word
from gridmgr.words.plan_difference import FATES, PAIRS

if TYPE_CHECKING:
    from gridmgr.account.rules import Actor
    from gridmgr.plan_difference.model import Difference


class NotWritten(BadInput):
    """{file} cannot be written; its name must end in .csv, .xlsx, .gpkg or .pdf."""


@app.command()
def compare(
    plan: PlanId,
    other: Annotated[int | None, typer.Option("--with", help="Number of another plan; today's map.")] = None,
    to: Annotated[Path | None, typer.Option(help="Write it as .csv, .xlsx, .gpkg or .pdf.")] = None,
    username: As = None,
    as_json: Json = False,
) -> None:
    """Compare a plan with today's map or with another plan: what moves, and which units differ."""
    from gridmgr.plan_difference import queries, rules

    writable(to)
    with err.status(_("comparing …")), opened() as session:
        actor = _actor(session, username)
        found = queries.difference(session, actor, plan, other)
        if to:
            _write(found, to, actor)
    if as_json:
        pairs = found.ground.drop(columns="geometry").to_dict("records")
        units = found.units.reset_index().astype(object)
        totals = {"was": found.was.totals, "now": found.now.totals}
        print_json(totals | {"pairs": pairs, "units": units.where(units.notna(), None).to_dict("records")})
        return
    headings = list(map(_, PAIRS.values()))
    rows = [[row[0], row[2], *map(number, row[4:])] for row in rules.rows_of_pairs(found)]
    print_table(
        _("{now} beside {was}", now=found.now.title, was=found.was.title or _("Today")), headings, rows
    )
    units = zip(found.units.index, found.units["name"], found.units["fate"], strict=True)
    fates = [[code, name, word(FATES, fate)] for code, name, fate in units]
    print_table("", [_("code"), _("name"), _("Change")], fates)
    if to:
        say("Written to {file}.", file=to)


def _write(found: "Difference", to: Path, actor: "Actor") -> None:
    from gis.formats import write_layer
    from gridmgr import clock, sheet
    from gridmgr.plan_difference import rules

    kind = to.suffix.lower()
    if kind in (".csv", ".xlsx"):
        rows = sheet.stream(sheet.Format(kind[1:]), rules.headings_of_pairs(), rules.rows_of_pairs(found))
        to.write_bytes(b"".join(rows))
    elif kind == ".pdf":
        to.write_bytes(rules.printed(found, {"by": actor.name, "at": clock.now()}))
    elif kind == ".gpkg":
        to.unlink(missing_ok=True)
        for name, frame in rules.layers(found).items():
            write_layer(frame, to, layer=name)
    else:
        raise NotWritten(file=to)
