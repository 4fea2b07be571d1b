"""All figures beside their peers, in one table: `make bench`."""

from rich.console import Console
from sqlalchemy import text

from benchmarks import hotspot, imports, locate, tiles
from benchmarks.city import City, city
from benchmarks.table import show

PREPARED = """
    PREPARE one_point (float8, float8) AS
    SELECT level, code FROM grid_unit
    WHERE valid_to IS NULL AND ST_Intersects(geom, ST_SetSRID(ST_MakePoint($1, $2), 4326))
"""


def main() -> None:
    """Run every benchmark; each checks that the answers are equal before it times them."""
    tell = Console(stderr=True).print
    with city() as ours:
        tell("import …")
        rows = imports.run(ours)
        tell("tiles …")
        rows += tiles.run(ours)
        tell("location …")
        rows += _location(ours)
    tell("hotspots …")
    rows += hotspot.run()
    show(rows, "gridmgr beside its peers")


def _location(ours: City) -> list:
    with ours.engine.connect() as connection:
        connection.execute(text(PREPARED.replace(":", "\\:")))
        asked = text("EXECUTE one_point (:lon, :lat)")
        return locate.run(
            levels=ours.frames,
            one_by_peer=lambda lon, lat: connection.execute(asked, {"lon": lon, "lat": lat}).all(),
        )


if __name__ == "__main__":
    main()
