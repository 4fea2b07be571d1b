"""Verbs of policies: publish a table of them."""

from datetime import date

from sqlalchemy import insert
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.policy.model import NoPolicies, Policy, PolicyTable
from gridmgr.policy.rules import PoliciesRead
from gridmgr.sheet import BadSheet


def publish(session: Session, title: str, effective: date, read: PoliciesRead) -> PolicyTable:
    """Publish a table of limits and ladders, in force from `effective`; clocks that run keep their own copy.

    Rule: field.md §4, the ladder in force is copied onto the case when its clock starts.

    Raises
    ------
    BadSheet
        It lists all that is wrong with the table; nothing is written.
    NoPolicies
    """
    if read.errors:
        raise BadSheet(read.errors)
    if not read.policies:
        raise NoPolicies
    table = PolicyTable(title=title[:100], effective=effective, published_at=clock.now())
    session.add(table)
    session.flush()  # the policies need its id
    session.execute(insert(Policy), [row | {"table_id": table.id} for row in read.policies])
    return table
