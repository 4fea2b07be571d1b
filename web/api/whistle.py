"""Whistles: their list, those on a case, what is done about them, who came, and the terms they go by."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.attendance import queries as came
from gridmgr.attendance import service as attendance
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.whistle import queries, rules, service
from gridmgr.whistle.model import Call, Called, Deed, Presence, Standing, Whistle, Why
from gridmgr.whistle.queries import Search
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import BigRowId, Code, Datum, Day, Lat, Lon, Utc, text
from web.paging import Page, Paging, paged

routes = router("whistle")
Viewer = Annotated[Actor, Depends(Allow("whistle.view"))]
Blower = Annotated[Actor, Depends(Allow("whistle.blow"))]
WhistleId = Annotated[BigRowId, Path(description="Id of the whistle.")]
CallId = Annotated[BigRowId, Path(description="Id of one of its calls.")]
Note = text(rules.USUAL_NOTE)


class CallOut(BaseModel):
    """One of those called: its clock, how it came, and how it was rated."""

    id: int
    body: str = Field(examples=["环卫所"])
    unit_code: str | None = Field(description="Of a street that is called.")
    lead: bool
    minutes: int
    due_at: Utc | None = Field(description="Null until the whistle is blown.")
    answered_at: Utc | None
    arrived_at: Utc | None
    arrived_name: str | None
    distance_m: float | None = Field(description="From where all meet.")
    far: bool = Field(description="Reported in from elsewhere.")
    presence: Presence
    order_id: int | None = Field(description="The supervision order for staying away.")
    rating: int | None = Field(description="1 to 5.")
    rating_note: str
    deeds: list[Deed] = Field(description="What the caller of this API may do about it now.")


class WhistleOut(BaseModel):
    """A whistle on a case, and how all those called stand."""

    id: int
    number: str = Field(description="Of the case.", examples=["202601150000042"])
    why: Why
    caller: str = Field(description="The street, or the department, that calls.", examples=["荷花池街道"])
    upward: bool = Field(description="A street calls departments; else a department calls streets.")
    wanted: str = Field(examples=["联合整治占道经营"])
    lon: float
    lat: float
    state: Standing
    proposed_by: str
    proposed_at: Utc
    decided_by: str | None
    blown_at: Utc | None
    ended_at: Utc | None
    calls: list[CallOut]
    deeds: list[Deed] = Field(description="What the caller of this API may do about it now.")


class WhistlePage(Page[WhistleOut]):
    """Whistles, the newest first."""


class WhistlesOut(BaseModel):
    """All whistles on a case, the newest first."""

    whistles: list[WhistleOut]


class CalledIn(BaseModel):
    """Whom to call: a department by its name, or a street by its code."""

    body: text(100) = Field("", examples=["环卫所"])
    unit_code: text(32) | None = None
    lead: bool = False
    minutes: int | None = Field(None, ge=rules.MINUTES[0], le=rules.MINUTES[1])


class WhistleIn(BaseModel):
    """Why, what is wanted, whom to call, and where all meet; without a place, where the case is."""

    why: Why = Field(examples=["joint"])
    wanted: text(rules.USUAL_NOTE, 1) = Field(examples=["联合整治占道经营"])
    calls: list[CalledIn] = Field(min_length=1, max_length=100)
    lon: Lon | None = None
    lat: Lat | None = None


class DecisionIn(BaseModel):
    """To blow, refuse, withdraw or end a whistle, or to write into its record."""

    deed: Literal[Deed.BLOW, Deed.REFUSE, Deed.WITHDRAW, Deed.RECORD, Deed.END] = Field(examples=["blow"])
    note: text(rules.LONGEST_NOTE[Deed.RECORD]) = ""


class CallDeedIn(BaseModel):
    """To answer a call, or to excuse one of those called."""

    deed: Literal[Deed.ANSWER, Deed.EXCUSE] = Field(examples=["answer"])
    note: Note = ""


class FileIn(BaseModel):
    """A file that was sent before."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", examples=["0" * 64])
    name: text(200) = ""


class ReportInIn(BaseModel):
    """Where one is, measured how, with a photo."""

    lon: Lon
    lat: Lat
    datum: Datum = "wgs84"
    files: list[FileIn] = Field(min_length=1, max_length=20)
    note: Note = ""


class RatingIn(BaseModel):
    """How one of those called came and worked."""

    stars: int = Field(ge=1, le=5)
    note: Note = ""


class RecordOut(BaseModel):
    """One thing that was done about a whistle."""

    deed: Deed
    body: str | None = Field(description="Whose call it is about.")
    actor: str
    at: Utc
    note: str


class RecordPage(Page[RecordOut]):
    """What was done about a whistle, in order."""


class AttendanceOut(BaseModel):
    """How one body came to the whistles of a period; times in minutes."""

    body: str
    called: int
    answered: int
    in_time: int
    late: int
    absent: int
    waiting: int
    far: int
    orders: int
    answer_minutes: float | None
    arrival_minutes: float | None
    rating: float | None
    ratings: int
    rate: float | None = Field(description="in_time ÷ (in_time + late + absent)")


class WhistleFigures(BaseModel):
    """The whistle rate with its healthy band, and how each body came."""

    since: date
    until: date
    accepted: int
    whistled: int
    rate: float | None = Field(description="whistled ÷ accepted")
    band: tuple[float, float]
    verdict: str = Field(examples=["healthy"])
    bodies: list[AttendanceOut]


class TermsIn(BaseModel):
    """The terms from a day on; what is left out is as the product comes."""

    effective: Day
    terms: dict[str, Any] = Field(examples=[{"radius_m": 300, "kinds": {"joint": {"minutes": 60}}}])


class TermsOut(BaseModel):
    """The terms in force."""

    terms: dict[str, Any]


@routes.get("/whistles")
def list_whistles(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("whistles", BigRowId))],
    state: Standing | None = None,
    open_only: Annotated[bool, Query(alias="open", description="Only those asked for or blown.")] = False,
    area: Annotated[text(32), Query(description="Code prefix of the place.")] = "",
    body: Annotated[text(100), Query(description="Whom they call.")] = "",
) -> WhistlePage:
    """List the whistles that concern the caller of this API."""
    found = queries.page(session, actor, Search(state, open_only, area, body), paging.fetch, paging.after)
    return paging.page(WhistlePage, found, lambda row: row[0].id, lambda rows: _outs(session, actor, rows))


@routes.get("/whistles/figures")
def show_whistle_figures(
    session: Transaction,
    actor: Viewer,
    since: Day | None = None,
    until: Annotated[Day | None, Query(description="Inclusive.")] = None,
    area: Annotated[text(32), Query(description="Code prefix of the place.")] = "",
) -> WhistleFigures:
    """Say how bodies came to the whistles of a period (30 days), and whether whistles are blown in good measure."""
    last = until or clock.today()
    first = since or last - timedelta(days=30)
    begin, end = clock.midnight(first), clock.midnight(last, days=1)
    rate = queries.whistle_rate(session, actor, begin, end, area)
    found = came.attendance(session, actor, begin, end, area)
    return WhistleFigures(
        since=first, until=last, accepted=rate.accepted, whistled=rate.whistled, rate=rate.rate,
        band=(rate.terms.band_low, rate.terms.band_high), verdict=rate.verdict,
        bodies=[AttendanceOut(**vars(each) | {"rate": each.rate}) for each in found],
    )  # fmt: skip


@routes.get("/whistles/terms")
def show_whistle_terms(session: Transaction, actor: Viewer) -> TermsOut:
    """Show the terms in force: clocks, limits of command, and the healthy band."""
    return TermsOut(terms=rules.plain(queries.terms(session)))


@routes.post("/whistles/terms", status_code=201)
def set_whistle_terms(
    told: TermsIn, session: Transaction, actor: Annotated[Actor, Depends(Allow("whistle.manage"))]
) -> TermsOut:
    """Set the terms from a day on; whistles that are open keep theirs."""
    return TermsOut(terms=service.set_terms(session, actor, told.effective, told.terms).terms)


@routes.get("/whistles/{whistle_id}", responses=problems(404))
def show_whistle(whistle_id: WhistleId, session: Transaction, actor: Viewer) -> WhistleOut:
    """Show one whistle."""
    return _one(session, actor, whistle_id)


@routes.get("/whistles/{whistle_id}/record", responses=problems(404))
def show_whistle_record(
    whistle_id: WhistleId, session: Transaction, actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("record", BigRowId))],
) -> RecordPage:  # fmt: skip
    """Show what was done about a whistle, and its joint record."""
    queries.whistle(session, actor, whistle_id)
    rows = queries.deeds(session, [whistle_id]).get(whistle_id, [])
    found = paging.behind(rows, lambda row: row.seq)
    return paging.page(
        RecordPage, found, lambda row: row.seq,
        lambda rows: [
            RecordOut(deed=row.deed, body=row.body, actor=row.actor_name, at=row.at, note=row.note) for row in rows
        ],
    )  # fmt: skip


@routes.get("/incidents/{number}/whistles", responses=problems(404))
def list_whistles_of_case(number: Code, session: Transaction, actor: Viewer) -> WhistlesOut:
    """Show the whistles on a case."""
    case = incidents.by_number(session, actor, number)
    rows = [(each, case) for each in queries.of_case(session, case.id)]
    return WhistlesOut(whistles=_outs(session, actor, rows))


@routes.post("/incidents/{number}/whistles", status_code=201, responses=problems(404, 409))
def blow_whistle(number: Code, told: WhistleIn, session: Transaction, actor: Blower) -> WhistleOut:
    """Ask for a whistle on a case; where nobody has to approve, it is blown at once."""
    called = [Called(**each.model_dump()) for each in told.calls]
    place = (told.lon, told.lat) if told.lon is not None and told.lat is not None else None
    whistle = service.propose(session, actor, number, told.why, told.wanted, called, place)
    return _one(session, actor, whistle.id)


@routes.post("/whistles/{whistle_id}", responses=problems(404, 409))
def do_to_whistle(whistle_id: WhistleId, told: DecisionIn, session: Transaction, actor: Viewer) -> WhistleOut:
    """Blow, refuse, withdraw or end a whistle, or write into its joint record."""
    verb = VERBS.get(told.deed, service.decide)
    more = () if told.deed in VERBS else (told.deed,)
    verb(session, actor, whistle_id, *more, told.note)
    return _one(session, actor, whistle_id)


VERBS = {Deed.RECORD: service.record, Deed.END: service.end}


@routes.post("/whistles/{whistle_id}/calls", responses=problems(404, 409))
def call_more(whistle_id: WhistleId, told: list[CalledIn], session: Transaction, actor: Blower) -> WhistleOut:
    """Call further bodies, each with a clock of its own."""
    service.call_more(session, actor, whistle_id, [Called(**each.model_dump()) for each in told])
    return _one(session, actor, whistle_id)


@routes.post("/whistles/{whistle_id}/calls/{call_id}", responses=problems(404, 409))
def do_to_call(
    whistle_id: WhistleId, call_id: CallId, told: CallDeedIn, session: Transaction, actor: Viewer
) -> WhistleOut:
    """Answer a call, or excuse one of those called."""
    verb = attendance.excuse if told.deed is Deed.EXCUSE else attendance.answer
    verb(session, actor, whistle_id, call_id, told.note)
    return _one(session, actor, whistle_id)


@routes.post("/whistles/{whistle_id}/calls/{call_id}/report-in", responses=problems(404, 409))
def report_in(
    whistle_id: WhistleId, call_id: CallId, told: ReportInIn, session: Transaction, actor: Viewer
) -> WhistleOut:
    """Report in with a place and a photo; from elsewhere it is taken, and flagged."""
    files = [each.model_dump() for each in told.files]
    attendance.report_in(
        session, actor, whistle_id, call_id, told.lon, told.lat, told.datum, files, told.note
    )
    return _one(session, actor, whistle_id)


@routes.post("/whistles/{whistle_id}/calls/{call_id}/rating", responses=problems(404, 409))
def rate_call(
    whistle_id: WhistleId, call_id: CallId, told: RatingIn, session: Transaction, actor: Viewer
) -> WhistleOut:
    """Rate one of those called, once."""
    attendance.rate(session, actor, whistle_id, call_id, told.stars, told.note)
    return _one(session, actor, whistle_id)


def _one(session: Transaction, actor: Actor, whistle_id: int) -> WhistleOut:
    session.flush()
    return _outs(session, actor, [queries.whistle(session, actor, whistle_id)])[0]


def _outs(session: Transaction, actor: Actor, rows: list[tuple[Whistle, Incident]]) -> list[WhistleOut]:
    ids = [whistle.id for whistle, _ in rows]
    called, places = queries.calls(session, ids), queries.places(session, ids)
    return [
        _out(actor, whistle, case, called.get(whistle.id, []), places[whistle.id]) for whistle, case in rows
    ]


def _out(actor: Actor, whistle: Whistle, case: Incident, calls: list[Call], place: tuple) -> WhistleOut:
    same = {name: getattr(whistle, name) for name in WhistleOut.model_fields if hasattr(whistle, name)}
    more = {
        "number": case.number, "lon": place[0], "lat": place[1], "proposed_by": whistle.proposer_name,
        "decided_by": whistle.decider_name, "deeds": rules.deeds(actor, whistle, case.home, calls),
        "calls": [_call(actor, whistle, case, each) for each in calls],
    }  # fmt: skip
    return WhistleOut(**same | more)


def _call(actor: Actor, whistle: Whistle, case: Incident, call: Call) -> CallOut:
    same = {name: getattr(call, name) for name in CallOut.model_fields if hasattr(call, name)}
    own = {
        "presence": rules.presence(call, clock.now()),
        "deeds": rules.call_deeds(actor, whistle, case.home, call),
    }
    return CallOut(**same | own)
