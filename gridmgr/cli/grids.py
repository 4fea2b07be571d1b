"""`gridmgr grids`: bring in, check and hand out the four levels."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.errors import Problem
from gridmgr import clock
from gridmgr.cli.output import (
    CannotOpen,
    Json,
    complain,
    err,
    opened,
    print_json,
    print_table,
    say,
    told,
    writable,
)
from gridmgr.i18n import _
from gridmgr.words import FINDINGS, LEVELS, LINEAGE, N_, SEVERITIES, word

if TYPE_CHECKING:
    import geopandas as gpd

    from gridmgr.hierarchy.service import Loaded
    from gridmgr.importing.queries import Grids

app = typer.Typer(no_args_is_help=True, help="Streets, communities, micro-grids, buildings.")

FORMATS = ["%Y-%m-%d"]
SHOWN = 20
MATCHED_BY = {"code": N_("equal code"), "name": N_("unique name"), "none": N_("not matched")}


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="GeoPackage, GeoJSON, Shapefile (or zip), FlatGeobuf, GeoParquet, KML.")
    ],
    level: Annotated[str, typer.Option(help=" | ".join(LEVELS))],
    code: Annotated[str, typer.Option(help="Column of the code.")],
    name: Annotated[str, typer.Option(help="Column of the name.")],
    layer: Annotated[str | None, typer.Option(help="Layer in a file of several.")] = None,
    parent: Annotated[
        str | None, typer.Option(help="Column of the parent's code; else by code, else by place.")
    ] = None,
    datum: Annotated[
        str | None, typer.Option(help="wgs84 | cgcs2000 | gcj02 | bd09; without it the file's CRS counts.")
    ] = None,
    crs: Annotated[str | None, typer.Option(help="CRS of a file that names none, such as EPSG:4548.")] = None,
    encoding: Annotated[str, typer.Option(help="auto, UTF-8, GB18030 …")] = "auto",
    effective: Annotated[
        datetime | None, typer.Option(formats=FORMATS, help="First day in force; today if not given.")
    ] = None,
    repair: Annotated[float, typer.Option(help="Repair within so many metres.")] = 0.0,
    title: Annotated[str, typer.Option(help="Title of the edition.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    as_json: Json = False,
) -> None:
    """Import one level from a file: checked first, then all of it or nothing."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.hierarchy import queries
    from gridmgr.importing import queries as importing
    from gridmgr.importing import service as import_service
    from gridmgr.importing.model import GridPlan
    from gridmgr.importing.rules import layer_plan

    queries.known_level(level)
    day = effective.date() if effective else clock.today()
    chosen = layer_plan(level, layer, [], {"code": code, "name": name, "parent": parent})
    plan = GridPlan((chosen,), datum, day, encoding, crs, repair, title)
    read = loaded = refused = None
    try:
        with err.status(_("Reading and checking {file} …", file=file.name)), opened() as session:
            read = importing.read_grids(session, file, plan)
            if not dry_run:
                loaded = import_service.load_grids(session, SYSTEM, plan, read)
    except Problem as problem:
        if read is None:
            raise
        refused = problem
    if as_json:
        print_json(_report(read, loaded) | ({"error": told(refused)} if refused else {}))
    else:
        _tell(read)
    if refused:
        complain(refused)
        raise typer.Exit(1)
    if loaded and not as_json:
        _tell_loaded(loaded)
    elif not as_json:
        say(
            "Dry run: {rows} rows read, {findings} findings, nothing loaded.",
            rows=len(read.levels[level]),
            findings=len(read.findings),
        )
    if dry_run and len(read.blocking):
        raise typer.Exit(1)


def _tell(read: "Grids") -> None:
    for level, preview in read.previews.items():
        say(
            "{level}: encoding {encoding}, for example: {preview}",
            level=word(LEVELS, level),
            encoding=read.encodings[level],
            preview=" · ".join(preview[:3]),
        )
    for warning in read.warnings:
        complain(warning)
    if read.moves is not None and len(read.moves):
        farthest = read.moves["size_m"].max()
        say(
            "Repair moved {count} outlines, the farthest by {farthest:.2f} m.",
            count=len(read.moves),
            farthest=farthest,
        )
    _tell_findings(read.findings)


def _tell_findings(findings: "gpd.GeoDataFrame") -> None:
    if findings.empty:
        say("No faults found.")
        return
    from gis.findings import KINDS

    counts = findings.groupby(["level", "kind"]).size()
    print_table(
        _("Findings"),
        [_("level"), _("fault"), _("severity"), _("count")],
        [
            (word(LEVELS, level), word(FINDINGS, kind), word(SEVERITIES, KINDS[kind][0]), count)
            for (level, kind), count in counts.items()
        ],
    )
    rows = [(row["kind"], _sentence(row)) for row in findings.head(SHOWN).to_dict("records")]
    print_table(
        _("The first {count}", count=len(rows)),
        [_("fault"), _("what and where")],
        [(word(FINDINGS, kind), sentence) for kind, sentence in rows],
    )


def _sentence(finding: dict[str, Any]) -> str:
    from gis.findings import KINDS

    values = {**finding, **finding["detail"]}
    values["level_of_parent"] = word(LEVELS, values.get("level_of_parent"))
    return _(KINDS[finding["kind"]][1]).format(**values)


def _tell_loaded(loaded: "Loaded") -> None:
    for level, fates in loaded.counts.items():
        say(
            "{level}, in force from {day}: {told}",
            level=word(LEVELS, level),
            day=loaded.edition.effective,
            told=_fates(fates) or "—",
        )


def _fates(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{word(LINEAGE, fate)} {count}" for fate, count in counts.items() if count)


def _report(read: "Grids", loaded: "Loaded | None") -> dict[str, Any]:
    return {
        "rows": {level: len(frame) for level, frame in read.levels.items()},
        "encodings": read.encodings,
        "warnings": [told(warning) for warning in read.warnings],
        "findings": _plain_findings(read.findings),
        "moves": [] if read.moves is None else read.moves.drop(columns="geometry").to_dict("records"),
        "blocking": len(read.blocking),
        "loaded": loaded.counts if loaded else None,
        "effective": loaded.edition.effective if loaded else None,
    }


def _plain_findings(findings: "gpd.GeoDataFrame") -> list[dict[str, Any]]:
    if findings.empty:
        return []
    import pandas as pd

    place = findings.geometry.representative_point()
    table = pd.DataFrame(findings.drop(columns="geometry")).assign(lon=place.x, lat=place.y)
    return table.to_dict("records")


@app.command()
def check(
    level: Annotated[str | None, typer.Option(help="Only the findings of one level.")] = None,
    as_json: Json = False,
) -> None:
    """Check the map in force today."""
    from gis.coverage import check as find_faults
    from gridmgr.hierarchy import queries

    with err.status(_("Checking …")), opened() as session:
        frames = queries.frames(session, clock.today())
    findings = find_faults({name: frame for name, frame in frames.items() if len(frame)})
    if level:
        findings = findings[findings["level"] == queries.known_level(level)]
    if as_json:
        print_json(_plain_findings(findings))
    else:
        _tell_findings(findings)


@app.command()
def export(
    level: str,
    out: Path,
    at: Annotated[
        datetime | None, typer.Option(formats=FORMATS, help="The map as it was on that day.")
    ] = None,
) -> None:
    """Write one level to a file; the format is the suffix: gpkg, geojson, shp, fgb, parquet, kml."""
    from gis.formats import write_layer
    from gridmgr.account.rules import SYSTEM, require
    from gridmgr.hierarchy import queries

    writable(out)
    require(SYSTEM, "grid.export")
    with opened() as session:
        frame = queries.frame(session, level, at.date() if at else None)
    try:
        written = write_layer(frame.drop(columns=["level", "valid_from"]), out, layer=level)
    except RuntimeError as error:  # as GDAL's are
        raise CannotOpen(file=out, reason=str(error).partition("\n")[0]) from error
    for warning in written.warnings:
        complain(warning)
    say("{count} units written to {file}.", count=len(frame), file=out)


@app.command()
def editions(as_json: Json = False) -> None:
    """List the editions of the map and what each changed."""
    from gridmgr.hierarchy import queries

    with opened() as session:
        rows = [
            {
                "effective": each.effective,
                "title": each.title,
                "changes": queries.lineage_counts(session, each.id),
            }
            for each in queries.editions(session)
        ]
    if as_json:
        print_json(rows)
        return
    print_table(
        _("Editions"),
        [_("in force from"), _("title"), _("changes")],
        [
            (row["effective"], row["title"], "; ".join(
                f"{word(LEVELS, level)}: {_fates(kinds)}" for level, kinds in row["changes"].items()
            ))
            for row in rows
        ],
    )  # fmt: skip


@app.command()
def scheme(
    name: Annotated[
        str | None, typer.Argument(help="gb, prefix, or a TOML file; without it the one in force.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show or set the code scheme."""
    from gridmgr.hierarchy import queries, service
    from gridmgr.hierarchy.rules import SCHEMES, scheme_from_file

    with opened() as session:
        if name:
            service.set_scheme(session, SCHEMES.get(name) or scheme_from_file(Path(name)))
        found = queries.scheme(session)
    if as_json:
        print_json(found)
    elif found is None:
        say("No code scheme yet; the first import sets it.")
    else:
        rows = [
            (word(LEVELS, level), mask, found.parent_length.get(level)) for level, mask in found.masks.items()
        ]
        print_table(found.name, [_("level"), _("mask"), _("length of the parent's code")], rows)


@app.command()
def crosswalk(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX of another official list.")],
    name: Annotated[str, typer.Option("--list", help="Name of that list, such as NBS-2023.")],
    code: Annotated[str, typer.Option(help="Column of its code.")] = "code",
    label: Annotated[str, typer.Option("--name", help="Column of its name.")] = "name",
    as_json: Json = False,
) -> None:
    """Match another list's codes to ours: by equal code, else by a name that is found once."""
    from gis.tables import read_table
    from gridmgr.hierarchy import service

    table = read_table(file, [code, label])
    with opened() as session:
        matched = service.load_crosswalk(session, name, table.rename(columns={code: "code", label: "name"}))
    if as_json:
        print_json(matched)
    else:
        print_table(
            name,
            [_("matched by"), _("count")],
            [(word(MATCHED_BY, way), count) for way, count in matched.items()],
        )
