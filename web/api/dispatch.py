"""The dispatch desk: what waits, whom each case should go to and why, settings of areas, and checks on site."""

from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.casebook import queries as casebook
from gridmgr.dispatch import queries, service
from gridmgr.dispatch.model import Basis, Candidate, Choice, DispatchSetting, Mode, Suggestion
from gridmgr.dispatch.rules import LONGEST_TAKE, said
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.onsite import queries as onsite
from gridmgr.onsite import service as onsite_service
from gridmgr.onsite.model import Ending, How, Kind, SiteCheck
from gridmgr.onsite.rules import LONGEST_NOTE
from web.api.bulk import MOST, BulkOut, BulkOutcome
from web.api.incident import Cursor
from web.api.incident_shapes import NUMBER
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import BigRowId, Code, Day, RowId, Utc, text
from web.i18n import say
from web.paging import Page, Paging, paged

routes = router("dispatch")
Viewer = Annotated[Actor, Depends(Allow("dispatch.view"))]
Manager = Annotated[Actor, Depends(Allow("dispatch.manage"))]
Anybody = Annotated[Actor, Depends(Allow("incident.view"))]
SettingId = Annotated[RowId, Path(description="Id of the setting.")]
WHY = [{"cause": "table"}, {"cause": "load", "open": 12, "late": 3}]


class CandidateOut(BaseModel):
    """Somebody who could get a case, and why: as codes with values, and in words of the caller's language."""

    body: str = Field(examples=["环卫所"])
    code: str | None = Field(description="Of a unit, if its own people are meant.")
    basis: Basis = Field(examples=["lead"])
    on_duty: int = Field(examples=[2])
    until: Utc | None = Field(description="When their turn ends; null without a roster.")
    next: Utc | None = Field(description="When the next turn begins.")
    open: int = Field(description="Open cases it has.", examples=[12])
    late: int = Field(examples=[3])
    why: list[dict[str, Any]] = Field(examples=[WHY])
    said: list[str] = Field(examples=[["依事项类别表", "在办 12 件，超时 3 件"]])


class SuggestionOut(BaseModel):
    """Whom a case should go to, the best first; if nobody, why; and why automatic dispatch left it to people."""

    number: str = Field(examples=[NUMBER])
    mode: Mode = Field(examples=["suggest"])
    candidates: list[CandidateOut]
    why_not: list[dict[str, Any]] = Field(examples=[[]])
    left_because: list[dict[str, Any]] = Field(examples=[[]])


class WaitingOut(SuggestionOut):
    """A case on the dispatch desk with its suggestion; `seq` is what a choice names as seen."""

    seq: int
    severity: int = Field(examples=[1])
    due_at: Utc | None
    owner: str | None = Field(description="Who answers for it until another body takes it (首接负责).")


class WaitingPage(Page[WaitingOut]):
    """What waits on the dispatch desk."""


class ChoiceIn(BaseModel):
    """Whom a case goes to."""

    number: Code = Field(examples=[NUMBER])
    body: text(100, 1) = Field(examples=["环卫所"])
    code: Code | None = Field(None, description="Of a unit, if its own people are meant.")
    expected_seq: int | None = Field(None, ge=1, le=2**31 - 1, description="The `seq` last seen.")


class ChoicesIn(BaseModel):
    """Choices for many cases; one refused stops no other."""

    choices: list[ChoiceIn] = Field(min_length=1, max_length=MOST)


class SettingIn(BaseModel):
    """How an area dispatches and looks on site from a day on."""

    code: text(32) = Field(
        "", description="Beginning of codes; empty is the whole district.", examples=["510106001"]
    )
    effective: Day
    mode: Mode = Field(examples=["automatic"])
    severities: list[Annotated[int, Field(ge=1, le=3)]] = Field(
        [], max_length=3, description="Of cases that go automatically.", examples=[[1, 2]]
    )
    check_minutes: int | None = Field(
        None,
        ge=1,
        le=LONGEST_TAKE,
        description="To take a check on site; null: nobody is sent.",
        examples=[30],
    )


class SettingOut(SettingIn):
    """A setting on record."""

    id: int
    set_by: str = Field(examples=["王芳"])
    set_at: Utc


class SettingPage(Page[SettingOut]):
    """Settings, by area, the last first."""


class CheckOut(BaseModel):
    """Somebody who was or is sent to look at a case on site."""

    id: int
    number: str = Field(examples=[NUMBER])
    kind: Kind = Field(examples=["confirm"])
    assignee: str = Field(examples=["王芳"])
    how: How = Field(examples=["seat"])
    distance_m: float
    asked_at: Utc
    take_by: Utc
    taken_at: Utc | None
    ended_at: Utc | None
    ending: Ending | None
    note: str = Field(examples=[""])


class CheckPage(Page[CheckOut]):
    """Checks on site, the newest first."""


class WhyIn(BaseModel):
    """Why somebody cannot go."""

    note: text(LONGEST_NOTE, 1) = Field(examples=["在另一现场"])


@routes.get("/dispatch")
def list_waiting(
    session: Transaction, actor: Viewer,
    paging: Annotated[Paging[casebook.Place], Depends(paged("dispatch", Cursor, 50))],
    code: Annotated[text(32), Query(description="A unit of any level.")] = "",
) -> WaitingPage:  # fmt: skip
    """List what waits on the caller's dispatch desk with suggestions, what is due first first."""
    search = queries.queue(actor, code=code or None)
    found = queries.page(session, actor, search, paging.fetch, paging.after)
    holds = queries.holds(session, [case.id for case, _ in found])
    place = partial(casebook.place, search)

    def out(case: Incident, told: Suggestion) -> WaitingOut:
        more = {"seq": case.last_seq, "severity": case.severity, "due_at": case.due_at, "owner": case.owner}
        return WaitingOut(**_told(told, holds.get(case.id)), **more)

    return paging.page(
        WaitingPage, found, lambda row: place(row[0]), lambda rows: [out(*row) for row in rows]
    )


@routes.get("/incidents/{number}/suggestion", responses=problems(404))
def show_suggestion(number: Code, session: Transaction, actor: Viewer) -> SuggestionOut:
    """Say whom a case should go to by list, grid, roster and load, and why."""
    case = incidents.by_number(session, actor, number)
    (told,) = queries.suggestions(session, [case])
    return SuggestionOut(**_told(told, queries.holds(session, [case.id]).get(case.id)))


@routes.post("/dispatch")
def dispatch_many(told: ChoicesIn, session: Transaction, actor: Viewer) -> BulkOut:
    """Dispatch many cases, each to its own choice; the reasons of a suggestion that is taken stay with the step."""
    choices = [Choice(one.number, one.body, one.code, one.expected_seq) for one in told.choices]
    refused = service.choose(session, actor, choices)
    outcomes = [
        BulkOutcome(
            number=one.number, status=status_of(why) if why else 200, detail=say(why) if why else None
        )
        for one, why in zip(choices, refused, strict=True)
    ]
    failed = sum(why is not None for why in refused)
    return BulkOut(taken=len(choices) - failed, refused=failed, outcomes=outcomes)


@routes.get("/dispatch/settings")
def list_dispatch_settings(
    session: Transaction, actor: Viewer, paging: Annotated[Paging[int], Depends(paged("dispatch-settings", RowId))]
) -> SettingPage:  # fmt: skip
    """List how areas in the caller's scope, and those around it, dispatch and look on site."""
    found = paging.behind(queries.listing(session, actor), lambda row: row.id)
    return paging.page(SettingPage, found, lambda row: row.id, lambda rows: map(_setting, rows))


@routes.post("/dispatch/settings", status_code=201)
def set_dispatch(told: SettingIn, session: Transaction, actor: Manager) -> SettingOut:
    """Set how an area dispatches and looks on site from a day on, today or later."""
    return _setting(
        service.set_area(
            session, actor, told.code, told.effective, told.mode, told.severities, told.check_minutes
        )
    )


@routes.delete("/dispatch/settings/{setting_id}", status_code=204, responses=problems(404))
def drop_dispatch_setting(setting_id: SettingId, session: Transaction, actor: Manager) -> None:
    """Take back a setting that has not begun."""
    service.drop_setting(session, actor, setting_id)


@routes.get("/checks")
def list_checks(
    session: Transaction, actor: Anybody, paging: Annotated[Paging[int], Depends(paged("checks", BigRowId))],
    mine: Annotated[bool, Query(description="Only those the caller is sent for.")] = False,
    running: Annotated[bool, Query(description="Only those nobody has done yet.")] = False,
) -> CheckPage:  # fmt: skip
    """List who is and was sent to look at visible cases on site."""
    found = onsite.page(session, actor, paging.fetch, mine=mine, running=running, before=paging.after)
    return paging.page(CheckPage, found, lambda row: row[0].id, lambda rows: [_check(*row) for row in rows])


@routes.post("/incidents/{number}/check/take", responses=problems(404, 409))
def take_check(number: Code, session: Transaction, actor: Anybody) -> CheckOut:
    """Take the check one is sent for; it is done by the step confirm, verify or rework with a photo."""
    check = onsite_service.take(session, actor, number)
    return _check(check, incidents.by_number(session, actor, number))


@routes.post("/incidents/{number}/check/give-back", status_code=204, responses=problems(404))
def give_back_check(number: Code, told: WhyIn, session: Transaction, actor: Anybody) -> None:
    """Hand a check on to somebody else, with a reason."""
    onsite_service.give_back(session, actor, number, told.note)


def _told(told: Suggestion, hold: Any) -> dict[str, Any]:
    return {
        "number": told.number, "mode": told.mode, "candidates": [_candidate(one) for one in told.candidates],
        "why_not": [reason.told() for reason in told.why_not], "left_because": hold.why if hold else [],
    }  # fmt: skip


def _candidate(one: Candidate) -> CandidateOut:
    why = [reason.told() for reason in one.why]
    return CandidateOut(
        body=one.body, code=one.code, basis=one.basis, on_duty=one.presence.now, until=one.presence.until,
        next=one.presence.next, open=one.load.open, late=one.load.late, why=why, said=[said(each) for each in why],
    )  # fmt: skip


def _setting(row: DispatchSetting) -> SettingOut:
    return SettingOut(**{name: getattr(row, name) for name in SettingOut.model_fields})


def _check(check: SiteCheck, case: Incident) -> CheckOut:
    same = {name: getattr(check, name) for name in CheckOut.model_fields if hasattr(check, name)}
    return CheckOut(**same | {"number": case.number, "assignee": check.assignee_name})
