"""The full district in a private database of its own, for the benchmarks that need one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import geopandas as gpd
from sqlalchemy import Engine

from gis.samples import district, sized
from gridmgr import clock, cluster, db
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.rules import Grant, Role
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings
from gridmgr.simulation import service as simulation

ROOM = Path("/var/tmp") if os.geteuid() == 0 else None  # where the user postgres can reach


@dataclass(frozen=True)
class City:
    """Frames in memory, and an empty, migrated database to bring them to."""

    frames: dict[str, gpd.GeoDataFrame]
    url: str
    engine: Engine
    folder: Path


@contextmanager
def room() -> Iterator[Path]:
    """Make a temporary folder for a private cluster; stop the cluster and remove the folder in the end."""
    folder = Path(tempfile.mkdtemp(prefix="gridmgr-bench-", dir=ROOM))
    folder.chmod(0o711)
    home = folder / "home"
    home.mkdir()
    try:
        yield home
    finally:
        cluster.stop(home)
        shutil.rmtree(folder)


@contextmanager
def city() -> Iterator[City]:
    """Start a cluster in a temporary folder with an empty schema; stop and remove it in the end."""
    with room() as home:
        settings().home = home
        url = cluster.start(home).url()
        db.migrate(url)
        frames = district()
        frames["building"] = frames["building"].rename(columns={"use": "land_use"})
        yield City(frames, url, db.engine(url), home.parent)


def peopled(engine: Engine, url: str, size: str) -> tuple[str, list[tuple[float, float]]]:
    """Build a district with somebody who may report anywhere; returns a token, and lon and lat of doors."""
    db.migrate(url)
    with db.transaction(engine, REACTIONS) as session:
        simulation.build(session, size, simulation.SEED, clock.today() - timedelta(days=2))
        centre = account_service.open_account(
            session, "bench", "bench", "x" * 12, [Grant(Role.COMMAND_CENTRE, "")]
        )
        token, _ = account_service.issue_token(session, accounts.actor_of(centre), "bench")
    doors = sized(size, seed=simulation.SEED)["building"].representative_point()
    return token, list(zip(doors.x, doors.y, strict=True))
