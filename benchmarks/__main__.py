"""All figures beside their peers, in one table: `make bench`."""

import argparse
import logging
import sys

from rich.console import Console
from sqlalchemy import text

from benchmarks import (
    chaos,
    emerging,
    figures,
    fuzz,
    hotspot,
    imports,
    intake,
    lists,
    locate,
    month,
    plans,
    publishing,
    racing,
    screens,
    sweep,
    tiles,
    zoning,
)
from benchmarks.city import City, city
from benchmarks.table import Row, show

PREPARED = """
    PREPARE one_point (float8, float8) AS
    SELECT level, code FROM grid_unit
    WHERE valid_to IS NULL AND ST_Intersects(geom, ST_SetSRID(ST_MakePoint($1, $2), 4326))
"""
IN_THE_CITY = ("imports", "tiles", "location")  # in this order: the first one fills it
FIGURES = (*IN_THE_CITY, "intake", "sweep", "lists", "figures", "hotspots", "emerging", "zoning")
ALONE = ("chaos", "month", "screens", "fuzz", "plans", "publishing", "racing")  # tables of their own


def main(arguments: list[str]) -> None:
    """Run benchmarks, each of which checks that the answers are equal before it times them; or kill and look."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="*", default=FIGURES, metavar="|".join((*FIGURES, *ALONE)))
    parser.add_argument("--clocks", type=int, default=1_000_000, help="open clocks of the sweep")
    parser.add_argument("--cases", type=int, default=1_000_000, help="cases of the lists")
    parser.add_argument("--kills", type=int, default=20, help="how often chaos kills")
    parser.add_argument(
        "--workers", type=int, default=8, help="sweepers of the month, one killed every --pause"
    )
    parser.add_argument("--pause", type=float, default=10, help="seconds between two kills of the month")
    parser.add_argument("--days", type=int, default=30, help="of the month")
    parser.add_argument("--rate", type=float, default=50, help="reports a second while it does")
    parser.add_argument("--screens", type=int, default=200, help="open maps")
    parser.add_argument("--seconds", type=float, default=30, help="of reports while they are open")
    parser.add_argument(
        "--size", default="", help="the district: a street for open maps, all of it for a race"
    )
    parser.add_argument("--edits", type=int, default=10_000, help="of random hands on a plan")
    chosen = parser.parse_args(arguments)
    tell = Console(stderr=True).print
    if unknown := set(chosen.what) - {*FIGURES, *ALONE}:
        parser.error(f"{', '.join(sorted(unknown))}?")
    if "chaos" in chosen.what:
        logging.basicConfig(level=logging.WARNING, format="%(message)s")
        chaos.log.setLevel(logging.INFO)
        told = chaos.run(chosen.kills, chosen.rate)
        chaos.show(told)
        sys.exit(1 if chaos.faults(told) else 0)
    if "month" in chosen.what:
        told = month.run(chosen.days, chosen.workers, chosen.pause, tell)
        chaos.show(told, "a month of the district, its sweepers killed")
        sys.exit(1 if chaos.faults(told) else 0)
    if "fuzz" in chosen.what:
        return fuzz.show(fuzz.run(chosen.edits, tell=tell))
    if "plans" in chosen.what:
        return plans.show(plans.run())
    if "publishing" in chosen.what:
        return publishing.show(publishing.run(tell=tell))
    if "racing" in chosen.what:
        raced = racing.run(chosen.rate, max(chosen.seconds, 60), chosen.size or "district", tell)
        racing.show(raced)
        sys.exit(1 if racing.faults(raced) else 0)
    if "screens" in chosen.what:
        return screens.show(screens.run(chosen.screens, chosen.rate, chosen.seconds, chosen.size or "street"))
    rows: list[Row] = []
    if set(IN_THE_CITY) & set(chosen.what):
        rows += _in_the_city(chosen.what, tell)
    others = {
        "intake": intake.run, "sweep": lambda: sweep.run(chosen.clocks), "lists": lambda: lists.run(chosen.cases),
        "figures": lambda: figures.run(chosen.cases), "hotspots": hotspot.run, "emerging": emerging.run,
        "zoning": zoning.run,
    }  # fmt: skip
    for name, run in others.items():
        if name in chosen.what:
            tell(f"{name} …")
            rows += run()
    show(rows, "gridmgr beside its peers")


def _in_the_city(chosen: list[str], tell) -> list[Row]:
    rows: list[Row] = []
    runs = {"imports": imports.run, "tiles": tiles.run, "location": _location}
    with city() as ours:
        for name in IN_THE_CITY:
            if name in chosen or name == "imports":
                tell(f"{name} …")
                rows += runs[name](ours)
    return rows


def _location(ours: City) -> list:
    with ours.engine.connect() as connection:
        connection.execute(text(PREPARED.replace(":", "\\:")))
        asked = text("EXECUTE one_point (:lon, :lat)")
        return locate.run(
            levels=ours.frames,
            one_by_peer=lambda lon, lat: connection.execute(asked, {"lon": lon, "lat": lat}).all(),
        )


if __name__ == "__main__":
    main(sys.argv[1:])
