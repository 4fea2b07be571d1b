"""The shapes of plans in the API."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from gis.mending import WITHIN_M
from gridmgr.boundary_plan.model import LONGEST_NAME, MOST_CODES, MOST_POINTS, Status
from gridmgr.plan_edit.model import MOST_MENDED_M
from web.fields import BigRowId, Code, Lat, Lon, Utc, text
from web.paging import Page

Name = text(LONGEST_NAME, 1)
Codes = Annotated[list[Code], Field(min_length=1, max_length=MOST_CODES)]
Line = Annotated[
    list[tuple[Lon, Lat]],
    Field(min_length=2, max_length=MOST_POINTS, examples=[[[104.061, 30.671], [104.061, 30.674]]]),
]
Ring = Annotated[
    list[tuple[Lon, Lat]],
    Field(
        min_length=3,
        max_length=MOST_POINTS,
        examples=[[[104.061, 30.671], [104.062, 30.671], [104.062, 30.672]]],
    ),
]
Tip = Annotated[BigRowId | None, Field(description="The edit the plan stands at; null before the first one.")]


class PlanIn(BaseModel):
    """A plan to be opened."""

    name: Name = Field(examples=["荷花池社区微网格调整"])
    area_code: text(32) = Field("", description="A street or a community; empty for the whole district.")


class OnTip(BaseModel):
    """Where the plan stood when it was looked at."""

    on_tip: Tip


class Split(OnTip):
    """Cut a unit in two along a line; the larger part keeps the code."""

    kind: Literal["split"]
    code: Code
    line: Line
    new: Code | None = None


class Merge(OnTip):
    """Join units into the first of them."""

    kind: Literal["merge"]
    codes: Codes


class Reshape(OnTip):
    """Lead the border of two units along another line."""

    kind: Literal["reshape"]
    one: Code
    two: Code
    line: Line


class Move(OnTip):
    """Give buildings to another unit; the border follows."""

    kind: Literal["move"]
    buildings: Codes
    to: Code


class Found(OnTip):
    """Draw a new unit inside."""

    kind: Literal["found"]
    ring: Ring
    new: Code | None = None
    parent: Code | None = None


class Rename(OnTip):
    """Give a unit another name."""

    kind: Literal["rename"]
    code: Code
    name: text(200, 1)


class Recode(OnTip):
    """Give a unit another code."""

    kind: Literal["recode"]
    code: Code
    new: Code


class Renumber(OnTip):
    """Give the new units codes in reading order: W→E, then N→S."""

    kind: Literal["renumber"]


class Repair(OnTip):
    """Close gaps and overlaps; move few buildings until units hang together, and hold between low and high if told."""

    kind: Literal["repair"]
    codes: Codes | None = Field(None, description="Those that may give and take; all, unless told.")
    measure: Literal["households", "population"] = "households"
    low: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] | None = None
    high: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] | None = None
    within_m: Annotated[float, Field(gt=0, le=MOST_MENDED_M, allow_inf_nan=False)] = Field(
        WITHIN_M, description="Gaps and overlaps that are broader stay, metres."
    )


class Transfer(OnTip):
    """Let units belong to another community, or whole communities to another street."""

    kind: Literal["transfer"]
    codes: Codes
    to: Code


EditIn = Annotated[
    Split | Merge | Reshape | Move | Found | Rename | Recode | Transfer | Renumber | Repair,
    Field(discriminator="kind"),
]


class ClaimIn(BaseModel):
    """Whether the claim of somebody else is taken over."""

    take_over: bool = False


class LocksIn(BaseModel):
    """The units that stay as they are, all others do not."""

    codes: Annotated[list[Code], Field(max_length=MOST_CODES)]


class BranchIn(BaseModel):
    """What the branch is called."""

    name: Name


class Claim(BaseModel):
    """Who is drawing, and until when unless it is renewed."""

    by: str
    until: Utc


class PlanOut(BaseModel):
    """A plan as lists show it."""

    id: int
    name: str
    area_code: str = Field(examples=["510106001001"])
    status: Status
    base: str = Field(description="Stamp of the edition it stands on.", examples=["1.0f3a"])
    tip: int | None
    created_by: str
    created_at: Utc
    origin: int | None = Field(description="The plan it branched from.")
    claim: Claim | None


class PlanPage(Page[PlanOut]):
    """Plans, the newest first."""


class Means(BaseModel):
    """Over all units of the plan."""

    households: float
    population: float
    buildings: float
    incidents: float
    hours: float
    area_m2: float


class Totals(Means):
    """Sums over all units of a plan, and how many of them are amiss."""

    units: int
    mean: Means
    farthest: float = Field(description="The farthest a unit is from the mean of households, as a share.")
    below: int = Field(description="Units under the size band.")
    above: int = Field(description="Units over it.")
    apart: int = Field(description="Units of several parts.")


class Changes(BaseModel):
    """What would change against the base."""

    new: list[str]
    redrawn: list[str]
    gone: list[str]
    buildings: int = Field(description="In a unit of another code.")
    households: int
    population: int
    open_cases: int
    staff: int = Field(description="People with an office or turns of duty at a unit gone or redrawn.")


class PlanDetail(PlanOut):
    """A plan, how it stands, and what would change."""

    base_moved: bool = Field(
        description="The edition has been corrected since: nothing is drawn until that is taken in."
    )
    can_undo: bool
    can_redo: bool
    may_draw: bool
    locked: list[str]
    parents: dict[str, str] = Field(description="Names of the communities its units may belong to.")
    others: list[PlanOut] = Field(description="Other drafts on the same ground.")
    terms: dict[str, float]
    workload: str = Field(description="How `hours` are counted.")
    totals: Totals
    changes: Changes


class UnitFeature(BaseModel):
    """A unit as it is now, with all its numbers."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: dict[str, Any]
    properties: dict[str, Any]


class Edited(BaseModel):
    """What differs after an edit; deviations of other units follow from the mean in `totals`."""

    tip: int | None
    units: list[UnitFeature] = Field(description="Those that changed.")
    gone: list[str]
    homes: dict[str, str] = Field(description="Buildings that are in another unit now, with that.")
    totals: Totals
    changes: Changes
    can_undo: bool
    can_redo: bool


class EditOut(BaseModel):
    """One edit of a plan's past."""

    id: int
    kind: str
    args: dict[str, Any]
    by: str
    at: Utc


class EditsOut(BaseModel):
    """The edits a plan is made of, the newest first."""

    edits: list[EditOut]
