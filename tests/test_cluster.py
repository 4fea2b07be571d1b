"""A clerk without a DBA keeps a private PostgreSQL cluster through kills, neighbours and mistakes."""

import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from gridmgr import cluster
from gridmgr.cluster_home import ForeignHome, Home, OtherVersion, UnreachableHome

FAST = {"fsync": "off", "shared_buffers": "16MB"}
pytestmark = pytest.mark.db


def ask(url: str, question: str):
    """Return the one answer of the server at `url`."""
    engine = create_engine(url)
    with engine.connect() as connection:
        answer = connection.scalar(text(question))
    engine.dispose()
    return answer


@pytest.fixture(scope="module")
def made(run_folder: Path) -> Path:
    """Return a home whose cluster was made once for this module; tests leave it whole."""
    home = run_folder / "made"
    cluster.start(home, **FAST)
    yield home
    cluster.stop(home)


@pytest.fixture(scope="module")
def neighbour(run_folder: Path) -> Path:
    """Return a second home, with a cluster at a path too long for a socket."""
    home = run_folder / ("网格数据" * 12)
    running = cluster.start(home, **FAST)
    yield home
    cluster.stop(home)
    running.socket.rmdir()


def test_first_start_makes_a_database_that_knows_geometry(made):
    running = cluster.start(made)
    assert ask(running.url(), "SELECT ST_Area('SRID=32650;POLYGON((0 0,2 0,2 3,0 3,0 0))'::geometry)") == 6
    extensions = ask(running.url(), "SELECT array_agg(extname::text) FROM pg_extension")
    assert {"postgis", "btree_gist", "pg_trgm"} <= set(extensions)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("server_encoding", "UTF8"),
        ("data_checksums", "on"),
        ("password_encryption", "scram-sha-256"),
        ("listen_addresses", ""),
        ("TimeZone", "Asia/Shanghai"),
        ("synchronous_commit", "on"),
        ("fsync", "off"),  # the caller's own word
    ],
)
def test_settings_are_the_ones_promised(made, setting, value):
    assert ask(cluster.start(made).url(), f"SHOW {setting}") == value


def test_role_is_no_superuser_but_makes_databases_with_geometry(made):
    running = cluster.start(made)
    assert ask(running.url(), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    admin = create_engine(running.url(), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE another"))
    admin.dispose()
    assert ask(running.url("another"), "SELECT ST_X('POINT(120 30)'::geometry)") == 120


def test_password_is_kept_from_others_and_asked_for(made):
    running = cluster.start(made)
    assert stat.S_IMODE((made / "secret").stat().st_mode) == 0o600
    assert running.password not in repr(running)
    with pytest.raises(OperationalError, match="password authentication failed"):
        ask(running.url().replace(running.password, "guessed"), "SELECT 1")


def test_lost_password_is_replaced(made):
    before = cluster.start(made)
    (made / "secret").unlink()
    after = cluster.start(made)
    assert after.password != before.password
    assert ask(after.url(), "SELECT 1") == 1


def test_second_start_finds_the_same_server(made):
    before = cluster.status(made)
    cluster.start(made)
    assert cluster.status(made) == before
    assert before.state == "running"


def test_what_was_written_survives_a_kill(made):
    running = cluster.start(made, **FAST)
    engine = create_engine(running.url())
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept AS SELECT 7 AS number"))
    os.kill(cluster.status(made).pid, signal.SIGKILL)
    engine.dispose()
    assert ask(cluster.start(made, **FAST).url(), "SELECT number FROM kept") == 7


def test_process_number_taken_over_by_a_stranger_is_not_our_server(made):
    cluster.start(made, **FAST)
    cluster.stop(made)
    (made / "cluster/data/postmaster.pid").write_text(f"{os.getpid()}\n{made}\n")
    assert cluster.status(made).state == "stopped"
    assert cluster.stop(made) is False
    assert ask(cluster.start(made, **FAST).url(), "SELECT 1") == 1


def test_many_starts_over_a_half_made_folder_make_one_server(run_folder):
    path = run_folder / "half"
    path.mkdir()
    home = Home(path)
    home.claim()
    half = home.folder / "new-abandoned"
    half.mkdir()
    (half / "PG_VERSION").write_text("15\n")
    with ThreadPoolExecutor(4) as people:
        addresses = set(people.map(lambda _: cluster.start(path, **FAST).url(), range(4)))
    assert len(addresses) == 1
    assert ask(addresses.pop(), "SELECT 1") == 1
    assert not half.exists()
    cluster.stop(path)


def test_long_chinese_path_gets_a_short_socket_folder(neighbour):
    running = cluster.start(neighbour, **FAST)
    assert len(os.fsencode(running.socket)) < 100
    assert stat.S_IMODE(running.socket.stat().st_mode) == 0o700
    assert ask(running.url(), "SELECT 1") == 1


def test_stopping_one_home_leaves_its_neighbour_running(made, neighbour):
    cluster.start(made, **FAST)
    assert cluster.stop(neighbour) is True
    assert cluster.status(neighbour).state == "stopped"
    assert cluster.status(made).state == "running"


def test_conninfo_speaks_libpq(made):
    import psycopg

    with psycopg.connect(cluster.start(made, **FAST).conninfo()) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("gridmgr",)


def test_stop_of_nothing_says_so(run_folder):
    assert cluster.stop(run_folder / "never made") is False
    assert cluster.status(run_folder / "never made").state == "absent"
    assert not (run_folder / "never made").exists()


def test_data_of_another_version_are_left_alone(made):
    cluster.stop(made)
    version = made / "cluster/data/PG_VERSION"
    version.write_text("9\n")
    try:
        with pytest.raises(OtherVersion, match="made by PostgreSQL 9"):
            cluster.start(made)
    finally:
        version.write_text("15\n")


def test_refusal_carries_the_servers_last_words(made):
    cluster.stop(made)
    with pytest.raises(cluster.CannotStart, match='invalid value for parameter "work_mem"'):
        cluster.start(made, work_mem="a lot")
    assert ask(cluster.start(made, **FAST).url(), "SELECT 1") == 1


def test_home_inside_a_file_is_refused(run_folder):
    (run_folder / "file").mkdir()
    (run_folder / "file" / "cluster").write_text("not a folder")
    with pytest.raises(ForeignHome, match="set GRIDMGR_HOME"):
        cluster.start(run_folder / "file")


def test_home_that_the_owner_cannot_enter_is_named(run_folder):
    closed = run_folder / "closed"
    closed.mkdir(mode=0o700 if os.geteuid() == 0 else 0o600)
    with pytest.raises((UnreachableHome, ForeignHome), match="GRIDMGR_HOME"):
        cluster.start(closed / "home" if os.geteuid() == 0 else closed)
    closed.chmod(0o700)
