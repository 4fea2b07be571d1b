"""A month of the full district, climbed by many sweepers of which one is killed again and again; then the audit.

The month is played on a clock that travels. After each hour its sweepers, processes of their own, climb what is due;
the play goes on when nothing is. Every rung must have been climbed exactly once, and none be left.
"""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from benchmarks.chaos import COUNTED, FAULTS
from benchmarks.city import room
from gridmgr import clock, cluster, db
from gridmgr.audit import queries as audit
from gridmgr.escalation import service as escalation
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings
from gridmgr.simulation import service as simulation

HANDFUL = 50  # clocks of one transaction: small ones, so that many sweepers meet
BREATH = 0.02
PATIENCE = 300  # seconds in which an hour must be climbed
DUE = text("SELECT EXISTS (SELECT FROM case_clock WHERE state = 'running' AND next_rung_at <= :at)")
SAME = "two cases of one report"  # told by their words, which here many have in common
MORE = {
    "orders": "SELECT count(*) FROM supervision_order",
    "whistles": "SELECT count(*) FROM whistle",
    "ordered twice": """
        SELECT count(*) FROM (SELECT FROM supervision_order WHERE state IN ('open', 'answered')
                              GROUP BY incident_id, apart, body HAVING count(*) > 1) AS twice""",
}  # fmt: skip


@dataclass
class Sweepers:
    """So many processes that climb up to the instant a file tells, one of them killed every so often."""

    url: str
    word: Path
    number: int
    pause: float
    killed: int = 0
    children: list[subprocess.Popen] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Sweepers":
        self.children = [self._start() for _ in range(self.number)]
        self._killer = threading.Thread(target=self._kill)
        self._killer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._killer.join()
        for child in self.children:
            child.kill()
            child.wait()

    def _start(self) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-m", "benchmarks.month", self.url, str(self.word)])

    def _kill(self) -> None:
        while not self.stopped.wait(self.pause):
            n = random.randrange(self.number)
            self.children[n].send_signal(signal.SIGKILL)
            self.children[n].wait()
            self.children[n] = self._start()
            self.killed += 1

    def climb(self, engine: Engine, at: datetime) -> None:
        """Let the sweepers climb up to an instant; returns when nothing is due any more."""
        fresh = self.word.with_suffix(".new")
        fresh.write_text(at.isoformat(), "utf-8")
        fresh.replace(self.word)
        end = time.monotonic() + PATIENCE
        with engine.connect() as connection:
            while connection.scalar(DUE, {"at": at}):
                if time.monotonic() > end:
                    raise TimeoutError(f"what was due at {at} is not climbed")
                connection.rollback()
                time.sleep(BREATH)


def run(days: int, workers: int, pause: float, tell: Callable[[str], None]) -> dict[str, int]:
    """Play the days and return what was counted; what is counted as a fault should not be."""
    with room() as home:
        before, settings().home = settings().home, home
        try:
            url = cluster.start(home).url()
            db.migrate(url)
            engine = db.engine(url)
            until = clock.now()
            tell("building the district …")
            with db.transaction(engine, REACTIONS) as session:
                simulation.build(session, "district", simulation.SEED, (until - timedelta(days=days)).date())
            tell("playing …")
            began = time.monotonic()
            with Sweepers(url, home.parent / "instant", workers, pause) as sweepers:
                played = simulation.play(
                    engine, REACTIONS, until - timedelta(days=days), until,
                    climb=lambda at: sweepers.climb(engine, at),
                )  # fmt: skip
                sweepers.climb(engine, until)
            seconds = round(time.monotonic() - began)
            told = {"sweepers": workers, "kills": sweepers.killed, "seconds": seconds}
            return told | {"reports": played.reports, "steps": played.moves} | _found(engine, until)
        finally:
            settings().home = before


def _found(engine: Engine, until: datetime) -> dict[str, int]:
    with db.transaction(engine) as session, clock.travel(until):
        told = {
            name: session.scalar(text(query))
            for name, query in (COUNTED | MORE | FAULTS).items()
            if name != SAME
        }
        told["rungs left"] = int(session.scalar(DUE, {"at": until}))
        unserved, broken = audit.unserved(session), audit.verify(session).broken
    return told | {
        "clocks nobody served": len(unserved.overdue),
        "cases without a clock": len(unserved.missing),
        "climbs that do not add up": len(unserved.uneven),
        "chains broken": len(broken),
    }


def sweep(url: str, word: Path) -> None:
    """Climb what is due at the instant the file tells, again and again, until killed."""
    engine = db.engine(url)
    while True:
        served = 0
        with suppress(FileNotFoundError):
            at = datetime.fromisoformat(word.read_text("utf-8"))
            with clock.travel(at), db.transaction(engine, REACTIONS) as session:
                served = escalation.sweep(session, HANDFUL)
        if not served:
            time.sleep(BREATH)


if __name__ == "__main__":
    sweep(sys.argv[1], Path(sys.argv[2]))
