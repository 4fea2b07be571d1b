"""Every column that holds a unit's code, and whether it follows the unit; a test holds the tables complete."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_

from gridmgr.boundary_plan.model import BoundaryPlan, Status
from gridmgr.bulletin.model import BulletinPlan
from gridmgr.calendar.model import SpecialDay, WorkedHours
from gridmgr.coapproval.model import Approval, ApprovalDeed
from gridmgr.coapproval.model import Standing as Applied
from gridmgr.digest.model import AREAS
from gridmgr.dispatch.model import DispatchSetting
from gridmgr.following.model import Followed, Follower, Way, named
from gridmgr.hierarchy.model import UnitsSucceeded
from gridmgr.module.model import Regrouping
from gridmgr.notice.model import Webhook
from gridmgr.organisation.model import Body, BodyKind
from gridmgr.position.model import Position
from gridmgr.responsibility.model import Admission, ListEdition, ResponsibilityList
from gridmgr.responsibility.model import Standing as Asked
from gridmgr.supervision.model import RUNNING, SupervisionDeed, SupervisionOrder
from gridmgr.task_force.model import TaskForce, TaskForceDeed
from gridmgr.whistle.model import OPEN, Call, Whistle, WhistleDeed

FOLLOW = "follow"  # the deed in the record of what has one

_BLOWN = Call.whistle_id == Whistle.id, Whistle.state.in_(OPEN)
_ONE_THERE = (BodyKind.COMMAND_ROOM, BodyKind.TEAM)
_PLAIN = (BodyKind.DEPARTMENT, BodyKind.STATION)

FOLLOWERS = (
    Follower(
        "order", SupervisionOrder.unit_code, (SupervisionOrder.state.in_(RUNNING),), SupervisionOrder.wanted,
        record=SupervisionDeed.order_id,
    ),
    Follower("whistle", Whistle.caller_code, (Whistle.state.in_(OPEN),), Whistle.wanted, record=WhistleDeed.whistle_id),
    Follower("call", Call.unit_code, _BLOWN, Whistle.wanted, record=WhistleDeed.whistle_id, of=Call.whistle_id),
    Follower("approval", Approval.code, (Approval.state == Applied.OPEN,), Approval.what,
             record=ApprovalDeed.approval_id, blank={"law": ""}),
    Follower("approval", Approval.street_code, (Approval.state == Applied.OPEN,), Approval.what),
    Follower("admission_asked", Admission.code, (Admission.state == Asked.ASKED,), Admission.category, own=True),
    Follower(
        "task_force", TaskForce.area, (TaskForce.disbanded_at.is_(None),), TaskForce.purpose, divided=True,
        record=TaskForceDeed.force_id,
    ),
    Follower(
        "room", Body.territory, (Body.active, Body.kind.in_(_ONE_THERE)), Body.name, alone=(Body.kind,), divided=True,
    ),
    Follower("station", Body.territory, (Body.active, Body.kind.in_(_PLAIN)), Body.name),
    Follower("", Body.territory, (Body.active, Body.kind == BodyKind.TASK_FORCE)),
    Follower(
        "report_plan", BulletinPlan.key, (BulletinPlan.ended_at.is_(None), BulletinPlan.subject.in_(AREAS)),
        BulletinPlan.period, also=(BulletinPlan.area,), alone=(BulletinPlan.subject, BulletinPlan.period),
        divided=True, ends="ended_at",
    ),
    Follower("report_plan", BulletinPlan.area, (BulletinPlan.ended_at.is_(None), BulletinPlan.subject.not_in(AREAS))),
    Follower("webhook", Webhook.area, (Webhook.active,), divided=True),
    Follower("", Position.code),
)  # fmt: skip
"""What goes over to the heir. One into many: to the heir alone; many into one: all of it, one of a kind apart."""

BEGINNERS = (
    Follower("list", ResponsibilityList.code, (
        ListEdition.list_id == ResponsibilityList.id, ListEdition.effective.is_not(None),
        ListEdition.retired_on.is_(None),
    ), ListEdition.title),
    Follower("admission", Admission.code, (
        Admission.state == Asked.GRANTED, lambda day: or_(Admission.ends.is_(None), Admission.ends >= day),
    ), Admission.category),
    Follower("hours", WorkedHours.code),
    Follower("days", SpecialDay.code, (lambda day: SpecialDay.day >= day,)),
    Follower("dispatch", DispatchSetting.code),
    Follower("modules", Regrouping.area, (Regrouping.until.is_(None),), Regrouping.template),
)  # fmt: skip
"""Standing arrangements. A new unit begins with those of the one it is in the place of, or was cut from; a unit that
was there keeps its own ways, and those of what was merged into it end. Each noun copies its own (`follow_units`)."""

UNDECIDED = (
    Follower("draft_list", ResponsibilityList.code, (
        ListEdition.list_id == ResponsibilityList.id, ListEdition.published_at.is_(None),
    ), ListEdition.title),
    Follower("draft_plan", BoundaryPlan.area_code, (BoundaryPlan.status.in_([Status.DRAFT, Status.SUBMITTED]),),
             BoundaryPlan.name),
)  # fmt: skip
"""What no rule can hand on: it is told, and stays as it was written."""

OWN = {
    "role_grant.code": "account: to the heir, and to what is cut off too",
    "shift.code": "duty: turns that have not ended, as roles; a second main sits as a substitute",
    "member_line.code": "one_grid: as roles, the old row ends",
    "consultation.code": "consultation: while it runs",
    "consultation_party.code": "consultation: while it runs, a party keeps its name",
    "incident.street_code": "incident.rehome_open: by its place; finished ones keep the codes of their day",
    "incident.community_code": "incident.rehome_open",
    "incident.micro_grid_code": "incident.rehome_open",
    "incident.building_code": "incident.rehome_open",
    "incident.handler_code": "casebook.hand_on: of open cases, with a row in their history",
    "incident.owner_code": "casebook.hand_on",
    "piece.code": "claim.rehome_open: by its place, open pieces alone",
    "piece.street_code": "claim: the street of the day it was cut; its figures are of that street",
    "saved_view.query": "saved_view: the filters of kept views",
}
"""Columns whose noun lets them follow by a rule of its own."""

HISTORY = {
    "grid_unit.code": "the map itself", "grid_unit.parent_code": "the map itself",
    "tile_shape.code": "a state of the map", "tile_shape.parent_code": "a state of the map",
    "publication_ground.code": "what was published", "publication_ground.parent_code": "what was published",
    "lineage.old_code": "what became of a unit", "lineage.new_code": "what became of a unit",
    "crosswalk.code": "another list names the unit that was; it is loaded again when that list changes",
    "plan_change.code": "what was drawn", "plan_change.parent_code": "what was drawn",
    "boundary_plan.locked": "units of the map a draft stands on",
    "publication.area_code": "the ground a plan was for",
    "case_clock.calendar": "a running clock is counted by the calendar it began by",
    "bulletin.area": "a paper that was written", "bulletin.key": "a paper that was written",
    "bulletin_due.area": "a paper on a period that has ended is of the unit as it was",
    "bulletin_due.key": "a paper on a period that has ended is of the unit as it was",
    "flag.code": "found in a period that has ended", "flag.key": "found in a period that has ended",
    "grid_grade.code": "the grade of a week", "week_on_duty.street_code": "the hours of a week",
    "scan_unit.code": "the clusters of a day", "approval.building_code": "a building keeps its code",
}  # fmt: skip
"""Columns that must keep the code of their day, and why."""

NO_UNIT = frozenset({
    "body.phone", "crosswalk.foreign_code", "phrase.category", "regrouping.template", "silence.outlet",
    "admission.category", "category.code", "member_line.line", "module.code", "module.under", "policy.category",
    "role_grant.role", "scan.stamp", "shift.role", "incident.number", "incident.reporter_phone", "list_item.code",
    "case_clock.stage",
})  # fmt: skip
"""Columns as wide as a code that hold none."""


def declared() -> list[str]:
    """Return every column named here, as `table.column`; each stands in one table alone."""
    columns = [
        column for each in (*FOLLOWERS, *BEGINNERS, *UNDECIDED) for column in (each.column, *each.also)
    ]
    return [*dict.fromkeys(map(named, columns)), *OWN, *HISTORY, *NO_UNIT]


@dataclass(frozen=True)
class Row:
    """A row that holds the code of a unit that is no more, or that was divided."""

    key: int
    code: str
    title: str
    alike: tuple[Any, ...] = ()  # the values of the columns of which a unit has one row alone
    of: int = 0  # to what its record belongs


def goes(
    follower: Follower, rows: Sequence[Row], there: Collection[tuple], event: UnitsSucceeded
) -> list[tuple[Row, Followed]]:
    """Return what becomes of rows that go over to the heir; `there` holds (code, *alike) of those the heirs have.

    What a unit has one of alone, and its heir has already, ends with the unit.
    """
    found, taken = [], set(there)
    for row in rows:
        if row.code in event.heirs:
            after, way = event.heirs[row.code], Way.GOES
            if follower.alone is not None and (after, *row.alike) in taken:
                way = Way.ENDS
            taken.add((after, *row.alike))
            found.append((row, Followed(follower.matter, row.title, row.code, after, way)))
        elif follower.divided:
            parts = sorted(new for new, old in event.founded.items() if old == row.code)
            found += [(row, Followed(follower.matter, row.title, row.code, new, Way.STAYS)) for new in parts]
    return found


def begins(follower: Follower, rows: Iterable[Row], event: UnitsSucceeded) -> list[Followed]:
    """Return what becomes of standing arrangements: new units begin with them, units that were there do not."""
    found = []
    for row in rows:
        for new in sorted(new for new, old in event.models.items() if old == row.code):
            found.append(Followed(follower.matter, row.title, row.code, new, Way.BEGINS))
        heir = event.heirs.get(row.code)
        if heir and event.models.get(heir) != row.code:
            found.append(Followed(follower.matter, row.title, row.code, heir, Way.ENDS))
    return found


def undecided(follower: Follower, rows: Iterable[Row], event: UnitsSucceeded) -> list[Followed]:
    """Return what ends with its unit."""
    gone = (row for row in rows if row.code in event.heirs)
    return [Followed(follower.matter, row.title, row.code, event.heirs[row.code], Way.ENDS) for row in gone]
