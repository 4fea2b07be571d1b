"""The command run as a person runs it, over the little district: fixtures of the tests of the command."""

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TextIO

import pytest
from little import little_district

from gridmgr import cli, db
from gridmgr.hierarchy import service as hierarchy
from gridmgr.settings import settings

COMPILED = {"locate", "grids", "figures", "map", "--help"}  # threads of compiled code do not outlive a fork
SECONDS = 60


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the command as a person does, in a process of its own; returns how it ended and what it said."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"GRIDMGR_HOME": str(tmp_path), "COLUMNS": "200"} | more
        if COMPILED.isdisjoint(arguments[:1]):
            return _forked(arguments, environment, tmp_path)
        return subprocess.run(
            [sys.executable, "-m", "gridmgr.cli", *arguments],
            env=environment, capture_output=True, text=True, timeout=SECONDS,
        )  # fmt: skip

    return run


def _forked(
    arguments: Sequence[str], environment: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run the command in a fork of this process, which has loaded already what takes a second to load."""
    with (folder / "stdout").open("w+") as out, (folder / "stderr").open("w+") as err:
        child = os.fork()
        if child == 0:
            os._exit(_ended(arguments, environment, out, err))
        end = time.monotonic() + SECONDS
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.005)
        said = [(each.seek(0), each.read())[1] for each in (out, err)]
    return subprocess.CompletedProcess(arguments, os.waitstatus_to_exitcode(ended[1]), *said)


def _ended(arguments: Sequence[str], environment: dict[str, str], out: TextIO, err: TextIO) -> int:
    """Be the command; returns its exit code."""
    sys.stdout, sys.stderr, sys.argv = out, err, ["gridmgr", *arguments]
    os.environ.clear()
    os.environ.update(environment)
    settings.cache_clear()
    try:
        cli.main()
        code = 0
    except SystemExit as exit_:
        code = exit_.code or 0
    except BaseException:
        traceback.print_exc(file=err)
        code = 70
    out.flush()
    err.flush()
    return code


@pytest.fixture
def little_url(copied, prepared) -> Iterator[str]:
    """Return the address of a database with the little district, which has no categories yet."""
    with copied(prepared(little_map)) as url:
        yield url


def little_map(url: str) -> None:
    """Load the little district."""
    engine = db.engine(url)
    with db.transaction(engine) as session:
        hierarchy.load(session, little_district(), date(2026, 1, 1), "首版")
    engine.dispose()
