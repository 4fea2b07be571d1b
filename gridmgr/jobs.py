"""Handing work to the worker in the same transaction as the fact that asks for it.

`gridmgr.worker` defines the tasks by these names and runs them.
"""

import json

from sqlalchemy import text
from sqlalchemy.orm import Session

PREPARE_MAPS = "prepare_maps"  # draw tiles and build the locator of the state in force
CHECK_BATCH = "check_batch"  # read and check an uploaded file
LOAD_BATCH = "load_batch"  # load a checked file
FOLLOW_EDITION = "follow_edition"  # open cases follow the edition that came into force at midnight
SWEEP_FILES = "sweep_files"  # remove files that belong to no case
VERIFY_HISTORY = "verify_history"  # walk every hash chain
FORGET_ANSWERS = "forget_answers"  # answers nobody will ask for again
DELIVER = "deliver"  # send what is due, by mail and to webhooks
PRUNE_NOTICES = "prune_notices"  # remove what was read long ago
SWEEP_CLOCKS = "sweep_clocks"  # climb the rungs that are due
RECOUNT_CLOCKS = "recount_clocks"  # count clocks by a corrected calendar
MISS_CALLS = "miss_calls"  # of whistles, whom nobody came for in time
TELL_LATE_ORDERS = "tell_late_orders"  # of supervision orders nobody answered in time
TELL_UNCLAIMED = "tell_unclaimed"  # of pieces of work whose time is nearly over
TELL_ENDED_FORCES = "tell_ended_forces"  # of task forces that are past their last day
DISPATCH_WAITING = "dispatch_waiting"  # dispatch what areas let the system dispatch
SEND_ON_SITE = "send_on_site"  # send somebody to look, or somebody else
NOTE_SILENCE = "note_silence"  # of bodies that were asked about a permit and have said nothing
SERVE_CONSULTATIONS = "serve_consultations"  # remind the silent; let time run out
PUBLISH_PLANS = "publish_plans"  # approved plans on their day
KEEP_WEEK = "keep_week"  # the hours on duty of a week that has ended
FORGET_POSITIONS = "forget_positions"  # where people on duty were long ago
SCAN_DAY = "scan_day"  # look for what has just begun somewhere
KEEP_GRADES = "keep_grades"  # the grades of micro-grids, once a week
FIND_FLAGS = "find_flags"  # look for patterns worth a look
WRITE_BULLETINS = "write_bulletins"  # weekly and monthly reports that are due
AUDIT_CLOCKS = "audit_clocks"  # look for clocks nobody serves
TAKE_UP = "take_up"  # take up the jobs of workers that are gone

DEFER = text("""
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW('default', :task, 0, CAST(:lock AS text), NULL, CAST(:args AS jsonb),
            CASE WHEN :seconds > 0 THEN clock_timestamp() + make_interval(secs => :seconds) END)
        ::procrastinate_job_to_defer_v1
    ])
""")


def defer(session: Session, task: str, lock: str | None = None, seconds: float = 0, **args: object) -> None:
    """Ask for a task to run once this transaction is committed, so many seconds from now at the earliest.

    Jobs of one `lock` run one by one.
    """
    told = {"task": task, "lock": lock, "args": json.dumps(args), "seconds": seconds}
    session.execute(DEFER, told)
