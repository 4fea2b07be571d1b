"""The tasks that run beside the web server, each in one transaction. procrastinate schedules them."""

import logging
from collections.abc import Callable
from datetime import date
from functools import lru_cache

import procrastinate
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import db, jobs, post
from gridmgr.account.rules import SYSTEM
from gridmgr.answered import service as answered
from gridmgr.attachment import service as attachment
from gridmgr.audit import queries as audit
from gridmgr.audit import service as audit_service
from gridmgr.calendar.model import CalendarCorrected
from gridmgr.escalation import service as escalation
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as hierarchy_service
from gridmgr.importing import service as importing
from gridmgr.incident import queries as incident
from gridmgr.incident import service as incident_service
from gridmgr.incident.model import HistoryBroken
from gridmgr.notice import service as notice
from gridmgr.reactions import REACTIONS

log = logging.getLogger(__name__)
app = procrastinate.App(connector=procrastinate.PsycopgConnector())
_serving: list[str] = []  # the address of the database this process works for


def run(url: str, **options: object) -> None:
    """Work on the tasks of the database at `url` until told to stop; options are procrastinate's.

    What has been done leaves the queue, what failed stays in it to be looked at.
    """
    parts = make_url(url).translate_connect_args(username="user", database="dbname")
    connector = procrastinate.PsycopgConnector(kwargs=parts | dict(make_url(url).query))
    _serving[:] = [url]
    with app.replace_connector(connector) as replaced:
        replaced.run_worker(**{"delete_jobs": "successful"} | options)


@lru_cache
def _engine(url: str) -> Engine:
    return db.engine(url)


def _in_transaction(work: Callable[[Session], None]) -> None:
    with db.transaction(_engine(_serving[0]), REACTIONS) as session:
        work(session)


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
        attachment.sweep(session, lambda hashes: incident.attached(session, hashes))

    _in_transaction(sweep)


SPELL = 10  # batches a sweep climbs before it lets other tasks have a turn


@app.periodic(cron="* * * * * */10")
@app.task(name=jobs.SWEEP_CLOCKS, queueing_lock=jobs.SWEEP_CLOCKS)
def sweep_clocks(timestamp: int = 0) -> None:
    """Every ten seconds climb the rungs that are due; as many workers as run do so at once.

    Each batch is a transaction of its own. If more is due after a spell, the sweep goes on in a job of its own.
    """
    for _ in range(SPELL):
        with db.transaction(_engine(_serving[0]), REACTIONS) as session:
            if escalation.sweep(session) < escalation.BATCH:
                return
    _in_transaction(lambda session: jobs.defer(session, jobs.SWEEP_CLOCKS))


@app.task(name=jobs.RECOUNT_CLOCKS, retry=3)
def recount_clocks(code: str, first_day: str, last_day: str) -> None:
    """Count the clocks over corrected days of a calendar anew, batch by batch."""
    what = CalendarCorrected(code, date.fromisoformat(first_day), date.fromisoformat(last_day))
    behind: int | None = 0
    while behind is not None:
        with db.transaction(_engine(_serving[0]), REACTIONS) as session:
            behind = escalation.recount(session, what, behind)


@app.periodic(cron="*/5 * * * *")
@app.task(name=jobs.AUDIT_CLOCKS, queueing_lock=jobs.AUDIT_CLOCKS)
def audit_clocks(timestamp: int) -> None:
    """Every five minutes look for clocks that nobody serves; the alarm is in the log and in the inboxes."""
    _in_transaction(audit_service.watch)


@app.periodic(cron="1 0 * * *")
@app.task(name=jobs.FOLLOW_EDITION)
def follow_edition(timestamp: int) -> None:
    """Just after midnight, let open cases follow an edition that has come into force."""
    _in_transaction(_follow)


def _follow(session: Session) -> None:
    """Bring open cases and maps to the edition of today."""
    incident_service.rehome_open(session, SYSTEM)
    jobs.defer(session, jobs.PREPARE_MAPS)
