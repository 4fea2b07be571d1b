"""The tables of all nouns together: what the migrations must add up to."""

from geoalchemy2 import alembic_helpers

from gridmgr.account import model as account
from gridmgr.admission import model as admission
from gridmgr.answered import model as answered
from gridmgr.attachment import model as attachment
from gridmgr.audit import model as audit
from gridmgr.boundary_plan import model as boundary_plan
from gridmgr.bulletin import model as bulletin
from gridmgr.calendar import model as calendar
from gridmgr.category import model as category
from gridmgr.claim import model as claim
from gridmgr.coapproval import model as coapproval
from gridmgr.consultation import model as consultation
from gridmgr.db import Base
from gridmgr.discussion import model as discussion
from gridmgr.dispatch import model as dispatch
from gridmgr.duty import model as duty
from gridmgr.escalation import model as escalation
from gridmgr.flag import model as flag
from gridmgr.grading import model as grading
from gridmgr.hierarchy import model as hierarchy
from gridmgr.importing import model as importing
from gridmgr.incident import model as incident
from gridmgr.module import model as module
from gridmgr.notice import model as notice
from gridmgr.one_grid import model as one_grid
from gridmgr.onsite import model as onsite
from gridmgr.organisation import model as organisation
from gridmgr.policy import model as policy
from gridmgr.position import model as position
from gridmgr.public_notice import model as public_notice
from gridmgr.publication import model as publication
from gridmgr.responsibility import model as responsibility
from gridmgr.saved_view import model as saved_view
from gridmgr.scan import model as scan
from gridmgr.supervision import model as supervision
from gridmgr.tally import model as tally
from gridmgr.task_force import model as task_force
from gridmgr.terms import model as terms
from gridmgr.weekly import model as weekly
from gridmgr.whistle import model as whistle

NOUNS = (
    account, attachment, answered, notice, hierarchy, calendar, duty, category, policy, incident, escalation,
    audit, discussion, importing, supervision, claim, organisation, module, task_force,
    one_grid, responsibility, admission, whistle,
    dispatch, onsite, coapproval, weekly, position,
    tally, terms, grading, flag, saved_view,
    scan,
    bulletin, consultation,
    boundary_plan, publication, public_notice,
)  # fmt: skip
METADATA = Base.metadata


def belongs_here(thing, name, kind, reflected, compare_to) -> bool:
    """Tell whether a database object is ours, and not PostGIS's, procrastinate's or a partition."""
    if kind == "table" and (name.startswith("procrastinate_") or name in hierarchy.LEVELS):
        return False
    return alembic_helpers.include_object(thing, name, kind, reflected, compare_to)
