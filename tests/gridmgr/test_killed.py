"""What is killed, stopped or left standing still loses nothing: real processes, and the hardest signal."""

import os
import pwd
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from climbing import publish
from little import SOUTH, STEP, STREET, WEST
from outside import until
from sqlalchemy import func, select, text

from benchmarks import chaos
from benchmarks.processes import running
from gridmgr import clock, db, jobs
from gridmgr.account import service as accounts
from gridmgr.account.rules import SYSTEM, Grant, Role
from gridmgr.audit import queries as audit
from gridmgr.category import queries as categories
from gridmgr.errors import Unavailable
from gridmgr.escalation import service as escalation
from gridmgr.escalation.model import CaseClock, RungClimbed
from gridmgr.incident.model import Incident, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.notice.model import Notice
from gridmgr.reactions import REACTIONS

pytestmark = pytest.mark.db
CLERK = [Grant(Role.COMMUNITY_CLERK, f"{STREET}001")]


@pytest.fixture
def engine(own_district):
    """An engine on the database of a little district, of which real workers take hold."""
    with db.transaction(own_district, REACTIONS) as session:
        accounts.open_account(session, "wang", "王", "a long password", CLERK)
        publish(session, ",,accept,1,hours,50%,tell,community\n,,accept,,,100%,tell,community\n")
    return own_district


def at_work(engine, folder, workers: int = 1, **more: str):
    return running(engine.url.render_as_string(hide_password=False), folder, 0, workers, **more)


def one(engine, query: str):
    with engine.connect() as connection:
        return connection.scalar(text(query))


def do(engine, statement: str) -> None:
    with db.transaction(engine) as session:
        session.execute(text(statement))


def ask(engine, task: str, **given) -> None:
    with db.transaction(engine) as session:
        jobs.defer(session, task, **given)


def doing(engine, task: str) -> bool:
    asked = f"SELECT count(*) FROM procrastinate_jobs WHERE task_name = '{task}' AND status = 'doing'"
    return one(engine, asked) > 0


def long_silent(engine) -> None:
    """Let ten minutes pass in which no worker was heard of."""
    do(engine, "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '10 minutes'")


def keep_an_old_answer(engine) -> None:
    do(engine, "INSERT INTO answered (account_id, key, request, fingerprint, status, headers, at) "
               "SELECT id, 'k', 'POST /', '', 200, '{}', '2020-01-01Z' FROM account")  # fmt: skip


def forgotten(engine) -> bool:
    return one(engine, "SELECT count(*) FROM answered") == 0


@contextmanager
def in_the_way(engine, table: str):
    """Hold a table, so that whoever writes to it stands still in the middle of the work."""
    with engine.begin() as holding:
        holding.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
        yield


# ---- workers -------------------------------------------------------------------------------------------


def test_the_job_of_a_killed_worker_is_done_by_another(engine, tmp_path):
    keep_an_old_answer(engine)
    with at_work(engine, tmp_path) as (first,), in_the_way(engine, "answered"):
        ask(engine, jobs.FORGET_ANSWERS, timestamp=0)
        until(lambda: doing(engine, jobs.FORGET_ANSWERS), seconds=60)
        first.kill()
    assert not forgotten(engine)
    long_silent(engine)
    with at_work(engine, tmp_path):
        until(lambda: forgotten(engine) and not doing(engine, jobs.FORGET_ANSWERS), seconds=60)


def test_a_job_that_ends_its_worker_each_time_is_given_up_and_stays_to_be_looked_at(engine, tmp_path):
    ask(engine, jobs.FORGET_ANSWERS, timestamp=0)
    do(engine, "UPDATE procrastinate_jobs SET status = 'doing', attempts = 4")
    with at_work(engine, tmp_path):
        failed = (
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'forget_answers' AND status = 'failed'"
        )
        until(lambda: one(engine, failed) == 1, seconds=60)


def test_a_worker_told_to_stop_ends_in_its_time_though_its_job_does_not(engine, tmp_path):
    keep_an_old_answer(engine)
    with in_the_way(engine, "answered"), at_work(engine, tmp_path, shutdown_seconds="1") as (worker,):
        ask(engine, jobs.FORGET_ANSWERS, timestamp=0)
        until(lambda: doing(engine, jobs.FORGET_ANSWERS), seconds=60)
        worker.child.send_signal(signal.SIGTERM)
        assert worker.child.wait(timeout=60) == 0
    assert not forgotten(engine)
    long_silent(engine)
    with at_work(engine, tmp_path):
        until(lambda: forgotten(engine), seconds=60)


def report(engine, minutes_ago: float = 0) -> str:
    with db.transaction(engine, REACTIONS) as session:
        told = Report(
            WEST + 0.1 * STEP, SOUTH + 0.1 * STEP, "wgs84", categories.by_code(session, "S0102").id,
            Source.PATROL, "垃圾", reported_at=clock.now() - timedelta(minutes=minutes_ago),
        )  # fmt: skip
        return intake.report(session, SYSTEM, told).number


def climbed(engine) -> int:
    with db.transaction(engine) as session:
        return session.scalar(select(func.count()).select_from(RungClimbed))


def test_a_worker_that_stood_still_for_ten_minutes_goes_on_and_each_rung_is_climbed_once(engine, tmp_path):
    numbers = [report(engine, minutes_ago=45) for _ in range(5)]  # half of the hour has gone
    with at_work(engine, tmp_path) as (paused,):
        with in_the_way(engine, "rung_climbed"):
            ask(engine, jobs.SWEEP_CLOCKS)
            waiting = (
                "SELECT count(*) FROM pg_locks WHERE relation = 'rung_climbed'::regclass AND NOT granted"
            )
            until(lambda: one(engine, waiting) > 0, seconds=60)
            paused.child.send_signal(signal.SIGSTOP)  # in the middle of a batch, and its clocks locked
        standing = "datname = current_database() AND state = 'idle in transaction'"
        until(lambda: one(engine, f"SELECT count(*) FROM pg_stat_activity WHERE {standing}") > 0)
        long_silent(engine)
        numbers += [report(engine, minutes_ago=90) for _ in range(3)]
        with at_work(engine, tmp_path) as (other,):
            ask(engine, jobs.SWEEP_CLOCKS)
            until(lambda: climbed(engine) == 6, seconds=60)  # those nobody holds
            # what the limit on standstill in worker.py does after a minute
            do(engine, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {standing}")
            until(lambda: climbed(engine) == 11, seconds=60)
            other.kill()
        long_silent(engine)
        paused.child.send_signal(signal.SIGCONT)
        keep_an_old_answer(engine)
        ask(engine, jobs.FORGET_ANSWERS, timestamp=0)
        until(lambda: forgotten(engine), seconds=60)  # it works again, though it had been given up for dead
    with db.transaction(engine) as session:
        assert len(audit.unserved(session)) == 0
        told = session.execute(select(Notice.incident_id, func.count()).group_by(Notice.incident_id)).all()
        assert len(told) == len(numbers) == 8
    assert climbed(engine) == 11


def test_a_batch_of_a_worker_that_stands_still_is_undone_after_a_minute(engine):
    from gridmgr import worker

    with db.transaction(engine) as session:
        session.execute(worker.STANDSTILL)
        assert session.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"


# ---- clocks that go wrong ------------------------------------------------------------------------------


@contextmanager
def wrong_by(minutes: float):
    """Work on a machine whose clock goes wrong."""
    right = clock.now
    with pytest.MonkeyPatch.context() as machine:
        machine.setattr(clock, "now", lambda: right() + timedelta(minutes=minutes))
        yield


@pytest.mark.parametrize(("wrong", "rungs"), [(-90, 2), (-40, 1), (0, 0), (90, 0)])
def test_rungs_go_by_the_time_of_the_database_however_wrong_a_machine_goes(engine, wrong, rungs):
    """A case begins when its server says; it is climbed when the database says, by whichever worker."""
    with wrong_by(wrong):
        report(engine)
    for astray in (-300, 300, 0):
        with wrong_by(astray), db.transaction(engine, REACTIONS) as session:
            escalation.sweep(session)
        assert climbed(engine) == rungs
    with db.transaction(engine) as session:
        assert session.scalar(select(CaseClock.next_rung).where(CaseClock.stage == "accept")) == rungs


# ---- a disk that is full -------------------------------------------------------------------------------


@pytest.fixture
def small_disk(cluster):
    """A disk of four megabytes, mounted where the database reaches it."""
    if "GRIDMGR_DATABASE_URL" in os.environ or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk for a private cluster")
    folder = Path(
        tempfile.mkdtemp(prefix="gridmgr-small-disk-", dir="/var/tmp")
    )  # not where a run is cleared
    owner = f"uid={pwd.getpwnam('postgres').pw_uid}"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=4m,mode=0700,{owner}", "tmpfs", folder])
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)
    folder.rmdir()


def test_a_full_disk_refuses_reports_whole_and_takes_them_when_there_is_room_again(
    engine, small_disk, cluster
):
    superuser(cluster, f"CREATE TABLESPACE small LOCATION '{small_disk}'")
    superuser(cluster, "GRANT CREATE ON TABLESPACE small TO public")
    try:
        do(engine, "ALTER TABLE incident_event SET TABLESPACE small")
        with suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
            while filler.write(b"0" * 4096):
                pass
        before = count(engine)
        with pytest.raises(Unavailable):
            for _ in range(200):  # until the page at hand is full too
                report(engine)
        filed = count(engine)
        with db.transaction(engine) as session:
            assert not audit.verify(session).broken
            assert session.scalar(text("SELECT count(*) FROM incident_event")) == filed >= before
        (small_disk / "filler").unlink()
        report(engine)
        assert count(engine) == filed + 1
    finally:
        do(engine, "ALTER TABLE incident_event SET TABLESPACE pg_default")
        superuser(cluster, "DROP TABLESPACE small")


def count(engine) -> int:
    with db.transaction(engine) as session:
        return session.scalar(select(func.count()).select_from(Incident))


def superuser(cluster, statements: str) -> None:
    command = ["runuser", "-u", "postgres", "--", "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    address = ["-h", str(cluster.socket), "-U", "postgres", "postgres"]
    subprocess.run([*command, *address], input=statements, text=True, check=True, cwd="/")


# ---- everything at once --------------------------------------------------------------------------------


def test_server_worker_and_database_are_killed_under_load_and_nothing_is_lost():
    told = chaos.run(kills=3, rate=10, pause=2)
    assert [told[name] for name in ("server", "worker", "database")] == [1, 1, 1]
    assert told["reports"] > 20
    assert told["moves"] > 5
    assert told["rungs"] > 20
    assert chaos.faults(told) == {}
