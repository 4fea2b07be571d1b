"""The one verb of weeks: keep the hours on duty of a week that has ended. It never commits."""

from datetime import date, timedelta

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.weekly import queries, rules
from gridmgr.weekly.model import WeekKept, WeekOnDuty


def keep_last(session: Session) -> date | None:
    """Keep the hours on duty of the last week that has ended; None if somebody has done so already.

    Rosters can be brought anew, even for days that are past: what is kept no longer follows them.
    """
    monday = rules.monday_of(clock.today()) - timedelta(days=7)
    kept = upsert(WeekKept).values(monday=monday, kept_at=clock.now()).on_conflict_do_nothing()
    if session.scalar(kept.returning(WeekKept.monday)) is None:
        return None
    rows = [
        {"monday": monday, "account_id": account, "street_code": street, "seconds": seconds}
        for (account, street), seconds in queries.counted(session, monday).items()
    ]
    if rows:
        session.execute(insert(WeekOnDuty), rows)
    return monday
