"""The bodies and answers of the incident routes."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gridmgr.clock import TimeUnit
from gridmgr.life.model import HOLDERS, Action, Source, State
from gridmgr.life.rules import ASKED, TRANSITIONS
from web.fields import Code, Datum, Day, Lat, Line, Lon, Past, Utc, text
from web.paging import Page

STEPS = tuple(dict.fromkeys(action.value for state, action in TRANSITIONS if state is not None))
NUMBER = "202601150000042"
NEXT = ("showIncident", "showHistory", "moveIncident")  # what an incident's number is for


class FileIn(BaseModel):
    """A file sent before to POST /api/files, by its content, under a name of its own."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    name: text(200) = Field("", examples=["现场.jpg"])


class ReportIn(BaseModel):
    """What somebody tells us: what, where (with the datum they measured in), when, and who they are."""

    lon: Lon = Field(examples=[104.0531])
    lat: Lat = Field(examples=[30.7012])
    datum: Datum
    category: Code = Field(description="A code of GET /api/categories.", examples=["0201"])
    source: Source = Source.PATROL
    description: text(4000) = Field("", examples=["人行道上堆放垃圾"])
    address: text(300) = Field("", examples=["西安中路 12 号"])
    severity: Literal[1, 2, 3] | None = Field(None, description="The category's own if not given.")
    origin: text(64, 1) | None = Field(None, description="The system that gave `source_id`.")
    source_id: text(64, 1) | None = None
    reporter_name: Line = ""
    reporter_phone: text(32) = ""
    reported_at: Past | None = Field(None, description="With its offset; now if not given.")
    files: list[FileIn] = Field([], max_length=20)

    @model_validator(mode="after")
    def _named_origin(self) -> "ReportIn":
        if self.source_id and not self.origin:
            raise ValueError("source_id needs an origin")
        return self


class Payload(BaseModel):
    """What a step is given beside who and when; which step needs what is said in `MoveIn`."""

    model_config = ConfigDict(extra="forbid")

    note: text(2000) | None = None
    checked: bool | None = Field(None, description="The category's condition for this step is met.")
    files: list[FileIn] | None = Field(None, max_length=20)
    found: bool | None = Field(None, description="What a look on site has shown.")
    handler: text(100, 1) | None = Field(None, examples=["环卫所"])
    handler_code: Code | None = Field(None, description="A unit, if its own people do the work.")
    into: Code | None = Field(None, description="Number of the incident this one is the same as.")
    satisfaction: int | None = Field(None, ge=1, le=5)
    way: Literal[*ASKED] | None = Field(None, description="What is asked for.")
    amount: float | None = Field(None, gt=0, le=1000, allow_inf_nan=False)
    unit: TimeUnit | None = None
    until: Day | None = Field(None, description="Until when it will probably be suspended.")
    level: Literal[*HOLDERS] | None = None
    body: text(100, 1) | None = Field(None, description="Who does a part of the work.")
    task: int | None = Field(None, ge=1, le=32767)
    limit: Code | None = Field(None, description="Key of a further limit of the category.")


class MoveIn(BaseModel):
    """One step: dispatch needs `handler`; feed_back, rework, void a `note`; merge `into`; evaluate `satisfaction`;
    ask a `way`; extend an `amount` and `unit`; accept, settle and close `checked`, if the category has a condition.
    """

    action: Literal[*STEPS] = Field(examples=["dispatch"])
    payload: Payload = Field(Payload(), examples=[{"handler": "环卫所"}])
    expected_seq: int | None = Field(None, ge=1, le=2**31 - 1, description="The `seq` last seen.")


class CategoryName(BaseModel):
    """A category's code and names."""

    code: str = Field(examples=["0201"])
    name_zh: str
    name_en: str


class IncidentOut(BaseModel):
    """An incident as it stands, with its place as it was found (WGS-84); times are UTC."""

    number: str = Field(examples=[NUMBER])
    state: State
    category: CategoryName
    source: Source
    severity: int = Field(examples=[1])
    description: str
    address: str
    reported_at: Utc
    due_at: Utc | None
    closed_at: Utc | None
    level: str = Field(description="Which level answers for it.", examples=["community"])
    handler: str | None
    handler_code: str | None
    owner: str | None = Field(
        description="Who answers for it until another body takes it in hand (首接负责)."
    )
    owner_code: str | None
    lon: float
    lat: float
    street_code: str | None
    community_code: str | None
    micro_grid_code: str | None
    building_code: str | None


class IncidentPage(Page[IncidentOut]):
    """Incidents, the newest first."""


class IncidentDetail(IncidentOut):
    """All about one incident; `seq` counts its steps, `actions` are those the caller may take now."""

    seq: int
    actions: list[Action]
    names: dict[str, str] = Field(description="Names of the units that hold it, by code.")
    datum: str
    declared_lon: float
    declared_lat: float
    located: str = Field(examples=["inside"])
    distance_m: float
    accepted_at: Utc | None
    satisfaction: int | None
    confirmed: bool | None
    photos: int
    result_photos: int
    asked: dict[str, Any] | None = Field(description="The request that waits for an answer.")
    reworks: int
    extensions: int
    send_backs: int
    suspensions: int
    redirects: int
    reopens: int
    tasks: int
    open_tasks: int
    suspended_at: Utc | None
    origin: str | None
    source_id: str | None
    reporter_name: str
    reporter_phone: str


class EventOut(BaseModel):
    """One step of a history; `hash` covers it and the hash before it."""

    seq: int
    action: Action
    state: State
    actor: str
    occurred_at: Utc
    recorded_at: Utc
    payload: dict[str, Any]
    hash: str = Field(examples=["9f86d081884c7d65…"])


class HistoryPage(Page[EventOut]):
    """Steps of one incident, in the order they were taken."""


class MapPoints(BaseModel):
    """Rows of [id, number, longitude, latitude, state, category, source, severity, lateness, marks].

    The category is a key of `categories`. Lateness is 0, or of an open case 1 about to be late, 2 past its due
    time, 3 past it by a day. Marks add 1 if somebody was called to it by a whistle, 2 if a supervision order runs.
    """

    items: list[tuple[int, str, float, float, State, int, Source, int, int, int]] = Field(
        examples=[[[42, NUMBER, 104.0531, 30.7012, "accepted", 7, "patrol", 1, 0, 1]]]
    )
    categories: dict[str, str] = Field(examples=[{"7": "暴露垃圾"}])
    complete: bool = Field(description="False if there are more than were asked for.")
