"""Clocks of cases with the rungs they climb, the policies they come from, and what the auditor finds."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from fastapi import Depends, File, Form, Query, Response, UploadFile
from pydantic import BaseModel, Field

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.audit import queries as audit
from gridmgr.category import queries as matters
from gridmgr.clock import TimeUnit
from gridmgr.escalation import queries
from gridmgr.escalation.model import Clock, RungClimbed, Running
from gridmgr.incident import queries as incidents
from gridmgr.policy import queries as policies
from gridmgr.policy import rules, service
from gridmgr.policy.model import HOLDING, LADDER, Act, Policy, Stage, When, stored
from gridmgr.sheet import SheetError
from web.api.incident_shapes import NUMBER
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import Code, Day, RowId, Utc, text
from web.i18n import say
from web.paging import Page, Paging, paged

routes = router("escalation")
Level = Literal[*LADDER]
Planner = Annotated[Actor, Depends(Allow("policy.manage"))]
Reader = Annotated[Actor, Depends(Allow("policy.view"))]
LADDER_EXAMPLE = [{"share": 1.0, "act": "take_over", "level": "street"}]


class RungOut(BaseModel):
    """A step of a ladder: at which share of the limit, what happens, and whom it reaches."""

    share: float = Field(examples=[0.8])
    act: Act
    level: Level = Field(examples=["street"])
    every: float | None = Field(None, description="After how long, or what share, it is done again.")
    every_unit: TimeUnit | Literal["share"] | None = None
    times: int = Field(1, description="How often it is done in all.")
    when: When = Field(When.ANY, description="Of worked time alone, if the case is not urgent.")
    answer_amount: float | None = Field(None, description="By when an order is to be answered.")
    answer_unit: TimeUnit | None = None
    again: int = Field(0, description="Which of its repetitions this is, in the ladder of a clock.")


class ClimbOut(BaseModel):
    """That a rung was climbed: what was done, and how many people of its level were told."""

    climbed_at: Utc = Field(examples=["2026-01-15T04:00:08Z"])
    act: Act = Field(description="A level that held the case already was told, not handed it.")
    reached: int = Field(examples=[2])
    note: str = Field(
        description="The level told instead where nobody sits, or `nobody`; `waited`: it was climbed when somebody "
        "came on duty.",
        examples=[""],
    )


class ClockRung(RungOut):
    """A rung of a clock, with when it is due and what came of it."""

    due_at: Utc = Field(examples=["2026-01-15T04:00:00Z"])
    climbed: ClimbOut | None
    waits_until: Utc | None = Field(
        description="It is due, but nobody is on duty until then.", examples=[None]
    )


class ClockOut(BaseModel):
    """A limit of a case: how long it may take, how it stands, and its ladder as it was when it started."""

    stage: str = Field(description="A stage, or the key of a further limit.", examples=["handle"])
    name_zh: str | None = Field(description="Of a further limit.", examples=[None])
    name_en: str | None = Field(examples=[None])
    state: Running
    started_at: Utc
    amount: float | None = Field(description="Null: another system has set the due time.", examples=[4])
    unit: TimeUnit
    due_at: Utc
    ended_at: Utc | None = Field(examples=[None])
    used_minutes: float = Field(
        description="Time used up, counted as its unit is; a working day is 1440.", examples=[90]
    )
    left_minutes: float = Field(description="Below 0 when it is late.", examples=[150])
    rungs: list[ClockRung]


class ClocksOut(BaseModel):
    """All clocks of one incident, those that have ended too."""

    clocks: list[ClockOut]


@routes.get("/incidents/{number}/clocks", responses=problems(404))
def show_clocks(
    number: Code, session: Transaction, actor: Annotated[Actor, Depends(Allow("incident.view"))]
) -> ClocksOut:
    """Show the clocks of an incident in the order they started, each with its rungs, climbed and to come."""
    found = queries.of_case(session, incidents.by_number(session, actor, number).id)
    climbs = queries.climbs(session, found)
    used = queries.used(session, found)
    return ClocksOut(clocks=[_clock(each, climbs.get(each.id, ()), used[each.id]) for each in found])


def _clock(one: Clock, climbs: Iterable[RungClimbed], used: Any) -> ClockOut:
    climbed = {row.rung: ClimbOut.model_validate(row, from_attributes=True) for row in climbs}
    rungs = [
        ClockRung(
            **stored(rung), due_at=at, climbed=climbed.get(n),
            waits_until=one.waits_until if n == one.next_rung else None,
        )
        for n, (rung, at) in enumerate(zip(one.ladder, one.rung_times, strict=True))
    ]  # fmt: skip
    same = {name: getattr(one, name) for name in ClockOut.model_fields if hasattr(one, name)}
    names = {"name_zh": one.policy.get("zh"), "name_en": one.policy.get("en")}
    left = one.allowed - used
    spans = {"used_minutes": used.total_seconds() / 60, "left_minutes": left.total_seconds() / 60}
    return ClockOut(**same | names | spans | {"rungs": rungs})


class PolicyOut(BaseModel):
    """How long a stage may take, and who hears of it when."""

    category: str = Field(description="The beginning of the codes it is for; empty for all.", examples=["02"])
    severity: int | None = Field(description="Null for any.", examples=[3])
    holder: Literal[*HOLDING] | None = Field(description="The level that holds the case; null for any.")
    stage: Stage
    amount: float | None = Field(description="Null: as long as the category itself allows.", examples=[4])
    unit: TimeUnit | None
    ladder: list[RungOut] = Field(examples=[LADDER_EXAMPLE])


class PolicyPage(Page[PolicyOut]):
    """Policies by category, stage and severity."""


@routes.get("/policies")
def list_policies(
    session: Transaction,
    actor: Reader,
    paging: Annotated[Paging[int], Depends(paged("policies", RowId))],
    at: Annotated[Day | None, Query(description="The day whose table is meant; today if not given.")] = None,
) -> PolicyPage:
    """List the policies in force on a day, page by page."""
    found = paging.behind(policies.in_force(session, at), lambda row: row.id)
    return paging.page(PolicyPage, found, lambda row: row.id, lambda rows: map(_policy, rows))


def _policy(policy: Policy | Mapping[str, Any]) -> PolicyOut:
    return PolicyOut(**(policy if isinstance(policy, Mapping) else rules.plain(policy)))


class CellFault(BaseModel):
    """A cell of a table that cannot be used."""

    row: int = Field(examples=[3])
    column: str = Field(examples=["level"])
    value: str = Field(examples=["department"])
    reason: str = Field(examples=["At this stage no department is at work yet."])


class DifferenceOut(BaseModel):
    """How a policy of the new table differs from the one in force."""

    kind: Literal["added", "changed", "removed"]
    before: PolicyOut | None
    after: PolicyOut | None


class PolicyPreview(BaseModel):
    """What a table would change, and all that is wrong with it: nothing was written."""

    policies: int = Field(examples=[11])
    errors: list[CellFault]
    differences: list[DifferenceOut]


Table = Annotated[UploadFile, File(description="CSV or XLSX with one rung a row.")]
Effective = Annotated[Day | None, Form(description="First day in force; today if not given.")]


@routes.post("/policies/preview")
def preview_policies(
    session: Transaction, actor: Planner, file: Table, effective: Effective = None
) -> PolicyPreview:
    """Read a table of policies and say what it would change, without writing anything."""
    day = effective or clock.today()
    read = queries.read_policies(session, file.file.read(), file.filename or "", day)
    changes = rules.differences(map(rules.plain, policies.in_force(session, day)), read.policies)
    return PolicyPreview(
        policies=len(read.policies),
        errors=_faults(read.errors),
        differences=[
            DifferenceOut(
                kind=each.kind,
                before=_policy(each.before) if each.before else None,
                after=_policy(each.after) if each.after else None,
            )
            for each in changes
        ],
    )


def _faults(errors: Iterable[SheetError]) -> list[CellFault]:
    return [
        CellFault(
            row=each.details["row"], column=each.details["column"], value=each.details["value"],
            reason=say(each.reason),
        )
        for each in errors
    ]  # fmt: skip


class PublishedOut(BaseModel):
    """A table of policies that was published."""

    id: int = Field(examples=[2])
    title: str = Field(examples=["本区时限"])
    effective: Day
    policies: int = Field(examples=[11])


@routes.post("/policies", status_code=201)
def publish_policies(
    session: Transaction,
    actor: Planner,
    file: Table,
    response: Response,
    title: Annotated[text(100), Form(description="Whose table it is; the file's name if empty.")] = "",
    effective: Effective = None,
) -> PublishedOut:
    """Publish a table of policies, all of it or nothing; clocks that run keep their own copy."""
    day, name = effective or clock.today(), file.filename or ""
    read = queries.read_policies(session, file.file.read(), name, day)
    table = service.publish(session, title or name, day, read)
    response.headers["Location"] = f"/api/policies?at={day}"
    return PublishedOut(
        id=table.id, title=table.title, effective=day, policies=len(read.policies),
    )  # fmt: skip


class ExpectedRung(RungOut):
    """A rung as it would be climbed, and who would be told."""

    at: Utc = Field(examples=["2026-01-15T04:00:00Z"])
    instead: str | None = Field(description="The level told instead, or `nobody`.", examples=[None])
    people: list[str] = Field(examples=[["王芳"]])
    waits_until: Utc | None = Field(description="Nobody is on duty until then.", examples=[None])


class CourseOut(BaseModel):
    """What would become of a stage that begins at an instant, if nobody did anything."""

    stage: str = Field(examples=["accept"])
    amount: float = Field(examples=[0.5])
    unit: TimeUnit
    due_at: Utc
    rungs: list[ExpectedRung]


class CoursesOut(BaseModel):
    """What would happen to such a case, stage by stage."""

    courses: list[CourseOut]


@routes.get("/policies/course", responses=problems(404))
def try_policies(
    session: Transaction,
    actor: Planner,
    category: Annotated[Code, Query(examples=["0201"])],
    severity: Annotated[
        int | None, Query(ge=1, le=3, description="That of the category if not given.")
    ] = None,
    code: Annotated[text(32), Query(description="A unit: the place.", examples=["510106001001001"])] = "",
    at: Annotated[Utc | None, Query(description="When the stage begins; now if not given.")] = None,
    draft: Annotated[
        bool, Query(description="By the draft of the next table, not by the one in force.")
    ] = False,
    holder: Annotated[
        Literal[*HOLDING], Query(description="The level that holds the case.")
    ] = queries.HELD_BY,
) -> CoursesOut:
    """Say for a category, severity, place and time when which rung would be climbed and who would be told."""
    at = at or clock.now()
    found, among = matters.by_code(session, category, clock.local(at).date()), None
    if draft:
        read = queries.read_draft(session, policies.draft(session).cells, clock.local(at).date()).read
        among = [Policy(**each) for each in read.policies]
    courses = [
        CourseOut(
            stage=each.key, amount=each.limit.amount, unit=each.limit.unit, due_at=each.due_at,
            rungs=[
                ExpectedRung(
                    **stored(one.rung), at=one.at,
                    instead=one.instead, people=one.people, waits_until=one.waits_until,
                )
                for one in each.rungs
            ],
        )
        for each in queries.courses(session, found, severity or found.severity, code, at, among, holder)
    ]  # fmt: skip
    return CoursesOut(courses=courses)


class Finding(BaseModel):
    """One thing the auditor found: of which case, which clock, since when."""

    number: str = Field(examples=[NUMBER])
    stage: str = Field(examples=["handle"])
    at: Utc = Field(examples=["2026-01-15T04:00:00Z"])


class UnservedOut(BaseModel):
    """What the auditor finds wrong now; all lists are empty when all is well."""

    overdue: list[Finding] = Field(description="Clocks whose next rung was due long ago.")
    missing: list[Finding] = Field(description="Open cases that should have a clock and have none.")
    uneven: list[Finding] = Field(description="Clocks whose climbs do not add up.")


@routes.get("/clocks/unserved")
def show_unserved(
    session: Transaction, actor: Annotated[Actor, Depends(Allow("clock.audit"))]
) -> UnservedOut:
    """Say which clocks nobody serves; at most 1,000 of each kind are named."""
    found = audit.unserved(session)
    return UnservedOut(
        **{
            part: [Finding(number=each.number, stage=each.stage, at=each.at) for each in getattr(found, part)]
            for part in UnservedOut.model_fields
        }
    )
