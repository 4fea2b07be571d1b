"""`gridmgr demo`: a living district from nothing, served until Ctrl-C, and everything it started stopped again."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine

from gridmgr import clock, cluster, db
from gridmgr.cli.output import err, print_table, say
from gridmgr.errors import Unavailable
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as hierarchy_service
from gridmgr.i18n import _
from gridmgr.reactions import REACTIONS
from gridmgr.scan import service as scan
from gridmgr.settings import settings
from gridmgr.simulation import (
    calls,
    consulting,
    dispatching,
    joint,
    listed,
    noticing,
    oddities,
    organising,
    outbreak,
    papers,
    rules,
    service,
    ways,
)
from gridmgr.simulation import queries as simulated
from gridmgr.simulation.model import ACCOUNTS
from gridmgr.words import ROLES, word

PATIENCE_SECONDS = 60
PR_SET_PDEATHSIG = 1


class ServerDied(Unavailable):
    """{process} ended by itself; its last words are in {log}."""


def run(scale: str, days: int, port: int | None, workers: int = 1) -> None:
    """Build a district, play its days, and serve it until Ctrl-C, with so many workers."""
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell may have had the first one ignored
        signal.signal(stop, signal.default_int_handler)
    with suppress(KeyboardInterrupt), _database() as url:
        engine = db.engine(url)
        _build(engine, scale, days)
        _play(engine, days, workers)
        _prepare(engine)
        _organise(engine)
        _roster(engine)
        _whistles(engine)
        _joint(engine)
        _dispatch(engine)
        _papers(engine)
        _scan(engine)
        _look(engine, days)
        _serve(engine, url, _free_port(port or settings().port), workers)
    say("Stopped.")


@contextmanager
def _database() -> Iterator[str]:
    """The database while the demo runs; the private cluster is stopped again if a demo had started it."""
    if settings().database_url:
        yield settings().database_url
        return
    home = settings().home
    marker = home / "demo-started-the-cluster"  # outlives a kill, so that the next demo cleans up
    say("[1/4] Database: a private PostgreSQL in {folder}", folder=home)
    was_running = cluster.status(home).state == "running"
    url = cluster.start(home).url()
    if not was_running:
        marker.touch()
    try:
        db.migrate(url)
        yield url
    finally:
        if marker.exists():
            cluster.stop(home)
            marker.unlink()


def _build(engine: Engine, scale: str, days: int) -> None:
    first_day = clock.today() - timedelta(days=days)
    words = {
        "draw": _("drawing streets, communities, micro-grids and buildings"),
        "load": _("loading the four levels"),
        "categories": _("publishing the categories"),
        "accounts": _("opening the accounts"),
        "policies": _("publishing the policies"),
    }
    say("[2/4] District: {scale}", scale=scale)
    with err.status("") as status, db.transaction(engine, REACTIONS) as session:
        built = service.build(
            session, scale, service.SEED, first_day, lambda step: status.update(words[step])
        )
        status.update(_("publishing the responsibility lists"))
        listed.open_lists(session, first_day)
    if built is None:
        say("The district is there already; another GRIDMGR_HOME gives another one.")


def _play(engine: Engine, days: int, workers: int) -> None:
    with db.transaction(engine) as session:
        _first, last = simulated.played(session, rules.origin(service.SEED))
    until = clock.now()
    since = last or until - timedelta(days=days)
    say("[3/4] Incidents: playing {days:.1f} days", days=(until - since).total_seconds() / 86400)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(_("reports, desks, checks"), total=1.0)
        played = service.play(
            engine, REACTIONS, since, until, workers=workers,
            progress=lambda share: progress.update(task, completed=share),
        )  # fmt: skip
    say("{reports} reports and {moves} steps played.", reports=played.reports, moves=played.moves)


def _prepare(engine: Engine) -> None:
    with err.status(_("drawing tiles and building the locator")), db.transaction(engine) as session:
        for edition in hierarchy.editions(session):
            hierarchy_service.draw_tiles(session, edition)
        hierarchy.locator(session)


def _roster(engine: Engine) -> None:
    today = clock.today()
    with db.transaction(engine, REACTIONS) as session:
        service.open_rosters(session, today - timedelta(days=today.weekday()))
        ways.open_ways(session)


def _organise(engine: Engine) -> None:
    with db.transaction(engine, REACTIONS) as session:
        organising.organise(session)


def _whistles(engine: Engine) -> None:
    with db.transaction(engine, REACTIONS) as session:
        calls.blow_whistles(session, service.SEED)


def _joint(engine: Engine) -> None:
    with db.transaction(engine, REACTIONS) as session:
        joint.cut_pieces(session, service.SEED)
        joint.ask_together(session)
        consulting.consult(session)
        noticing.announce(session)


def _dispatch(engine: Engine) -> None:
    with db.transaction(engine, REACTIONS) as session:
        dispatching.dispatch(session)


def _scan(engine: Engine) -> None:
    """Let something break out, and scan the day before, one scan a transaction as the worker does."""
    with db.transaction(engine, REACTIONS) as session:
        outbreak.break_out(session, service.SEED)
    more = True
    while more:
        with err.status(_("scanning the day before")), db.transaction(engine, REACTIONS) as session:
            more = scan.watch(session)


def _look(engine: Engine, days: int) -> None:
    with db.transaction(engine, REACTIONS) as session:
        oddities.plant(session, service.SEED)
    with db.transaction(engine) as session:
        oddities.grade_weeks(session, days // 7)


def _papers(engine: Engine) -> None:
    with db.transaction(engine, REACTIONS) as session:
        papers.plan_papers(session)


def _serve(engine: Engine, url: str, port: int, workers: int) -> None:
    logs = settings().home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    say("[4/4] Starting the web server and the worker")
    stop = threading.Event()
    children = {
        "serve": _spawn(url, logs / "serve.log", "serve", "--port", str(port)),
        **{f"worker-{n}": _spawn(url, logs / f"worker-{n}.log", "worker") for n in range(1, workers + 1)},
    }
    life = threading.Thread(target=service.live, args=(engine, REACTIONS, stop), daemon=True)
    try:
        _await_page(f"http://127.0.0.1:{port}/healthz", children, logs)
        life.start()
        _welcome(port)
        while True:
            _check(children, logs)
            time.sleep(1)
    finally:
        stop.set()
        for child in children.values():
            child.terminate()
        for child in children.values():
            child.wait(timeout=PATIENCE_SECONDS)
        if life.is_alive():
            life.join(timeout=PATIENCE_SECONDS)


def _spawn(url: str, log: Path, *arguments: str) -> subprocess.Popen:
    """Start one of our own commands that dies with us, even if we are killed."""

    def die_with_parent() -> None:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    with log.open("ab") as words:
        return subprocess.Popen(
            [sys.executable, "-m", "gridmgr.cli", *arguments],
            env=os.environ | {"GRIDMGR_DATABASE_URL": url},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,  # Ctrl-C reaches the demo alone, which then stops its children in order
            preexec_fn=die_with_parent,
        )


def _check(children: dict[str, subprocess.Popen], logs: Path) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            raise ServerDied(process=name, log=logs / f"{name}.log")


def _await_page(address: str, children: dict[str, subprocess.Popen], logs: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        _check(children, logs)
        with suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(address, timeout=2)
            return
        time.sleep(0.2)
    raise ServerDied(process="serve", log=logs / "serve.log")


def _free_port(wanted: int) -> int:
    """Return the wanted port, or the next free one."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((settings().host, port))
            return port
    return wanted


def _welcome(port: int) -> None:
    columns = [_("username"), _("password"), _("name"), _("role")]
    rows = [(each.username, each.password, each.name, word(ROLES, each.role)) for each in ACCOUNTS]
    print_table(_("Accounts"), columns, rows)
    say(
        "Open  http://{host}:{port}/  and log in, for example as command (password: command).",
        host=settings().host,
        port=port,
    )
    say("Try: the command map with its hotspots; report an incident; import sample_maps/ at the import desk.")
    say("The district goes on living while this runs. Ctrl-C stops everything.")
