"""`gridmgr redraw`: how the micro-grids of a community could be drawn anew."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmgr.cli.output import Json, err, opened, print_json, print_table, say, writable
from gridmgr.i18n import _, number, percent
from gridmgr.redraw.model import MEASURES
from gridmgr.words import word
from gridmgr.words.redraw import BALANCED

if TYPE_CHECKING:
    from gridmgr.redraw.queries import Proposed

app = typer.Typer(no_args_is_help=True, help="How micro-grids could be drawn anew.")


@app.command()
def propose(
    community: Annotated[str, typer.Argument(help="Code of the community.")],
    into: Annotated[int, typer.Option(help="How many micro-grids in all, locked ones among them.")],
    by: Annotated[
        list[str] | None, typer.Option(help="What is balanced: " + " | ".join(MEASURES) + "; households.")
    ] = None,
    locked: Annotated[list[str] | None, typer.Option(help="Code of a micro-grid that stays.")] = None,
    proposals: Annotated[int, typer.Option(help="How many proposals.")] = 3,
    to: Annotated[
        Path | None,
        typer.Option(
            help="Write the whole level with the first proposal in it, to be imported as an edition."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Propose balanced micro-grids of whole buildings for a community, the best first."""
    from gis.formats import write_layer
    from gridmgr.account.rules import SYSTEM
    from gridmgr.redraw import queries

    writable(to)
    wish = queries.Wish(into, tuple(by or ("households",)), tuple(locked or ()), proposals)
    with err.status(_("drawing …")), opened() as session:
        ground = queries.ground(session, SYSTEM, community)
        found = queries.proposals(session, ground, wish)
        level = queries.level_with(session, SYSTEM, ground, found[0]) if to else None
    if to:
        write_layer(level, to, layer="micro_grid")
    if as_json:
        print_json([_plain(each) for each in found])
        return
    for rank, each in enumerate(found, start=1):
        _print(rank, each, wish.measures)
    if to:
        say("{count} units written to {file}.", count=len(level), file=to)


def _print(rank: int, proposed: "Proposed", measures: tuple[str, ...]) -> None:
    title = _(
        "Proposal {n}: off by {off} at most, {border} m of border; {buildings} buildings, {households} households move",
        n=rank, off=percent(proposed.deviation), border=number(round(proposed.border_m)),
        buildings=number(proposed.buildings_moved), households=number(proposed.households_moved),
    )  # fmt: skip
    columns = [_("code"), *(word(BALANCED, each) for each in MEASURES), _("off"), _("compactness")]
    rows = [
        (code + (" *" if row.is_new else "") + (" =" if row.locked else ""),
         *(number(getattr(row, each)) for each in MEASURES),
         "—" if row.locked else percent(row.deviation), "—" if row.locked else f"{row.polsby_popper:.2f}")
        for code, row in zip(proposed.grids.index, proposed.grids.itertuples(), strict=True)
    ]  # fmt: skip
    print_table(title, columns, rows)


def _plain(proposed: "Proposed") -> dict[str, Any]:
    grids = proposed.grids.drop(columns="geometry").reset_index().astype(object)
    return {
        "deviation": proposed.deviation, "border_m": round(proposed.border_m),
        "buildings_moved": proposed.buildings_moved, "households_moved": proposed.households_moved,
        "grids": grids.where(grids.notna(), None).to_dict("records"),
    }  # fmt: skip
