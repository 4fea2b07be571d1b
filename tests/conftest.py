"""What all tests share: one private PostGIS cluster a run, a fresh database a module, a rollback a test."""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from hypothesis import settings as examples
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.orm import Session

from gridmgr import cluster as private
from gridmgr import db
from gridmgr.account import service as accounts

examples.register_profile(
    "gridmgr", deadline=None
)  # how long an example takes tells of the machine, not of us
examples.load_profile("gridmgr")
CHECKOUT = Path(__file__).resolve().parent.parent
RUNS = Path(f"/var/tmp/gridmgr-tests-{os.geteuid()}")  # pytest's own folder is closed to the user postgres
RUN = "GRIDMGR_TEST_RUN"  # the folder of this run, handed by the controller to its workers
FAST = {"autovacuum": "off", "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

alive = []  # locks that show other runs that this one lives


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder of this run, after clearing away what killed runs left behind."""
    if hasattr(config, "workerinput"):
        return
    RUNS.mkdir(mode=0o711, exist_ok=True)
    if RUNS.lstat().st_uid != os.geteuid():
        raise pytest.UsageError(f"{RUNS} belongs to another user")
    with _locked(RUNS):
        for left in RUNS.iterdir():
            if _is_dead(left):
                _clear(left)
        run = Path(tempfile.mkdtemp(dir=RUNS))
        run.chmod(0o711)
        _is_dead(run)  # and from now on it is not
    os.environ[RUN] = str(run)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the cluster of this run and remove its folder."""
    if not hasattr(config, "workerinput") and RUN in os.environ:
        _clear(Path(os.environ.pop(RUN)))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _is_dead(run: Path) -> bool:
    """Return whether no process holds `run`; if so, this one does from now on."""
    handle = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    alive.append(handle)
    return True


def _clear(run: Path) -> None:
    """Stop the clusters of `run` and drop what it made on a server that is not its own."""
    for home in run.iterdir():
        private.stop(home)
    if "GRIDMGR_DATABASE_URL" in os.environ:
        with _administration(make_url(os.environ["GRIDMGR_DATABASE_URL"])) as admin:
            mine = text("SELECT datname FROM pg_database WHERE starts_with(datname, :prefix)")
            for name in admin.scalars(mine, {"prefix": _prefix(run)}).all():
                admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    shutil.rmtree(run)


def _prefix(run: Path) -> str:
    """Return how the names of all databases of `run` begin."""
    return f"gridmgr_tests_{run.name}_"


@contextmanager
def _administration(server: URL) -> Iterator[Connection]:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> None:
    """Hash passwords at next to no cost: what argon2 costs a thief it would cost each account of each test."""
    accounts.hasher = PasswordHasher.from_parameters(CHEAPEST)


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """Return the folder of this run: the owner of a cluster reaches it, and its end removes it."""
    return Path(os.environ[RUN])


@pytest.fixture(scope="session")
def cluster(run_folder: Path) -> private.Cluster:
    """Return the private cluster that all workers share; whoever comes first starts it."""
    return private.start(run_folder / "shared", **FAST)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> URL:
    """Return the address of the tests' server: the one GRIDMGR_DATABASE_URL names, or the private one."""
    return make_url(os.environ.get("GRIDMGR_DATABASE_URL") or request.getfixturevalue("cluster").url())


@pytest.fixture(scope="session")
def template(server: URL, run_folder: Path) -> str:
    """Return the name of a migrated database."""
    return _made(server, _prefix(run_folder) + "template", "template1", db.migrate)


@pytest.fixture(scope="session")
def prepared(server: URL, template: str, run_folder: Path) -> Callable[[Callable[[str], None]], str]:
    """Return what makes further templates, each called as the function that fills it, given its address."""
    return lambda fill: _made(server, _prefix(run_folder) + fill.__name__, template, fill)


def _made(server: URL, name: str, template: str, fill: Callable[[str], None]) -> str:
    """Return the name of a database that others are copied from; the first worker makes it while others wait."""
    known = text("SELECT 1 FROM pg_database WHERE datname = :name")
    with _locked(RUNS), _administration(server) as admin:
        if not admin.scalar(known, {"name": name}):
            admin.execute(text(f"DROP DATABASE IF EXISTS {name}_unfinished"))
            admin.execute(text(f"CREATE DATABASE {name}_unfinished TEMPLATE {template}"))
            fill(server.set(database=f"{name}_unfinished").render_as_string(hide_password=False))
            admin.execute(text(f"ALTER DATABASE {name}_unfinished RENAME TO {name}"))
    return name


@pytest.fixture(scope="session")
def copied(server: URL, run_folder: Path) -> Callable[[str], AbstractContextManager[str]]:
    """Return what makes a copy of a template, gives its address, and drops it in the end."""

    @contextmanager
    def copy(template: str) -> Iterator[str]:
        name = _prefix(run_folder) + secrets.token_hex(8)
        with _administration(server) as admin:
            admin.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
            yield server.set(database=name).render_as_string(hide_password=False)
            admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    return copy


@pytest.fixture(scope="module")
def database(copied, template: str) -> Iterator[str]:
    """Return the address of a fresh, migrated database for the tests of one module."""
    with copied(template) as url:
        yield url


@pytest.fixture
def own_database(copied, template: str) -> Iterator[str]:
    """Return the address of a fresh, migrated database for one test that commits."""
    with copied(template) as url:
        yield url


@pytest.fixture
def bare_database(copied) -> Iterator[str]:
    """Return the address of a database without a schema of ours, for one test."""
    with copied("template1") as url:
        yield url


@pytest.fixture(scope="module")
def engine(database: str) -> Iterator[Engine]:
    """Return an engine on the database of this module."""
    engine = db.engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def ground(engine: Engine) -> Engine:
    """Return the engine that the session of a test works on; some folders of tests have more than one."""
    return engine


@pytest.fixture
def session(ground: Engine) -> Iterator[Session]:
    """Return a session whose work, committed or not, is gone when the test ends."""
    with ground.connect() as connection:
        outer = connection.begin()
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            yield session
        outer.rollback()


@pytest.fixture(scope="session")
def app():
    """Return the application, made once a worker: its many routes take a second to unfold."""
    from web.main import create_app  # most tests do without

    return create_app()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real maps: the one GRIDMGR_TEST_DATA names, else one found beside the checkout."""
    named = os.environ.get("GRIDMGR_TEST_DATA")
    places = [Path(named)] if named else sorted(CHECKOUT.parent.glob("*/data"))
    for folder in places:
        if (folder / "washington" / "grids.gpkg").exists():
            return folder
    pytest.skip("no real maps here; GRIDMGR_TEST_DATA says where they are")
