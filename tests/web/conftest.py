"""The small city behind the real application, for all tests of the web."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from small_city import City, settle

from gridmgr.settings import settings
from web import deps
from web.interop import tiles
from web.main import create_app


@pytest.fixture(scope="module")
def city(database: str, run_folder: Path) -> Iterator[City]:
    """Return the small city, served by the real application from a database of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRIDMGR_DATABASE_URL", database)
        patch.setenv("GRIDMGR_HOME", str(run_folder / "home"))
        patch.setenv("GRIDMGR_UPLOAD_LIMIT_MB", "1")
        settings.cache_clear()
        deps.engine.cache_clear()
        tiles.tiles.clear()
        tiles.callers.clear()
        yield settle(create_app(), deps.engine())
        deps.engine().dispose()
    settings.cache_clear()
    deps.engine.cache_clear()


@pytest.fixture
def as_role(city: City) -> Callable[..., TestClient]:
    """Return what makes a client of a role; without one, a client of nobody."""
    return city.client
