"""One search for everything on the map, and one unit at a glance."""

from typing import Annotated, Self

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from gridmgr.account.model import Role
from gridmgr.account.rules import Actor
from gridmgr.glance import queries as glances
from gridmgr.glance.model import Glance
from gridmgr.hierarchy.model import GridUnit
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.life.model import State
from gridmgr.lookup import queries
from gridmgr.lookup.model import FoundPerson
from web.api.schema import problems, router
from web.api.search import Narrowed
from web.deps import Allow, Transaction
from web.fields import Level, Utc, Words

routes = router("lookup")
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]


class PlaceFound(BaseModel):
    """A unit of the map in force."""

    level: Level
    code: str = Field(examples=["510106001001"])
    name: str = Field(examples=["西安路社区"])
    address: str | None = None
    alias: str = Field("", description="What it was found by, if that is neither its name nor its code.")

    @classmethod
    def of(cls, unit: GridUnit, alias: str = "") -> Self:
        """Return a unit as it is told."""
        return cls(level=unit.level, code=unit.code, name=unit.name, address=unit.address, alias=alias)


class CaseFound(BaseModel):
    """A case, and where it lies (WGS-84)."""

    number: str = Field(examples=["202601150000042"])
    state: State
    address: str
    lon: float
    lat: float


class SeatOut(BaseModel):
    """A role on an area."""

    role: Role
    area: str = Field(description="Code prefix; empty for the whole district.")


class PersonFound(BaseModel):
    """Somebody in the caller's area, and where that person was last, for those who may know."""

    username: str
    name: str
    body: str | None
    seats: list[SeatOut]
    on_duty: bool
    lon: float | None
    lat: float | None
    sent_at: Utc | None


class SpotFound(BaseModel):
    """Coordinates as they were typed (WGS-84), and the unit they lie in."""

    lon: float
    lat: float
    unit: PlaceFound | None


class FoundOut(BaseModel):
    """What a text may mean, the best of each group first."""

    spot: SpotFound | None
    places: list[PlaceFound]
    cases: list[CaseFound]
    people: list[PersonFound]


@routes.get("/search")
def search_everything(
    session: Transaction, actor: Viewer, q: Annotated[Words, Query(description="What is looked for.")],
    most: Annotated[int, Query(ge=1, le=50, description="How many of each group.")] = 5,
) -> FoundOut:  # fmt: skip
    """Search places by name, code or address, cases, people, or coordinates as “lon,lat”; within the caller's scope."""
    found = queries.find(session, actor, q, most)
    spot = found.spot and SpotFound(
        lon=found.spot.lon, lat=found.spot.lat, unit=found.spot.unit and PlaceFound.of(found.spot.unit)
    )
    return FoundOut(
        spot=spot, places=[PlaceFound.of(each.unit, each.alias) for each in found.places],
        cases=[_case(each) for each in found.cases], people=[_person(each) for each in found.people],
    )  # fmt: skip


def _case(case: Incident) -> CaseFound:
    lon, lat = incidents.position(case)
    return CaseFound(number=case.number, state=case.state, address=case.address, lon=lon, lat=lat)


def _person(found: FoundPerson) -> PersonFound:
    someone, seen = found.account, found.seen
    return PersonFound(
        username=someone.username, name=someone.name, body=someone.body, on_duty=found.on_duty,
        seats=[SeatOut(role=each.role, area=each.code) for each in someone.grants],
        lon=seen and seen.lon, lat=seen and seen.lat, sent_at=seen and seen.sent_at,
    )  # fmt: skip


# ---- one unit at a glance ----------------------------------------------------------------------------


class CasesOut(BaseModel):
    """How many cases an area has under the filters, and how they stand."""

    total: int
    open: int
    late: int
    closed: int = Field(description="In the period of the filters.")


class BelowOut(BaseModel):
    """A unit right below."""

    code: str
    name: str
    households: int | None
    population: int | None
    cases: CasesOut


class WorkOut(BaseModel):
    """A body at work, with its open cases."""

    body: str
    open: int
    late: int


class OnDutyOut(BaseModel):
    """Somebody at a seat of the unit or around it, now or next."""

    name: str
    role: Role
    area: str
    now: bool
    away: bool
    cover: str | None
    begins: Utc | None
    ends: Utc | None


class RecordOut(BaseModel):
    """Of a building: the cases ever reported there, whatever the filters."""

    total: int
    first: Utc | None
    last: Utc | None
    repeated: dict[int, int] = Field(description="Cases by category id, of those met more than once.")
    permits: list[int] = Field(description="Ids of applications for permits there.")


class GlanceOut(BaseModel):
    """One look at a unit; without one, at all the caller sees."""

    unit: PlaceFound | None
    path: list[PlaceFound] = Field(description="From the street down to it.")
    units: dict[Level, int] = Field(description="How many of each level lie below.")
    households: int | None
    population: int | None
    cases: CasesOut
    by_state: dict[State, int]
    bodies: list[WorkOut]
    below: list[BelowOut]
    apart: int = Field(description="Cases that lie in none of the units below.")
    duty: list[OnDutyOut]
    on_duty: int = Field(description="People with a seat in it now.")
    whistles: list[int] = Field(description="Ids of open whistles.")
    orders: list[int] = Field(description="Ids of open supervision orders.")
    record: RecordOut | None


@routes.get("/glance", responses=problems(404))
def glance_at_unit(session: Transaction, actor: Viewer, search: Narrowed) -> GlanceOut:
    """Show the unit whose code is given, or the whole, at a glance: what lies below, cases, bodies, duty, whistles."""
    return _glance(glances.glance(session, actor, search))


def _glance(look: Glance) -> GlanceOut:
    duty = [
        OnDutyOut(name=each.name, role=each.role, area=each.code, now=each.now, away=each.away, cover=each.cover,
                  begins=each.begins, ends=each.ends)
        for each in look.duty
    ]  # fmt: skip
    record = look.record and RecordOut(
        total=look.record.total, first=look.record.first, last=look.record.last,
        repeated=dict(look.record.repeated), permits=[each.id for each in look.record.permits],
    )  # fmt: skip
    return GlanceOut(
        unit=look.unit and PlaceFound.of(look.unit), path=[PlaceFound.of(each) for each in look.path],
        units=dict(look.units), households=look.households, population=look.population,
        cases=CasesOut(**vars(look.cases)), by_state=dict(look.by_state),
        bodies=[WorkOut(**vars(each)) for each in look.bodies],
        below=[BelowOut(**vars(each) | {"cases": CasesOut(**vars(each.cases))}) for each in look.below],
        apart=look.apart, duty=duty, on_duty=look.on_duty, whistles=[one.id for one, _ in look.whistles],
        orders=[one.id for one, _ in look.orders], record=record,
    )  # fmt: skip
