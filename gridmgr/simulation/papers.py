"""Reports of the demonstration: planned for the district and each street; the worker writes last week's."""

from sqlalchemy.orm import Session

from gridmgr.account.rules import SYSTEM
from gridmgr.bulletin import queries, service
from gridmgr.digest import queries as digests
from gridmgr.digest.model import Period, Subject


def plan_papers(session: Session) -> int:
    """Plan the weekly reports of the district and of each street, unless any are planned; returns how many."""
    if queries.plans(session):
        return 0
    district = digests.target(session, Subject.DISTRICT, "")
    return len(service.plan(session, SYSTEM, district, Period.WEEK, below=True))
