"""Further commands of `gridmgr plans`: a plan beside another map, and files to take away and bring back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmgr.cli.output import Json, err, opened, out, print_json, print_table, say, writable
from gridmgr.cli.plans import As, PlanId, Try, _actor, app
from gridmgr.errors import BadInput
from gridmgr.i18n import _, number
from gridmgr.i18n import say as said
from gridmgr.words import word
from gridmgr.words.plan_difference import FATES, PAIRS

if TYPE_CHECKING:
    from gridmgr.account.rules import Actor
    from gridmgr.plan_difference.model import Difference


class NotAGeoPackage(BadInput):
    """{file} cannot be written; its name must end in .gpkg."""


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
        _("{now} beside {was}", now=found.now.title, was=found.was.title or _("today's map")), headings, rows
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


@app.command()
def export(
    plan: PlanId,
    to: Annotated[Path, typer.Option(help="A GeoPackage: micro_grid to be drawn on, building, today.")],
    username: As = None,
) -> None:
    """Take a plan away as a GeoPackage, to be drawn on in QGIS and brought back."""
    from gis.formats import write_layer
    from gridmgr.plan_file import queries

    writable(to)
    if to.suffix.lower() != ".gpkg":
        raise NotAGeoPackage(file=to)
    with opened() as session:
        found = queries.exported(session, _actor(session, username), plan)
    to.unlink(missing_ok=True)
    for name, frame in found.items():
        write_layer(frame, to, layer=name)
    say("Written to {file}.", file=to)


@app.command()
def adopt(
    plan: PlanId,
    file: Annotated[Path, typer.Argument(help="A map file of micro-grids.")],
    layer: Annotated[str | None, typer.Option(help="Its layer; found by its name.")] = None,
    parent: Annotated[str | None, typer.Option(help="Its column of communities; found by its name.")] = None,
    over: Annotated[bool, typer.Option("--over", help="Even if the plan was drawn on meanwhile.")] = False,
    repair: Annotated[float, typer.Option(help="Repair within so many metres.")] = 0.0,
    username: As = None,
    only_try: Try = False,
    as_json: Json = False,
) -> None:
    """Take the micro-grids of a map file into a plan, as one edit that can be taken back."""
    from gis.findings import KINDS
    from gridmgr.boundary_plan import queries as plans
    from gridmgr.plan_file import queries, service

    with opened() as session:
        actor = _actor(session, username)
        seen = plans.by_id(session, actor, plan)
        found = queries.read(session, seen, file, layer, parent, repair)
        if not len(found.findings) and not only_try:
            done, found = service.bring(
                session, actor, plan, seen.tip_id, file, layer, parent, over=over, repair_m=repair
            )
            told = {"tip": done.tip, "changed": done.changed, "gone": done.gone}
        else:
            told = {"tip": seen.tip_id, "changed": [], "gone": []}
    faults = [
        _(KINDS[row["kind"]][1]).format(**{**row, **row["detail"]})
        for row in found.findings.to_dict("records")
    ]
    told |= {
        "layer": found.layer,
        "units": len(found.drawn),
        "findings": faults,
        "notes": list(map(said, found.notes)),
    }
    told["refused"] = said(found.refused) if found.refused else None
    if as_json:
        print_json(told)
    else:
        _tell(told)
    if faults or found.refused:
        raise typer.Exit(1)


def _tell(told: dict[str, Any]) -> None:
    for line in (*told["notes"], *told["findings"][:50], *filter(None, [told["refused"]])):
        out.print(line, markup=False)
    if told["findings"]:
        say("{n} faults keep the file from being taken.", n=number(len(told["findings"])))
        return
    codes = ", ".join(told["changed"]) or "—"
    say("Changed: {codes}; gone: {gone}", codes=codes, gone=", ".join(told["gone"]) or "—")
