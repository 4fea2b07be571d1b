"""The tasks that run beside the web server, each in one transaction. procrastinate schedules them."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import date
from functools import lru_cache
from typing import Any

import procrastinate
import psycopg
from sqlalchemy import Engine, make_url, text
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import db, jobs, post
from gridmgr.account.rules import SYSTEM
from gridmgr.answered import service as answered
from gridmgr.attachment import service as attachment
from gridmgr.attendance import service as attendance
from gridmgr.audit import queries as audit
from gridmgr.audit import service as audit_service
from gridmgr.audit.model import Regular
from gridmgr.bulletin import queries as bulletins
from gridmgr.bulletin import service as bulletin
from gridmgr.calendar.model import CalendarCorrected
from gridmgr.claim import queries as claims
from gridmgr.claim import service as claim
from gridmgr.coapproval import service as coapproval
from gridmgr.consultation import queries as consultations
from gridmgr.consultation import service as consultation
from gridmgr.dispatch import service as dispatch
from gridmgr.escalation import service as escalation
from gridmgr.flag import service as flag
from gridmgr.grading import service as grading
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as hierarchy_service
from gridmgr.importing import service as importing
from gridmgr.incident import queries as incident
from gridmgr.incident import service as incident_service
from gridmgr.incident.model import HistoryBroken
from gridmgr.notice import service as notice
from gridmgr.onsite import service as onsite
from gridmgr.position import service as position
from gridmgr.public_notice import queries as notices
from gridmgr.publication import service as publication
from gridmgr.reactions import REACTIONS
from gridmgr.scan import service as scan
from gridmgr.settings import settings
from gridmgr.supervision import service as supervision
from gridmgr.task_force import service as task_force
from gridmgr.weekly import service as weekly

log = logging.getLogger(__name__)
app = procrastinate.App(connector=procrastinate.PsycopgConnector())
_serving: list[str] = []  # the address of the database this process works for
AGAIN_SECONDS = 1.0  # after which a database that was lost is asked for anew
ATTEMPTS = 5  # after which a job that ends its worker each time is given up


def run(url: str, *, forever: bool = True) -> None:
    """Work on the tasks of the database at `url` until told to stop, or else until nothing is left to do.

    What has been done leaves the queue, what failed stays in it to be looked at. A database that goes away
    is waited for. At SIGTERM or SIGINT the job in hand may end within the time of the settings; then the
    process ends all the same: its transaction is undone, and another worker takes the job up.
    """
    _serving[:] = [url]
    asyncio.run(_work(url, forever))


class _Connector(procrastinate.PsycopgConnector):
    """A connector that tells when it loses the database: what a job came to may not have been noted then."""

    def __init__(self, url: str):
        parts = make_url(url)
        words = parts.translate_connect_args(username="user", database="dbname")
        super().__init__(kwargs=words | dict(parts.query))
        self.lost = asyncio.Event()

    async def execute_query_async(self, query: str, **arguments: Any) -> None:
        """Run a statement."""
        try:
            await super().execute_query_async(query, **arguments)
        except procrastinate.exceptions.ConnectorException as failed:
            if isinstance(failed.__cause__, psycopg.OperationalError):
                self.lost.set()
            raise


async def _work(url: str, forever: bool) -> None:
    """Be one registered worker after the other: what has lost its database begins anew, under a new name."""
    stop = _stopping() if forever else asyncio.Event()
    options = {
        "wait": forever, "listen_notify": forever, "install_signal_handlers": False, "delete_jobs": "successful",
        "shutdown_graceful_timeout": settings().shutdown_seconds,
    }  # fmt: skip
    while not stop.is_set():
        connector = _Connector(url)
        try:
            with app.replace_connector(connector) as replaced:
                async with replaced.open_async():
                    await _until_any(replaced.run_worker_async(**options), stop, connector.lost)
            if not forever:
                return
        except (procrastinate.exceptions.ConnectorException, psycopg.Error) as lost:
            if not forever:
                raise
            log.warning("the database does not answer, or has forgotten this worker: %s", lost)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), AGAIN_SECONDS)


async def _until_any(work: Coroutine, *events: asyncio.Event) -> None:
    """Work until it is done or one of the events comes; then it may end in order."""
    working = asyncio.ensure_future(work)
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait([working, *waiting], return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working


def _stopping() -> asyncio.Event:
    """Return the event of being told to stop; some time after it the process ends, whatever is under way."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def told() -> None:
        stop.set()
        loop.call_later(settings().shutdown_seconds, _end)

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, told)
    return stop


def _end() -> None:
    log.warning("the job in hand has not ended; another worker will do it")
    os._exit(0)  # a thread cannot be ended otherwise


@lru_cache
def _engine(url: str) -> Engine:
    return db.engine(url)


def _in_transaction(work: Callable[[Session], object]) -> None:
    with db.transaction(_engine(_serving[0]), REACTIONS) as session:
        work(session)


# What is done by the clock, in one transaction each; a turn that is missed is made up for by the next.
REGULAR: tuple[tuple[str, str, Callable[[Session], object]], ...] = (
    ("* * * * *", jobs.TELL_LATE_ORDERS, supervision.tell_late),  # orders nobody answered in time
    ("* * * * *", jobs.TELL_UNCLAIMED, claim.tell_unclaimed),  # pieces near their end with a place left
    ("*/10 * * * *", jobs.TELL_ENDED_FORCES, task_force.tell_ended),  # told of; none is disbanded by that
    ("* * * * * */15", jobs.MISS_CALLS, attendance.miss),  # whom a whistle calls and nobody came for
    ("* * * * *", jobs.NOTE_SILENCE, coapproval.note_silence),  # bodies that were asked and say nothing
    ("* * * * *", jobs.SERVE_CONSULTATIONS, consultation.serve_due),  # who was asked and says nothing
    ("* * * * *", jobs.PUBLISH_PLANS, publication.publish_due),  # approved plans, from their day on
    ("*/5 * * * *", jobs.FORGET_POSITIONS, position.forget_old),
    ("7 * * * *", jobs.KEEP_WEEK, weekly.keep_last),  # once: rosters may be brought anew later
    ("17 * * * *", jobs.KEEP_GRADES, grading.keep),  # once a week: patrols are planned by them
    ("20 4 * * *", jobs.FIND_FLAGS, flag.find),  # patterns of the last days worth a look
    ("*/5 * * * *", jobs.AUDIT_CLOCKS, audit_service.watch),  # alarms go to the log and the inboxes
)


def _regularly(cron: str, name: str, work: Callable[[Session], object]) -> None:
    @app.periodic(cron=cron)
    @app.task(name=name, queueing_lock=name)
    def task(timestamp: int = 0) -> None:
        _in_transaction(work)


for each in REGULAR:
    _regularly(*each)


@app.task(name=jobs.PREPARE_MAPS, retry=3)
def prepare_maps() -> None:
    """Draw the tiles and build the locator of every state that lacks them."""

    def prepare(session: Session) -> None:
        for edition in hierarchy.editions(session):
            hierarchy_service.draw_tiles(session, edition)
        hierarchy.locator(session)

    _in_transaction(prepare)


@app.task(name=jobs.CHECK_BATCH)
def check_batch(batch_id: int) -> None:
    """Check an uploaded file; what is wrong with it is written on its batch."""
    _work_on(batch_id, lambda session: importing.check_batch(session, batch_id))


@app.task(name=jobs.LOAD_BATCH)
def load_batch(batch_id: int) -> None:
    """Load a checked file; what goes wrong is written on its batch, and nothing is loaded."""
    _work_on(batch_id, lambda session: importing.load_batch(session, batch_id))


def _work_on(batch_id: int, work: Callable[[Session], None]) -> None:
    try:
        _in_transaction(work)
    except Problem as problem:
        log.warning("batch %s: %s", batch_id, problem)
        told = problem
        _in_transaction(lambda session: importing.fail_batch(session, batch_id, told))


@app.periodic(cron="30 3 * * *")
@app.task(name=jobs.VERIFY_HISTORY)
def verify_history(timestamp: int) -> None:
    """Walk every hash chain each night; a broken one fails this task, which the log and the queue show."""

    def verify(session: Session) -> None:
        found = audit.verify(session)
        if found.broken:
            raise HistoryBroken(count=len(found.broken))

    _in_transaction(verify)


@app.periodic(cron="50 3 * * *")
@app.task(name=jobs.FORGET_ANSWERS)
def forget_answers(timestamp: int) -> None:
    """Each night, forget the answers kept for requests that nobody will send again."""
    _in_transaction(answered.forget_old)


@app.periodic(cron="* * * * * */5")
@app.task(name=jobs.DELIVER, queueing_lock=jobs.DELIVER)
def deliver(timestamp: int) -> None:
    """Every five seconds send what is due; as many workers as run do so at once."""
    post.deliver(_engine(_serving[0]))


@app.periodic(cron="10 3 * * *")
@app.task(name=jobs.PRUNE_NOTICES)
def prune_notices(timestamp: int) -> None:
    """Each night remove the notices that were read long ago."""
    _in_transaction(notice.prune)


@app.periodic(cron="40 3 * * *")
@app.task(name=jobs.SWEEP_FILES)
def sweep_files(timestamp: int) -> None:
    """Remove each night the files that belong to no case a day after they came."""

    def sweep(session: Session) -> None:
        attachment.sweep(
            session,
            lambda hashes: (
                incident.attached(session, hashes)
                | claims.attached(session, hashes)
                | bulletins.attached(session, hashes)
                | consultations.attached(session, hashes)
                | notices.attached(session, hashes)
            ),
        )

    _in_transaction(sweep)


SPELL = 10  # batches a sweep climbs before it lets other tasks have a turn
# A worker that stands still in the middle of a batch loses it after a while, so that others climb its rungs.
STANDSTILL = text("SET LOCAL idle_in_transaction_session_timeout = '60s'")


@app.periodic(cron="* * * * * */10")
@app.task(name=jobs.SWEEP_CLOCKS, queueing_lock=jobs.SWEEP_CLOCKS)
def sweep_clocks(timestamp: int = 0) -> None:
    """Every ten seconds climb the rungs that are due; as many workers as run do so at once.

    Each batch is a transaction of its own. If more is due after a spell, the sweep goes on in a job of its own.
    """
    for _ in range(SPELL):
        with db.transaction(_engine(_serving[0]), REACTIONS) as session:
            session.execute(STANDSTILL)
            served = escalation.sweep(session)
        if served < escalation.BATCH:
            return _in_transaction(lambda session: audit_service.note(session, Regular.SWEEP))
    _in_transaction(lambda session: jobs.defer(session, jobs.SWEEP_CLOCKS))


@app.task(name=jobs.RECOUNT_CLOCKS, retry=3)
def recount_clocks(code: str, first_day: str, last_day: str) -> None:
    """Count the clocks over corrected days of a calendar anew, batch by batch."""
    what = CalendarCorrected(code, date.fromisoformat(first_day), date.fromisoformat(last_day))
    behind: int | None = 0
    while behind is not None:
        with db.transaction(_engine(_serving[0]), REACTIONS) as session:
            behind = escalation.recount(session, what, behind)


@app.periodic(cron="* * * * *")
@app.task(name=jobs.DISPATCH_WAITING, queueing_lock=jobs.DISPATCH_WAITING)
def dispatch_waiting(timestamp: int = 0) -> None:
    """When cases were accepted, and every minute, dispatch what areas let the system dispatch."""
    looked = dispatch.BATCH
    while looked == dispatch.BATCH:
        with db.transaction(_engine(_serving[0]), REACTIONS) as session:
            looked = sum(dispatch.dispatch_waiting(session))


@app.periodic(cron="* * * * *")
@app.task(name=jobs.SEND_ON_SITE, queueing_lock=jobs.SEND_ON_SITE)
def send_on_site(timestamp: int) -> None:
    """Every minute hand on checks on site that nobody took in time, and send somebody where nobody was."""
    _in_transaction(onsite.hand_on)
    _in_transaction(onsite.send)


@app.periodic(cron="*/10 * * * *")
@app.task(name=jobs.SCAN_DAY, queueing_lock=jobs.SCAN_DAY)
def scan_day(timestamp: int = 0) -> None:
    """Every ten minutes see whether the day before is scanned; from 05:30 on it is, one scan a job."""

    def one(session: Session) -> None:
        if scan.watch(session):
            jobs.defer(session, jobs.SCAN_DAY)

    _in_transaction(one)


@app.periodic(cron="*/5 * * * *")
@app.task(name=jobs.WRITE_BULLETINS, queueing_lock=jobs.WRITE_BULLETINS)
def write_bulletins(timestamp: int = 0) -> None:
    """Every five minutes note the reports that are due, and write one; what is left is a job of its own.

    So other tasks have their turn between two of them. Where several such jobs run, each writes another one.
    """
    _in_transaction(bulletin.call_due)
    with db.transaction(_engine(_serving[0]), REACTIONS) as session:
        if bulletin.write_next(session):
            jobs.defer(session, jobs.WRITE_BULLETINS)


@app.periodic(cron="1 0 * * *")
@app.task(name=jobs.FOLLOW_EDITION)
def follow_edition(timestamp: int = 0, since: str = "", turn: int = 0) -> None:
    """Let open cases, pieces of work and people follow the edition in force: at midnight, and after each one written.

    As long as a transaction is open that began before, and may have located a report on the old map, it is done
    again, for a minute; reports wait for nothing, and each is in one edition.
    """
    _in_transaction(lambda session: _follow(session, since, turn))


FOLLOW_SECONDS, FOLLOW_TURNS = 3, 20
OLDER = text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND xact_start < CAST(:since AS timestamptz)
""")


def _follow(session: Session, since: str, turn: int) -> None:
    """Bring open cases, pieces, people and maps to the edition of today; before the first import there is none."""
    if not hierarchy.editions(session):
        return
    since = since or str(session.scalar(text("SELECT clock_timestamp()")))
    still = session.scalar(OLDER, {"since": since})  # asked first: what ends from here on is seen below
    incident_service.rehome_open(session, SYSTEM)
    claim.rehome_open(session)
    hierarchy_service.follow(session)
    if still and turn < FOLLOW_TURNS:
        told = {"since": since, "turn": turn + 1}
        jobs.defer(session, jobs.FOLLOW_EDITION, lock=jobs.FOLLOW_EDITION, seconds=FOLLOW_SECONDS, **told)
    jobs.defer(session, jobs.PREPARE_MAPS)  # nothing is done twice


@app.periodic(cron="* * * * * */10")
@app.task(name=jobs.TAKE_UP, queueing_lock=jobs.TAKE_UP, pass_context=True)
async def take_up(context: procrastinate.JobContext, timestamp: int) -> None:
    """Every ten seconds take up the jobs of workers that have not been heard of for half a minute.

    Every task here may be done twice: each does its work in transactions that look again at what is there.
    What a period brings again anyway is let go; what ends its worker time and again is given up.
    """
    manager, ends = context.app.job_manager, procrastinate.jobs.Status
    for job in await manager.get_stalled_jobs():
        log.warning("job %s (%s) has lost its worker", job.id, job.task_name)
        with suppress(procrastinate.exceptions.ConnectorException):  # another worker was quicker
            if job.queueing_lock:
                await manager.finish_job(job, ends.ABORTED, delete_job=True)
            elif job.attempts + 1 >= ATTEMPTS:
                await manager.finish_job(job, ends.FAILED, delete_job=False)
            else:
                await manager.retry_job(job)
