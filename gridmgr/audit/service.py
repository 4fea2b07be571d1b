"""Verbs of the auditor: raise the alarm, once for as long as anything is wrong, and mend what is missing."""

import logging

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridmgr.account import queries as accounts
from gridmgr.account.model import Role
from gridmgr.audit import queries
from gridmgr.audit.model import LastDone, Regular, Unserved, UnservedEpisode
from gridmgr.escalation import queries as clocks
from gridmgr.escalation import service as escalation
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message

log = logging.getLogger(__name__)


def watch(session: Session) -> Unserved:
    """Look for clocks nobody serves and raise the alarm, once for as long as there are any.

    The alarm is an error in the log and a notice to the command centre and the administrators.
    """
    found, at = queries.unserved(session), clocks.moment(session)
    running = session.scalar(
        select(UnservedEpisode).where(UnservedEpisode.ended_at.is_(None)).with_for_update()
    )
    if running and found:
        running.most = max(running.most, len(found))
    elif running:
        running.ended_at = at
    elif found:
        begun = insert(UnservedEpisode).on_conflict_do_nothing().returning(UnservedEpisode.id)
        if session.scalar(begun, {"began_at": at, "most": len(found)}):
            _alarm(session, found)
    return found


def _alarm(session: Session, found: Unserved) -> None:
    log.error("%s clocks that were due are not served: %s", len(found), found.first)
    people = {
        person for role in (Role.COMMAND_CENTRE, Role.ADMIN) for person in accounts.with_role(session, role)
    }
    details = {"count": len(found), "number": found.first.number, "due": found.first.at.isoformat()}
    notice.tell(session, [Message(person, Kind.UNSERVED, None, details) for person in sorted(people)])


def mend(session: Session) -> int:
    """Start the clocks that open cases should have and have not, as of when they should have started.

    Returns how many. Cases need that which were open before there were clocks, or policies.
    """
    return escalation.start(
        session, [(each.number, each.stage, each.at) for each in queries.missing(session)]
    )


def note(session: Session, what: Regular) -> None:
    """Note that something regular has just been done, by the time of the database."""
    row = insert(LastDone).values(what=what, at=func.now())
    session.execute(row.on_conflict_do_update(index_elements=["what"], set_={"at": func.now()}))
