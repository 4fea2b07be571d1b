"""The full district from a GeoPackage into editions, checked, beside a bare copy of the same file by geopandas."""

import time
from datetime import date
from pathlib import Path

import geopandas as gpd
from sqlalchemy import text

from benchmarks.city import City
from benchmarks.table import Row
from gis.formats import write_layer
from gis.ground import LEVELS
from gridmgr import db
from gridmgr.account.rules import SYSTEM
from gridmgr.importing import queries, service
from gridmgr.importing.model import GridPlan, LayerPlan

PLAN = GridPlan(
    tuple(
        LayerPlan(level, "code", "name", "parent_code" if level != "street" else None, level)
        for level in LEVELS
    ),
    "wgs84",
    date(2026, 1, 1),
)


def run(city: City) -> list[Row]:
    """Import once each: ours reads, checks every level, and writes editions; the peer reads and writes."""
    file = city.folder / "district.gpkg"
    for level in LEVELS:
        write_layer(city.frames[level], file, layer=level)
    start = time.perf_counter()
    _bare(city, file)
    bare = time.perf_counter() - start
    start = time.perf_counter()
    with db.transaction(city.engine) as session:
        read = queries.read_grids(session, file, PLAN)
        assert read.findings.empty, "the sample district is faultless"
        service.load_grids(session, SYSTEM, PLAN, read)
    ours = time.perf_counter() - start
    with city.engine.connect() as connection:
        rows = connection.scalar(text("SELECT count(*) FROM grid_unit"))
    assert rows == sum(map(len, city.frames.values()))
    return [Row(f"import of {rows:,} units, checked (read_file + to_postgis, unchecked)", ours, bare, 0.5)]


def _bare(city: City, file: Path) -> None:
    for level in LEVELS:
        gpd.read_file(file, layer=level).to_postgis(f"bare_{level}", city.engine)
